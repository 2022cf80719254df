"""Reading: the ``View`` of one state in memory."""
# ruff: noqa: D102 - what each method promises is said once, in the protocol

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import nsmallest
from itertools import islice
from typing import TypeVar

from textile_aio.storage.memory.tables import Tables
from textile_aio.storage.store import StoreError
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
    fold,
)

T = TypeVar("T")


class MemoryView:
    """One state, which nobody writes to while this is in use."""

    __slots__ = ("_ended", "_tables")

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._ended = False

    def end(self) -> None:
        """Stop the iterators that were not read to their end: the state may be written to from here on."""
        self._ended = True

    def setting(self, name: str) -> bytes | None:
        return self._tables.settings.get(name)

    def thread(self, id: bytes) -> Thread | None:  # noqa: A002
        return self._tables.threads.get((id,))

    def threads(self) -> list[Thread]:
        return list(self._tables.threads.under())

    def logs(self, thread: bytes) -> list[ThreadLog]:
        return list(self._tables.logs.under(thread))

    def log(self, thread: bytes, id: bytes) -> ThreadLog | None:  # noqa: A002
        return self._tables.logs.get((thread, id))

    def log_of(self, thread: bytes, identity: bytes) -> ThreadLog | None:
        id_ = self._tables.log_identities.get((thread, identity))
        return None if id_ is None else self.log(thread, id_)

    def record(self, thread: bytes, cid: bytes) -> LogRecord | None:
        return self._tables.records.get((thread, cid))

    def database(self, thread: bytes) -> Database | None:
        return self._tables.databases.get((thread,))

    def databases(self) -> list[Database]:
        return list(self._tables.databases.under())

    def collection(self, database: bytes, name: str) -> Collection | None:
        return self._tables.collections.get((database, name))

    def collections(self, database: bytes) -> list[Collection]:
        return list(self._tables.collections.under(database))

    def document(self, database: bytes, collection: str, id: bytes) -> bytes | None:  # noqa: A002
        return self._tables.documents.get((database, collection, id))

    def scan(
        self,
        database: bytes,
        collection: str,
        *,
        low: bytes = b"",
        high: bytes | None = None,
        reverse: bool = False,
    ) -> Iterator[Document]:
        rows = self._tables.documents.between(database, collection, low=low, high=high, reverse=reverse)
        return self._alive(Document(key[2], body) for key, body in rows)

    def indexes(self, database: bytes, collection: str) -> list[Index]:
        return list(self._tables.indexes.under(database, collection))

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
        rows = self._tables.entries.between(database, collection, path, low=low, high=high, reverse=reverse)
        return self._alive((key[3], key[4]) for key, _ in rows)

    def claimant(self, database: bytes, collection: str, path: str, claim: bytes) -> bytes | None:
        return self._tables.claims.get((database, collection, path, claim))

    def changes_after(self, database: bytes, sequence: int, *, limit: int) -> list[Change]:
        found: list[Change] = []
        for change in self._tables.changes.under(database, since=sequence + 1):
            if len(found) >= limit and (not found or change.sequence != found[-1].sequence):
                break
            found.append(change)
        return found

    def root(self, bucket: bytes) -> Root | None:
        return self._tables.roots.get((bucket,))

    def roots(self) -> list[Root]:
        return list(self._tables.roots.under())

    def blocks(self, cids: Sequence[bytes]) -> dict[bytes, BlockRow]:
        return {cid: row for cid in cids if (row := self._tables.blocks.get(cid)) is not None}

    def block_links(self, cids: Sequence[bytes]) -> dict[bytes, tuple[int, tuple[bytes, ...]]]:
        return {cid: (row.size, row.links) for cid, row in self.blocks(cids).items()}

    def block_epochs(self, cids: Sequence[bytes]) -> dict[bytes, int]:
        return {cid: row.epoch for cid, row in self.blocks(cids).items()}

    def blocks_after(self, cid: bytes, *, limit: int) -> list[tuple[bytes, int, int]]:
        blocks = self._tables.blocks
        found = self.blocks(nsmallest(limit, (each for each in blocks if each > cid)))
        return [(each, row.size, row.epoch) for each, row in found.items()]

    def blocks_in(self, place: str, *, limit: int) -> list[BlockRow]:
        return list(islice((row for row in self._block_rows() if row.place == place), limit))

    def place_sizes(self) -> dict[str, int]:
        sizes = dict.fromkeys(self._tables.places, 0)
        for row in self._block_rows():
            if row.place:
                sizes[row.place] += row.size
        return sizes

    def _block_rows(self) -> Iterator[BlockRow]:
        return iter(self.blocks(list(self._tables.blocks)).values())

    def places(self) -> set[str]:
        return set(self._tables.places)

    def account(self, public_key: bytes) -> Account | None:
        return self._account_at(self._tables.account_keys.get(public_key))

    def account_named(self, username: str) -> Account | None:
        return self._account_at(self._tables.usernames.get(fold(username)))

    def account_by_email(self, email: str) -> Account | None:
        return self._account_at(self._tables.emails.get(email))

    def members(self, org: bytes) -> list[Member]:
        return list(self._tables.members.under(org))

    def memberships(self, account: bytes) -> list[Member]:
        return list(self._tables.memberships.under(account))

    def invite(self, id: str) -> Invite | None:  # noqa: A002
        return self._tables.invites.get(id)

    def invites_to(self, email: str) -> list[Invite]:
        invites = self._tables.invites
        found = (invites.get(each) for each in sorted(invites))
        return [each for each in found if each is not None and each.email == email]

    def accounts(self) -> list[Account]:
        return list(self._tables.accounts.under())

    def session(self, id: str) -> Session | None:  # noqa: A002
        return self._tables.sessions.get(id)

    def sessions_of(self, account: bytes) -> list[Session]:
        found = (self._tables.sessions.get(id) for id in self._tables.sessions_of.under(account))  # noqa: A001
        return [each for each in found if each is not None]

    def api_key(self, key: str) -> ApiKey | None:
        found = self._tables.api_keys.get(key)
        return found and found[1]

    def api_keys(self, owner: bytes) -> list[ApiKey]:
        return list(self._tables.api_keys_of.under(owner))

    def tracked(self, owner: bytes, thread: bytes) -> TrackedThread | None:
        return self._tracked_at(owner, self._tables.tracked.get((owner, thread)))

    def tracked_named(self, owner: bytes, name: str) -> TrackedThread | None:
        found = self._tracked_at(owner, self._tables.tracked_names.get((owner, fold(name))))
        return found if found is not None and found.name == name else None

    def tracked_by(self, owner: bytes) -> list[TrackedThread]:
        return list(self._tables.tracked_by.under(owner))

    def tracked_with(self, key: str) -> int:
        return sum(1 for _ in self._tables.tracked_with.under(key)) if key else 0

    def name_key(self, cid: str) -> NameKey | None:
        return self._tables.name_keys.get(cid)

    def name_keys(self, thread: bytes) -> list[NameKey]:
        return list(self._tables.name_keys_of.under(thread))

    def _alive(self, rows: Iterator[T]) -> Iterator[T]:
        while True:
            if self._ended:
                raise StoreError("the snapshot has ended, and so has what was read from it")
            try:
                row = next(rows)
            except StopIteration:
                return
            yield row

    def _account_at(self, position: int | None) -> Account | None:
        return None if position is None else self._tables.accounts.get((position,))

    def _tracked_at(self, owner: bytes, position: int | None) -> TrackedThread | None:
        return None if position is None else self._tables.tracked_by.get((owner, position))
