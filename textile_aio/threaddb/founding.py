"""A database made in a thread, with its collections and what the thread's records say already.

Owns the order in which logs are brought together: by the writers' clocks, each log in its own order (spec:
local-database §5, effective time). A record is then applied as if it came just now, all of it or nothing.
What the new database refuses stays in its log without effect.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from textile_aio.errors import AlreadyExists, Conflict, IntegrityError, StatusCode, TextileError
from textile_aio.identity import PublicKey
from textile_aio.ids import Cid
from textile_aio.records.record import Nodes, Record, open_record
from textile_aio.storage.changes import Batch
from textile_aio.storage.store import View
from textile_aio.storage.values import Database, Thread, ThreadLog
from textile_aio.threaddb import databases
from textile_aio.threaddb.appending import apply_record, events_of
from textile_aio.threaddb.collections import CollectionConfig, prepare
from textile_aio.threaddb.draft import Draft
from textile_aio.threaddb.scripts import Scripts


def plan_database(
    view: View,
    request: databases.NewDatabase,
    configs: Sequence[CollectionConfig],
    writer: PublicKey,
    now: int,
    scripts: Scripts,
) -> Batch:
    """Make a database with its collections, in one step, and apply the records that its thread has.

    Raises:
        AlreadyExists, InvalidInput, InvalidKey, Conflict: See :func:`databases.plan_new` and
            :func:`management.plan_new`.
        Conflict: The thread came without a read key, and none of its records opens with the one given.
    """
    batch = databases.plan_new(view, request, writer, now)
    thread = view.thread(bytes(request.id))
    known = thread or Thread(bytes(request.id), b"", None, now)
    if request.key is not None and request.key.read is not None:
        known = replace(known, read_key=bytes(request.key.read))
    draft = Draft(view, request.id, found=(known, Database(known.id, request.name, 0)))
    names: set[str] = set()
    for config in configs:
        if config.name in names:
            raise AlreadyExists("collection already registered", code=StatusCode.UNKNOWN, about=config.name)
        names.add(config.name)
        draft.add_collection(prepare(config, scripts))
    if thread is not None:
        opened = _replay(draft, scripts)
        if not opened and thread.read_key is None:
            raise Conflict("read-key mismatch", code=StatusCode.UNKNOWN)
    return Batch((*batch.operations, *draft.operations), batch.database, batch.expect)


@dataclass(frozen=True, slots=True, order=True)
class _Place:
    """Where a record stands among those of all logs."""

    time: int
    log: bytes
    number: int


def _replay(draft: Draft, scripts: Scripts) -> bool:
    """Apply all records; whether the read key opens any, or there are none."""
    placed: list[tuple[_Place, Record]] = []
    unread = 0
    for log in draft.view.logs(draft.id):
        time = 0
        for number, record in enumerate(_chain(draft.view, draft.thread, log)):
            time += 1
            try:
                time = max([time, *(event.timestamp for event in events_of(record, draft.thread))])
            except IntegrityError:
                unread += 1
            except TextileError:
                pass  # Its time is that of the one before; why it has no effect is found again below.
            placed.append((_Place(time, log.id, number), record))
    for _, record in sorted(placed, key=lambda each: each[0]):
        with suppress(TextileError):
            apply_record(draft, record, PublicKey.from_bytes(record.author), scripts)
    return not placed or unread < len(placed)


def _chain(view: View, thread: Thread, log: ThreadLog) -> Iterator[Record]:
    """The records of a log, oldest first."""
    records: list[Record] = []
    at = log.head
    while at:
        row = view.record(thread.id, at)
        if row is None:
            raise IntegrityError(f"the log lacks the record {Cid.from_bytes(at)}", code=StatusCode.DATA_LOSS)
        nodes = Nodes(record=row.record, event=row.event, header=row.header, body=row.body)
        records.append(open_record(nodes, thread.service_key))
        prev = records[-1].prev
        at = bytes(prev) if prev is not None else b""
    return reversed(records)
