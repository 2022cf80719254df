"""What one caller can ask for at most, and that it takes no more time than its share."""

from __future__ import annotations

import time

import pytest

from tests.threaddb.engine_fixtures import Bench, dump, running
from textile_aio.errors import ResourceExhausted
from textile_aio.threaddb.commit import MOST_CHANGES


async def saving(bench: Bench, count: int) -> float:
    """CPU seconds of a transaction with so many calls."""
    began = time.process_time()
    async with bench.engine.write_transaction(bench.db, "Person", who="") as transaction:
        for number in range(count):
            await transaction.save([dump({"_id": f"s{number}", "name": "a"})])
        await transaction.commit()
    return time.process_time() - began


async def test_many_saves_in_a_transaction_take_time_by_their_number() -> None:
    async with running() as bench:
        await bench.person()
        await saving(bench, 10)
        few = await saving(bench, 200)
        assert await saving(bench, 1_600) < 24 * few


async def test_a_transaction_has_room_for_so_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("textile_aio.threaddb.transactions._ROOM", 1024 * 1024)
    large = dump({"name": "a" * 400_000})
    async with running() as bench:
        await bench.person()
        async with bench.engine.write_transaction(bench.db, "Person", who="") as transaction:
            for _ in range(2):
                await transaction.create([large])
            with pytest.raises(ResourceExhausted, match="1 MiB of changes at most"):
                await transaction.create([large])
            await transaction.commit()
        assert len(await bench.find()) == 2


async def test_more_instances_than_a_record_can_tell_of_are_refused_at_once() -> None:
    async with running() as bench:
        await bench.person()
        with pytest.raises(ResourceExhausted, match="65536 instances at most; use several"):
            await bench.engine.create(bench.db, "Person", [b'{"name":"a"}'] * (MOST_CHANGES + 1), who="")
