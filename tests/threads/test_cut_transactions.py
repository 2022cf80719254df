"""Transactions whose connection breaks at each point: what the client says is what the hub has done."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

import textile_aio
from tests.fakehub import CTX, FakeHub, connected
from tests.faults.proxy import DATA, HEADERS, Direction, proxying
from tests.rpc.leaks import nothing_left
from tests.threads.test_transactions import THREAD, Ledger
from textile_aio import FailedPrecondition, Unavailable
from textile_aio._rpc.retry import RetryPolicy

POINTS = [
    *((DATA, number, Direction.UP) for number in range(1, 6)),
    *((DATA, number, Direction.DOWN) for number in range(1, 4)),
    *((HEADERS, number, Direction.UP) for number in range(1, 2)),
    *((HEADERS, number, Direction.DOWN) for number in range(1, 3)),
]


@pytest.mark.parametrize(("frame", "number", "direction"), POINTS)
async def test_no_cut_makes_a_commit_that_was_denied_or_a_denial_that_was_committed(
    frame: int, number: int, direction: Direction
) -> None:
    fake, ledger = FakeHub(), Ledger()
    ledger.serve(fake)
    async with connected(fake) as straight, proxying(int(straight.target.rpartition(":")[2])) as proxy:
        proxy.cut_before(frame, number, direction)
        async with textile_aio.connect(f"127.0.0.1:{proxy.port}", retry=RetryPolicy.none()) as hub:
            outcome: Exception | None = None
            try:
                async with hub.threads.write_transaction(CTX, THREAD, "people") as txn:
                    await txn.create([{}])
                    await txn.save([{"_id": "x"}])
                    await txn.delete(["y"])
            except Unavailable as error:
                outcome = error
            if ledger.started:
                await ledger.over.wait()
    unknown = any("not known" in note for note in getattr(outcome, "__notes__", ()))
    if outcome is None:
        assert ledger.committed == 1
    elif not unknown:
        assert ledger.committed == 0


async def test_a_cut_between_operations_is_noticed_when_the_block_is_left() -> None:
    fake, ledger = FakeHub(), Ledger()
    ledger.serve(fake)
    async with (
        nothing_left(),
        connected(fake) as straight,
        proxying(int(straight.target.rpartition(":")[2])) as proxy,
        textile_aio.connect(f"127.0.0.1:{proxy.port}", retry=RetryPolicy.none()) as hub,
    ):
        with pytest.raises(Unavailable):
            async with hub.threads.write_transaction(CTX, THREAD, "people") as txn:
                await txn.create([{}])
                proxy.cut()
                await ledger.over.wait()
        assert ledger.committed == 0
        with pytest.raises(FailedPrecondition, match="not committed"):
            async with hub.threads.write_transaction(CTX, THREAD, "people") as txn:
                await txn.create([{}])
                proxy.cut()
                with pytest.raises(Unavailable):
                    await txn.create([{}])
    assert ledger.committed == 0


@pytest.mark.parametrize("turns", range(0, 60, 3))
async def test_a_cancellation_at_any_moment_leaves_nothing_behind(turns: int) -> None:
    fake, ledger = FakeHub(), Ledger()
    ledger.serve(fake)

    async def work(hub: textile_aio.HubClient) -> None:
        async with hub.threads.write_transaction(CTX, THREAD, "people") as txn:
            await txn.create([{}])
            await txn.save([{"_id": "x"}])

    async with nothing_left(), connected(fake) as hub:
        task = asyncio.create_task(work(hub))
        for _ in range(turns):
            await asyncio.sleep(0)
        before = task.done()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        if ledger.started:
            await ledger.over.wait()
        assert ledger.committed <= 1
        assert ledger.committed == 1 or not before
        async with hub.threads.write_transaction(CTX, THREAD, "people"):
            pass  # nothing is held any more
