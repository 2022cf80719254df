"""Peers that flood, stall or hoard: theirs is the only connection that suffers."""

from __future__ import annotations

import asyncio
import errno
import socket
import struct
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from h2.errors import ErrorCodes
from hpack import Decoder, Encoder

from tests.rpc import echo, wire
from tests.rpc.echo import Echo
from tests.rpc.service import CTX, BytesCodec
from tests.rpc.serving import Gate, answer, calling, code_of, ended, opening, serving
from tests.rpc.wire import (
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    PING,
    PREFACE,
    PRIORITY,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    frame,
)
from textile_aio._rpc import listening
from textile_aio._rpc.channel import Channel
from textile_aio._rpc.grpc_channel import GrpcChannel
from textile_aio._rpc.limits import Limits
from textile_aio._rpc.messages import prefix
from textile_aio._rpc.method import Method
from textile_aio._rpc.protocol import FastProtocol
from textile_aio._rpc.server import GrpcServer
from textile_aio._rpc.target import Target

pytestmark = pytest.mark.usefixtures("nothing_unhandled")

CALM = ErrorCodes.ENHANCE_YOUR_CALM
UNARY: Method[bytes, bytes] = Method(echo.UNARY, bytes, bytes, safe=True)
CANCEL = struct.pack(">L", ErrorCodes.CANCEL)


def call(encoder: Encoder, stream_id: int, message: bytes, path: str = echo.UNARY) -> bytes:
    """A whole unary call."""
    head = frame(HEADERS, END_HEADERS, stream_id, wire.request(encoder, path))
    return head + frame(DATA, END_STREAM, stream_id, prefix(len(message)) + message)


def began(path: str = echo.CHAT) -> bytes:
    """A connection with a call that waits for messages."""
    return opening() + frame(HEADERS, END_HEADERS, 1, wire.request(Encoder(), path))


FLOODS: dict[str, tuple[bytes, bytes]] = {
    "pings": (opening(), frame(PING, 0, 0, bytes(8))),
    "answers to pings": (opening(), frame(PING, 1, 0, bytes(8))),
    "settings": (opening(), wire.settings({4: 65_535})),
    "empty settings": (opening(), wire.settings()),
    "priorities": (opening(), frame(PRIORITY, 0, 1, bytes(5))),
    "resets of calls that are gone": (began(), frame(RST_STREAM, 0, 1, CANCEL)),
    "window updates": (began(), frame(WINDOW_UPDATE, 0, 1, struct.pack(">L", 1))),
    "window updates of the connection": (opening(), frame(WINDOW_UPDATE, 0, 0, struct.pack(">L", 1))),
    "empty data": (began(), frame(DATA, 0, 1)),
    "padded nothing": (began(), frame(DATA, 8, 1, b"\x00")),
    "frames nobody knows": (opening(), frame(0xBE, 0, 0, bytes(100))),
}


@pytest.mark.parametrize("name", FLOODS)
async def test_frames_that_bring_no_call_further_have_a_limit(name: str) -> None:
    begin, each = FLOODS[name]
    async with serving(limits=Limits(control_frames=100)) as server, calling(server) as channel:
        assert await echo.unary(channel, b"before") == b"before"
        frames = await answer(server.port, begin + each * 90 + frame(PING, 0, 0, b"finished"), until=ponged)
        assert frames[-1] == (PING, 1, 0, b"finished")
        assert code_of(await answer(server.port, begin + each * 300)) is CALM
        assert await echo.unary(channel, b"after") == b"after"


def ponged(frames: list[tuple[int, int, int, bytes]]) -> bool:
    return bool(frames) and frames[-1] == (PING, 1, 0, b"finished")


async def test_calls_that_are_reset_again_and_again_have_a_limit_however_they_are_paced() -> None:
    """CVE-2023-44487, with time for each call to be cancelled before the next one begins."""
    gate = Gate()
    async with serving(gate, limits=Limits(control_frames=100)) as server, calling(server) as channel:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(opening())
        encoder, stream_id, rounds = Encoder(), 1, 0
        calm = False
        while not calm:
            block = wire.request(encoder, echo.UNARY)
            writer.write(frame(HEADERS, END_HEADERS, stream_id, block))
            writer.write(frame(RST_STREAM, 0, stream_id, CANCEL) + frame(PING, 0, 0, b"finished"))
            stream_id, rounds = stream_id + 2, rounds + 1
            while True:
                head = await reader.readexactly(9)
                payload = await reader.readexactly(int.from_bytes(head[:3], "big"))
                if head[3] == GOAWAY:
                    calm = True
                    assert struct.unpack(">LL", payload[:8])[1] == CALM
                    break
                if (head[3], payload) == (PING, b"finished"):
                    break
        assert 40 <= rounds <= 60  # each has cost a reset and a ping
        writer.close()
        assert await echo.unary(channel, b"after") == b"after"


async def test_a_busy_peer_may_send_what_goes_with_its_calls() -> None:
    async with serving(limits=Limits(control_frames=20)) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        encoder = Encoder()
        writer.write(opening())
        for number in range(300):
            writer.write(frame(PING, 0, 0, bytes(8)) * 3 + call(encoder, 2 * number + 1, b"x"))
            head = bytes(9)
            while not (head[3] == HEADERS and head[4] & END_STREAM):
                head = await reader.readexactly(9)
                payload = await reader.readexactly(int.from_bytes(head[:3], "big"))
                assert head[3] != GOAWAY, payload
        writer.close()


async def test_downloads_are_not_taken_for_floods_of_window_updates() -> None:
    async with serving(limits=Limits(control_frames=20)) as server, calling(server) as channel:
        assert await echo.pull(channel, 1000, 20_000) == 20_000_000
        assert await echo.pull(channel, 262_144, 200) == 200 * 262_144


async def test_calls_over_the_limit_are_refused_by_themselves() -> None:
    gate = Gate()
    async with serving(gate, limits=Limits(streams=3)) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        encoder, decoder = Encoder(), Decoder()
        writer.write(opening() + b"".join(call(encoder, number, b"wait") for number in (1, 3, 5, 7, 9)))
        ends: dict[int, Any] = {}
        while len(ends) < 5:
            head = await reader.readexactly(9)
            payload = await reader.readexactly(int.from_bytes(head[:3], "big"))
            stream_id = int.from_bytes(head[5:], "big")
            if head[3] == RST_STREAM:
                # What comes for it later is answered by another, as of a stream that is closed.
                ends.setdefault(stream_id, ErrorCodes(int.from_bytes(payload, "big")))
                gate.open.set()
            elif head[3] == HEADERS:
                fields = wire.fields(decoder, payload)
                if head[4] & END_STREAM:
                    ends[stream_id] = fields["grpc-status"]
            assert head[3] != GOAWAY
        assert ends == {1: "0", 3: "0", 5: "0", 7: ErrorCodes.REFUSED_STREAM, 9: ErrorCodes.REFUSED_STREAM}
        writer.write(call(encoder, 11, b"again"))
        while not (head[3] == HEADERS and head[4] & END_STREAM and head[8] == 11):
            head = await reader.readexactly(9)
            await reader.readexactly(int.from_bytes(head[:3], "big"))
        writer.close()


async def test_our_client_waits_for_its_turn_where_few_calls_may_be_made_at_once() -> None:
    async with serving(limits=Limits(streams=3)) as server, calling(server) as channel:
        replies = await asyncio.gather(*(echo.unary(channel, b"%d" % number) for number in range(100)))
        assert replies == [b"%d" % number for number in range(100)]


async def test_a_peer_that_insists_on_too_many_calls_is_told_to_calm_down() -> None:
    async with serving(Gate(), limits=Limits(streams=3, control_frames=50)) as server:
        encoder = Encoder()
        data = opening() + b"".join(call(encoder, 2 * number + 1, b"wait") for number in range(100))
        assert code_of(await answer(server.port, data)) is CALM


@pytest.mark.parametrize(
    "data",
    [
        b"",
        PREFACE,
        PREFACE[:10],
        opening() + frame(HEADERS, 0, 1, b"\x82"),
        opening() + frame(HEADERS, 0, 1, b"\x82") + frame(CONTINUATION, 0, 1, b"\x82"),
        began() + frame(HEADERS, 0, 3, b"\x82"),
    ],
)
async def test_a_beginning_that_is_not_gone_on_with_is_cut_off(data: bytes) -> None:
    async with serving(limits=Limits(head_seconds=0.02)) as server, calling(server) as channel:
        await answer(server.port, data)  # until the server closes
        assert await echo.unary(channel, b"after") == b"after"


async def test_a_connection_without_calls_gets_a_goodbye_and_is_closed() -> None:
    async with serving(limits=Limits(head_seconds=0.02, idle_seconds=0.05)) as server:
        frames = await answer(server.port, opening())
        assert code_of(frames) is ErrorCodes.NO_ERROR


async def test_our_client_connects_anew_after_its_connection_was_idle() -> None:
    limits = Limits(head_seconds=0.02, idle_seconds=0.05)
    async with serving(limits=limits) as server:
        target = Target("127.0.0.1", server.port)
        async with Channel(target, codec=BytesCodec()) as channel:
            for _ in range(3):
                assert await channel.unary(UNARY, b"x", CTX) == b"x"
                for protocol in list(server._protocols):
                    await protocol.lost.wait()


async def test_a_connection_over_the_limit_is_reset_and_the_others_go_on() -> None:
    async with serving(connections=2) as server, calling(server) as channel:
        assert await echo.unary(channel, b"first") == b"first"
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(opening())
        await reader.readexactly(9)
        for _ in range(5):
            assert await answer(server.port, opening()) == []
        assert await echo.unary(channel, b"goes on") == b"goes on"
        writer.close()
        await writer.wait_closed()
        async with calling(server) as another:
            while True:
                try:
                    assert await echo.unary(another, b"let in") == b"let in"
                    break
                except OSError:
                    another.close()


async def test_those_who_never_shake_hands_are_counted_and_given_up(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    server_tls, client_tls = echo.contexts(tmp_path)
    limits = Limits(head_seconds=0.2)
    async with serving(limits=limits, connections=3, tls=lambda: server_tls) as server:
        silent = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(3)]
        assert await answer(server.port, b"") == []
        for reader, writer in silent:
            await reader.read()
            writer.close()
        channel = GrpcChannel("127.0.0.1", server.port, codec=echo.Raw(), ssl=client_tls, fast=True)
        assert await echo.unary(channel, b"x") == b"x"
        channel.close()


async def test_a_closed_connection_whose_peer_does_not_read_is_reset(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    paused: asyncio.Future[FastProtocol] = asyncio.get_running_loop().create_future()
    original = FastProtocol.pause_writing

    def pause_writing(self: FastProtocol) -> None:
        original(self)
        if not paused.done():
            paused.set_result(self)

    monkeypatch.setattr(FastProtocol, "pause_writing", pause_writing)
    async with serving(limits=Limits(head_seconds=0.05)) as server:
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", server.port))
        _, writer = await asyncio.open_connection(sock=sock, limit=1)
        writer.write(PREFACE + wire.settings({4: 2**31 - 1, 5: 300_000}) + wire.window_update(0, 2**30))
        writer.write(frame(HEADERS, END_HEADERS, 1, wire.request(Encoder(), echo.PULL)))
        writer.write(frame(DATA, END_STREAM, 1, prefix(11) + b"262144 2000"))
        protocol = await paused
        writer.write(b"\xff" * 100)  # an error: the server closes, with much left to send
        await protocol.lost.wait()
        writer.transport.abort()


class Leaving(wire.RecordingTransport):
    """Is closed and holds what a test says it does."""

    closed = True
    aborted = False

    def is_closing(self) -> bool:
        return True

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def abort(self) -> None:
        self.aborted = True


async def test_a_closed_connection_whose_peer_reads_slowly_is_not_reset() -> None:
    listener = listening.Listener(asyncio.Protocol, connections=1, patience=1000)
    transport = Leaving()
    with socket.socket() as sock:
        listener._open[sock] = transport
        for left in (1000, 900, 899, 1):
            transport.waiting = left
            listener._sweep()
            assert not transport.aborted
        listener._sweep()
        assert transport.aborted
    listener.close()


class Counting(Echo):
    """Says how many messages have been made for peers that pull."""

    def __init__(self) -> None:
        self.made = 0
        self.begun = 0
        self.all_begun = asyncio.Event()

    async def pull(self, stream: Any) -> None:
        size, count = map(int, (await stream.recv_message()).split())
        self.begun += 1
        if self.begun == 50:
            self.all_begun.set()
        for _ in range(count):
            self.made += 1
            await stream.send_message(bytes(size))


@pytest.mark.parametrize("window", [0, 1, 65_535, 2**31 - 1])
async def test_whoever_reads_nothing_is_made_little_for(window: int) -> None:
    service, limits = Counting(), Limits(write_buffer=256 * 1024)
    async with serving(service, limits=limits) as server, calling(server) as channel:
        _, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1)
        encoder = Encoder()
        writer.write(PREFACE + wire.settings({4: window}) + wire.window_update(0, 2**30))
        for number in range(50):
            writer.write(call(encoder, 2 * number + 1, b"65536 10000", echo.PULL))
        await service.all_begun.wait()
        while True:  # until nothing moves any more
            made = service.made
            assert await echo.unary(channel, b"x") == b"x"
            if service.made == made:
                break
        slow = next(p for p in server._protocols if len(p.processor.streams) == 50)
        assert slow._transport.get_write_buffer_size() < 4 * limits.write_buffer
        # One in hand for each call, and what the windows, the buffer and the sockets between have taken.
        between = 8 * 1024 * 1024 if window > 65_535 else 50 * window
        assert service.made <= 50 + (between + 4 * limits.write_buffer) / 65_536 + 50
        writer.transport.abort()


async def test_a_small_header_block_that_unpacks_to_much_is_refused() -> None:
    block = b"\x40\x01a" + b"\x7f\xa1\x1e" + b"b" * 4000  # a value of 4000 bytes, into the table
    block += b"\xbe" * 1000  # and a byte each to have it again
    data = opening() + frame(HEADERS, END_HEADERS, 1, block)
    async with serving() as server, calling(server) as channel:
        assert code_of(await answer(server.port, data)) is CALM
        assert await echo.unary(channel, b"after") == b"after"


async def test_a_header_table_that_a_peer_offers_is_not_filled() -> None:
    """hpack looks through the whole of it for each header that it packs."""
    async with serving() as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        encoder, decoder = Encoder(), Decoder()
        decoder.max_allowed_table_size = 2**32 - 1
        writer.write(PREFACE + wire.settings({1: 2**32 - 1}))
        for number in range(500):
            writer.write(call(encoder, 2 * number + 1, b"", f"/no.Such/Thing{number}"))
        ends = 0
        while ends < 500:
            head = await reader.readexactly(9)
            payload = await reader.readexactly(int.from_bytes(head[:3], "big"))
            if head[3] == HEADERS:
                assert wire.fields(decoder, payload)["grpc-status"] == "12"
                ends += 1
        (protocol,) = server._protocols
        table = protocol.connection._connection.encoder.header_table
        assert table._current_size <= 4096
        writer.close()


async def test_a_process_without_descriptors_serves_those_who_are_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(listening, "_PAUSE", 0)
    failures: Iterator[int] = iter([errno.EMFILE, errno.ENFILE, errno.ECONNABORTED])
    accept: Callable[[Any], Any] = loop.sock_accept

    async def failing(sock: socket.socket) -> Any:
        for code in failures:
            raise OSError(code, "none left")
        return await accept(sock)

    monkeypatch.setattr(loop, "sock_accept", failing)
    async with serving() as server, calling(server) as channel:
        assert await echo.unary(channel, b"x") == b"x"


async def test_a_port_that_stops_listening_refuses_at_once() -> None:
    server = GrpcServer([Gate()], codec=echo.Raw(), fast=True)
    await server.start("127.0.0.1", 0)
    port = server.port
    await server.shutdown(grace=0)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    with pytest.raises(RuntimeError, match="does not listen"):
        _ = server.port


async def test_one_server_listens_at_two_ports() -> None:
    async with serving() as server:
        second = await server.start("127.0.0.1", 0)
        assert second != server.port
        for port in (server.port, second):
            channel = GrpcChannel("127.0.0.1", port, codec=echo.Raw(), fast=True)
            assert await echo.unary(channel, b"x") == b"x"
            channel.close()


def test_the_end_of_all_streams_is_what_the_tests_wait_for() -> None:
    assert ended(1)([(HEADERS, END_STREAM, 1, b"")])
    assert not ended(2)([(HEADERS, END_STREAM, 1, b""), (SETTINGS, 0, 0, b"")])
