"""Threads as a whole: made, joined, described and deleted (spec: thread-net-and-records §1.2, §2).

Pure decisions over a snapshot. A thread may have a database or not; what is in its records is not known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from textile_aio.errors import (
    AlreadyExists,
    Conflict,
    FailedPrecondition,
    InvalidKey,
    StatusCode,
    ThreadNotFound,
)
from textile_aio.identity import PublicKey
from textile_aio.ids import ThreadID, ThreadKey
from textile_aio.storage.changes import Batch, CreateThread, DeleteThread, Operation, PutLog, PutReadKey
from textile_aio.storage.store import View
from textile_aio.storage.values import Thread, ThreadLog
from textile_aio.threaddb.logs import LogKey, new_log


@dataclass(frozen=True, slots=True)
class NewThread:
    """What a client asks for. ``key`` None draws a random one, ``log`` None a new log key."""

    id: ThreadID
    key: ThreadKey | None = None
    log: LogKey | None = None


@dataclass(frozen=True, slots=True)
class ThreadDetails:
    """A thread and its logs, by id."""

    thread: Thread
    logs: Sequence[ThreadLog]


def beginning(view: View, request: NewThread, writer: PublicKey, now: int) -> list[Operation]:
    """What makes a thread with a log for its writer, or adds such a log to a thread that is there.

    Args:
        view: The present state.
        request: What to make.
        writer: Whose records go to the log: the caller's identity, or the host's for an anonymous one.
        now: UTC nanoseconds.

    Raises:
        AlreadyExists: The log is there, or without a log key one of the writer's.
        Conflict: The thread has another key.
    """
    thread = view.thread(bytes(request.id))
    if thread is None:
        service, read = _halves(request.key or ThreadKey.random())
        made = Thread(bytes(request.id), service, read, now)
        return [CreateThread(made), *_new_log((), request, writer)]
    logs = view.logs(thread.id)
    _check_log(logs, request, writer)
    # A key that is drawn cannot be the thread's.
    return [*_joining(thread, request.key or ThreadKey.random()), *_new_log(logs, request, writer)]


def plan_create(view: View, request: NewThread, writer: PublicKey, now: int) -> Batch:
    """Make a thread, or add a log to it; all or nothing. Raises as :func:`beginning`."""
    return fenced(view, request.id, beginning(view, request, writer, now))


def plan_join(view: View, request: NewThread, writer: PublicKey) -> Batch | None:
    """Add a log for its writer to a thread that is there; None where a service key alone asks for none.

    Raises:
        AlreadyExists: See :func:`beginning`.
        ThreadNotFound: There is no such thread.
        InvalidKey: No key was given.
        Conflict: The thread has another key.
    """
    thread = view.thread(bytes(request.id))
    logs = view.logs(bytes(request.id)) if thread is not None else []
    _check_log(logs, request, writer)
    if thread is None:
        raise ThreadNotFound("cannot retrieve thread from self: thread not found", code=StatusCode.UNKNOWN)
    if request.key is None:
        raise InvalidKey("a service-key is required to add a thread", code=StatusCode.UNKNOWN)
    operations = _joining(thread, request.key)
    if request.key.can_read or request.log is not None:
        operations += _new_log(logs, request, writer)
    return fenced(view, request.id, operations) if operations else None


def plan_delete(view: View, id: ThreadID) -> Batch:  # noqa: A002
    """Delete a thread with everything in it.

    Raises:
        ThreadNotFound: There is no such thread.
        FailedPrecondition: A database is in it.
    """
    if view.database(bytes(id)) is not None:
        raise in_use("delete thread")
    find(view, id)
    return Batch((DeleteThread(bytes(id)),))


def find(view: View, id: ThreadID) -> Thread:  # noqa: A002
    """A thread. Raises :class:`ThreadNotFound`, as UNKNOWN."""
    thread = view.thread(bytes(id))
    if thread is None:
        raise ThreadNotFound("thread not found", code=StatusCode.UNKNOWN, about=str(id))
    return thread


def details(view: View, id: ThreadID) -> ThreadDetails:  # noqa: A002
    """A thread and its logs. Raises :class:`ThreadNotFound`."""
    return ThreadDetails(find(view, id), view.logs(bytes(id)))


def fenced(view: View, id: ThreadID, operations: Sequence[Operation]) -> Batch:  # noqa: A002
    """Operations on a thread, behind its database's fence if it has one.

    So whoever prepares a write to the database meanwhile learns that the thread has changed.
    """
    database = view.database(bytes(id))
    if database is None:
        return Batch(tuple(operations))
    return Batch(tuple(operations), database.thread, database.sequence)


def in_use(what: str) -> FailedPrecondition:
    """The refusal of what only a thread without a database allows."""
    return FailedPrecondition(f"cannot {what}: thread is in use", code=StatusCode.UNKNOWN)


def _check_log(logs: Sequence[ThreadLog], request: NewThread, writer: PublicKey) -> None:
    """Refuse a log that is there, or a second one of a writer who gives no key for it."""
    if request.log is not None:
        taken = any(log.public_key == bytes(request.log.public) for log in logs)
    else:
        taken = any(log.identity == bytes(writer) for log in logs)
    if taken:
        raise AlreadyExists("log already exists", code=StatusCode.UNKNOWN, about=str(request.id))


def _joining(thread: Thread, key: ThreadKey) -> list[Operation]:
    """What a key that is given for a thread that is there adds to it: the read key it came without."""
    service, read = _halves(key)
    if service != thread.service_key:
        raise Conflict("service-key mismatch", code=StatusCode.UNKNOWN)
    if read is None or read == thread.read_key:
        return []
    if thread.read_key is not None:
        raise Conflict("read-key mismatch", code=StatusCode.UNKNOWN)
    return [PutReadKey(thread.id, read)]


def _new_log(logs: Sequence[ThreadLog], request: NewThread, writer: PublicKey) -> list[Operation]:
    """Add a log; the writer's further records go there, whichever log they went to before."""
    log = new_log(bytes(request.id), request.log or LogKey.generate(), writer)
    before = [each for each in logs if each.identity == log.identity]
    return [*(PutLog(replace(each, identity=b"")) for each in before), PutLog(log)]


def _halves(key: ThreadKey) -> tuple[bytes, bytes | None]:
    return bytes(key.service), bytes(key.read) if key.read is not None else None
