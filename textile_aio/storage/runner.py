"""A store behind the event loop: one thread that commits, a few that read.

Owns the group commit: every batch that waits when the writer is free goes into one ``Store.apply``, so that
they share one fsync; and the snapshots that are kept over several reads, each of which it closes. Refuses to
know what batches mean; a failed fence goes back to whoever prepared it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar, cast

from textile_aio.storage.changes import Batch
from textile_aio.storage.lanes import Lane, LaneClosed, to_end
from textile_aio.storage.locks import Locks
from textile_aio.storage.store import Snapshot, Store, StoreClosed, StoreError, View

T = TypeVar("T")


class StoreRunner:
    """Gives an event loop a store, which it owns from here on and closes.

    Use it from one event loop, as an async context manager or with :meth:`close`.

    Attributes:
        turns: By database, whose turn it is to write.
    """

    def __init__(
        self,
        store: Store,
        *,
        readers: int = 2,
        scanners: int = 2,
        waiting: int = 512,
        snapshots: int = 64,
    ) -> None:
        """Take over a store.

        Args:
            store: Closed together with the runner.
            readers: Threads for short reads.
            scanners: Threads for long ones, which short ones do not wait for.
            waiting: The most batches, and the most reads, that wait or run; further callers wait their turn.
            snapshots: The most snapshots that are open; further callers wait until one is closed.
        """
        self.turns: Locks = Locks()
        self._watchers: list[Callable[[Batch], None]] = []
        self._store = store
        self._snapshots = asyncio.Semaphore(snapshots)
        self._writer: Lane[Batch, StoreError | None] = Lane(
            self._commit, name="store-writer", group=waiting, waiting=waiting, at_end=store.close
        )
        self._readers: Lane[Callable[[], Any], Any] = Lane(
            _each, name="store-reader", threads=readers, waiting=waiting
        )
        self._scanners: Lane[Callable[[], Any], Any] = Lane(
            _each, name="store-scanner", threads=scanners, waiting=waiting
        )

    async def read(self, fn: Callable[[View], T]) -> T:
        """Run ``fn``, which does not take long, on one snapshot, in a reader thread.

        What ``fn`` raises passes through. Several may run at once; a cancelled caller does not stop ``fn``.

        Raises:
            StoreClosed: The runner is closed.
            StoreError: The store cannot be read.
        """
        return await self._read_in(self._readers, fn)

    async def scan(self, fn: Callable[[View], T]) -> T:
        """As :meth:`read`, for an ``fn`` that may look at any number of documents, or run scripts on them."""
        return await self._read_in(self._scanners, fn)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[HeldSnapshot]:
        """Keep one state of the store for several reads, until the block is left.

        It costs while it is open: what is replaced or written meanwhile is kept beside it (SQLite: the
        write-ahead log grows), so whoever opens one for somebody else sets a time by which it ends.

        Raises:
            StoreClosed: The runner is closed.
            StoreError: The store cannot be read.
        """
        async with self._snapshots:
            held = HeldSnapshot(self._scanners)
            try:
                await held.open(self._store)
                yield held
            finally:
                await held.close()

    async def apply(self, batch: Batch) -> None:
        """Apply a batch, in one commit with all others that wait; durable on return.

        Batches take effect in the order of the calls. If the caller is cancelled, its batch was applied as
        a whole or not at all, and only a read can tell which.

        Raises:
            StoreClosed: The runner is closed.
            StoreError: Nothing of the batch took effect: its fence failed (``Moved``), a claim is taken
                (``Duplicate``), something is not there (``Missing``), or the commit failed (``StoreFull``
                on a full disk).
        """
        try:
            error = await self._writer.run(batch)
        except LaneClosed:
            raise StoreClosed("the store is closed") from None
        self._settle(batch, error)

    async def apply_to_end(self, batch: Batch) -> None:
        """As :meth:`apply`, but a caller who is cancelled leaves only once the batch was applied or refused.

        For those who hold a database's turn: who takes it next finds no write still on its way.
        """
        try:
            error = await self._writer.finish(batch)
        except LaneClosed:
            raise StoreClosed("the store is closed") from None
        except asyncio.CancelledError:
            self._tell(batch)
            raise
        self._settle(batch, error)

    def watch(self, watcher: Callable[[Batch], None]) -> Callable[[], None]:
        """Call ``watcher`` on the event loop after each batch that was applied; returns what ends that.

        A hint: where a caller was cancelled, a batch may go unreported, or was refused. It must not raise.
        """
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    async def close(self) -> None:
        """Wait for everything queued, then close the store. Idempotent; a cancellation waits for its end."""
        try:
            await self._readers.close()
        finally:
            try:
                await self._scanners.close()
            finally:
                await self._writer.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _read_in(self, lane: Lane[Callable[[], Any], Any], fn: Callable[[View], T]) -> T:
        try:
            return cast("T", await lane.run(partial(self._store.read, fn)))
        except LaneClosed:
            raise StoreClosed("the store is closed") from None

    def _settle(self, batch: Batch, error: StoreError | None) -> None:
        if error is not None:
            raise error
        self._tell(batch)

    def _tell(self, batch: Batch) -> None:
        for part in batch.parts():
            for watcher in self._watchers:
                watcher(part)

    def _commit(self, batches: list[Batch]) -> list[StoreError | None]:
        try:
            return self._store.apply(batches)
        except Exception as error:  # noqa: BLE001 - whatever it was, every waiting caller has to hear of it
            kind = type(error) if isinstance(error, StoreError) else StoreError
            return [_fresh(kind, error) for _ in batches]


class HeldSnapshot:
    """One state of the store, kept for several reads; :meth:`StoreRunner.snapshot` opens and closes it."""

    def __init__(self, lane: Lane[Callable[[], Any], Any]) -> None:
        self._lane = lane
        self._turn = asyncio.Lock()
        self._snapshot: Snapshot | None = None

    async def read(self, fn: Callable[[View], T]) -> T:
        """Run ``fn`` on this state, in a reader thread, after every earlier call.

        What ``fn`` raises passes through. A caller who is cancelled while ``fn`` runs leaves after its end.

        Raises:
            StoreClosed: The snapshot or the runner is closed.
            StoreError: The store cannot be read.
        """
        async with self._turn:
            if self._snapshot is None:
                raise StoreClosed("the snapshot is closed")
            try:
                return cast("T", await self._lane.finish(partial(self._snapshot.read, fn)))
            except LaneClosed:
                raise StoreClosed("the store is closed") from None

    async def open(self, store: Store) -> None:
        """Take the present state; a caller who is cancelled meanwhile still has to close it."""

        def take() -> None:
            self._snapshot = store.snapshot()

        try:
            await self._lane.finish(take)
        except LaneClosed:
            raise StoreClosed("the store is closed") from None

    async def close(self) -> None:
        """Let the state go, even if the caller is cancelled. Idempotent."""
        snapshot, self._snapshot = self._snapshot, None
        if snapshot is not None:
            await to_end(asyncio.ensure_future(self._let_go(snapshot)))

    async def _let_go(self, snapshot: Snapshot) -> None:
        with suppress(LaneClosed):  # Then the store closes it, or has done so.
            await self._lane.run(snapshot.close)


def _fresh(kind: type[StoreError], cause: Exception) -> StoreError:
    """An error of one caller's own: raised in several tasks, a shared one would mix their tracebacks."""
    error = kind(str(cause))
    error.__cause__ = cause
    return error


def _each(jobs: list[Callable[[], Any]]) -> list[Any]:
    return [job() for job in jobs]
