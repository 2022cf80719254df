"""Listeners: every change of a database, in order, to whoever asked for it (spec: threads-api §8).

Owns the waiting. Each database that is listened to has one feed, which reads its changes once for all of its
listeners, whose queues are bounded: one that does not keep up is ended, and slows nobody. A listener that
starts from a position in the past reads by itself until it has caught up with the feed. Changes come from the
store, so none is lost however many writers there are; wake-ups are only hints.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from textile_aio.errors import DatabaseNotFound, ResourceExhausted, StatusCode, ThreadNotFound, Unavailable
from textile_aio.ids import ThreadID
from textile_aio.storage.changes import Batch, DeleteAccount
from textile_aio.storage.runner import StoreRunner
from textile_aio.storage.store import View
from textile_aio.storage.values import Change, Database
from textile_aio.threaddb import databases
from textile_aio.threaddb.compiled import compiled
from textile_aio.threaddb.instances import Reader
from textile_aio.threaddb.notices import (
    ACTIONS,
    Action,
    Filter,
    Filters,
    Notice,
    Position,
    changes_since,
    check_kept,
    places,
    present,
)

_QUEUE = 1024
_QUEUE_BYTES = 8 * 1024 * 1024
_PAGE_BYTES = 8 * 1024 * 1024
"""Of instances read at once."""

_POLL = 30.0
"""Seconds after which a feed looks without a hint, since hints may be lost."""


class Listener:
    """One listener's changes: an asynchronous iterator that ends when the database is deleted.

    Attributes:
        position: Where it started; every later change that its filters let pass is delivered.
    """

    def __init__(self, feeds: Feeds, thread: ThreadID, filters: Sequence[Filter], reader: Reader) -> None:
        self.position: Position = _NOWHERE
        self.reader = reader
        self.filters: Filters = Filters(filters)
        self._feeds = feeds
        self._thread = thread
        self._cursor = _NOWHERE
        self._queue: deque[Notice] = deque()
        self._bytes = 0
        self._filled = asyncio.Event()
        self._attached = False
        self._ended = False
        self._error: Exception | None = None

    def __aiter__(self) -> AsyncIterator[Notice]:
        return self

    async def __anext__(self) -> Notice:
        """The next change.

        Raises:
            ResourceExhausted: The listener did not keep up; what had been queued was delivered.
            Unavailable: The databases are being closed; likewise.
            FailedPrecondition: Changes that were still to come are forgotten.
        """
        while not self._queue:
            if self._error is not None:
                raise self._error
            if self._ended:
                raise StopAsyncIteration
            if self._attached:
                self._filled.clear()
                await self._filled.wait()
            else:
                await self._catch_up()
        notice = self._queue.popleft()
        self._bytes -= len(notice.instance)
        return notice

    def start(self, position: Position) -> None:
        """Begin at a position."""
        self.position = self._cursor = position

    def wants(self, change: Change) -> bool:
        """Whether a filter lets a change pass."""
        return self.filters.match(change.collection, change.document.decode("utf-8"), ACTIONS[change.kind])

    def offer(self, notice: Notice) -> None:
        """Queue a change, unless it was delivered before; a full queue ends the listener."""
        if self._error is not None or notice.position <= self._cursor:
            return
        if len(self._queue) >= _QUEUE or self._bytes + len(notice.instance) > _QUEUE_BYTES:
            self.end(
                ResourceExhausted(
                    "the listener was too slow; resume from its last position",
                    code=StatusCode.RESOURCE_EXHAUSTED,
                    about=str(self._cursor),
                )
            )
            return
        self._push(notice)
        self._filled.set()

    def end(self, error: Exception | None = None) -> None:
        """Deliver what is queued, and nothing after it."""
        self._error = self._error or error
        self._ended = True
        self._filled.set()

    def detach(self) -> None:
        """Go on alone until the feed is caught up with again."""
        self._attached = False
        self._filled.set()

    async def _catch_up(self) -> None:
        try:
            page = await self._feeds.read_page(
                self._thread, self._cursor, lambda change: (self,) if self.wants(change) else ()
            )
        except (ThreadNotFound, DatabaseNotFound):
            self.end()
            return
        for _, notice in page.deliveries:
            self._push(notice)
        self._cursor = max(self._cursor, page.end)
        if not page.more and self._feeds.attach(self, self._thread, self._cursor):
            self._attached = True

    def _push(self, notice: Notice) -> None:
        self._queue.append(notice)
        self._bytes += len(notice.instance)
        self._cursor = notice.position


class Feeds:
    """All listeners of a hub. Lives in a task group."""

    def __init__(self, store: StoreRunner, tasks: asyncio.TaskGroup) -> None:
        self._store = store
        self._tasks = tasks
        self._feeds: dict[bytes, _Feed] = {}
        self._listeners: set[Listener] = set()
        self._closed = False
        self._unwatch = store.watch(self._hint)

    @asynccontextmanager
    async def listen(
        self, thread: ThreadID, filters: Sequence[Filter], reader: Reader, *, since: str = ""
    ) -> AsyncIterator[Listener]:
        """Listen from now on, or from a position that was remembered.

        Raises:
            ThreadNotFound, DatabaseNotFound: There is nothing to listen to.
            InvalidInput: ``since`` is no position.
            FailedPrecondition: Changes after ``since`` are forgotten.
        """
        start = Position.parse(since) if since else None

        def begin(view: View) -> Position:
            _, database = databases.find(view, thread)
            if start is not None:
                check_kept(database, start)
            return start or present(database)

        listener = Listener(self, thread, filters, reader)
        listener.start(await self._store.read(begin))
        if self._closed:
            listener.end(_closing())
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)
            feed = self._feeds.get(bytes(thread))
            if feed is not None:
                feed.remove(listener)

    def close(self) -> None:
        """End all listeners, and those that come later at once. Idempotent.

        Not as if their databases were deleted: Textile's clients take that for good, and would not come back.
        """
        if self._closed:
            return
        self._closed = True
        self._unwatch()
        for listener in self._listeners:
            listener.end(_closing())
        for feed in self._feeds.values():
            feed.wake.set()

    def attach(self, listener: Listener, thread: ThreadID, cursor: Position) -> bool:
        """Let the feed serve a listener from now on, unless the feed is ahead of it."""
        key = bytes(thread)
        feed = self._feeds.get(key)
        if feed is None:
            if self._closed:
                return False
            feed = self._feeds[key] = _Feed(cursor)
            self._tasks.create_task(self._run(thread, feed), name="listeners' feed")
        elif feed.position > cursor:
            return False
        feed.add(listener)
        return True

    async def read_page(
        self, thread: ThreadID, position: Position, interested: Callable[[Change], Collection[Listener]]
    ) -> _Page:
        """The next changes after a position, as each interested listener sees them.

        Raises:
            ThreadNotFound, DatabaseNotFound: The database is gone.
            FailedPrecondition: Changes after the position are forgotten.
        """
        database, found = await self._store.read(lambda view: _changes(view, thread, position))
        wanted = [(at, change, to) for at, change in found if (to := interested(change))]
        deliveries: list[tuple[Listener, Notice]] = []
        if wanted:
            deliveries, reached = await self._store.read(
                lambda view: _deliveries(view, database.thread, wanted)
            )
            if reached < len(wanted):
                return _Page(wanted[reached - 1][0], more=True, any=True, deliveries=deliveries)
        more = bool(found) and found[-1][0].sequence < database.sequence
        return _Page(found[-1][0] if more else present(database), more, bool(found), deliveries)

    async def _run(self, thread: ThreadID, feed: _Feed) -> None:
        try:
            while feed.listeners and not self._closed:
                feed.wake.clear()
                await self._forward(thread, feed)
                if feed.wake.is_set():
                    continue
                try:
                    async with asyncio.timeout(_POLL):
                        await feed.wake.wait()
                except TimeoutError:
                    pass
        except (ThreadNotFound, DatabaseNotFound):
            pass  # The database is gone: its listeners end without an error.
        except Exception as error:  # noqa: BLE001 - whatever it was, the listeners have to hear of it
            for listener in feed.listeners:
                listener.end(error)
        finally:
            del self._feeds[bytes(thread)]
            for listener in feed.listeners:
                listener.end()

    async def _forward(self, thread: ThreadID, feed: _Feed) -> None:
        more = True
        while more:
            feed.newcomers.clear()
            page = await self.read_page(thread, feed.position, feed.interest.interested)
            for listener, notice in page.deliveries:
                if listener not in feed.newcomers:
                    listener.offer(notice)
            feed.position = max(feed.position, page.end)
            more = page.more
            if page.any:
                # Whoever came during the read has not seen these changes, and reads them alone.
                for listener in tuple(feed.newcomers):
                    feed.remove(listener)
                    listener.detach()

    def _hint(self, batch: Batch) -> None:
        if any(isinstance(each, DeleteAccount) for each in batch.operations):
            # Its databases went with it, and only the store knows which.
            for feed in self._feeds.values():
                feed.wake.set()
        elif batch.database is not None and batch.database in self._feeds:
            self._feeds[batch.database].wake.set()


class _Interest:
    """Which listeners may want a change, found by look-up however many there are."""

    def __init__(self) -> None:
        self._by_name: dict[tuple[str, str], set[Listener]] = {}

    def add(self, listener: Listener) -> None:
        for key in listener.filters.names:
            self._by_name.setdefault(key, set()).add(listener)

    def remove(self, listener: Listener) -> None:
        for key in listener.filters.names:
            some = self._by_name.get(key, set())
            some.discard(listener)
            if not some:
                self._by_name.pop(key, None)

    def interested(self, change: Change) -> set[Listener]:
        name, id_ = change.collection, change.document.decode("utf-8")
        found: set[Listener] = set()
        for key in places(name, id_):
            found.update(each for each in self._by_name.get(key, ()) if each.wants(change))
        return found


class _Feed:
    """The listeners of one database that are up to date, and how far that is.

    Attributes:
        position: What it has told them.
        listeners: All of them.
        newcomers: Those that came while it reads.
        interest: Who may want what.
        wake: Set when there may be changes, or nobody is left.
    """

    def __init__(self, position: Position) -> None:
        self.position = position
        self.listeners: set[Listener] = set()
        self.newcomers: set[Listener] = set()
        self.interest = _Interest()
        self.wake = asyncio.Event()

    def add(self, listener: Listener) -> None:
        self.listeners.add(listener)
        self.newcomers.add(listener)
        self.interest.add(listener)
        self.wake.set()

    def remove(self, listener: Listener) -> None:
        self.listeners.discard(listener)
        self.newcomers.discard(listener)
        self.interest.remove(listener)
        if not self.listeners:
            self.wake.set()


@dataclass(frozen=True, slots=True)
class _Page:
    """Some changes, delivered: where they end, whether more follow, whether there were any, who gets what."""

    end: Position
    more: bool
    any: bool
    deliveries: list[tuple[Listener, Notice]]


def _changes(
    view: View, thread: ThreadID, position: Position
) -> tuple[Database, list[tuple[Position, Change]]]:
    _, database = databases.find(view, thread)
    return database, changes_since(view, database, position)


def _deliveries(
    view: View, database: bytes, wanted: Sequence[tuple[Position, Change, Collection[Listener]]]
) -> tuple[list[tuple[Listener, Notice]], int]:
    """What to deliver of changes, and of how many: of one at least, if instances are large."""
    deliveries: list[tuple[Listener, Notice]] = []
    size = 0
    for number, (position, change, listeners) in enumerate(wanted):
        if size >= _PAGE_BYTES:
            return deliveries, number
        notices: dict[str | None, Notice | None] = {}
        for listener in listeners:
            identity = listener.reader.identity
            if identity not in notices:
                made = notices[identity] = _notice(view, database, position, change, listener.reader)
                size += len(made.instance) if made is not None else 0
            notice = notices[identity]
            if notice is not None:
                deliveries.append((listener, notice))
    return deliveries, len(wanted)


def _notice(view: View, database: bytes, position: Position, change: Change, reader: Reader) -> Notice | None:
    """A change as a reader sees it; None if the read filter hides the instance."""
    action = ACTIONS[change.kind]
    instance: bytes | None = b""
    if action is not Action.DELETE:
        body = view.document(database, change.collection, change.document)
        row = view.collection(database, change.collection) if body is not None else None
        # Deleted since, perhaps with its collection: the change is told, and the deletion will follow.
        if body is not None and row is not None:
            instance = reader.visible(compiled(row.config), body)
    if instance is None:
        return None
    return Notice(position, change.collection, change.document.decode("utf-8"), action, instance)


_NOWHERE = Position(b"", 0, -1)


def _closing() -> Unavailable:
    return Unavailable("the databases are being closed; listen again later", code=StatusCode.UNAVAILABLE)
