"""The short way in and out for the messages that carry file bytes.

Owns the exact wire form of four chunk messages and registers it with the codec on import. Anything that is
not such a chunk to the letter (other fields, other order, empty, a header instead) is left to betterproto2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textile_aio._proto.api.bucketsd.pb import (
    PullIpfsPathResponse,
    PullPathResponse,
    PushPathRequest,
    PushPathsRequest,
    PushPathsRequestChunk,
)
from textile_aio._rpc.codec import Buffer, register_hot

#: Chunks below this many bytes are not worth a view of the buffer they came in.
_VIEW_MIN = 16 * 1024


def _length(tag: int, size: int) -> bytes:
    """The tag of a field of bytes (protobuf wire type 2), and its length as a varint."""
    head = bytearray((tag,))
    while size > 0x7F:
        head.append(size & 0x7F | 0x80)
        size >>= 7
    head.append(size)
    return bytes(head)


def _field(data: Buffer, start: int, tag: int) -> tuple[int, int] | None:
    """First byte and end of the field of bytes that begins at `start`; None if that is not field `tag`.

    Only minimal varints of up to four bytes are taken.
    """
    end = len(data)
    if start >= end or data[start] != tag:
        return None
    size = shift = 0
    for position in range(start + 1, min(start + 5, end)):
        byte = data[position]
        size |= (byte & 0x7F) << shift
        if byte < 0x80:
            first = position + 1
            if (byte == 0 and shift) or first + size > end:
                return None
            return first, first + size
        shift += 7
    return None


def _chunk(data: Buffer, first: int, end: int) -> Any:
    if first == 0 and end == len(data) and isinstance(data, bytes):
        return data
    if end - first >= _VIEW_MIN:
        return memoryview(data).toreadonly()[first:end]
    return bytes(data[first:end])


def _bytes(value: Any) -> bytes | None:
    """What may be sent without a copy: bytes cannot change before they are written."""
    if value.__class__ is bytes:
        return value
    return bytes(value) if isinstance(value, bytearray | memoryview) else None


def _encode_response(message: PullPathResponse | PullIpfsPathResponse) -> tuple[bytes, ...] | None:
    chunk = _bytes(message.chunk)
    if not chunk or message._unknown_fields:
        return None
    return _length(0x0A, len(chunk)), chunk


def _decode_response(kind: type[Any]) -> Callable[[Buffer], Any | None]:
    def decode(data: Buffer) -> Any | None:
        field = _field(data, 0, 0x0A)
        if field is None or field[1] != len(data):
            return None
        return kind(chunk=_chunk(data, *field))

    return decode


def _encode_push_path(message: PushPathRequest) -> tuple[bytes, ...] | None:
    if message.header is not None or message._unknown_fields:
        return None
    chunk = _bytes(message.chunk)
    return None if chunk is None else (_length(0x12, len(chunk)), chunk)


def _decode_push_path(data: Buffer) -> PushPathRequest | None:
    field = _field(data, 0, 0x12)
    if field is None or field[1] != len(data):
        return None
    return PushPathRequest(chunk=_chunk(data, *field))


def _encode_push_paths(message: PushPathsRequest) -> tuple[bytes, ...] | None:
    part = message.chunk
    if message.header is not None or message._unknown_fields or part is None or part._unknown_fields:
        return None
    data = _bytes(part.data)
    if not data or not part.path or not isinstance(part.path, str):
        return None
    path = part.path.encode()
    inner = _length(0x0A, len(path)) + path + _length(0x12, len(data))
    return _length(0x12, len(inner) + len(data)) + inner, data


def _decode_push_paths(data: Buffer) -> PushPathsRequest | None:
    outer = _field(data, 0, 0x12)
    if outer is None or outer[1] != len(data):
        return None
    path = _field(data, outer[0], 0x0A)
    if path is None:
        return None
    part = _field(data, path[1], 0x12)
    if part is None or part[1] != len(data):
        return None
    try:
        name = str(data[path[0] : path[1]], "utf-8")
    except UnicodeDecodeError:
        return None
    return PushPathsRequest(chunk=PushPathsRequestChunk(path=name, data=_chunk(data, *part)))


register_hot(PushPathRequest, encode=_encode_push_path, decode=_decode_push_path)
register_hot(PushPathsRequest, encode=_encode_push_paths, decode=_decode_push_paths)
register_hot(PullPathResponse, encode=_encode_response, decode=_decode_response(PullPathResponse))
register_hot(PullIpfsPathResponse, encode=_encode_response, decode=_decode_response(PullIpfsPathResponse))
