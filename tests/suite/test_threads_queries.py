"""Queries, paging, counting and explaining, on any hub."""

from __future__ import annotations

from typing import Any

import pytest

from textile_aio import AuthContext, HubClient, errors
from textile_aio.threads.query.builder import Query, where
from textile_aio.threads.values import CollectionConfig, Index

SCHEMA = {
    "type": "object",
    "properties": {
        "_id": {"type": "string"},
        "n": {"type": "integer"},
        "city": {"type": "string"},
        "even": {"type": "boolean"},
        "sub": {"type": "object", "properties": {"half": {"type": "number"}}},
    },
}
CITIES = ("Aarau", "Bern", "Chur")


def numbered(count: int, *, size: int = 0) -> list[dict[str, Any]]:
    return [
        {
            "_id": f"{n:04}",
            "n": n,
            "city": CITIES[n % 3],
            "even": n % 2 == 0,
            "sub": {"half": n / 2},
            "fill": "x" * size,
        }
        for n in range(count)
    ]


async def filled(client: HubClient, ctx: AuthContext, documents: list[dict[str, Any]]) -> AuthContext:
    indexes = (Index("n", unique=True), Index("city"))
    await client.threads.new_collection(ctx, None, CollectionConfig("rows", schema=SCHEMA, indexes=indexes))
    for start in range(0, len(documents), 50):
        await client.threads.create(ctx, None, "rows", documents[start : start + 50])
    return ctx


@pytest.fixture
async def rows(client: HubClient, thread_ctx: AuthContext) -> AuthContext:
    """A context whose thread has thirty rows."""
    return await filled(client, thread_ctx, numbered(30))


BY_ID_DOWN = Query().order_by("_id", descending=True)
CASES: list[tuple[Any, list[int]]] = [
    (None, list(range(30))),
    ({}, list(range(30))),
    (where("n") == 7, [7]),
    (where("n") != 7, [n for n in range(30) if n != 7]),
    (where("n") > 27, [28, 29]),
    (where("n") >= 27, [27, 28, 29]),
    (where("n") < 2, [0, 1]),
    (where("n") <= 2, [0, 1, 2]),
    (where("city") > "Bern", [n for n in range(30) if n % 3 == 2]),
    (where("even") == False, list(range(1, 30, 2))),  # noqa: E712
    (where("sub.half") >= 14.5, [29]),
    (where("n").in_([3, 1, 99]), [1, 3]),
    (where("n").in_([]), []),
    (where("nothing") != 1, []),
    (where("city") == 1, []),
    ((where("n") > 20) & (where("city") == "Bern"), [22, 25, 28]),
    ((where("n") < 2) | (where("n") > 27), [0, 1, 28, 29]),
    (((where("n") < 5) | (where("n") > 25)) & (where("even") == True), [0, 2, 4, 26, 28]),  # noqa: E712
    ({"n": {"$gte": 10, "$lt": 13}}, [10, 11, 12]),
    ({"even": True, "$or": [{"n": {"$lt": 3}}, {"city": "Chur", "n": {"$gt": 20}}]}, [0, 2, 26]),
    (Query().limit(3), [0, 1, 2]),
    (Query().skip(27), [27, 28, 29]),
    (Query().skip(3).limit(2), [3, 4]),
    (Query().seek("0027"), [27, 28, 29]),
    ((where("n") < 3).order_by("n", descending=True), [2, 1, 0]),
    ((where("n") < 4).order_by("sub.half"), [0, 1, 2, 3]),
]


@pytest.mark.parametrize(("query", "expected"), CASES, ids=[str(number) for number in range(len(CASES))])
async def test_a_query_finds_what_it_says(
    client: HubClient, rows: AuthContext, query: Any, expected: list[int]
) -> None:
    found = await client.threads.find(rows, None, "rows", query)
    assert [row["n"] for row in found] == expected
    each = [row["n"] async for row in client.threads.find_iter(rows, None, "rows", query)]
    assert each == expected
    assert await client.threads.count(rows, None, "rows", query) == len(expected)


@pytest.mark.needs("descending-ids")
async def test_descending_ids(client: HubClient, rows: AuthContext) -> None:
    found = await client.threads.find(rows, None, "rows", BY_ID_DOWN)
    assert [row["n"] for row in found] == list(range(29, -1, -1))
    sought = await client.threads.find(rows, None, "rows", BY_ID_DOWN.seek("0002"))
    assert [row["n"] for row in sought] == [2, 1, 0]


@pytest.mark.needs("sort-before-limit")
async def test_the_first_of_an_order_are_the_first_of_all(client: HubClient, rows: AuthContext) -> None:
    query = Query().order_by("n", descending=True).skip(1).limit(2)
    assert [row["n"] for row in await client.threads.find(rows, None, "rows", query)] == [28, 27]


async def test_sorting_by_a_field_that_is_missing_is_an_error(client: HubClient, rows: AuthContext) -> None:
    await client.threads.create(rows, None, "rows", [{"_id": "x"}])
    with pytest.raises(errors.InvalidQuery, match="sorting field doesn't correspond to instance type"):
        await client.threads.find(rows, None, "rows", Query().order_by("n"))


@pytest.mark.needs("hints-that-advise")
async def test_a_hint_changes_nothing_but_a_wrong_one(client: HubClient, rows: AuthContext) -> None:
    query = (where("n") < 3) & (where("even") == True)  # noqa: E712
    assert [row["n"] for row in await client.threads.find(rows, None, "rows", query.use_index("n"))] == [0, 2]
    assert await client.threads.find(rows, None, "rows", query.use_index("even")) == []


async def test_a_result_over_the_message_limit_comes_in_pages(
    client: HubClient, thread_ctx: AuthContext
) -> None:
    ctx = await filled(client, thread_ctx, numbered(200, size=30_000))  # 6 MB
    found = await client.threads.find(ctx, None, "rows")
    assert [row["n"] for row in found] == list(range(200))
    each = [row["n"] async for row in client.threads.find_iter(ctx, None, "rows", where("n") > 3)]
    assert each == list(range(4, 200))
    down = await client.threads.find(ctx, None, "rows", Query().order_by("n", descending=True))
    assert [row["n"] for row in down] == list(range(199, -1, -1))
    assert await client.threads.count(ctx, None, "rows") == 200


async def test_what_is_there_all_the_time_is_seen_once_whatever_else_is_written(
    client: HubClient, thread_ctx: AuthContext
) -> None:
    ctx = await filled(client, thread_ctx, numbered(400))
    seen: list[str] = []
    async for row in client.threads.find_iter(ctx, None, "rows"):
        seen.append(row["_id"])
        if len(seen) in (50, 100, 150):  # within a page, at its end, and within the next
            last = int(row["_id"])
            await client.threads.delete(ctx, None, "rows", [row["_id"], f"{last + 200:04}"])
            await client.threads.create(
                ctx, None, "rows", [{"_id": f"{last:04}x"}, {"_id": f"{last - 40:04}x"}]
            )
    assert len(set(seen)) == len(seen)
    deleted = {"0249", "0299", "0349"}
    assert {each for each in seen if not each.endswith("x")} - deleted == {
        f"{n:04}" for n in range(400)
    } - deleted
    assert seen == sorted(seen)


@pytest.mark.needs("paging-in-transactions")
async def test_it_does_so_in_transactions_as_well(client: HubClient, thread_ctx: AuthContext) -> None:
    ctx = await filled(client, thread_ctx, numbered(200, size=30_000))
    async with client.threads.read_transaction(ctx, None, "rows") as txn:
        assert len(await txn.find()) == 200
        assert len([row async for row in txn.find_iter(where("n") >= 100)]) == 100
    async with client.threads.write_transaction(ctx, None, "rows") as writing:
        assert len(await writing.find()) == 200
        await writing.delete(["0000"])
    assert await client.threads.count(ctx, None, "rows") == 199


@pytest.mark.needs("explain")
async def test_explaining_tells_what_is_read(client: HubClient, rows: AuthContext) -> None:
    whole = await client.threads.explain(rows, None, "rows")
    assert (whole.index, whole.kind, whole.read, whole.matched) == (None, "scan", 30, 30)
    some = await client.threads.explain(rows, None, "rows", where("n") >= 28)
    assert (some.index, some.kind, some.matched) == ("n", "range", 2)
    assert some.read <= 3
    one = await client.threads.explain(rows, None, "rows", where("n") == 5)
    assert (one.index, one.matched) == ("n", 1)
    assert one.read <= 1


async def test_a_query_that_is_none_is_refused_before_it_is_sent(
    client: HubClient, rows: AuthContext
) -> None:
    with pytest.raises(errors.InvalidQuery):
        await client.threads.find(rows, None, "rows", {"n": {"$gt": None}})
