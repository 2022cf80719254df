"""Content-addressed blocks: the index in the store, small bytes inline beside it, large ones in places."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager

from textile_aio.storage.blockbatch import BlockBatch, BlockMissing
from textile_aio.storage.bulk import Bulk, PlaceMissing
from textile_aio.storage.runner import StoreRunner
from textile_aio.storage.uses import EPOCH, Reading, Uses
from textile_aio.storage.values import BlockRow

__all__ = ["BlockBatch", "BlockMissing", "Blocks", "Reading"]


class Blocks:
    """The blocks of one hub. Closes neither the runner nor the bulk bytes."""

    def __init__(
        self,
        runner: StoreRunner,
        bulk: Bulk,
        *,
        inline_limit: int = 16 * 1024,
        place_limit: int = 64 * 1024 * 1024,
        clock: Callable[[], float] = time.monotonic,
        keep_seconds: float = 3600.0,
    ) -> None:
        """Join an index and bulk bytes.

        Args:
            runner: Holds the index.
            bulk: Holds the places.
            inline_limit: Size in bytes up to which a block is kept in the index itself.
            place_limit: Size in bytes after which a place is ended and the next one begun.
            clock: Seconds, for ``keep_seconds``.
            keep_seconds: For how long a collector spares what a push has left that broke and was to be kept.
        """
        self._runner = runner
        self._bulk = bulk
        self._inline_limit = inline_limit
        self._place_limit = place_limit
        self._keep_seconds = keep_seconds
        self.uses: Uses = Uses(clock)

    async def get(self, cid: bytes) -> bytes:
        """The bytes of one block, as they were put: whoever must be sure compares their hash.

        Raises:
            BlockMissing: It is not here.
            StoreError: The store or the disk failed.
        """
        return (await self.get_many((cid,)))[0]

    async def get_many(self, cids: Sequence[bytes]) -> list[bytes]:
        """The bytes of several blocks, in the order asked for: one read of the index, one of each place.

        Raises:
            BlockMissing: One of them is not here.
            StoreError: The store or the disk failed.
        """
        found: dict[bytes, bytes] = {}
        lost = await self._collect(list(dict.fromkeys(cids)), found)
        if lost:
            # Blocks may have moved to another place between the two reads; the index then knows where.
            lost = await self._collect(lost, found)
        if lost:
            raise BlockMissing(lost[0])
        return [found[cid] for cid in cids]

    async def known(self, cids: Iterable[bytes]) -> set[bytes]:
        """Those of ``cids`` that are here."""
        wanted = list(cids)
        return set(await self._runner.read(lambda view: view.block_epochs(wanted)))

    async def links(self, cids: Iterable[bytes]) -> dict[bytes, tuple[int, tuple[bytes, ...]]]:
        """Size in bytes, and the addresses of the children, of those of ``cids`` that are here."""
        wanted = list(cids)
        return await self._runner.read(lambda view: view.block_links(wanted))

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Reading]:
        """Read blocks below a root that may be replaced meanwhile.

        Enter it before looking up what the root is, and pin it then: its blocks stay until the block is left.
        """
        with self.uses.reading() as reading:
            yield reading

    def batch(self, *, keep: bool = False) -> BlockBatch:
        """An async context manager that takes the blocks of one push.

        Args:
            keep: What has arrived stays if the push breaks, so that the next one finds it.
        """
        return BlockBatch(
            self._runner,
            self._bulk,
            inline_limit=self._inline_limit,
            place_limit=self._place_limit,
            uses=self.uses,
            keep_seconds=self._keep_seconds if keep else 0.0,
        )

    async def sweep(self) -> int:
        """Delete the places that no row names: what a crash left between bytes and rows. Returns how many.

        Learns the epoch that the store was left in, too.

        Only for when no batch is open, as when a hub starts: a place of an open batch has no row yet.

        Raises:
            StoreError: The store or the disk failed.
        """
        named, epoch = await self._runner.read(lambda view: (view.places(), view.setting(EPOCH)))
        self.uses.epoch = int(epoch or b"0")
        garbage = [place for place in await self._bulk.places() if place not in named]
        for place in garbage:
            await self._bulk.delete(place)
        return len(garbage)

    async def _collect(self, cids: Sequence[bytes], found: dict[bytes, bytes]) -> list[bytes]:
        """Add blocks to ``found``, and return those whose place is gone or too short."""
        rows = await self._runner.read(lambda view: view.blocks(cids))
        by_place: dict[str, list[BlockRow]] = {}
        for cid in cids:
            row = rows.get(cid)
            if row is None:
                raise BlockMissing(cid)
            if row.data is None:
                by_place.setdefault(row.place, []).append(row)
            else:
                found[cid] = row.data
        if len(by_place) <= 1:
            parts = [await self._from_place(*each, found) for each in by_place.items()]
        else:
            try:
                async with asyncio.TaskGroup() as group:
                    tasks = [group.create_task(self._from_place(*each, found)) for each in by_place.items()]
            except BaseExceptionGroup as failures:
                raise failures.exceptions[0] from None
            parts = [task.result() for task in tasks]
        return [cid for part in parts for cid in part]

    async def _from_place(self, place: str, rows: list[BlockRow], found: dict[bytes, bytes]) -> list[bytes]:
        rows.sort(key=lambda row: row.offset)
        try:
            data = await self._bulk.read(place, [(row.offset, row.size) for row in rows])
        except PlaceMissing:
            return [row.cid for row in rows]
        found.update(zip((row.cid for row in rows), data, strict=True))
        return []
