from __future__ import annotations

import pytest

from tests.storage.rows import (
    block,
    cid_of,
)
from textile_aio.storage.blocks import BlockMissing, Blocks
from textile_aio.storage.bulk import Bulk
from textile_aio.storage.changes import (
    Batch,
    PutBlocks,
)
from textile_aio.storage.runner import StoreRunner
from textile_aio.storage.store import StoreError


class BlocksContract:
    """Needs fixtures ``runner`` and ``bulk``; limits are small so that every path is taken."""

    INLINE = 64
    PLACE = 4096

    @pytest.fixture
    def blocks(self, runner: StoreRunner, bulk: Bulk) -> Blocks:
        return Blocks(runner, bulk, inline_limit=self.INLINE, place_limit=self.PLACE)

    async def test_blocks_of_every_size_come_back_in_the_order_asked_for(
        self, blocks: Blocks, runner: StoreRunner
    ) -> None:
        data = [bytes([n % 256]) * n for n in (0, 1, 63, 64, 65, 1000, 5000, 70_000)]
        async with blocks.batch() as batch:
            await batch.put([block(each) for each in data])
            await runner.apply(Batch(await batch.seal()))
        order = [data[n] for n in (7, 0, 3, 5, 5, 1, 6, 4, 2)]
        assert await blocks.get_many([cid_of(each) for each in order]) == order
        assert await blocks.get(cid_of(data[4])) == data[4]
        assert await blocks.get_many([]) == []

    async def test_links_are_kept_with_the_row(self, blocks: Blocks, runner: StoreRunner) -> None:
        small, large = block(b"s", b"one", b"two"), block(b"l" * 100, b"three")
        async with blocks.batch() as batch:
            await batch.put([small, large])
            await runner.apply(Batch(await batch.seal()))
        rows = await runner.read(lambda v: v.blocks([small.cid.bytes, large.cid.bytes]))
        assert [rows[each.cid.bytes].links for each in (small, large)] == [(b"one", b"two"), (b"three",)]

    async def test_nothing_is_here_before_its_operations_are_applied(
        self, blocks: Blocks, runner: StoreRunner
    ) -> None:
        data = [b"small", b"large" * 100]
        cids = [cid_of(each) for each in data]
        async with blocks.batch() as batch:
            await batch.put([block(each) for each in data])
            operations = await batch.seal()
            assert await blocks.known(cids) == set()
            with pytest.raises(BlockMissing) as caught:
                await blocks.get(cids[0])
            assert caught.value.cid == cids[0]
        await runner.apply(Batch(operations))
        assert await blocks.known([*cids, b"other"]) == set(cids)

    async def test_a_batch_without_seal_leaves_no_places(self, blocks: Blocks, bulk: Bulk) -> None:
        async with blocks.batch() as batch:
            await batch.put([block(bytes([n]) * 200_000) for n in range(12)])
            assert await bulk.places()
        assert await bulk.places() == []

    async def test_an_error_in_the_push_leaves_no_places(self, blocks: Blocks, bulk: Bulk) -> None:
        with pytest.raises(ZeroDivisionError):
            async with blocks.batch() as batch:
                await batch.put([block(bytes([n]) * 200_000) for n in range(12)])
                raise ZeroDivisionError
        assert await bulk.places() == []

    async def test_known_blocks_are_not_written_again(
        self, blocks: Blocks, runner: StoreRunner, bulk: Bulk
    ) -> None:
        made = [block(b"small"), block(b"large" * 100)]
        async with blocks.batch() as batch:
            await batch.put(made + made)
            await batch.put(made)
            [operation] = await batch.seal()
            await runner.apply(Batch((operation,)))
        assert isinstance(operation, PutBlocks)
        assert len(operation.rows) == 2
        places = await bulk.places()
        async with blocks.batch() as batch:
            await batch.put(made)
            (again,) = await batch.seal()
            assert isinstance(again, PutBlocks)
            assert [row.data for row in again.rows] == [b"small"]  # its row is as large as asking for it
        assert await bulk.places() == places

    async def test_two_pushes_of_the_same_blocks_both_succeed(
        self, blocks: Blocks, runner: StoreRunner, bulk: Bulk
    ) -> None:
        data = b"large" * 100
        async with blocks.batch() as one, blocks.batch() as two:
            for batch in (one, two):
                await batch.put([block(data)])
            for operations in (await one.seal(), await two.seal()):
                await runner.apply(Batch(operations))
        assert await blocks.get(cid_of(data)) == data
        assert len(set(await bulk.places()) - await runner.read(lambda v: v.places())) == 1

    async def test_a_place_is_ended_at_its_limit(
        self, blocks: Blocks, runner: StoreRunner, bulk: Bulk
    ) -> None:
        data = [bytes([n]) * 600_000 for n in range(16)]
        async with blocks.batch() as batch:
            await batch.put([block(each) for each in data])
            await runner.apply(Batch(await batch.seal()))
        assert len(await bulk.places()) == 4
        assert await blocks.get_many([cid_of(each) for each in data]) == data

    async def test_small_blocks_in_number_go_to_the_index_early(
        self, blocks: Blocks, runner: StoreRunner
    ) -> None:
        data = [n.to_bytes(60, "big") for n in range(20_000)]
        async with blocks.batch() as batch:
            await batch.put([block(each) for each in data])
            early = await blocks.known([cid_of(each) for each in data])
            assert 0 < len(early) < len(data)
            [operation] = await batch.seal()
            assert isinstance(operation, PutBlocks)
            assert len(operation.rows) + len(early) == len(data)
            await runner.apply(Batch((operation,)))
        assert await blocks.get_many([cid_of(each) for each in data]) == data

    async def test_rows_told_early_outlive_a_batch_that_is_left(
        self, runner: StoreRunner, bulk: Bulk
    ) -> None:
        blocks = Blocks(runner, bulk, inline_limit=0, place_limit=1)
        data = [n.to_bytes(60, "big") for n in range(20_000)]
        async with blocks.batch() as batch:
            await batch.put([block(each) for each in data])
        known = await blocks.known([cid_of(each) for each in data])
        assert known
        assert len(await blocks.get_many(list(known))) == len(known)
        assert set(await bulk.places()) == await runner.read(lambda v: v.places())

    async def test_a_small_blocks_buffer_may_be_reused_after_put(
        self, runner: StoreRunner, bulk: Bulk
    ) -> None:
        blocks = Blocks(runner, bulk, inline_limit=100)
        buffer = bytearray(b"x" * 100)
        made = block(bytes(buffer))
        async with blocks.batch() as batch:
            await batch.put([type(made)(made.cid, memoryview(buffer))])
            buffer[:] = b"y" * 100
            await runner.apply(Batch(await batch.seal()))
        assert await blocks.get(made.cid.bytes) == b"x" * 100

    async def test_blocks_of_any_kind_of_buffer_are_kept(self, blocks: Blocks, runner: StoreRunner) -> None:
        contents = [bytes([n]) * 700_000 for n in range(6)]
        kinds = (bytes, bytearray, memoryview)
        async with blocks.batch() as batch:
            for number, content in enumerate(contents):
                made = block(content)
                await batch.put([type(made)(made.cid, kinds[number % 3](content))])
            await runner.apply(Batch(await batch.seal()))
        assert await blocks.get_many([cid_of(each) for each in contents]) == contents

    async def test_a_sealed_or_left_batch_takes_no_more(self, blocks: Blocks) -> None:
        async with blocks.batch() as batch:
            await batch.seal()
            with pytest.raises(StoreError, match="sealed"):
                await batch.put([])
        async with blocks.batch() as left:
            pass
        with pytest.raises(StoreError, match="left"):
            await left.seal()

    async def test_a_block_whose_place_is_gone_is_missing(
        self, blocks: Blocks, runner: StoreRunner, bulk: Bulk
    ) -> None:
        data = [b"one" * 100, b"two" * 100]
        for each in data:
            async with blocks.batch() as batch:
                await batch.put([block(each)])
                await runner.apply(Batch(await batch.seal()))
        rows = await runner.read(lambda v: v.blocks([cid_of(data[0])]))
        await bulk.delete(rows[cid_of(data[0])].place)
        with pytest.raises(BlockMissing) as caught:
            await blocks.get_many([cid_of(each) for each in reversed(data)])
        assert caught.value.cid == cid_of(data[0])
