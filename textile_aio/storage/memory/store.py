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
        with self._lock:
            if self._closed:
                raise StoreClosed("the store is closed")
            tables = self._tables
            self._readers += 1
        try:
            return fn(MemoryView(tables))
        finally:
            with self._lock:
                if tables is self._tables:
                    self._readers -= 1

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

    def _try(self, batch: Batch) -> StoreError | None:
        journal = self._tables.journal
        try:
            Writer(self._tables, batch.database).apply(batch)
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
