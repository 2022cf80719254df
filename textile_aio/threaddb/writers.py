"""Writers of one database, served together.

Owns the group: writes that wait for a database are prepared one after the other on one draft, and applied as
one batch, so that they share a transaction and a hop between threads. One that fails drops out alone.
Databases do not wait for each other.
"""

from __future__ import annotations

import asyncio
import copy
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from textile_aio.errors import Aborted, StatusCode
from textile_aio.ids import ThreadID
from textile_aio.storage.changes import Batch
from textile_aio.storage.runner import StoreRunner
from textile_aio.storage.store import Moved, StoreClosed, View
from textile_aio.threaddb.draft import Draft

T = TypeVar("T")

_GROUP = 64
_GROUP_BYTES = 8 * 1024 * 1024
_ATTEMPTS = 16


@dataclass(slots=True, eq=False)
class _Job:
    prepare: Callable[[Draft], Any]
    weight: int
    future: asyncio.Future[Any]


class Writers:
    """The waiting writes of all databases. Lives in a task group, which it outlives by nothing."""

    def __init__(self, store: StoreRunner, tasks: asyncio.TaskGroup, *, keep: int) -> None:
        """Begin with nothing waiting.

        Args:
            store: Holds the databases.
            tasks: Runs the groups.
            keep: How many sequences of changes a database remembers.
        """
        self._store = store
        self._tasks = tasks
        self._keep = keep
        self._waiting: dict[bytes, deque[_Job]] = {}

    async def write(self, thread: ThreadID, prepare: Callable[[Draft], T], *, weight: int = 0) -> T:
        """Write what ``prepare`` puts into its draft, durable on return; what it returns is returned.

        A caller who is cancelled while waiting has written nothing; later, all of it or nothing.

        Args:
            thread: The database.
            prepare: Runs in a thread, perhaps several times; raises to write nothing.
            weight: Bytes of input it holds, so that a group stays within bounds.

        Raises:
            ThreadNotFound, DatabaseNotFound: It is not there.
            Aborted: Others were faster every time.
            StoreError: The store failed, or is full.
        """
        key = bytes(thread)
        job = _Job(prepare, weight, asyncio.get_running_loop().create_future())
        queue = self._waiting.get(key)
        if queue is None:
            queue = self._waiting[key] = deque([job])
            self._tasks.create_task(self._serve_all(thread, queue), name="database writer")
        else:
            queue.append(job)
        try:
            return cast("T", await job.future)
        finally:
            del job  # Its future may hold the exception that now holds this frame.

    async def _serve_all(self, thread: ThreadID, queue: deque[_Job]) -> None:
        taken: list[_Job] = []
        try:
            while queue:
                async with self._store.turns.hold(bytes(thread)):
                    taken = _take(queue)
                    if taken:
                        await self._serve(thread, taken)
        finally:
            del self._waiting[bytes(thread)]
            for job in (*taken, *queue):
                _fail(job, StoreClosed("the store is closed"))

    async def _serve(self, thread: ThreadID, jobs: list[_Job]) -> None:
        try:
            for _ in range(_ATTEMPTS):
                batch, outcomes = await self._store.read(lambda view: self._prepare(view, thread, jobs))
                if batch is None:
                    break
                try:
                    await self._store.apply_to_end(batch)
                except Moved:
                    continue
                break
            else:
                raise Aborted(
                    "too many writers at once; nothing was written, try again", code=StatusCode.ABORTED
                )
        except Exception as error:  # noqa: BLE001 - whatever it was, those who wait have to hear of it
            for job in jobs:
                _fail(job, copy.copy(error))
            return
        for job, (result, failure) in zip(jobs, outcomes, strict=True):
            if failure is not None:
                _fail(job, failure)
            elif not job.future.done():
                job.future.set_result(result)

    def _prepare(
        self, view: View, thread: ThreadID, jobs: list[_Job]
    ) -> tuple[Batch | None, list[tuple[Any, Exception | None]]]:
        draft = Draft(view, thread)
        outcomes: list[tuple[Any, Exception | None]] = []
        for job in jobs:
            try:
                with draft.attempt():
                    outcomes.append((job.prepare(draft), None))
            except Exception as error:  # noqa: BLE001 - the job's own failure; the others go on
                outcomes.append((None, error))
        return draft.batch(keep=self._keep), outcomes


def _take(queue: deque[_Job]) -> list[_Job]:
    """The next jobs, as many as go together; those whose callers left are dropped."""
    jobs: list[_Job] = []
    weight = 0
    while queue and len(jobs) < _GROUP and (not jobs or weight + queue[0].weight <= _GROUP_BYTES):
        job = queue.popleft()
        if not job.future.done():
            jobs.append(job)
            weight += job.weight
    return jobs


def _fail(job: _Job, error: Exception) -> None:
    if not job.future.done():
        job.future.set_exception(error)
