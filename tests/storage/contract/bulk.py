from __future__ import annotations

import asyncio

import pytest

from textile_aio.storage.bulk import Bulk, PlaceMissing
from textile_aio.storage.store import StoreClosed, StoreError


class BulkContract:
    """Needs a fixture ``bulk``: an empty bulk store, closed by its fixture."""

    async def test_what_was_committed_is_read(self, bulk: Bulk) -> None:
        writer = await bulk.create()
        await writer.write([b"abc", bytearray(b"de"), memoryview(b"xfgx")[1:3], b""])
        assert writer.position == 7
        await writer.write([b"h"])
        await writer.commit()
        assert await bulk.places() == [writer.name]
        assert await bulk.read(writer.name, [(0, 8), (5, 0), (1, 3), (7, 1)]) == [
            b"abcdefgh",
            b"",
            b"bcd",
            b"h",
        ]

    async def test_many_buffers_and_many_ranges_are_one_call(self, bulk: Bulk) -> None:
        writer = await bulk.create()
        parts = [n.to_bytes(4, "big") for n in range(3000)]
        await writer.write(parts)
        await writer.commit()
        ranges = [(4 * n, 4) for n in range(3000)]
        assert await bulk.read(writer.name, ranges) == parts
        assert await bulk.read(writer.name, ranges[::-7]) == parts[::-7]

    async def test_buffers_may_be_reused_after_a_write(self, bulk: Bulk) -> None:
        writer = await bulk.create()
        buffer = bytearray(b"first")
        await writer.write([buffer])
        buffer[:] = b"other"
        await writer.write([buffer])
        await writer.commit()
        assert await bulk.read(writer.name, [(0, 10)]) == [b"firstother"]

    async def test_the_size_of_a_place_counts_what_was_committed(self, bulk: Bulk) -> None:
        writer = await bulk.create()
        await writer.write([b"abc", b"", b"de" * 1000])
        assert await bulk.size(writer.name) == 0
        await writer.commit()
        assert await bulk.size(writer.name) == writer.position == 2003
        empty = await bulk.create()
        await empty.commit()
        assert await bulk.size(empty.name) == 0
        await bulk.delete(writer.name)
        assert await bulk.size(writer.name) == 0
        assert await bulk.size("never-there") == 0

    async def test_an_empty_place_is_a_place(self, bulk: Bulk) -> None:
        writer = await bulk.create()
        await writer.commit()
        assert await bulk.places() == [writer.name]
        assert await bulk.read(writer.name, []) == []

    async def test_a_place_is_not_there_before_its_commit(self, bulk: Bulk) -> None:
        writer = await bulk.create()
        await writer.write([b"abc"])
        assert await bulk.places() == []
        with pytest.raises(PlaceMissing):
            await bulk.read(writer.name, [(0, 1)])

    async def test_an_aborted_place_is_gone_and_takes_no_more(self, bulk: Bulk) -> None:
        writer = await bulk.create()
        await writer.write([b"abc"])
        await writer.abort()
        await writer.abort()
        assert await bulk.places() == []
        with pytest.raises(StoreError):
            await writer.write([b"d"])
        with pytest.raises(StoreError):
            await writer.commit()

    async def test_abort_after_commit_is_harmless(self, bulk: Bulk) -> None:
        writer = await bulk.create()
        await writer.write([b"abc"])
        await writer.commit()
        await writer.abort()
        assert await bulk.read(writer.name, [(0, 3)]) == [b"abc"]
        with pytest.raises(StoreError):
            await writer.write([b"d"])

    @pytest.mark.parametrize("range_", [(0, 4), (3, 1), (2, 2), (10, 1)])
    async def test_a_range_beyond_the_end_is_missing(self, bulk: Bulk, range_: tuple[int, int]) -> None:
        writer = await bulk.create()
        await writer.write([b"abc"])
        await writer.commit()
        with pytest.raises(PlaceMissing):
            await bulk.read(writer.name, [(0, 3), range_])

    @pytest.mark.parametrize("place", ["0" * 32, "", "../secret", "x" * 500])
    async def test_an_unknown_place_is_missing_and_deleted_without_error(
        self, bulk: Bulk, place: str
    ) -> None:
        with pytest.raises(PlaceMissing):
            await bulk.read(place, [(0, 1)])
        await bulk.delete(place)

    async def test_a_deleted_place_is_missing_even_if_it_was_read(self, bulk: Bulk) -> None:
        writers = [await bulk.create() for _ in range(2)]
        for writer in writers:
            await writer.write([b"abc"])
            await writer.commit()
            await bulk.read(writer.name, [(0, 3)])
        await bulk.delete(writers[0].name)
        assert await bulk.places() == [writers[1].name]
        with pytest.raises(PlaceMissing):
            await bulk.read(writers[0].name, [(0, 3)])

    async def test_names_are_never_used_twice_and_come_sorted(self, bulk: Bulk) -> None:
        names = []
        for _ in range(20):
            writer = await bulk.create()
            await writer.commit()
            names.append(writer.name)
            await bulk.delete(names[0])
        assert len(set(names)) == 20
        assert await bulk.places() == sorted(names[1:])

    async def test_places_are_written_and_read_side_by_side(self, bulk: Bulk) -> None:
        async def one(n: int) -> None:
            writer = await bulk.create()
            for _ in range(8):
                await writer.write([bytes([n]) * 1000] * 3)
            await writer.commit()
            assert await bulk.read(writer.name, [(0, 24000)]) == [bytes([n]) * 24000]

        async with asyncio.TaskGroup() as group:
            for n in range(16):
                group.create_task(one(n))
        assert len(await bulk.places()) == 16

    async def test_a_closed_bulk_says_so(self, bulk: Bulk) -> None:
        await bulk.close()
        await bulk.close()
        with pytest.raises(StoreClosed):
            await bulk.create()
        with pytest.raises(StoreClosed):
            await bulk.places()
