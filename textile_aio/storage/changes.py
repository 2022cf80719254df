"""What can be done to a store, as values: a write is a :class:`Batch` of these, all or nothing.

Operations only put: whatever has to be decided was decided before, on a snapshot, and the fence
(``Batch.expect``) proves that the decision still holds when the batch is applied.
"""

from __future__ import annotations

from dataclasses import dataclass

from textile_aio.storage.values import (
    Account,
    ApiKey,
    BlockRow,
    ChangeKind,
    NameKey,
    Session,
    Thread,
    ThreadLog,
    TrackedThread,
)


@dataclass(frozen=True, slots=True)
class CreateThread:
    """Insert a thread. Duplicate: ``thread``."""

    thread: Thread


@dataclass(frozen=True, slots=True)
class DeleteThread:
    """Delete a thread with its logs, database, collections, documents, roots and changes. Missing is no error."""

    id: bytes


@dataclass(frozen=True, slots=True)
class PutLog:
    """Insert or replace a log."""

    log: ThreadLog


@dataclass(frozen=True, slots=True)
class CreateDatabase:
    """Bind a database (sequence 0) to an existing thread. Duplicate: ``database``; Missing: ``thread``."""

    thread: bytes
    name: str


@dataclass(frozen=True, slots=True)
class PutCollection:
    """Create or replace a collection of the batch's database."""

    name: str
    config: bytes


@dataclass(frozen=True, slots=True)
class DeleteCollection:
    """Delete a collection of the batch's database with its documents."""

    name: str


@dataclass(frozen=True, slots=True)
class PutDocument:
    """Create or replace a document of the batch's database; ``kind`` is what the change row reports."""

    collection: str
    id: bytes
    body: bytes
    kind: ChangeKind


@dataclass(frozen=True, slots=True)
class DeleteDocument:
    """Delete a document of the batch's database. Missing is no error."""

    collection: str
    id: bytes


@dataclass(frozen=True, slots=True)
class SetRoot:
    """Compare and set a bucket's root: ``Moved`` unless it is ``expect`` (None: no root yet). ``cid`` None deletes."""

    bucket: bytes
    thread: bytes
    cid: bytes | None
    expect: bytes | None


@dataclass(frozen=True, slots=True)
class PutBlocks:
    """Insert block rows; a block already known keeps its first row."""

    rows: tuple[BlockRow, ...]


@dataclass(frozen=True, slots=True)
class CreateAccount:
    """Insert an account. Duplicate: ``account`` (public key), ``username`` (any case) or ``email``."""

    account: Account


@dataclass(frozen=True, slots=True)
class PutSession:
    """Insert or replace a session."""

    session: Session


@dataclass(frozen=True, slots=True)
class DeleteSession:
    """Delete a session. Missing is no error."""

    id: str


@dataclass(frozen=True, slots=True)
class PutApiKey:
    """Insert or replace an API key."""

    key: ApiKey


@dataclass(frozen=True, slots=True)
class TrackThread:
    """Insert a tracking row. Duplicate: ``tracked thread`` (owner, thread) or ``tracked name`` (owner, name, any case)."""

    row: TrackedThread


@dataclass(frozen=True, slots=True)
class UntrackThread:
    """Delete a tracking row. Missing is no error."""

    owner: bytes
    thread: bytes


@dataclass(frozen=True, slots=True)
class PutNameKey:
    """Insert or replace a bucket's IPNS key."""

    key: NameKey


@dataclass(frozen=True, slots=True)
class DeleteNameKey:
    """Delete a bucket's IPNS key. Missing is no error."""

    cid: str


@dataclass(frozen=True, slots=True)
class PutSetting:
    """Insert or replace a named value of the hub as a whole."""

    name: str
    value: bytes


Operation = (
    CreateThread
    | DeleteThread
    | PutLog
    | CreateDatabase
    | PutCollection
    | DeleteCollection
    | PutDocument
    | DeleteDocument
    | SetRoot
    | PutBlocks
    | CreateAccount
    | PutSession
    | DeleteSession
    | PutApiKey
    | TrackThread
    | UntrackThread
    | PutNameKey
    | DeleteNameKey
    | PutSetting
)


@dataclass(frozen=True, slots=True)
class Batch:
    """Operations that take effect together or not at all.

    With a ``database``, the batch succeeds only while that database's sequence is ``expect``; it then
    becomes ``expect + 1`` and each document or collection operation leaves a change row under it.
    A batch that creates the database itself passes ``database`` with ``expect=0``: ``CreateDatabase``
    runs before the fence is checked. Without a ``database`` there is no fence, and operations that
    need one are refused.
    """

    operations: tuple[Operation, ...]
    database: bytes | None = None
    expect: int | None = None
