"""Trees on their way out of the hub, and into it, as CAR files."""

from __future__ import annotations

from collections.abc import AsyncIterator

from textile_aio._codec.cid import DAG_PB, RAW, Cid
from textile_aio.errors import IntegrityError, InvalidInput, StatusCode, Unimplemented
from textile_aio.storage.blocks import BlockBatch, BlockMissing, Blocks
from textile_aio.unixfs import car, dagpb
from textile_aio.unixfs.block import Block, BytesLike

_AT_ONCE = 8
"""Blocks fetched by one hop to the store: 2 MiB of leaves."""


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
            some = waiting[-_AT_ONCE:][::-1]
            del waiting[-_AT_ONCE:]
            known = await blocks.links(some)
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


class CarImport:
    """The blocks of a CAR file on their way into the store. ``batch`` is to keep them."""

    def __init__(self, batch: BlockBatch) -> None:
        self._batch = batch
        self._reader = car.CarReader()

    async def feed(self, data: BytesLike) -> None:
        """Take the next bytes of the file. Raises as :class:`~textile_aio.unixfs.car.CarReader`."""
        await self._batch.put(map(_linked, self._reader.feed(data)))

    def finish(self) -> Cid:
        """The file is at its end: its root.

        Raises:
            InvalidInput: It is cut short, or has several roots.
        """
        self._reader.finish()
        root, *others = self._reader.roots
        if others:
            raise InvalidInput(
                f"a CAR file with one root is needed, this one has {len(others) + 1}",
                code=StatusCode.INVALID_ARGUMENT,
            )
        return root


def _linked(block: Block) -> Block:
    """The block with its links, which the index keeps."""
    if block.cid.codec == RAW:
        return block
    if block.cid.codec != DAG_PB:
        raise Unimplemented(
            f"{block.cid} is neither raw nor dag-pb, so not part of a file system",
            code=StatusCode.INVALID_ARGUMENT,
        )
    return Block(block.cid, block.data, tuple(link.cid for link in dagpb.decode(block.data).links))
