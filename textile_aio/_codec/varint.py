"""Unsigned varints: seven bits a byte, lowest first, as protobuf, CIDs and multiaddresses write them.

Knows numbers only; whoever reads a structure says what a bad number means there.
"""

from __future__ import annotations

from textile_aio.errors import InvalidEncoding

_LIMIT = 1 << 64
_ONE_BYTE = tuple(bytes((number,)) for number in range(0x80))


def encode(number: int) -> bytes:
    """The shortest form of ``number``.

    Raises:
        ValueError: The number is negative or has more than 64 bits: a mistake of the calling code.
    """
    if 0 <= number < 0x80:
        return _ONE_BYTE[number]
    if not 0 <= number < _LIMIT:
        raise ValueError("a varint holds 0 to 2**64 - 1")
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def decode(data: bytes, start: int = 0, *, minimal: bool = True) -> tuple[int, int]:
    """The number that begins at ``start``, and the position after it.

    Args:
        data: The bytes to read from.
        start: Where the number begins.
        minimal: Refuse longer forms than :func:`encode` writes. Thread ids and protobuf allow them, CIDs do
            not.

    Raises:
        InvalidEncoding: The bytes end inside the number, it has more than 64 bits, or its form is too long.
    """
    number = shift = 0
    at = start
    while True:
        if at >= len(data):
            raise InvalidEncoding("buffer too small")
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
        shift += 7
        if shift > 63:
            raise InvalidEncoding("varint bigger than 64bits and not supported")
    if number >= _LIMIT:
        raise InvalidEncoding("varint bigger than 64bits and not supported")
    if minimal and byte == 0 and at - start > 1:
        raise InvalidEncoding("varint is not minimally encoded")
    return number, at
