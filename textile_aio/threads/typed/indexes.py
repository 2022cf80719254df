"""The indexes that a class asks for, and whether hubs can keep them (spec: threads-api §4.3)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, get_args, get_origin

from textile_aio.errors import InvalidInput
from textile_aio.threads.typed.draft4 import SCALARS, Schema, type_at
from textile_aio.threads.typed.members import Member, bare, is_structured, members, parts
from textile_aio.threads.values import Index

_ID = "_id"


def indexes_of(
    kind: type, further: Iterable[Index], schema: Schema
) -> tuple[tuple[Index, ...], tuple[str, ...]]:
    """The indexes of a collection, ordered by path, and what is passed over of annotations, a sentence each.

    Args:
        kind: The class, whose annotations ask for some.
        further: Others; of two with one path, this one counts.
        schema: The schema of the collection.

    Raises:
        InvalidInput: There is no such field, or hubs keep no index of its type.
    """
    walk = _Walk()
    walk.into(kind, "", ())
    every = {each.path: each for each in (*walk.found, *further)}
    for path in every:
        _check(kind, schema, path)
    return tuple(sorted(every.values(), key=lambda each: each.path)), tuple(walk.passed_over)


class _Walk:
    """One walk over a class and the classes of its fields."""

    def __init__(self) -> None:
        self.found: list[Index] = []
        self.passed_over: list[str] = []

    def into(self, kind: type, prefix: str, above: tuple[type, ...]) -> None:
        """Note the indexes of a class whose fields are at ``prefix``. Inside of itself it has none."""
        here = (*above, kind)
        for member in members(kind):
            path = f"{prefix}{member.stored}"
            self.found += [
                Index(f"{path}.{mark.path}" if mark.path else path, unique=mark.unique)
                for mark in _marks(member.hint.metadata)
            ]
            inner = member.hint.type
            if not is_structured(inner):
                self._elements(kind, member, path, here)
            elif inner not in here:
                self.into(inner, f"{path}.", here)

    def _elements(self, kind: type, member: Member, path: str, above: tuple[type, ...]) -> None:
        inside = get_args(member.hint.type) if get_origin(member.hint.type) is not None else ()
        if any(_marks(bare(each).metadata) for each in inside if each is not Ellipsis):
            raise InvalidInput(
                f"there is an index inside of {kind.__name__}.{member.name}, and hubs index no elements of "
                "lists, members of dictionaries or alternatives; leave it out"
            )
        for part in parts(member.hint.type):
            walk = _Walk()
            if part not in above:
                walk.into(part, "", above)
            names = sorted(each.path for each in walk.found)
            if names:
                self.passed_over.append(
                    f"{path}: there is no index of {', '.join(names)} in {part.__name__} here: hubs index no "
                    "elements of lists, members of dictionaries or alternatives"
                )


def _marks(metadata: Iterable[Any]) -> list[Index]:
    return [each for each in metadata if isinstance(each, Index)]


def _check(kind: type, schema: Schema, path: str) -> None:
    try:
        type_ = type_at(schema, path)
    except KeyError:
        raise InvalidInput(
            f"{kind.__name__} has no field at {path!r} to keep an index of", about=path
        ) from None
    if path == _ID:
        raise InvalidInput("hubs keep an index of ids anyway; leave it out", about=path)
    if type_ not in SCALARS:
        raise InvalidInput(
            f"hubs keep indexes of text, numbers and bools; {kind.__name__} has none of these at {path!r}",
            about=path,
        )
