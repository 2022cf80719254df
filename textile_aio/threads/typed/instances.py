"""One instance or several, instances or their ids: what calls of a typed collection take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar, cast

from textile_aio._arguments import text
from textile_aio.errors import InvalidInput
from textile_aio.threads.typed.codec import Codec

T = TypeVar("T")


def one_or_many(codec: Codec[T], instances: T | Iterable[T]) -> list[T]:
    """Instances as a list, also of a single one. Models can be iterated over, so their class decides.

    Raises:
        InvalidInput: It is neither.
    """
    if isinstance(instances, codec.kind):
        return [instances]
    if isinstance(instances, str | bytes | Mapping) or not isinstance(instances, Iterable):
        raise InvalidInput(
            f"the collection is one of {codec.kind.__name__}: give one, or a list of them, "
            f"not {type(instances).__name__}"
        )
    return list(instances)


def with_ids(codec: Codec[T], given: T | Iterable[T], instances: list[T], ids: list[str]) -> T | list[T]:
    """Copies of instances with their ids: one if one was given, else a list."""
    found = [codec.with_id(each, id_) for each, id_ in zip(instances, ids, strict=True)]
    return found[0] if isinstance(given, codec.kind) else found


def ids_of(codec: Codec[T], instances: str | T | Iterable[str | T]) -> list[str]:
    """The ids of instances, or ids as they are.

    Raises:
        InvalidInput: An instance has no id, or it is neither.
    """
    if isinstance(instances, str):
        return [text(instances, "an id")]
    many = one_or_many(cast("Codec[str | T]", codec), instances)
    return [each if isinstance(each, str) else _id_of(codec, each) for each in many]


def _id_of(codec: Codec[T], instance: T) -> str:
    if type(instance) is not codec.kind:
        raise InvalidInput(
            f"the collection is one of {codec.kind.__name__}, and this is {type(instance).__name__}"
        )
    found = codec.id_of(instance)
    if not found:
        raise InvalidInput(f"the {codec.kind.__name__} has no id yet; create it first, or give it one")
    return text(found, "an id")
