"""What is pushed: bytes that a hub has never seen, since it does not write again what it has."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator

MIB = 1024 * 1024
CHUNK = 256 * 1024


def chunks(size: int) -> Iterator[bytes]:
    """`size` bytes, a multiple of 256 KiB, in chunks that differ from each other and from earlier ones."""
    rest = os.urandom(CHUNK - 16)
    mark = int.from_bytes(os.urandom(16), "big")
    for count in range(size // CHUNK):
        yield ((mark + count) % (1 << 128)).to_bytes(16, "big") + rest


async def stream(size: int) -> AsyncIterator[bytes]:
    """The same for those that want to wait."""
    for chunk in chunks(size):
        yield chunk
