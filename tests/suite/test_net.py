"""The thread network, on any hub: threads, logs and records."""

from __future__ import annotations

import asyncio

import pytest

from textile_aio import (
    AlreadyExists,
    AuthContext,
    Conflict,
    FailedPrecondition,
    HubClient,
    Identity,
    NotFound,
    ThreadID,
    ThreadKey,
)
from textile_aio.records import dagcbor
from textile_aio.records.events import Event, EventKind, encode_events
from textile_aio.records.record import Record, seal
from textile_aio.threads.values import CollectionConfig

BODY = {"hello": "world", "number": 1}


def sealed(
    key: ThreadKey, log: Identity, author: Identity, body: bytes, prev: Record | None = None
) -> Record:
    assert key.read is not None
    return seal(
        body,
        author=author.public,
        log=log,
        service_key=key.service.bytes,
        read_key=key.read.bytes,
        prev=prev.cid if prev else None,
    )


async def test_a_thread_is_made_and_found(client: HubClient, ctx: AuthContext) -> None:
    key = ThreadKey.random()
    made = await client.net.create_thread(ctx, key=key)
    found = await client.net.get_thread(ctx, made.id)
    assert (found.id, found.key) == (made.id, key)
    assert [log.id for log in found.logs] == [log.id for log in made.logs]
    host = await client.net.get_host_id(ctx)
    assert {addr.value("p2p") for addr in (*found.addrs, *found.logs[0].addrs)} == {str(host)}


async def test_a_record_is_created_and_read(client: HubClient, ctx: AuthContext) -> None:
    key = ThreadKey.random()
    made = await client.net.create_thread(ctx, key=key)
    first = await client.net.create_record(ctx, BODY, made.id, key=key)
    second = await client.net.create_record(ctx, [1, 2], made.id, key=key)
    assert (first.prev, second.prev) == (None, first.cid)
    assert (await client.net.get_record(ctx, first.cid, made.id, key=key)).value() == BODY
    (log,) = (await client.net.get_thread(ctx, made.id)).logs
    assert (log.head, log.counter) == (second.cid, 2)


async def test_records_are_replicated_by_a_hub_that_cannot_read_them(
    client: HubClient, ctx: AuthContext
) -> None:
    key, log, author = ThreadKey.random(), Identity.generate(), Identity.generate()
    made = await client.net.create_thread(ctx, key=key.service_only, log_key=log.public)
    assert made.key == key.service_only
    records = [sealed(key, log, author, dagcbor.encode(0))]
    for number in range(1, 4):
        records.append(sealed(key, log, author, dagcbor.encode(number), records[-1]))
    for record in (*records, records[1]):
        await client.net.add_record(ctx, log.public.peer_id, record, made.id)
    read = [each async for each in client.net.log_records(ctx, log.public.peer_id, made.id, key=key)]
    assert [each.value() for each in read] == [3, 2, 1, 0]
    assert [each.record for each in read] == records[::-1]
    with pytest.raises(NotFound, match="log not found"):
        await client.net.add_record(ctx, author.public.peer_id, sealed(key, author, author, b"\x01"), made.id)


@pytest.mark.needs("list_dbs")
async def test_a_second_log_joins_with_the_same_key(client: HubClient, ctx: AuthContext) -> None:
    key, log = ThreadKey.random(), Identity.generate()
    made = await client.net.create_thread(ctx, key=key)
    joined = await client.net.create_thread(ctx, made.id, key=key, log_key=log.public)
    assert {each.id for each in joined.logs} == {made.logs[0].id, log.public.peer_id}
    with pytest.raises(AlreadyExists, match="log already exists"):
        await client.net.create_thread(ctx, made.id, key=key, log_key=log.public)
    with pytest.raises(Conflict, match="service-key mismatch"):
        await client.net.create_thread(ctx, made.id, key=ThreadKey.random(), log_key=Identity.generate())


async def test_a_thread_is_deleted_unless_a_database_is_in_it(client: HubClient, ctx: AuthContext) -> None:
    made = await client.net.create_thread(ctx)
    await client.net.delete_thread(ctx, made.id)
    bound = await client.threads.new_db(ctx)
    with pytest.raises(FailedPrecondition, match="cannot delete thread: thread is in use"):
        await client.net.delete_thread(ctx, bound)
    with pytest.raises(FailedPrecondition, match="cannot create record: thread is in use"):
        await client.net.create_record(ctx, BODY, bound)


async def test_a_databases_writes_are_records(client: HubClient, ctx: AuthContext) -> None:
    thread = await client.threads.new_db(ctx, collections=[CollectionConfig("dogs")])
    (id_,) = await client.threads.create(ctx, thread, "dogs", [{"name": "Rex"}])
    await client.threads.save(ctx, thread, "dogs", [{"_id": id_, "name": "Max"}])
    await client.threads.delete(ctx, thread, "dogs", [id_])
    logs = [log for log in (await client.net.get_thread(ctx, thread)).logs if log.head is not None]
    (log,) = logs
    read = [each.events() async for each in client.net.log_records(ctx, log.id, thread)]
    assert [event.kind for (event,) in reversed(read)] == [EventKind.CREATE, EventKind.SAVE, EventKind.DELETE]
    assert {(event.collection, event.id) for (event,) in read} == {("dogs", id_)}


@pytest.mark.needs("list_dbs")
async def test_records_of_others_are_applied_to_a_database(client: HubClient, ctx: AuthContext) -> None:
    key, log, author = ThreadKey.random(), Identity.generate(), Identity.generate()
    thread = await client.threads.new_db(ctx, key=key, collections=[CollectionConfig("dogs")])
    await client.net.create_thread(ctx, thread, key=key, log_key=log.public)
    event = Event(1, "dogs", "rex", EventKind.CREATE, b'{"_id":"rex","name":"Rex"}')
    record = sealed(key, log, author, encode_events([event]))
    await client.net.add_record(ctx, log.public.peer_id, record, thread)
    assert await client.threads.find_by_id(ctx, thread, "dogs", "rex") == {"_id": "rex", "name": "Rex"}


@pytest.mark.needs("list_dbs")
async def test_subscribers_hear_of_records(client: HubClient, ctx: AuthContext) -> None:
    made = await client.net.create_thread(ctx)
    async with client.net.subscribe(ctx, [made.id]) as records:
        waiting = asyncio.ensure_future(anext(aiter(records)))
        while not waiting.done():  # Nobody says when the hub has begun to watch.
            await client.net.create_record(ctx, BODY, made.id)
        assert (await waiting).value() == BODY


@pytest.mark.needs("unforked-logs")
async def test_records_created_at_once_make_one_chain(client: HubClient, ctx: AuthContext) -> None:
    key = ThreadKey.random()
    made = await client.net.create_thread(ctx, key=key)
    await asyncio.gather(*(client.net.create_record(ctx, number, made.id, key=key) for number in range(10)))
    read = [each.value() async for each in client.net.log_records(ctx, made.logs[0].id, made.id, key=key)]
    assert sorted(read) == list(range(10))


@pytest.mark.needs("unforked-logs")
async def test_a_log_is_never_forked(client: HubClient, ctx: AuthContext) -> None:
    key, log, author = ThreadKey.random(), Identity.generate(), Identity.generate()
    made = await client.net.create_thread(ctx, ThreadID.random(), key=key.service_only, log_key=log.public)
    for number, refused in ((1, False), (2, True)):
        record = sealed(key, log, author, dagcbor.encode(number))
        if refused:
            with pytest.raises(FailedPrecondition, match="a log is never forked"):
                await client.net.add_record(ctx, log.public.peer_id, record, made.id)
        else:
            await client.net.add_record(ctx, log.public.peer_id, record, made.id)
