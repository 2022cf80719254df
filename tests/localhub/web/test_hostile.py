"""What no client should send: a status that says so, then the close, and the door serves on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.localhub.web.client import answer, call, opened
from tests.localhub.web.frames import END, Answer, flagged, framed, header_text
from tests.localhub.web.scripted import (
    BOTH_WAYS,
    LIMITS,
    UNARY,
    Everybody,
    door,
    replied,
    text_of,
    transaction,
)
from textile_aio._proto.threads import pb
from textile_aio.localhub.call import Call, Exchange
from textile_aio.localhub.routes import Routes, Service
from textile_aio.localhub.web.door import ROOM, WebDoor
from textile_aio.localhub.web.sockets import MAX_FRAGMENTS

MIB = 1024 * 1024
MAX_SOCKET_MESSAGE = ROOM * LIMITS.message
SECRET = "a-secret-of-the-client"


async def echo(call: Call, exchange: Exchange) -> None:
    while (message := await exchange.recv()) is not None:
        await exchange.send(replied(text_of(message)))


async def unary(call: Call, request: pb.DeleteDbRequest) -> pb.DeleteDbReply:
    return pb.DeleteDbReply()


@pytest.fixture
async def target() -> AsyncIterator[str]:
    async with door({BOTH_WAYS: echo, UNARY: unary}) as address:
        yield address
        got = await call(address, UNARY, b"")
        assert got.status == (0, ""), "the door serves on"


async def sent(target: str, *messages: bytes | str, path: str = BOTH_WAYS) -> Answer:
    async with opened(target, path) as websocket:
        try:
            for message in messages:
                await websocket.send(message)
        except ConnectionClosed:
            pass  # it has heard enough
        return await answer(websocket)


@pytest.mark.parametrize(
    ("headers", "code", "text"),
    [
        (b"no colon here", 3, "line 1 of the request headers has no colon"),
        (b"a: b\r\n" + SECRET.encode(), 3, "line 2 of the request headers has no colon"),
        (b"bad name: b", 3, "a request header's name is not one of gRPC"),
        (b": " + SECRET.encode(), 3, "a request header's name is not one of gRPC"),
        (b"\x00\x01\x02:x", 3, "a request header's name is not one of gRPC"),
        ("n\u00e4me: x".encode(), 3, "a request header's name is not one of gRPC"),
        (
            "authorization: bearer \u00e4 a-secret-of-the-client".encode(),
            3,
            "authorization is not printable ASCII",
        ),
        (b"authorization: \x00", 3, "authorization is not printable ASCII"),
        (b"\xff\xfe\xfd", 3, "line 1 of the request headers has no colon"),
        (b"grpc-timeout: soon", 13, "malformed grpc-timeout: soon"),
        (b"a: " + b"x" * 65536, 8, "request headers of 65539 bytes; at most 65536 are read"),
        (framed(b"\x0a\x00"), 3, "the request headers has no colon"),
    ],
)
async def test_headers_that_are_none(target: str, headers: bytes, code: int, text: str) -> None:
    got = await sent(target, headers)
    assert got.status[0] == code
    assert text in got.status[1]
    assert SECRET not in got.status[1]


@pytest.mark.parametrize("headers", [b"a: b\n\nc: d", b"a: b\r\n\r\n", b"a:b", b"\r\n"])
async def test_headers_that_are_a_little_off(target: str, headers: bytes) -> None:
    assert (await sent(target, headers, END)).status == (0, "")


async def test_text_where_headers_should_be(target: str) -> None:
    got = await sent(target, header_text().decode())
    assert got.status == (13, "a websocket message of text; gRPC-web sends binary ones")


async def test_text_where_a_message_should_be(target: str) -> None:
    got = await sent(target, header_text(), flagged(transaction("a")).decode("latin-1"))
    assert got.status == (13, "a websocket message of text; gRPC-web sends binary ones")


async def test_empty_websocket_messages_are_nothing(target: str) -> None:
    got = await sent(target, b"", header_text(), b"", b"\x00", flagged(transaction("a")), b"", END)
    assert got.status == (0, "")
    assert len(got.messages) == 1


@pytest.mark.parametrize("data", [b"\x02", b"\x01\x00", b"\xff" * 100, b"\x80" + framed(b"")])
async def test_a_flag_byte_that_means_nothing(target: str, data: bytes) -> None:
    got = await sent(target, header_text(), flagged(transaction("a")), data)
    assert got.status[0] == 13
    assert got.status[1].startswith(f"a websocket message of {len(data)} bytes begins with {data[0]}")


@pytest.mark.parametrize("more", [END, flagged(transaction("a")), b"\x00"])
async def test_more_after_the_end(more: bytes) -> None:
    async def handler(call: Call, exchange: Exchange) -> None:
        await asyncio.Event().wait()

    async with door({BOTH_WAYS: handler}) as target:
        got = await sent(target, header_text(), END, more)
    assert got.status == (13, "the client had said that it sends no more, and sent more")


@pytest.mark.parametrize("path", [BOTH_WAYS, UNARY])
@pytest.mark.parametrize(
    ("frame", "code", "text"),
    [
        (b"\x01" + framed(b"")[1:], 13, "grpc: compressed flag set with identity or empty encoding"),
        (b"\x80" + framed(b"")[1:], 13, "grpc: received unexpected payload format 128"),
        (b"\x00\xff\xff\xff\xff", 8, "grpc: received message larger than max (4294967295 vs. 4194304)"),
        (b"\x00\x00\x40\x00\x01", 8, "grpc: received message larger than max (4194305 vs. 4194304)"),
        (framed(b"\xff\xff\xff"), 13, "grpc: error unmarshalling request"),
        (framed(b"abc")[:-1], 13, "unexpected EOF"),
        (b"\x00\x00", 13, "unexpected EOF"),
    ],
)
async def test_a_frame_that_is_none(target: str, path: str, frame: bytes, code: int, text: str) -> None:
    got = await sent(target, header_text(), b"\x00" + frame, END, path=path)
    assert got.status[0] == code
    assert text in got.status[1]


@pytest.mark.parametrize("size", [4 * MIB + 1, 5 * MIB, MAX_SOCKET_MESSAGE - 6])
async def test_a_message_over_the_limit_is_refused_with_a_status(target: str, size: int) -> None:
    got = await sent(target, header_text(), flagged(bytes(size)))
    assert got.status == (8, f"grpc: received message larger than max ({size} vs. 4194304)")


async def test_a_websocket_message_over_its_limit_is_cut_off(target: str) -> None:
    async with opened(target, BOTH_WAYS) as websocket:
        await websocket.send(header_text())
        with pytest.raises(ConnectionClosed):
            await websocket.send(flagged(bytes(MAX_SOCKET_MESSAGE)))
            await websocket.recv()
        assert websocket.close_code == 1009


async def test_garbage_instead_of_a_websocket(target: str) -> None:
    for garbage in (
        b"\x16\x03\x01" * 100,
        b"GET\r\n\r\n",
        b"\r\n" * 100,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ):
        reader, writer = await asyncio.open_connection(*target.split(":"))
        writer.write(garbage)
        writer.write_eof()
        await reader.read()
        writer.close()


async def test_garbage_on_a_websocket(target: str) -> None:
    async with opened(target, BOTH_WAYS) as websocket:
        await websocket.send(header_text())
        websocket.transport.write(b"\xff" * 100)
        with pytest.raises(ConnectionClosed):
            await websocket.recv()
        assert websocket.close_code == 1002


@pytest.mark.parametrize("protocols", [None, ["grpc"], ["grpc-websockets2"]])
async def test_a_websocket_of_another_protocol(target: str, protocols: list[str] | None) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with opened(target, BOTH_WAYS, subprotocols=protocols):
            pass
    assert refused.value.response.status_code == 400


async def test_origins_that_may_not_call() -> None:
    async with door({UNARY: unary}, origins=("https://app.example",)) as target:
        with pytest.raises(InvalidStatus) as refused:
            async with opened(target, UNARY, origin="https://elsewhere.example"):
                pass
        assert refused.value.response.status_code == 403
        for origin in ("https://app.example", None):
            async with opened(target, UNARY, origin=origin) as websocket:
                for data in (header_text(), flagged(b""), END):
                    await websocket.send(data)
                assert (await answer(websocket)).status == (0, "")


async def test_two_hundred_clients_that_leave_at_once(target: str) -> None:
    async def leave(number: int) -> None:
        async with opened(target, BOTH_WAYS) as websocket:
            await websocket.send(header_text())
            await websocket.send(flagged(transaction("x" * 1000 * number))[: -number or None])
            websocket.transport.abort()

    await asyncio.gather(*(leave(number) for number in range(200)))


async def test_pings_of_a_client_that_reads_nothing_do_not_pile_up() -> None:
    opened_door = WebDoor(
        Routes([Service(pb.ApiBase, {BOTH_WAYS: echo})], Everybody()), origins=None, limits=LIMITS
    )
    await opened_door.start("127.0.0.1", 0)
    async with opened(f"127.0.0.1:{opened_door.port}", BOTH_WAYS, receive_buffer=4096) as websocket:
        websocket.transport.pause_reading()
        ping = b"\x89\xfd" + bytes(4) + b"x" * 125
        for _ in range(400):
            websocket.transport.write(ping * 500)
            await websocket.drain()
        (connection,) = opened_door._server.connections
        assert connection.transport.get_write_buffer_size() < MIB
        websocket.transport.abort()
    await opened_door.shutdown(grace=0)


async def test_empty_fragments_without_end_are_cut_off(target: str) -> None:
    async with opened(target, BOTH_WAYS) as websocket:
        await websocket.send(header_text())
        websocket.transport.write(b"\x02\x80" + bytes(4) + (b"\x00\x80" + bytes(4)) * (MAX_FRAGMENTS + 1))
        with pytest.raises(ConnectionClosed):
            await websocket.recv()
        assert websocket.close_code == 1009
