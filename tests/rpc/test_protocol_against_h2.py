"""Whatever a peer sends, however it is cut: ours ends as h2 ends."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from typing import Any

import pytest
from grpclib.protocol import Stream
from h2.errors import ErrorCodes
from hpack import Encoder
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.rpc import wire
from tests.rpc.reference import Ours, Reference, Side
from tests.rpc.wire import (
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    PADDED,
    PING,
    PRIORITY,
    PUSH_PROMISE,
    RST_STREAM,
    frame,
)
from textile_aio._rpc import frames
from textile_aio._rpc.limits import Limits

# The first window is the whole one: that streams grow when they are read is told in test_windows.py.
LIMITS = Limits(frame=64 * 1024, first_window=70_000, stream_window=70_000, connection_window=100_000, turn=0)
FRIENDLY = int(ErrorCodes.NO_ERROR)

# A step is bytes from the peer, or something local: (action, stream id).
Step = bytes | tuple[str, int]


@pytest.fixture(params=["as it is", "small buffers"], autouse=True)
def _buffers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames read straight into their own buffer, too, which by default only large ones are."""
    if request.param == "small buffers":
        monkeypatch.setattr(frames, "DIRECT_MIN", 3)
        monkeypatch.setattr(frames, "READ_SIZE", 64)


def padded(data: bytes, pad: int) -> bytes:
    return bytes([pad]) + data + bytes(pad)


def server_opening(encoder: Encoder) -> list[Step]:
    block = wire.request(encoder)
    return [
        wire.PREFACE,
        wire.settings(),
        frame(HEADERS, END_HEADERS, 1, block),
        frame(HEADERS, END_HEADERS, 3, wire.request(encoder)),
    ]


SCENARIOS: dict[str, Any] = {
    "plain data": lambda e: [frame(DATA, 0, 1, b"hello"), frame(DATA, 0, 3, b"world" * 20)],
    "unknown flags": lambda e: [frame(DATA, 0xF6 & ~PADDED, 1, b"hello")],
    "reserved bit": lambda e: [frame(DATA, 0, 1 | 1 << 31, b"hello")],
    "empty": lambda e: [frame(DATA, 0, 1), frame(DATA, 0, 1, b"x")],
    "ending": lambda e: [frame(DATA, 0, 1, b"a"), frame(DATA, END_STREAM, 1, b"b")],
    "ending, empty": lambda e: [frame(DATA, 0, 1, b"a"), frame(DATA, END_STREAM, 1)],
    "after the end": lambda e: [frame(DATA, END_STREAM, 1, b"b"), frame(DATA, 0, 1, b"c")],
    "padded": lambda e: [frame(DATA, PADDED, 1, padded(b"abc", 7)), ("read", 1), frame(DATA, 0, 1, b"d")],
    "padding alone": lambda e: [frame(DATA, PADDED, 1, padded(b"", 7))],
    "padding too long": lambda e: [frame(DATA, PADDED, 1, b"\xff" + b"abc")],
    "padded, no length": lambda e: [frame(DATA, PADDED, 1)],
    "stream 0": lambda e: [frame(DATA, 0, 0, b"x")],
    "idle stream": lambda e: [frame(DATA, 0, 7, b"x")],
    "even stream": lambda e: [frame(DATA, 0, 2, b"x")],
    "reset by peer": lambda e: [frame(RST_STREAM, 0, 1, bytes(4)), frame(DATA, 0, 1, b"x")],
    "reset by us": lambda e: [("reset", 1), frame(DATA, 0, 1, b"x"), frame(DATA, 0, 3, b"y")],
    "read after our reset": lambda e: [frame(DATA, 0, 1, bytes(60_000)), ("reset", 1), ("read", 1)],
    "left by us": lambda e: [frame(DATA, 0, 1, b"a" * 99), ("release", 1), frame(DATA, 0, 1, b"b" * 99)],
    "in a header block": lambda e: [frame(HEADERS, 0, 5, wire.request(e)[:5]), frame(DATA, 0, 1, b"x")],
    "header block in pieces": lambda e: _pieces(e, 5),
    "continuation of another": lambda e: [frame(HEADERS, 0, 5, b"\x82"), frame(CONTINUATION, 4, 1, b"\x82")],
    "naked continuation": lambda e: [frame(CONTINUATION, END_HEADERS, 1, b"\x82")],
    "bad header block": lambda e: [frame(HEADERS, END_HEADERS, 5, b"\xff\xff\xff\xff\xff\xff")],
    "frame too large": lambda e: [frame(DATA, 0, 1, bytes(65_537))],
    "headers too large": lambda e: [frame(HEADERS, END_HEADERS, 5, bytes(65_537))],
    "largest frame": lambda e: [frame(DATA, 0, 1, bytes(65_536))],
    "stream window overrun": lambda e: [frame(DATA, 0, 1, bytes(60_000)), frame(DATA, 0, 1, bytes(10_001))],
    "stream window filled": lambda e: [frame(DATA, 0, 1, bytes(60_000)), frame(DATA, 0, 1, bytes(10_000))],
    "connection overrun": lambda e: [frame(DATA, 0, 1, bytes(50_000)), frame(DATA, 0, 3, bytes(50_001))],
    "window given back": lambda e: [
        frame(DATA, 0, 1, bytes(60_000)),
        ("read", 1),
        frame(DATA, 0, 1, bytes(60_000)),
        ("read", 1),
        frame(DATA, 0, 3, bytes(60_000)),
    ],
    "content-length kept": lambda e: [
        frame(HEADERS, END_HEADERS, 5, wire.request(e, content_length="6")),
        frame(DATA, 0, 5, b"abc"),
        frame(DATA, END_STREAM, 5, b"def"),
    ],
    "content-length exceeded": lambda e: [
        frame(HEADERS, END_HEADERS, 5, wire.request(e, content_length="4")),
        frame(DATA, 0, 5, b"abc"),
        frame(DATA, 0, 5, b"def"),
    ],
    "content-length missed": lambda e: [
        frame(HEADERS, END_HEADERS, 5, wire.request(e, content_length="9")),
        frame(DATA, 0, 5, b"abc"),
        frame(DATA, END_STREAM, 5, b"def"),
    ],
    "goaway between": lambda e: [frame(DATA, 0, 1, b"a"), wire.goaway(0, 2), frame(DATA, 0, 1, b"b")],
    "settings between": lambda e: [
        frame(DATA, 0, 1, b"a"),
        wire.settings({4: 100}),
        frame(DATA, 0, 1, b"b"),
        wire.settings({4: 2**31}),
    ],
    "settings acknowledged": lambda e: [frame(4, 1, 0), frame(DATA, 0, 1, b"b")],
    "window updates": lambda e: [
        wire.window_update(0, 9),
        wire.window_update(1, 9),
        wire.window_update(9, 9),
    ],
    "window update of 0": lambda e: [wire.window_update(1, 0), frame(DATA, 0, 1, b"b")],
    "window overflow, stream": lambda e: [wire.window_update(1, 2**31 - 1), frame(DATA, 0, 1, b"b")],
    "window overflow": lambda e: [wire.window_update(0, 2**31 - 1)],
    "ping": lambda e: [frame(PING, 0, 0, b"12345678"), frame(DATA, 0, 1, b"b")],
    "ping too short": lambda e: [frame(PING, 0, 0, b"1234567")],
    "priority": lambda e: [frame(PRIORITY, 0, 1, struct.pack(">LB", 3, 5)), frame(DATA, 0, 1, b"x")],
    "unknown type": lambda e: [frame(0xEE, 0xFF, 1, b"what"), frame(DATA, 0, 1, b"x")],
    "trailers": lambda e: [
        frame(DATA, 0, 1, b"x"),
        frame(HEADERS, END_HEADERS | END_STREAM, 1, bytes(e.encode([("t", "v")]))),
        frame(DATA, 0, 3, b"x"),
    ],
    "push promise": lambda e: [frame(PUSH_PROMISE, END_HEADERS, 1, struct.pack(">L", 2) + wire.request(e))],
    "old stream again": lambda e: [
        frame(DATA, END_STREAM, 1, b"b"),
        frame(HEADERS, END_HEADERS, 1, wire.request(e)),
    ],
    "bad header of a frame cut short": lambda e: [b"\x01", frame(DATA, 0, 1)],
    "garbage": lambda e: [b"GET / HTTP/1.1\r\nHost: there\r\n\r\n"],
}


def _pieces(encoder: Encoder, stream_id: int) -> list[Step]:
    block = wire.request(encoder)
    return [
        frame(HEADERS, 0, stream_id, block[:3]),
        frame(CONTINUATION, 0, stream_id, block[3:5]),
        frame(CONTINUATION, END_HEADERS, stream_id, block[5:]),
        frame(DATA, 0, stream_id, b"after"),
    ]


def segments(steps: list[Step]) -> Iterator[tuple[bytes, tuple[str, int] | None]]:
    """Bytes that come without anything local in between, and the local act after them."""
    data = b""
    for step in steps:
        if isinstance(step, tuple):
            yield data, step
            data = b""
        else:
            data += step
    yield data, None


def play(side: Side, steps: list[Step], cut: Any) -> dict[str, Any]:
    for data, action in segments(steps):
        side.feed(cut(data))  # type: ignore[attr-defined]
        if action is not None:
            side.act(*action)
    return side.outcome()


def whole(data: bytes) -> list[bytes]:
    return [data]


def assert_same(ours: dict[str, Any], reference: dict[str, Any]) -> None:
    for key, expected in reference.items():
        assert ours[key] == expected, key


@pytest.mark.parametrize("name", SCENARIOS)
async def test_a_server_ends_as_h2_ends(name: str) -> None:
    encoder = Encoder()
    steps = [*server_opening(encoder), *SCENARIOS[name](encoder)]
    expected = play(Reference(LIMITS, client=False), steps, whole)
    total = max(len(data) for data, _ in segments(steps))
    every = range(1, total) if total < 1_000 else random.Random(1).sample(range(1, total), 60)
    assert_same(play(Ours(LIMITS, client=False), steps, whole), expected)
    for at in every:
        assert_same(
            play(Ours(LIMITS, client=False), steps, lambda data, at=at: [data[:at], data[at:]]), expected
        )
    if total < 1_000:
        byte_by_byte = play(Ours(LIMITS, client=False), steps, lambda data: [bytes([b]) for b in data])
        assert_same(byte_by_byte, expected)


@pytest.mark.parametrize(
    "garbage", [b"GET / HTTP/1.1\r\n\r\n", wire.PREFACE[:20] + b"XXXXXX", b"\x16\x03\x01\x02\x00"]
)
async def test_a_server_that_hears_no_preface_ends_as_h2_ends(garbage: bytes) -> None:
    expected = play(Reference(LIMITS, client=False), [garbage], whole)
    for at in range(len(garbage)):
        assert_same(play(Ours(LIMITS, client=False), [garbage], lambda d, at=at: [d[:at], d[at:]]), expected)
    assert expected["closed"]


async def client_with_calls(side: Side) -> Side:
    """A client with two requests sent."""
    for _ in range(2):
        stream: Stream = side.protocol.connection.create_stream()
        release = await stream.send_request(
            [(":method", "POST"), (":scheme", "http"), (":path", "/s/m"), (":authority", "a")],
            _processor=side.protocol.processor,
        )
        side.adopt(stream, release)
    side.flush()
    return side


CLIENT_SCENARIOS: dict[str, Any] = {
    "data before headers": lambda e: [frame(DATA, 0, 1, b"x")],
    "data": lambda e: [_ok(e, 1), frame(DATA, 0, 1, b"x" * 90), ("read", 1), frame(DATA, 0, 1, b"y")],
    "other stream without headers": lambda e: [_ok(e, 1), frame(DATA, 0, 1, b"x"), frame(DATA, 0, 3, b"y")],
    "informational": lambda e: [
        frame(HEADERS, END_HEADERS, 1, bytes(e.encode([(":status", "103")]))),
        frame(DATA, 0, 1, b"x"),
    ],
    "trailers": lambda e: [
        _ok(e, 1),
        frame(DATA, 0, 1, b"x"),
        frame(HEADERS, END_HEADERS | END_STREAM, 1, bytes(e.encode([("grpc-status", "0")]))),
        frame(DATA, 0, 1, b"late"),
    ],
    "pushed": lambda e: [
        _ok(e, 1),
        frame(PUSH_PROMISE, END_HEADERS, 1, struct.pack(">L", 2) + wire.request(e)),
    ],
    "goaway with an error": lambda e: [_ok(e, 1), frame(DATA, 0, 1, b"x"), wire.goaway(1, 11), _ok(e, 3)],
    "reset": lambda e: [_ok(e, 1), frame(RST_STREAM, 0, 1, struct.pack(">L", 8)), frame(DATA, 0, 1, b"x")],
    "server opens a stream": lambda e: [frame(HEADERS, END_HEADERS, 2, wire.response(e))],
    "response after reset": lambda e: [("reset", 1), _ok(e, 1), frame(DATA, 0, 1, b"x" * 90), _ok(e, 3)],
}


def _ok(encoder: Encoder, stream_id: int) -> bytes:
    return frame(HEADERS, END_HEADERS, stream_id, wire.response(encoder))


@pytest.mark.parametrize("name", CLIENT_SCENARIOS)
async def test_a_client_ends_as_h2_ends(name: str) -> None:
    steps = [wire.settings(), *CLIENT_SCENARIOS[name](Encoder())]
    expected = play(await client_with_calls(Reference(LIMITS, client=True)), steps, whole)
    for at in range(max(len(data) for data, _ in segments(steps))):
        ours = await client_with_calls(Ours(LIMITS, client=True))
        assert_same(play(ours, steps, lambda data, at=at: [data[:at], data[at:]]), expected)


STREAMS = st.sampled_from([1, 3, 1, 3, 5, 7, 2, 0])
SIZES = st.sampled_from([0, 1, 5, 63, 64, 100, 4_000, 16_384, 30_000, 65_536, 65_537])


def any_step(stream_id: int) -> st.SearchStrategy[Step]:
    return st.one_of(
        SIZES.map(lambda n: frame(DATA, 0, stream_id, bytes(n))),
        SIZES.map(lambda n: frame(DATA, 0, stream_id, bytes(n))),
        SIZES.map(lambda n: frame(DATA, END_STREAM, stream_id, bytes(n))),
        st.integers(0, 9).map(lambda n: frame(DATA, PADDED, stream_id, padded(b"abc", n))),
        st.integers(0, 255).map(lambda n: frame(DATA, n, stream_id, b"\x01abcdef")),
        st.just(frame(RST_STREAM, 0, stream_id, bytes(4))),
        st.integers(0, 2**31 - 1).map(lambda n: wire.window_update(stream_id, n)),
        st.integers(0, 80_000).map(lambda n: wire.settings({4: n})),
        st.integers(16_384, 16_500).map(lambda n: wire.settings({5: n - 1})),
        st.just(frame(PING, 0, 0, bytes(8))),
        st.just(frame(PRIORITY, 0, stream_id, struct.pack(">LB", 3, 5))),
        st.just(frame(0xEE, 0, stream_id, b"?")),
        st.just(wire.goaway(0, 1)),
        st.just(frame(HEADERS, 0, stream_id, b"\x82")),
        st.just(frame(HEADERS, END_HEADERS | END_STREAM, stream_id, b"\x82")),
        st.binary(max_size=30),
        st.just(("read", stream_id)),
        st.just(("read", stream_id)),
        st.just(("reset", stream_id)),
        st.just(("release", stream_id)),
    )


@st.composite
def random_steps(draw: st.DrawFn) -> list[Step]:
    encoder = Encoder()
    steps = server_opening(encoder)
    for _ in range(draw(st.integers(1, 14))):
        stream_id = draw(STREAMS)
        steps.append(draw(any_step(stream_id)))
    return steps


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=random_steps(), seed=st.integers(0, 2**32), pieces=st.integers(1, 30))
async def test_random_frames_end_as_h2_ends(steps: list[Step], seed: int, pieces: int) -> None:
    def cut(data: bytes) -> list[bytes]:
        rng = random.Random(seed)
        marks = sorted(rng.randrange(len(data) + 1) for _ in range(pieces))
        return [data[a:b] for a, b in zip([0, *marks], [*marks, len(data)], strict=True)]

    expected = play(Reference(LIMITS, client=False), steps, whole)
    assert_same(play(Ours(LIMITS, client=False), steps, cut), expected)
