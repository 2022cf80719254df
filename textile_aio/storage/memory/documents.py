"""Documents and what indexes hold of them: each operation's part in the tables of one database."""

from __future__ import annotations

from textile_aio.storage.changes import DeleteDocument, DropIndex, PutDocument, PutEntries, PutIndex
from textile_aio.storage.memory.tables import Tables
from textile_aio.storage.store import Duplicate, Missing
from textile_aio.storage.values import Entry, Index


class Documents:
    """The documents of one database, within one batch."""

    __slots__ = ("_database", "_tables")

    def __init__(self, tables: Tables, database: bytes | None) -> None:
        self._tables = tables
        self._database = database

    def put(self, operation: PutDocument) -> None:
        """Create or replace a document."""
        collection, id_ = operation.collection, operation.id
        if (self._database, collection) not in self._tables.collections:
            raise Missing("collection")
        self._tables.documents.put((self._database, collection, id_), operation.body)
        self._remove(collection, id_, operation.remove)
        for entry in operation.add:
            self._add(collection, id_, entry)

    def delete(self, operation: DeleteDocument) -> None:
        """Delete a document."""
        self._tables.documents.remove((self._database, operation.collection, operation.id))
        self._remove(operation.collection, operation.id, operation.remove)

    def put_entries(self, operation: PutEntries) -> None:
        """Add entries of documents that are there already."""
        for id_, entry in operation.entries:
            self._add(operation.collection, id_, entry)

    def put_index(self, operation: PutIndex) -> None:
        """Declare an index, or change whether it is ready."""
        collection, path = operation.collection, operation.path
        if (self._database, collection) not in self._tables.collections:
            raise Missing("collection")
        key = (self._database, collection, path)
        found = self._tables.indexes.get(key)
        unique = operation.unique if found is None else found.unique
        self._tables.indexes.put(key, Index(collection, path, unique, operation.ready))

    def drop_index(self, operation: DropIndex) -> None:
        """Delete an index with its entries."""
        self._delete_indexes(self._database, operation.collection, operation.path)

    def delete_collection(self, name: str) -> None:
        """Delete a collection with its documents and indexes."""
        self._delete_indexes(self._database, name)
        self._tables.documents.remove_under(self._database, name)
        self._tables.collections.remove((self._database, name))

    def delete_database(self, database: bytes) -> None:
        """Delete a database's collections, documents and indexes; it may be another than the batch's."""
        self._delete_indexes(database)
        self._tables.documents.remove_under(database)
        self._tables.collections.remove_under(database)

    def _remove(self, collection: str, id_: bytes, entries: tuple[Entry, ...]) -> None:
        tables = self._tables
        for entry in entries:
            index = (self._database, collection, entry.path)
            tables.entries.remove((*index, entry.key, id_))
            if entry.claim and tables.claims.get((*index, entry.claim)) == id_:
                tables.claims.remove((*index, entry.claim))

    def _add(self, collection: str, id_: bytes, entry: Entry) -> None:
        tables, index = self._tables, (self._database, collection, entry.path)
        if index not in tables.indexes:
            raise Missing("index")
        tables.entries.put((*index, entry.key, id_), None)
        if entry.claim:
            if tables.claims.get((*index, entry.claim)) not in (None, id_):
                raise Duplicate("unique value")
            tables.claims.put((*index, entry.claim), id_)

    def _delete_indexes(self, *prefix: object) -> None:
        for rows in (self._tables.entries, self._tables.claims, self._tables.indexes):
            rows.remove_under(*prefix)
