"""Subscribers hear of every record from now on, and nobody waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from grpclib.client import Channel, Stream
from grpclib.exceptions import GRPCError
from h2.exceptions import StreamClosedError

from tests.localhub.net.peers import NET, Peer, Writer, blocks, peer
from tests.localhub.raw import METHODS
from textile_aio import ResourceExhausted, ThreadID, ThreadKey
from textile_aio._proto.threads.net import pb
from textile_aio._rpc.codec import MessageCodec
from textile_aio.records import dagcbor
from textile_aio.storage.changes import Batch, CreateThread, DeleteThread, PutRecord
from textile_aio.storage.memory import MemoryStore
from textile_aio.storage.runner import StoreRunner
from textile_aio.storage.values import LogRecord, Thread
from textile_aio.threaddb import subscriptions
from textile_aio.threaddb.subscriptions import Subscriptions
from textile_aio.threads.values import CollectionConfig


@pytest.fixture
async def it() -> AsyncIterator[Peer]:
    async with peer() as made:
        yield made


@asynccontextmanager
async def subscribed(it: Peer, *threads: ThreadID) -> AsyncIterator[Stream[Any, pb.NewRecordReply]]:
    """A subscription that the hub has confirmed."""
    method = METHODS[NET + "Subscribe"]
    host, _, port = it.hub.target.rpartition(":")
    channel = Channel(host, int(port), codec=MessageCodec())
    try:
        async with channel.request(
            NET + "Subscribe",
            method.cardinality,
            method.request_type,
            method.reply_type,
            metadata=await it.ctx.metadata(),
        ) as stream:
            request = pb.SubscribeRequest(thread_i_ds=[bytes(thread) for thread in threads])
            await stream.send_message(request, end=True)
            await stream.recv_initial_metadata()
            yield stream
            with suppress(StreamClosedError):  # The hub has ended it.
                await stream.cancel()
    finally:
        channel.close()


async def test_records_of_every_kind_are_told_in_their_order(it: Peer) -> None:
    writer = Writer(ThreadKey.random())
    kept = await it.service_thread(writer)
    written = await it.client.net.create_thread(it.ctx)
    bound = await it.client.threads.new_db(it.ctx, collections=[CollectionConfig("dogs")])
    await it.add(kept, writer, writer.seal())
    async with subscribed(it) as stream:
        record = writer.seal()
        await it.add(kept, writer, record, record)
        await it.client.net.create_record(it.ctx, 1, written.id)
        await it.client.threads.create(it.ctx, bound, "dogs", [{"name": "Rex"}])
        told = [await stream.recv_message() for _ in range(3)]
    assert told[0] == pb.NewRecordReply(thread_id=bytes(kept), log_id=bytes(writer.id), record=blocks(record))
    assert [ThreadID.from_bytes(each.thread_id) for each in told if each] == [kept, written.id, bound]


async def test_only_the_threads_asked_for_are_told_of(it: Peer) -> None:
    wanted, other = [(await it.client.net.create_thread(it.ctx)).id for _ in range(2)]
    async with subscribed(it, wanted) as stream:
        await it.client.net.create_record(it.ctx, "no", other)
        made = await it.client.net.create_record(it.ctx, "yes", wanted)
        reply = await stream.recv_message()
    assert reply is not None
    assert (reply.thread_id, reply.record) == (bytes(wanted), blocks(made.record))


async def test_our_client_opens_what_it_is_told(it: Peer) -> None:
    made = await it.client.net.create_thread(it.ctx)
    async with it.client.net.subscribe(it.ctx, [made.id]) as records:
        waiting = asyncio.ensure_future(anext(aiter(records)))
        # Our client does not say when the hub has begun to watch: write until it has.
        while not waiting.done():
            await it.client.net.create_record(it.ctx, {"hello": "world"}, made.id)
        assert (await waiting).value() == {"hello": "world"}


async def test_a_thread_may_be_watched_before_it_is_there(it: Peer) -> None:
    thread = ThreadID.random()
    async with subscribed(it, thread) as stream:
        await it.client.net.create_thread(it.ctx, thread)
        await it.client.net.create_record(it.ctx, 1, thread)
        assert await stream.recv_message() is not None


async def test_what_is_refused_is_not_told(it: Peer) -> None:
    writer = Writer(ThreadKey.random())
    thread = await it.service_thread(writer)
    async with subscribed(it) as stream:
        await it.added(thread, writer.id, Writer(writer.key).seal())
        fork = writer.seal(prev=None, at_end=False)
        record = writer.seal()
        await it.add(thread, writer, record)
        await it.added(thread, writer.id, fork)
        last = writer.seal()
        await it.add(thread, writer, last)
        told = [await stream.recv_message() for _ in range(2)]
    assert [each.record for each in told if each] == [blocks(record), blocks(last)]


async def test_bad_requests_are_refused_before_anything_is_told(it: Peer) -> None:
    code, text = await it.outcome("Subscribe", pb.SubscribeRequest(thread_i_ds=[b"\x02\x55x"]))
    assert (code, text) == ("INVALID_ARGUMENT", "expected 1 as the id version number, got: 2")
    stranger = Peer(it.hub, it.client, it.ctx.with_token("a.b.c"), it.identity)
    assert (await stranger.outcome("Subscribe", pb.SubscribeRequest()))[0] == "UNKNOWN"


async def test_subscriptions_end_cleanly_with_the_hub() -> None:
    async with peer() as it:
        made = await it.client.net.create_thread(it.ctx)
        async with it.client.net.subscribe(it.ctx) as records:
            waiting = asyncio.ensure_future(anext(aiter(records)))
            while not waiting.done():
                await it.client.net.create_record(it.ctx, 1, made.id)
            ending = asyncio.ensure_future(it.hub.__aexit__(None, None, None))
            async for record in records:
                assert record.thread == made.id
            await ending
        await it.hub.__aenter__()


async def test_a_reader_that_does_not_read_slows_nobody(it: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "_QUEUE", 8)
    made = await it.client.net.create_thread(it.ctx)
    body = dagcbor.encode(bytes(1_000_000))
    async with subscribed(it, made.id) as stream:
        for _ in range(40):  # more than its window holds and its queue
            await it.client.net.create_record(it.ctx, body, made.id)
        told = 0
        with pytest.raises(GRPCError) as refused:
            while await stream.recv_message() is not None:
                told += 1
            await stream.recv_trailing_metadata()
    assert refused.value.status.name == "RESOURCE_EXHAUSTED"
    assert 0 < told < 40


def row(number: int, thread: bytes = b"t") -> LogRecord:
    return LogRecord(thread, b"%d" % number, b"log", number, b"r", b"e", b"h", b"b")


@asynccontextmanager
async def a_store() -> AsyncIterator[StoreRunner]:
    async with StoreRunner(MemoryStore()) as store:
        for id_ in (b"t", b"u"):
            await store.apply(Batch((CreateThread(Thread(id_, b"key", None, 1)),)))
        yield store


async def test_a_full_queue_ends_one_subscriber_after_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "_QUEUE", 3)
    async with a_store() as store:
        all_ = Subscriptions(store)
        with all_.subscribe(frozenset()) as slow, all_.subscribe(frozenset({b"u"})) as other:
            for number in range(5):
                await store.apply(Batch((PutRecord(row(number)),)))
            await store.apply(Batch((PutRecord(row(9, b"u")),)))
            told = [await anext(slow) for _ in range(3)]
            with pytest.raises(ResourceExhausted, match="too slow"):
                await anext(slow)
            assert await anext(other) == row(9, b"u")
        assert told == [row(0), row(1), row(2)]


async def test_what_a_thread_took_along_is_passed_over() -> None:

    async with a_store() as store:
        all_ = Subscriptions(store)
        with all_.subscribe(frozenset()) as subscriber:
            await store.apply(Batch((PutRecord(row(1)),)))
            await store.apply(Batch((DeleteThread(b"t"),)))
            await store.apply(Batch((PutRecord(row(2, b"u")),)))
            assert await anext(subscriber) == row(2, b"u")
            all_.close()
            assert [each async for each in subscriber] == []
        with all_.subscribe(frozenset()) as late:
            assert [each async for each in late] == []
