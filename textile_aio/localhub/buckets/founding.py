"""The first root of a bucket, or one that replaces all of it: a seed, and perhaps a tree from elsewhere.

Spec: buckets-api §5 "Seed", §8 Create and SetPath.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from textile_aio import dcrypto
from textile_aio._codec.cid import DAG_PB, RAW, Cid
from textile_aio.errors import NotADirectory, NotFound, StatusCode
from textile_aio.localhub.buckets.contents import Contents
from textile_aio.localhub.buckets.keys import Keyring
from textile_aio.localhub.buckets.paths import SEED_NAME
from textile_aio.localhub.buckets.sealing import DirectorySeal
from textile_aio.localhub.buckets.transplanting import Planted, Transplant
from textile_aio.localhub.workers import Workers
from textile_aio.storage.blocks import BlockBatch, BlockMissing, Blocks
from textile_aio.unixfs.block import Block
from textile_aio.unixfs.directory import NOT_A_DIRECTORY, Directory
from textile_aio.unixfs.resolve import entries

SEED_SIZE = 32


@dataclass(frozen=True, slots=True)
class Founded:
    """A root whose blocks are in the batch. ``size`` is what they take, in bytes."""

    root: Cid
    seed: bytes
    seed_cid: Cid
    size: int


class Founding:
    """Makes roots. ``keys`` are those of the bucket, ``batch`` takes the blocks."""

    def __init__(self, blocks: Blocks, keys: Keyring, batch: BlockBatch, workers: Workers) -> None:
        self._blocks = blocks
        self._keys = keys
        self._batch = batch
        self._workers = workers

    async def pristine(self) -> Founded:
        """A root that holds nothing but its seed."""
        seed, block = self._seed()
        directory = Directory()
        directory.set(SEED_NAME, block.cid, len(block.data))
        root = directory.encode(1)
        stored = root if self._keys.link is None else DirectorySeal(self._keys.link).seal(root)
        await self._batch.put([block, stored])
        return Founded(stored.cid, seed, block.cid, directory.cumulative_size)

    async def prepared(self, tree: Cid) -> Founded:
        """A root that holds what a directory holds, all of it in the store, and a seed.

        Raises:
            NotADirectory: ``tree`` is something else (``expected protobuf dag node``).
            NotFound: A block of it is not in the store.
            IntegrityError: A block is malformed.
        """
        with_all = await self.elsewhere(tree)
        found = await with_all.stat(())
        if tree.codec != DAG_PB or not found.is_dir:
            raise NotADirectory(NOT_A_DIRECTORY, code=StatusCode.UNKNOWN, about=str(tree))
        seed, block = self._seed()
        await self._batch.put([block])
        if self._keys.link is not None:
            size = len(block.data)
            transplant = Transplant(with_all, self._keys, self._batch, self._workers)
            planted = await transplant.plant(found, (), (), extra={SEED_NAME: Planted(block.cid, size, size)})
            return Founded(planted.cid, seed, block.cid, planted.written)
        working = with_all.working_set()
        directory = Directory()
        for link in await working.run(lambda: entries(tree, working.get)):
            directory.set(link.name, link.cid, link.tsize)
        directory.set(SEED_NAME, block.cid, len(block.data))
        root = directory.encode(tree.version)
        await self._batch.put([root])
        return Founded(root.cid, seed, block.cid, directory.cumulative_size)

    async def elsewhere(self, tree: Cid) -> Contents:
        """A tree in the store, all of whose blocks the batch needs from now on.

        Raises:
            NotFound: A block of it is not in the store.
        """
        try:
            await self._batch.reuse_tree(tree.bytes)
        except BlockMissing as missing:
            raise NotFound(
                f"block {Cid.from_bytes(missing.cid)} is not at this hub, and it fetches none from elsewhere",
                code=StatusCode.UNKNOWN,
                about=str(tree),
            ) from None
        return Contents.public(self._blocks, tree, self._workers)

    def _seed(self) -> tuple[bytes, Block]:
        seed = secrets.token_bytes(SEED_SIZE)
        key = self._keys.file(SEED_NAME)
        return seed, Block.of(RAW, seed if key is None else dcrypto.encrypt(key, seed))
