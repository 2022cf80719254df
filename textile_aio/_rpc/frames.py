"""The byte stream of an HTTP/2 connection, cut into frames, without I/O.

Owns where the next bytes are read to and where a frame ends; survives any split of reads. Plain DATA frames
that the sink admits are delivered whole, and large ones are read straight into a buffer of their own; every
other byte is passed on in order, frame by frame. Refuses to know streams, windows and states: those are the
sink's, which is asked again when a frame is complete, because much can happen between its first byte and its
last.
"""

from __future__ import annotations

import struct
from typing import Protocol

HEADER_SIZE = 9
PREFACE_SIZE = len(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")

#: Bytes of one ordinary read, once a peer has been seen to send as much.
READ_SIZE = 256 * 1024
#: Bytes of one read before that. A connection that says little holds no more.
FIRST_READ = 16 * 1024
#: A frame that lacks at least this many bytes gets a buffer of its own to be read into.
DIRECT_MIN = 64 * 1024

# A stream identifier is taken with its reserved bit, which nobody sets: such a stream is unknown, so h2's.
# RFC 9113 §6: frame types and flags told apart here.
DATA, HEADERS, PUSH_PROMISE, GOAWAY, CONTINUATION = 0x0, 0x1, 0x5, 0x7, 0x9
END_STREAM, END_HEADERS, PADDED = 0x1, 0x4, 0x8
#: Every other kind of frame, unknown ones too, brings no call further by itself.
_OF_CALLS = frozenset({DATA, HEADERS, PUSH_PROMISE, GOAWAY, CONTINUATION})
#: How many other frames one that begins a call weighs as much as.
_CALL = 4
_NOT_PLAIN = END_STREAM | PADDED

_HEADER = struct.Struct(">HBBBL")  # length in 16 + 8 bits, type, flags, stream identifier


def data_header(stream_id: int, length: int, flags: int = 0) -> bytes:
    """The nine bytes before a DATA payload of `length` bytes (RFC 9113 §4.1)."""
    return _HEADER.pack(length >> 8, length & 0xFF, DATA, flags, stream_id)


class FrameSink(Protocol):
    """What the reader tells, and asks."""

    @property
    def max_frame_size(self) -> int:
        """Bytes of payload we announced to accept."""

    @property
    def max_header_block(self) -> int:
        """Bytes of one header block, compressed, over all its frames."""

    def admits(self, stream_id: int, length: int) -> bool:
        """Whether a plain DATA frame of `length` bytes for this stream may go past h2 now."""

    def data(self, stream_id: int, payload: memoryview, owned: bool) -> None:
        """A whole admitted payload; if not `owned`, its memory is overwritten after the call."""

    def pass_on(self, data: memoryview) -> None:
        """Bytes for h2, never of more than one frame; their memory is overwritten after the call."""

    def overlong_frame(self, header: memoryview, length: int) -> None:
        """A frame larger than `max_frame_size`; its payload has not been read."""

    def overlong_headers(self) -> None:
        """A header block larger than `max_header_block`; its last frame has not been read."""

    def control_frame(self) -> None:
        """A frame begins that brings no call further, however often it comes."""


class FrameReader:
    """Frame state of one direction of a connection.

    The owner reads into `buffer()` and says how much with `advance()`, which calls the sink. After `stop()`
    everything is dropped. Where `advance()` leaves it `suspended`, nothing may be read until `go_on()` has
    taken it up again and left it so no more.

    Args:
        sink: receives frames, decides what is admitted.
        preface: the peer begins with the client connection preface (RFC 9113 §3.4).
        turn: how many frames other than plain DATA are taken at once; 0 for all.
    """

    __slots__ = (
        "_block",
        "_blocks",
        "_direct",
        "_direct_header",
        "_end",
        "_filled",
        "_foreign",
        "_scratch",
        "_sink",
        "_stopped",
        "_turn",
        "header_block",
        "suspended",
    )

    def __init__(self, sink: FrameSink, *, preface: bool, turn: int = 0) -> None:
        self._sink = sink
        self._scratch = memoryview(bytearray(FIRST_READ))
        self._end = 0  # bytes of an unfinished frame at the head of the scratch buffer
        self._foreign = PREFACE_SIZE if preface else 0  # bytes still to pass on before the next frame header
        self._block = 0  # bytes of the header block that is under way
        self._blocks = 0  # header blocks that have begun so far
        #: Number of the header block that has begun and not ended; 0 for none.
        self.header_block = 0
        self._direct: memoryview | None = None  # a payload being read in place, and the next header after it
        self._direct_header = b""
        self._filled = 0
        self._stopped = False
        self._turn = turn
        #: Whether there are frames that wait for the next turn.
        self.suspended = False

    def buffer(self) -> memoryview:
        """Where the next bytes belong; never empty."""
        if self._direct is not None:
            return self._direct[self._filled :]
        return self._scratch[self._end :]

    def _grow(self) -> None:
        """The peer sends more than a little: read as much at once as is good."""
        larger = memoryview(bytearray(READ_SIZE))
        larger[: self._end] = self._scratch[: self._end]
        self._scratch = larger

    def stop(self) -> None:
        """Drop what is there and what comes."""
        self._stopped = True
        self.suspended = False
        self._direct = None
        self._end = 0

    def advance(self, size: int) -> None:
        """`size` bytes have been read into the last `buffer()`."""
        if self._stopped:
            return
        direct = self._direct
        if direct is None:
            end = self._end + size
            full = end == len(self._scratch)
            self._cut(end)
            if full and end < READ_SIZE and not self.suspended:
                self._grow()
            return
        self._filled += size
        length = len(direct) - HEADER_SIZE
        if self._filled < length:
            return
        self._direct = None
        stream_id = _HEADER.unpack(self._direct_header)[4]
        if self._sink.admits(stream_id, length):
            self._sink.data(stream_id, direct[:length], True)
        else:
            self._sink.pass_on(memoryview(self._direct_header))
            if not self._stopped:
                self._sink.pass_on(direct[:length])
        rest = self._filled - length
        if rest and not self._stopped:
            self._scratch[:rest] = direct[length : self._filled]
            self._cut(rest)

    def go_on(self) -> None:
        """It is this peer's turn again."""
        self._cut(self._end)
        if self._end == len(self._scratch) < READ_SIZE:
            self._grow()

    def _cut(self, end: int) -> None:
        """Take frames off the scratch buffer, which holds `end` bytes."""
        scratch, sink, position = self._scratch, self._sink, 0
        left = self._turn
        self.suspended = False
        while not self._stopped:
            if self._foreign:
                size = min(self._foreign, end - position)
                if not size:
                    break
                self._foreign -= size
                sink.pass_on(scratch[position : position + size])
                position += size
                continue
            start = position + HEADER_SIZE
            if start > end:
                break
            high, low, kind, flags, stream_id = _HEADER.unpack_from(scratch, position)
            length = high << 8 | low
            if length > sink.max_frame_size:
                sink.overlong_frame(scratch[position:start], length)
                break
            if kind == DATA and not flags & _NOT_PLAIN and sink.admits(stream_id, length):
                stop = start + length
                if stop <= end:
                    sink.data(stream_id, scratch[start:stop], False)
                    position = stop
                    continue
                if stop - end >= DIRECT_MIN or length + HEADER_SIZE > READ_SIZE:
                    self._begin_direct(position, end, length)
                    position = end
                break
            if self._turn:
                if left <= 0:
                    self.suspended = True
                    break
                left -= _CALL if kind == HEADERS else 1
            if kind not in _OF_CALLS or (kind == DATA and _may_be_nothing(flags, length)):
                sink.control_frame()
            elif self._header_block_grows_too_large(kind, flags, length):
                sink.overlong_headers()
                break
            self._foreign = HEADER_SIZE + length
        if self._stopped:
            return
        self._end = end - position
        if position and self._end:
            scratch[: self._end] = scratch[position:end]

    def _begin_direct(self, position: int, end: int, length: int) -> None:
        start = position + HEADER_SIZE
        self._direct_header = bytes(self._scratch[position:start])
        self._direct = memoryview(bytearray(length + HEADER_SIZE))
        self._filled = end - start
        self._direct[: self._filled] = self._scratch[start:end]

    def _header_block_grows_too_large(self, kind: int, flags: int, length: int) -> bool:
        if kind == CONTINUATION:
            self._block += length
        elif kind in (HEADERS, PUSH_PROMISE):
            self._block = length
            self._blocks += 1
        else:
            return False
        self.header_block = 0 if flags & END_HEADERS else self._blocks
        return self._block > self._sink.max_header_block


def _may_be_nothing(flags: int, length: int) -> bool:
    """Whether DATA carries nothing, or may: what is padding and what is not is not looked at here."""
    return not flags & END_STREAM and (not length or bool(flags & PADDED))
