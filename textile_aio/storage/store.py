"""The boundary between engines and stores: documents, accounts and the block index.

A :class:`Store` is synchronous and is called from owned threads only (``runner.StoreRunner``).
No SQL, cursor or driver exception passes it. Every implementation passes one contract suite
(``tests/storage/contract.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    NameKey,
    Root,
    Session,
    Thread,
    ThreadLog,
    TrackedThread,
)

T = TypeVar("T")


class StoreError(Exception):
    """A batch was not applied; nothing of it took effect."""


class Moved(StoreError):
    """The fence failed: the database's sequence or the bucket's root is another. Prepare again."""


class Duplicate(StoreError):
    """A unique claim is taken. ``what`` names it, as the operation's docstring says."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} exists already")
        self.what = what


class Missing(StoreError):
    """The batch needs something that is not there. ``what`` names it."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} does not exist")
        self.what = what


class StoreFull(StoreError):
    """The disk (or the configured limit) is full; nothing was written."""


class View(Protocol):
    """One consistent, short-lived snapshot. Lists come in the order each method says."""

    def setting(self, name: str) -> bytes | None: ...

    def thread(self, id: bytes) -> Thread | None: ...  # noqa: A002
    def threads(self) -> list[Thread]: ...  # by id
    def logs(self, thread: bytes) -> list[ThreadLog]: ...  # by id

    def database(self, thread: bytes) -> Database | None: ...
    def databases(self) -> list[Database]: ...  # by thread id
    def collection(self, database: bytes, name: str) -> Collection | None: ...
    def collections(self, database: bytes) -> list[Collection]: ...  # by name
    def document(self, database: bytes, collection: str, id: bytes) -> bytes | None: ...  # noqa: A002
    def documents(
        self, database: bytes, collection: str, *, after: bytes = b"", limit: int
    ) -> list[Document]: ...  # by id, those with id > after
    def changes_after(self, database: bytes, sequence: int, *, limit: int) -> list[Change]: ...  # in order

    def root(self, bucket: bytes) -> Root | None: ...
    def roots(self) -> list[Root]: ...  # by bucket

    def blocks(self, cids: Sequence[bytes]) -> dict[bytes, BlockRow]: ...  # unknown ones are left out
    def places(self) -> set[str]: ...  # every place some block row names

    def account(self, public_key: bytes) -> Account | None: ...
    def account_named(self, username: str) -> Account | None: ...  # any case
    def accounts(self) -> list[Account]: ...  # in order of creation
    def session(self, id: str) -> Session | None: ...  # noqa: A002
    def api_key(self, key: str) -> ApiKey | None: ...
    def api_keys(self, owner: bytes) -> list[ApiKey]: ...  # in order of creation
    def tracked(self, owner: bytes, thread: bytes) -> TrackedThread | None: ...
    def tracked_named(self, owner: bytes, name: str) -> TrackedThread | None: ...  # exact case
    def tracked_by(self, owner: bytes) -> list[TrackedThread]: ...  # in order of creation
    def name_key(self, cid: str) -> NameKey | None: ...
    def name_keys(self, thread: bytes) -> list[NameKey]: ...  # by cid


class Store(Protocol):
    """Documents, accounts and the block index of one hub."""

    def read(self, fn: Callable[[View], T]) -> T:
        """Run ``fn`` on one snapshot. Thread-safe; runs beside writes."""
        ...

    def apply(self, batches: Sequence[Batch]) -> list[StoreError | None]:
        """Apply batches in order in one commit, durable on return.

        A batch that fails drops out alone and its error stands at its position. Raises only if the
        commit itself failed: then none of them took effect. One thread at a time.
        """
        ...

    def close(self) -> None:
        """Release files and memory. Idempotent."""
        ...
