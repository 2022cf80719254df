"""The store in memory: one state, written in place, or beside it while somebody reads.

It passes the same contract as the SQLite store, which is the proof that the boundary is not SQL.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from typing import TypeVar

from textile_aio.storage.changes import Batch
from textile_aio.storage.memory.tables import Tables
from textile_aio.storage.memory.view import MemoryView
from textile_aio.storage.memory.writer import Writer
from textile_aio.storage.store import StoreClosed, StoreError, View

T = TypeVar("T")


class MemoryStore:
    """A store that ends with the process.

    A read holds the state it began with. A write that meets readers leaves them their state and copies
    the tables it touches; without readers it works in place. Neither waits for the other to end, save
    that a read begins after a write that is being applied.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._tables = Tables()
        self._readers = 0  # of the present state
        self._closed = False

    def read(self, fn: Callable[[View], T]) -> T:
        """Run ``fn`` on one snapshot (see ``Store.read``)."""
        tables = self._pin()
        view = MemoryView(tables)
        try:
            return fn(view)
        finally:
            view.end()
            self._unpin(tables)

    def snapshot(self) -> MemorySnapshot:
        """Keep the present state for several reads (see ``Store.snapshot``)."""
        return MemorySnapshot(self._pin(), self._unpin, self._is_closed)

    def apply(self, batches: Sequence[Batch]) -> list[StoreError | None]:
        """Apply batches in order (see ``Store.apply``)."""
        with self._lock:
            if self._closed:
                raise StoreClosed("the store is closed")
            if self._readers:
                self._tables = self._tables.fork()
                self._readers = 0
            return [self._try(batch) for batch in batches]

    def reset(self) -> None:
        """Forget everything, in constant time. Reads that are under way keep what they see."""
        with self._lock:
            self._tables = Tables()
            self._readers = 0

    def close(self) -> None:
        """Forget everything and refuse further calls. Idempotent."""
        self._closed = True
        self.reset()

    def _pin(self) -> Tables:
        with self._lock:
            if self._closed:
                raise StoreClosed("the store is closed")
            self._readers += 1
            return self._tables

    def _unpin(self, tables: Tables) -> None:
        with self._lock:
            if tables is self._tables:
                self._readers -= 1

    def _is_closed(self) -> bool:
        return self._closed

    def _try(self, batch: Batch) -> StoreError | None:
        journal = self._tables.journal
        try:
            for part in batch.parts():
                Writer(self._tables, part.database).apply(part)
            journal.forget()
        except StoreError as error:
            return error
        except (TypeError, ValueError) as error:
            refusal = StoreError(f"the batch holds a value that cannot be stored: {error}")
            refusal.__cause__ = error
            return refusal
        finally:
            journal.undo()
        return None


class MemorySnapshot:
    """One state, pinned (see ``Snapshot``)."""

    def __init__(
        self, tables: Tables, unpin: Callable[[Tables], None], store_closed: Callable[[], bool]
    ) -> None:
        self._lock = Lock()
        self._tables: Tables | None = tables
        self._view = MemoryView(tables)
        self._unpin = unpin
        self._store_closed = store_closed

    def read(self, fn: Callable[[View], T]) -> T:
        """Run ``fn`` on this state."""
        with self._lock:
            if self._tables is None or self._store_closed():
                raise StoreClosed("the snapshot is closed")
            return fn(self._view)

    def close(self) -> None:
        """Let the state go, after a read that is running. Idempotent."""
        with self._lock:
            if self._tables is None:
                return
            self._view.end()
            self._unpin(self._tables)
            self._tables = None
