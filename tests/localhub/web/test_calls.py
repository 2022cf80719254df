"""Calls of every kind through the gRPC-web door, frame by frame (spec: gateway-and-web §B3)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.localhub.web.client import PROTOCOL, answer, call, opened
from tests.localhub.web.frames import END, flagged, framed, header_text
from tests.localhub.web.scripted import (
    BOTH_WAYS,
    SERVER_STREAM,
    UNARY,
    door,
    listened,
    name_of,
    replied,
    reply_of,
    text_of,
    transaction,
)
from textile_aio._proto.threads import pb
from textile_aio.errors import NotFound, StatusCode
from textile_aio.localhub.call import Call, Exchange

REQUEST = bytes(pb.DeleteDbRequest(db_id=b"a database"))


async def echo(call: Call, exchange: Exchange) -> None:
    while (message := await exchange.recv()) is not None:
        await exchange.send(replied(text_of(message)))


async def test_a_unary_call() -> None:
    seen: list[Any] = []

    async def handler(call: Call, request: pb.DeleteDbRequest) -> pb.DeleteDbReply:
        seen.append((request.db_id, dict(call.headers), call.method))
        return pb.DeleteDbReply()

    async with door({UNARY: handler}) as target:
        metadata = {
            "host": "http://127.0.0.1:3007",
            "X-Textile-Thread": "a thread",
            "authorization": "bearer x",
        }
        got = await call(target, UNARY, REQUEST, metadata=metadata)
    assert seen == [(b"a database", {"x-textile-thread": "a thread", "authorization": "bearer x"}, UNARY)]
    assert got.headers == {"content-type": "application/grpc-web+proto"}
    assert got.messages == [b""]
    assert got.trailers == {"grpc-status": "0"}


async def test_a_server_stream_keeps_its_order() -> None:
    async def handler(call: Call, request: pb.ListenRequest, exchange: Exchange) -> None:
        for number in range(100):
            await exchange.send(listened(f"{number}"))

    async with door({SERVER_STREAM: handler}) as target:
        got = await call(target, SERVER_STREAM, b"")
    assert [name_of(each) for each in got.messages] == [f"{number}" for number in range(100)]
    assert got.status == (0, "")


async def test_a_message_is_there_as_soon_as_it_is_sent() -> None:
    async with door({BOTH_WAYS: echo}) as target, opened(target, BOTH_WAYS) as websocket:
        await websocket.send(header_text())
        for text in ("one", "two"):
            await websocket.send(flagged(transaction(text)))
            message = await websocket.recv(decode=False)
            if message[0] == 0x80:
                message = await websocket.recv(decode=False)
            assert reply_of(message[5:]) == text
        await websocket.send(END)
        trailers = await websocket.recv(decode=False)
        assert b"grpc-status: 0" in trailers


async def test_the_header_frame_is_alone_in_its_websocket_message() -> None:
    async with door({BOTH_WAYS: echo}) as target, opened(target, BOTH_WAYS) as websocket:
        for data in (header_text(), flagged(transaction("text")), END):
            await websocket.send(data)
        first = await websocket.recv(decode=False)
        assert first[0] == 0x80
        assert len(first) == 5 + int.from_bytes(first[1:5], "big")


async def test_response_headers_come_before_any_message() -> None:
    go_on = asyncio.Event()

    async def handler(call: Call, request: pb.ListenRequest, exchange: Exchange) -> None:
        await exchange.begin({"textile-aio-position": "17"})
        await go_on.wait()
        await exchange.send(listened("first"))

    async with door({SERVER_STREAM: handler}) as target, opened(target, SERVER_STREAM) as websocket:
        for data in (header_text(), flagged(b""), END):
            await websocket.send(data)
        assert b"textile-aio-position: 17\r\n" in await websocket.recv(decode=False)
        go_on.set()
        assert name_of((await websocket.recv(decode=False))[5:]) == "first"


async def test_the_end_of_the_client_is_seen_by_the_handler() -> None:
    async def handler(call: Call, exchange: Exchange) -> None:
        texts = []
        while (message := await exchange.recv()) is not None:
            texts.append(text_of(message))
        await exchange.send(replied("+".join(texts)))

    async with door({BOTH_WAYS: handler}) as target:
        got = await call(target, BOTH_WAYS, transaction("a"), transaction("b"))
    assert [reply_of(each) for each in got.messages] == ["a+b"]


async def test_a_handler_may_end_before_the_client_does() -> None:
    async def handler(call: Call, exchange: Exchange) -> None:
        await exchange.recv()

    async with door({BOTH_WAYS: handler}) as target, opened(target, BOTH_WAYS) as websocket:
        await websocket.send(header_text())
        await websocket.send(flagged(transaction("a")))
        got = await answer(websocket)
    assert got.status == (0, "")


@pytest.mark.parametrize("after", [0, 1])
async def test_a_refusal_travels_in_the_trailers(after: int) -> None:
    text = "not f\u00fcnd: 100% \u2713\r\n"

    async def handler(call: Call, request: pb.ListenRequest, exchange: Exchange) -> None:
        for _ in range(after):
            await exchange.send(listened(""))
        raise NotFound(text, code=StatusCode.NOT_FOUND)

    async with door({SERVER_STREAM: handler}) as target:
        got = await call(target, SERVER_STREAM, b"")
    assert got.status == (5, text)
    assert len(got.messages) == after
    assert (got.trailers is None) == (after == 0), "without a message there is a single frame"


async def test_a_failure_of_the_hub_says_no_more_than_that(caplog: pytest.LogCaptureFixture) -> None:
    async def handler(call: Call, request: pb.DeleteDbRequest) -> pb.DeleteDbReply:
        raise RuntimeError("a secret of the hub")

    async with door({UNARY: handler}) as target:
        got = await call(target, UNARY, REQUEST)
    assert got.status == (13, "internal error; the hub's log has the details")
    assert "a secret of the hub" in caplog.text


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/threads.pb.API/Nope", "unknown method Nope for service threads.pb.API"),
        ("/no.Service/Nope", "unknown service no.Service"),
        ("/", 'malformed method name: "/"'),
        ("/%C3%A9/%41", "unknown service \u00e9"),
    ],
)
async def test_a_method_that_is_not_there(path: str, text: str) -> None:
    async with door({}) as target:
        got = await call(target, path, b"")
    assert got.status == (12, text)
    assert got.trailers is None


async def test_a_method_that_is_not_built() -> None:
    async with door({}) as target:
        got = await call(target, UNARY, REQUEST)
    assert got.status[0] == 12


async def test_a_unary_call_without_a_message() -> None:
    async with door({}) as target:
        got = await call(target, UNARY)
    assert got.status == (13, "the call carried no request message")


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
async def test_frames_may_be_cut_anywhere(size: int) -> None:
    stream = b"".join(framed(transaction(f"{number}" * 40)) for number in range(20))
    async with door({BOTH_WAYS: echo}) as target, opened(target, BOTH_WAYS) as websocket:
        await websocket.send(header_text())
        for start in range(0, len(stream), size):
            await websocket.send(b"\x00" + stream[start : start + size])
        await websocket.send(END)
        got = await answer(websocket)
    assert [reply_of(each) for each in got.messages] == [f"{number}" * 40 for number in range(20)]


async def test_frames_may_be_joined_and_websocket_messages_fragmented() -> None:
    stream = b"".join(framed(transaction(f"{number}")) for number in range(20))
    async with door({BOTH_WAYS: echo}) as target, opened(target, BOTH_WAYS) as websocket:
        await websocket.send(header_text())
        await websocket.send([b"\x00" + stream[:50], stream[50:51], stream[51:]])
        await websocket.send(END)
        got = await answer(websocket)
    assert [reply_of(each) for each in got.messages] == [f"{number}" for number in range(20)]


async def test_a_message_of_four_mebibytes_passes_both_ways() -> None:
    text = "x" * (4 * 1024 * 1024 - 64)
    async with door({BOTH_WAYS: echo}) as target:
        got = await call(target, BOTH_WAYS, transaction(text))
    assert got.status == (0, "")
    assert reply_of(got.messages[0]) == text


async def test_a_deadline_that_the_client_sets() -> None:
    ended = asyncio.Event()

    async def handler(call: Call, request: pb.DeleteDbRequest) -> pb.DeleteDbReply:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return pb.DeleteDbReply()

    async with door({UNARY: handler}) as target:
        got = await call(target, UNARY, REQUEST, metadata={"grpc-timeout": "20m"})
        assert ended.is_set()
    assert got.status == (4, "context deadline exceeded")


async def test_two_hundred_sockets_at_once() -> None:
    count, all_there = 200, asyncio.Event()
    waiting = 0

    async def handler(call: Call, exchange: Exchange) -> None:
        nonlocal waiting
        message = await exchange.recv()
        waiting += 1
        if waiting == count:
            all_there.set()
        await all_there.wait()
        await exchange.send(replied(text_of(message)))  # type: ignore[arg-type]

    async with door({BOTH_WAYS: handler}) as target:
        answers = await asyncio.gather(
            *(call(target, BOTH_WAYS, transaction(f"{number}")) for number in range(count))
        )
    assert [reply_of(got.messages[0]) for got in answers] == [f"{number}" for number in range(count)]


@pytest.mark.parametrize("offered", [[PROTOCOL], ["other", "GRPC-Websockets"]])
async def test_the_subprotocol_is_echoed_as_it_was_offered(offered: list[str]) -> None:
    async with door({}) as target, opened(target, UNARY, subprotocols=offered) as websocket:
        assert websocket.subprotocol == offered[-1]


async def test_nothing_is_compressed() -> None:
    async with door({}) as target, opened(target, UNARY, compression="deflate") as websocket:
        assert websocket.protocol.extensions == []
