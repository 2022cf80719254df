"""Multihashes: a hash function's code, the digest's length, the digest. Only the frame is checked."""

from __future__ import annotations

from textile_aio._codec import varint
from textile_aio.errors import InvalidEncoding

IDENTITY = 0x00
SHA2_256 = 0x12
SHA2_256_PREFIX = b"\x12\x20"


def encode(code: int, digest: bytes) -> bytes:
    """The multihash of a digest made with the function ``code``."""
    return b"".join((varint.encode(code), varint.encode(len(digest)), digest))


def read(data: bytes, start: int = 0) -> tuple[int, bytes, int]:
    """The code and digest that begin at ``start``, and the position after them.

    Raises:
        InvalidEncoding: The bytes end too early or a number is malformed.
    """
    code, at = varint.decode(data, start)
    size, at = varint.decode(data, at)
    if size > len(data) - at:
        raise InvalidEncoding("multihash length inconsistent")
    return code, data[at : at + size], at + size


def decode(data: bytes) -> tuple[int, bytes]:
    """The code and digest of a multihash that is all of ``data``.

    Raises:
        InvalidEncoding: It is not one, or something follows it.
    """
    code, digest, end = read(data)
    if end != len(data):
        raise InvalidEncoding("multihash length inconsistent")
    return code, digest
