"""Collections beside pushes, readers and pushes that break: nothing needed goes, and all garbage does."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from tests.storage.rows import thread
from tests.storage.test_block_faults import WrappedWriter
from textile_aio._codec.cid import DAG_PB, RAW, Cid
from textile_aio.storage.blocks import BlockMissing, Blocks
from textile_aio.storage.bulk import Bulk, PlaceWriter
from textile_aio.storage.changes import Batch, CreateThread, Operation, SetRoot
from textile_aio.storage.collector import Collector
from textile_aio.storage.files import Buffer
from textile_aio.storage.memory import MemoryBulk, MemoryStore
from textile_aio.storage.packs import PackBulk
from textile_aio.storage.runner import StoreRunner
from textile_aio.storage.sqlite import SqliteStore
from textile_aio.storage.store import Moved, View
from textile_aio.unixfs import Block

THREAD = thread(b"\x01")
INLINE = 64
"""Blocks above it go into places."""


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class World:
    def __init__(self, runner: StoreRunner, bulk: Bulk) -> None:
        self.clock = Clock()
        self.runner = runner
        self.bulk = bulk
        self.blocks = Blocks(
            runner, bulk, inline_limit=INLINE, place_limit=3_000, clock=self.clock, keep_seconds=100
        )
        self.collector = Collector(
            runner, bulk, self.blocks, lambda view: [root.cid for root in view.roots()]
        )

    async def push(
        self, bucket: bytes, leaves: Sequence[bytes], *, keep: bool = False, fail: bool = False
    ) -> Block:
        """A directory of leaves becomes a bucket's root; the loop turns between all steps."""
        made = [Block.of(RAW, leaf) for leaf in leaves]
        root = Block.of(DAG_PB, b"".join(each.cid.bytes for each in made), links=tuple(b.cid for b in made))
        async with self.blocks.batch(keep=keep) as batch:
            for each in made:
                await batch.put([each])
                await asyncio.sleep(0)
            if fail:
                raise ZeroDivisionError
            await batch.put([root])
            await batch.transact(lambda view, stored: self._set(view, stored, bucket, root.cid))
        return root

    def _set(self, view: View, stored: Sequence[Operation], bucket: bytes, cid: Cid) -> tuple[Batch, None]:
        found = view.root(bucket)
        expect = None if found is None else found.cid
        return Batch((*stored, SetRoot(bucket, THREAD.id, cid.bytes, expect))), None

    async def link(self, bucket: bytes, cid: bytes) -> None:
        """A tree that is somewhere in the store becomes a bucket's root."""
        async with self.blocks.batch() as batch:
            await batch.reuse_tree(cid)
            await asyncio.sleep(0)
            await batch.transact(lambda view, stored: self._set(view, stored, bucket, Cid.from_bytes(cid)))

    async def read(self, bucket: bytes) -> None:
        """Every byte of a bucket can be read, from a root that may be replaced meanwhile."""
        async with self.blocks.reading() as reading:
            found = await self.runner.read(lambda view: view.root(bucket))
            if found is None:
                return
            reading.pin(found.cid)
            await asyncio.sleep(0)
            await self._check(found.cid)

    async def _check(self, cid: bytes) -> set[bytes]:
        seen = {cid}
        waiting = [cid]
        while waiting:
            each = waiting.pop()
            data = await self.blocks.get(each)
            assert hashlib.sha256(data).digest() == Cid.from_bytes(each).digest
            await asyncio.sleep(0)
            links = (await self.blocks.links([each]))[each][1]
            waiting += [link for link in links if link not in seen]
            seen.update(links)
        return seen

    async def needed(self) -> set[bytes]:
        roots = await self.runner.read(lambda view: view.roots())
        return {cid for root in roots for cid in await self._check(root.cid)}

    async def known(self) -> set[bytes]:
        return {cid for cid, _, _ in await self.runner.read(lambda v: v.blocks_after(b"", limit=100_000))}


@pytest.fixture(params=["memory", "disk"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    on_disk = request.param == "disk"
    bulk: Bulk = PackBulk.open(tmp_path / "packs", fsync=False) if on_disk else MemoryBulk()
    store = SqliteStore.open(tmp_path / "hub.db", fsync=False) if on_disk else MemoryStore()
    async with StoreRunner(store) as runner:
        await runner.apply(Batch((CreateThread(THREAD),)))
        yield World(runner, bulk)
    await bulk.close()


def leaf(number: int) -> bytes:
    return bytes([number % 251]) * (40 if number % 3 else 400)


@pytest.mark.parametrize("seed", range(12))
async def test_whatever_happens_at_once_nothing_needed_goes(world: World, seed: int) -> None:
    choose = random.Random(seed)
    buckets = [b"one", b"two", b"three"]

    async def worker() -> None:
        for _ in range(12):
            bucket = choose.choice(buckets)
            leaves = [leaf(choose.randrange(40)) for _ in range(choose.randrange(1, 8))]
            match choose.randrange(6):
                case 0 | 1:
                    with suppress(Moved):
                        await world.push(bucket, leaves)
                case 2:
                    with pytest.raises(ZeroDivisionError):
                        await world.push(bucket, leaves, fail=True, keep=choose.random() < 0.5)
                case 3:
                    await world.read(bucket)
                case 4:
                    known = sorted(await world.known())
                    if known:
                        with suppress(BlockMissing, Moved):
                            await world.link(bucket, choose.choice(known))
                case 5:
                    task = asyncio.create_task(world.push(bucket, leaves))
                    await asyncio.sleep(0)
                    task.cancel()
                    await asyncio.wait([task])

    async def collect() -> None:
        while True:
            await world.collector.collect()
            world.clock.now += choose.choice([0, 60, 200])

    collecting = asyncio.create_task(collect())
    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(worker())
    assert not collecting.done(), collecting.exception()
    collecting.cancel()
    await asyncio.wait([collecting])
    for bucket in buckets:
        await world.read(bucket)
    world.clock.now += 1_000
    await world.collector.collect()
    assert await world.known() == await world.needed()
    named = await world.runner.read(lambda view: view.places())
    assert set(await world.bulk.places()) == named
    assert (await world.collector.usage()).reclaimable == 0


async def test_what_was_replaced_is_given_back(world: World) -> None:
    await world.push(b"b", [leaf(3), leaf(4)])
    usage = await world.collector.usage()
    assert (usage.reclaimable, usage.used) == (0, 440 + 72)
    await world.push(b"b", [leaf(4), leaf(6)])
    assert (await world.collector.usage()).reclaimable == 400 + 72
    collected = await world.collector.collect()
    assert (collected.blocks, collected.bytes, collected.places) == (2, 472, 1)
    assert await world.known() == await world.needed()


async def test_what_is_being_read_stays(world: World) -> None:
    root = await world.push(b"b", [leaf(3), leaf(4)])
    async with world.blocks.reading() as reading:
        reading.pin(root.cid.bytes)
        await world.push(b"b", [leaf(6)])
        await world.collector.collect()
        assert await world.blocks.get(Block.of(RAW, leaf(3)).cid.bytes) == leaf(3)
    await world.collector.collect()
    with pytest.raises(BlockMissing):
        await world.blocks.get(root.cid.bytes)


async def test_a_reader_who_has_not_said_what_is_waited_for(world: World) -> None:
    root = await world.push(b"b", [leaf(3)])
    async with world.blocks.reading() as reading:
        found = await world.runner.read(lambda view: view.root(b"b"))
        await world.push(b"b", [leaf(6)])
        collecting = asyncio.create_task(world.collector.collect())
        done, _ = await asyncio.wait([collecting], timeout=0.05)
        assert not done
        assert found is not None
        reading.pin(found.cid)
        await collecting
        assert await world.blocks.get(root.cid.bytes)


async def test_a_push_that_broke_is_kept_for_a_while(world: World) -> None:
    with pytest.raises(ZeroDivisionError):
        await world.push(b"b", [leaf(3), leaf(4)], keep=True, fail=True)
    kept = {Block.of(RAW, leaf(number)).cid.bytes for number in (3, 4)}
    assert await world.known() == kept
    await world.collector.collect()
    assert await world.known() == kept
    async with world.blocks.batch() as batch:
        assert await batch.reuse(kept) == set()
    world.clock.now += 101
    await world.collector.collect()
    assert await world.known() == set()


async def test_places_that_are_mostly_garbage_are_rewritten(world: World) -> None:
    await world.push(b"a", [leaf(3), *(leaf(number) for number in range(6, 20, 3))])
    await world.push(b"keep", [leaf(3)])
    (before,) = await world.bulk.places()
    await world.push(b"a", [leaf(1)])
    assert (await world.collector.collect()).places == 1
    (after,) = await world.bulk.places()
    assert after != before
    await world.read(b"keep")
    assert await world.bulk.size(after) < 600


async def test_a_batch_that_is_open_holds_back_what_it_needs(world: World) -> None:
    root = await world.push(b"b", [leaf(3)])
    async with world.blocks.batch() as batch:
        await batch.reuse_tree(root.cid.bytes)
        await world.push(b"b", [leaf(6)])
        await world.collector.collect()
        await batch.transact(lambda view, stored: world._set(view, stored, b"c", root.cid))
    await world.collector.collect()
    await world.read(b"c")
    assert await world.known() == await world.needed()


async def test_the_epoch_outlives_the_process(tmp_path: Path) -> None:
    for expected in (0, 1, 2):
        async with StoreRunner(SqliteStore.open(tmp_path / "hub.db", fsync=False)) as runner:
            world = World(runner, MemoryBulk())
            await world.blocks.sweep()
            assert world.blocks.uses.epoch == expected
            await world.collector.collect()


async def test_rows_of_bytes_that_were_never_written_are_not_kept() -> None:
    """The write was cancelled before it began; what came before it is whole."""

    class Cut(MemoryBulk):
        async def create(self) -> PlaceWriter:  # type: ignore[override]  # as wide as Bulk, not MemoryBulk
            return CutWriter(await super().create())

    class CutWriter(WrappedWriter):
        async def write(self, buffers: Sequence[Buffer]) -> None:
            if self.position:
                raise asyncio.CancelledError
            await super().write(buffers)

    made = [Block.of(RAW, bytes([n]) * 2_100_000) for n in range(3)]
    async with StoreRunner(MemoryStore()) as runner:
        blocks = Blocks(runner, Cut())
        with pytest.raises(asyncio.CancelledError):
            async with blocks.batch(keep=True) as batch:
                for each in made:
                    await batch.put([each])
        known = await blocks.known([each.cid.bytes for each in made])
        assert known == {made[0].cid.bytes}
        assert await blocks.get(made[0].cid.bytes) == made[0].data
