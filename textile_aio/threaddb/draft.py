"""A database as it will be once the writes prepared so far are applied.

Owns the overlay over a snapshot: writes that are prepared together each see what the earlier ones will leave,
and one that fails leaves nothing. Refuses to know what writes mean; that is in ``commit``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from textile_aio.errors import StatusCode, UniqueViolation
from textile_aio.identity import PublicKey
from textile_aio.ids import ThreadID
from textile_aio.records.record import Record
from textile_aio.storage.changes import Batch, DeleteDocument, Operation, PutDocument, PutLog, TrimChanges
from textile_aio.storage.store import View
from textile_aio.storage.values import ChangeKind, Database, Entry, Thread, ThreadLog
from textile_aio.threaddb import databases, logs, management
from textile_aio.threaddb.collections import Collection, CollectionConfig
from textile_aio.threaddb.compiled import find_collection
from textile_aio.threaddb.documents import load

_ABSENT: Any = object()


class Draft:
    """Prepared writes to one database. One that is only being made is given as ``found``.

    Raises, when made:
        ThreadNotFound: There is no such thread.
        DatabaseNotFound: There is no database in it.
    """

    def __init__(self, view: View, thread: ThreadID, *, found: tuple[Thread, Database] | None = None) -> None:
        self.view: View = view
        self.thread: Thread
        self.database: Database
        self.thread, self.database = found or databases.find(view, thread)
        self.id: bytes = self.database.thread
        self.operations: list[Operation] = []
        self._documents: dict[tuple[str, bytes], bytes | None] = {}
        self._committed: dict[tuple[str, bytes], bytes | None] = {}  # what was looked up
        self._claims: dict[tuple[str, str, bytes], bytes | None] = {}
        self._logs: dict[bytes, ThreadLog] = {}  # by id, and by identity
        self._collections: dict[str, Collection] = {}
        self._undo: list[tuple[dict[Any, Any], Any, Any]] = []

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """What is prepared within this is kept if it ends well, and taken back if it raises."""
        operations, undo = len(self.operations), len(self._undo)
        try:
            yield
        except BaseException:
            del self.operations[operations:]
            while len(self._undo) > undo:
                table, key, old = self._undo.pop()
                if old is _ABSENT:
                    del table[key]
                else:
                    table[key] = old
            raise

    def batch(self, *, keep: int) -> Batch | None:
        """Everything prepared, as one batch; None if that is nothing.

        Args:
            keep: How many sequences of changes the database remembers, at least.
        """
        if not self.operations:
            return None
        operations = self.operations
        surplus = self.database.sequence + 1 - keep - self.database.oldest
        if surplus > keep // 8:
            operations = [*operations, TrimChanges(self.database.oldest + surplus)]
        return Batch(tuple(operations), self.id, self.database.sequence)

    def collection(self, name: str) -> Collection:
        """A collection. Raises :class:`CollectionNotFound`."""
        found = self._collections.get(name)
        if found is None:
            found = self._collections[name] = find_collection(self.view, self.id, name)
        return found

    def add_collection(self, config: CollectionConfig) -> None:
        """Make a collection of a prepared configuration, which is not there yet."""
        self.operations += management.additions(config)
        self._set(self._collections, config.name, Collection(config))

    def document(self, collection: str, id: str) -> bytes | None:  # noqa: A002
        """A document's body."""
        return self._document((collection, id.encode("utf-8", "surrogatepass")))

    def note_absent(self, collection: str, ids: Iterable[str]) -> None:
        """Take it as known, and never look up, that there are no documents with these ids."""
        self._committed.update(((collection, id_.encode("ascii")), None) for id_ in ids)

    def put(
        self,
        collection: Collection,
        id: str,  # noqa: A002
        body: bytes,
        kind: ChangeKind,
        *,
        values: tuple[dict[str, Any], dict[str, Any]] | None = None,
    ) -> None:
        """Create or replace a document.

        Args:
            collection: Where it is.
            id: Which it is.
            body: What it says.
            kind: What is told of it.
            values: Those of the present body and of this one, where they are at hand.

        Raises:
            UniqueViolation: Another document has the same value in a unique index.
        """
        key = (collection.name, id.encode("utf-8"))
        before, after = values or (None, None)
        remove = self._release(collection, key, before)
        add: tuple[Entry, ...] = ()
        if collection.config.indexes:
            add = collection.entries(load(body) if after is None else after)
        self._claim(collection, key[1], add)
        self._set(self._documents, key, body)
        self.operations.append(PutDocument(collection.name, key[1], body, kind, remove, add))

    def delete(self, collection: Collection, id: str) -> None:  # noqa: A002
        """Delete a document."""
        key = (collection.name, id.encode("utf-8"))
        remove = self._release(collection, key)
        self._set(self._documents, key, None)
        self.operations.append(DeleteDocument(collection.name, key[1], remove))

    def log_of(self, writer: PublicKey) -> ThreadLog:
        """The log that a writer's records go to, begun if there is none."""
        identity = bytes(writer)
        log = self._logs.get(identity) or self.view.log_of(self.id, identity)
        if log is None:
            log = logs.new_log(self.id, logs.LogKey.generate(), writer)
            self.operations.append(PutLog(log))
            self._note(log)
        return log

    def write_record(self, body: bytes, writer: PublicKey) -> Record:
        """Append a record to a writer's log.

        Raises:
            FailedPrecondition: The log's private key is elsewhere.
        """
        log = self.log_of(writer)
        record = logs.write(self.thread, log, body, writer)
        self.append_record(log, record)
        return record

    def log(self, id: bytes) -> ThreadLog | None:  # noqa: A002
        """The log with this id."""
        return self._logs.get(id) or self.view.log(self.id, id)

    def append_record(self, log: ThreadLog, record: Record) -> None:
        """Append a record that has been verified to its log."""
        longer, operations = logs.append(log, record)
        self.operations += operations
        self._note(longer)

    def _note(self, log: ThreadLog) -> None:
        self._set(self._logs, log.id, log)
        if log.identity:
            self._set(self._logs, log.identity, log)

    def _document(self, key: tuple[str, bytes]) -> bytes | None:
        if key in self._documents:
            return self._documents[key]
        if key not in self._committed:
            self._committed[key] = self.view.document(self.id, *key)
        return self._committed[key]

    def _release(
        self, collection: Collection, key: tuple[str, bytes], value: dict[str, Any] | None = None
    ) -> tuple[Entry, ...]:
        """The index entries of a document that goes, its claims given up."""
        body = self._document(key) if collection.config.indexes else None
        if body is None:
            return ()
        entries = collection.entries(load(body) if value is None else value)
        for entry in entries:
            if entry.claim:
                self._set(self._claims, (key[0], entry.path, entry.claim), None)
        return entries

    def _claim(self, collection: Collection, id: bytes, entries: tuple[Entry, ...]) -> None:  # noqa: A002
        for entry in entries:
            if not entry.claim:
                continue
            key = (collection.name, entry.path, entry.claim)
            holder = self._claims[key] if key in self._claims else self.view.claimant(self.id, *key)
            if holder not in (None, id):
                raise UniqueViolation(
                    "error when indexing created data: unique constraint violation",
                    code=StatusCode.UNKNOWN,
                    about=f"{collection.name}.{entry.path}",
                )
            self._set(self._claims, key, id)

    def _set(self, table: dict[Any, Any], key: Any, value: Any) -> None:
        self._undo.append((table, key, table.get(key, _ABSENT)))
        table[key] = value
