"""Interactive transactions: operations one by one, and one commit (spec: threads-api §7).

A write transaction has its database's turn from its begin to its commit or discard, so no write comes in
between; it collects actions and applies them in one batch. A read transaction reads one snapshot.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Protocol, TypeVar

from textile_aio.errors import Aborted, FailedPrecondition, ResourceExhausted, StatusCode
from textile_aio.identity import PublicKey
from textile_aio.ids import ThreadID
from textile_aio.storage.runner import StoreRunner
from textile_aio.storage.store import Moved, View
from textile_aio.threaddb import databases, instances, reads
from textile_aio.threaddb.collections import Collection
from textile_aio.threaddb.commit import check_number, commit
from textile_aio.threaddb.compiled import find_collection
from textile_aio.threaddb.draft import Draft
from textile_aio.threaddb.instances import Action, Committed, Pending, Reader
from textile_aio.threaddb.moments import Moments
from textile_aio.threaddb.query import decode
from textile_aio.threaddb.verify import verify

T = TypeVar("T")

_ROOM = 64 * 1024 * 1024
"""Bytes of changes that a transaction holds until its commit."""


class Snapshot(Protocol):
    """Where a transaction reads."""

    async def read(self, fn: Callable[[View], T]) -> T:
        """Run ``fn`` on a state of the store."""
        ...


class ReadTransaction:
    """Reads of one collection. Errors leave it usable, but for those of a collection that is gone."""

    def __init__(
        self, snapshot: Snapshot, thread: ThreadID, collection: str, reader: Reader, *, limit_bytes: int
    ) -> None:
        self._snapshot = snapshot
        self._id = thread
        self._thread = bytes(thread)
        self._name = collection
        self._reader = reader
        self._limit_bytes = limit_bytes

    async def has(self, ids: Sequence[str]) -> bool:
        """Whether all instances are there and visible."""
        return await self._read(lambda _, coll, at: instances.has(coll, at, ids, self._reader))

    async def find(self, query_json: bytes) -> list[bytes]:
        """The instances that match a query. Raises as the engine's ``find``."""
        return await self._read(
            lambda view, coll, _: reads.find(
                view, self._thread, coll, decode(query_json), self._reader, limit_bytes=self._limit_bytes
            )
        )

    async def find_by_id(self, id: str) -> bytes:  # noqa: A002
        """One instance. Raises :class:`InstanceNotFound`."""
        return await self._read(lambda _, coll, at: instances.find_by_id(coll, at, id, self._reader))

    async def check(self) -> None:
        """Raise if the database or the collection is not there."""

        def look(view: View) -> None:
            _, database = databases.find(view, self._id)
            find_collection(view, database.thread, self._name)

        await self._snapshot.read(look)

    async def _read(self, fn: Callable[[View, Collection, Committed], T]) -> T:
        def read(view: View) -> T:
            collection = find_collection(view, self._thread, self._name)
            return fn(view, collection, reads.committed(view, self._thread, self._name))

        return await self._snapshot.read(read)


class WriteTransaction(ReadTransaction):
    """Reads see what was committed before it began, never its own writes."""

    def __init__(
        self,
        store: StoreRunner,
        thread: ThreadID,
        collection: str,
        reader: Reader,
        *,
        author: PublicKey,
        moments: Moments,
        keep: int,
        limit_bytes: int,
        turn: AsyncExitStack,
    ) -> None:
        super().__init__(store, thread, collection, reader, limit_bytes=limit_bytes)
        self._store = store
        self._author = author
        self._moments = moments
        self._keep = keep
        self._turn = turn
        self._actions: list[Action] = []
        self._size = 0
        self._changed: dict[str, bytes | None] = {}  # what the first so many actions have made of instances
        self._noted = 0
        self._over = False

    async def create(self, raws: Sequence[bytes]) -> list[str]:
        """Create instances and return their ids. One that is refused leaves out all of this call's."""
        now = self._moments.draw()
        actions = await self._read(lambda _, coll, at: instances.create(coll, at, raws, now))
        return self._add(actions)

    async def save(self, raws: Sequence[bytes]) -> list[str]:
        """Replace or create instances and return their ids; all or none of this call's."""
        now = self._moments.draw()

        def prepare(_: View, collection: Collection, at: Committed) -> list[Action]:
            pending = Pending(at, self._changed)
            pending.note(self._actions[self._noted :])
            self._noted = len(self._actions)
            return instances.save(collection, pending.document, raws, self._reader, now)

        return self._add(await self._read(prepare))

    async def delete(self, ids: Sequence[str]) -> None:
        """Delete instances; those that were not there before the transaction are passed over."""
        self._add(await self._read(lambda _, coll, at: instances.delete(at, ids)))

    async def verify(self, raws: Sequence[bytes]) -> None:
        """Whether a save would be allowed. Raises as it would."""
        if self._over:
            raise _over()
        now = self._moments.draw()
        await self._store.read(
            lambda view: verify(view, self._id, self._name, raws, self._reader, now),
        )

    async def discard(self) -> None:
        """Give up everything, and the turn. Further operations answer, and a commit fails."""
        self._over = True
        self._actions.clear()
        self._changed.clear()
        await self._turn.aclose()

    async def commit(self) -> None:
        """Apply everything in one step, as one record. Durable on return; without actions, nothing happens.

        Raises:
            FailedPrecondition: It was discarded or committed before.
            WriteDenied, AlreadyExists, NotFound, UniqueViolation: Nothing was written.
        """
        if self._over:
            raise _over()
        self._over = True
        actions, self._actions = self._actions, []
        if not actions:
            return

        def prepare(view: View) -> Draft:
            draft = Draft(view, self._id)
            now = self._moments.draw(len(actions))
            commit(draft, self._name, actions, self._author, self._reader.scripts, now)
            return draft

        draft = await self._store.read(prepare)
        batch = draft.batch(keep=self._keep)
        try:
            if batch is not None:
                await self._store.apply_to_end(batch)
        except Moved:
            raise Aborted(
                "somebody wrote past the transaction; nothing was written, try again",
                code=StatusCode.ABORTED,
                about=self._name,
            ) from None

    def _add(self, actions: list[Action]) -> list[str]:
        """Keep actions for the commit. Raises :class:`ResourceExhausted` if there is no room for them."""
        if not self._over:
            check_number(len(self._actions) + len(actions))
            size = self._size + sum(len(action.patch or b"") for action in actions)
            if size > _ROOM:
                raise ResourceExhausted(
                    f"a transaction holds {_ROOM >> 20} MiB of changes at most; use several",
                    code=StatusCode.RESOURCE_EXHAUSTED,
                    about=self._name,
                )
            self._actions += actions
            self._size = size
        return [action.id for action in actions]


@asynccontextmanager
async def turn(store: StoreRunner, thread: ThreadID) -> AsyncIterator[AsyncExitStack]:
    """Have a database's turn; closing what this gives ends it early."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(store.turns.hold(bytes(thread)))
        yield stack


def _over() -> FailedPrecondition:
    return FailedPrecondition("can't commit discarded/committed txn", code=StatusCode.UNKNOWN)
