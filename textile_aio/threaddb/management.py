"""Collections of a database, made, changed and deleted (spec: threads-api §4.4).

Decisions over a snapshot. Filling an index of many documents takes several batches, during which the caller
holds the database's turn; until the last one the index answers nothing and the old configuration is in force.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

from textile_aio.errors import AlreadyExists, StatusCode, UniqueViolation
from textile_aio.ids import ThreadID
from textile_aio.storage.changes import (
    Batch,
    DeleteCollection,
    DropIndex,
    Operation,
    PutCollection,
    PutEntries,
    PutIndex,
)
from textile_aio.storage.store import View
from textile_aio.storage.values import Entry
from textile_aio.threaddb import databases
from textile_aio.threaddb.collections import (
    Collection,
    CollectionConfig,
    Index,
    check_schema,
    encode,
    missing,
    prepare,
)
from textile_aio.threaddb.compiled import compiled, find_collection, find_row
from textile_aio.threaddb.documents import load
from textile_aio.threaddb.scripts import Scripts

_CHUNK = 1000


def additions(config: CollectionConfig) -> list[Operation]:
    """What makes a new, empty collection of a prepared configuration."""
    return [
        PutCollection(config.name, encode(config)),
        *(PutIndex(config.name, index.path, index.unique, ready=True) for index in config.indexes),
    ]


def plan_new(view: View, thread: ThreadID, config: CollectionConfig, scripts: Scripts) -> Batch:
    """Make a collection.

    Raises:
        AlreadyExists: There is one of that name.
        InvalidInput: The configuration breaks a rule.
    """
    _, database = databases.find(view, thread)
    check_schema(config, StatusCode.UNKNOWN)
    if find_row(view, database.thread, config.name) is not None:
        raise AlreadyExists("collection already registered", code=StatusCode.UNKNOWN, about=config.name)
    return Batch(tuple(additions(prepare(config, scripts))), database.thread, database.sequence)


def plan_delete(view: View, thread: ThreadID, name: str) -> Batch:
    """Delete a collection with all of its instances.

    Raises:
        CollectionNotFound: There is none of that name.
    """
    _, database = databases.find(view, thread)
    if find_row(view, database.thread, name) is None:
        raise missing(name, StatusCode.UNKNOWN)
    return Batch((DeleteCollection(name),), database.thread, database.sequence)


def all_of(view: View, thread: ThreadID) -> list[CollectionConfig]:
    """The configurations of all collections, by name."""
    _, database = databases.find(view, thread)
    return [compiled(row.config).config for row in view.collections(database.thread)]


def one_of(view: View, thread: ThreadID, name: str) -> CollectionConfig:
    """The configuration of a collection. Raises :class:`CollectionNotFound`."""
    _, database = databases.find(view, thread)
    return find_collection(view, database.thread, name).config


class Update:
    """A change of a collection's configuration, step by step; nobody else may write in between.

    The steps, in order: :meth:`check` until it is done, :meth:`begin`, :meth:`fill` until it is done, and
    :meth:`finish`. Without new indexes the last is all there is.

    Raises, when made:
        CollectionNotFound: There is none of that name.
        InvalidInput: The configuration breaks a rule.
    """

    def __init__(self, view: View, thread: ThreadID, config: CollectionConfig, scripts: Scripts) -> None:
        _, database = databases.find(view, thread)
        check_schema(config, StatusCode.UNKNOWN)
        row = find_row(view, database.thread, config.name)
        if row is None:
            raise missing(config.name, StatusCode.UNKNOWN)
        self._database = database.thread
        self._name = config.name
        self._config = prepare(config, scripts)
        self._old = compiled(row.config).config
        ready = {
            (index.path, index.unique) for index in view.indexes(database.thread, config.name) if index.ready
        }
        self._new = [index for index in self._config.indexes if (index.path, index.unique) not in ready]
        self._cursor = b""
        self._more = False
        self._claimed: set[tuple[str, bytes]] = set()

    @property
    def must_fill(self) -> bool:
        """Whether there are new indexes, for which all documents have to be read."""
        return bool(self._new)

    def check(self, view: View) -> bool:
        """Look at some more documents; False once all were seen.

        Raises:
            UniqueViolation: Two of them have the same value where none may.
        """
        unique = tuple(index for index in self._new if index.unique)
        page = self._entries(view, unique) if unique else []
        for _, entry in page:
            key = (entry.path, entry.claim)
            if entry.claim and key in self._claimed:
                raise UniqueViolation(
                    "can't create unique index (duplicate instances exist)",
                    code=StatusCode.UNKNOWN,
                    about=f"{self._name}.{entry.path}",
                )
            self._claimed.add(key)
        if self._more:
            return True
        self._claimed.clear()
        self._cursor = b""
        return False

    def begin(self, view: View) -> Batch:
        """The new indexes, empty and not ready. Of the old configuration goes what they replace."""
        new = {index.path for index in self._new}
        kept = tuple(index for index in self._old.indexes if index.path not in new)
        operations: list[Operation] = [DropIndex(self._name, index.path) for index in self._new]
        if len(kept) < len(self._old.indexes):
            operations.append(PutCollection(self._name, encode(replace(self._old, indexes=kept))))
        operations += [PutIndex(self._name, index.path, index.unique, ready=False) for index in self._new]
        return self._batch(view, operations)

    def fill(self, view: View) -> Batch | None:
        """The entries of some more documents; None once all are in."""
        entries = self._entries(view, tuple(self._new))
        if not entries and not self._more:
            return None
        return self._batch(view, [PutEntries(self._name, tuple(entries))])

    def finish(self, view: View) -> Batch:
        """The new configuration, with its indexes ready, and the others gone."""
        wanted = {index.path for index in self._config.indexes}
        found = view.indexes(self._database, self._name)
        operations: list[Operation] = [
            DropIndex(self._name, index.path) for index in found if index.path not in wanted
        ]
        operations.append(PutCollection(self._name, encode(self._config)))
        operations += [PutIndex(self._name, index.path, index.unique, ready=True) for index in self._new]
        return self._batch(view, operations)

    def _entries(self, view: View, indexes: tuple[Index, ...]) -> list[tuple[bytes, Entry]]:
        """The entries of the next documents."""
        collection = Collection(replace(self._config, indexes=indexes))
        entries: list[tuple[bytes, Entry]] = []
        page = list(islice(view.scan(self._database, self._name, low=self._cursor), _CHUNK))
        self._more = len(page) == _CHUNK
        if page:
            self._cursor = page[-1].id + b"\0"
        for document in page:
            entries += [(document.id, entry) for entry in collection.entries(load(document.body))]
        return entries

    def _batch(self, view: View, operations: list[Operation]) -> Batch:
        database = view.database(self._database)
        if database is None:
            raise databases.missing(self._database)
        return Batch(tuple(operations), self._database, database.sequence)
