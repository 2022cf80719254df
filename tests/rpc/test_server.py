"""The server against hostile and unfinished peers, and how it ends."""

from __future__ import annotations

import asyncio
import gc
import logging
import struct
from pathlib import Path
from typing import Any

import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError, StreamTerminatedError
from h2.errors import ErrorCodes
from h2.events import ConnectionTerminated
from hpack import Decoder, Encoder

from tests.rpc import echo, wire
from tests.rpc.echo import Echo, Raw
from tests.rpc.serving import Gate, answer, calling, code_of, ended, opening, serving
from tests.rpc.wire import CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, PREFACE, frame
from textile_aio._rpc import protocol as protocol_module
from textile_aio._rpc.grpc_channel import GrpcChannel
from textile_aio._rpc.limits import Limits
from textile_aio._rpc.messages import prefix
from textile_aio._rpc.protocol import FastProtocol
from textile_aio._rpc.server import GrpcServer

pytestmark = pytest.mark.usefixtures("nothing_unhandled")

HOSTILE: dict[str, tuple[bytes, ErrorCodes | None]] = {
    "another protocol": (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", None),
    "noise": (bytes(range(256)), None),
    "noise after the preface": (opening() + b"\xff" * 500, ErrorCodes.FRAME_SIZE_ERROR),
    "headers larger than announced": (
        opening() + frame(HEADERS, 0, 1, bytes(60_000)) + frame(CONTINUATION, 0, 1, bytes(10_000)),
        ErrorCodes.ENHANCE_YOUR_CALM,
    ),
    "headers that unpack to more than announced": (
        opening() + frame(HEADERS, END_HEADERS, 1, Encoder().encode([("a", "b" * 3_000)] * 30)),
        ErrorCodes.ENHANCE_YOUR_CALM,
    ),
    "endless continuation": (
        opening() + frame(HEADERS, 0, 1, b"") + frame(CONTINUATION, 0, 1, b"") * 100,
        ErrorCodes.PROTOCOL_ERROR,
    ),
    "headers that are no text": (
        opening() + frame(HEADERS, END_HEADERS, 1, b"\x00\x01a\x01\xff"),
        ErrorCodes.PROTOCOL_ERROR,
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_bytes_end_their_own_connection_only(name: str) -> None:
    data, code = HOSTILE[name]
    async with serving() as server, calling(server) as channel:
        assert await echo.unary(channel, b"before") == b"before"
        assert code_of(await answer(server.port, data)) is code
        assert await echo.unary(channel, b"after") == b"after"


@pytest.mark.parametrize("data", [b"", PREFACE[:10], opening(), opening() + frame(DATA, 0, 1, b"abc")[:7]])
async def test_a_peer_that_goes_in_the_middle_leaves_nothing(data: bytes) -> None:
    async with serving() as server, calling(server) as channel:
        await answer(server.port, data, eof=True)
        assert await echo.unary(channel, b"after") == b"after"


async def test_requests_that_are_no_calls_are_answered() -> None:
    requests = [
        ([(":method", "GET"), (":path", "/t.Echo/Unary")], "405", None),
        ([(":method", "POST"), (":path", "/t.Echo/Unary"), ("content-type", "text/html")], "415", "2"),
        ([(":path", "/t.Echo/Unary")], "405", None),
        ([(":method", "POST"), ("content-type", "application/grpc")], "200", "12"),
        (
            [(":method", "POST"), (":path", "/no.Such/Thing"), ("content-type", "application/grpc")],
            "200",
            "12",
        ),
    ]
    async with serving() as server:
        encoder, decoder = Encoder(), Decoder()
        data = opening()
        for index, (headers, _, _) in enumerate(requests):
            data += frame(HEADERS, END_HEADERS | END_STREAM, 2 * index + 1, encoder.encode(headers))
        frames = await answer(server.port, data, until=ended(5))
        replies = {i: wire.fields(decoder, p) for kind, _, i, p in frames if kind == HEADERS}
        for index, (_, http, grpc) in enumerate(requests):
            reply = replies[2 * index + 1]
            assert (reply[":status"], reply.get("grpc-status")) == (http, grpc)
        assert replies[9]["grpc-message"] == "unknown service no.Such"


async def test_a_flood_of_opened_and_reset_calls_ends_the_connection() -> None:
    async with serving(limits=Limits(control_frames=100)) as server, calling(server) as channel:
        encoder = Encoder()
        data = opening()
        for stream_id in range(1, 2_001, 2):
            data += frame(HEADERS, END_HEADERS, stream_id, wire.request(encoder, echo.CHAT))
            data += frame(3, 0, stream_id, struct.pack(">L", 8))
        assert code_of(await answer(server.port, data)) is ErrorCodes.ENHANCE_YOUR_CALM
        assert await echo.unary(channel, b"after") == b"after"


async def test_a_peer_that_asks_for_answers_and_does_not_read_is_cut_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(protocol_module, "_UNREAD_ANSWERS", 100_000)
    limits = Limits(write_buffer=10_000, control_frames=10**9, turn=1000)
    async with serving(limits=limits) as server, calling(server) as channel:
        _, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1)
        writer.write(opening())
        ping = frame(PING, 0, 0, bytes(8)) * 10_000
        with pytest.raises(ConnectionError):
            while True:
                writer.write(ping)
                await writer.drain()
        writer.close()
        assert await echo.unary(channel, b"after") == b"after"


async def test_a_sender_waits_for_a_peer_that_does_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    paused = asyncio.Event()
    original = FastProtocol.pause_writing

    def spy(self: FastProtocol) -> None:
        original(self)
        paused.set()

    monkeypatch.setattr(FastProtocol, "pause_writing", spy)
    async with serving() as server:
        _, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1)
        writer.write(PREFACE + wire.settings({4: 2**31 - 1, 5: 300_000}) + wire.window_update(0, 2**30))
        writer.write(frame(HEADERS, END_HEADERS, 1, wire.request(Encoder(), echo.PULL)))
        writer.write(frame(DATA, END_STREAM, 1, prefix(11) + b"262144 2000"))
        async with asyncio.timeout(30):
            await paused.wait()
        for _ in range(10):
            await asyncio.sleep(0)
        (protocol,) = server._protocols
        assert protocol._transport.get_write_buffer_size() < 2 * Limits().write_buffer
        writer.transport.abort()


async def test_a_refused_message_ends_its_call_only() -> None:
    async with serving() as server:
        encoder = Encoder()
        data = opening() + frame(HEADERS, END_HEADERS, 1, wire.request(encoder, echo.UNARY))
        data += frame(DATA, 0, 1, prefix(2**32 - 1))
        data += frame(HEADERS, END_HEADERS, 3, wire.request(encoder, echo.UNARY))
        data += frame(DATA, END_STREAM, 3, prefix(2) + b"ok")
        frames = await answer(server.port, data, until=ended(2))
        decoder = Decoder()
        trailers = {i: wire.fields(decoder, p) for kind, f, i, p in frames if kind == HEADERS}
        assert trailers[1]["grpc-status"] == str(Status.RESOURCE_EXHAUSTED.value)
        assert trailers[3]["grpc-status"] == "0"


async def test_limits_are_announced() -> None:
    async with serving() as server:
        frames = await answer(server.port, opening(), until=lambda frames: len(frames) == 1)
        values = dict(struct.iter_unpack(">HL", frames[0][3]))
        assert values[3] == 1024  # MAX_CONCURRENT_STREAMS
        assert values[4] == 64 * 1024  # INITIAL_WINDOW_SIZE
        assert values[5] == 64 * 1024  # MAX_FRAME_SIZE
        assert values[6] == 64 * 1024  # MAX_HEADER_LIST_SIZE


async def test_many_pings_without_calls_are_answered() -> None:
    async with serving() as server:
        frames = await answer(
            server.port, opening() + frame(PING, 0, 0, b"pingping") * 20, until=lambda f: len(f) == 23
        )
        assert [f for f in frames if f[0] == PING] == [(PING, 1, 0, b"pingping")] * 20


async def test_a_unary_reply_is_one_write(monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[list[int]] = []
    async with serving() as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(opening() + frame(4, 1, 0))
        await asyncio.sleep(0)
        encoder = Encoder()
        writer.write(
            frame(HEADERS, END_HEADERS, 1, wire.request(encoder, echo.UNARY))
            + frame(DATA, END_STREAM, 1, prefix(2) + b"ok")
        )
        seen = b""
        while not reads or DATA not in reads[-1]:
            seen = await reader.read(65_536)
            kinds = []
            while seen:
                kinds.append(seen[3])
                seen = seen[9 + int.from_bytes(seen[:3], "big") :]
            reads.append(kinds)
        assert [kind for kind in reads[-1] if kind in (HEADERS, DATA)] == [HEADERS, DATA, HEADERS]
        writer.close()


async def test_shutdown_lets_calls_in_flight_finish() -> None:
    gate = Gate()
    async with serving(gate) as server, calling(server) as channel:
        call = asyncio.ensure_future(echo.unary(channel, b"wait"))
        await gate.entered.wait()
        ending = asyncio.ensure_future(server.shutdown(grace=30))
        assert channel._protocol is not None
        processor, heard = channel._protocol.processor, asyncio.Event()

        def goodbye(event: ConnectionTerminated) -> None:
            processor.process_connection_terminated(event)
            heard.set()

        processor.processors[ConnectionTerminated] = goodbye
        await heard.wait()
        assert not channel._connected
        gate.open.set()
        assert await call == b"wait"
        await ending
        assert gate.cancelled == 0
        with pytest.raises(OSError):
            await echo.unary(channel, b"new calls find nobody")


async def test_shutdown_cancels_what_does_not_finish_in_time() -> None:
    gate = Gate()
    async with serving(gate) as server, calling(server) as channel:
        call = asyncio.ensure_future(echo.unary(channel, b"wait"))
        await gate.entered.wait()
        await server.shutdown(grace=0.01)
        with pytest.raises((StreamTerminatedError, GRPCError)):
            await call
        assert gate.cancelled == 1


async def test_calls_that_come_after_the_goodbye_are_refused_as_not_processed() -> None:
    gate = Gate()
    async with serving(gate) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        encoder = Encoder()
        writer.write(opening() + frame(HEADERS, END_HEADERS, 1, wire.request(encoder, echo.UNARY)))
        writer.write(frame(DATA, END_STREAM, 1, prefix(4) + b"wait"))
        await gate.entered.wait()
        ending = asyncio.ensure_future(server.shutdown(grace=30))
        seen: list[tuple[int, int, bytes]] = []
        while True:
            head = await reader.readexactly(9)
            seen.append(
                (
                    head[3],
                    int.from_bytes(head[5:], "big"),
                    await reader.readexactly(int.from_bytes(head[:3], "big")),
                )
            )
            if seen[-1][0] == GOAWAY:
                writer.write(frame(HEADERS, END_HEADERS, 3, wire.request(encoder, echo.UNARY)))
            if seen[-1][0] == 3:
                break
        assert seen[-1] == (3, 3, struct.pack(">L", ErrorCodes.REFUSED_STREAM))
        gate.open.set()
        await ending
        writer.close()


async def test_close_does_not_wait_for_clients_that_stay() -> None:
    server = GrpcServer([Gate()], codec=Raw(), fast=True)
    await server.start("127.0.0.1", 0)
    async with calling(server) as channel:
        await echo.unary(channel, b"x")
        server.close()
        await server.wait_closed()


async def test_a_failing_tls_handshake_leaves_nothing(tmp_path: Path) -> None:
    server_tls, _ = echo.contexts(tmp_path)
    async with serving(tls=lambda: server_tls) as server:
        await answer(server.port, b"not tls at all", eof=True)
        gc.collect()
        assert len(server._protocols) == 0
        assert len(server._handlers) == 0


@pytest.mark.parametrize(("value", "fast"), [("1", False), ("0", True), ("", True)])
async def test_the_environment_switches_to_the_stock_transport(
    value: str, fast: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEXTILE_AIO_STOCK_HTTP2", value)
    assert GrpcServer([])._fast is fast
    channel = GrpcChannel("127.0.0.1", 1)
    assert channel._fast is fast
    assert GrpcChannel("127.0.0.1", 1, fast=not fast)._fast is not fast


async def test_an_error_of_a_handler_is_told_without_its_details(caplog: pytest.LogCaptureFixture) -> None:
    class Failing(Echo):
        async def unary(self, stream: Any) -> None:
            raise ValueError("secret")

    async with serving(Failing()) as server, calling(server) as channel:
        with caplog.at_level(logging.CRITICAL), pytest.raises(GRPCError) as caught:
            await echo.unary(channel, b"x")
        assert caught.value.status is Status.UNKNOWN
        assert "secret" not in str(caught.value)


async def test_a_deadline_is_kept_by_the_server() -> None:
    gate = Gate()
    async with serving(gate) as server:
        block = wire.request(Encoder(), echo.UNARY, grpc_timeout="20m")
        data = (
            opening()
            + frame(HEADERS, END_HEADERS, 1, block)
            + frame(DATA, END_STREAM, 1, prefix(4) + b"wait")
        )
        frames = await answer(server.port, data, until=ended(1))
        trailers = wire.fields(Decoder(), next(f[3] for f in frames if f[0] == HEADERS))
        assert trailers["grpc-status"] == str(Status.DEADLINE_EXCEEDED.value)
        assert gate.cancelled == 1
