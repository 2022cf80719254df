"""What go-threads' own query tests expect of the same data (v1.1.5, db/query_test.go and query_more_test.go).

None of them sorts and limits at once, so they do not tell which comes first.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.threaddb.query.collection import Collection
from textile_aio.errors import InvalidQuery
from textile_aio.threaddb.query import Criterion, Operation, Query, Sort

EQ, NE, GT, LT, GE, LE = Operation
T, A, R, S, B = "Title", "Author", "Meta.TotalReads", "Meta.Rating", "Banned"

FOUR = [(1, True, 1, 100, 3.2), (2, False, 1, 150, 4.1), (3, False, 2, 120, 4.6), (4, True, 3, 1000, 2.6)]
FIVE = [
    *((1, None, 1, 10, 3.3), (2, None, 1, 20, 3.6), (3, None, 1, 30, 3.9)),
    *((4, None, 2, 114, 4.0), (5, None, 3, 500, 4.8)),
]


def books(rows: list[Any], *indexes: str) -> Collection:
    return Collection(
        (
            {
                "_id": f"01f2x{number}",
                "Title": f"Title{number}",
                "Author": f"Author{author}",
                "Meta": {"TotalReads": reads, "Rating": rating},
                **({} if banned is None else {"Banned": banned}),
            }
            for number, banned, author, reads, rating in rows
        ),
        *indexes,
    )


def where(path: str, operation: Operation, value: Any, *ors: Query, **rest: Any) -> Query:
    return Query((Criterion(path, operation, value),), ors, **rest)


def found(collection: Collection, query: Query) -> list[int]:
    return [int(id_[-1]) for id_ in collection.find(query)]


@pytest.mark.parametrize("indexes", [(), (R, T), (R, T, A, S, B)], ids=len)
@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        (where(T, EQ, "Title1"), [1]),
        (where(T, NE, "Title1"), [2, 3, 4]),
        (where(T, NE, "Title"), [1, 2, 3, 4]),
        (where(T, EQ, "Title"), []),
        (where(T, LT, "Title"), []),
        (where(T, GT, "Title"), [1, 2, 3, 4]),
        (where(T, GT, "Title5000"), []),
        (where(R, EQ, 100.0), [1]),
        (where(R, LT, 100.0), []),
        (where(R, LE, 1221.25), [1, 2, 3, 4]),
        (where(R, GE, 12.22), [1, 2, 3, 4]),
        (where(R, LT, 124.36), [1, 3]),
        (where(R, GT, 124.36), [2, 4]),
        (where(R, LT, 150.0), [1, 3]),
        (where(S, EQ, 3.2), [1]),
        (where(S, GT, 3.2), [2, 3]),
        (where(S, LE, 1.0), []),
        (where(S, GE, 1.0), [1, 2, 3, 4]),
        (where(S, LE, 3.6), [1, 4]),
        (where(S, GE, 3.6), [2, 3]),
        (where(S, LE, 5.0), [1, 2, 3, 4]),
        (where(S, GT, 5.0), []),
        (where(B, EQ, True), [1, 4]),
        (where(B, NE, True), [2, 3]),
        (where(B, EQ, False), [2, 3]),
        (where(T, EQ, "Title1", where(T, EQ, "Title3")), [1, 3]),
        (where(T, EQ, "Title2", where(S, EQ, 3.2)), [1, 2]),
        (Query(sort=Sort(T)), [1, 2, 3, 4]),
        (Query(sort=Sort(T, True)), [4, 3, 2, 1]),
        (Query(sort=Sort(R)), [1, 3, 2, 4]),
        (Query(sort=Sort(R, True)), [4, 2, 3, 1]),
        (Query(sort=Sort(S)), [4, 1, 2, 3]),
        (Query(sort=Sort(S, True)), [3, 2, 1, 4]),
        (where(S, GT, 3.6, sort=Sort(R)), [3, 2]),
        (where(S, GT, 3.6, sort=Sort(R, True)), [2, 3]),
    ],
)
def test_four_books(query: Query, numbers: list[int], indexes: tuple[str, ...]) -> None:
    assert found(books(FOUR, *indexes), query) == numbers


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        (where(T, EQ, "Title1", where(T, EQ, "Title3"), index=T), [1, 3]),
        (where(R, GE, 12.22, index=R), [1, 2, 3, 4]),
        (where(R, GE, 12.22, index="Not.Valid.Path"), []),
    ],
)
def test_four_books_with_a_hint(query: Query, numbers: list[int]) -> None:
    assert found(books(FOUR, R, T), query) == numbers


@pytest.mark.parametrize("indexes", [(), (R, T, A, S)], ids=len)
@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        (Query(), [1, 2, 3, 4, 5]),
        (where(A, EQ, "Author1"), [1, 2, 3]),
        (where(A, EQ, "Author2"), [4]),
        (Query((Criterion(A, EQ, "Author1"), Criterion(T, EQ, "Title2"))), [2]),
        (Query((Criterion(A, EQ, "Author1"), Criterion(R, EQ, 10.0))), [1]),
        (where(A, EQ, "Author1", where(A, EQ, "Author3")), [1, 2, 3, 5]),
        (where(A, NE, "Author1"), [4, 5]),
        (where(R, NE, 30.0), [1, 2, 4, 5]),
        (where(S, NE, 3.6), [1, 3, 4, 5]),
        (where(A, GT, "Author2"), [5]),
        (where(R, GT, 30.0), [4, 5]),
        (where(S, GT, 3.6), [3, 4, 5]),
        (where(A, GE, "Author2"), [4, 5]),
        (where(R, GE, 30.0), [3, 4, 5]),
        (where(S, GE, 3.6), [2, 3, 4, 5]),
        (where(A, LT, "Author2"), [1, 2, 3]),
        (where(R, LT, 30.0), [1, 2]),
        (where(S, LT, 3.6), [1]),
        (where(A, LE, "Author2"), [1, 2, 3, 4]),
        (where(R, LE, 30.0), [1, 2, 3]),
        (where(S, LE, 3.6), [1, 2]),
        (where(R, GT, 20.0, sort=Sort(A)), [3, 4, 5]),
        (where(R, GT, 20.0, sort=Sort(A, True)), [5, 4, 3]),
        (where(R, GT, 10.0, sort=Sort(R)), [2, 3, 4, 5]),
        (where(R, GT, 10.0, sort=Sort(R, True)), [5, 4, 3, 2]),
        (where(R, GT, 10.0, sort=Sort(S)), [2, 3, 4, 5]),
        (where(R, GT, 10.0, sort=Sort(S, True)), [5, 4, 3, 2]),
        (where(R, GT, 100.0, limit=2), [4, 5]),
        (where(R, LT, 100.0, limit=2), [1, 2]),
        (where(R, GT, 0.0, skip=1, limit=3), [2, 3, 4]),
    ],
)
def test_five_books(query: Query, numbers: list[int], indexes: tuple[str, ...]) -> None:
    assert found(books(FIVE, *indexes), query) == numbers


def test_a_sort_field_that_no_book_has() -> None:
    with pytest.raises(InvalidQuery, match="sorting field doesn't correspond to instance type"):
        books(FIVE).find(Query(sort=Sort("WrongFieldName")))
