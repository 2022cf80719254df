"""Criteria on documents that are not as they expect (spec: threads-api §6.2)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from textile_aio.threaddb.documents import load
from textile_aio.threaddb.query import Criterion, Operation, Query, matches

EQ, NE, GT, LT, GE, LE = Operation


def holds(operation: Operation, value: Any, wanted: Any, path: str = "a") -> bool:
    document = load(json.dumps({"_id": "x", "a": value}).encode())
    return matches(Query((Criterion(path, operation, wanted),)), document)


@pytest.mark.parametrize("operation", Operation)
@pytest.mark.parametrize("wanted", ["x", "", True, False, 0.0, 1.0])
@pytest.mark.parametrize("value", [None, {}, [], [1.0], {"a": "x"}])
def test_nothing_holds_for_null_objects_and_arrays(operation: Operation, wanted: Any, value: Any) -> None:
    assert not holds(operation, value, wanted)


@pytest.mark.parametrize("operation", Operation)
@pytest.mark.parametrize("path", ["b", "a.b", "_id.x", "", "a."])
def test_nothing_holds_for_what_is_not_there_not_even_inequality(operation: Operation, path: str) -> None:
    assert not holds(operation, "x", "x", path)


@pytest.mark.parametrize("operation", Operation)
@pytest.mark.parametrize(
    ("value", "wanted"), [("1", 1.0), (1, "1"), (1, True), (True, 1.0), (0, False), ("true", True)]
)
def test_nothing_holds_across_types(operation: Operation, value: Any, wanted: Any) -> None:
    assert not holds(operation, value, wanted)


@pytest.mark.parametrize("value", [True, False])
@pytest.mark.parametrize("wanted", [True, False])
def test_different_booleans_are_less_than_each_other(value: bool, wanted: bool) -> None:
    expected = {EQ, GE, LE} if value is wanted else {NE, LT, LE}
    assert {operation for operation in Operation if holds(operation, value, wanted)} == expected


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (1, 1.0),
        (-0.0, 0.0),
        (2**53 + 1, 2.0**53),
        (10**30, 1e30),
        (5e-324, 5e-324),
    ],
)
def test_numbers_are_compared_as_float64(value: Any, wanted: float) -> None:
    assert {operation for operation in Operation if holds(operation, value, wanted)} == {EQ, GE, LE}


def test_strings_are_compared_by_their_utf8() -> None:
    assert holds(LT, "\uffff", "😀"), "in UTF-16 it is the other way round"
    assert holds(LT, "Z", "a")
    assert holds(GT, "a\x00", "a")


def test_true_and_one_are_different_alternatives() -> None:
    query = Query((Criterion("a", EQ, True),), (Query((Criterion("a", EQ, 1.0),)),))
    assert matches(query, {"a": True})
    assert matches(query, {"a": 1})


def test_alternatives_are_taken_at_any_depth_and_an_empty_one_is_everything() -> None:
    one = Query((Criterion("a", EQ, "x"), Criterion("b", EQ, 1.0)))
    other = Query((Criterion("c", GT, 5.0),))
    query = Query((Criterion("a", EQ, "nobody"),), (Query((Criterion("a", EQ, "nothing"),), (one, other)),))
    assert matches(query, {"a": "x", "b": 1})
    assert matches(query, {"c": 6})
    assert not matches(query, {"a": "x", "b": 2, "c": 5})
    assert matches(Query((), (one,)), {})
    assert matches(Query((Criterion("a", EQ, "x"),), (Query(),)), {})


def test_many_equalities_of_one_field_are_one_look() -> None:
    """Were each compared, this would take minutes."""
    ors = tuple(Query((Criterion("a", EQ, f"{number}"),)) for number in range(20_000))
    numbers = tuple(Query((Criterion("a", EQ, float(number)),)) for number in range(20_000))
    query = Query((Criterion("a", EQ, True),), ors + numbers)
    for value in [*range(-5, 30_000), *map(str, range(25_000)), True, False]:
        expected = value is True or (value is not False and 0 <= int(value) < 20_000)
        assert matches(query, {"a": value}) is expected
