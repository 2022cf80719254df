"""Which way is chosen. That all ways lead to the same result is ``test_any_plan.py``'s business."""

from __future__ import annotations

from typing import Any

import pytest

from tests.threaddb.query.collection import Collection
from textile_aio.threaddb.query import Criterion, IndexInfo, Operation, Query, Sort, plan

EQ, NE, GT, LT, GE, LE = Operation
INDEXES = [IndexInfo("age"), IndexInfo("city"), IndexInfo("done"), IndexInfo("mail", unique=True)]


def c(path: str, operation: Operation, value: Any) -> Criterion:
    return Criterion(path, operation, value)


def either(*alternatives: tuple[Criterion, ...], **rest: Any) -> Query:
    first, *others = alternatives
    return Query(first, tuple(Query(each) for each in others), **rest)


@pytest.mark.parametrize(
    ("query", "index", "kind"),
    [
        (Query(), None, "scan"),
        (Query(seek="x"), None, "scan"),
        (Query((c("name", EQ, "x"),)), None, "scan"),
        (Query((c("age", EQ, 3.0),)), "age", "equality"),
        (Query((c("age", GE, 3.0),)), "age", "range"),
        (Query((c("age", GE, 3.0), c("age", LT, 5.0))), "age", "range"),
        (Query((c("age", GE, 3.0), c("age", LE, 3.0))), "age", "equality"),
        (Query((c("age", NE, 3.0),)), None, "scan"),
        (Query((c("done", NE, True),)), "done", "equality"),
        (Query((c("done", LE, True),)), None, "scan"),
        (Query((c("mail", EQ, "x"),)), "mail", "unique"),
        (Query((c("mail", GT, "x"),)), "mail", "range"),
        (Query((c("mail", EQ, 2.0**53),)), "mail", "equality"),
        (Query((c("_id", EQ, "x"),)), "_id", "unique"),
        (Query((c("_id", GT, "x"),)), "_id", "range"),
        (Query((c("_id", NE, "x"),)), None, "scan"),
        (Query((c("age", GT, 1.0), c("city", EQ, "x"))), "city", "equality"),
        (Query((c("city", EQ, "x"), c("mail", EQ, "x"))), "mail", "unique"),
        (Query((c("age", GT, 1.0), c("city", GE, "x"), c("city", LT, "y"))), "city", "range"),
        (Query((c("done", EQ, True), c("age", EQ, 1.0))), "age", "equality"),
        (Query((c("mail", EQ, "x"), c("_id", EQ, "x"))), "_id", "unique"),
        (Query((c("age", EQ, 1.0), c("_id", GT, "x"))), "age", "equality"),
        (Query((c("name", EQ, "x"), c("_id", GT, "x"))), "_id", "range"),
        (either((c("age", EQ, 1.0),), (c("age", EQ, 2.0),)), "age", "union"),
        (either((c("age", GT, 1.0),), (c("age", GT, 2.0),)), "age", "range"),
        (either((c("age", EQ, 1.0),), (c("city", EQ, "x"),)), "age, city", "union"),
        (either((c("mail", EQ, "x"),), (c("_id", EQ, "x"),)), "mail, _id", "union"),
        (either((c("_id", EQ, "x"),), (c("_id", EQ, "y"),)), "_id", "union"),
        (either((c("age", EQ, 1.0),), (c("name", EQ, "x"),)), None, "scan"),
        (either((c("age", EQ, 1.0),), (c("_id", GT, "x"),)), None, "scan"),
        (either((c("age", EQ, 1.0), c("_id", LT, "b")), (c("_id", LT, "a"),)), "_id", "range"),
        (either((c("age", EQ, 1.0),), (c("age", GT, 3.0), c("_id", GT, "x"))), "age", "union"),
        (either((c("age", EQ, 1.0),), ()), None, "scan"),
        (either((), (c("age", EQ, 1.0),)), None, "scan"),
    ],
)
def test_the_way_of_a_query(query: Query, index: str | None, kind: str) -> None:
    assert plan(query, INDEXES).describe() == {"index": index, "kind": kind, "order": "id"}


@pytest.mark.parametrize(
    "criteria",
    [
        (c("age", GT, 5.0), c("age", LT, 5.0)),
        (c("age", EQ, 5.0), c("age", EQ, "5")),
        (c("name", EQ, "a"), c("name", EQ, "b")),
        (c("done", GT, False),),
        (c("_id", EQ, 5.0),),
        (c("_id", EQ, "a"), c("_id", GT, "a")),
    ],
)
def test_a_contradiction_is_not_looked_for(criteria: tuple[Criterion, ...]) -> None:
    assert plan(Query(criteria), INDEXES).describe()["kind"] == "nothing"
    assert plan(either(criteria, (c("age", EQ, 1.0),)), INDEXES).describe()["kind"] == "equality"


@pytest.mark.parametrize(
    ("query", "index", "kind", "order"),
    [
        (Query(sort=Sort("age")), None, "scan", "sort"),
        (Query((c("age", GE, 3.0),), sort=Sort("age")), "age", "range", "index"),
        (Query((c("age", NE, 3.0),), sort=Sort("age")), "age", "range", "index"),
        (Query((c("age", EQ, 3.0),), sort=Sort("age")), "age", "equality", "index"),
        (Query((c("age", GE, 3.0), c("name", EQ, "x")), sort=Sort("age")), "age", "range", "index"),
        (Query((c("age", GE, 3.0), c("city", EQ, "x")), sort=Sort("age")), "city", "equality", "sort"),
        (Query((c("age", GE, 3.0), c("city", GT, "x")), sort=Sort("age")), "age", "range", "index"),
        (Query((c("city", EQ, "x"),), sort=Sort("age")), "city", "equality", "sort"),
        (Query((c("mail", EQ, "x"),), sort=Sort("mail")), "mail", "equality", "index"),
        (Query((c("name", EQ, "x"),), sort=Sort("name")), None, "scan", "sort"),
        (either((c("age", LT, 3.0),), (c("age", GT, 5.0),), sort=Sort("age")), "age", "union", "index"),
        (either((c("age", LT, 3.0),), (c("age", GT, "x"),), sort=Sort("age")), "age", "union", "sort"),
        (either((c("age", LT, 3.0),), (c("city", EQ, "x"),), sort=Sort("age")), "age, city", "union", "sort"),
        (Query((c("age", GE, 3.0),), sort=Sort("_id", True)), "age", "range", "id"),
        (Query((c("age", GE, 3.0),), sort=Sort("", True)), "age", "range", "id"),
    ],
)
def test_an_index_gives_the_order_only_where_no_result_can_spoil_it(
    query: Query, index: str | None, kind: str, order: str
) -> None:
    assert plan(query, INDEXES).describe() == {"index": index, "kind": kind, "order": order}


def test_a_hint_decides_between_equals() -> None:
    criteria = (c("age", EQ, 1.0), c("city", EQ, "x"))
    assert plan(Query(criteria), INDEXES).describe()["index"] == "age"
    assert plan(Query(criteria, index="city"), INDEXES).describe()["index"] == "city"
    assert plan(Query((c("age", EQ, 1.0),), index="city"), INDEXES).describe()["index"] == "age"


@pytest.mark.parametrize(
    ("hint", "kind"), [("", "scan"), ("_id", "scan"), ("age", "scan"), ("name", "nothing")]
)
def test_a_hint_of_an_index_that_is_not_there_leaves_nothing(hint: str, kind: str) -> None:
    assert plan(Query(index=hint), INDEXES).describe()["kind"] == kind


def test_an_index_that_is_being_filled_is_not_used_but_known() -> None:
    query = Query((c("age", EQ, 1.0),), index="age")
    assert plan(query, [IndexInfo("age", ready=False)]).describe()["kind"] == "scan"


def test_of_competing_indexes_the_one_with_fewer_entries_is_taken() -> None:
    people = Collection(
        (
            {"_id": f"{number:04}", "city": "x", "age": number % 100, "mail": f"{number}"}
            for number in range(3_000)
        ),
        *("city", "age", "mail"),
    )
    query = Query((c("city", EQ, "x"), c("age", EQ, 7.0)))
    assert plan(query, people.indexes).describe()["index"] == "city"
    assert plan(query, people.indexes, people).describe()["index"] == "age"
    halves = Query((c("city", GE, "x"), c("mail", GE, "999")))
    assert plan(halves, people.indexes, people).describe()["index"] == "mail"
    assert people.entries_read < 2_000
    dense = Query((c("city", EQ, "x"), c("age", GE, 0.0)))
    assert plan(dense, people.indexes, people).describe()["index"] == "city"
    assert people.documents_read == 0


def test_a_query_that_looks_at_everything_is_worth_more_probing() -> None:
    people = Collection(({"_id": f"{n:04}", "city": "x", "age": n % 2} for n in range(3_000)), "city", "age")
    criteria = (c("city", EQ, "x"), c("age", EQ, 1.0))
    assert plan(Query(criteria), people.indexes, people).describe()["index"] == "age"
    people.entries_read = 0
    assert plan(Query(criteria, limit=1), people.indexes, people).describe()["index"] == "city"
    assert people.entries_read < 2_500
    assert plan(Query(criteria, limit=1, sort=Sort("x")), people.indexes, people).describe()["index"] == "age"
