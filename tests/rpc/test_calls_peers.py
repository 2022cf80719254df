"""Calls to servers that answer oddly, break the protocol, or are no gRPC servers at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import pytest
from h2.errors import ErrorCodes

from tests.rpc.leaks import nothing_left
from tests.rpc.peer import GRPC_HEADERS, Peer, Script, answering, framed, scripted
from tests.rpc.service import CHAT, COUNT_UNSAFE, CTX, ECHO, RANGE, channel, live_link
from textile_aio import errors
from textile_aio._rpc.method import Method
from textile_aio._rpc.retry import RetryPolicy
from textile_aio._rpc.switch import is_fast

on_our_transport = pytest.mark.skipif(
    not is_fast(choice=None),
    reason="grpclib's own transport waits for more bytes, and ends calls on any GOAWAY",
)


async def outcome(script: Script, method: Method[bytes, bytes] = COUNT_UNSAFE, **options: Any) -> bytes:
    async with nothing_left(), scripted(script) as port, channel(port, **options) as ch:
        return await ch.unary(method, b"?", CTX, timeout=20)


async def test_a_trailers_only_refusal_is_understood() -> None:
    def script(peer: Peer, stream: int) -> None:
        peer.headers(stream, ("grpc-status", "5"), ("grpc-message", "db not found"), end=True)

    with pytest.raises(errors.DatabaseNotFound) as caught:
        await outcome(script)
    assert caught.value.code is errors.StatusCode.NOT_FOUND


@pytest.mark.parametrize(
    ("wire", "text"),
    [
        (b"caf%C3%A9", "caf\u00e9"),
        (b"50%25 done", "50% done"),
        (b"50% done", "50% done"),
        (b"%FF%FEbroken", "\ufffd\ufffdbroken"),
        (b"caf\xc3\xa9", "caf\u00e9"),  # sent raw
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"", ""),
    ],
)
async def test_status_messages_are_decoded_and_never_fail(wire: bytes, text: str) -> None:
    def script(peer: Peer, stream: int) -> None:
        peer.headers(stream)
        peer.trailers(stream, (b"grpc-status", b"13"), (b"grpc-message", wire))

    with pytest.raises(errors.RemoteError) as caught:
        await outcome(script)
    assert caught.value.message == text


async def test_a_status_number_outside_grpc_counts_as_unknown() -> None:
    def script(peer: Peer, stream: int) -> None:
        peer.headers(stream, ("grpc-status", "99"), ("grpc-message", "what"), end=True)

    with pytest.raises(errors.RemoteError) as caught:
        await outcome(script)
    assert caught.value.code is errors.StatusCode.UNKNOWN


@pytest.mark.parametrize("status", ["", "abc", "-1", "1.0"])
async def test_a_status_that_is_no_number_is_a_protocol_error(status: str) -> None:
    def script(peer: Peer, stream: int) -> None:
        peer.headers(stream)
        peer.trailers(stream, ("grpc-status", status))

    with pytest.raises(errors.ProtocolError, match="grpc-status"):
        await outcome(script)


def ok_without_reply(peer: Peer, stream: int) -> None:
    peer.headers(stream)
    peer.trailers(stream, ("grpc-status", "0"))


def two_replies(peer: Peer, stream: int) -> None:
    peer.headers(stream)
    peer.data(stream, framed(b"a") + framed(b"b"))
    peer.trailers(stream, ("grpc-status", "0"))


def no_trailers(peer: Peer, stream: int) -> None:
    peer.headers(stream)
    peer.data(stream, framed(b"a"), end=True)


def headers_only(peer: Peer, stream: int) -> None:
    peer.headers(stream, end=True)


def trailers_without_status(peer: Peer, stream: int) -> None:
    peer.headers(stream)
    peer.data(stream, framed(b"a"))
    peer.trailers(stream, ("x", "y"))


def compressed(peer: Peer, stream: int) -> None:
    peer.headers(stream)
    peer.data(stream, b"\x01\0\0\0\x01a")


def cut_message(peer: Peer, stream: int) -> None:
    peer.headers(stream)
    peer.data(stream, b"\0\0\0\0\x09abc")
    peer.trailers(stream, ("grpc-status", "0"))


def html(peer: Peer, stream: int) -> None:
    peer.h2.send_headers(stream, [(":status", "200"), ("content-type", "text/html")])
    peer.data(stream, b"<html>", end=True)


def reset_without_error(peer: Peer, stream: int) -> None:
    peer.reset(stream, ErrorCodes.NO_ERROR)


@pytest.mark.parametrize(
    "script",
    [
        ok_without_reply,
        two_replies,
        no_trailers,
        headers_only,
        trailers_without_status,
        compressed,
        cut_message,
        html,
        reset_without_error,
    ],
)
async def test_answers_that_are_not_the_promised_ones_are_protocol_errors(script: Script) -> None:
    with pytest.raises(errors.ProtocolError, match=r"127\.0\.0\.1"):
        await outcome(script)


async def test_a_message_over_the_limit_is_refused_before_it_arrives() -> None:
    def script(peer: Peer, stream: int) -> None:
        peer.headers(stream)
        peer.data(stream, b"\0\x7f\xff\xff\xff")

    with pytest.raises(errors.MessageTooLarge):
        await outcome(script)


async def test_a_status_after_a_cut_message_says_why() -> None:
    def script(peer: Peer, stream: int) -> None:
        peer.headers(stream)
        peer.data(stream, b"\0\0\0\0\x09abc")
        peer.trailers(stream, ("grpc-status", "15"), ("grpc-message", "disk"))

    with pytest.raises(errors.RemoteError, match="disk"):
        await outcome(script)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("400", errors.RemoteError),
        ("401", errors.Unauthenticated),
        ("403", errors.PermissionDenied),
        ("404", errors.Unimplemented),
        ("429", errors.Unavailable),
        ("502", errors.Unavailable),
        ("503", errors.Unavailable),
        ("504", errors.Unavailable),
        ("500", errors.RemoteError),
    ],
)
async def test_http_statuses_are_translated(status: str, kind: type[errors.TextileError]) -> None:
    def script(peer: Peer, stream: int) -> None:
        peer.h2.send_headers(stream, [(":status", status), ("content-type", "text/html")], end_stream=True)

    with pytest.raises(kind, match=status) as caught:
        await outcome(script)
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (ErrorCodes.PROTOCOL_ERROR, errors.RemoteError),
        (ErrorCodes.INTERNAL_ERROR, errors.RemoteError),
        (ErrorCodes.REFUSED_STREAM, errors.Unavailable),
        (ErrorCodes.CANCEL, errors.CancelledByPeer),
        (ErrorCodes.ENHANCE_YOUR_CALM, errors.ResourceExhausted),
        (ErrorCodes.INADEQUATE_SECURITY, errors.PermissionDenied),
        (0xABCD, errors.RemoteError),
    ],
)
async def test_resets_are_translated(code: int, kind: type[errors.TextileError]) -> None:
    with pytest.raises(kind) as caught:
        await outcome(lambda peer, stream: peer.reset(stream, code))
    assert type(caught.value) is kind
    assert caught.value.method == COUNT_UNSAFE.path
    assert caught.value.__cause__ is not None


async def test_a_refused_stream_is_repeated_even_if_unsafe() -> None:
    attempts = []

    def script(peer: Peer, stream: int) -> None:
        attempts.append(stream)
        if len(attempts) < 3:
            peer.reset(stream, ErrorCodes.REFUSED_STREAM)
        else:
            peer.answer(stream, b"at last")

    assert await outcome(script, retry=RetryPolicy(initial=0)) == b"at last"
    assert len(attempts) == 3


async def test_a_connection_closed_mid_call_is_unavailable_and_not_repeated() -> None:
    attempts = []

    def script(peer: Peer, stream: int) -> None:
        attempts.append(stream)
        peer.headers(stream)
        peer.hang_up()

    with pytest.raises(errors.Unavailable, match="broke during the call"):
        await outcome(script, retry=RetryPolicy(initial=0))
    assert len(attempts) == 1


async def test_a_safe_call_is_repeated_over_a_new_connection() -> None:
    peers = set()

    def script(peer: Peer, stream: int) -> None:
        peers.add(peer)
        if len(peers) < 3:
            peer.hang_up()
        else:
            peer.answer(stream, b"third time")

    assert await outcome(script, ECHO, retry=RetryPolicy(initial=0)) == b"third time"


async def test_a_goaway_with_an_error_ends_calls_and_says_so() -> None:
    def script(peer: Peer, stream: int) -> None:
        peer.h2.close_connection(ErrorCodes.ENHANCE_YOUR_CALM, last_stream_id=stream)

    with pytest.raises(errors.Unavailable, match="fewer keepalive pings"):
        await outcome(script)


async def test_a_call_that_a_goaway_left_out_is_repeated_even_if_unsafe() -> None:
    peers = set()

    def script(peer: Peer, stream: int) -> None:
        peers.add(peer)
        if len(peers) == 1:
            peer.h2.close_connection(ErrorCodes.NO_ERROR, last_stream_id=0)
        else:
            peer.answer(stream, b"elsewhere")

    assert await outcome(script, retry=RetryPolicy(initial=0)) == b"elsewhere"
    assert len(peers) == 2


@on_our_transport
async def test_a_friendly_goaway_lets_calls_finish_and_later_ones_go_elsewhere() -> None:
    peers: list[Peer] = []

    def script(peer: Peer, stream: int) -> None:
        if peer not in peers:
            peers.append(peer)
        if len(peers) == 1:
            peer.headers(stream)
            peer.data(stream, framed(b"begun"))
            peer.raw(b"\0\0\x08\x07\0\0\0\0\0" + stream.to_bytes(4, "big") + bytes(4))
        else:
            peer.answer(stream, b"elsewhere")

    async with (
        nothing_left(),
        scripted(script) as port,
        channel(port) as ch,
        ch.stream(RANGE, CTX, request=b"", timeout=20) as stream,
    ):
        assert await stream.recv() == b"begun"
        assert await ch.unary(ECHO, b"", CTX, timeout=20) == b"elsewhere"
        peers[0].data(1, framed(b"finished"))
        peers[0].trailers(1, ("grpc-status", "0"))
        assert [reply async for reply in stream] == [b"finished"]
    assert len(peers) == 2


@on_our_transport
@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\n\r\n<html>no</html>",
        b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n",
        bytes(range(256)) * 4,
        b"\x15\x03\x01\x00\x02\x02\x0a" * 3,  # TLS alerts
    ],
)
@pytest.mark.parametrize("close", [True, False])
async def test_another_protocol_on_the_port_is_a_protocol_error_with_advice(
    answer: bytes, close: bool
) -> None:
    async with nothing_left(), answering(answer, close=close) as port, channel(port) as ch:
        with pytest.raises(errors.ProtocolError, match="gRPC port") as caught:
            await ch.unary(ECHO, b"", CTX, timeout=20)
    assert caught.value.method == ECHO.path


async def test_a_port_that_hangs_up_at_once_is_unavailable() -> None:
    async with nothing_left(), answering(b"", close=True) as port, channel(port) as ch:
        with pytest.raises(errors.Unavailable):
            await ch.unary(ECHO, b"", CTX, timeout=20)


async def test_a_port_that_says_nothing_is_unavailable_in_time() -> None:
    async with nothing_left(), answering(b"", close=False) as port:
        async with channel(port, connect_timeout=0.05) as ch:
            with pytest.raises(errors.Unavailable, match="no answer within"):
                await ch.unary(ECHO, b"", CTX)
        async with channel(port) as ch:
            with pytest.raises(errors.DeadlineExceeded):
                await ch.unary(ECHO, b"", CTX, timeout=0.05)


async def test_more_calls_than_the_peer_allows_wait_for_their_turn() -> None:
    open_now, most = set(), 0

    async def script(peer: Peer, stream: int) -> None:
        nonlocal most
        open_now.add(stream)
        most = max(most, len(open_now))
        await asyncio.sleep(0)
        open_now.discard(stream)
        peer.answer(stream, b"ok")

    def limited(peer: Peer, stream: int) -> Awaitable[None]:
        return script(peer, stream)

    async with (
        nothing_left(),
        scripted(limited) as port,
        channel(port) as ch,
        asyncio.TaskGroup() as group,
    ):
        tasks = [group.create_task(ch.unary(ECHO, b"", CTX, timeout=20)) for _ in range(250)]
    assert {task.result() for task in tasks} == {b"ok"}


async def test_a_waiting_call_ends_when_the_connection_does() -> None:
    def script(peer: Peer, stream: int) -> None:
        if stream == 1:
            peer.h2.update_settings({3: 1})  # one stream at a time
            peer.headers(stream)
            peer.data(stream, framed(b"go"))

    async with (
        nothing_left(),
        scripted(script) as port,
        channel(port) as ch,
        ch.stream(CHAT, CTX) as stream,
    ):
        assert await stream.recv() == b"go"
        waiting = asyncio.create_task(ch.unary(COUNT_UNSAFE, b"", CTX))
        for _ in range(10):  # until it waits
            await asyncio.sleep(0)
        assert ch._settings is not None
        assert len(ch._settings.running) == 2
        live_link(ch).abort("the cable was pulled")
        with pytest.raises(errors.Unavailable, match="before the call was sent"):
            await waiting
        with pytest.raises(errors.Unavailable, match="cable"):
            await stream.recv()


async def test_replies_that_arrived_before_the_connection_broke_can_be_read_with_their_status() -> None:
    def script(peer: Peer, stream: int) -> None:
        peer.headers(stream)
        peer.data(stream, framed(b"a") + framed(b"b"))
        peer.trailers(stream, ("grpc-status", "0"))
        peer.hang_up()

    async with (
        nothing_left(),
        scripted(script) as port,
        channel(port) as ch,
        ch.stream(RANGE, CTX, request=b"", timeout=20) as stream,
    ):
        assert await stream.recv() == b"a"
        await live_link(ch).until_gone()
        assert await stream.recv() == b"b"
        assert await stream.recv() is None


async def test_replies_and_status_that_came_with_a_reset_are_all_read() -> None:
    def script(peer: Peer, stream: int) -> None:
        peer.h2.send_headers(stream, GRPC_HEADERS)
        peer.h2.send_data(stream, framed(b"a") + framed(b"b"))
        peer.h2.send_headers(stream, [("grpc-status", "0")], end_stream=True)
        peer.reset(stream, ErrorCodes.NO_ERROR)  # everything in one packet

    async with (
        nothing_left(),
        scripted(script) as port,
        channel(port) as ch,
        ch.stream(CHAT, CTX, timeout=20) as stream,
    ):
        assert [await stream.recv() for _ in range(3)] == [b"a", b"b", None]
        await stream.send(b"too late")
        await stream.end()


async def test_a_safe_server_stream_is_opened_again_until_its_first_reply() -> None:
    attempts = []

    def script(peer: Peer, stream: int) -> None:
        attempts.append(stream)
        if len(attempts) == 1:
            peer.hang_up()
        elif len(attempts) == 2:
            peer.headers(stream, ("grpc-status", "14"), end=True)
        else:
            peer.headers(stream)
            peer.data(stream, framed(b"first"))
            peer.hang_up()

    async with (
        nothing_left(),
        scripted(script) as port,
        channel(port, retry=RetryPolicy(initial=0)) as ch,
        ch.stream(ECHO, CTX, request=b"", timeout=20) as stream,
    ):
        assert await stream.recv() == b"first"
        with pytest.raises(errors.Unavailable):
            await stream.recv()
    assert len(attempts) == 3


async def test_a_server_stream_that_is_not_safe_is_not_opened_again() -> None:
    attempts = []

    def script(peer: Peer, stream: int) -> None:
        attempts.append(stream)
        peer.hang_up()

    async with (
        nothing_left(),
        scripted(script) as port,
        channel(port, retry=RetryPolicy(initial=0)) as ch,
        ch.stream(RANGE, CTX, request=b"", timeout=20) as stream,
    ):
        with pytest.raises(errors.Unavailable):
            await stream.recv()
    assert len(attempts) == 1


async def test_a_source_is_asked_for_one_message_at_a_time() -> None:
    asked = 0
    full = asyncio.Event()

    async def source() -> AsyncIterator[bytes]:
        nonlocal asked
        while True:
            asked += 1
            yield bytes(65_536)  # more than the peer's window, which is never credited

    async with (
        nothing_left(),
        scripted(lambda peer, stream: None, window_full=full) as port,
        channel(port) as ch,
        ch.stream(CHAT, CTX, source=source(), timeout=20),
    ):
        await full.wait()
        for _ in range(100):
            await asyncio.sleep(0)
        assert asked == 1


async def test_a_cancelled_send_gives_the_call_up_rather_than_garble_it() -> None:
    full, peers = asyncio.Event(), set()

    async with (
        nothing_left(),
        scripted(lambda peer, stream: peers.add(peer), window_full=full) as port,
        channel(port) as ch,
        ch.stream(CHAT, CTX, timeout=20) as stream,
    ):
        receiving = asyncio.create_task(stream.recv())
        sending = asyncio.create_task(stream.send(bytes(100_000)))
        await full.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        for waits in (receiving, stream.send(b"more"), stream.end(), stream.recv()):
            with pytest.raises(errors.ClosedError, match="given up"):
                await waits
        assert receiving.cancelling() == 0
