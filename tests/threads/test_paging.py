"""Results that are too large for one message, and counting and explaining."""

from __future__ import annotations

from typing import Any

import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError
from hypothesis import given
from hypothesis import strategies as st

from tests.fakehub import CTX, FakeHub, connected
from tests.rpc.leaks import nothing_left
from tests.threads.fakedb import FakeDatabase
from textile_aio import InvalidQuery, ProtocolError, QuotaExceeded, ThreadID, Unimplemented
from textile_aio._proto.threads import pb
from textile_aio.errors import MessageTooLarge
from textile_aio.threads import _methods, paging
from textile_aio.threads.decoding import decode
from textile_aio.threads.paging import Found, Pages
from textile_aio.threads.query.builder import Query, where
from textile_aio.threads.values import Explanation

THREAD = ThreadID.random()


def people(count: int, *, size: int = 0) -> list[dict[str, Any]]:
    return [
        {"_id": f"{n:05}", "n": n, "even": n % 2 == 0, "name": f"{n * 7919 % 1000:03}", "fill": "x" * size}
        for n in range(count)
    ]


def served(database: FakeDatabase) -> FakeHub:
    fake = FakeHub()
    database.serve(fake)
    return fake


async def test_a_result_that_fits_takes_one_call() -> None:
    database = FakeDatabase(people(50))
    async with connected(served(database)) as hub:
        assert await hub.threads.find(CTX, THREAD, "people") == people(50)
    assert database.queries == [{"ands": [], "ors": []}]


QUERIES: list[Query] = [
    Query(),
    Query().order_by("_id", descending=True),
    where("even") == True,  # noqa: E712
    (where("n") < 40) | (where("n") >= 400),
    ((where("n") < 10) | (where("even") == False)).order_by("_id", descending=True),  # noqa: E712
    Query().skip(33),
    Query().limit(222),
    Query().skip(7).limit(150),
    Query().seek("00300"),
    Query().seek("00300").order_by("_id", descending=True).skip(2),
    (where("n") > 5).order_by("name").limit(120),
    Query().order_by("name", descending=True).skip(10),
    Query().order_by("even"),
]


@pytest.mark.parametrize("query", QUERIES, ids=[str(number) for number in range(len(QUERIES))])
async def test_a_result_that_does_not_fit_is_the_same_in_pages(query: Query) -> None:
    whole = FakeDatabase(people(500, size=100))
    parted = FakeDatabase(people(500, size=100), limit=4_000)
    rows = [decode(row) for row in whole.find(query.to_json())]
    async with nothing_left(), connected(served(parted)) as hub:
        found = await hub.threads.find(CTX, THREAD, "people", query)
        each = [person async for person in hub.threads.find_iter(CTX, THREAD, "people", query)]
        assert await hub.threads.count(CTX, THREAD, "people", query) == len(rows)
    assert found == each == rows
    assert len(parted.queries) > 5


@given(
    st.integers(0, 60),
    st.integers(0, 70),
    st.integers(0, 70),
    st.booleans(),
    st.lists(st.integers(1, 900), min_size=1, max_size=60),
)
async def test_pages_of_any_documents_lose_and_repeat_nothing(
    seek: int, skip: int, limit: int, descending: bool, sizes: list[int]
) -> None:
    database = FakeDatabase(
        [{"_id": f"{n:03}", "n": n, "fill": "x" * size} for n, size in enumerate(sizes)], limit=1_000
    )
    query = (where("n") != 3).order_by("_id", descending=descending).seek(f"{seek:03}").skip(skip)
    query = query.limit(limit) if limit else query

    async def ask(part: Query) -> list[bytes]:
        try:
            return database.find(paging.wire(part))
        except GRPCError as error:
            raise MessageTooLarge(error.message or "") from None

    rows = await Pages(ask, query).all()
    whole = FakeDatabase(list(database.documents.values()))
    assert rows == whole.find(query.to_json())


async def test_iterating_asks_only_as_far_as_it_goes() -> None:
    database = FakeDatabase(people(1000))
    async with nothing_left(), connected(served(database)) as hub:
        async for person in hub.threads.find_iter(CTX, THREAD, "people"):
            if person["n"] == 120:
                break
    assert len(database.queries) == 2


async def test_pages_grow_to_what_the_documents_allow() -> None:
    database = FakeDatabase(people(3000))
    async with connected(served(database)) as hub:
        assert len([p async for p in hub.threads.find_iter(CTX, THREAD, "people")]) == 3000
    assert [query["limit"] for query in database.queries] == [100, 2000, 2000]


async def test_a_single_instance_that_does_not_fit_is_the_hubs_error() -> None:
    database = FakeDatabase([{"_id": "a", "fill": "x" * 5000}], limit=4000)
    async with connected(served(database)) as hub:
        with pytest.raises(MessageTooLarge, match="4000"):
            await hub.threads.find(CTX, THREAD, "people")


async def test_a_quota_is_not_taken_for_a_large_result() -> None:
    fake = FakeHub()
    asked = fake.answer(_methods.FIND, GRPCError(Status.RESOURCE_EXHAUSTED, "request exceeds free quota"))
    async with connected(fake) as hub:
        with pytest.raises(QuotaExceeded):
            await hub.threads.find(CTX, THREAD, "people")
        with pytest.raises(QuotaExceeded):
            await hub.threads.count(CTX, THREAD, "people")
    assert len(asked) == 2


async def test_a_reply_that_is_too_large_on_arrival_is_got_in_pages() -> None:
    """Go hubs send any size; it is this end that does not take it."""
    database = FakeDatabase(people(50, size=200_000), limit=1 << 40)
    async with connected(served(database)) as hub:
        found = await hub.threads.find(CTX, THREAD, "people")
    assert [person["n"] for person in found] == list(range(50))
    assert len(database.queries) > 2


async def test_rows_that_cannot_be_sorted_are_an_error_as_at_the_hub() -> None:
    for odd in ({"_id": "x"}, {"_id": "x", "n": "text"}, {"_id": "x", "n": None}):
        documents = [*people(100, size=100), {**odd, "fill": ""}]

        async def ask(part: Query, documents: list[dict[str, Any]] = documents) -> list[bytes]:
            if part.order is not None and part.order.path == "n":
                raise MessageTooLarge("too large")
            return FakeDatabase(documents).find(part.to_json())

        with pytest.raises(InvalidQuery, match="sorting field doesn't correspond"):
            await paging.find_all(ask, Query().order_by("n"))


async def test_pages_that_do_not_advance_are_an_error_and_no_endless_loop() -> None:
    rows = FakeDatabase(people(100)).find(b"{}")

    async def same(part: Query) -> list[bytes]:
        return rows[: part.most]

    with pytest.raises(ProtocolError, match="order of their ids"):
        await Pages(same, Query()).all()


async def test_results_without_ids_cannot_be_paged() -> None:
    async def hidden(part: Query) -> list[bytes]:
        return [b'"***"'] * part.most

    with pytest.raises(ProtocolError, match="hides the ids"):
        await Pages(hidden, Query()).all()


async def test_an_index_hint_is_given_when_asked_at_once_and_left_out_of_pages() -> None:
    database = FakeDatabase(people(300, size=100), limit=4_000)
    async with connected(served(database)) as hub:
        await hub.threads.find(CTX, THREAD, "people", Query().use_index("n"))
    assert [query.get("index") for query in database.queries] == ["n"] + [None] * (len(database.queries) - 1)


async def test_a_skip_goes_with_a_limit_that_go_hubs_need() -> None:
    database = FakeDatabase(people(10))
    async with connected(served(database)) as hub:
        assert len(await hub.threads.find(CTX, THREAD, "people", Query().skip(3))) == 7
    assert database.queries[0]["limit"] == -1


async def test_paging_works_inside_transactions() -> None:
    database = FakeDatabase(people(300, size=100), limit=4_000)
    async with nothing_left(), connected(served(database)) as hub:
        async with hub.threads.read_transaction(CTX, THREAD, "people") as reading:
            assert len(await reading.find()) == 300
            assert len([person async for person in reading.find_iter(where("n") < 200)]) == 200
        async with hub.threads.write_transaction(CTX, THREAD, "people") as writing:
            assert len(await writing.find()) == 300  # and this does not keep it from being committed


async def test_a_result_that_breaks_the_transactions_stream_is_too_large() -> None:
    database = FakeDatabase(people(50, size=200_000), limit=1 << 40)
    async with nothing_left(), connected(served(database)) as hub:
        with pytest.raises(MessageTooLarge):
            async with hub.threads.read_transaction(CTX, THREAD, "people") as txn:
                await txn.find()
        async with hub.threads.read_transaction(CTX, THREAD, "people") as txn:
            assert len([person async for person in txn.find_iter(Query().limit(15))]) == 15


async def test_a_hub_that_counts_sends_no_instances() -> None:
    fake = FakeHub()
    asked = fake.answer(_methods.FIND, pb.FindReply(counted=0))
    async with connected(fake) as hub:
        query = (where("n") > 1).order_by("name")
        assert await hub.threads.count(CTX, THREAD, "people", query) == 0
    assert [(request.count, request.query_json) for request in asked] == [(True, (where("n") > 1).to_json())]


async def test_a_hub_that_cannot_count_sends_what_is_counted() -> None:
    database = FakeDatabase(people(10))
    async with connected(served(database)) as hub:
        assert await hub.threads.count(CTX, THREAD, "people", {"n": {"$lt": 4}}) == 4
        assert await hub.threads.count(CTX, THREAD, "people", Query().skip(8)) == 2
    assert len(database.queries) == 2


async def test_an_explanation_is_read() -> None:
    fake = FakeHub()
    reply = pb.FindReply(explanation=b'{"index":"age","kind":"range","read":3,"matched":2}')
    asked = fake.answer(_methods.FIND, reply)
    async with connected(fake) as hub:
        found = await hub.threads.explain(CTX, THREAD, "people", where("age") > 1)
    assert found == Explanation("age", kind="range", read=3, matched=2)
    assert asked[0].explain


@pytest.mark.parametrize("data", [b"[]", b"{}", b"{", b'{"index":1,"kind":"x","read":"many","matched":0}'])
async def test_a_malformed_explanation_is_the_hubs_fault(data: bytes) -> None:
    fake = FakeHub()
    fake.answer(_methods.FIND, pb.FindReply(explanation=data))
    async with connected(fake) as hub:
        with pytest.raises(ProtocolError):
            await hub.threads.explain(CTX, THREAD, "people")


@pytest.mark.parametrize("limit", [4_000_000, 100])
async def test_a_hub_that_does_not_explain_is_named(limit: int) -> None:
    async with connected(served(FakeDatabase(people(10), limit=limit))) as hub:
        with pytest.raises(Unimplemented, match="only hubs of this package"):
            await hub.threads.explain(CTX, THREAD, "people")


async def test_an_iteration_is_over_once() -> None:
    async def nothing(_: Query) -> list[bytes]:
        return []

    found = Found(nothing, Query(), decode)
    assert [each async for each in found] == []
    assert [each async for each in found] == []
