"""Gives back blocks that nobody needs: no root, no push under way, no reader.

One pass raises the epoch, so that whatever is put or needed from then on is younger than its limit; takes
the roots in a later snapshot; walks from them and from what is being read along the links in the index; drops
rows that it did not come by and that are older than every open batch; and at last deletes places that no row
names, and rewrites those that are mostly garbage. What is dropped is decided row by row in the writer, by the
epoch: a push that needs a block again has raised it, or finds that the block is gone and writes it anew.

Memory grows with the number of blocks in use, by some hundred bytes for each.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import TypeVar

from textile_aio.storage import entries
from textile_aio.storage.blocks import Blocks
from textile_aio.storage.bulk import Bulk, PlaceMissing, PlaceWriter
from textile_aio.storage.changes import Batch, DropBlocks, ForgetPlace, MoveBlocks, PutSetting
from textile_aio.storage.runner import StoreRunner
from textile_aio.storage.store import View
from textile_aio.storage.uses import EPOCH
from textile_aio.storage.values import BlockRow

T = TypeVar("T")

_AT_ONCE = 500
"""Blocks looked at, or dropped, by one step. Between steps others get their turn."""

_PAUSES = 3.0
"""How long others have everything to themselves after a step, in times of what it took."""

_MOVED_BYTES = 4 * 1024 * 1024
"""Bytes of a place that are rewritten by one step."""

_WORTH_KEEPING = 0.5
"""Share of a place's bytes below which the rest is rewritten."""


@dataclass(frozen=True, slots=True)
class Collected:
    """What a collection gave back.

    Attributes:
        blocks: How many blocks.
        bytes: Their bytes.
        places: How many files with blocks were deleted, some of them to be rewritten without the garbage.
    """

    blocks: int
    bytes: int
    places: int


@dataclass(frozen=True, slots=True)
class StorageUsage:
    """What the blocks of a hub take.

    Attributes:
        used: Bytes of all blocks.
        reclaimable: Bytes of those that a collection would give back now.
    """

    used: int
    reclaimable: int


class Collector:
    """The collector of one hub's blocks.

    Args:
        runner: Holds the index.
        bulk: Holds the places.
        blocks: Says who needs what.
        roots: The CIDs, in binary form, of everything that is to stay. Those that are not here are no error.
        pause: Waits for some seconds. After each step that is some times what it took, so that others get
            most of the processor and of the disk.
    """

    def __init__(
        self,
        runner: StoreRunner,
        bulk: Bulk,
        blocks: Blocks,
        roots: Callable[[View], Iterable[bytes]],
        *,
        pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._runner = runner
        self._bulk = bulk
        self._uses = blocks.uses
        self._roots = roots
        self._pause = pause
        self._turn = asyncio.Lock()

    async def collect(self) -> Collected:
        """Give back what nobody needs. One at a time; writers and readers go on meanwhile.

        Cancelled or broken off, it has given back some of it and nothing else.

        Raises:
            StoreError: The store or the disk failed.
        """
        async with self._turn:
            self._uses.epoch += 1
            await self._runner.apply_to_end(Batch((PutSetting(EPOCH, b"%d" % self._uses.epoch),)))
            limit = self._uses.oldest(default=self._uses.epoch)
            marked = await self._mark()
            blocks = size = 0
            async for garbage in _Pages(self._scan, marked, limit):
                blocks += len(garbage)
                size += sum(garbage.values())
                await self._paced(self._runner.apply_to_end(Batch((DropBlocks(tuple(garbage), limit),))))
            return Collected(blocks, size, await self._tidy())

    async def usage(self) -> StorageUsage:
        """How much there is, and how much of it is garbage. Takes as long as a collection.

        Raises:
            StoreError: The store or the disk failed.
        """
        async with self._turn:
            limit = self._uses.oldest(default=self._uses.epoch + 1)  # a collection raises the epoch first
            marked = await self._mark()
            pages = _Pages(self._scan, marked, limit)
            reclaimable = 0
            async for garbage in pages:
                reclaimable += sum(garbage.values())
            return StorageUsage(pages.total, reclaimable)

    async def _mark(self) -> set[bytes]:
        """Everything that roots and readers need."""
        waiting = list(await self._runner.scan(lambda view: set(self._roots(view))))
        # Whoever began to read before the snapshot may read a root that was replaced since.
        waiting += await self._uses.pinned()
        marked = set(waiting)
        while waiting:
            some, waiting = waiting[-_AT_ONCE:], waiting[:-_AT_ONCE]
            found = await self._scan(partial(_links, some))
            for _, links in found.values():
                for child in links:
                    if child not in marked:
                        marked.add(child)
                        waiting.append(child)
        return marked

    async def _tidy(self) -> int:
        """Delete places without blocks, and rewrite those that are mostly garbage; returns how many went."""
        there = await self._bulk.places()
        # In this order: whose batch has ended by now has told the index, if it ever will.
        busy = self._uses.places()
        sizes = await self._runner.scan(lambda view: view.place_sizes())
        idle = [place for place in there if place not in busy]
        # Those without blocks first: their room may be what a rewrite needs.
        gone = await self._delete([place for place in idle if not sizes.get(place)])
        for place in idle:
            live = sizes.get(place)
            if live and live < _WORTH_KEEPING * await self._bulk.size(place):
                await self._rewrite(place)
                gone += await self._delete([place])
        return gone

    async def _delete(self, places: list[str]) -> int:
        """Delete those of the places that no row names; returns how many."""
        for start in range(0, len(places), _AT_ONCE):
            some = places[start : start + _AT_ONCE]
            await self._runner.apply_to_end(Batch(tuple(ForgetPlace(place) for place in some)))
        named = await self._runner.scan(lambda view: view.places())
        garbage = [place for place in places if place not in named]
        for place in garbage:
            await self._bulk.delete(place)
        return len(garbage)

    async def _rewrite(self, place: str) -> None:
        """Write what is left in a place to another one, and let the rows name that."""
        lease = self._uses.lease()
        writer: PlaceWriter | None = None
        try:
            rows = await self._runner.scan(lambda view: view.blocks_in(place, limit=_MOST_ROWS))
            rows.sort(key=lambda row: row.offset)
            moved: list[BlockRow] = []
            writer = await self._bulk.create()
            lease.places.add(writer.name)
            for some in _cut(rows):
                moved += await self._paced(self._copy(writer, place, some))
            await writer.commit()
            await self._runner.apply_to_end(Batch((MoveBlocks(tuple(moved), place),)))
        except PlaceMissing:
            return  # somebody was faster; what is lost is for readers to tell
        finally:
            if writer is not None:
                await writer.abort()
            self._uses.end(lease)

    async def _scan(self, fn: Callable[[View], T]) -> T:
        return await self._paced(self._runner.scan(fn))

    async def _paced(self, step: Awaitable[T]) -> T:
        begun = perf_counter()
        done = await step
        await self._pause(_PAUSES * (perf_counter() - begun))
        return done

    async def _copy(self, writer: PlaceWriter, place: str, rows: list[BlockRow]) -> list[BlockRow]:
        data = await self._bulk.read(place, [(row.offset, row.size) for row in rows])
        position = writer.position
        buffers: list[bytes | bytearray | memoryview] = []
        moved = []
        for row, block in zip(rows, data, strict=True):
            header = entries.header(row.cid, row.links, block)
            buffers += [header, block]
            offset = position + len(header)
            position = offset + row.size
            moved.append(BlockRow(row.cid, row.size, row.links, place=writer.name, offset=offset))
        await writer.write(buffers)
        return moved


_MOST_ROWS = 1_000_000

_Page = list[tuple[bytes, int, int]]
_Scan = Callable[[Callable[[View], _Page]], Awaitable[_Page]]


class _Pages:
    """The garbage of an index, page by page: CIDs with the bytes of their blocks.

    Attributes:
        total: Bytes of all blocks so far, garbage or not.
    """

    def __init__(self, scan: _Scan, marked: set[bytes], limit: int) -> None:
        self.total = 0
        self._scan = scan
        self._marked = marked
        self._limit = limit
        self._after = b""

    def __aiter__(self) -> _Pages:
        return self

    async def __anext__(self) -> dict[bytes, int]:
        while True:
            page = await self._scan(partial(_page, self._after))
            if not page:
                raise StopAsyncIteration
            self._after = page[-1][0]
            self.total += sum(size for _, size, _ in page)
            garbage = {
                cid: size for cid, size, epoch in page if epoch < self._limit and cid not in self._marked
            }
            if garbage:
                return garbage


def _links(cids: list[bytes], view: View) -> dict[bytes, tuple[int, tuple[bytes, ...]]]:
    return view.block_links(cids)


def _page(after: bytes, view: View) -> _Page:
    return view.blocks_after(after, limit=_AT_ONCE)


def _cut(rows: list[BlockRow]) -> Iterable[list[BlockRow]]:
    some: list[BlockRow] = []
    size = 0
    for row in rows:
        some.append(row)
        size += row.size
        if size >= _MOVED_BYTES:
            yield some
            some, size = [], 0
    if some:
        yield some
