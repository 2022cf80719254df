"""All threads of a store as the network sees them, behind an event loop: logs and records.

Owns the way of each call: what is read on a snapshot, what is written in the thread's turn, so that no two
records of a log get the same predecessor. The rules are in ``threads`` and ``appending``. Nothing here knows
of a server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager

from textile_aio.errors import FailedPrecondition, InvalidInput, NotFound, StatusCode, ThreadNotFound
from textile_aio.identity import Identity, PublicKey
from textile_aio.ids import Cid, ThreadID
from textile_aio.records import dagcbor
from textile_aio.storage.changes import Batch, Operation
from textile_aio.storage.runner import StoreRunner
from textile_aio.storage.store import View
from textile_aio.storage.transact import in_turn
from textile_aio.storage.values import LogRecord
from textile_aio.threaddb import appending, threads
from textile_aio.threaddb.appending import Arrival
from textile_aio.threaddb.engine import ThreadDatabases
from textile_aio.threaddb.subscriptions import Subscription, Subscriptions
from textile_aio.threaddb.threads import NewThread, ThreadDetails


class ThreadNetwork:
    """The threads of a store. ``who`` is as for :class:`ThreadDatabases`: empty for nobody."""

    def __init__(
        self, store: StoreRunner, databases: ThreadDatabases, *, host: Identity, clock: Callable[[], int]
    ) -> None:
        self._store = store
        self._databases = databases
        self._host = host.public
        self._clock = clock
        self._subscriptions = Subscriptions(store)

    async def create(self, request: NewThread, *, who: str, extra: Iterable[Operation] = ()) -> ThreadDetails:
        """Make a thread, or add a log to one, together with ``extra``; all or nothing.

        Raises as :func:`threads.plan_create`.
        """
        writer, now = self._author(who), self._clock()
        more = tuple(extra)
        return await self._change(
            request.id, lambda view: _with(threads.plan_create(view, request, writer, now), more)
        )

    async def join(self, request: NewThread, *, who: str, extra: Iterable[Operation] = ()) -> ThreadDetails:
        """Add a log to a thread that is here, together with ``extra``; all or nothing.

        Raises as :func:`threads.plan_join`.
        """
        writer = self._author(who)
        more = tuple(extra)
        return await self._change(
            request.id, lambda view: _with(threads.plan_join(view, request, writer), more)
        )

    async def details(self, id: ThreadID) -> ThreadDetails:  # noqa: A002
        """A thread and its logs. Raises :class:`ThreadNotFound`."""
        return await self._store.read(lambda view: threads.details(view, id))

    async def delete(self, id: ThreadID, *, extra: Iterable[Operation] = ()) -> None:  # noqa: A002
        """Delete a thread, together with ``extra``. Raises as :func:`threads.plan_delete`."""
        more = tuple(extra)
        await in_turn(self._store, bytes(id), lambda view: (_with(threads.plan_delete(view, id), more), None))

    async def create_record(self, id: ThreadID, body: bytes, *, who: str) -> LogRecord:  # noqa: A002
        """Seal a body as the next record of the caller's log; durable on return.

        Args:
            id: The thread.
            body: CBOR, brought into its canonical form.
            who: Whose log; see the class.

        Raises:
            InvalidInput: The body is not DAG-CBOR (INVALID_ARGUMENT).
            FailedPrecondition, ThreadNotFound: See :func:`appending.plan_write`.
        """
        try:
            canonical = dagcbor.canonical(body)
        except InvalidInput as error:
            raise type(error)(error.message, code=StatusCode.INVALID_ARGUMENT) from None
        author = self._author(who)
        try:
            return await in_turn(
                self._store, bytes(id), lambda view: appending.plan_write(view, id, canonical, author)
            )
        except ThreadNotFound:
            if not who:
                raise
            # Upstream makes the caller a log before it misses the thread.
            raise _required("a service-key is required to create records", id) from None

    async def add_record(self, arrival: Arrival) -> None:
        """Append a record that a client has built, durable on return; one that is there changes nothing.

        Raises as :func:`appending.plan_add`.
        """
        keep, scripts = self._databases.settings.history, self._databases.scripts
        await in_turn(
            self._store,
            bytes(arrival.thread),
            lambda view: (appending.plan_add(view, arrival, scripts, keep=keep), None),
        )

    async def record(self, id: ThreadID, cid: Cid) -> LogRecord:  # noqa: A002
        """A record of a thread.

        Raises:
            FailedPrecondition: There is no such thread.
            NotFound: It has no such record.
        """

        def find(view: View) -> LogRecord:
            if view.thread(bytes(id)) is None:
                raise _required("a service-key is required to get records", id)
            found = view.record(bytes(id), bytes(cid))
            if found is None:
                raise NotFound("record not found", code=StatusCode.NOT_FOUND, about=str(cid))
            return found

        return await self._store.read(find)

    def subscribe(self, ids: Iterable[ThreadID]) -> AbstractContextManager[Subscription]:
        """Hear of the records of some threads, or of all if none is named, from now on."""
        return self._subscriptions.subscribe(frozenset(map(bytes, ids)))

    def end_subscriptions(self) -> None:
        """End all subscriptions, now and from now on."""
        self._subscriptions.close()

    async def _change(self, id: ThreadID, plan: Callable[[View], Batch | None]) -> ThreadDetails:  # noqa: A002
        await in_turn(self._store, bytes(id), lambda view: (plan(view), None))
        return await self.details(id)

    def _author(self, who: str) -> PublicKey:
        return PublicKey.from_string(who) if who else self._host


def _with(batch: Batch | None, extra: tuple[Operation, ...]) -> Batch | None:
    if not extra:
        return batch
    if batch is None:
        return Batch(extra)
    return Batch((*extra, *batch.operations), batch.database, batch.expect)


def _required(text: str, id: ThreadID) -> FailedPrecondition:  # noqa: A002
    return FailedPrecondition(text, code=StatusCode.UNKNOWN, about=str(id))
