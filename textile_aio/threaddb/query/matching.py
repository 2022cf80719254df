"""Whether a document matches: criteria compiled into closures, without any index (spec: threads-api §6.2).

Where upstream ends a scan, or crashes, because a document is not as a criterion expects it (a field that is
missing, null or of another type), the criterion is false here and the search goes on.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from textile_aio.threaddb.query.keys import field, number
from textile_aio.threaddb.query.model import Conjunction, Criterion, Operation, Query

Predicate = Callable[[dict[str, Any]], bool]
"""Decides about a loaded document."""

_Test = Callable[[Any], bool]
"""Decides about the value of one field."""

_COMPARE: dict[Operation, Callable[[Any, Any], bool]] = {
    Operation.EQ: operator.eq,
    Operation.NE: operator.ne,
    Operation.GT: operator.gt,
    Operation.LT: operator.lt,
    Operation.GE: operator.ge,
    Operation.LE: operator.le,
}

_UNEQUAL = frozenset({Operation.NE, Operation.LT, Operation.LE})
"""What holds for two booleans that differ: upstream calls either one less than the other."""


def matches(query: Query, document: dict[str, Any]) -> bool:
    """Whether a loaded document matches. The query is compiled once for all calls that follow each other."""
    global _latest
    latest, predicate = _latest
    if latest is not query:
        predicate = compiled(query)
        _latest = query, predicate
    return predicate(document)


def compiled(query: Query) -> Predicate:
    """A predicate that decides as the query's ``ands`` and ``ors`` say.

    It takes the same time however many alternatives are mere equalities of one field.
    """
    alternatives = query.alternatives
    if () in alternatives:
        return anything
    return _any([*_equalities(alternatives), *map(_all, filter(_is_compound, alternatives))])


def anything(document: dict[str, Any]) -> bool:
    """The predicate of a query that every document matches; whoever knows it need not load them."""
    return True


_latest: tuple[Query | None, Predicate] = (None, anything)


def _any(predicates: Sequence[Predicate]) -> Predicate:
    if len(predicates) == 1:
        return predicates[0]

    def either(document: dict[str, Any]) -> bool:
        return any(predicate(document) for predicate in predicates)

    return either


def _all(conjunction: Conjunction) -> Predicate:
    predicates = [_on(criterion.path, _test(criterion)) for criterion in conjunction]
    if len(predicates) == 1:
        return predicates[0]
    if len(predicates) == 2:  # the most common number is worth a closure
        first, second = predicates
        return lambda document: first(document) and second(document)

    def both(document: dict[str, Any]) -> bool:
        return all(predicate(document) for predicate in predicates)

    return both


def _is_compound(conjunction: Conjunction) -> bool:
    """Whether it is more than one equality, which :func:`_equalities` covers."""
    return len(conjunction) > 1 or conjunction[0].operation is not Operation.EQ


def _equalities(alternatives: Iterable[Conjunction]) -> list[Predicate]:
    """One predicate for each field that some alternatives compare for equality alone."""
    wanted: dict[str, list[Criterion]] = {}
    for conjunction in alternatives:
        if not _is_compound(conjunction):
            wanted.setdefault(conjunction[0].path, []).append(conjunction[0])
    return [
        _on(path, _test(criteria[0]) if len(criteria) == 1 else _one_of(criteria))
        for path, criteria in wanted.items()
    ]


def _on(path: str, test: _Test) -> Predicate:
    if "." in path:
        return lambda document: test(field(document, path))
    return lambda document: test(document.get(path))


def _one_of(criteria: Iterable[Criterion]) -> _Test:
    """Whether a value equals any of those of several criteria."""
    wanted = frozenset(_typed(criterion.value) for criterion in criteria)
    return lambda value: _typed(value) in wanted


def _typed(value: Any) -> tuple[type, str | bool | float] | None:
    """A value that is equal to another one's exactly if a criterion says so; None for what none can equal."""
    kind = type(value)
    if kind is str or kind is bool:
        return kind, value
    if kind is int or kind is float:
        return float, number(value)
    return None


def _test(criterion: Criterion) -> _Test:
    """Whether a value fulfils a criterion. Strings compare by code points, which is the order of UTF-8."""
    wanted = criterion.value
    compare = _COMPARE[criterion.operation]
    if isinstance(wanted, str):
        return lambda value: type(value) is str and compare(value, wanted)
    if isinstance(wanted, bool):
        fulfilling = {
            value
            for value in (False, True)
            if (criterion.operation in _UNEQUAL if value is not wanted else compare(0, 0))
        }
        return lambda value: type(value) is bool and value in fulfilling
    wanted = number(wanted)

    def test(value: Any) -> bool:
        if type(value) is int:
            value = number(value)
        return type(value) is float and compare(value, wanted)

    return test
