"""The SQLite file: its connections, its transactions, and what its failures mean.

One connection writes; a few others read, each read in a transaction of its own on one snapshot of the
write-ahead log. A :class:`SqliteSnapshot` has a connection to itself. No ``sqlite3`` exception leaves this
module.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from queue import LifoQueue
from threading import Lock
from typing import TypeVar

from textile_aio.errors import DirectoryInvalid
from textile_aio.storage.changes import Batch
from textile_aio.storage.sqlite import schema
from textile_aio.storage.sqlite.view import SqliteView
from textile_aio.storage.sqlite.writer import Writer
from textile_aio.storage.store import StoreClosed, StoreError, StoreFull, View

T = TypeVar("T")

_WAL_BYTES = 64 * 1024 * 1024
"""What the write-ahead log is cut back to after a burst."""

_SNAPSHOT_CACHE_BYTES = 2 * 1024 * 1024
"""Page cache of each snapshot, in bytes."""

_SNAPSHOTS_KEPT = 4
"""How many connections are kept for snapshots to come."""

_BATCH_ONLY = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.ProgrammingError, sqlite3.InterfaceError)
"""Failures of a value, not of the file: the batch is refused, the transaction lives."""


class SqliteStore:
    """One SQLite file. ``read`` from any thread, ``apply`` from one at a time."""

    def __init__(self, path: Path, writer: sqlite3.Connection, *, readers: int, cache_bytes: int) -> None:
        self._path = path
        self._writer = writer
        self._cache_bytes = cache_bytes
        self._closed = False
        self._readers = readers
        # The reader used last comes out first, with a warm cache; None is one not opened yet.
        self._idle: LifoQueue[sqlite3.Connection | None] = LifoQueue()
        for _ in range(readers):
            self._idle.put(None)
        self._snapshots_lock = Lock()
        self._snapshots: set[SqliteSnapshot] = set()
        self._spare: list[sqlite3.Connection] = []

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        fsync: bool = True,
        cache_bytes: int = 64 * 1024 * 1024,
        readers: int = 4,
        max_bytes: int | None = None,
        sealing: schema.Sealing | None = None,
    ) -> SqliteStore:
        """Open the file, creating it or bringing an older format forward.

        Args:
            path: The file; its folder must exist.
            fsync: False leaves it to the system when commits reach the disk: for tests.
            cache_bytes: Page cache in bytes, as an upper limit: half for the writer, half for all readers.
            readers: How many reads run at once; more wait for one to end.
            max_bytes: Size in bytes above which the store is full; None: when the disk is.
            sealing: Seals the secrets of a file whose format had them in clear; others need none.

        Raises:
            UnsupportedFormat: The file's format is newer than this code, or too old.
            DirectoryInvalid: The file is no database of this package, or cannot be opened.
            StoreFull: There is no room for the tables.
        """
        path = Path(path)
        connection = None
        try:
            connection = _connect(path, cache_bytes // 2)
            connection.execute(f"PRAGMA synchronous = {'FULL' if fsync else 'OFF'}")
            schema.prepare(connection, path, sealing=sealing)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES}")
            if max_bytes is not None:
                (page,) = connection.execute("PRAGMA page_size").fetchone()
                connection.execute(f"PRAGMA max_page_count = {max(max_bytes // page, 1)}")
        except BaseException as error:
            if connection is not None:
                connection.close()
            if not isinstance(error, sqlite3.Error):
                raise
            meaning = _meaning(error)
            if isinstance(meaning, StoreFull):
                raise meaning from error
            raise DirectoryInvalid(f"the database cannot be opened: {error}", about=str(path)) from error
        return cls(path, connection, readers=readers, cache_bytes=cache_bytes // 2 // readers)

    def read(self, fn: Callable[[View], T]) -> T:
        """Run ``fn`` on one snapshot (see ``Store.read``)."""
        connection = self._idle.get()
        try:
            if self._closed:
                raise StoreClosed("the store is closed")
            if connection is None:
                connection = _connect(self._path, self._cache_bytes)
                connection.execute("PRAGMA query_only = ON")
            connection.execute("BEGIN")
            view = SqliteView(connection)
            try:
                return fn(view)
            finally:
                view.end()
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise _meaning(error) from error
        finally:
            self._idle.put(connection)

    def snapshot(self) -> SqliteSnapshot:
        """Keep the present state for several reads (see ``Store.snapshot``).

        While it is open, the write-ahead log cannot be cut back: all that is written meanwhile is in it.
        """
        with self._snapshots_lock:
            if self._closed:
                raise StoreClosed("the store is closed")
            connection = self._spare.pop() if self._spare else None
        try:
            if connection is None:
                connection = _connect(self._path, _SNAPSHOT_CACHE_BYTES)
                connection.execute("PRAGMA query_only = ON")
            connection.execute("BEGIN")
            # The transaction has a state from its first read on.
            connection.execute("SELECT 1 FROM setting LIMIT 1").fetchone()
        except sqlite3.Error as error:
            if connection is not None:
                connection.close()
            raise _meaning(error) from error
        snapshot = SqliteSnapshot(connection, self._take_back)
        self._keep(snapshot)
        return snapshot

    def _keep(self, snapshot: SqliteSnapshot) -> None:
        with self._snapshots_lock:
            self._snapshots.add(snapshot)
            too_late = self._closed
        if too_late:
            snapshot.close()

    def _take_back(self, snapshot: SqliteSnapshot, connection: sqlite3.Connection) -> None:
        with self._snapshots_lock:
            self._snapshots.discard(snapshot)
            if not self._closed and not connection.in_transaction and len(self._spare) < _SNAPSHOTS_KEPT:
                self._spare.append(connection)
                return
        connection.close()

    def apply(self, batches: Sequence[Batch]) -> list[StoreError | None]:
        """Apply batches in one commit (see ``Store.apply``)."""
        if self._closed:
            raise StoreClosed("the store is closed")
        run = self._writer.execute
        try:
            run("BEGIN IMMEDIATE")
            if len(batches) == 1:
                outcome = [self._try(batches[0])]
                run("COMMIT" if outcome[0] is None else "ROLLBACK")
                return outcome
            outcome = []
            for batch in batches:
                run("SAVEPOINT batch")
                error = self._try(batch)
                if error is not None:
                    run("ROLLBACK TO batch")
                run("RELEASE batch")
                outcome.append(error)
            run("COMMIT")
        except sqlite3.Error as error:
            raise _meaning(error) from error
        finally:
            # Some failures, a full disk among them, have rolled back by themselves already.
            if self._writer.in_transaction:
                run("ROLLBACK")
        return outcome

    def close(self) -> None:
        """Wait for running reads, close the snapshots and the file. Idempotent."""
        with self._snapshots_lock:
            if self._closed:
                return
            self._closed = True
            snapshots, spare = list(self._snapshots), self._spare
        for snapshot in snapshots:
            snapshot.close()
        for connection in spare:
            connection.close()
        for _ in range(self._readers):
            if reader := self._idle.get():
                reader.close()
        for _ in range(self._readers):
            self._idle.put(None)
        self._writer.close()

    def _try(self, batch: Batch) -> StoreError | None:
        try:
            for part in batch.parts():
                Writer(self._writer, part.database).apply(part)
        except StoreError as error:
            return error
        except (*_BATCH_ONLY, TypeError, ValueError, OverflowError) as error:
            refusal = StoreError(f"the batch holds a value that cannot be stored: {error}")
            refusal.__cause__ = error
            return refusal
        return None


class SqliteSnapshot:
    """One state of the file (see ``Snapshot``)."""

    def __init__(
        self, connection: sqlite3.Connection, give_back: Callable[[SqliteSnapshot, sqlite3.Connection], None]
    ) -> None:
        self._lock = Lock()
        self._connection = connection
        self._view = SqliteView(connection)
        self._give_back = give_back
        self._closed = False

    def read(self, fn: Callable[[View], T]) -> T:
        """Run ``fn`` on this state."""
        with self._lock:
            if self._closed:
                raise StoreClosed("the snapshot is closed")
            try:
                return fn(self._view)
            except sqlite3.Error as error:
                raise _meaning(error) from error

    def close(self) -> None:
        """Let the state go, after a read that is running. Idempotent."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._view.end()
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            self._give_back(self, self._connection)


def _connect(path: Path, cache_bytes: int) -> sqlite3.Connection:
    """A connection in autocommit, usable from whichever thread holds it."""
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, cached_statements=256, timeout=10
    )
    try:
        connection.execute(f"PRAGMA cache_size = {-max(cache_bytes // 1024, 64)}")
    except BaseException:
        connection.close()
        raise
    return connection


def _meaning(error: sqlite3.Error) -> StoreError:
    # Errors of the sqlite3 module itself carry no code.
    code = getattr(error, "sqlite_errorcode", None)
    if code == sqlite3.SQLITE_FULL:
        return StoreFull("no room is left for the database")
    return StoreError(f"the database failed: {error}")
