"""The blocks of one push on their way to the disk.

Owns the order of things that makes a push safe: bytes first, then the rows that name them, the root last and
by somebody else. Wherever it stops in between, what is left is garbage (a place no row names, or a row no
root reaches), never a row whose bytes are missing. Refuses to know what blocks contain.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Protocol, Self, TypeVar

from textile_aio.storage import entries
from textile_aio.storage.bulk import Bulk, PlaceWriter
from textile_aio.storage.changes import Batch, Operation, PutBlocks, TouchBlocks
from textile_aio.storage.lanes import to_end
from textile_aio.storage.runner import StoreRunner
from textile_aio.storage.store import Duplicate, Missing, Moved, StoreError, StoreFull, View
from textile_aio.storage.transact import transact
from textile_aio.storage.uses import Uses
from textile_aio.storage.values import BlockRow

T = TypeVar("T")

_WRITE_BYTES = 2 * 1024 * 1024
"""What is gathered before a look-up and a write: enough to make the hops cheap."""

_HELD_BYTES = 4 * 1024 * 1024
"""Inline blocks and rows that wait for the final transaction; above it they get one of their own."""

_ROW_BYTES = 256
"""What a row costs in memory beside its bytes, roughly."""


class Named(Protocol):
    """A content address."""

    @property
    def bytes(self) -> bytes:
        """Its binary form."""


class Block(Protocol):
    """A block to be kept, its address already computed from its bytes."""

    @property
    def cid(self) -> Named:
        """The block's address."""

    @property
    def data(self) -> bytes | bytearray | memoryview:
        """The block's bytes."""

    @property
    def addresses(self) -> tuple[bytes, ...]:
        """The addresses of its children, in binary form."""


@dataclass(frozen=True, slots=True)
class _Fresh:
    """A block that is in neither the index nor this batch yet."""

    cid: bytes
    links: tuple[bytes, ...]
    data: bytes | bytearray | memoryview


class BlockMissing(StoreError):
    """A block is not here, or its bytes are lost. ``cid`` is its address in binary form."""

    def __init__(self, cid: bytes) -> None:
        super().__init__(cid)
        self.cid = cid

    def __str__(self) -> str:
        return f"block {self.cid.hex()} is missing"


class BlockBatch:
    """Takes blocks in any number and holds a few MiB of them at most. Not usable by two tasks at once.

    One batch of blocks is looked up while the one before it is being written. Large ones are written from the
    buffers they came in, which must not change until the context is left.

    Leaving the context takes everything back that no row of the index can name, but for what :meth:`seal` has
    handed to its caller.
    """

    def __init__(
        self,
        runner: StoreRunner,
        bulk: Bulk,
        *,
        inline_limit: int,
        place_limit: int,
        uses: Uses,
        keep_seconds: float = 0.0,
    ) -> None:
        self._runner = runner
        self._bulk = bulk
        self._inline_limit = inline_limit
        self._place_limit = place_limit
        self._gathered: dict[bytes, _Fresh] = {}
        self._gathered_bytes = 0
        self._writer: PlaceWriter | None = None
        self._writing: asyncio.Future[None] | None = None  # What goes into the place meanwhile.
        self._placed: dict[bytes, BlockRow] = {}  # In the place that is being written.
        self._held: dict[bytes, BlockRow] = {}  # Durable or inline: what the index may be told.
        self._held_bytes = 0
        self._unnamed: set[str] = set()  # Whole places that no row of the index can name yet.
        self._over = ""
        self._uses = uses
        self._keep_seconds = keep_seconds
        self._lease = uses.lease()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._over == _SEALED:
            return  # what was handed out may come to be named, or not: its lease goes with this process
        kept = 0.0
        try:
            if self._keep_seconds and self._over != _WRITTEN:
                # Another push may refer to what came; if it cannot be kept, nothing is lost but time.
                await to_end(asyncio.ensure_future(self._keep_all()))
                kept = self._keep_seconds
            await self._abort()
        finally:
            self._uses.end(self._lease, keep=kept)

    async def put(self, blocks: Iterable[Block]) -> None:
        """Take blocks; those the hub has already, or that were put before, cost nothing.

        Waits while earlier ones are written. After an error, or a cancellation, the batch can only be left.

        Raises:
            StoreFull: No room is left.
            StoreError: The store or the disk failed, or the batch is over.
            ValueError: A block is too large for a place.
        """
        with self._all_or_over():
            for block in blocks:
                cid = block.cid.bytes
                if cid in self._gathered or cid in self._placed or cid in self._held:
                    continue
                size = len(block.data)
                # Small ones are kept until the end, and would keep the large buffer that they came in.
                data = bytes(block.data) if size <= self._inline_limit else block.data
                self._gathered[cid] = _Fresh(cid, block.addresses, data)
                self._gathered_bytes += size + _ROW_BYTES
                if self._gathered_bytes >= _WRITE_BYTES:
                    await self._settle()

    async def reuse(self, cids: Iterable[bytes]) -> set[bytes]:
        """Need blocks that the hub has already; returns those that it has not."""
        wanted = list(dict.fromkeys(cids))
        return set(wanted) - await self._touched(wanted)

    async def reuse_tree(self, root: bytes) -> None:
        """Need a block that the hub has already, and everything below it.

        Raises:
            BlockMissing: One of them is not here.
        """
        seen = {root}
        level = [root]
        while level:
            some, level = level[:_LINKS_AT_ONCE], level[_LINKS_AT_ONCE:]
            missing = await self.reuse(some)
            if missing:
                raise BlockMissing(missing.pop())
            found = await self._runner.read(partial(_links, some))
            for cid in some:
                for child in found[cid][1]:
                    if child not in seen:
                        seen.add(child)
                        level.append(child)

    async def seal(self) -> tuple[Operation, ...]:
        """Make everything durable that was put, but for what is in the result.

        Returns:
            Operations to be applied in one batch with the root that needs the blocks. If that batch fails
            they may be applied again, also after this context: no collection takes what the batch needs, as
            long as this process lives. If it never succeeds, they are garbage.

        Raises:
            StoreFull: No room is left.
            StoreError: The store or the disk failed, or the batch is over.
        """
        with self._all_or_over():
            await self._settle()
            await self._end_place()
        self._over = _SEALED
        return (PutBlocks(tuple(self._held.values())),) if self._held else ()

    async def transact(self, prepare: Callable[[View, tuple[Operation, ...]], tuple[Batch, T]]) -> T:
        """Seal, and write what ``prepare`` decides, as :func:`~textile_aio.storage.transact.transact` does.

        What takes no effect leaves no bytes behind: not when ``prepare`` refuses, not for want of room, and
        not when the caller is cancelled, who leaves only once it is certain whether it has taken effect.

        Args:
            prepare: Gets what :meth:`seal` returns, and puts it into its batch.

        Raises:
            Aborted: Other writers were faster every time.
            StoreFull: No room is left.
            StoreError: The store or the disk failed, or the batch is over.
        """
        stored = await self.seal()
        self._over = _WRITTEN  # From here on the places are this batch's own to take back.
        return await transact(self._runner, lambda view: prepare(view, stored), apply=self._apply)

    async def _settle(self) -> None:
        """Look up what was gathered, and bring what is new to where it belongs."""
        if not self._gathered:
            return
        # Small ones are told to the index in any case, which costs less than asking it first.
        gathered, large = self._gathered, {}
        for cid, fresh in gathered.items():
            if len(fresh.data) > self._inline_limit:
                large[cid] = fresh
            else:
                data = bytes(fresh.data)
                self._hold(BlockRow(cid, len(data), fresh.links, data, epoch=self._lease.epoch))
        if large:
            known = await self._touched(list(large))
            large = {cid: fresh for cid, fresh in large.items() if cid not in known}
        self._gathered = {}
        self._gathered_bytes = 0
        if large:
            # Headers hold checksums, which take a while.
            await self._write(await self._runner.read(partial(_with_headers, list(large.values()))))
        if self._held_bytes >= _HELD_BYTES:
            await self._flush()

    async def _touched(self, cids: list[bytes]) -> set[bytes]:
        """Those of the blocks that are here, and which no collector drops as long as this batch is open."""
        epoch = self._lease.epoch
        while True:
            epochs = await self._runner.read(lambda view: view.block_epochs(cids))
            old = tuple(cid for cid, found in epochs.items() if found < epoch)
            if not old:
                return set(epochs)
            with suppress(Missing):  # one of them was dropped meanwhile: look again
                await self._runner.apply_to_end(Batch((TouchBlocks(old, epoch),)))
                return set(epochs)

    async def _write(self, large: list[tuple[bytes, _Fresh]]) -> None:
        await self._written()
        if self._writer is None:
            self._writer = await self._bulk.create()
            self._lease.places.add(self._writer.name)
        place, position = self._writer.name, self._writer.position
        buffers: list[bytes | bytearray | memoryview] = []
        for header, fresh in large:
            buffers += [header, fresh.data]
            offset, size = position + len(header), len(fresh.data)
            position = offset + size
            self._placed[fresh.cid] = BlockRow(
                fresh.cid, size, fresh.links, place=place, offset=offset, epoch=self._lease.epoch
            )
        self._writing = asyncio.ensure_future(self._writer.write(buffers))
        if position >= self._place_limit:
            await self._end_place()

    async def _written(self) -> None:
        """Wait for what is being written; its failure is that of whoever waits."""
        writing, self._writing = self._writing, None
        if writing is not None:
            await writing

    async def _end_place(self) -> None:
        await self._written()
        if self._writer is None:
            return
        self._unnamed.add(self._writer.name)
        await self._writer.commit()
        self._writer = None
        for row in self._placed.values():
            self._hold(row)
        self._placed.clear()

    async def _flush(self) -> None:
        """Tell the index what it may be told, so that neither rows nor bytes pile up here."""
        await self._apply(Batch((PutBlocks(tuple(self._held.values())),)))
        self._held.clear()
        self._held_bytes = 0

    async def _apply(self, batch: Batch) -> None:
        """Apply a batch with all rows that are held, to its end even if the caller is cancelled."""
        # Rows may name the places from here on. Only where the store refused, or had no room for the commit,
        # is it certain that none do; after another error the commit may come back.
        named, self._unnamed = self._unnamed, set()
        applying = asyncio.ensure_future(self._runner.apply(batch))
        try:
            await to_end(applying)
        finally:
            failure = applying.exception()
            if isinstance(failure, _WITHOUT_EFFECT):
                self._unnamed = named
            elif failure is not None:
                self._uses.doubt(named)
        await applying

    def _hold(self, row: BlockRow) -> None:
        self._held[row.cid] = row
        self._held_bytes += _ROW_BYTES + len(row.data or b"") + sum(map(len, row.links))

    async def _keep_all(self) -> None:
        with suppress(Exception):
            if not self._over:
                await self._settle()
        with suppress(Exception, asyncio.CancelledError):  # the write's own, if its waiter was cancelled
            await self._written()
        with suppress(Exception):
            if self._writer is not None:
                # A write that was cut off before it began has left rows of bytes that are not there.
                end = self._writer.position
                whole = {cid: row for cid, row in self._placed.items() if row.offset + row.size <= end}
                self._placed = whole
            await self._end_place()
            if self._held:
                await self._flush()

    async def _abort(self) -> None:
        self._over = "was left"
        self._gathered.clear()
        self._held.clear()
        # What cannot be deleted now is garbage like any other, and must not hide why the batch was left.
        with suppress(Exception):
            await self._written()  # its failure was told, or comes second to whatever ended the batch
        with suppress(StoreError):
            if self._writer is not None:
                await self._writer.abort()
            for place in self._unnamed:
                await self._bulk.delete(place)

    @contextmanager
    def _all_or_over(self) -> Iterator[None]:
        """A step that stops half-way must not be followed by others: they would miss its blocks."""
        if self._over:
            raise StoreError(f"the batch {self._over}; begin another one")
        self._over = "failed before"
        yield
        self._over = ""


_SEALED = "is sealed"
_WRITTEN = "was written"
_LINKS_AT_ONCE = 1_000
_WITHOUT_EFFECT = (StoreFull, Moved, Duplicate, Missing)


def _links(cids: list[bytes], view: View) -> dict[bytes, tuple[int, tuple[bytes, ...]]]:
    return view.block_links(cids)


def _with_headers(blocks: list[_Fresh], _: View) -> list[tuple[bytes, _Fresh]]:
    return [(entries.header(each.cid, each.links, each.data), each) for each in blocks]
