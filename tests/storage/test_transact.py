"""Writers of one database, each behind its fence."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tests.storage.rows import DB, OTHER, document, new_database
from textile_aio.errors import Aborted
from textile_aio.storage.changes import Batch
from textile_aio.storage.memory import MemoryStore
from textile_aio.storage.runner import StoreRunner
from textile_aio.storage.store import Moved, View
from textile_aio.storage.transact import transact


def counting(database: bytes) -> Callable[[View], tuple[Batch, int]]:
    """Read a number, and write the next one."""

    def prepare(view: View) -> tuple[Batch, int]:
        found = view.database(database)
        kept = view.document(database, "Dogs", b"n")
        assert found is not None
        number = int(kept) + 1 if kept else 1
        return Batch((document(b"n", b"%d" % number),), database, found.sequence), number

    return prepare


async def test_however_many_writers_each_gets_through_and_none_is_lost() -> None:
    async with StoreRunner(MemoryStore()) as runner:
        await runner.apply(new_database(DB))
        await runner.apply(new_database(OTHER))
        numbers = await asyncio.gather(
            *(transact(runner, counting(database)) for _ in range(200) for database in (DB, OTHER))
        )
        assert sorted(numbers[0::2]) == sorted(numbers[1::2]) == list(range(1, 201))
        assert not runner.turns.held(DB)


async def test_writers_of_another_database_do_not_wait() -> None:
    async with StoreRunner(MemoryStore()) as runner:
        await runner.apply(new_database(DB))
        await runner.apply(new_database(OTHER))
        async with runner.turns.hold(DB):
            waiting = asyncio.create_task(transact(runner, counting(DB)))
            assert await transact(runner, counting(OTHER)) == 1
            assert not waiting.done()
        assert await waiting == 1


async def test_a_cancelled_writer_gives_its_turn_to_the_next() -> None:
    async with StoreRunner(MemoryStore()) as runner:
        await runner.apply(new_database(DB))
        async with runner.turns.hold(DB):
            first, second = (asyncio.create_task(transact(runner, counting(DB))) for _ in range(2))
            await transact(runner, lambda view: (Batch(()), None))  # both have been read by now
            first.cancel()
        assert await second == 1
        with pytest.raises(asyncio.CancelledError):
            await first


async def test_a_fence_that_never_holds_is_given_up() -> None:
    async def never(batch: Batch) -> None:
        raise Moved("injected")

    async with StoreRunner(MemoryStore()) as runner:
        await runner.apply(new_database(DB))
        with pytest.raises(Aborted, match="too many writers"):
            await transact(runner, counting(DB), apply=never)
        assert await transact(runner, counting(DB)) == 1
