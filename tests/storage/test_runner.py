from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import textwrap
import threading
import weakref
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NoReturn

import pytest

from tests.storage.rows import DB, document, new_database
from textile_aio.storage.changes import Batch, CreateThread, PutSetting
from textile_aio.storage.lanes import Lane
from textile_aio.storage.memory import MemoryStore
from textile_aio.storage.memory.store import MemorySnapshot
from textile_aio.storage.runner import StoreRunner
from textile_aio.storage.sqlite import SqliteStore
from textile_aio.storage.store import Moved, StoreClosed, StoreError, StoreFull, View
from textile_aio.storage.values import Thread


def setting(name: str, value: bytes) -> Batch:
    return Batch((PutSetting(name, value),))


class Gate(MemoryStore):
    """A store whose commits wait for a gate, and which remembers how they were grouped."""

    def __init__(self) -> None:
        super().__init__()
        self.open = threading.Event()
        self.entered = threading.Event()
        self.groups: list[int] = []
        self.closed_by: list[str] = []

    def apply(self, batches: Sequence[Batch]) -> list[StoreError | None]:
        self.entered.set()
        assert self.open.wait(10)
        self.groups.append(len(batches))
        return super().apply(batches)

    def close(self) -> None:
        self.closed_by.append(threading.current_thread().name)
        super().close()


class Broken(MemoryStore):
    """A store whose next commits fail, after having done the work."""

    def __init__(self) -> None:
        super().__init__()
        self.failures: list[Exception] = []

    def apply(self, batches: Sequence[Batch]) -> list[StoreError | None]:
        if self.failures:
            raise self.failures.pop(0)
        return super().apply(batches)


async def entered(store: Gate) -> None:
    assert await asyncio.to_thread(store.entered.wait, 10)


async def test_a_batch_is_applied_and_read() -> None:
    async with StoreRunner(MemoryStore()) as runner:
        await runner.apply(setting("a", b"1"))
        assert await runner.read(lambda v: v.setting("a")) == b"1"


async def test_waiting_batches_share_one_commit_in_the_order_of_the_calls() -> None:
    store = Gate()
    async with StoreRunner(store) as runner, asyncio.TaskGroup() as group:
        group.create_task(runner.apply(setting("a", b"first")))
        await entered(store)
        for n in range(20):
            group.create_task(runner.apply(setting("a", b"%d" % n)))
        await asyncio.sleep(0)
        store.open.set()
    assert store.groups == [1, 20]


async def test_each_caller_hears_of_its_own_batch() -> None:
    async with StoreRunner(MemoryStore()) as runner:
        await runner.apply(new_database())
        batches = [Batch((document(b"a"),), database=DB, expect=1) for _ in range(8)]
        errors = await asyncio.gather(*map(runner.apply, batches), return_exceptions=True)
        assert [type(error) for error in errors] == [type(None)] + [Moved] * 7
        database = await runner.read(lambda v: v.database(DB))
        assert database is not None
        assert database.sequence == 2


async def test_a_commit_that_fails_fails_all_its_callers_and_nothing_else() -> None:
    store = Broken()
    async with StoreRunner(store) as runner:
        store.failures = [StoreFull("no room")]
        errors = await asyncio.gather(
            *(runner.apply(setting(n, b"1")) for n in "abc"), return_exceptions=True
        )
        full = [error for error in errors if error is not None]
        assert full
        assert {type(error) for error in full} == {StoreFull}
        assert len({id(error) for error in full}) == len(full)
        await runner.apply(setting("d", b"1"))
        assert await runner.read(lambda v: v.setting("d")) == b"1"


async def test_any_other_failure_of_a_commit_is_a_store_error_with_its_cause() -> None:
    store = Broken()
    async with StoreRunner(store) as runner:
        store.failures = [ZeroDivisionError("bug")]
        with pytest.raises(StoreError, match="bug") as caught:
            await runner.apply(setting("a", b"1"))
        assert isinstance(caught.value.__cause__, ZeroDivisionError)


async def test_a_cancelled_caller_leaves_at_once_and_its_batch_is_whole_or_absent() -> None:
    store = Gate()
    async with StoreRunner(store) as runner:
        taken = asyncio.create_task(runner.apply(Batch((PutSetting("a", b"1"), PutSetting("b", b"1")))))
        await entered(store)
        waiting = asyncio.create_task(runner.apply(setting("c", b"1")))
        await asyncio.sleep(0)
        for task in (taken, waiting):
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        store.open.set()
        await runner.apply(setting("d", b"1"))
        found = await runner.read(lambda v: [v.setting(name) for name in "abcd"])
    # The one that was being applied was; the one that only waited was dropped.
    assert found == [b"1", b"1", None, b"1"]


async def test_a_failure_nobody_waits_for_any_more_is_silent(caplog: pytest.LogCaptureFixture) -> None:
    store = Gate()
    async with StoreRunner(store) as runner:
        bad = Batch((CreateThread(Thread(b"t", b"", None, 0)),) * 2)
        task = asyncio.create_task(runner.apply(bad))
        await entered(store)
        task.cancel()
        await asyncio.wait([task])
        store.open.set()
    del task
    gc.collect()
    assert caplog.records == []


async def test_callers_beyond_the_limit_wait_their_turn() -> None:
    store = Gate()
    async with StoreRunner(store, waiting=4) as runner:
        tasks = [asyncio.create_task(runner.apply(setting("a", b"%d" % n))) for n in range(10)]
        await entered(store)
        store.open.set()
        await asyncio.gather(*tasks)
        assert await runner.read(lambda v: v.setting("a")) == b"9"
    assert max(store.groups) <= 4
    assert sum(store.groups) == 10


async def test_cancelling_a_caller_beyond_the_limit_costs_no_turn() -> None:
    store = Gate()
    async with StoreRunner(store, waiting=1) as runner:
        first = asyncio.create_task(runner.apply(setting("a", b"1")))
        await entered(store)
        second, third = (asyncio.create_task(runner.apply(setting("a", n))) for n in (b"2", b"3"))
        await asyncio.sleep(0)
        second.cancel()
        await asyncio.wait([second])
        store.open.set()
        await asyncio.gather(first, third)
        assert await runner.read(lambda v: v.setting("a")) == b"3"


async def test_close_waits_for_what_is_queued_and_closes_the_store_in_its_thread() -> None:
    store = Gate()
    runner = StoreRunner(store)
    tasks = [asyncio.create_task(runner.apply(setting("a", b"%d" % n))) for n in range(3)]
    await entered(store)
    closing = asyncio.create_task(runner.close())
    await asyncio.sleep(0)
    store.open.set()
    await closing
    assert all(task.done() and task.exception() is None for task in tasks)
    assert store.closed_by == ["store-writer-0"]
    await runner.close()


async def test_a_close_that_is_cancelled_still_closes() -> None:
    store = Gate()
    runner = StoreRunner(store)
    task = asyncio.create_task(runner.apply(setting("a", b"1")))
    await entered(store)
    closing = asyncio.create_task(runner.close())
    await asyncio.sleep(0)
    closing.cancel()
    await asyncio.sleep(0)
    assert not closing.done()
    store.open.set()
    with pytest.raises(asyncio.CancelledError):
        await closing
    await task
    assert store.closed_by


async def test_a_closed_runner_says_so_and_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    runner = StoreRunner(MemoryStore())
    await runner.apply(setting("a", b"1"))
    await runner.read(lambda v: None)
    assert set(threading.enumerate()) - before
    await runner.close()
    assert set(threading.enumerate()) - before == set()
    with pytest.raises(StoreClosed):
        await runner.apply(setting("a", b"1"))
    with pytest.raises(StoreClosed):
        await runner.read(lambda v: None)


async def test_a_runner_that_was_never_used_closes_its_store() -> None:
    store = Gate()
    await StoreRunner(store).close()
    assert store.closed_by


async def test_what_a_reader_raises_passes_through_without_a_reference_cycle() -> None:
    class Marked(Exception):
        pass

    async def fail(runner: StoreRunner) -> weakref.ref[Marked]:
        def look(view: View) -> NoReturn:
            raise Marked

        try:
            await runner.read(look)
        except Marked as error:
            return weakref.ref(error)
        raise AssertionError("nothing was raised")

    async with StoreRunner(MemoryStore()) as runner:
        gc.disable()
        try:
            error = await fail(runner)
            await runner.read(lambda v: None)
            assert error() is None
        finally:
            gc.enable()


async def test_readers_run_beside_a_commit_and_beside_each_other() -> None:
    store = Gate()
    together = threading.Barrier(2, timeout=10)
    async with StoreRunner(store, readers=2) as runner:
        task = asyncio.create_task(runner.apply(setting("a", b"1")))
        await entered(store)
        await asyncio.gather(*(runner.read(lambda v: together.wait()) for _ in range(2)))
        assert not task.done()
        store.open.set()
        await task


def test_two_loops_may_not_share_a_runner() -> None:
    runner = StoreRunner(MemoryStore())

    async def use() -> None:
        await runner.apply(setting("a", b"1"))

    asyncio.run(use())
    with pytest.raises(RuntimeError, match="two event loops"):
        asyncio.run(use())


@pytest.mark.parametrize("ending", ["pass", "loop.close()"])
def test_a_program_that_just_ends_does_not_hang(ending: str) -> None:
    program = textwrap.dedent("""
        import asyncio, threading
        from textile_aio.storage.changes import Batch, PutSetting
        from textile_aio.storage.memory import MemoryStore
        from textile_aio.storage.runner import StoreRunner

        async def use():
            global runner
            runner = StoreRunner(MemoryStore())
            await runner.apply(Batch((PutSetting("a", b"1"),)))
            asyncio.ensure_future(runner.read(lambda v: threading.Event().wait()))
            await asyncio.sleep(0)

        loop = asyncio.new_event_loop()
        loop.run_until_complete(use())
        ENDING
        print("end")
    """).replace("ENDING", ending)
    run = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=20,
        cwd=Path.cwd(),
        check=True,
    )
    assert run.stdout == "end\n"
    assert "Traceback" not in run.stderr


async def test_finish_leaves_a_cancelled_caller_only_after_the_job() -> None:
    started, go = threading.Event(), threading.Event()
    done = []

    def serve(jobs: list[str]) -> list[str]:
        started.set()
        assert go.wait(10)
        done.extend(jobs)
        return jobs

    lane = Lane(serve, name="test")
    task = asyncio.create_task(lane.finish("job"))
    assert await asyncio.to_thread(started.wait, 10)
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done == ["job"]
    await lane.close()


class Counting(MemoryStore):
    """A store that counts its open snapshots, and whose snapshots may have to wait for a gate."""

    def __init__(self) -> None:
        super().__init__()
        self.opened = 0
        self.open: set[MemorySnapshot] = set()
        self.gate = threading.Event()
        self.gate.set()

    def snapshot(self) -> MemorySnapshot:
        assert self.gate.wait(10)
        snapshot = super().snapshot()
        self.opened += 1
        self.open.add(snapshot)
        close = snapshot.close

        def counted() -> None:
            close()
            self.open.discard(snapshot)

        snapshot.close = counted  # type: ignore[method-assign]
        return snapshot


async def test_a_snapshot_answers_from_one_state_until_it_is_left() -> None:
    store = Counting()
    async with StoreRunner(store) as runner:
        await runner.apply(setting("a", b"1"))
        async with runner.snapshot() as snapshot:
            await runner.apply(setting("a", b"2"))
            assert await snapshot.read(lambda v: v.setting("a")) == b"1"
            assert await runner.read(lambda v: v.setting("a")) == b"2"
            with pytest.raises(ZeroDivisionError):
                await snapshot.read(lambda v: 1 // len(v.threads()))
        assert not store.open
        with pytest.raises(StoreClosed):
            await snapshot.read(lambda v: v.setting("a"))


async def test_reads_of_a_snapshot_run_one_at_a_time_in_the_order_of_the_calls() -> None:
    inside, go_on = threading.Event(), threading.Event()
    order: list[int] = []

    def first(view: View) -> None:
        inside.set()
        assert go_on.wait(10)
        order.append(0)

    def note(number: int, view: View) -> None:
        order.append(number)

    async with StoreRunner(MemoryStore(), readers=4) as runner, runner.snapshot() as snapshot:
        tasks = [asyncio.create_task(snapshot.read(first))]
        assert await asyncio.to_thread(inside.wait, 10)
        tasks += [asyncio.create_task(snapshot.read(partial(note, n))) for n in (1, 2, 3)]
        # Other reads go on, and by then those of the snapshot could have run as well.
        await asyncio.gather(*(runner.read(lambda v: v.threads()) for _ in range(20)))
        assert order == []
        go_on.set()
        await asyncio.gather(*tasks)
    assert order == [0, 1, 2, 3]


async def test_snapshots_beyond_the_limit_wait_for_one_to_close() -> None:
    store = Counting()
    async with StoreRunner(store, snapshots=2) as runner:
        two, leave = asyncio.Barrier(3), asyncio.Event()
        most = 0

        async def hold() -> None:
            nonlocal most
            async with runner.snapshot() as snapshot:
                most = max(most, len(store.open))
                await snapshot.read(lambda v: v.threads())
                if not leave.is_set():
                    await two.wait()
                await leave.wait()

        async with asyncio.TaskGroup() as group:
            for _ in range(5):
                group.create_task(hold())
            await two.wait()
            waiting = group.create_task(hold())
            await asyncio.sleep(0)
            waiting.cancel()
            leave.set()
        assert (most, store.opened, store.open) == (2, 5, set())


async def test_a_caller_cancelled_while_its_snapshot_is_opened_leaves_none_open() -> None:
    store = Counting()
    store.gate.clear()
    async with StoreRunner(store) as runner:

        async def hold() -> None:
            async with runner.snapshot():
                raise AssertionError("it was cancelled before")

        task = asyncio.create_task(hold())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(0)
        store.gate.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not store.open


async def test_a_caller_cancelled_while_reading_leaves_after_the_read_with_its_snapshot_closed() -> None:
    store = Counting()
    inside, go_on = threading.Event(), threading.Event()
    ended: list[bool] = []

    def look(view: View) -> None:
        inside.set()
        assert go_on.wait(10)
        ended.append(True)

    async with StoreRunner(store) as runner:

        async def hold() -> None:
            async with runner.snapshot() as snapshot:
                await snapshot.read(look)

        task = asyncio.create_task(hold())
        assert await asyncio.to_thread(inside.wait, 10)
        task.cancel()
        await asyncio.sleep(0)
        assert not task.done()
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ended
        assert not store.open


async def test_a_caller_cancelled_while_its_snapshot_is_closed_leaves_none_open() -> None:
    """Both reader threads and all places in the queue are taken when the block is left."""
    store = Counting()
    async with StoreRunner(store, readers=1, waiting=2) as runner:
        inside, go_on = threading.Event(), threading.Event()
        holding, leave = asyncio.Event(), asyncio.Event()

        def look(view: View) -> None:
            inside.set()
            assert go_on.wait(10)

        async def hold() -> None:
            async with runner.snapshot():
                holding.set()
                await leave.wait()

        task = asyncio.create_task(hold())
        await holding.wait()
        readers = [asyncio.create_task(runner.read(look)) for _ in range(2)]
        assert await asyncio.to_thread(inside.wait, 10)
        leave.set()
        for _ in range(3):
            await asyncio.sleep(0)
            task.cancel()
        await asyncio.sleep(0)
        assert not task.done()
        go_on.set()
        await asyncio.gather(*readers)
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not store.open


async def test_a_runner_that_closes_ends_its_snapshots(tmp_path: Path) -> None:
    runner = StoreRunner(SqliteStore.open(tmp_path / "hub.db", fsync=False))
    await runner.apply(setting("a", b"1"))
    async with runner.snapshot() as snapshot:
        assert await snapshot.read(lambda v: v.setting("a")) == b"1"
        await runner.close()
        with pytest.raises(StoreClosed):
            await snapshot.read(lambda v: v.setting("a"))
    with pytest.raises(StoreClosed):
        async with runner.snapshot():
            raise AssertionError("the runner is closed")


async def test_the_log_is_cut_back_once_no_snapshot_needs_it(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    async with StoreRunner(SqliteStore.open(path, fsync=False)) as runner:
        await runner.apply(setting("a", b"1"))
        async with runner.snapshot() as snapshot:
            await snapshot.read(lambda v: v.setting("a"))
            for n in range(400):
                await runner.apply(setting(f"s{n}", bytes(100_000)))
            long = path.with_name("hub.db-wal").stat().st_size
            assert long > 400 * 100_000
            assert await snapshot.read(lambda v: v.setting("s1")) is None
        for n in range(400):
            await runner.apply(setting(f"s{n}", bytes(100_000)))
        assert path.with_name("hub.db-wal").stat().st_size < 1.5 * long
