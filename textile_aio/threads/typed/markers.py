"""What annotations may say about a field beside its type: ``Annotated[str, Index(unique=True)]``.

:class:`~textile_aio.Index` is the value that untyped collections are made with as well.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Id:
    """Marks the field that holds the id of an instance, where it is not called ``id``.

    ::

        @dataclass
        class Country:
            code: Annotated[str, Id()]
            name: str

    The field is text; empty or None in an instance that the hub is to draw an id for.
    """


@dataclass(frozen=True, slots=True)
class Modified:
    """Marks the field that shows when an instance was last written: an ``int`` or a ``datetime``.

    The hub sets it, in nanoseconds since 1970; a ``datetime`` has it in UTC and microseconds. What the field
    has when an instance is written plays no part, so it needs a default. Instances that
    :meth:`Collection.create <textile_aio.Collection.create>` returns have not got it yet: hubs do not tell.
    """


@dataclass(frozen=True, slots=True)
class Alias:
    """The name under which a field of a dataclass is stored, where it is not its own.

    pydantic and msgspec have ways of their own for that, which are followed.

    Attributes:
        name: The name in the JSON of the instance.
    """

    name: str
