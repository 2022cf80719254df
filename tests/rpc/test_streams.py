"""Streams over real sockets: what they carry, and the ways they end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from grpclib.const import Status

from tests.rpc.leaks import nothing_left
from tests.rpc.service import (
    CHAT,
    CTX,
    FINISH_EARLY,
    LISTEN,
    RANGE,
    REFUSE,
    REFUSE_MIDWAY,
    SUM,
    Service,
    channel,
    serving,
)
from textile_aio import errors
from textile_aio._rpc.channel import Channel


class Source:
    """An async generator that can be watched, blocks when told to, and says when it was closed."""

    def __init__(self, *messages: bytes, then: BaseException | None = None, block: bool = False) -> None:
        self.messages = messages
        self.then = then
        self.block = block
        self.given = 0
        self.waiting = asyncio.Event()
        self.closed = asyncio.Event()

    async def __call__(self) -> AsyncIterator[bytes]:
        try:
            for message in self.messages:
                self.given += 1
                yield message
            if self.block:
                self.waiting.set()
                await asyncio.Event().wait()
            if self.then is not None:
                raise self.then
        finally:
            await asyncio.sleep(0)  # closing may take its time
            self.closed.set()


class CustomIterable:
    """An async iterable that is no generator; closes like one."""

    def __init__(self) -> None:
        self.closed = False

    def __aiter__(self) -> CustomIterable:
        return self

    async def __anext__(self) -> bytes:
        return b"more"

    async def aclose(self) -> None:
        self.closed = True


async def test_a_source_is_sent_and_its_replies_come_back_in_order() -> None:
    source = Source(b"a", b"b", b"c")
    async with (
        nothing_left(),
        serving(Service()) as port,
        channel(port) as ch,
        ch.stream(CHAT, CTX, source=source()) as stream,
    ):
        replies = [reply async for reply in stream]
        assert await stream.recv() is None
    assert replies == [b"got a", b"got b", b"got c"]
    assert source.closed.is_set()


async def test_a_request_is_sent_and_ended_for_a_server_stream() -> None:
    async with (
        serving(Service()) as port,
        channel(port) as ch,
        ch.stream(RANGE, CTX, request=b"5000") as stream,
    ):
        assert [int(reply) async for reply in stream] == list(range(5000))


async def test_the_caller_may_drive_both_directions() -> None:
    async with (
        nothing_left(),
        serving(Service()) as port,
        channel(port) as ch,
        ch.stream(CHAT, CTX) as stream,
    ):
        await stream.send(b"ping")
        assert await stream.recv() == b"got ping"
        await stream.send(b"pong")
        await stream.end()
        await stream.end()
        assert await stream.recv() == b"got pong"
        assert await stream.recv() is None


async def test_an_empty_source_is_an_empty_request_stream() -> None:
    async with (
        serving(Service()) as port,
        channel(port) as ch,
        ch.stream(SUM, CTX, source=Source()()) as stream,
    ):
        assert [reply async for reply in stream] == [b"0"]


async def test_messages_larger_than_the_windows_pass_both_ways() -> None:
    big = bytes(4 * 1024 * 1024 - 10)
    async with (
        serving(Service()) as port,
        channel(port) as ch,
        ch.stream(CHAT, CTX, source=Source(big, big)()) as stream,
    ):
        assert [len(reply) async for reply in stream] == [len(big) + 4] * 2


async def test_source_raises_and_the_caller_gets_that_very_exception() -> None:
    service, failure = Service(), OSError("the disk is gone")
    failure.__cause__ = ValueError("why")
    source = Source(b"a", then=failure)
    async with nothing_left(), serving(service) as port, channel(port) as ch:
        with pytest.raises(OSError, match="the disk is gone") as caught:
            async with ch.stream(CHAT, CTX, source=source()) as stream:
                async for _ in stream:
                    pass
        assert caught.value is failure
        assert isinstance(failure.__cause__, ValueError)
        assert source.closed.is_set()
        await service.noticed.wait()


async def test_source_raises_while_the_caller_waits_for_something_else() -> None:
    failure = RuntimeError("broken")
    async with nothing_left(), serving(Service()) as port, channel(port) as ch:
        with pytest.raises(RuntimeError) as caught:
            async with ch.stream(CHAT, CTX, source=Source(then=failure)()):
                await asyncio.Event().wait()
        assert caught.value is failure


async def test_server_refuses_midway_while_the_source_is_blocked() -> None:
    service, source = Service(), Source(b"a", block=True)
    async with nothing_left(), serving(service) as port, channel(port) as ch:
        with pytest.raises(errors.PermissionDenied, match="enough") as caught:
            async with ch.stream(REFUSE_MIDWAY, CTX, source=source(), about="file.jpg") as stream:
                assert await stream.recv() == b"so far so good"
                await source.waiting.wait()
                service.go_on.set()
                await stream.recv()
        assert caught.value.about == "file.jpg"
        assert source.closed.is_set()


async def test_server_refuses_while_the_source_outruns_the_window() -> None:
    service = Service()

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield bytes(1_000_000)

    async with nothing_left(), serving(service) as port, channel(port) as ch:
        service.go_on.set()
        with pytest.raises(errors.PermissionDenied, match="enough"):
            async with ch.stream(REFUSE_MIDWAY, CTX, source=endless()) as stream:
                async for _ in stream:
                    pass


async def test_server_refuses_before_it_reads_anything() -> None:
    service, source = Service(), Source(b"a", block=True)
    service.status, service.message = Status.NOT_FOUND, "no such bucket"
    async with nothing_left(), serving(service) as port, channel(port) as ch:
        with pytest.raises(errors.NotFound):
            async with ch.stream(REFUSE, CTX, source=source()) as stream:
                await stream.recv()


async def test_caller_leaves_early_and_the_server_notices() -> None:
    service, source = Service(), Source(b"a", block=True)
    async with nothing_left(), serving(service) as port, channel(port) as ch:
        async with ch.stream(CHAT, CTX, source=source()) as stream:
            assert await stream.recv() == b"got a"
        assert source.closed.is_set()
        await service.noticed.wait()


async def test_caller_leaves_at_once_and_the_source_is_closed_all_the_same() -> None:
    source = CustomIterable()
    async with nothing_left(), serving(Service()) as port, channel(port) as ch:
        async with ch.stream(CHAT, CTX, source=source):
            pass
        assert source.closed


async def test_caller_raises_and_its_own_exception_goes_on() -> None:
    service, source = Service(), Source(b"a", block=True)
    async with nothing_left(), serving(service) as port, channel(port) as ch:
        with pytest.raises(KeyError, match="mine"):
            async with ch.stream(CHAT, CTX, source=source()) as stream:
                await stream.recv()
                raise KeyError("mine")
        assert source.closed.is_set()
        await service.noticed.wait()


async def test_caller_is_cancelled_and_everything_ends() -> None:
    service, source = Service(), Source(b"a", block=True)

    async def push(ch: Channel) -> None:
        async with ch.stream(CHAT, CTX, source=source()) as stream:
            async for _ in stream:
                pass

    async with nothing_left(), serving(service) as port, channel(port) as ch:
        task = asyncio.create_task(push(ch))
        await source.waiting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelling() == 1
        assert source.closed.is_set()
        await service.noticed.wait()


async def test_an_outer_timeout_ends_a_stream_as_a_timeout() -> None:
    service, source = Service(), Source(b"a", block=True)
    async with nothing_left(), serving(service) as port, channel(port) as ch:
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(0.05), ch.stream(CHAT, CTX, source=source()) as stream:
                async for _ in stream:
                    pass
        assert not isinstance(caught.value, errors.TextileError)
        assert source.closed.is_set()
        await service.noticed.wait()


async def test_a_cancelled_caller_stays_cancelled_when_the_source_fails_in_closing() -> None:
    reached = asyncio.Event()

    async def source() -> AsyncIterator[bytes]:
        try:
            yield b"a"
            reached.set()
            await asyncio.Event().wait()
        finally:
            raise RuntimeError("while closing")

    async def push(ch: Channel) -> None:
        async with ch.stream(CHAT, CTX, source=source()) as stream:
            async for _ in stream:
                pass

    async with nothing_left(), serving(Service()) as port, channel(port) as ch:
        task = asyncio.create_task(push(ch))
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_source_that_fails_in_closing_is_not_hushed_up() -> None:
    async def source() -> AsyncIterator[bytes]:
        try:
            yield b"a"
            await asyncio.Event().wait()
        finally:
            raise RuntimeError("while closing")

    async with nothing_left(), serving(Service()) as port, channel(port) as ch:
        with pytest.raises(RuntimeError, match="while closing"):
            async with ch.stream(CHAT, CTX, source=source()) as stream:
                await stream.recv()


async def test_a_deadline_ends_a_stream_whose_source_is_blocked() -> None:
    service, source = Service(), Source(b"a", block=True)
    async with nothing_left(), serving(service) as port, channel(port) as ch:
        with pytest.raises(errors.DeadlineExceeded):
            async with ch.stream(CHAT, CTX, source=source(), timeout=0.05) as stream:
                async for _ in stream:
                    pass
        assert source.closed.is_set()
        await service.noticed.wait()


async def test_sending_after_the_server_said_ok_is_harmless() -> None:
    async with (
        nothing_left(),
        serving(Service()) as port,
        channel(port) as ch,
        ch.stream(FINISH_EARLY, CTX) as stream,
    ):
        await stream.send(b"a")
        assert await stream.recv() == b"one"
        assert await stream.recv() == b"two"
        assert await stream.recv() is None
        await stream.send(b"too late")
        await stream.end()


async def test_closing_the_channel_ends_a_stream_and_closes_its_source() -> None:
    service, source = Service(), Source(b"a", block=True)

    async def push(ch: Channel) -> None:
        async with ch.stream(CHAT, CTX, source=source()) as stream:
            async for _ in stream:
                pass

    async with nothing_left(), serving(service) as port:
        async with channel(port) as ch:
            task = asyncio.create_task(push(ch))
            await source.waiting.wait()
        with pytest.raises(errors.ClosedError):
            await task
        assert source.closed.is_set()
        await service.noticed.wait()


async def test_a_listening_stream_that_is_left_stops_the_server() -> None:
    service = Service()
    async with nothing_left(), serving(service) as port, channel(port) as ch:
        async with ch.stream(LISTEN, CTX, request=b"") as stream:
            async for reply in stream:
                assert reply == b"first"
                break
        await service.noticed.wait()


async def test_a_stream_whose_hub_cannot_be_reached_closes_its_source(unused_tcp_port: int) -> None:
    source = CustomIterable()
    async with nothing_left(), channel(unused_tcp_port) as ch:
        with pytest.raises(errors.Unavailable):
            async with ch.stream(CHAT, CTX, source=source):
                pytest.fail("entered")
        assert source.closed


async def test_a_stream_is_used_inside_its_block_only() -> None:
    async with serving(Service()) as port, channel(port) as ch:
        stream = ch.stream(CHAT, CTX)
        with pytest.raises(errors.ClosedError, match="not entered"):
            await stream.recv()
        async with stream:
            pass
        with pytest.raises(errors.ClosedError, match="left already"):
            await stream.send(b"")
        with pytest.raises(errors.ClosedError, match="once"):
            await stream.__aenter__()
        with pytest.raises(errors.InvalidInput):
            ch.stream(CHAT, CTX, source=Source()(), request=b"")


async def test_a_source_that_gives_something_else_than_messages_is_the_callers_error() -> None:
    async def source() -> AsyncIterator[None]:
        yield None

    async with nothing_left(), serving(Service()) as port, channel(port) as ch:
        with pytest.raises(TypeError):
            async with ch.stream(CHAT, CTX, source=source()) as stream:  # type: ignore[misc]
                await stream.recv()
