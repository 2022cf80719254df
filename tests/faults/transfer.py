"""A client as a process of its own, whose memory can be measured from beside it.

Run as a module it pushes or pulls one file and prints a line whenever another part has gone by; it goes on
when its standard input says so, so that whoever measures has all the time needed. It makes nothing up
beforehand: content comes from a generator, and what is pulled is only hashed.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

PART = 16 * 1024 * 1024
PIECE = 256 * 1024


def pieces(size: int) -> Iterator[bytes]:
    """Content of a size, no two leaves of which are alike."""
    for number in range(size // PIECE):
        yield hashlib.blake2b(number.to_bytes(8)).digest() * (PIECE // 64)


def digest_of(size: int) -> str:
    digest = hashlib.blake2b()
    for piece in pieces(size):
        digest.update(piece)
    return digest.hexdigest()


class Told:
    """Says how far it is, and waits for the word to go on."""

    def __init__(self) -> None:
        self._done = 0

    def say(self, **what: Any) -> None:
        sys.stdout.write(json.dumps(what) + "\n")
        sys.stdout.flush()
        sys.stdin.readline()

    def count(self, size: int) -> None:
        before, self._done = self._done, self._done + size
        if before // PART != self._done // PART:
            self.say(done=self._done)


async def main(target: str, thread: str, key: str, path: str, way: str, size: int) -> None:
    import textile_aio
    from textile_aio import AuthContext

    told = Told()
    ctx = AuthContext().with_thread(thread)

    async def source() -> AsyncIterator[bytes]:
        for piece in pieces(size):
            told.count(len(piece))
            yield piece

    async with textile_aio.connect(target) as hub:
        # What a first call of each kind brings in (modules, buffers, threads) is no cost of a large one.
        await hub.buckets.push_path(ctx, key, f"small-{way}", b"x" * 1_000_000)
        async for _ in hub.buckets.pull_path(ctx, key, f"small-{way}"):
            pass
        told.say(done=0)
        if way == "push":
            pushed = await hub.buckets.push_path(ctx, key, path, source())
            told.say(result=str(pushed.cid))
        else:
            digest = hashlib.blake2b()
            async for chunk in hub.buckets.pull_path(ctx, key, path):
                digest.update(chunk)
                told.count(len(chunk))
            told.say(result=digest.hexdigest())


if __name__ == "__main__":
    _, TARGET, THREAD, KEY, PATH, WAY, SIZE = sys.argv
    asyncio.run(main(TARGET, THREAD, KEY, PATH, WAY, int(SIZE)))
