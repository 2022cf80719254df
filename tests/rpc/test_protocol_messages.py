"""Messages out of payloads: prefix, limits, credit, ends."""

from __future__ import annotations

import asyncio
import struct

import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError
from hypothesis import given, settings
from hypothesis import strategies as st

from textile_aio._rpc.messages import MessageBuffer, prefix


class Credits(list[int]):
    def __call__(self, size: int) -> None:
        self.append(size)


def buffer(limit: int = 1_000_000, *, server: bool = True) -> tuple[MessageBuffer, Credits]:
    given = Credits()
    return MessageBuffer(given, limit=limit, server=server), given


def framed(message: bytes) -> bytes:
    return prefix(len(message)) + message


@settings(deadline=None)
@given(
    messages=st.lists(st.integers(0, 70_000).map(lambda n: bytes([n % 251]) * n), max_size=8),
    cuts=st.lists(st.integers(0, 10**6), max_size=12),
    owned=st.booleans(),
)
async def test_messages_survive_any_cut_into_payloads(
    messages: list[bytes], cuts: list[int], owned: bool
) -> None:
    stream = b"".join(map(framed, messages))
    marks = sorted(cut % (len(stream) + 1) for cut in cuts)
    received, given_back = buffer()
    for a, b in zip([0, *marks], [*marks, len(stream)], strict=True):
        payload = bytearray(stream[a:b])
        received.add(memoryview(payload), b - a, owned)
        if not owned:
            payload[:] = bytes(len(payload))  # as the transport overwrites it
    received.eof()
    got = []
    while (message := await received.next_message()) is not None:
        got.append(bytes(message))
    assert got == messages
    assert sum(given_back) + received.unacked_size() == len(stream)


async def test_grpclibs_own_way_to_read_sees_the_same() -> None:
    received, _ = buffer()
    received.add(framed(b"hello") + framed(b"") + framed(b"12345"), 25)
    received.eof()
    for expected in (b"hello", b"", b"12345"):
        head = await received.read(5)
        assert await received.read(struct.unpack(">xL", head)[0]) == expected
    assert await received.read(5) == b""


async def test_unread_bytes_are_not_credited() -> None:
    received, given_back = buffer()
    for _ in range(3):
        received.add(framed(bytes(95)), 100)
    assert given_back == []
    await received.next_message()
    assert given_back == [100]
    assert received.unacked_size() == 200


async def test_a_waiting_reader_has_a_long_message_credited_as_it_comes() -> None:
    received, given_back = buffer()
    received.add(prefix(1_000), 5)
    waiting = asyncio.ensure_future(received.next_message())
    await asyncio.sleep(0)
    assert given_back == [5]
    for _ in range(4):
        received.add(bytes(250), 250)
    assert await waiting == bytes(1_000)
    assert given_back == [5, 250, 250, 250, 250]


async def test_padding_is_credited_at_once() -> None:
    received, given_back = buffer()
    received.add(framed(b"abc"), 8 + 20)
    assert given_back == [20]


async def test_a_cancelled_reader_loses_nothing() -> None:
    received, _ = buffer()
    waiting = asyncio.ensure_future(received.next_message())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    received.add(framed(b"kept"), 9)
    assert await received.next_message() == b"kept"


async def test_two_readers_are_a_mistake() -> None:
    received, _ = buffer()
    waiting = asyncio.ensure_future(received.next_message())
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="already reading"):
        await received.next_message()
    received.eof()
    assert await waiting is None


async def refusal(
    data: bytes, *, server: bool = True, encoding: str | None = None, eof: bool = False
) -> GRPCError:
    received, given_back = buffer(100, server=server)
    received.encoding = encoding
    received.add(framed(b"before") + data, len(data) + 11)
    if eof:
        received.eof()
    assert await received.next_message() == b"before"
    for _ in range(2):
        with pytest.raises(GRPCError) as caught:
            await received.next_message()
    received.add(bytes(500), 500)
    assert sum(given_back) == len(data) + 511, "what comes after a refusal must not hold the windows"
    return caught.value


async def test_a_message_over_the_limit_is_refused_at_its_prefix() -> None:
    error = await refusal(prefix(101))
    assert error.status is Status.RESOURCE_EXHAUSTED
    assert error.message == "grpc: received message larger than max (101 vs. 100)"
    assert (await refusal(prefix(2**32 - 1))).status is Status.RESOURCE_EXHAUSTED


@pytest.mark.parametrize(
    ("encoding", "server", "status", "text"),
    [
        (None, True, Status.INTERNAL, "grpc: compressed flag set with identity or empty encoding"),
        ("identity", False, Status.INTERNAL, "grpc: compressed flag set with identity or empty encoding"),
        ("gzip", True, Status.UNIMPLEMENTED, 'grpc: Decompressor is not installed for grpc-encoding "gzip"'),
        ("gzip", False, Status.INTERNAL, 'grpc: Decompressor is not installed for grpc-encoding "gzip"'),
    ],
)
async def test_a_compressed_message_is_refused(
    encoding: str, server: bool, status: Status, text: str
) -> None:
    error = await refusal(b"\x01\x00\x00\x00\x01x", encoding=encoding, server=server)
    assert (error.status, error.message) == (status, text)


async def test_an_unknown_payload_format_is_refused() -> None:
    error = await refusal(b"\x07\x00\x00\x00\x01x")
    assert (error.status, error.message) == (Status.INTERNAL, "grpc: received unexpected payload format 7")


@pytest.mark.parametrize("data", [b"\x00", b"\x00\x00\x00\x00", prefix(10), prefix(10) + b"123456789"])
async def test_a_message_cut_short_by_the_end_is_an_error(data: bytes) -> None:
    error = await refusal(data, eof=True)
    assert (error.status, error.message) == (Status.INTERNAL, "unexpected EOF")


async def test_a_large_message_takes_memory_only_as_it_comes() -> None:
    received, _ = buffer(10**9)
    received.add(prefix(10**9) + b"x", 6)
    assert received._body is not None
    assert len(received._body) <= 512 * 1024
