"""Transactions, on any hub."""

from __future__ import annotations

import asyncio

import pytest

from textile_aio import AuthContext, HubClient, ThreadID, errors
from textile_aio.threads.values import CollectionConfig, Index

SCHEMA = {
    "properties": {"_id": {"type": "string"}, "name": {"type": "string"}},
    "required": ["name"],
}


@pytest.fixture
async def people(client: HubClient, thread_ctx: AuthContext) -> AuthContext:
    """A context whose thread has the collection ``people`` with one instance, ``ann``."""
    config = CollectionConfig("people", schema=SCHEMA, indexes=(Index("name", unique=True),))
    await client.threads.new_collection(thread_ctx, None, config)
    await client.threads.create(thread_ctx, None, "people", [{"_id": "ann", "name": "Ann"}])
    return thread_ctx


async def names(client: HubClient, ctx: AuthContext) -> list[str]:
    return sorted(each["name"] for each in await client.threads.find(ctx, None, "people"))


async def test_what_is_written_takes_effect_together_at_the_end(
    client: HubClient, people: AuthContext
) -> None:
    async with client.threads.write_transaction(people, None, "people") as txn:
        (bob,) = await txn.create([{"name": "Bob"}])
        await txn.save([{"_id": "cid", "name": "Cid"}])
        await txn.delete(["ann"])
        assert await txn.has(["ann"])
        assert not await txn.has([bob])
        with pytest.raises(errors.InstanceNotFound):
            await txn.find_by_id(bob)
        txn.proceed()
        assert [each["name"] for each in await txn.find()] == ["Ann"]
    assert await names(client, people) == ["Bob", "Cid"]


async def test_an_exception_leaves_everything_as_it_was(client: HubClient, people: AuthContext) -> None:
    with pytest.raises(KeyError):
        async with client.threads.write_transaction(people, None, "people") as txn:
            await txn.create([{"name": "Bob"}])
            await txn.delete(["ann"])
            raise KeyError
    assert await names(client, people) == ["Ann"]


async def test_a_refused_operation_commits_nothing(client: HubClient, people: AuthContext) -> None:
    with pytest.raises(errors.SchemaViolation):
        async with client.threads.write_transaction(people, None, "people") as txn:
            await txn.create([{"name": "Bob"}])
            await txn.create([{"age": 1}])
    with pytest.raises(errors.FailedPrecondition, match="not committed"):
        async with client.threads.write_transaction(people, None, "people") as txn:
            await txn.create([{"name": "Bob"}])
            with pytest.raises(errors.AlreadyExists):
                await txn.create([{"_id": "ann", "name": "Eve"}])
    assert await names(client, people) == ["Ann"]


async def test_going_on_after_a_refusal_commits_the_rest(client: HubClient, people: AuthContext) -> None:
    async with client.threads.write_transaction(people, None, "people") as txn:
        await txn.create([{"name": "Bob"}])
        with pytest.raises(errors.SchemaViolation):
            await txn.save([{"_id": "x"}])
        txn.proceed()
    assert await names(client, people) == ["Ann", "Bob"]


async def test_discarding_leaves_everything_as_it_was(client: HubClient, people: AuthContext) -> None:
    async with client.threads.write_transaction(people, None, "people") as txn:
        await txn.delete(["ann"])
        await txn.discard()
    await client.threads.create(people, None, "people", [{"name": "Bob"}])
    assert await names(client, people) == ["Ann", "Bob"]


async def test_a_commit_that_is_refused_says_why(client: HubClient, people: AuthContext) -> None:
    with pytest.raises(errors.UniqueViolation):
        async with client.threads.write_transaction(people, None, "people") as txn:
            await txn.create([{"name": "Bob"}])
            await txn.create([{"name": "Ann"}])
    with pytest.raises(errors.AlreadyExists):
        async with client.threads.write_transaction(people, None, "people") as txn:
            await txn.create([{"_id": "b", "name": "Bob"}])
            await txn.create([{"_id": "b", "name": "Cid"}])
    assert await names(client, people) == ["Ann"]


async def test_a_start_that_is_refused_is_an_error_of_its_own(client: HubClient, people: AuthContext) -> None:
    with pytest.raises(errors.CollectionNotFound):
        async with client.threads.write_transaction(people, None, "pets"):
            pass
    with pytest.raises(errors.CollectionNotFound):
        async with client.threads.read_transaction(people, None, "pets") as txn:
            await txn.has(["x"])
    with pytest.raises((errors.ThreadNotFound, errors.NotThreadOwner)):
        async with client.threads.write_transaction(people, ThreadID.random(), "people"):
            pass


async def test_a_reader_sees_one_state_or_the_writers_wait(client: HubClient, people: AuthContext) -> None:
    async with client.threads.read_transaction(people, None, "people") as txn:
        before = await txn.find()
        writing = asyncio.create_task(client.threads.create(people, None, "people", [{"name": "Bob"}]))
        assert await txn.find() == before
    await writing
    assert await names(client, people) == ["Ann", "Bob"]


async def test_other_writers_wait_for_the_end(client: HubClient, people: AuthContext) -> None:
    async with (
        asyncio.TaskGroup() as tasks,
        client.threads.write_transaction(people, None, "people") as txn,
    ):
        await txn.has(["ann"])  # it has begun
        other = tasks.create_task(client.threads.create(people, None, "people", [{"name": "Bob"}]))
        await txn.create([{"name": "Cid"}])
        assert not other.done()
    assert await names(client, people) == ["Ann", "Bob", "Cid"]


async def test_a_write_beside_the_tasks_own_transaction_is_refused(
    client: HubClient, people: AuthContext
) -> None:
    async with client.threads.write_transaction(people, None, "people") as txn:
        for call in (
            client.threads.create(people, None, "people", [{"name": "Bob"}]),
            client.threads.save(people, None, "people", [{"_id": "b", "name": "Bob"}]),
            client.threads.delete(people, None, "people", ["ann"]),
        ):
            with pytest.raises(errors.FailedPrecondition, match="write transaction open"):
                await call
        await txn.create([{"name": "Cid"}])
    assert await names(client, people) == ["Ann", "Cid"]


@pytest.mark.needs("reads-beside-writers")
async def test_reads_beside_a_transaction_see_what_is_committed(
    client: HubClient, people: AuthContext
) -> None:
    async with client.threads.write_transaction(people, None, "people") as txn:
        await txn.create([{"name": "Bob"}])
        assert await names(client, people) == ["Ann"]
        async with client.threads.read_transaction(people, None, "people") as reading:
            assert len(await reading.find()) == 1
    assert await names(client, people) == ["Ann", "Bob"]


async def test_a_transaction_that_is_cancelled_frees_the_database(
    client: HubClient, people: AuthContext
) -> None:
    inside = asyncio.Event()

    async def hold() -> None:
        async with client.threads.write_transaction(people, None, "people") as txn:
            await txn.create([{"name": "Bob"}])
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(hold())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await client.threads.create(people, None, "people", [{"name": "Cid"}], timeout=10)
    assert await names(client, people) == ["Ann", "Cid"]


async def test_many_transactions_lose_no_update(client: HubClient, people: AuthContext) -> None:
    await client.threads.create(people, None, "people", [{"_id": "sum", "name": "sum", "n": 0}])

    async def add() -> None:
        async with client.threads.write_transaction(people, None, "people") as txn:
            counter = await txn.find_by_id("sum")
            await txn.save([{**counter, "n": counter["n"] + 1}])

    async with asyncio.TaskGroup() as tasks:
        for _ in range(20):
            tasks.create_task(add())
    assert (await client.threads.find_by_id(people, None, "people", "sum"))["n"] == 20
