"""Waking tasks with an error, without leaving a cancellation behind.

A deadline, a reset or a closed channel has to reach a task that waits deep inside grpclib, and the only way
there is ``Task.cancel``. grpclib's own wrapper never takes that cancellation back: ``asyncio.timeout`` around
the call then raises ``CancelledError``, and a task group on 3.13 delivers a cancellation nobody asked for.
This module is the one place that cancels, and it settles the account on the way out as ``asyncio.timeout``
does. It knows nothing of calls.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import NoReturn


class Interrupt:
    """A reusable section of code that an error can be thrown into from outside.

    Any number of tasks may be inside at once, each at most once. After :meth:`cancel` every section of this
    object, entered before or after, ends with the given error. A cancellation by somebody else always wins
    over the error and passes through untouched; the number of pending cancellations (``Task.cancelling``) is
    the same after the section as before, but for those of others.
    """

    __slots__ = ("_error", "_hit", "_inside")

    def __init__(self) -> None:
        self._error: Exception | None = None
        self._inside: dict[asyncio.Task[object], int] = {}  # with cancellations pending on the way in
        self._hit: frozenset[asyncio.Task[object]] = frozenset()  # tasks that were cancelled here

    def cancel(self, error: Exception) -> None:
        """End all sections with an error. Only the first error counts.

        A task that does it inside its own section meets the error when it enters the next one.
        """
        if self._error is not None:
            return
        self._error = error
        self._hit = frozenset(self._inside) - {asyncio.current_task()}
        for task in self._hit:
            task.cancel()

    def __enter__(self) -> None:
        if self._error is not None:
            reraise(self._error)
        task = _task()
        self._inside[task] = task.cancelling()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        task = _task()
        before = self._inside.pop(task)
        if task in self._hit and task.uncancel() <= before and kind is asyncio.CancelledError and self._error:
            reraise(self._error)


def reraise(error: BaseException) -> NoReturn:
    """Raise an exception that was made elsewhere as it is, its context included."""
    context = error.__context__
    try:
        raise error
    finally:
        error.__context__ = context


def _task() -> asyncio.Task[object]:
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("a call needs a running task")
    return task
