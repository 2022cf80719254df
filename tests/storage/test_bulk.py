from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.storage.contract import BlocksContract, BulkContract
from textile_aio.storage.memory import MemoryBulk, MemoryStore
from textile_aio.storage.packs import PackBulk
from textile_aio.storage.runner import StoreRunner
from textile_aio.storage.sqlite import SqliteStore


class TestPackBulk(BulkContract):
    @pytest.fixture
    async def bulk(self, tmp_path: Path) -> AsyncIterator[PackBulk]:
        bulk = PackBulk.open(tmp_path / "packs", fsync=False, open_files=4)
        yield bulk
        await bulk.close()


class TestMemoryBulk(BulkContract):
    @pytest.fixture
    async def bulk(self) -> AsyncIterator[MemoryBulk]:
        bulk = MemoryBulk()
        yield bulk
        await bulk.close()


class TestBlocksOnDisk(BlocksContract):
    @pytest.fixture
    async def bulk(self, tmp_path: Path) -> AsyncIterator[PackBulk]:
        bulk = PackBulk.open(tmp_path / "packs", fsync=False)
        yield bulk
        await bulk.close()

    @pytest.fixture
    async def runner(self, tmp_path: Path) -> AsyncIterator[StoreRunner]:
        async with StoreRunner(SqliteStore.open(tmp_path / "hub.db", fsync=False)) as runner:
            yield runner


class TestBlocksInMemory(BlocksContract):
    @pytest.fixture
    async def bulk(self) -> MemoryBulk:
        return MemoryBulk()

    @pytest.fixture
    async def runner(self) -> AsyncIterator[StoreRunner]:
        async with StoreRunner(MemoryStore()) as runner:
            yield runner
