"""Databases as a whole: made, found, described and deleted (spec: threads-api §2, §3)."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

from textile_aio.errors import (
    AlreadyExists,
    DatabaseNotFound,
    InvalidInput,
    InvalidKey,
    StatusCode,
    ThreadNotFound,
)
from textile_aio.identity import PublicKey
from textile_aio.ids import ThreadID, ThreadKey
from textile_aio.storage.changes import Batch, CreateDatabase
from textile_aio.storage.store import View
from textile_aio.storage.values import Database, Thread
from textile_aio.threaddb import threads
from textile_aio.threaddb.logs import LogKey

_INCARNATION_BYTES = 8

NAME = re.compile(r"[A-Za-z0-9]+(?:[-][A-Za-z0-9]+)*", re.ASCII)
NAME_RULE = (
    "name may only contain alphanumeric characters or non-consecutive hyphens, "
    "and cannot begin or end with a hyphen"
)
UNNAMED = "unnamed"


@dataclass(frozen=True, slots=True)
class NewDatabase:
    """What a client asks for. ``key`` None draws a random one, ``log`` None a new log key."""

    id: ThreadID
    name: str = ""
    key: ThreadKey | None = None
    log: LogKey | None = None


def plan_new(view: View, request: NewDatabase, writer: PublicKey, now: int) -> Batch:
    """Everything a new database consists of, in one step.

    Upstream leaves the thread behind when a later step fails, and a retry then fails; here all of it
    is written, or nothing.

    Args:
        view: The present state.
        request: What to make.
        writer: Whose log is begun: the caller's identity, or the host's for an anonymous one.
        now: UTC nanoseconds.

    Raises:
        AlreadyExists: The database, or the writer's log, is there.
        InvalidInput: The name breaks the rule for names.
        InvalidKey: The key cannot read.
        Conflict: The thread is there, with another key.
    """
    thread = bytes(request.id)
    if view.database(thread) is not None:
        raise AlreadyExists("db already exists", code=StatusCode.UNKNOWN, about=str(request.id))
    if request.name and not NAME.fullmatch(request.name):
        raise InvalidInput(NAME_RULE, code=StatusCode.UNKNOWN, about=request.name)
    if request.key is not None and not request.key.can_read:
        raise InvalidKey("thread read key is required", code=StatusCode.UNKNOWN)
    asked = threads.NewThread(request.id, request.key, request.log)
    operations = threads.beginning(view, asked, writer, now)
    operations.append(
        CreateDatabase(thread, request.name or UNNAMED, secrets.token_bytes(_INCARNATION_BYTES))
    )
    return Batch(tuple(operations), database=thread, expect=0)


def find(view: View, id: ThreadID) -> tuple[Thread, Database]:  # noqa: A002
    """The thread and its database.

    Raises:
        ThreadNotFound: There is no such thread.
        DatabaseNotFound: There is no database in it.
    """
    thread = view.thread(bytes(id))
    if thread is None:
        raise ThreadNotFound("thread not found", code=StatusCode.NOT_FOUND, about=str(id))
    database = view.database(bytes(id))
    if database is None:
        raise missing(bytes(id))
    return thread, database


def missing(thread: bytes) -> DatabaseNotFound:
    """The error for a thread without a database."""
    return DatabaseNotFound("db not found", code=StatusCode.NOT_FOUND, about=str(ThreadID.from_bytes(thread)))
