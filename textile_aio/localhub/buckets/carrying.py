"""Trees on their way out of the hub, and into it, as CAR files."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

from textile_aio._codec.cid import DAG_PB, RAW, Cid
from textile_aio.errors import IntegrityError, InvalidInput, StatusCode
from textile_aio.localhub.workers import Workers
from textile_aio.storage.blocks import BlockBatch, BlockMissing, Blocks
from textile_aio.storage.changes import Batch
from textile_aio.unixfs import car, dagpb
from textile_aio.unixfs.block import Block, BytesLike

_LOOKED_UP_AT_ONCE = 256
_BYTES_AT_ONCE = 2 * 1024 * 1024
"""Of blocks fetched by one hop to the store: eight leaves, or very many small files."""

_FED_AT_ONCE = 256 * 1024
"""Bytes of a file that are read in one hop to a worker."""


async def export(blocks: Blocks, root: Cid) -> AsyncIterator[BytesLike]:
    """The pieces of a CAR file with everything below a root, parents before children, each block once.

    The links are those of the index, so encrypted directories are walked without their keys. Memory grows
    with the number of blocks, by some hundred bytes for each.

    Raises:
        IntegrityError: A block of the tree is not here.
    """
    yield car.header([root])
    seen = {root.bytes}
    waiting = [root.bytes]
    try:
        while waiting:
            next_ones = waiting[: -_LOOKED_UP_AT_ONCE - 1 : -1]
            known = await blocks.links(next_ones)
            some = _within(_BYTES_AT_ONCE, next_ones, known)
            del waiting[-len(some) :]
            data = await blocks.get_many(some)
            children: list[bytes] = []
            for cid, block in zip(some, data, strict=True):
                for piece in car.section(Cid.from_bytes(cid), block):
                    yield piece
                for link in known[cid][1]:
                    if link not in seen:
                        seen.add(link)
                        children.append(link)
            waiting += reversed(children)
    except BlockMissing as missing:
        raise IntegrityError(
            f"block {Cid.from_bytes(missing.cid)} is not at this hub", code=StatusCode.DATA_LOSS
        ) from None


def _within(
    limit: int, cids: Sequence[bytes], known: Mapping[bytes, tuple[int, Sequence[bytes]]]
) -> list[bytes]:
    """The first blocks, one at least, that have so many bytes together."""
    taken: list[bytes] = []
    for cid in cids:
        limit -= known[cid][0]
        if taken and limit < 0:
            break
        taken.append(cid)
    return taken


class CarImport:
    """The blocks of a CAR file on their way into the store.

    Whatever is wrong with the file is an :class:`InvalidInput`, its sender's fault.
    """

    def __init__(self, batch: BlockBatch, workers: Workers) -> None:
        self._batch = batch
        self._workers = workers
        self._reader = car.CarReader()

    async def feed(self, data: BytesLike) -> None:
        """Take the next bytes of the file, and verify the blocks that they complete."""
        view = memoryview(data)
        for start in range(0, len(view), _FED_AT_ONCE):
            piece = view[start : start + _FED_AT_ONCE]
            # A piece may hold thousands of blocks: reading them here would hold up every other call.
            with _its_senders_fault():
                blocks = await self._workers.start(partial(self._read, piece))
            await self._batch.put(blocks)

    async def finish(self) -> Cid:
        """The file is at its end: its root, with all its blocks in the store.

        They are spared until the batch is left.
        """
        with _its_senders_fault():
            self._reader.finish()
            root, *others = self._reader.roots
            if others:
                raise InvalidInput(f"a CAR file with one root is needed, this one has {len(others) + 1}")
        await self._batch.transact(lambda view, stored: (Batch(stored), None))
        return root

    def _read(self, piece: BytesLike) -> list[Block]:
        return list(map(_linked, self._reader.feed(piece)))


async def require_all(batch: BlockBatch, root: Cid) -> None:
    """Need everything below the root of a file that has come in.

    Raises:
        InvalidInput: A block of it was not in the file, and the hub did not have it before.
    """
    try:
        await batch.reuse_tree(root.bytes)
    except BlockMissing as missing:
        raise InvalidInput(
            f"block {Cid.from_bytes(missing.cid)} is neither in the CAR file nor at this hub",
            code=StatusCode.INVALID_ARGUMENT,
        ) from None


@contextmanager
def _its_senders_fault() -> Iterator[None]:
    try:
        yield
    except (InvalidInput, IntegrityError) as error:
        raise InvalidInput(error.message, code=StatusCode.INVALID_ARGUMENT) from error


def _linked(block: Block) -> Block:
    """The block with its links, which the index keeps."""
    if block.cid.codec == RAW:
        return block
    if block.cid.codec != DAG_PB:
        raise InvalidInput(f"{block.cid} is neither raw nor dag-pb, so not part of a file system")
    return Block(block.cid, block.data, tuple(link.cid for link in dagpb.decode(block.data).links))
