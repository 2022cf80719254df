"""Documents and what indexes hold of them: the operations of one batch, gathered to run together.

Owns the order in which gathered operations may run: the outcome is always that of one after the other.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import NoReturn

from textile_aio.storage.changes import DeleteDocument, DropIndex, PutDocument, PutEntries, PutIndex
from textile_aio.storage.store import Duplicate, Missing
from textile_aio.storage.values import Entry

_Row = tuple[int, bytes, bytes]
"""Number of an index, key or claim, document id."""


class Documents:
    """The documents of one database, within one batch.

    What :meth:`put` and :meth:`delete` gather is in the tables after :meth:`flush`. Within a gathering, all
    that goes away goes before anything comes; so an operation that would take away what an earlier one
    brought begins a new one.
    """

    __slots__ = (
        "_added",
        "_claimed",
        "_claims",
        "_database",
        "_gone",
        "_ids",
        "_indexes",
        "_put",
        "_removed",
        "_run",
        "_run_many",
        "_unclaimed",
    )

    def __init__(self, connection: sqlite3.Connection, database: bytes | None) -> None:
        self._run = connection.execute
        self._run_many = connection.executemany
        self._database = database
        self._indexes: dict[str, Mapping[str, int] | None] = {}
        self._ids: set[tuple[str, bytes]] = set()
        self._put: list[tuple[bytes | None, str, bytes, bytes]] = []
        self._gone: list[tuple[bytes | None, str, bytes]] = []
        self._removed: list[_Row] = []
        self._unclaimed: list[_Row] = []
        self._added: list[_Row] = []
        self._claimed: list[_Row] = []
        self._claims: set[tuple[int, bytes]] = set()

    def put(self, operation: PutDocument) -> None:
        """Gather a document; the caller sees to its change row."""
        collection, id_ = operation.collection, operation.id
        indexes = self._indexes_of(collection)
        if indexes is None:
            self._refuse("collection")
        self._begin(collection, id_, operation.remove, indexes)
        self._put.append((self._database, collection, id_, operation.body))
        for entry in operation.add:
            self._add(indexes, id_, entry)

    def delete(self, operation: DeleteDocument) -> None:
        """Gather a deletion."""
        collection, id_ = operation.collection, operation.id
        self._begin(collection, id_, operation.remove, self._indexes_of(collection) or {})
        self._gone.append((self._database, collection, id_))

    def put_entries(self, operation: PutEntries) -> None:
        """Add entries of documents that are there already."""
        self.flush()
        indexes = self._indexes_of(operation.collection) or {}
        for id_, entry in operation.entries:
            self._add(indexes, id_, entry)
        self.flush()

    def put_index(self, operation: PutIndex) -> None:
        """Declare an index, or change whether it is ready."""
        self.flush()
        collection = operation.collection
        if self._indexes_of(collection) is None:
            raise Missing("collection")
        self._run(
            "INSERT INTO idx (database, collection, path, is_unique, ready) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (database, collection, path) DO UPDATE SET ready = excluded.ready",
            (self._database, collection, operation.path, operation.unique, operation.ready),
        )
        self.forget()

    def drop_index(self, operation: DropIndex) -> None:
        """Delete an index with its entries."""
        self._delete_indexes(
            "database = ? AND collection = ? AND path = ?",
            (self._database, operation.collection, operation.path),
        )

    def delete_collection(self, name: str) -> None:
        """Delete a collection with its documents and indexes."""
        which = (self._database, name)
        self._delete_indexes("database = ? AND collection = ?", which)
        self._run("DELETE FROM document WHERE database = ? AND collection = ?", which)
        self._run("DELETE FROM collection WHERE database = ? AND name = ?", which)

    def delete_database(self, database: bytes) -> None:
        """Delete a database's collections, documents and indexes; it may be another than the batch's."""
        self._delete_indexes("database = ?", (database,))
        self._run("DELETE FROM document WHERE database = ?", (database,))
        self._run("DELETE FROM collection WHERE database = ?", (database,))

    def forget(self) -> None:
        """Look again which collections and indexes there are."""
        self._indexes.clear()

    def flush(self) -> None:
        """Bring everything gathered into the tables.

        Raises:
            Duplicate: A unique value is taken.
        """
        many = self._run_many
        if self._put:
            many("REPLACE INTO document VALUES (?, ?, ?, ?)", self._put)
            self._put.clear()
        if self._gone:
            many("DELETE FROM document WHERE database = ? AND collection = ? AND id = ?", self._gone)
            self._gone.clear()
        if self._removed:
            many("DELETE FROM entry WHERE idx = ? AND key = ? AND id = ?", self._removed)
            self._removed.clear()
        if self._unclaimed:
            many("DELETE FROM claim WHERE idx = ? AND claim = ? AND id = ?", self._unclaimed)
            self._unclaimed.clear()
        if self._added:
            many("INSERT OR IGNORE INTO entry VALUES (?, ?, ?)", self._added)
            self._added.clear()
        if self._claimed:
            # A row that another document holds is neither inserted nor updated.
            taken = many(
                "INSERT INTO claim VALUES (?, ?, ?)"
                " ON CONFLICT (idx, claim) DO UPDATE SET id = id WHERE id = excluded.id",
                self._claimed,
            )
            if taken.rowcount < len(self._claimed):
                raise Duplicate("unique value")
            self._claimed.clear()
        self._claims.clear()
        self._ids.clear()

    def _begin(
        self, collection: str, id_: bytes, remove: tuple[Entry, ...], indexes: Mapping[str, int]
    ) -> None:
        """Gather what an operation takes away, in a new gathering if it has to be."""
        key = (collection, id_)
        if key in self._ids:
            self.flush()
        for entry in remove:
            number = indexes.get(entry.path)
            if number is None:
                continue
            if entry.claim:
                if (number, entry.claim) in self._claims:
                    self.flush()
                self._unclaimed.append((number, entry.claim, id_))
            self._removed.append((number, entry.key, id_))
        self._ids.add(key)

    def _add(self, indexes: Mapping[str, int], id_: bytes, entry: Entry) -> None:
        number = indexes.get(entry.path)
        if number is None:
            self._refuse("index")
        self._added.append((number, entry.key, id_))
        if entry.claim:
            self._claimed.append((number, entry.claim, id_))
            self._claims.add((number, entry.claim))

    def _refuse(self, what: str) -> NoReturn:
        # What was gathered came first, and so would its refusal.
        self.flush()
        raise Missing(what)

    def _indexes_of(self, collection: str) -> Mapping[str, int] | None:
        """The numbers of a collection's indexes by path; None without such a collection."""
        if collection in self._indexes:
            return self._indexes[collection]
        found = self._run(
            "SELECT path, number FROM collection LEFT JOIN idx"
            " ON idx.database = collection.database AND idx.collection = collection.name"
            " WHERE collection.database = ? AND collection.name = ?",
            (self._database, collection),
        ).fetchall()
        indexes = {path: number for path, number in found if path is not None} if found else None
        self._indexes[collection] = indexes
        return indexes

    def _delete_indexes(self, which: str, values: tuple[object, ...]) -> None:
        self.flush()
        for table in ("entry", "claim"):
            self._run(
                f"DELETE FROM {table} WHERE idx IN (SELECT number FROM idx WHERE {which})",  # noqa: S608
                values,
            )
        self._run(f"DELETE FROM idx WHERE {which}", values)  # noqa: S608
        self.forget()
