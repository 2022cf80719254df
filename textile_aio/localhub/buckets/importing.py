"""Content on its way into the block store: encrypted and hashed in a worker, and never piled up.

A private file is encrypted as a stream before it is cut into leaves (spec: buckets-api §7), so nothing in
clear is ever handed to the store.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textile_aio._codec.cid import Cid
from textile_aio.dcrypto import OVERHEAD, Encrypter
from textile_aio.localhub.buckets.verified import VerifiedFiles
from textile_aio.localhub.workers import Workers
from textile_aio.storage.blocks import BlockBatch
from textile_aio.unixfs.block import Block, BytesLike
from textile_aio.unixfs.importer import CHUNK_SIZE, FileImporter, FileNode

BATCH_SIZE = 2 * 1_048_576
"""Bytes hashed and written at a time. Below it a hop to a worker would cost more than it gives."""

INLINE_SIZE = 32_768
"""Up to here hashing takes less than handing it to another thread."""


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A whole leaf that is in the store already."""

    cid: Cid


class FileImport:
    """One file being received.

    Bytes given to :meth:`write` are kept until a batch is full. One batch is hashed while the one before it
    is written; whoever calls has to wait for both, which is what slows the sender down.
    """

    def __init__(
        self,
        batch: BlockBatch,
        workers: Workers,
        key: bytes | None = None,
        verified: VerifiedFiles | None = None,
    ) -> None:
        """Begin a file.

        Args:
            batch: Takes its blocks.
            workers: Do the hashing.
            key: Encrypts it; None in a public bucket.
            verified: Is told that it was encrypted here.
        """
        self._batch = batch
        self._workers = workers
        self._importer = FileImporter()
        self._encrypter = None if key is None else Encrypter(key)
        self._key = key
        self._verified = verified
        self._waiting: list[BytesLike | _Leaf] = []
        self._size = 0
        self._taken = 0
        self._begun = False
        self._hashing: Future[list[Block]] | None = None

    @property
    def taken(self) -> int:
        """Bytes of the stored file that what was given so far makes; in a private bucket with its header."""
        return self._taken + (0 if self._encrypter is None else OVERHEAD)

    async def write(self, data: BytesLike) -> None:
        """Take the next bytes of the file."""
        self._waiting.append(data)
        self._size += len(data)
        self._taken += len(data)
        await self._advance()

    async def refer(self, leaves: Sequence[Cid]) -> None:
        """Take whole leaves that the batch has touched, in place of their bytes. Not for private files.

        Raises:
            InvalidInput: What came before does not end where a leaf ends; raised here or later.
        """
        self._waiting += map(_Leaf, leaves)
        self._taken += CHUNK_SIZE * len(leaves)
        await self._advance()

    async def _advance(self) -> None:
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
        if self._encrypter is not None:
            blocks += self._fed(b"")
            blocks += self._importer.feed(self._encrypter.finish())
        file, last = self._importer.finish()
        await self._batch.put(blocks + last)
        if self._key is not None and self._verified is not None:
            self._verified.add(file.cid, self._key)
        return file

    async def _hashed(self) -> list[Block]:
        """The blocks of the batch that is being hashed, if there is one."""
        hashing, self._hashing = self._hashing, None
        return [] if hashing is None else await hashing

    def _feeding(self) -> Callable[[], list[Block]]:
        """What hashes the bytes that wait. It must have ended before the next one begins."""
        pieces, self._waiting, self._size = self._waiting, [], 0
        return lambda: [block for piece in pieces for block in self._fed(piece)]

    def _fed(self, piece: BytesLike | _Leaf) -> list[Block]:
        if isinstance(piece, _Leaf):
            return self._importer.refer(piece.cid)
        if self._encrypter is None:
            return self._importer.feed(piece)
        header = b"" if self._begun else self._encrypter.begin()
        self._begun = True
        return [
            *(self._importer.feed(header) if header else ()),
            *self._importer.feed(self._encrypter.update(piece)),
        ]
