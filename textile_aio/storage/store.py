"""The boundary between engines and stores: documents, accounts and the block index.

A :class:`Store` is synchronous and is called from owned threads only (``runner.StoreRunner``).
No SQL, cursor or driver exception passes it. Every implementation passes one contract suite
(``tests/storage/contract/``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

from textile_aio.storage.changes import Batch
from textile_aio.storage.values import (
    Account,
    ApiKey,
    BlockRow,
    Change,
    Collection,
    Database,
    Document,
    Index,
    Invite,
    LogRecord,
    Member,
    NameKey,
    Root,
    Session,
    Thread,
    ThreadLog,
    TrackedThread,
)

T = TypeVar("T")


class StoreError(Exception):
    """The store could not do what was asked. Where it answers a batch, nothing of that took effect."""


class Moved(StoreError):
    """The fence failed: the database's sequence or the bucket's root is another. Prepare again."""


class Duplicate(StoreError):
    """A unique claim is taken. ``what`` names it, as the operation's docstring says."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what

    def __str__(self) -> str:
        return f"{self.what} exists already"


class Missing(StoreError):
    """The batch needs something that is not there. ``what`` names it."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what

    def __str__(self) -> str:
        return f"{self.what} does not exist"


class StoreFull(StoreError):
    """The disk (or the configured limit) is full; nothing was written."""


class StoreClosed(StoreError):
    """The store was closed, and so was everything in front of it."""


class View(Protocol):
    """One consistent, short-lived snapshot. What is not there is None, or left out of a list."""

    def setting(self, name: str) -> bytes | None:
        """A named value of the hub as a whole."""

    def thread(self, id: bytes) -> Thread | None:  # noqa: A002
        """The thread with this id."""

    def threads(self) -> list[Thread]:
        """All threads, by id."""

    def logs(self, thread: bytes) -> list[ThreadLog]:
        """A thread's logs, by id."""

    def log(self, thread: bytes, id: bytes) -> ThreadLog | None:  # noqa: A002
        """The log with this id."""

    def log_of(self, thread: bytes, identity: bytes) -> ThreadLog | None:
        """The log that a writer's records go to; ``identity`` is not empty."""

    def record(self, thread: bytes, cid: bytes) -> LogRecord | None:
        """A record of a thread."""

    def database(self, thread: bytes) -> Database | None:
        """The database bound to a thread, with its present sequence."""

    def databases(self) -> list[Database]:
        """All databases, by thread id."""

    def collection(self, database: bytes, name: str) -> Collection | None:
        """The collection with this very name."""

    def collections(self, database: bytes) -> list[Collection]:
        """A database's collections, by name."""

    def document(self, database: bytes, collection: str, id: bytes) -> bytes | None:  # noqa: A002
        """A document's body."""

    def scan(
        self,
        database: bytes,
        collection: str,
        *,
        low: bytes = b"",
        high: bytes | None = None,
        reverse: bool = False,
    ) -> Iterator[Document]:
        """The documents with ``low <= id < high``, by id. Reads as it is iterated; ends with the snapshot."""

    def indexes(self, database: bytes, collection: str) -> list[Index]:
        """A collection's indexes, by path."""

    def entries(
        self,
        database: bytes,
        collection: str,
        path: str,
        *,
        low: bytes = b"",
        high: bytes | None = None,
        reverse: bool = False,
    ) -> Iterator[tuple[bytes, bytes]]:
        """Key and document id of an index's entries with ``low <= key < high``, by both; as :meth:`scan`."""

    def claimant(self, database: bytes, collection: str, path: str, claim: bytes) -> bytes | None:
        """The id of the document that holds a unique claim."""

    def changes_after(self, database: bytes, sequence: int, *, limit: int) -> list[Change]:
        """The first ``limit`` changes with a higher sequence, and the rest of the last one's, in order.

        A sequence is never cut, so the last row's sequence is a cursor.
        """

    def root(self, bucket: bytes) -> Root | None:
        """A bucket's root."""

    def roots(self) -> list[Root]:
        """All roots, by bucket."""

    def blocks(self, cids: Sequence[bytes]) -> dict[bytes, BlockRow]:
        """The rows of those blocks that are known, inline data included."""

    def block_links(self, cids: Sequence[bytes]) -> dict[bytes, tuple[int, tuple[bytes, ...]]]:
        """Size, and the addresses of the children, of those of ``cids`` that are known; reads no data."""

    def block_epochs(self, cids: Sequence[bytes]) -> dict[bytes, int]:
        """The epochs of those of ``cids`` that are known."""

    def blocks_after(self, cid: bytes, *, limit: int) -> list[tuple[bytes, int, int]]:
        """CID, size and epoch of the first ``limit`` blocks with a higher CID, in order; reads no data."""

    def blocks_in(self, place: str, *, limit: int) -> list[BlockRow]:
        """Rows that name a place, in any order."""

    def place_sizes(self) -> dict[str, int]:
        """For every place some block row names, or named, the bytes of the blocks whose rows name it."""

    def places(self) -> set[str]:
        """Every place some block row names."""

    def account(self, public_key: bytes) -> Account | None:
        """The account with this key."""

    def account_named(self, username: str) -> Account | None:
        """The account with this username, in any case."""

    def account_by_email(self, email: str) -> Account | None:
        """The account with exactly this e-mail address, which is not empty."""

    def members(self, org: bytes) -> list[Member]:
        """An organisation's members, in the order they came."""

    def memberships(self, account: bytes) -> list[Member]:
        """Where an account is a member, in the order it came to be."""

    def invite(self, id: str) -> Invite | None:  # noqa: A002
        """The invite with this id."""

    def invites_to(self, email: str) -> list[Invite]:
        """The invites to exactly this e-mail address, by id."""

    def accounts(self) -> list[Account]:
        """All accounts, in order of creation."""

    def session(self, id: str) -> Session | None:  # noqa: A002
        """The session with this id, expired or not."""

    def sessions_of(self, account: bytes) -> list[Session]:
        """An account's sessions, by id."""

    def api_key(self, key: str) -> ApiKey | None:
        """The API key, valid or not."""

    def api_keys(self, owner: bytes) -> list[ApiKey]:
        """An owner's API keys, in order of creation."""

    def tracked(self, owner: bytes, thread: bytes) -> TrackedThread | None:
        """An owner's row about a thread."""

    def tracked_named(self, owner: bytes, name: str) -> TrackedThread | None:
        """An owner's row with this name, case included."""

    def tracked_by(self, owner: bytes) -> list[TrackedThread]:
        """An owner's rows, in order of creation."""

    def tracked_with(self, key: str) -> int:
        """How many rows about threads name an API key, over all owners."""

    def name_key(self, cid: str) -> NameKey | None:
        """A bucket's IPNS key."""

    def name_keys(self, thread: bytes) -> list[NameKey]:
        """The IPNS keys of a thread's buckets, by cid."""


class Snapshot(Protocol):
    """One state of the store, kept while it is open; whatever is written meanwhile is not seen."""

    def read(self, fn: Callable[[View], T]) -> T:
        """As :meth:`Store.read`, always on the same state. From any thread; calls wait for each other.

        Raises :class:`StoreClosed` after :meth:`close`.
        """
        ...

    def close(self) -> None:
        """Let the state go. Idempotent."""
        ...


class Store(Protocol):
    """Documents, accounts and the block index of one hub."""

    def read(self, fn: Callable[[View], T]) -> T:
        """Run ``fn`` on one snapshot, which ends with it. Thread-safe; runs beside writes.

        What ``fn`` raises passes through. Raises :class:`StoreError` if the store cannot be read.
        """
        ...

    def snapshot(self) -> Snapshot:
        """Keep the present state for several reads; closed with the store at the latest.

        Costs while it is open: what is replaced is kept beside it. Raises :class:`StoreError` if the store
        cannot be read.
        """
        ...

    def apply(self, batches: Sequence[Batch]) -> list[StoreError | None]:
        """Apply batches in order in one commit, durable on return.

        A batch that fails drops out alone and its error stands at its position. Raises (a
        :class:`StoreError`, :class:`StoreFull` on a full disk) only if the commit itself failed: then
        none of them took effect. One thread at a time.
        """
        ...

    def close(self) -> None:
        """Release files and memory. Idempotent."""
        ...
