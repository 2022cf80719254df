"""Files going out: PullPath and PullIpfsPath (spec: buckets-api §10)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from textile_aio._codec.cid import Cid
from textile_aio.storage.blocks import Blocks
from textile_aio.unixfs.block import BytesLike
from textile_aio.unixfs.exporter import FileExporter

BLOCKS_AT_A_TIME = 8
"""Leaves fetched by one hop to the store: 2 MiB. One such batch is being sent while the next is read."""

SMALLEST_CHUNK = 1_024
STANDARD_CHUNK = 32_768
LARGEST_CHUNK = 1_048_576


async def send_file(blocks: Blocks, cid: Cid, sink: Callable[[BytesLike], Awaitable[None]]) -> None:
    """Give the content of a file to ``sink``, in order, in pieces as large as its leaves.

    The next leaves are read while the last ones are being sent, and never more than that.

    Raises:
        IsADirectory: It is a directory (``node is a directory``).
        IntegrityError: A block is not what it should be.
    """
    # Hashing here would halve the pace, and could not say what happens behind this hub: clients hash.
    exporter = FileExporter(cid, verify=False)

    def wanted() -> list[bytes]:
        return [each.bytes for each in exporter.wants(BLOCKS_AT_A_TIME)]

    fetched = await blocks.get_many(wanted())
    while True:
        content = exporter.supply(fetched)
        if exporter.done:
            await _send_all(content, sink)
            return
        try:
            async with asyncio.TaskGroup() as group:
                ahead = group.create_task(blocks.get_many(wanted()))
                await _send_all(content, sink)
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0] from None
        fetched = ahead.result()


async def _send_all(pieces: Sequence[BytesLike], sink: Callable[[BytesLike], Awaitable[None]]) -> None:
    for piece in pieces:
        await sink(piece)


def chunk_size(requested: str) -> int:
    """How much goes into one message: 32 KiB as upstream, or what a client of ours has asked for."""
    if not requested.isascii() or not requested.isdecimal() or len(requested) > 9:
        return STANDARD_CHUNK
    return min(max(int(requested), SMALLEST_CHUNK), LARGEST_CHUNK)
