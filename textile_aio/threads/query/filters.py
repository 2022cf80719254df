"""Conditions written as dictionaries, in the manner of MongoDB: ``{"age": {"$gte": 21}, "$or": [...]}``.

Owns that notation and its words. It means what it means there, except that a missing field matches nothing,
also not ``$ne``, as hubs have it (spec: threads-api §6.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce

from textile_aio.errors import InvalidQuery
from textile_aio.threads.query.conditions import Condition, Operation, both, criterion, either, none_at_all

_COMPARISONS = {
    "$eq": Operation.EQ,
    "$ne": Operation.NE,
    "$gt": Operation.GT,
    "$gte": Operation.GE,
    "$lt": Operation.LT,
    "$lte": Operation.LE,
}
_DEEPEST = 64


def parse(filter_: object, *, depth: int = 0) -> Condition | None:
    """The condition that a dictionary is; None for "everything", which an empty one is.

    Raises:
        InvalidQuery: It is no such dictionary, has an unknown operator, or a value that the wire cannot say.
    """
    if not isinstance(filter_, Mapping):
        raise InvalidQuery(f"a filter is a dictionary, not {type(filter_).__name__}")
    if depth > _DEEPEST:
        raise InvalidQuery(f"the filter is nested deeper than {_DEEPEST} levels, or contains itself")
    return _all(_entry(key, value, depth) for key, value in filter_.items())


def one_of(path: str, values: object) -> Condition:
    """The condition that a field has one of several values; with no value, nothing has.

    Raises:
        InvalidQuery: ``values`` is no collection, or a value cannot be said.
    """
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        raise InvalidQuery(f"the values to choose from are a list, not {type(values).__name__}", about=path)
    choices = [criterion(path, Operation.EQ, value) for value in values]
    return either(choices) if choices else none_at_all()


def _entry(key: object, value: object, depth: int) -> Condition | None:
    match key:
        case "$and":
            return _all(_branches("$and", value, depth))
        case "$or":
            return _any(_branches("$or", value, depth))
        case str() if key.startswith("$"):
            raise InvalidQuery(f"{key:.40} is not known here; conditions are combined by $and and $or")
        case str():
            return _field(key, value)
        case _:
            raise InvalidQuery(f"the names of fields are text, not {type(key).__name__}")


def _branches(operator: str, value: object, depth: int) -> list[Condition | None]:
    if not isinstance(value, list | tuple) or not value:
        raise InvalidQuery(f"{operator} takes a list of at least one filter")
    return [parse(each, depth=depth + 1) for each in value]


def _field(path: str, value: object) -> Condition | None:
    if not isinstance(value, Mapping):
        return criterion(path, Operation.EQ, value)
    if not value:
        raise InvalidQuery("nothing is asked of the field; leave it out", about=path)
    return _all(_comparison(path, operator, operand) for operator, operand in value.items())


def _comparison(path: str, operator: object, operand: object) -> Condition:
    if operator == "$in":
        return one_of(path, operand)
    operation = _COMPARISONS.get(operator) if isinstance(operator, str) else None
    if operation is None:
        raise InvalidQuery(
            f"{operator!r:.40} is no comparison; there are {', '.join(_COMPARISONS)} and $in. "
            "Members of an object are compared by their paths, such as 'address.city'",
            about=path,
        )
    return criterion(path, operation, operand)


def _all(conditions: Iterable[Condition | None]) -> Condition | None:
    needed = [each for each in conditions if each is not None]
    return reduce(both, needed) if needed else None


def _any(conditions: list[Condition | None]) -> Condition | None:
    needed = [each for each in conditions if each is not None]
    return either(needed) if len(needed) == len(conditions) else None
