"""How calls through the gRPC-web door end otherwise than by themselves: nothing is left of them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tests.faults.tasks import no_task_left
from tests.localhub.web.client import answer, opened
from tests.localhub.web.frames import END, flagged, header_text
from tests.localhub.web.scripted import (
    BOTH_WAYS,
    LIMITS,
    SERVER_STREAM,
    Everybody,
    door,
    listened,
    text_of,
    transaction,
)
from tests.rpc.leaks import nothing_left
from textile_aio._proto.threads import pb
from textile_aio.localhub.call import Call, Exchange
from textile_aio.localhub.routes import Routes, Service
from textile_aio.localhub.web.door import WebDoor

MIB = 1024 * 1024


class Watched:
    """A handler that does something, and tells how it ended."""

    def __init__(self, act: Callable[[Exchange], Awaitable[None]]) -> None:
        self._act = act
        self.begun = asyncio.Event()
        self.ended = asyncio.Event()
        self.error: BaseException | None = None

    async def __call__(self, call: Call, *given: object) -> None:
        self.begun.set()
        try:
            await self._act(given[-1])  # type: ignore[arg-type]
        except BaseException as error:
            self.error = error
            raise
        finally:
            self.ended.set()


async def read_on(exchange: Exchange) -> None:
    while await exchange.recv() is not None:
        pass


async def wait(exchange: Exchange) -> None:
    await asyncio.Event().wait()


async def write_on(exchange: Exchange) -> None:
    while True:
        await exchange.send(listened("x" * 65536))


async def close(websocket: ClientConnection) -> None:
    await websocket.close()


async def abort(websocket: ClientConnection) -> None:
    websocket.transport.abort()


@pytest.mark.parametrize("leave", [close, abort])
@pytest.mark.parametrize(
    ("path", "act"), [(BOTH_WAYS, read_on), (SERVER_STREAM, wait), (SERVER_STREAM, write_on)]
)
async def test_a_client_that_leaves_cancels_its_call(
    path: str,
    act: Callable[[Exchange], Awaitable[None]],
    leave: Callable[[ClientConnection], Awaitable[None]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    handler = Watched(act)
    async with no_task_left(), door({path: handler}) as target:
        async with opened(target, path) as websocket:
            await websocket.send(header_text())
            await websocket.send(flagged(b""))
            await handler.begun.wait()
            await leave(websocket)
        await handler.ended.wait()
    assert handler.error is not None, "closing is not the end of the client's messages"
    assert not caplog.records


async def test_a_client_that_leaves_before_its_headers() -> None:
    async with no_task_left(), door({}) as target, opened(target, BOTH_WAYS):
        pass


async def test_a_slow_reader_holds_up_its_writer() -> None:
    """What is on the way is bounded by the buffers of the sockets, whatever the handler has to say."""
    piece, total = 64 * 1024, 64 * MIB
    sent = received = most = 0

    async def handler(call: Call, request: pb.ListenRequest, exchange: Exchange) -> None:
        nonlocal sent, most
        for _ in range(total // piece):
            await exchange.send(listened("x" * piece))
            sent += piece
            most = max(most, sent - received)

    async with (
        door({SERVER_STREAM: handler}) as target,
        opened(target, SERVER_STREAM, receive_buffer=64 * 1024, max_queue=1) as websocket,
    ):
        for data in (header_text(), flagged(b""), END):
            await websocket.send(data)
        with suppress(ConnectionClosed):
            while True:
                received += len(await websocket.recv(decode=False))
                for _ in range(5):
                    await asyncio.sleep(0)
    assert sent == total <= received
    assert most < 16 * MIB


async def test_a_handler_that_reads_slowly_holds_up_its_client() -> None:
    piece, total = 64 * 1024, 64 * MIB
    sent = received = most = 0

    async def handler(call: Call, exchange: Exchange) -> None:
        nonlocal received, most
        while (message := await exchange.recv()) is not None:
            most = max(most, sent - received)
            received += len(text_of(message))
            for _ in range(5):
                await asyncio.sleep(0)

    async with door({BOTH_WAYS: handler}) as target, opened(target, BOTH_WAYS) as websocket:
        await websocket.send(header_text())
        data = flagged(transaction("x" * piece))
        for _ in range(total // piece):
            await websocket.send(data)
            sent += piece
        await websocket.send(END)
        got = await answer(websocket)
    assert got.status == (0, "")
    assert received == total
    assert most < 16 * MIB


async def test_pings_keep_an_idle_listener() -> None:
    handler = Watched(wait)
    async with (
        door({SERVER_STREAM: handler}, ping_interval=0.02) as target,
        opened(target, SERVER_STREAM, ping_interval=None) as websocket,
    ):
        for data in (header_text(), flagged(b""), END):
            await websocket.send(data)
        pings = count_pings(websocket)
        for _ in range(5):
            await pings.get()
        assert not handler.ended.is_set()


async def test_a_client_that_answers_no_ping_is_given_up() -> None:
    handler = Watched(wait)
    async with (
        door({SERVER_STREAM: handler}, ping_interval=0.02) as target,
        opened(target, SERVER_STREAM, ping_interval=None) as websocket,
    ):
        for data in (header_text(), flagged(b""), END):
            await websocket.send(data)
        await handler.begun.wait()
        websocket.transport.pause_reading()
        await handler.ended.wait()
        websocket.transport.abort()


async def test_a_client_whose_answers_are_left_unread_is_not_given_up() -> None:
    """Its pongs lie behind the messages that the handler has not asked for."""
    go_on = asyncio.Event()

    async def handler(call: Call, exchange: Exchange) -> None:
        await go_on.wait()
        await read_on(exchange)

    async with (
        door({BOTH_WAYS: handler}, ping_interval=0.02) as target,
        opened(target, BOTH_WAYS, ping_interval=None) as websocket,
        asyncio.TaskGroup() as group,
    ):
        pings = count_pings(websocket)
        await websocket.send(header_text())
        data = flagged(transaction("x" * 65536))

        async def push() -> None:
            for _ in range(64):
                await websocket.send(data)
            await websocket.send(END)

        group.create_task(push())
        for _ in range(6):
            await pings.get()
        go_on.set()
        got = await answer(websocket)
    assert got.status == (0, "")


def count_pings(websocket: ClientConnection) -> asyncio.Queue[None]:
    """Gets an item for each ping that arrives."""
    pings: asyncio.Queue[None] = asyncio.Queue()
    receive = websocket.protocol.recv_frame

    def watched(frame: object) -> None:
        if getattr(frame, "opcode", None) == 0x9:
            pings.put_nowait(None)
        receive(frame)  # type: ignore[arg-type]

    websocket.protocol.recv_frame = watched  # type: ignore[method-assign]
    return pings


class Shutting:
    """A door that a test closes itself."""

    def __init__(self, handler: Watched) -> None:
        self.door = WebDoor(
            Routes([Service(pb.ApiBase, {BOTH_WAYS: handler})], Everybody()),
            origins=None,
            limits=LIMITS,
        )

    async def start(self) -> str:
        await self.door.start("127.0.0.1", 0)
        return f"127.0.0.1:{self.door.port}"


async def test_calls_in_flight_may_finish_when_the_door_closes() -> None:
    handler = Watched(read_on)
    shutting = Shutting(handler)
    async with nothing_left():
        target = await shutting.start()
        async with opened(target, BOTH_WAYS) as websocket, asyncio.TaskGroup() as group:
            await websocket.send(header_text())
            await handler.begun.wait()
            closing = group.create_task(shutting.door.shutdown(grace=60))
            while True:  # until nobody new is let in
                try:
                    _, writer = await asyncio.open_connection(*target.split(":"))
                except OSError:
                    break
                writer.close()
            assert not closing.done()
            await websocket.send(END)
            got = await answer(websocket)
        assert got.status == (0, "")
        assert handler.error is None


@pytest.mark.parametrize("grace", [0, 0.01])
async def test_calls_that_do_not_finish_are_told_so(grace: float) -> None:
    handler = Watched(read_on)
    shutting = Shutting(handler)
    async with nothing_left():
        target = await shutting.start()
        async with opened(target, BOTH_WAYS) as websocket, asyncio.TaskGroup() as group:
            await websocket.send(header_text())
            await handler.begun.wait()
            group.create_task(shutting.door.shutdown(grace=grace))
            got = await answer(websocket)
        assert got.status == (14, "the hub is closing")
        assert isinstance(handler.error, asyncio.CancelledError)


async def test_sockets_that_never_said_anything_are_closed_with_the_door() -> None:
    shutting = Shutting(Watched(read_on))
    async with nothing_left():
        target = await shutting.start()
        async with opened(target, BOTH_WAYS) as websocket, asyncio.TaskGroup() as group:
            group.create_task(shutting.door.shutdown(grace=60))
            with pytest.raises(ConnectionClosed):
                await websocket.recv()


async def test_small_packets_are_not_held_back() -> None:
    """A call is several of them, and each would wait for up to 40 ms."""
    shutting = Shutting(Watched(read_on))
    target = await shutting.start()
    async with opened(target, BOTH_WAYS):
        (connection,) = shutting.door._server.connections
        accepted = connection.transport.get_extra_info("socket")
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    await shutting.door.shutdown(grace=0)


async def test_a_door_that_was_never_opened_closes() -> None:
    await Shutting(Watched(read_on)).door.shutdown(grace=60)


async def test_a_cancelled_shutdown_leaves_nothing() -> None:
    handler = Watched(read_on)
    shutting = Shutting(handler)
    async with nothing_left():
        target = await shutting.start()
        async with opened(target, BOTH_WAYS) as websocket:
            await websocket.send(header_text())
            await handler.begun.wait()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await shutting.door.shutdown(grace=60)
            await handler.ended.wait()
            with pytest.raises(ConnectionClosed):
                await websocket.recv()
