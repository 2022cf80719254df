"""HTTP/2 frames written by hand, and a transport that records: what the transport tests are played with."""

from __future__ import annotations

import asyncio
import struct
from typing import Any

from hpack import Decoder, Encoder

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = (
    range(10)
)
END_STREAM, END_HEADERS, PADDED = 0x1, 0x4, 0x8


def frame(kind: int, flags: int, stream_id: int, payload: bytes = b"", *, length: int | None = None) -> bytes:
    """One frame; `length` lies about the payload's."""
    size = len(payload) if length is None else length
    return struct.pack(">HBBBL", size >> 8, size & 0xFF, kind, flags, stream_id) + payload


def settings(values: dict[int, int] | None = None) -> bytes:
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HL", *item) for item in (values or {}).items()))


def window_update(stream_id: int, increment: int) -> bytes:
    return frame(WINDOW_UPDATE, 0, stream_id, struct.pack(">L", increment))


def goaway(last_stream_id: int, code: int) -> bytes:
    return frame(GOAWAY, 0, 0, struct.pack(">LL", last_stream_id, code))


def request(encoder: Encoder, path: str = "/s/m", **fields: str) -> bytes:
    headers = {":method": "POST", ":scheme": "http", ":path": path, ":authority": "a", "te": "trailers"}
    headers |= {"content-type": "application/grpc"} | {k.replace("_", "-"): v for k, v in fields.items()}
    return bytes(encoder.encode(headers.items()))


def response(encoder: Encoder, **fields: str) -> bytes:
    headers = {":status": "200", "content-type": "application/grpc"}
    return bytes(encoder.encode((headers | {k.replace("_", "-"): v for k, v in fields.items()}).items()))


def fields(decoder: Decoder, block: bytes) -> dict[str, str]:
    """The header fields of a block, which hpack gives as text though it is typed as bytes."""
    pairs: Any = decoder.decode(block)
    return dict(pairs)


class RecordingTransport(asyncio.Transport):
    """Takes all that is written; pauses nobody."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.closed = False
        self.waiting = 0  # bytes it claims to hold

    def write(self, data: Any) -> None:
        if not self.closed:
            self.written += data

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default
