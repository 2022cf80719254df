"""Which task holds the write transaction of which database.

A hub lets nobody write to a database while a write transaction on it is open (spec: threads-api §7.3). A task
that writes beside its own transaction would wait for itself; it is told so instead. Other tasks just wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from textile_aio._rpc.target import Target
from textile_aio.errors import FailedPrecondition
from textile_aio.ids import ThreadID

_Database = tuple[Target, ThreadID]

# Tasks, not clients, are what waits: the same database may be held through another client of the same hub.
_held: WeakKeyDictionary[asyncio.Task[Any], set[_Database]] = WeakKeyDictionary()


def hold(target: Target, thread: ThreadID) -> Callable[[], None]:
    """Note that the running task has a write transaction open; the result ends that."""
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("a transaction needs a running task")
    databases = _held.setdefault(task, set())
    database = (target, thread)
    databases.add(database)
    return lambda: databases.discard(database)


def check_free(target: Target, thread: ThreadID, method: str) -> None:
    """Refuse a call that would wait for the running task's own transaction.

    Raises:
        FailedPrecondition: The task has a write transaction open on that database.
    """
    task = asyncio.current_task()
    if task is not None and (target, thread) in _held.get(task, ()):
        raise FailedPrecondition(
            "this task has a write transaction open on the database, and the call would wait for its end; "
            "use the transaction, or make the call after it",
            method=method,
            about=str(thread),
        )
