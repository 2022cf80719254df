"""Content on its way into the block store: hashed in a worker, written in batches, never piled up."""

from __future__ import annotations

from asyncio import Future
from collections.abc import Callable

from textile_aio.localhub.workers import Workers
from textile_aio.storage.blocks import BlockBatch
from textile_aio.unixfs.block import Block, BytesLike
from textile_aio.unixfs.importer import FileImporter, FileNode

BATCH_SIZE = 2 * 1_048_576
"""Bytes hashed and written at a time. Below it a hop to a worker would cost more than it gives."""

INLINE_SIZE = 32_768
"""Up to here hashing takes less than handing it to another thread."""


class FileImport:
    """One file being received.

    Bytes given to :meth:`write` are kept until a batch is full. One batch is hashed while the one before it
    is written; whoever calls has to wait for both, which is what slows the sender down.
    """

    def __init__(self, batch: BlockBatch, workers: Workers) -> None:
        self._batch = batch
        self._workers = workers
        self._importer = FileImporter()
        self._waiting: list[BytesLike] = []
        self._size = 0
        self._hashing: Future[list[Block]] | None = None

    async def write(self, data: BytesLike) -> None:
        """Take the next bytes of the file."""
        self._waiting.append(data)
        self._size += len(data)
        if self._size >= BATCH_SIZE:
            hashed = await self._hashed()
            self._hashing = self._workers.start(self._feeding())
            await self._batch.put(hashed)

    async def finish(self) -> FileNode:
        """The file is complete: its root, with every block in the batch."""
        await self._batch.put(await self._hashed())
        is_small = self._size <= INLINE_SIZE
        feed = self._feeding()
        blocks = feed() if is_small else await self._workers.start(feed)
        file, last = self._importer.finish()
        await self._batch.put(blocks + last)
        return file

    async def _hashed(self) -> list[Block]:
        """The blocks of the batch that is being hashed, if there is one."""
        hashing, self._hashing = self._hashing, None
        return [] if hashing is None else await hashing

    def _feeding(self) -> Callable[[], list[Block]]:
        """What hashes the bytes that wait. It must have ended before the next one begins."""
        pieces, self._waiting, self._size = self._waiting, [], 0
        return lambda: [block for piece in pieces for block in self._importer.feed(piece)]
