"""Listening, on any hub; what needs positions says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.conftest import Served
from tests.faults.proxy import FaultProxy, proxying
from textile_aio import (
    AuthContext,
    Change,
    ChangeAction,
    Gap,
    HubClient,
    Identity,
    InvalidInput,
    ListenFilter,
    Listening,
    RetryPolicy,
    ThreadID,
    ThreadNotFound,
    connect,
)
from textile_aio.threads.values import CollectionConfig

SCHEMA = {"properties": {"_id": {"type": "string"}, "name": {"type": "string"}}}
AT_ONCE = RetryPolicy(attempts=100, initial=0.0, maximum=0.0)


@pytest.fixture
async def people(client: HubClient, thread_ctx: AuthContext) -> AuthContext:
    """A context whose thread has the collections ``people`` and ``places``."""
    for name in ("people", "places"):
        await client.threads.new_collection(thread_ctx, None, CollectionConfig(name, schema=SCHEMA))
    return thread_ctx


@pytest.fixture
async def proxy(served: Served) -> AsyncIterator[FaultProxy]:
    async with proxying(int(served.target.rpartition(":")[2])) as proxy:
        yield proxy


@pytest.fixture
async def far(proxy: FaultProxy) -> AsyncIterator[HubClient]:
    """A client whose connection can be cut."""
    async with connect(f"127.0.0.1:{proxy.port}") as client:
        yield client


async def write(client: HubClient, ctx: AuthContext, *ids: str, collection: str = "people") -> None:
    for each in ids:
        await client.threads.create(ctx, None, collection, [{"_id": each, "name": each}])


async def taken(changes: Listening, count: int) -> list[Change | Gap]:
    async with asyncio.timeout(20):
        return [await anext(changes) for _ in range(count)]


def ids(events: list[Change | Gap]) -> list[str]:
    return [each.id for each in events if isinstance(each, Change)]


async def test_everything_after_the_registration_is_told(client: HubClient, people: AuthContext) -> None:
    await write(client, people, "before")
    async with client.threads.listen(people) as changes:
        await write(client, people, "a")
        await client.threads.save(people, None, "people", [{"_id": "a", "name": "new"}])
        (created, saved) = await taken(changes, 2)
        await client.threads.delete(people, None, "people", ["a"])
        (deleted,) = await taken(changes, 1)
    assert isinstance(created, Change)
    assert isinstance(saved, Change)
    assert isinstance(deleted, Change)
    assert (created.collection, created.id, created.action) == ("people", "a", ChangeAction.CREATE)
    assert saved.action is ChangeAction.SAVE
    assert saved.instance is not None
    assert saved.instance["name"] == "new"
    assert (deleted.action, deleted.instance) == (ChangeAction.DELETE, None)


async def test_filters_choose(client: HubClient, people: AuthContext) -> None:
    filters = [ListenFilter("people", id="a"), ListenFilter("places", action=ChangeAction.DELETE)]
    async with (
        client.threads.listen(people, None, filters) as some,
        client.threads.listen(people, None, "places") as places,
    ):
        await write(client, people, "b", "a")
        await write(client, people, "c", collection="places")
        (place,) = await taken(places, 1)
        await client.threads.delete(people, None, "places", ["c"])
        assert ids(await taken(some, 2)) == ["a", "c"]
        assert isinstance(place, Change)
        assert place.id == "c"


async def test_what_is_not_there_cannot_be_listened_to(client: HubClient, ctx: AuthContext) -> None:
    thread = await client.threads.new_db(ctx)
    await client.threads.delete_db(ctx, thread)
    with pytest.raises(ThreadNotFound):
        async with client.threads.listen(ctx, thread):
            pass


async def test_it_ends_when_the_database_is_deleted(client: HubClient, people: AuthContext) -> None:
    async with client.threads.listen(people, retry=AT_ONCE) as changes:
        await write(client, people, "a")
        await taken(changes, 1)
        await client.threads.delete_db(people)
        async with asyncio.timeout(20):
            assert [each async for each in changes] == []


async def test_arguments_of_the_wrong_kind_are_refused(client: HubClient, people: AuthContext) -> None:
    with pytest.raises(InvalidInput, match="filter"):
        client.threads.listen(people, None, ["people"])  # type: ignore[list-item]
    with pytest.raises(InvalidInput, match="since"):
        client.threads.listen(people, since=3)  # type: ignore[arg-type]


async def test_iterating_without_entering_registers_as_well(client: HubClient, people: AuthContext) -> None:
    changes = client.threads.listen(people)
    first = asyncio.ensure_future(anext(changes))
    number = 0
    async with asyncio.timeout(20):
        while not first.done():
            number += 1
            await write(client, people, f"{number}")
    event = await first
    assert isinstance(event, Change)
    await changes.aclose()
    with pytest.raises(StopAsyncIteration):
        await anext(changes)


@pytest.mark.needs("positions")
async def test_after_a_cut_every_change_is_told_once_and_in_order(
    client: HubClient, far: HubClient, proxy: FaultProxy, people: AuthContext
) -> None:
    heard: list[str] = []
    async with far.threads.listen(people, retry=AT_ONCE) as changes:
        for step in range(8):
            await write(client, people, *(f"{step}-{number}" for number in range(3)))
            events = await taken(changes, 2)
            heard += ids(events)
            proxy.cut()
            await write(client, people, f"{step}-while-cut")
        heard += ids(await taken(changes, 16))
    expected = [f"{step}-{name}" for step in range(8) for name in ("0", "1", "2", "while-cut")]
    assert heard == expected


@pytest.mark.needs("positions")
async def test_a_remembered_position_is_where_it_goes_on(client: HubClient, people: AuthContext) -> None:
    async with client.threads.listen(people) as changes:
        position = changes.position
    await write(client, people, "a", "b", "c")
    async with client.threads.listen(people, since=position) as changes:
        assert ids(await taken(changes, 2)) == ["a", "b"]
        position = changes.position
    async with client.threads.listen(people, since=position) as changes:
        assert ids(await taken(changes, 1)) == ["c"]


@pytest.mark.needs("positions")
async def test_a_position_of_a_former_database_is_a_gap_and_what_is_there_is_read(
    client: HubClient, ctx: AuthContext
) -> None:
    thread = ThreadID.random()
    position = None
    for name in ("old", "new"):
        await client.threads.new_db(ctx, thread)
        inside = ctx.with_thread(thread)
        await client.threads.new_collection(inside, None, CollectionConfig("people", schema=SCHEMA))
        async with client.threads.listen(inside, since=position, retry=AT_ONCE) as changes:
            position = changes.position
            await write(client, inside, name)
            events = await taken(changes, 1 if name == "old" else 2)
            if name == "old":
                await client.threads.delete_db(ctx, thread)
    assert isinstance(events[0], Gap)
    assert isinstance(events[1], Change)
    assert events[1].id == "new"


@pytest.mark.needs("positions")
async def test_a_nonsense_position_is_refused(client: HubClient, people: AuthContext) -> None:
    with pytest.raises(InvalidInput, match="position"):
        async with client.threads.listen(people, since="yesterday"):
            pass


@pytest.mark.needs("accounts")
async def test_a_token_that_is_refused_is_renewed_once(
    client: HubClient, key_ctx: AuthContext, people: AuthContext
) -> None:
    identity = Identity.generate()
    assert people.thread is not None
    stale = key_ctx.with_token("e30.e30.e30").with_thread(people.thread)
    async with client.threads.listen(stale, identity=identity, retry=AT_ONCE) as changes:
        await write(client, people, "a")
        assert ids(await taken(changes, 1)) == ["a"]


async def test_the_hub_may_stay_away_no_longer_than_the_policy_says(
    far: HubClient, proxy: FaultProxy, people: AuthContext
) -> None:
    policy = RetryPolicy(attempts=3, initial=0.0, maximum=0.0)
    async with far.threads.listen(people, retry=policy) as changes:
        await proxy.refuse()
        proxy.cut()
        with pytest.raises(ConnectionError):
            await taken(changes, 1)
