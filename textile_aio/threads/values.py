"""What thread calls take and give back, as values of ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from textile_aio.ids import Multiaddr, ThreadID, ThreadKey


@dataclass(frozen=True, slots=True)
class DatabaseInfo:
    """A thread database at a hub.

    Attributes:
        id: The thread it lives in.
        name: ``unnamed`` unless one was given; not unique.
        addrs: Where other hosts reach the thread: ``<host>/p2p/<peer id>/thread/<thread id>``.
        key: The thread's keys, which open everything in it; None if the hub did not say.
    """

    id: ThreadID
    _: KW_ONLY
    name: str
    addrs: tuple[Multiaddr, ...]
    key: ThreadKey | None


@dataclass(frozen=True, slots=True)
class Index:
    """A field that a collection keeps an index of.

    Attributes:
        path: Names of object members, separated by dots; the schema has to give the field a type of its own:
            string, number, integer or boolean. Empty in an annotation of a class, where the field itself is
            meant.
        unique: No two instances may have the same value there.
    """

    path: str = ""
    _: KW_ONLY
    unique: bool = False


@dataclass(frozen=True, slots=True)
class CollectionConfig:
    """What a collection is made with.

    Attributes:
        name: Letters, digits and single hyphens between them.
        schema: JSON Schema of the instances, as a dictionary or as text; it has to have the property ``_id``
            of type string. None or empty: any object will do. Hubs keep the keywords of draft 4 only.
        indexes: The fields to keep indexes of.
        write_validator: The body of a JavaScript function of ``writer``, ``event`` and ``instance``, which
            returns true for writes that are allowed; empty for all.
        read_filter: The body of a JavaScript function of ``reader`` and ``instance``, which returns the
            instance as the reader shall see it, or null; empty for all as they are.
    """

    name: str
    _: KW_ONLY
    schema: Mapping[str, Any] | str | None = field(default=None, hash=False)
    indexes: tuple[Index, ...] = ()
    write_validator: str = ""
    read_filter: str = ""


@dataclass(frozen=True, slots=True)
class CollectionInfo:
    """A collection as it is at a hub. The attributes are those of :class:`CollectionConfig`.

    Attributes:
        name: Unique in the database.
        schema: As the hub keeps it: keywords it does not know are gone.
        indexes: Ordered by path; the one of ``_id`` is not among them.
        write_validator: Empty where there is none.
        read_filter: Empty where there is none.
    """

    name: str
    _: KW_ONLY
    schema: Mapping[str, Any] = field(hash=False)
    indexes: tuple[Index, ...] = ()
    write_validator: str = ""
    read_filter: str = ""

    def config(self) -> CollectionConfig:
        """What makes such a collection, to be changed with :func:`dataclasses.replace`."""
        return CollectionConfig(
            self.name,
            schema=self.schema,
            indexes=self.indexes,
            write_validator=self.write_validator,
            read_filter=self.read_filter,
        )


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a hub answers a query.

    Attributes:
        index: The path of the index that is used, several with commas, None where none is; ``_id`` is the
            order in which the collection itself is kept.
        kind: How instances are found: ``scan`` for all of the collection, ``range``, ``equality`` and
            ``unique`` for those of an index, ``union`` for several of these, ``nothing`` if none can match.
        read: How many documents were read.
        matched: How many of them the query found.
    """

    index: str | None
    _: KW_ONLY
    kind: str
    read: int
    matched: int
