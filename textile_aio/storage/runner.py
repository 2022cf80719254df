"""A store behind the event loop: one thread that commits, a few that read.

Owns the group commit: every batch that waits when the writer is free goes into one ``Store.apply``, so that
they share one fsync. Refuses to know what batches mean; a failed fence goes back to whoever prepared it.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeVar, cast

from textile_aio.storage.changes import Batch
from textile_aio.storage.lanes import Lane, LaneClosed
from textile_aio.storage.locks import Locks
from textile_aio.storage.store import Store, StoreClosed, StoreError, View

T = TypeVar("T")


class StoreRunner:
    """Gives an event loop a store, which it owns from here on and closes.

    Use it from one event loop, as an async context manager or with :meth:`close`.

    Attributes:
        turns: By database, whose turn it is to write.
    """

    def __init__(self, store: Store, *, readers: int = 2, waiting: int = 512) -> None:
        """Take over a store.

        Args:
            store: Closed together with the runner.
            readers: Reader threads.
            waiting: The most batches, and the most reads, that wait or run; further callers wait their turn.
        """
        self.turns: Locks = Locks()
        self._watchers: list[Callable[[Batch], None]] = []
        self._store = store
        self._writer: Lane[Batch, StoreError | None] = Lane(
            self._commit, name="store-writer", group=waiting, waiting=waiting, at_end=store.close
        )
        self._readers: Lane[Callable[[View], Any], Any] = Lane(
            lambda fns: [store.read(fn) for fn in fns], name="store-reader", threads=readers, waiting=waiting
        )

    async def read(self, fn: Callable[[View], T]) -> T:
        """Run ``fn`` on one snapshot, in a reader thread.

        What ``fn`` raises passes through. Several may run at once; a cancelled caller does not stop ``fn``.

        Raises:
            StoreClosed: The runner is closed.
            StoreError: The store cannot be read.
        """
        try:
            return cast("T", await self._readers.run(fn))
        except LaneClosed:
            raise StoreClosed("the store is closed") from None

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
        self._settle(batch, error)

    def watch(self, watcher: Callable[[Batch], None]) -> Callable[[], None]:
        """Call ``watcher`` on the event loop after each batch that was applied; returns what ends that.

        A hint: a batch whose caller was cancelled may go unreported. It must not raise.
        """
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    async def close(self) -> None:
        """Wait for everything queued, then close the store. Idempotent; a cancellation waits for its end."""
        try:
            await self._readers.close()
        finally:
            await self._writer.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _settle(self, batch: Batch, error: StoreError | None) -> None:
        if error is not None:
            raise error
        for watcher in self._watchers:
            watcher(batch)

    def _commit(self, batches: list[Batch]) -> list[StoreError | None]:
        try:
            return self._store.apply(batches)
        except Exception as error:  # noqa: BLE001 - whatever it was, every waiting caller has to hear of it
            kind = type(error) if isinstance(error, StoreError) else StoreError
            return [_fresh(kind, error) for _ in batches]


def _fresh(kind: type[StoreError], cause: Exception) -> StoreError:
    """An error of one caller's own: raised in several tasks, a shared one would mix their tracebacks."""
    error = kind(str(cause))
    error.__cause__ = cause
    return error
