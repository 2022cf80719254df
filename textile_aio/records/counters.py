"""How a log's counter travels: a signed varint in eight bytes, the rest zeros.

The form is that of spec: thread-net-and-records §2.2. The counter is the number of records in a log; 0 says
that it is not known. It is what a host believes, so it is never a reason to refuse a record.
"""

from __future__ import annotations

from typing import Final

from textile_aio._codec import varint
from textile_aio.errors import InvalidEncoding

SIZE: Final = 8
"""Bytes of the field; a Go host fails on a varint that needs more."""

MOST: Final = (1 << 55) - 1
"""The largest counter that fits: seven bits a byte, one of them for the sign."""


def encode(counter: int) -> bytes:
    """The eight bytes of a counter.

    Raises:
        InvalidEncoding: It is negative or larger than ``MOST``.
    """
    if not 0 <= counter <= MOST:
        raise InvalidEncoding(f"a log's counter is a number from 0 to {MOST}, got {counter}")
    return varint.encode(counter << 1).ljust(SIZE, b"\x00")


def decode(data: bytes) -> int:
    """The counter in a field as received; an empty field is 0, and what follows the number is ignored.

    Raises:
        InvalidEncoding: The field ends inside the number, or the number is negative.
    """
    if not data:
        return 0
    number, _ = varint.decode(data, minimal=False)
    if number & 1:
        raise InvalidEncoding("a log's counter is not negative")
    return number >> 1
