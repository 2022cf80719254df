"""The frame reader alone: where frames end, however reads are cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rpc.wire import (
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    PADDED,
    PING,
    PREFACE,
    frame,
)
from textile_aio._rpc import frames
from textile_aio._rpc.frames import FIRST_READ, FrameReader, data_header


class Sink:
    max_frame_size = 1 << 20
    max_header_block = 100

    def __init__(self, *, admit: bool = True) -> None:
        self.admit = admit
        self.got: list[tuple[str, int, bytes]] = []
        self.foreign = b""
        self.owned: list[bool] = []
        self.refused: list[str] = []
        self.control_frames = 0
        self.reader: FrameReader | None = None

    def admits(self, stream_id: int, length: int) -> bool:
        return self.admit

    def data(self, stream_id: int, payload: memoryview, owned: bool) -> None:
        self.got.append(("data", stream_id, bytes(payload)))
        self.owned.append(owned)

    def pass_on(self, data: memoryview) -> None:
        self.foreign += data

    def overlong_frame(self, header: memoryview, length: int) -> None:
        self.refused.append(f"frame of {length}")
        assert self.reader is not None
        self.reader.stop()

    def overlong_headers(self) -> None:
        self.refused.append("headers")
        assert self.reader is not None
        self.reader.stop()

    def control_frame(self) -> None:
        self.control_frames += 1


def read(sink: Sink, pieces: list[bytes], *, preface: bool = False) -> FrameReader:
    reader = sink.reader = FrameReader(sink, preface=preface)
    for piece in pieces:
        view = memoryview(piece)
        while view:
            buffer = reader.buffer()
            assert len(buffer) > 0
            size = min(len(buffer), len(view))
            buffer[:size] = view[:size]
            reader.advance(size)
            view = view[size:]
    return reader


MIXED = (
    PREFACE
    + frame(PING, 0, 0, b"pingping")
    + frame(DATA, 0, 1, b"")
    + frame(DATA, 0, 1, b"one")
    + frame(DATA, PADDED, 1, b"\x01ab\x00")
    + frame(DATA, 0, 3, b"two" * 40)
    + frame(DATA, 1, 3, b"end")
)
FOREIGN = (
    PREFACE
    + frame(PING, 0, 0, b"pingping")
    + frame(DATA, PADDED, 1, b"\x01ab\x00")
    + frame(DATA, 1, 3, b"end")
)
PLAIN = [("data", 1, b""), ("data", 1, b"one"), ("data", 3, b"two" * 40)]


@pytest.mark.parametrize("direct_min", [1, 64 * 1024])
def test_frames_survive_a_cut_at_every_byte(direct_min: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "DIRECT_MIN", direct_min)
    for first in range(len(MIXED)):
        for second in range(first, len(MIXED), 7):
            sink = Sink()
            read(sink, [MIXED[:first], MIXED[first:second], MIXED[second:]], preface=True)
            assert (sink.got, sink.foreign) == (PLAIN, FOREIGN)


@given(
    sizes=st.lists(st.integers(0, 300_000), min_size=1, max_size=6),
    cuts=st.lists(st.integers(0, 1_000_000), max_size=8),
)
def test_payloads_of_any_size_arrive_whole_and_in_order(sizes: list[int], cuts: list[int]) -> None:
    payloads = [bytes([i + 1]) * size for i, size in enumerate(sizes)]
    stream = b"".join(frame(DATA, 0, 1, payload) for payload in payloads)
    marks = sorted(cut % (len(stream) + 1) for cut in cuts)
    sink = Sink()
    read(sink, [stream[a:b] for a, b in zip([0, *marks], [*marks, len(stream)], strict=True)])
    assert [payload for _, _, payload in sink.got] == payloads


def test_a_large_frame_is_read_straight_into_its_own_buffer() -> None:
    payload = bytes(range(256)) * 1_000
    sink = Sink()
    first = frame(DATA, 0, 1, bytes(FIRST_READ))
    read(
        sink,
        [
            first + frame(DATA, 0, 1, payload[:1000]) + frame(DATA, 0, 1, payload)[:20],
            frame(DATA, 0, 1, payload)[20:],
        ],
    )
    read(sink, [frame(DATA, 0, 1, payload)[:20], frame(DATA, 0, 1, payload)[20:]])
    assert [p for _, _, p in sink.got] == [bytes(FIRST_READ), payload[:1000], payload, payload]
    assert sink.owned == [False, False, True, True]


def test_a_connection_that_says_little_holds_little() -> None:
    reader = read(Sink(), [frame(PING, 0, 0, bytes(8))] * 10)
    assert len(reader.buffer()) <= FIRST_READ
    reader = read(Sink(), [frame(DATA, 0, 1, bytes(1000)) * 100])
    assert len(reader.buffer()) > FIRST_READ


def test_frames_that_bring_no_call_further_are_told() -> None:
    sink = Sink(admit=False)
    of_calls = [
        frame(HEADERS, END_HEADERS, 1, b"x"),
        frame(DATA, 0, 1, b"x"),
        frame(DATA, END_STREAM, 1, b""),
    ]
    read(sink, of_calls)
    assert sink.control_frames == 0
    read(
        sink,
        [frame(kind, 0, 0, b"") for kind in (2, 3, 4, 6, 8, 10, 255)]
        + [frame(DATA, 0, 1, b""), frame(DATA, PADDED, 1, b"\x00")],
    )
    assert sink.control_frames == 9


def test_a_header_block_is_open_until_it_ends() -> None:
    sink = Sink()
    reader = read(sink, [frame(HEADERS, 0, 1, b"x"), frame(CONTINUATION, 0, 1, b"x")])
    assert reader.header_block == 1
    reader = read(sink, [frame(HEADERS, END_HEADERS, 1, b"x"), frame(HEADERS, 0, 1, b"x")])
    assert reader.header_block == 2
    reader = read(sink, [frame(HEADERS, 0, 1, b"x"), frame(CONTINUATION, END_HEADERS, 1, b"x")])
    assert reader.header_block == 0


def test_a_frame_no_longer_admitted_when_complete_is_passed_on_whole() -> None:
    payload = bytes(100_000)
    raw = frame(DATA, 0, 1, payload)
    for cut in (15, 9 + 70_000):
        sink = Sink()
        reader = read(sink, [raw[:cut]])
        sink.admit = False
        buffer = reader.buffer()
        while cut < len(raw):
            buffer = reader.buffer()
            size = min(len(buffer), len(raw) - cut)
            buffer[:size] = raw[cut : cut + size]
            reader.advance(size)
            cut += size
        assert (sink.got, sink.foreign) == ([], raw)


def test_an_overlong_frame_is_refused_at_its_header() -> None:
    for kind in (DATA, HEADERS, PING):
        sink = Sink()
        read(sink, [frame(kind, 0, 1, b"", length=(1 << 20) + 1)])
        assert sink.refused == [f"frame of {(1 << 20) + 1}"]
        assert sink.foreign == b""


def test_a_header_block_is_limited_over_all_its_frames() -> None:
    sink = Sink()
    read(sink, [frame(HEADERS, 0, 1, bytes(60)), frame(CONTINUATION, 0, 1, bytes(40))])
    assert sink.refused == []
    read(sink, [frame(HEADERS, 0, 1, bytes(60)), frame(CONTINUATION, END_HEADERS, 1, bytes(41))])
    assert sink.refused == ["headers"]


def test_nothing_is_delivered_after_stop() -> None:
    sink = Sink()
    reader = read(sink, [frame(DATA, 0, 1, b"x")])
    reader.stop()
    reader.buffer()[:10] = frame(DATA, 0, 1, b"y")
    reader.advance(10)
    assert sink.got == [("data", 1, b"x")]


@given(st.integers(0, 2**31 - 1), st.integers(0, 2**24 - 1), st.integers(0, 255))
def test_a_data_header_is_as_the_rfc_draws_it(stream_id: int, length: int, flags: int) -> None:
    expected = length.to_bytes(3, "big") + bytes([0, flags]) + stream_id.to_bytes(4, "big")
    assert data_header(stream_id, length, flags) == expected
