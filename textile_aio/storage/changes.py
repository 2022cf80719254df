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
    Change,
    ChangeKind,
    Entry,
    Invite,
    LogRecord,
    Member,
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
    """Delete a thread with its logs, records, database, collections, documents, indexes, roots and changes.

    Missing is no error. Tracking rows and name keys stay.
    """

    id: bytes


@dataclass(frozen=True, slots=True)
class PutReadKey:
    """Give a thread its read key, in place of any that it has. Missing: ``thread``."""

    thread: bytes
    read_key: bytes


@dataclass(frozen=True, slots=True)
class PutLog:
    """Insert a log, or replace all of it but its head and counter. Missing: ``thread``.

    Duplicate: ``log identity``, if another log of the thread has the same identity, unless it is empty.
    """

    log: ThreadLog


@dataclass(frozen=True, slots=True)
class SetHead:
    """Compare and set a log's head: ``Moved`` unless it is ``expect`` (empty: no record yet).

    Missing: ``log``.
    """

    thread: bytes
    log: bytes
    head: bytes
    counter: int
    expect: bytes


@dataclass(frozen=True, slots=True)
class PutRecord:
    """Keep a record; one already kept stays as it is. Missing: ``thread``."""

    record: LogRecord


@dataclass(frozen=True, slots=True)
class CreateDatabase:
    """Bind a database (sequence 0) to an existing thread. Duplicate: ``database``; Missing: ``thread``."""

    thread: bytes
    name: str
    incarnation: bytes = b""


@dataclass(frozen=True, slots=True)
class PutCollection:
    """Create or replace a collection of the batch's database. Its documents and indexes stay."""

    name: str
    config: bytes


@dataclass(frozen=True, slots=True)
class DeleteCollection:
    """Delete a collection of the batch's database with its documents and indexes. Missing is no error."""

    name: str


@dataclass(frozen=True, slots=True)
class PutIndex:
    """Declare an index of a collection, empty at first; one that is there only becomes ``ready`` or not.

    To change whether it is unique, drop it first. Missing: ``collection``.
    """

    collection: str
    path: str
    unique: bool
    ready: bool


@dataclass(frozen=True, slots=True)
class DropIndex:
    """Delete an index with its entries. Missing is no error."""

    collection: str
    path: str


@dataclass(frozen=True, slots=True)
class PutEntries:
    """Add entries of documents that are there already, to fill an index: pairs of document id and entry.

    Missing: ``index``. Duplicate: ``unique value``.
    """

    collection: str
    entries: tuple[tuple[bytes, Entry], ...]


@dataclass(frozen=True, slots=True)
class PutDocument:
    """Create or replace a document of the batch's database; ``kind`` is what the change row reports.

    The index entries of what it replaces are in ``remove``, its own in ``add``: whoever prepared the batch
    has seen both. First the former go, then the latter come; what is in neither stays, so entries that do
    not change need not be given. Removing what is not there, or is another's, is no error.
    Missing: ``collection``, ``index`` (of what it adds). Duplicate: ``unique value``, if another document
    claims it.
    """

    collection: str
    id: bytes
    body: bytes
    kind: ChangeKind
    remove: tuple[Entry, ...] = ()
    add: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class DeleteDocument:
    """Delete a document of the batch's database, and its index entries in ``remove``. Missing is no error."""

    collection: str
    id: bytes
    remove: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class TrimChanges:
    """Forget the changes of the batch's database up to and including a sequence, save the batch's own."""

    through: int


@dataclass(frozen=True, slots=True)
class SetRoot:
    """Compare and set a bucket's root: ``Moved`` unless it is ``expect`` (None: no root yet).

    ``cid`` None deletes. Missing, when setting: ``thread``.
    """

    bucket: bytes
    thread: bytes
    cid: bytes | None
    expect: bytes | None


@dataclass(frozen=True, slots=True)
class PutBlocks:
    """Insert block rows; a block already known keeps its first row, and the higher of both epochs."""

    rows: tuple[BlockRow, ...]


@dataclass(frozen=True, slots=True)
class TouchBlocks:
    """Raise the epoch of blocks to this one, where it is lower. Missing: ``block``, if one is not there."""

    cids: tuple[bytes, ...]
    epoch: int


@dataclass(frozen=True, slots=True)
class DropBlocks:
    """Delete those of the blocks whose epoch is below ``before``. Missing is no error."""

    cids: tuple[bytes, ...]
    before: int


@dataclass(frozen=True, slots=True)
class MoveBlocks:
    """Let rows of blocks in the place ``source`` name another place; rows that are elsewhere by now stay."""

    rows: tuple[BlockRow, ...]
    source: str


@dataclass(frozen=True, slots=True)
class ForgetPlace:
    """Forget a place that no row names. Others stay, and missing is no error."""

    name: str


@dataclass(frozen=True, slots=True)
class CreateAccount:
    """Insert an account.

    Duplicate: ``account`` (public key), ``username`` (any case) or ``email``, the first in this order.
    Empty usernames and emails do not clash.
    """

    account: Account


@dataclass(frozen=True, slots=True)
class DeleteAccount:
    """Delete an account with everything that is its own. Missing is no error.

    Its own are sessions, API keys, memberships, invites that it sent or that lead to it, the tracking rows
    of itself and of its keys, and of the threads of these rows those that nobody else tracks, with their
    name keys and all that :class:`DeleteThread` deletes.
    """

    public_key: bytes


@dataclass(frozen=True, slots=True)
class AddMember:
    """Insert a member; one that is there already stays as it is. Missing: ``account`` (either of them)."""

    member: Member


@dataclass(frozen=True, slots=True)
class DeleteMember:
    """Delete a member, and the invites to the organisation that it sent. Missing is no error."""

    org: bytes
    account: bytes


@dataclass(frozen=True, slots=True)
class PutInvite:
    """Insert or replace an invite. Missing: ``account`` (the organisation)."""

    invite: Invite


@dataclass(frozen=True, slots=True)
class DeleteInvite:
    """Delete an invite. Missing is no error."""

    id: str


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
    """Insert or replace an API key; one that is replaced keeps its place in the order of creation."""

    key: ApiKey


@dataclass(frozen=True, slots=True)
class TrackThread:
    """Insert a tracking row.

    Duplicate: ``tracked thread`` (owner, thread) or ``tracked name`` (owner, name in any case), the first
    in this order. Empty names do not clash.
    """

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
    | PutReadKey
    | PutLog
    | SetHead
    | PutRecord
    | CreateDatabase
    | PutCollection
    | DeleteCollection
    | PutIndex
    | DropIndex
    | PutEntries
    | PutDocument
    | DeleteDocument
    | TrimChanges
    | SetRoot
    | PutBlocks
    | TouchBlocks
    | DropBlocks
    | MoveBlocks
    | ForgetPlace
    | CreateAccount
    | DeleteAccount
    | AddMember
    | DeleteMember
    | PutInvite
    | DeleteInvite
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

    ``CreateThread`` and ``CreateDatabase`` run first, then the fence is checked, then everything else runs
    in the order given. With a ``database``, the fence holds while that database's sequence is ``expect``
    (Missing: ``database``; else ``Moved``); it then becomes ``expect + 1`` and :meth:`changes` are recorded
    under it. A batch that creates the database itself passes ``database`` with ``expect=0``. Without a
    ``database`` there is no fence.

    What has to be written to several databases together is a batch with others in ``also``: they take effect
    after it and with it, or none of them does. Each has a fence of its own.

    Raises:
        ValueError: A document or collection operation without a database, only one of ``database`` and
            ``expect``, or a batch in ``also`` that has others itself.
    """

    operations: tuple[Operation, ...]
    database: bytes | None = None
    expect: int | None = None
    also: tuple[Batch, ...] = ()

    def __post_init__(self) -> None:
        if (self.database is None) != (self.expect is None):
            raise ValueError("a batch has a database and the sequence it expects, or neither")
        if self.database is None and any(isinstance(each, _OF_A_DATABASE) for each in self.operations):
            raise ValueError("operations on documents and collections need a database")
        if any(each.also for each in self.also):
            raise ValueError("a batch that goes with another has none that go with it")

    def parts(self) -> tuple[Batch, ...]:
        """The batch, and those that go with it, in the order in which they take effect."""
        return (self, *self.also) if self.also else (self,)

    def in_order(self) -> tuple[tuple[Operation, ...], tuple[Operation, ...]]:
        """The operations before the fence and those after it."""
        before = tuple(each for each in self.operations if isinstance(each, _BEFORE_THE_FENCE))
        if not before:
            return (), self.operations
        return before, tuple(each for each in self.operations if not isinstance(each, _BEFORE_THE_FENCE))

    def changes(self) -> list[Change]:
        """The change rows this batch leaves: one for each document or collection operation, in order.

        A batch on a database without such an operation leaves one of kind ``DATABASE``, so that no
        sequence is without a change; one that deletes its database leaves none.
        """
        if self.database is None or self.expect is None:
            return []
        sequence = self.expect + 1
        rows = []
        for each in self.operations:
            match each:
                case PutDocument():
                    rows.append(Change(sequence, each.kind, each.collection, each.id))
                case DeleteDocument():
                    rows.append(Change(sequence, ChangeKind.DELETE, each.collection, each.id))
                case PutCollection() | DeleteCollection():
                    rows.append(Change(sequence, ChangeKind.COLLECTION, each.name, b""))
                case DeleteThread() if each.id == self.database:
                    return []
                case _:
                    pass
        return rows or [Change(sequence, ChangeKind.DATABASE, "", b"")]


_BEFORE_THE_FENCE = (CreateThread, CreateDatabase)
_OF_A_DATABASE = (
    PutCollection,
    DeleteCollection,
    PutIndex,
    DropIndex,
    PutEntries,
    PutDocument,
    DeleteDocument,
    TrimChanges,
)
