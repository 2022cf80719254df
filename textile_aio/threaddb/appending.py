"""Records that reach a thread otherwise than by its database (spec: thread-net-and-records §4).

Owns the checks of a record that a client has built, in the order upstream makes them, and what it does to the
database in whose thread it is. Pure decisions over a snapshot; whoever asks holds the thread's turn.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from textile_aio.errors import (
    BadSignature,
    CollectionNotFound,
    FailedPrecondition,
    InvalidInput,
    NotFound,
    StatusCode,
    TextileError,
)
from textile_aio.identity import PublicKey
from textile_aio.ids import PeerID, ThreadID
from textile_aio.records.events import Event, EventKind, decode_events
from textile_aio.records.record import Nodes, Record, open_body, open_record, verify
from textile_aio.storage.changes import Batch, Operation, PutLog
from textile_aio.storage.store import View
from textile_aio.storage.values import LogRecord, Thread, ThreadLog
from textile_aio.threaddb import logs, threads
from textile_aio.threaddb.collections import missing
from textile_aio.threaddb.commit import apply_event, validate_events
from textile_aio.threaddb.documents import check_id, read_instance
from textile_aio.threaddb.draft import Draft
from textile_aio.threaddb.patches import merge
from textile_aio.threaddb.scripts import Scripts


@dataclass(frozen=True, slots=True)
class Arrival:
    """A record as a client sends it: for which thread and log, and its blocks."""

    thread: ThreadID
    log: bytes
    nodes: Nodes


def plan_write(view: View, id: ThreadID, body: bytes, author: PublicKey) -> tuple[Batch, LogRecord]:  # noqa: A002
    """Seal a body as the next record of its author's log, which is begun if there is none.

    Args:
        view: The present state.
        id: The thread.
        body: Canonical DAG-CBOR.
        author: Who writes.

    Raises:
        ThreadNotFound: There is no such thread.
        FailedPrecondition: A database is in the thread, or a key that it takes is elsewhere.
    """
    if view.database(bytes(id)) is not None:
        raise threads.in_use("create record")
    thread = threads.find(view, id)
    operations: list[Operation] = []
    log = view.log_of(thread.id, bytes(author))
    if log is None:
        log = logs.new_log(thread.id, logs.LogKey.generate(), author)
        operations.append(PutLog(log))
    record = logs.write(thread, log, body, author)
    _, appended = logs.append(log, record)
    return Batch((*operations, *appended)), logs.row(log, record)


def plan_add(view: View, arrival: Arrival, scripts: Scripts, *, keep: int) -> Batch | None:
    """Append a record to its log, and apply it to the thread's database; None if it is there already.

    Args:
        view: The present state.
        arrival: The record.
        scripts: Run the database's write validators.
        keep: How many sequences of changes a database remembers.

    Raises:
        ThreadNotFound: There is no such thread.
        InvalidInput, DecryptionFailed, IntegrityError: It is no record of this thread (INVALID_ARGUMENT).
        NotFound: The thread has no such log.
        BadSignature: The log did not sign it.
        FailedPrecondition: It does not follow the log's newest record.
        CollectionNotFound, WriteDenied: The database refuses it.
        TextileError: It cannot be applied to the database (``handling record failed: …``).
    """
    thread = threads.find(view, arrival.thread)
    _check_log_id(arrival.log)
    record, author = _opened(arrival.nodes, thread)
    log = view.log(thread.id, arrival.log)
    if log is None:
        raise NotFound("log not found", code=StatusCode.UNKNOWN)
    if view.record(thread.id, bytes(record.cid)) is not None:
        return None
    _check_signature(record, log)
    _check_follows(view, record, log)
    if view.database(thread.id) is None:
        _, operations = logs.append(log, record)
        return Batch(tuple(operations))
    draft = Draft(view, arrival.thread)
    apply_record(draft, record, author, scripts)
    draft.append_record(log, record)
    return draft.batch(keep=keep)


def apply_record(draft: Draft, record: Record, author: PublicKey, scripts: Scripts) -> None:
    """Prepare what a record does to documents, all of it or nothing.

    Raises:
        CollectionNotFound, WriteDenied: The database refuses it.
        TextileError: It cannot be applied (``handling record failed: …``).
    """
    with draft.attempt():
        with _handling():
            events = [_checked(event) for event in events_of(record, draft.thread)]
        try:
            validate_events(draft, events, str(author), scripts)
        except CollectionNotFound as error:
            raise missing(error.about, StatusCode.UNKNOWN) from None
        with _handling():
            # Writers' clocks order the changes of one record, as at every peer (spec §5.1).
            for event in sorted(events, key=lambda each: each.timestamp):
                apply_event(draft, _named(draft, event))


def events_of(record: Record, thread: Thread) -> Sequence[Event]:
    """The changes a record holds.

    Raises:
        FailedPrecondition: The thread's read key is not here.
        DecryptionFailed: The body was sealed with another key.
        InvalidEncoding: It holds something else than changes.
    """
    if thread.read_key is None:
        raise FailedPrecondition("a read-key is required to read records", code=StatusCode.UNKNOWN)
    return decode_events(open_body(record, thread.read_key))


def _check_log_id(data: bytes) -> None:
    try:
        PeerID(data)
    except InvalidInput as error:
        raise type(error)(error.message, code=StatusCode.INVALID_ARGUMENT) from None


def _opened(nodes: Nodes, thread: Thread) -> tuple[Record, PublicKey]:
    if not nodes.record:
        raise InvalidInput("a record is required", code=StatusCode.INVALID_ARGUMENT)
    try:
        record = open_record(nodes, thread.service_key)
        return record, PublicKey.from_bytes(record.author)
    except TextileError as error:
        raise type(error)(error.message, code=StatusCode.INVALID_ARGUMENT, about=error.about) from None


def _check_signature(record: Record, log: ThreadLog) -> None:
    try:
        verify(record, PublicKey.from_bytes(log.public_key))
    except BadSignature as error:
        raise BadSignature(error.message, code=StatusCode.UNKNOWN, about=error.about) from None


def _check_follows(view: View, record: Record, log: ThreadLog) -> None:
    """Refuse a fork, which upstream would apply anew from the root, and a gap, for which it would wait."""
    prev = bytes(record.prev) if record.prev is not None else b""
    if prev == log.head:
        return
    if prev and view.record(log.thread, prev) is None:
        reason = "the record before it is not here; add a log's records in their order"
    else:
        reason = "it does not follow the newest record of its log; a log is never forked"
    raise FailedPrecondition(
        f"loading records failed: {reason}", code=StatusCode.FAILED_PRECONDITION, about=str(record.cid)
    )


def _checked(event: Event) -> Event:
    """An event that is safe to show to validators, and whose patch is of its own instance."""
    check_id(event.id)
    if event.kind is EventKind.DELETE:
        return replace(event, patch=None)
    patch = event.patch if event.patch is not None else b"{}"
    incoming = read_instance(patch)
    if incoming.id != event.id and (event.kind is EventKind.CREATE or "_id" in incoming.value):
        raise InvalidInput(
            "the _id within the change is another than its instance's", code=StatusCode.UNKNOWN
        )
    return replace(event, patch=patch)


def _named(draft: Draft, event: Event) -> Event:
    """The same event; if it changes what somebody else has deleted, what is made anew of it has its id."""
    if event.kind is not EventKind.SAVE or draft.document(event.collection, event.id) is not None:
        return event
    named = json.dumps({"_id": event.id}).encode("ascii")
    return replace(event, patch=merge(named, event.patch or b"{}"))


@contextmanager
def _handling() -> Iterator[None]:
    try:
        yield
    except TextileError as error:
        failed: Any = type(error)
        raise failed(
            f"handling record failed: {error.message}", code=StatusCode.UNKNOWN, about=error.about
        ) from None
