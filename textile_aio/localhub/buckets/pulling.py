"""Files going out: PullPath and PullIpfsPath (spec: buckets-api §10)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from textile_aio import dcrypto
from textile_aio._codec.cid import Cid
from textile_aio.localhub.workers import Workers
from textile_aio.storage.blocks import Blocks
from textile_aio.unixfs.block import BytesLike
from textile_aio.unixfs.exporter import FileExporter

BLOCKS_AT_A_TIME = 8
"""Leaves fetched by one hop to the store: 2 MiB. One such batch is being sent while the next is read."""

INLINE_SIZE = 32_768
"""Up to here opening takes less than handing it to another thread."""

SMALLEST_CHUNK = 1_024
STANDARD_CHUNK = 32_768
LARGEST_CHUNK = 1_048_576

Sink = Callable[[BytesLike], Awaitable[None]]
_Pieces = Sequence[BytesLike]


class FilePieces:
    """One stored file, as its blocks come from the store: in order, and never more than two batches of them.

    Raises, from every method:
        IsADirectory: It is a directory (``node is a directory``).
        IntegrityError: A block is not what it should be.
    """

    def __init__(self, blocks: Blocks, cid: Cid) -> None:
        self._blocks = blocks
        self._cid = cid

    async def send(self, sink: Sink, *, start: int = 0, stop: int | None = None) -> None:
        """Give stored bytes to ``sink``, in pieces as large as the leaves."""

        async def send_all(pieces: _Pieces, _: int | None) -> None:
            for piece in pieces:
                await sink(piece)

        await self._each(send_all, start=start, stop=stop)

    async def send_opened(
        self, sink: Sink, key: bytes, *, workers: Workers | None, start: int = 0, stop: int | None = None
    ) -> None:
        """Give what is in an encrypted file to ``sink``: it is read once to be verified, then once more.

        Raises:
            DecryptionFailed: It is not under this key, or was altered; nothing was given out.
        """
        verifier = await self._verified(key, workers)
        size = verifier.size - dcrypto.OVERHEAD
        end = size if stop is None else min(stop, size)
        if start >= end:
            return
        opener = dcrypto.Decrypter(key, verifier.header, offset=start)

        async def open_all(pieces: _Pieces, _: int | None) -> None:
            for clear in await _in_thread(workers, pieces, lambda: list(map(opener.update, pieces))):
                await sink(clear)

        first = dcrypto.HEADER_SIZE
        await self._each(open_all, start=first + start, stop=first + end)

    async def _verified(self, key: bytes, workers: Workers | None) -> _Verified:
        checked: list[dcrypto.Verifier] = []
        whole = 0

        async def check(pieces: _Pieces, size: int | None) -> None:
            nonlocal whole
            if not checked:
                whole = size or 0
                checked.append(dcrypto.Verifier(key, whole))
            await _in_thread(workers, pieces, partial(_feed, checked[0], pieces))

        await self._each(check)
        if not checked:
            raise dcrypto.corrupt()
        checked[0].finish()
        return _Verified(checked[0].header, whole)

    async def _each(
        self,
        use: Callable[[_Pieces, int | None], Awaitable[None]],
        *,
        start: int = 0,
        stop: int | None = None,
    ) -> None:
        """Call ``use`` with each batch of content and the size of the whole, while the next one is read."""
        # Hashing here would halve the pace, and could not say what happens behind this hub: clients hash.
        exporter = FileExporter(self._cid, start=start, stop=stop, verify=False)

        def wanted() -> list[bytes]:
            return [each.bytes for each in exporter.wants(BLOCKS_AT_A_TIME)]

        fetched = await self._blocks.get_many(wanted())
        while True:
            content = exporter.supply(fetched)
            if exporter.done:
                await use(content, exporter.size)
                return
            try:
                async with asyncio.TaskGroup() as group:
                    ahead = group.create_task(self._blocks.get_many(wanted()))
                    if content:
                        await use(content, exporter.size)
            except BaseExceptionGroup as failed:
                raise failed.exceptions[0] from None
            fetched = ahead.result()


class _Verified:
    __slots__ = ("header", "size")

    def __init__(self, header: bytes, size: int) -> None:
        self.header = header
        self.size = size


def _feed(verifier: dcrypto.Verifier, pieces: _Pieces) -> list[bytes]:
    for piece in pieces:
        verifier.update(piece)
    return []


async def _in_thread(
    workers: Workers | None, pieces: _Pieces, work: Callable[[], list[bytes]]
) -> list[bytes]:
    if workers is None or sum(map(len, pieces)) <= INLINE_SIZE:
        return work()
    return await workers.start(work)


def chunk_size(requested: str) -> int:
    """How much goes into one message: 32 KiB as upstream, or what a client of ours has asked for."""
    if not requested.isascii() or not requested.isdecimal() or len(requested) > 9:
        return STANDARD_CHUNK
    return min(max(int(requested), SMALLEST_CHUNK), LARGEST_CHUNK)
