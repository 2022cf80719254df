"""Protobuf on the wire, as far as key messages and dag-pb nodes use it: varints and delimited fields.

Those bytes are hashed and signed, so the writer's order is the caller's order and nothing is left out or
added. What the fields mean is the caller's business.
"""

from __future__ import annotations

from collections.abc import Iterator

from textile_aio._codec import varint
from textile_aio.errors import InvalidEncoding

VARINT = 0
FIXED64 = 1
BYTES = 2
FIXED32 = 5
_FIXED = {FIXED64: 8, FIXED32: 4}


def varint_field(number: int, value: int) -> bytes:
    """Field ``number`` holding an unsigned integer or an enum's value."""
    return varint.encode(number << 3 | VARINT) + varint.encode(value)


def bytes_field(number: int, value: bytes) -> bytes:
    """Field ``number`` holding bytes, text in UTF-8, or an embedded message."""
    return b"".join((varint.encode(number << 3 | BYTES), varint.encode(len(value)), value))


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Each field of a message in the order it was written, as (number, value).

    The value is an int for a varint, bytes for everything else (fixed-size ones as they stand). Longer forms
    of numbers are allowed, as protobuf allows them.

    Raises:
        InvalidEncoding: The message ends inside a field, a field's number is 0 or too large, or a wire type
            is unknown or one of the abandoned group types.
    """
    at, end = 0, len(data)
    while at < end:
        tag, at = varint.decode(data, at, minimal=False)
        number, wire = tag >> 3, tag & 7
        if not 0 < number < 1 << 29:
            raise InvalidEncoding(f"protobuf field number {number} is not allowed")
        if wire == VARINT:
            value, at = varint.decode(data, at, minimal=False)
            yield number, value
            continue
        if wire == BYTES:
            size, at = varint.decode(data, at, minimal=False)
        elif wire in _FIXED:
            size = _FIXED[wire]
        else:
            raise InvalidEncoding(f"protobuf wire type {wire} is not supported")
        if size > end - at:
            raise InvalidEncoding(f"protobuf field {number} is cut short")
        yield number, bytes(data[at : at + size])
        at += size
