"""Subscribers: every record that reaches the store from now on, to whoever asked for its thread.

Owns the waiting. What is queued for a subscriber is names of records; the records themselves are read when it
is their turn, so a slow subscriber costs little, and at the end of its queue it is ended without slowing
anybody. There is no backlog: what was before is in the logs (spec: thread-net-and-records §1.2).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from itertools import islice

from textile_aio.errors import ResourceExhausted, StatusCode
from textile_aio.storage.changes import Batch, PutRecord
from textile_aio.storage.runner import StoreRunner
from textile_aio.storage.store import View
from textile_aio.storage.values import LogRecord

_QUEUE = 8192
_PAGE = 64
_PAGE_BYTES = 1024 * 1024


class Subscription:
    """One subscriber's records: an asynchronous iterator that ends when the hub does."""

    def __init__(self, store: StoreRunner, threads: frozenset[bytes]) -> None:
        self._store = store
        self._threads = threads
        self._queue: deque[tuple[bytes, bytes]] = deque()
        self._read: deque[LogRecord] = deque()
        self._filled = asyncio.Event()
        self._ended = False
        self._overrun = False

    def __aiter__(self) -> AsyncIterator[LogRecord]:
        return self

    async def __anext__(self) -> LogRecord:
        """The next record.

        Raises:
            ResourceExhausted: The subscriber did not keep up; what had been queued was delivered.
        """
        while not self._read:
            if self._queue:
                await self._fetch()
            elif self._overrun:
                raise ResourceExhausted(
                    "the subscriber was too slow; read the logs from the last record that came",
                    code=StatusCode.RESOURCE_EXHAUSTED,
                )
            elif self._ended:
                raise StopAsyncIteration
            else:
                self._filled.clear()
                await self._filled.wait()
        return self._read.popleft()

    def offer(self, thread: bytes, cid: bytes) -> None:
        """Queue a record, if it is wanted; a full queue ends the subscription."""
        if self._overrun or (self._threads and thread not in self._threads):
            return
        if len(self._queue) >= _QUEUE:
            self._overrun = True
        else:
            self._queue.append((thread, cid))
        self._filled.set()

    def end(self) -> None:
        """Deliver what is queued, and nothing after it."""
        self._ended = True
        self._filled.set()

    async def _fetch(self) -> None:
        """Read the next records: some, but one at least, if they are large."""
        names = list(islice(self._queue, _PAGE))

        def rows(view: View) -> tuple[int, list[LogRecord]]:
            found: list[LogRecord] = []
            size = 0
            for number, name in enumerate(names, 1):
                row = view.record(*name)
                if row is not None:  # One that is not there was refused after all, or its thread is gone.
                    found.append(row)
                    size += len(row.body)
                if size >= _PAGE_BYTES:
                    return number, found
            return len(names), found

        seen, found = await self._store.read(rows)
        for _ in range(seen):
            self._queue.popleft()
        self._read.extend(found)


class Subscriptions:
    """All subscribers of a hub."""

    def __init__(self, store: StoreRunner) -> None:
        self._store = store
        self._all: set[Subscription] = set()
        self._unwatch = store.watch(self._hint)
        self._closed = False

    @contextmanager
    def subscribe(self, threads: frozenset[bytes]) -> Iterator[Subscription]:
        """Hear of the records of some threads, or of all if none is named, from now on."""
        subscription = Subscription(self._store, threads)
        if self._closed:
            subscription.end()
        self._all.add(subscription)
        try:
            yield subscription
        finally:
            self._all.discard(subscription)

    def close(self) -> None:
        """End all subscriptions, cleanly. Those that come later end at once. Idempotent."""
        if self._closed:
            return
        self._closed = True
        self._unwatch()
        for subscription in self._all:
            subscription.end()

    def _hint(self, batch: Batch) -> None:
        if not self._all:
            return
        for operation in batch.operations:
            if isinstance(operation, PutRecord):
                for subscription in self._all:
                    subscription.offer(operation.record.thread, operation.record.cid)
