"""What running costs, and the rules of order, seek, skip and limit (spec: threads-api §6.3)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest

from tests.threaddb.query.collection import Collection
from tests.threaddb.query.strategies import LONG
from textile_aio.errors import InvalidQuery, StatusCode
from textile_aio.threaddb.query import Criterion, Operation, Query, Sort, candidates, plan, run, sorting

EQ, NE, GT, LT, GE, LE = Operation
MANY = 5_000
CANNOT_SORT = "sorting field doesn't correspond to instance type"


def c(path: str, operation: Operation, value: Any) -> Criterion:
    return Criterion(path, operation, value)


@pytest.fixture(scope="module")
def many() -> Collection:
    """Ages go down as ids go up, one in a thousand lives in Rome, all are alive."""
    return Collection(
        (
            {"_id": f"{n:05}", "age": MANY - n, "city": "Rome" if n % 1000 == 7 else "Oslo", "alive": True}
            for n in range(MANY)
        ),
        *("age", "city", "alive"),
    )


@pytest.fixture
def people(many: Collection) -> Collection:
    many.documents_read = many.entries_read = 0
    return many


@pytest.mark.parametrize(
    ("query", "ids", "documents", "entries"),
    [
        (Query((c("city", EQ, "Rome"),)), ["00007", "01007", "02007", "03007", "04007"], 5, 5),
        (Query((c("city", EQ, "Rome"),), limit=1), ["00007"], 1, 1),
        (Query((c("city", EQ, "Rome"),), limit=1, sort=Sort("_id", True)), ["04007"], 1, 1),
        (Query((c("age", GT, 4998.0),)), ["00000", "00001"], 2, 2),
        (Query((c("age", GT, 0.0),), limit=2), ["00000", "00001"], 2, 1_100),
        (Query((c("age", GT, 0.0),), limit=2, seek="02500"), ["02500", "02501"], 2, 1_100),
        (Query((c("alive", EQ, True),), limit=2, seek="04000"), ["04000", "04001"], 2, 1_100),
        (Query((c("age", GT, 0.0),), limit=2, sort=Sort("age")), ["04999", "04998"], 2, 2),
        (Query((c("age", GT, 0.0),), limit=2, sort=Sort("age", True)), ["00000", "00001"], 2, 2),
        (Query((c("age", NE, 1.0),), limit=2, sort=Sort("age")), ["04998", "04997"], 3, 3),
        (Query((c("_id", EQ, "00001"),)), ["00001"], 1, 0),
        (Query((c("_id", GE, "04998"),)), ["04998", "04999"], 2, 0),
        (Query(limit=2, sort=Sort("_id", True)), ["04999", "04998"], 2, 0),
        (Query(limit=2, skip=1, seek="00002", sort=Sort("_id", True)), ["00001", "00000"], 3, 0),
        (Query(limit=1, skip=9_999_999_999_999_999_999), [], MANY, 0),
        (Query((c("age", EQ, 4_999.0),), (Query((c("_id", EQ, "00000"),)),)), ["00000", "00001"], 2, 1),
    ],
)
def test_no_more_is_read_than_needed(
    query: Query, ids: list[str], documents: int, entries: int, people: Collection
) -> None:
    assert people.find(query) == ids
    assert people.documents_read <= documents
    assert people.entries_read <= entries


def test_results_are_given_as_they_are_found(people: Collection) -> None:
    query = Query()
    results = run(query, plan(query, people.indexes), people, lambda body: body)
    assert people.documents_read == 0
    next(results)
    next(results)
    assert people.documents_read == 2


def test_no_more_ids_are_gathered_than_may_be_held(people: Collection) -> None:
    query = Query((c("age", GE, 1.0),))
    with patch.object(candidates, "MOST_IDS", 1_000):
        assert len(people.find(query)) == MANY
    assert people.entries_read < 2_000
    assert people.documents_read == MANY


def test_an_index_that_narrows_wins_against_plain_reading(people: Collection) -> None:
    query = Query((c("age", GT, 3_000.0),), (Query((c("city", EQ, "Rome"),)),))
    assert len(people.find(query)) == 2_003
    assert people.documents_read < 2_700


def test_a_page_in_the_middle_of_one_key_does_not_walk_there(people: Collection) -> None:
    query = Query((c("alive", EQ, True),), seek="04900", limit=10)
    assert people.find(query) == [f"{number:05}" for number in range(4_900, 4_910)]
    assert people.entries_read < 1_100


def test_what_is_hidden_is_neither_skipped_nor_counted(people: Collection) -> None:
    query = Query(skip=1, limit=2)
    assert people.find(query, hidden=["00000", "00002"]) == ["00003", "00004"]


def test_skip_works_without_limit() -> None:
    assert Collection({"_id": name} for name in "abc").find(Query(skip=2)) == ["c"]


def test_what_is_not_given_is_not_shown(people: Collection) -> None:
    shown: list[bytes] = []

    def visible(body: bytes) -> bytes:
        shown.append(body)
        return body

    query = Query(sort=Sort("age", True), limit=3)
    results = list(run(query, plan(query, people.indexes), people, visible))
    assert shown[-3:] == results
    assert len(shown) < MANY / 2


def test_sorting_comes_before_skip_and_limit_but_after_seek(people: Collection) -> None:
    assert people.find(Query(sort=Sort("age"), skip=1, limit=2)) == ["04998", "04997"]
    assert people.find(Query(sort=Sort("age", True), seek="04000", limit=1)) == ["04000"]


def test_the_order_of_an_index_keeps_to_the_seek_and_has_all_its_stretches(people: Collection) -> None:
    ends = Query((c("age", LE, 2.0),), (Query((c("age", GT, 4_998.0),)),))
    upwards = replace(ends, sort=Sort("age"))
    assert people.find(upwards) == ["04999", "04998", "00001", "00000"]
    assert people.find(replace(ends, sort=Sort("age", True))) == ["00000", "00001", "04998", "04999"]
    assert people.find(replace(upwards, seek="00001")) == ["04999", "04998", "00001"]
    assert plan(upwards, people.indexes).describe() == {"index": "age", "kind": "union", "order": "index"}


def test_a_stretch_of_ids_beside_an_index_is_read_whole(people: Collection) -> None:
    query = Query((c("age", EQ, 1.0),), (Query((c("_id", LT, "00002"),)),))
    assert people.find(query) == ["00000", "00001", "04999"]


def test_an_unnamed_order_is_ascending_even_if_a_descending_one_is_asked_for() -> None:
    assert Collection({"_id": name} for name in "ba").find(Query(sort=Sort("", True))) == ["a", "b"]


@pytest.mark.parametrize("indexes", [(), ("a",)], ids=["plain", "indexed"])
def test_equals_are_in_the_order_of_ids_and_backwards_in_a_descending_order(indexes: tuple[str, ...]) -> None:
    rows = Collection(
        ({"_id": name, "a": value} for name, value in zip("abcd", "yxyx", strict=True)), *indexes
    )
    criteria = (c("a", GE, "x"),)
    assert rows.find(Query(criteria, sort=Sort("a"))) == ["b", "d", "a", "c"]
    assert rows.find(Query(criteria, sort=Sort("a", True))) == ["c", "a", "d", "b"]
    assert rows.find(Query(criteria, sort=Sort("a", True), skip=1, limit=2)) == ["a", "d"]


@pytest.mark.parametrize("criteria", [(), (c("a", GT, ""),)], ids=["sorted", "in the index's order"])
@pytest.mark.parametrize("descending", [False, True])
def test_strings_that_begin_alike_are_ordered_to_their_end(
    criteria: tuple[Criterion, ...], descending: bool
) -> None:
    texts = [LONG, f"{LONG}z1", f"{LONG}z2", f"{LONG}z3", f"{LONG}zé", "{"]
    ids = "dbface"
    rows = Collection(({"_id": id_, "a": text} for id_, text in zip(ids, texts, strict=True)), "a")
    expected = list(reversed(ids) if descending else ids)
    query = Query(criteria, sort=Sort("a", descending))
    assert rows.find(query) == expected
    assert rows.find(Query(criteria, sort=query.sort, skip=1, limit=2)) == expected[1:3]
    with patch.object(sorting, "MOST_PAIRS", 2), patch.object(sorting, "FEWEST_TO_CUT", 1):
        assert rows.find(query) == expected


def test_an_order_that_is_too_long_to_hold_is_given_in_passes(people: Collection) -> None:
    with patch.object(sorting, "MOST_PAIRS", 1_000), patch.object(sorting, "FEWEST_TO_CUT", 1):
        found = people.find(Query(sort=Sort("age"), skip=500))
    assert found == [f"{number:05}" for number in range(MANY - 501, -1, -1)]
    assert people.documents_read == 5 * MANY + MANY - 500


GOOD, LACKING, NULL, TEXT = (
    {"_id": "a", "n": {"x": 1}},
    {"_id": "b"},
    {"_id": "c", "n": {"x": None}},
    {"_id": "d", "n": {"x": "1"}},
)
FLAG, LIST, OBJECT = (
    {"_id": "e", "n": {"x": True}},
    {"_id": "f", "n": {"x": []}},
    {"_id": "g", "n": {"x": {}}},
)


@pytest.mark.parametrize("indexes", [(), ("n.x",)], ids=["plain", "indexed"])
@pytest.mark.parametrize(
    "rows",
    [
        [GOOD, LACKING],
        [GOOD, NULL],
        [GOOD, TEXT],
        [GOOD, FLAG],
        [TEXT, LIST],
        [LACKING, {"_id": "z"}],
        [NULL, {"_id": "z", "n": {"x": None}}],
        [GOOD, LACKING, {"_id": "z", "n": {"x": 2}}],
    ],
)
def test_rows_without_a_common_order_are_an_error(
    rows: list[dict[str, Any]], indexes: tuple[str, ...]
) -> None:
    for query in (
        Query(sort=Sort("n.x")),
        Query(sort=Sort("n.x", True), limit=1),
        Query(sort=Sort("n.x"), skip=9),
    ):
        with pytest.raises(InvalidQuery) as caught:
            Collection(rows, *indexes).find(query)
        assert (caught.value.message, caught.value.code) == (CANNOT_SORT, StatusCode.UNKNOWN)


@pytest.mark.parametrize(
    ("rows", "hidden"),
    [
        ([LACKING], []),
        ([NULL], []),
        ([GOOD, LACKING], ["b"]),
        ([GOOD, LACKING], ["a"]),
        ([GOOD, TEXT, NULL], ["c", "d"]),
    ],
)
def test_what_cannot_be_ordered_alone_or_unseen_is_no_error(
    rows: list[dict[str, Any]], hidden: list[str]
) -> None:
    (left,) = {row["_id"] for row in rows} - set(hidden)
    assert Collection(rows).find(Query(sort=Sort("n.x")), hidden=hidden) == [left]


def test_objects_and_arrays_have_a_stable_order() -> None:
    rows = Collection([OBJECT, LIST])
    assert rows.find(Query(sort=Sort("n.x"))) == ["f", "g"]


def test_integers_that_are_one_float_are_found_in_a_unique_index() -> None:
    rows = Collection([{"_id": "a", "n": 2**53 + 1}, {"_id": "b", "n": 2**53}], unique=["n"])
    assert rows.find(Query((c("n", EQ, 2.0**53),))) == ["a", "b"]


def test_a_document_that_is_gone_from_under_an_index_is_passed_over() -> None:
    rows = Collection([{"_id": "a", "n": 1}, {"_id": "b", "n": 1}], "n")
    del rows.bodies[b"a"]
    assert rows.find(Query((c("n", EQ, 1.0),))) == ["b"]
    assert rows.find(Query((c("n", EQ, 1.0),), sort=Sort("n"))) == ["b"]


def test_ten_thousand_ids_are_looked_up_one_by_one(people: Collection) -> None:
    wanted = [f"{number:05}" for number in range(0, 2 * MANY, 2)]
    query = Query((c("_id", EQ, ""),), tuple(Query((c("_id", EQ, id_),)) for id_ in wanted))
    assert people.find(query) == wanted[: MANY // 2]
    assert people.documents_read == len(wanted) + 1
