"""Order keys stand in the order of the values; claims are equal where upstream's texts are."""

from __future__ import annotations

import json
from hashlib import sha256
from itertools import pairwise, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.threaddb.query.strategies import LONG, NUMBERS, TEXTS, scalars
from textile_aio.threaddb.documents import load
from textile_aio.threaddb.query import Criterion, Operation, matches
from textile_aio.threaddb.query.keys import ABSENT, claim, field, is_cut, order_key
from textile_aio.threaddb.query.model import Query
from textile_aio.threaddb.query.ranges import Interval, hull, of_criterion, of_id_criterion, union

RANKS = {bool: 0, int: 1, float: 1, str: 2}


def place(value: Any) -> tuple[int, Any]:
    """Where a value belongs: booleans, numbers as float64, strings by their bytes."""
    kind = type(value)
    return RANKS[kind], value.encode() if kind is str else float(value) if kind is int else value


@given(scalars | st.text(), scalars | st.floats(allow_nan=False) | st.integers())
def test_keys_compare_as_values_do(one: Any, other: Any) -> None:
    first, second = order_key(one), order_key(other)
    assert first is not None
    assert second is not None
    if place(one) == place(other):
        assert first == second
    elif first == second:
        assert is_cut(first)
    else:
        assert (first < second) is (place(one) < place(other))


@pytest.mark.parametrize("value", [None, {}, [], {"a": 1}, [1], ABSENT])
def test_what_has_no_order_has_no_key(value: Any) -> None:
    assert order_key(value) is None


@pytest.mark.parametrize(
    ("value", "key"),
    [
        (False, "01"),
        (True, "02"),
        (0, "038000000000000000"),
        (-0.0, "038000000000000000"),
        (1, "03bff0000000000000"),
        (-1.5, "034007ffffffffffff"),
        ("", "04"),
        ("é", "04c3a9"),
    ],
)
def test_the_form_of_keys_stays_as_it_is_stored(value: Any, key: str) -> None:
    assert order_key(value) == bytes.fromhex(key)


@pytest.mark.parametrize(("value", "cut"), [(LONG, False), (f"{LONG}z", True), (f"{LONG}é", True)])
def test_a_key_tells_whether_it_may_be_shared(value: str, cut: bool) -> None:
    key = order_key(value)
    assert key == b"\x04" + value.encode()[:256]
    assert is_cut(key) is cut


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (1.0, "1"),
        ("1", "1"),
        (-0.0, "0"),
        (0.1, "0.1"),
        (1e21, "1000000000000000000000"),
        (1e-7, "0.0000001"),
        (2**53 + 1, "9007199254740993"),
        (True, "true"),
        ("true", "true"),
        (None, ""),
        ("", ""),
        ("é", "é"),
    ],
)
def test_a_claim_is_of_the_values_text(value: Any, text: str) -> None:
    assert claim(value) == sha256(text.encode()).digest()


@pytest.mark.parametrize("value", [ABSENT, {}, [1]])
def test_nothing_is_claimed_without_a_value(value: Any) -> None:
    assert claim(value) is None


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a", 1),
        ("n.x", None),
        ("n.y.z", [5]),
        ("n.missing", ABSENT),
        ("a.b", ABSENT),
        ("l.0", ABSENT),
        ("n.x.y", ABSENT),
        ("a.", ABSENT),
        ("", "empty"),
        ("n.", "nested empty"),
        ("d.o.t", ABSENT),
    ],
)
def test_a_path_leads_through_objects_only(path: str, expected: Any) -> None:
    nested = {"x": None, "y": {"z": [5]}, "": "nested empty"}
    document = {"a": 1, "n": nested, "l": [1], "": "empty", "d.o.t": 1}
    assert field(document, path) == expected


@pytest.mark.parametrize("operation", Operation)
def test_an_interval_holds_every_key_that_fulfils_its_criterion(operation: Operation) -> None:
    values: list[Any] = [*TEXTS, *NUMBERS, True, False]
    for value, wanted in product(values, repeat=2):
        criterion = Criterion("a", operation, float(wanted) if type(wanted) is int else wanted)
        if matches(Query((criterion,)), load(json.dumps({"a": value}).encode())):
            key = order_key(value)
            assert key is not None
            assert key in of_criterion(criterion), (value, wanted)
            if isinstance(value, str):
                assert value.encode() in of_id_criterion(criterion)


@given(st.lists(st.tuples(st.binary(max_size=2), st.binary(max_size=2) | st.none())), st.binary(max_size=3))
def test_a_union_holds_what_its_parts_hold(bounds: list[tuple[bytes, bytes | None]], key: bytes) -> None:
    parts = [Interval(*each) for each in bounds]
    merged = union(parts)
    assert any(key in each for each in merged) is any(key in each for each in parts)
    for lower, higher in pairwise(merged):
        assert lower.high is not None
        assert lower.high < higher.low
    assert not merged or not any(key in each for each in parts) or key in hull(merged)
