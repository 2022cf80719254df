"""Content on its way into the block store: hashed in a worker, written in batches, never piled up."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textile_aio.localhub.workers import Workers
from textile_aio.storage.blocks import BlockBatch
from textile_aio.unixfs.block import Block, BytesLike
from textile_aio.unixfs.importer import FileImporter, FileNode

BATCH_SIZE = 1_048_576
"""Bytes hashed and written at a time. Below it a hop to a worker would cost more than it gives."""

INLINE_SIZE = 32_768
"""Up to here hashing takes less than handing it to another thread."""


class FileImport:
    """One file being received.

    Bytes given to :meth:`write` are kept until a batch is full; whoever calls it waits while a batch is
    hashed and written, which is what slows the sender down.
    """

    def __init__(self, batch: BlockBatch, workers: Workers) -> None:
        self._batch = batch
        self._workers = workers
        self._importer = FileImporter()
        self._waiting: list[BytesLike] = []
        self._size = 0

    async def write(self, data: BytesLike) -> None:
        """Take the next bytes of the file."""
        self._waiting.append(data)
        self._size += len(data)
        if self._size >= BATCH_SIZE:
            await self._flush()

    async def finish(self) -> FileNode:
        """The file is complete: its root, with every block in the batch."""
        await self._flush()
        file, blocks = self._importer.finish()
        await self._batch.put(blocks)
        return file

    async def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        size, self._size = self._size, 0
        if not waiting:
            return
        feed = _feeding(self._importer, waiting)
        blocks = feed() if size <= INLINE_SIZE else await self._workers.run(feed)
        await self._batch.put(blocks)


def _feeding(importer: FileImporter, pieces: Sequence[BytesLike]) -> Callable[[], list[Block]]:
    def feed() -> list[Block]:
        blocks: list[Block] = []
        for piece in pieces:
            blocks += importer.feed(piece)
        return blocks

    return feed
