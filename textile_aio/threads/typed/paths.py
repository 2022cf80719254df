"""Queries about a class: names of fields become those that are stored, and unknown ones are refused.

A hub finds nothing by a field that no instance has, and says no word about it. Here a slip of the pen is an
error before anything is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Union, get_origin

from textile_aio.errors import InvalidQuery
from textile_aio.threads.query.builder import Query
from textile_aio.threads.query.conditions import Condition
from textile_aio.threads.typed.codec import ID, MODIFIED, Codec
from textile_aio.threads.typed.members import Member, is_struct, is_structured, members
from textile_aio.threads.typed.shapes import MAPPINGS


def stored_query(codec: Codec[Any], query: Query) -> Query:
    """A query with the names that are stored.

    Raises:
        InvalidQuery: The class has no such field.
    """
    condition, order = query.condition, query.order
    return replace(
        query,
        condition=None if condition is None else _condition(codec, condition),
        order=None if order is None else replace(order, path=stored_path(codec, order.path)),
        index=query.index and stored_path(codec, query.index),
    )


def stored_path(codec: Codec[Any], path: str) -> str:
    """The path under which a field is stored; those that are stored names already stay.

    Raises:
        InvalidQuery: The class has no such field.
    """
    first, *rest = path.split(".")
    known = {codec.id.name: ID, codec.id.stored: ID, ID: ID, MODIFIED: MODIFIED}
    if codec.modified is not None:
        known |= {codec.modified.name: MODIFIED, codec.modified.stored: MODIFIED}
    if first in known:
        if rest:
            raise InvalidQuery(f"{first!r} has no members", about=path)
        return known[first]
    return ".".join(_steps(codec.kind, [first, *rest], path))


def _condition(codec: Codec[Any], condition: Condition) -> Condition:
    return Condition(
        tuple(replace(each, path=stored_path(codec, each.path)) for each in condition.ands),
        tuple(_condition(codec, each) for each in condition.ors),
    )


def _steps(kind: type, steps: list[str], path: str) -> list[str]:
    first, *rest = steps
    member = _find(kind, first)
    if member is None:
        if _is_open(kind, first):
            return steps
        names = ", ".join(each.name for each in members(kind))
        raise InvalidQuery(f"{kind.__name__} has no field {first!r:.60}; it has {names}", about=path)
    if not rest:
        return [member.stored]
    inner = member.hint.type
    if is_structured(inner):
        return [member.stored, *_steps(inner, rest, path)]
    origin = get_origin(inner) or inner
    if inner in (Any, object) or origin in (*MAPPINGS, Union) or origin is _UNION:
        return [member.stored, *rest]
    raise InvalidQuery(
        f"{kind.__name__}.{member.name} has no members that a query could name; nor can it name the elements "
        "of a list",
        about=path,
    )


def _find(kind: type, name: str) -> Member | None:
    fields = members(kind)
    for member in fields:
        if member.name == name:
            return member
    return next((member for member in fields if member.stored == name), None)


def _is_open(kind: Any, name: str) -> bool:
    """Whether instances may have a member that is no field: computed, let pass, or the tag of a struct."""
    if is_struct(kind):
        return bool(name == kind.__struct_config__.tag_field)
    config: Mapping[str, Any] = getattr(kind, "model_config", None) or {}
    computed = getattr(kind, "__pydantic_computed_fields__", None) or {}
    return config.get("extra") == "allow" or name in {
        alias for each, field in computed.items() for alias in (each, field.alias or each)
    }


_UNION = type(int | str)
