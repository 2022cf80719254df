"""All thread databases of a store, behind an event loop.

Owns the way of each call: what is read on a snapshot, what is written in the database's turn. The rules are
in the modules beside this one, which are plain functions over a snapshot. Nothing here knows of a server.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeVar

from textile_aio.errors import Aborted, StatusCode
from textile_aio.identity import Identity, PublicKey
from textile_aio.ids import ThreadID
from textile_aio.storage.changes import Batch
from textile_aio.storage.runner import StoreRunner
from textile_aio.storage.store import Moved, View
from textile_aio.storage.transact import transact
from textile_aio.threaddb import databases, instances, management, reads
from textile_aio.threaddb.collections import Collection, CollectionConfig
from textile_aio.threaddb.commit import check_number, commit
from textile_aio.threaddb.compiled import find_collection
from textile_aio.threaddb.draft import Draft
from textile_aio.threaddb.instances import Action, Committed, Reader
from textile_aio.threaddb.listening import Feeds, Listener
from textile_aio.threaddb.moments import Moments
from textile_aio.threaddb.notices import Filter
from textile_aio.threaddb.query import decode
from textile_aio.threaddb.scripts import ScriptLimits, Scripts
from textile_aio.threaddb.transactions import ReadTransaction, WriteTransaction, turn
from textile_aio.threaddb.verify import verify
from textile_aio.threaddb.writers import Writers

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """What can be set about the engine.

    Attributes:
        scripts: Limits of validators and filters.
        history: How many sequences of changes a database remembers for listeners that resume.
        result_bytes: The largest result of a query.
    """

    scripts: ScriptLimits = field(default_factory=ScriptLimits)
    history: int = 100_000
    result_bytes: int = 4 * 1024 * 1024 - 1024


class ThreadDatabases:
    """The databases of a store. An asynchronous context manager: its tasks end with it.

    ``who`` is the public key text of the caller's identity, verified; empty for nobody, whose writes are the
    host's. Every call raises :class:`ThreadNotFound` or :class:`DatabaseNotFound` if the database is not
    there, and :class:`CollectionNotFound` if the collection is not.
    """

    def __init__(
        self,
        store: StoreRunner,
        *,
        host: Identity,
        clock: Callable[[], int],
        settings: EngineSettings | None = None,
    ) -> None:
        self.settings: EngineSettings = settings or EngineSettings()
        self.scripts: Scripts = Scripts(self.settings.scripts)
        self._store = store
        self._host = host.public
        self._clock = clock
        self._moments = Moments(clock)
        self._tasks = asyncio.TaskGroup()
        self._writers = Writers(store, self._tasks, keep=self.settings.history)
        self._feeds = Feeds(store, self._tasks)

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end_listeners()
        try:
            await self._tasks.__aexit__(kind, error, trace)
        finally:
            self.scripts.close()

    def end_listeners(self) -> None:
        """End all listeners with :class:`Unavailable`, now and from now on."""
        self._feeds.close()

    async def new_collection(self, db: ThreadID, config: CollectionConfig) -> None:
        """Make a collection. Raises as :func:`management.plan_new`."""
        await transact(self._store, lambda view: (management.plan_new(view, db, config, self.scripts), None))

    async def update_collection(self, db: ThreadID, config: CollectionConfig) -> None:
        """Replace a collection's configuration; new indexes are filled before it is in force.

        If it is refused, the old configuration stays in force; if it is cancelled or breaks off, perhaps
        without those of its indexes that the new one has in another form.

        Raises as :class:`management.Update`.
        """
        async with self._store.turns.hold(bytes(db)):
            update = await self._store.read(lambda view: management.Update(view, db, config, self.scripts))
            if update.must_fill:
                while await self._store.read(update.check):
                    pass
                await self._apply(await self._store.read(update.begin))
                while (chunk := await self._store.read(update.fill)) is not None:
                    await self._apply(chunk)
            await self._apply(await self._store.read(update.finish))

    async def delete_collection(self, db: ThreadID, name: str) -> None:
        """Delete a collection with its instances. Raises as :func:`management.plan_delete`."""
        await transact(self._store, lambda view: (management.plan_delete(view, db, name), None))

    async def collection(self, db: ThreadID, name: str) -> CollectionConfig:
        """A collection's configuration."""
        return await self._store.read(lambda view: management.one_of(view, db, name))

    async def collections(self, db: ThreadID) -> list[CollectionConfig]:
        """The configurations of all collections, by name."""
        return await self._store.read(lambda view: management.all_of(view, db))

    async def create(self, db: ThreadID, collection: str, raws: Sequence[bytes], *, who: str) -> list[str]:
        """Create instances, all or none; their ids. Raises as :func:`instances.create` and :meth:`commit`."""
        return await self._write(
            db, collection, raws, who, lambda coll, at, now: instances.create(coll, at, raws, now)
        )

    async def save(self, db: ThreadID, collection: str, raws: Sequence[bytes], *, who: str) -> list[str]:
        """Replace or create instances, all or none; their ids. Raises as ``instances.save``, ``commit``."""
        reader = self._reader(who)
        return await self._write(
            db, collection, raws, who, lambda coll, at, now: instances.save(coll, at, raws, reader, now)
        )

    async def delete(self, db: ThreadID, collection: str, ids: Sequence[str], *, who: str) -> None:
        """Delete instances, all or none of those that are there. Raises as :meth:`commit`."""
        unique = list(dict.fromkeys(ids))
        await self._write(
            db, collection, (), who, lambda _, at, __: instances.delete(at, unique), moments=len(unique)
        )

    async def verify(self, db: ThreadID, collection: str, raws: Sequence[bytes], *, who: str) -> None:
        """Whether a save would be allowed. Raises as :func:`verify.verify`."""
        now = self._clock()
        await self._store.read(lambda view: verify(view, db, collection, raws, self._reader(who), now))

    async def has(self, db: ThreadID, collection: str, ids: Sequence[str], *, who: str) -> bool:
        """Whether all instances are there and visible."""
        reader = self._reader(who)
        return await self._scan(db, collection, lambda _, coll, at: instances.has(coll, at, ids, reader))

    async def find(self, db: ThreadID, collection: str, query_json: bytes, *, who: str) -> list[bytes]:
        """The instances that match a query.

        Raises:
            InvalidQuery: The query is malformed.
            MessageTooLarge: The result is larger than one message may be.
        """
        reader, limit = self._reader(who), self.settings.result_bytes
        return await self._scan(
            db,
            collection,
            lambda view, coll, _: reads.find(
                view, bytes(db), coll, decode(query_json), reader, limit_bytes=limit
            ),
        )

    async def count(self, db: ThreadID, collection: str, query_json: bytes, *, who: str) -> int:
        """How many instances :meth:`find` would give."""
        reader = self._reader(who)
        return await self._scan(
            db,
            collection,
            lambda view, coll, _: reads.count(view, bytes(db), coll, decode(query_json), reader),
        )

    async def explain(self, db: ThreadID, collection: str, query_json: bytes, *, who: str) -> dict[str, Any]:
        """How a query is answered; see :func:`reads.explain`."""
        reader = self._reader(who)
        return await self._scan(
            db,
            collection,
            lambda view, coll, _: reads.explain(view, bytes(db), coll, decode(query_json), reader),
        )

    async def find_by_id(self, db: ThreadID, collection: str, id: str, *, who: str) -> bytes:  # noqa: A002
        """One instance. Raises :class:`InstanceNotFound`."""
        reader = self._reader(who)
        return await self._read(
            db, collection, lambda _, coll, at: instances.find_by_id(coll, at, id, reader)
        )

    @asynccontextmanager
    async def read_transaction(
        self, db: ThreadID, collection: str, *, who: str
    ) -> AsyncIterator[ReadTransaction]:
        """Read one collection on one snapshot."""
        async with self._store.snapshot() as snapshot:
            transaction = ReadTransaction(
                snapshot, db, collection, self._reader(who), limit_bytes=self.settings.result_bytes
            )
            await transaction.check()
            yield transaction

    @asynccontextmanager
    async def write_transaction(
        self, db: ThreadID, collection: str, *, who: str
    ) -> AsyncIterator[WriteTransaction]:
        """Write to one collection in one step, while nobody else writes to the database.

        Leaving it without a commit writes nothing.
        """
        async with turn(self._store, db) as held:
            transaction = WriteTransaction(
                self._store,
                db,
                collection,
                self._reader(who),
                author=self._author(who),
                moments=self._moments,
                keep=self.settings.history,
                limit_bytes=self.settings.result_bytes,
                turn=held,
            )
            await transaction.check()
            yield transaction

    def listen(
        self, db: ThreadID, filters: Sequence[Filter], *, who: str, since: str = ""
    ) -> AbstractAsyncContextManager[Listener]:
        """Hear of every change from now on, or from a position on. Raises as :meth:`Feeds.listen`."""
        return self._feeds.listen(db, filters, self._reader(who), since=since)

    def commit(self, draft: Draft, collection: str, actions: Sequence[Action], *, who: str) -> None:
        """Prepare actions on a draft, for callers who write more than documents in one batch.

        No validator is asked: the caller has decided whether they may. Raises as ``commit.commit``.
        """
        commit(draft, collection, actions, self._author(who), None, self._clock())

    async def _write(
        self,
        db: ThreadID,
        name: str,
        raws: Sequence[bytes],
        who: str,
        decide: Callable[[Collection, Committed, int], list[Action]],
        *,
        moments: int = 0,
    ) -> list[str]:
        check_number(moments or len(raws))
        author = self._author(who)

        def prepare(draft: Draft) -> list[str]:
            now = self._moments.draw(moments or len(raws))
            actions = decide(draft.collection(name), lambda id_: draft.document(name, id_), now)
            commit(draft, name, actions, author, self.scripts, now)
            return [action.id for action in actions]

        return await self._writers.write(db, prepare, weight=sum(map(len, raws)))

    async def _read(self, db: ThreadID, name: str, fn: Callable[[View, Collection, Committed], T]) -> T:
        return await self._store.read(lambda view: _inside(view, db, name, fn))

    async def _scan(self, db: ThreadID, name: str, fn: Callable[[View, Collection, Committed], T]) -> T:
        """As :meth:`_read`, for what may take long: writers and short reads do not wait behind it."""
        return await self._store.scan(lambda view: _inside(view, db, name, fn))

    async def _apply(self, batch: Batch) -> None:
        try:
            await self._store.apply_to_end(batch)
        except Moved:
            raise Aborted("somebody wrote past the change; try again", code=StatusCode.ABORTED) from None

    def _reader(self, who: str) -> Reader:
        return Reader(self.scripts, who or None)

    def _author(self, who: str) -> PublicKey:
        return PublicKey.from_string(who) if who else self._host


def _inside(view: View, db: ThreadID, name: str, fn: Callable[[View, Collection, Committed], T]) -> T:
    database = databases.find(view, db)[1].thread
    collection = find_collection(view, database, name)
    return fn(view, collection, reads.committed(view, database, name))
