"""Owned threads behind an event loop: jobs go in one by one, threads serve them, answers come back.

Leaner than an executor where a job takes microseconds: no future of another kind in between, one wake-up of
the loop for all answers that are ready, and a thread may take every waiting job at once. Knows nothing of
stores.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Generic, TypeVar

Job = TypeVar("Job")
Answer = TypeVar("Answer")


class LaneClosed(Exception):
    """The lane takes no more jobs."""


class _Ticket(Generic[Job, Answer]):
    __slots__ = ("answer", "error", "future", "job")

    answer: Answer

    def __init__(self, job: Job, future: asyncio.Future[None]) -> None:
        self.job = job
        self.future = future
        self.error: BaseException | None = None


class Lane(Generic[Job, Answer]):
    """A queue of jobs and the threads that serve it, for one event loop.

    Threads start with the first job. They are daemons: a loop that is gone leaves answers nobody waits for,
    and never a process that does not end.
    """

    def __init__(
        self,
        serve: Callable[[list[Job]], Sequence[Answer]],
        *,
        name: str,
        threads: int = 1,
        group: int = 1,
        waiting: int = 512,
        at_end: Callable[[], None] = lambda: None,
    ) -> None:
        """Describe the lane.

        Args:
            serve: Runs in a thread; answers jobs in their order. What it raises goes to each job's caller,
                so with a ``group`` above one it should rather return errors.
            name: Prefix of the threads' names.
            threads: How many jobs, or groups, are served at once.
            group: The most jobs given to ``serve`` at once; never waits for a group to fill.
            waiting: The most jobs in the queue or being served; further callers wait their turn.
            at_end: Called once in the last thread, after the last job, when the lane closes.
        """
        self._serve = serve
        self._name = name
        self._count = threads
        self._group = group
        self._at_end = at_end
        self._queue: SimpleQueue[_Ticket[Job, Answer] | None] = SimpleQueue()
        self._slots = asyncio.Semaphore(waiting)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._threads: list[Thread] = []
        self._answered: deque[_Ticket[Job, Answer]] = deque()
        self._woken = False
        self._closed = False
        self._lock = Lock()
        self._running = threads
        self._ended: asyncio.Future[None] | None = None

    @property
    def closed(self) -> bool:
        """Whether further jobs are refused."""
        return self._closed

    async def run(self, job: Job) -> Answer:
        """Have a job served.

        A caller who is cancelled leaves at once: a job not yet taken by a thread is then dropped, any other
        runs to its end unheard.

        Raises:
            LaneClosed: The lane is closed.
        """
        ticket = await self._submit(job)
        try:
            await ticket.future
            return _outcome(ticket)
        finally:
            del ticket  # It may hold the exception that now holds this frame.

    async def finish(self, job: Job) -> Answer:
        """Have a job served to its end: a caller who is cancelled leaves only after it."""
        ticket = await self._submit(job)
        try:
            await to_end(ticket.future)
            return _outcome(ticket)
        finally:
            del ticket

    async def close(self) -> None:
        """Refuse further jobs, serve those that wait, and end the threads. Idempotent."""
        if self._ended is None:
            self._ended = self._bind().create_future()
            self._closed = True
            if not self._threads:
                self._threads = [self._start(0)]
                self._running = 1
            self._queue.put(None)
        await to_end(self._ended)
        for thread in self._threads:
            thread.join()

    async def _submit(self, job: Job) -> _Ticket[Job, Answer]:
        loop = self._bind()
        await self._slots.acquire()
        if self._closed:
            self._slots.release()
            raise LaneClosed(f"{self._name} is closed")
        if not self._threads:
            self._threads = [self._start(number) for number in range(self._count)]
        ticket: _Ticket[Job, Answer] = _Ticket(job, loop.create_future())
        self._queue.put(ticket)
        return ticket

    def _bind(self) -> asyncio.AbstractEventLoop:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            if self._loop is not None:
                raise RuntimeError(f"{self._name} is used from two event loops")
            self._loop = loop
        return loop

    def _start(self, number: int) -> Thread:
        thread = Thread(target=self._work, name=f"{self._name}-{number}", daemon=True)
        thread.start()
        return thread

    def _work(self) -> None:
        while (ticket := self._queue.get()) is not None:
            group = [ticket]
            while len(group) < self._group:
                try:
                    more = self._queue.get_nowait()
                except Empty:
                    break
                if more is None:
                    self._queue.put(None)
                    break
                group.append(more)
            self._serve_group([each for each in group if not each.future.cancelled()])
            self._answered.extend(group)
            self._wake()
            del ticket, group
        self._queue.put(None)  # For the other threads.
        with self._lock:
            self._running -= 1
            last = not self._running
        if last:
            try:
                self._at_end()
            finally:
                self._call(self._note_end)

    def _serve_group(self, group: list[_Ticket[Job, Answer]]) -> None:
        if not group:
            return
        try:
            _answer(group, self._serve([ticket.job for ticket in group]))
        except BaseException as error:  # noqa: BLE001 - it belongs to the callers, not to this thread
            _fail(group, error)
        finally:
            # The error holds this frame, which must not hold the tickets that hold the error.
            group.clear()

    def _wake(self) -> None:
        # An answer put in the queue before the loop clears the mark is found by that very round.
        if not self._woken:
            self._woken = True
            self._call(self._deliver)

    def _call(self, callback: Callable[[], None]) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):  # The loop was closed: nobody waits.
                self._loop.call_soon_threadsafe(callback)

    def _deliver(self) -> None:
        self._woken = False
        while self._answered:
            ticket = self._answered.popleft()
            self._slots.release()
            if not ticket.future.done():
                ticket.future.set_result(None)

    def _note_end(self) -> None:
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)


async def to_end(future: asyncio.Future[None]) -> None:
    """Wait until a future is done, however it ends; a cancellation that came meanwhile is raised after it."""
    cancelled: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await asyncio.wait((future,))
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled


def _answer(group: list[_Ticket[Job, Answer]], answers: Sequence[Answer]) -> None:
    for ticket, answer in zip(group, answers, strict=True):
        ticket.answer = answer


def _fail(group: list[_Ticket[Job, Answer]], error: BaseException) -> None:
    for ticket in group:
        ticket.error = error


def _outcome(ticket: _Ticket[Job, Answer]) -> Answer:
    try:
        if ticket.error is not None:
            raise ticket.error
        return ticket.answer
    finally:
        del ticket
