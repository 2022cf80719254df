"""What is left when a push stops half-way: garbage perhaps, never a row whose bytes are missing."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest

from tests.storage.rows import block, cid_of
from textile_aio.storage.blocks import BlockMissing, Blocks
from textile_aio.storage.bulk import Bulk, PlaceWriter
from textile_aio.storage.changes import Batch, Operation, PutBlocks, SetRoot
from textile_aio.storage.entries import scan
from textile_aio.storage.files import Buffer
from textile_aio.storage.memory import MemoryBulk, MemoryStore
from textile_aio.storage.packs import PackBulk
from textile_aio.storage.runner import StoreRunner
from textile_aio.storage.sqlite import SqliteStore
from textile_aio.storage.store import Moved, StoreError, StoreFull, View

DATA = [bytes([n]) * 300_000 for n in range(16)] + [n.to_bytes(40, "big") for n in range(100)]
CIDS = [cid_of(data) for data in DATA]
PLACE_LIMIT = 1_000_000


class Stop(Exception):
    """What stands in for a failure."""


class Faults:
    """Fails at the n-th step, whichever it is; counts them when there is no failure."""

    def __init__(self, at: int | None = None, error: type[BaseException] = Stop) -> None:
        self.at = at
        self.error = error
        self.count = 0

    def step(self) -> None:
        self.count += 1
        if self.count == self.at:
            raise self.error("injected")


class WrappedWriter:
    """A writer that leaves everything to another one."""

    def __init__(self, inner: PlaceWriter) -> None:
        self.inner = inner

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def position(self) -> int:
        return self.inner.position

    async def write(self, buffers: Sequence[Buffer]) -> None:
        await self.inner.write(buffers)

    async def commit(self) -> None:
        await self.inner.commit()

    async def abort(self) -> None:
        await self.inner.abort()


class FaultyWriter(WrappedWriter):
    def __init__(self, inner: PlaceWriter, faults: Faults) -> None:
        super().__init__(inner)
        self.faults = faults

    async def write(self, buffers: Sequence[Buffer]) -> None:
        self.faults.step()
        await super().write(buffers)
        self.faults.step()

    async def commit(self) -> None:
        self.faults.step()
        await super().commit()
        self.faults.step()


class FaultyBulk(MemoryBulk):
    def __init__(self, faults: Faults) -> None:
        super().__init__()
        self.faults = faults

    async def create(self) -> PlaceWriter:  # type: ignore[override]  # as wide as Bulk, not MemoryBulk
        self.faults.step()
        return FaultyWriter(await super().create(), self.faults)


class FaultyStore(MemoryStore):
    def __init__(self, faults: Faults) -> None:
        super().__init__()
        self.faults = faults

    def apply(self, batches: Sequence[Batch]) -> list[StoreError | None]:
        self.faults.step()
        return super().apply(batches)


async def push(blocks: Blocks, runner: StoreRunner, bulk: Bulk) -> None:
    async with blocks.batch() as batch:
        for data in DATA:
            await batch.put([block(data)])
        await runner.apply(Batch(await batch.seal()))


async def check(blocks: Blocks) -> set[bytes]:
    """Every block that is known comes back whole."""
    known = await blocks.known(CIDS)
    found = await blocks.get_many(list(known))
    assert all(cid_of(data) == cid for cid, data in zip(known, found, strict=True))
    return known


async def steps_of_a_push() -> int:
    faults = Faults()
    bulk = FaultyBulk(faults)
    async with StoreRunner(FaultyStore(faults)) as runner:
        await push(Blocks(runner, bulk, place_limit=PLACE_LIMIT), runner, bulk)
    return faults.count


async def test_a_push_that_fails_at_any_step_leaves_nothing_dangling_and_can_be_repeated() -> None:
    total = await steps_of_a_push()
    assert total > 10
    for at in range(1, total + 1):
        for error in (Stop, asyncio.CancelledError, StoreFull):
            faults = Faults(at, error)
            bulk = FaultyBulk(faults)
            async with StoreRunner(FaultyStore(faults)) as runner:
                blocks = Blocks(runner, bulk, place_limit=PLACE_LIMIT)
                with pytest.raises((error, StoreError)):
                    await push(blocks, runner, bulk)
                await check(blocks)
                named = await runner.read(lambda v: v.places())
                # Only the very last step, the caller's own, may leave places behind.
                assert at == total or set(await bulk.places()) == named
                await push(blocks, runner, bulk)
                assert await check(blocks) == set(CIDS)


async def test_a_batch_that_failed_takes_no_more() -> None:
    faults = Faults(3)
    async with StoreRunner(MemoryStore()) as runner, Blocks(runner, FaultyBulk(faults)).batch() as batch:
        with pytest.raises(Stop):  # of a write: it is told by the next step
            await batch.put([block(bytes([n]) * 600_000) for n in range(8)])
        with pytest.raises(StoreError, match="failed before"):
            await batch.put([])
        with pytest.raises(StoreError, match="failed before"):
            await batch.seal()


@pytest.mark.parametrize(("error", "left"), [(StoreFull, 0), (StoreError, 1)])
async def test_places_are_taken_back_only_if_no_row_can_name_them(
    error: type[BaseException], left: int
) -> None:
    """A commit without room is certainly not there; one that the disk spoilt may be, after a crash."""
    bulk = MemoryBulk()
    async with StoreRunner(FaultyStore(Faults(1, error))) as runner:
        async with Blocks(runner, bulk, inline_limit=0, place_limit=1).batch() as batch:
            with pytest.raises(error):
                await batch.put([block(n.to_bytes(60, "big")) for n in range(20_000)])
        assert await runner.read(lambda v: v.places()) == set()
        assert bool(await bulk.places()) == bool(left)


def plain(view: View, stored: tuple[Operation, ...]) -> tuple[Batch, str]:
    return Batch(stored), "done"


def refusing(view: View, stored: tuple[Operation, ...]) -> NoReturn:
    raise Stop


def stale(view: View, stored: tuple[Operation, ...]) -> tuple[Batch, str]:
    return Batch((*stored, SetRoot(b"bucket", b"thread", b"cid", b"other"))), "never"


@pytest.mark.parametrize(
    ("prepare", "faults", "error"),
    [
        (refusing, Faults(), Stop),
        (stale, Faults(), Moved),
        (plain, Faults(1, StoreFull), StoreFull),
    ],
    ids=["refused", "moved", "full"],
)
async def test_a_transaction_without_effect_leaves_no_places(
    prepare: Callable[[View, tuple[Operation, ...]], tuple[Batch, str]],
    faults: Faults,
    error: type[BaseException],
) -> None:
    bulk = MemoryBulk()
    async with StoreRunner(FaultyStore(faults)) as runner:
        with pytest.raises(error):
            async with Blocks(runner, bulk, inline_limit=10).batch() as batch:
                await batch.put([block(b"x" * 100)])
                await batch.transact(prepare)
        assert await bulk.places() == []


class SlowStore(MemoryStore):
    """Says when a commit begins, and waits until it may go on, well or badly."""

    def __init__(self, failure: type[StoreError] | None) -> None:
        super().__init__()
        self.failure = failure
        self.begun, self.go_on = threading.Event(), threading.Event()

    def apply(self, batches: Sequence[Batch]) -> list[StoreError | None]:
        self.begun.set()
        assert self.go_on.wait(10)
        if self.failure is not None:
            raise self.failure("injected")
        return super().apply(batches)


@pytest.mark.parametrize("failure", [None, StoreFull])
async def test_a_caller_cancelled_during_the_commit_leaves_when_its_outcome_is_known(
    failure: type[StoreError] | None,
) -> None:
    """Applied: the place stays. No room: it goes. The cancellation comes through either way."""
    store, bulk = SlowStore(failure), MemoryBulk()
    async with StoreRunner(store) as runner:
        blocks = Blocks(runner, bulk, inline_limit=10)

        async def push() -> None:
            async with blocks.batch() as batch:
                await batch.put([block(b"x" * 100)])
                await batch.transact(plain)

        task = asyncio.create_task(push())
        assert await asyncio.to_thread(store.begun.wait, 10)
        task.cancel()
        store.go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert set(await bulk.places()) == await runner.read(lambda v: v.places())
        assert await blocks.known([cid_of(b"x" * 100)]) == (set() if failure else {cid_of(b"x" * 100)})


async def test_a_transaction_is_written_with_its_blocks() -> None:
    async with StoreRunner(MemoryStore()) as runner:
        blocks = Blocks(runner, MemoryBulk(), inline_limit=10)
        async with blocks.batch() as batch:
            await batch.put([block(b"x" * 100), block(b"y")])
            assert await batch.transact(plain) == "done"
            with pytest.raises(StoreError, match="was written"):
                await batch.put([])
        assert await blocks.get_many([cid_of(b"x" * 100), cid_of(b"y")]) == [b"x" * 100, b"y"]


async def test_operations_of_a_moved_root_may_be_applied_again() -> None:
    async with StoreRunner(MemoryStore()) as runner:
        blocks = Blocks(runner, MemoryBulk(), inline_limit=10)
        async with blocks.batch() as batch:
            await batch.put([block(b"x" * 100)])
            operations = await batch.seal()
            with pytest.raises(Moved):
                await runner.apply(Batch((*operations, SetRoot(b"bucket", b"thread", b"cid", b"other"))))
        assert await blocks.known([cid_of(b"x" * 100)]) == set()
        await runner.apply(Batch(operations))
        assert await blocks.get(cid_of(b"x" * 100)) == b"x" * 100


async def test_stopping_between_bytes_and_rows_leaves_a_place_to_collect(tmp_path: Path) -> None:
    def opened() -> tuple[SqliteStore, PackBulk]:
        return SqliteStore.open(tmp_path / "hub.db"), PackBulk.open(tmp_path / "packs")

    store, bulk = opened()
    async with StoreRunner(store) as runner, Blocks(runner, bulk, place_limit=PLACE_LIMIT).batch() as batch:
        await batch.put([block(data) for data in DATA])
        await batch.seal()
    await bulk.close()

    store, bulk = opened()
    async with StoreRunner(store) as runner:
        blocks = Blocks(runner, bulk, place_limit=PLACE_LIMIT)
        assert await check(blocks) == set()
        garbage = set(await bulk.places()) - await runner.read(lambda v: v.places())
        assert garbage
        await push(blocks, runner, bulk)
        for name in garbage:
            await bulk.delete(name)
        assert await check(blocks) == set(CIDS)
    await bulk.close()


async def test_sweeping_removes_what_no_row_names_and_nothing_else(tmp_path: Path) -> None:
    bulk = PackBulk.open(tmp_path / "packs")
    async with StoreRunner(SqliteStore.open(tmp_path / "hub.db")) as runner:
        blocks = Blocks(runner, bulk, place_limit=PLACE_LIMIT)
        async with blocks.batch() as batch:
            await batch.put([block(b"nobody" * 10_000)])
            await batch.seal()
        await push(blocks, runner, bulk)
        garbage = set(await bulk.places()) - await runner.read(lambda v: v.places())
        assert len(garbage) == 1
        assert await blocks.sweep() == 1
        assert set(await bulk.places()) == await runner.read(lambda v: v.places())
        assert await blocks.sweep() == 0
        assert await check(blocks) == set(CIDS)
    await bulk.close()


async def test_the_index_of_large_blocks_can_be_rebuilt_from_places(tmp_path: Path) -> None:
    bulk = PackBulk.open(tmp_path / "packs")
    async with StoreRunner(MemoryStore()) as runner:
        await push(Blocks(runner, bulk, place_limit=PLACE_LIMIT), runner, bulk)
        lost = await runner.read(lambda v: v.blocks(CIDS))

    async with StoreRunner(MemoryStore()) as runner:
        for name in await bulk.places():
            with (tmp_path / "packs" / f"{name}.pack").open("rb") as file:
                rows = tuple(entry.row(name) for entry in scan(file) if entry.intact)
            await runner.apply(Batch((PutBlocks(rows),)))
        blocks = Blocks(runner, bulk)
        assert await check(blocks) == set(CIDS[:16])
        assert await runner.read(lambda v: v.blocks(CIDS[:16])) == {cid: lost[cid] for cid in CIDS[:16]}
    await bulk.close()


async def test_a_reader_looks_again_when_a_block_has_moved() -> None:
    """A collector writes the block under a new place, tells the index, and deletes the old one in between."""

    class Moving(MemoryBulk):
        moved = False

        async def read(self, place: str, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
            if not self.moved:
                self.moved = True
                [data] = await super().read(place, ranges)
                writer = await self.create()
                await writer.write([data])
                await writer.commit()
                await self.delete(place)
                store.reset()
                await runner.apply(Batch((PutBlocks((replace(row, place=writer.name, offset=0),)),)))
            return await super().read(place, ranges)

    store, bulk = MemoryStore(), Moving()
    async with StoreRunner(store) as runner:
        blocks = Blocks(runner, bulk, inline_limit=10)
        made = block(hashlib.sha512(b"x").digest())
        async with blocks.batch() as batch:
            await batch.put([made])
            await runner.apply(Batch(await batch.seal()))
        row = (await runner.read(lambda v: v.blocks([made.cid.bytes])))[made.cid.bytes]
        assert await blocks.get(made.cid.bytes) == made.data
        assert bulk.moved


async def test_a_disk_that_fails_is_no_missing_block() -> None:
    class Failing(MemoryBulk):
        async def read(self, place: str, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
            raise StoreError("the disk failed")

    async with StoreRunner(MemoryStore()) as runner:
        blocks = Blocks(runner, Failing(), inline_limit=10, place_limit=1)
        for data in DATA[:2]:
            async with blocks.batch() as batch:
                await batch.put([block(data)])
                await runner.apply(Batch(await batch.seal()))
        for cids in (CIDS[:1], CIDS[:2]):
            with pytest.raises(StoreError, match="the disk failed") as caught:
                await blocks.get_many(cids)
            assert not isinstance(caught.value, BlockMissing)


async def test_a_batch_holds_a_few_mebibytes_however_much_is_put() -> None:
    class Counting(WrappedWriter):
        async def write(self, buffers: Sequence[Buffer]) -> None:
            await self.inner.write([])
            sizes.append(sum(len(buffer) for buffer in buffers))

    class Sink(MemoryBulk):
        """Counts bytes and forgets them."""

        async def create(self) -> PlaceWriter:  # type: ignore[override]  # as wide as Bulk, not MemoryBulk
            return Counting(await super().create())

    sizes: list[int] = []
    async with StoreRunner(MemoryStore()) as runner, Blocks(runner, Sink()).batch() as batch:
        for n in range(64):
            await batch.put([block(n.to_bytes(2, "big") * 131_072)])
        await batch.seal()
    assert sum(sizes) > 64 * 262_144
    assert max(sizes) < 2_400_000
