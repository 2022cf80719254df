"""A block's child CIDs as one byte string: each with its length in two bytes, big-endian, before it."""

from __future__ import annotations

from collections.abc import Iterable


def join(links: Iterable[bytes]) -> bytes:
    """Encode CIDs, in order.

    Raises:
        OverflowError: A CID is longer than 65,535 bytes.
    """
    return b"".join(len(link).to_bytes(2, "big") + link for link in links)


def split(data: bytes) -> tuple[bytes, ...]:
    """Decode what :func:`join` made.

    Raises:
        ValueError: The bytes end within a CID.
    """
    if not data:
        return ()
    links = []
    position, end = 0, len(data)
    while position < end:
        start = position + 2
        position = start + int.from_bytes(data[position:start], "big")
        if start > end or position > end:
            raise ValueError("the links end within a CID")
        links.append(data[start:position])
    return tuple(links)
