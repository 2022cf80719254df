"""Watching a host gives each new record once it is checked, and raises whatever goes wrong."""

from __future__ import annotations

import asyncio

import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError
from grpclib.server import Stream

from tests.fakehub import FakeHub, received
from tests.net.fakehost import Host, Thread, at, swapped
from tests.rpc.leaks import nothing_left
from textile_aio import (
    AuthContext,
    BadSignature,
    ClosedError,
    DeadlineExceeded,
    DecryptionFailed,
    IntegrityError,
    MethodBlocked,
    ProtocolError,
    RemoteError,
    ThreadKey,
    ThreadNotFound,
)
from textile_aio._proto.threads.net import pb
from textile_aio.net import _methods as m
from textile_aio.records import dagcbor
from textile_aio.records.record import Record

ANON = AuthContext()


def written(host: Host, thread: Thread, value: object, *, log: int = 0) -> Record:
    """A new record, announced."""
    assert thread.key is not None
    record = thread.logs[log].write(dagcbor.encode(value), thread.key)
    host.announce(thread, thread.logs[log], record)
    return record


async def test_records_come_as_they_are_made_whoever_makes_them() -> None:
    host = Host()
    thread = host.has(logs=2)
    ctx = ANON.with_thread(thread.id)
    async with nothing_left(), at(host) as net, net.subscribe(ctx, [thread.id]) as records:
        await host.subscribed.wait()
        own = await net.create_record(ctx, "own")
        assert await anext(records) == own
        written(host, thread, "foreign", log=1)
        foreign = await anext(records)
    assert (foreign.value(), foreign.log, foreign.thread) == ("foreign", thread.logs[1].id, thread.id)


async def test_the_key_of_each_thread_is_asked_for_once() -> None:
    host = Host()
    one, other, known = host.has(), host.has(), host.has()
    assert known.key is not None
    async with at(host) as net, net.subscribe(ANON, keys={known.id: known.key}) as records:
        await host.subscribed.wait()
        for _ in range(2):
            for thread in (one, other, known):
                written(host, thread, str(thread.id))
        for _ in range(6):
            record = await anext(records)
            assert record.value() == str(record.thread)
    asked = [request.thread_id for request in host.requests if isinstance(request, pb.GetThreadRequest)]
    assert asked == [one.id.bytes, other.id.bytes]


async def test_the_threads_meant_are_named_and_none_means_all() -> None:
    host = Host()
    thread = host.has()
    async with at(host) as net:
        for threads in ([thread.id, thread.id], []):
            host.subscribed.clear()
            async with net.subscribe(ANON, threads):
                await host.subscribed.wait()
    assert [request.thread_i_ds for request in host.requests] == [[thread.id.bytes], []]


async def test_a_record_that_is_not_right_is_raised_and_the_next_one_given() -> None:
    host = Host()
    thread, stranger = host.has(logs=2), host.has()
    assert thread.key is not None
    first, second = (thread.logs[0].write(dagcbor.encode(number), thread.key) for number in range(2))
    log = thread.logs[0]
    forged = [
        (BadSignature, host.announcement(thread, thread.logs[1], first)),
        (
            IntegrityError,
            pb.NewRecordReply(
                thread_id=thread.id.bytes, log_id=log.id.bytes, record=swapped(first, body=second.nodes.body)
            ),
        ),
        (
            DecryptionFailed,
            host.announcement(thread, log, stranger.logs[0].write(b"\xa0", ThreadKey.random())),
        ),
        (ProtocolError, host.announcement(stranger, stranger.logs[0], first)),
        (ProtocolError, pb.NewRecordReply(thread_id=thread.id.bytes, log_id=log.id.bytes)),
        (ProtocolError, pb.NewRecordReply(thread_id=b"thread", log_id=log.id.bytes)),
        (ProtocolError, pb.NewRecordReply(thread_id=thread.id.bytes, log_id=b"log")),
        (ProtocolError, pb.NewRecordReply()),
    ]
    async with nothing_left(), at(host) as net, net.subscribe(ANON, [thread.id]) as records:
        await host.subscribed.wait()
        for kind, message in forged:
            host.subscribers[0].put_nowait(message)
            with pytest.raises(kind):
                await anext(records)
        host.announce(thread, log, second)
        assert (await anext(records)).value() == 1


async def test_a_thread_whose_key_cannot_be_had_is_raised_and_passed_over() -> None:
    host = Host()
    gone, there = host.has(), host.has()
    del host.threads[gone.id.bytes]
    async with at(host) as net, net.subscribe(ANON) as records:
        await host.subscribed.wait()
        written(host, gone, 1)
        written(host, there, 2)
        with pytest.raises(ThreadNotFound):
            await anext(records)
        assert (await anext(records)).value() == 2


async def test_a_wait_that_is_cancelled_loses_no_record() -> None:
    host = Host()
    thread = host.has()
    asked, answer = asyncio.Event(), asyncio.Event()
    handler = host.handlers[m.GET_THREAD.path].func

    async def slow(stream: Stream[pb.GetThreadRequest, pb.ThreadInfoReply]) -> None:
        asked.set()
        await answer.wait()
        await handler(stream)

    host.on(m.GET_THREAD, slow)
    async with nothing_left(), at(host) as net, net.subscribe(ANON) as records:
        await host.subscribed.wait()
        waiting = asyncio.ensure_future(anext(records))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        written(host, thread, "kept")
        waiting = asyncio.ensure_future(anext(records))
        await asked.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        answer.set()
        assert (await anext(records)).value() == "kept"


async def test_a_call_that_ends_in_good_order_ends_the_iteration() -> None:
    host = Host()
    thread = host.has()
    async with at(host) as net, net.subscribe(ANON, [thread.id]) as records:
        await host.subscribed.wait()
        written(host, thread, "last")
        host.subscribers[0].put_nowait(None)
        assert [record.value() async for record in records] == ["last"]
        assert [record async for record in records] == []


async def test_the_error_that_ends_the_call_is_raised() -> None:
    host = Host()
    thread = host.has()
    async with nothing_left(), at(host) as net, net.subscribe(ANON, [thread.id]) as records:
        await host.subscribed.wait()
        written(host, thread, "last")
        host.subscribers[0].put_nowait(GRPCError(Status.INTERNAL, "the disk is on fire"))
        assert (await anext(records)).value() == "last"
        with pytest.raises(RemoteError, match="on fire"):
            await anext(records)


async def test_where_subscribing_is_blocked_the_iteration_says_so() -> None:
    fake = FakeHub()

    async def blocked(stream: Stream[pb.SubscribeRequest, pb.NewRecordReply]) -> None:
        await received(stream)
        raise GRPCError(Status.PERMISSION_DENIED, "Method is not accessible")

    fake.on(m.SUBSCRIBE, blocked)
    async with nothing_left(), at(fake) as net, net.subscribe(ANON) as records:
        with pytest.raises(MethodBlocked):
            await anext(records)


async def test_leaving_tells_the_host() -> None:
    host = Host()
    async with nothing_left(), at(host) as net:
        async with net.subscribe(ANON):
            await host.subscribed.wait()
        await host.left.wait()
    assert host.subscribers == []


async def test_it_ends_at_its_deadline() -> None:
    host = Host()
    async with nothing_left(), at(host) as net, net.subscribe(ANON, timeout=0.05) as records:
        with pytest.raises(DeadlineExceeded):
            await anext(records)


async def test_it_is_used_inside_its_block() -> None:
    host = Host()
    async with at(host) as net:
        subscription = net.subscribe(ANON)
        with pytest.raises(ClosedError, match="async with"):
            await anext(subscription)
        async with subscription:
            pass
        with pytest.raises(ClosedError):
            await anext(subscription)
