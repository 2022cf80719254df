"""Reading: the ``View`` of one open transaction."""
# ruff: noqa: D102 - what each method promises is said once, in the protocol

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from itertools import starmap
from typing import Any, TypeVar

from textile_aio.storage.links import split
from textile_aio.storage.store import StoreError
from textile_aio.storage.values import (
    Account,
    AccountKind,
    ApiKey,
    BlockRow,
    Change,
    ChangeKind,
    Collection,
    Database,
    Document,
    Index,
    Invite,
    KeyKind,
    LogRecord,
    Member,
    NameKey,
    Role,
    Root,
    Session,
    Thread,
    ThreadLog,
    TrackedThread,
    fold,
)

T = TypeVar("T")

_VARIABLES = 500
"""CIDs in one statement; every SQLite allows 999."""

_THREAD = "SELECT id, service_key, read_key, created_at FROM thread"
_LOG = "SELECT thread, id, public_key, private_key, identity, managed, head, counter FROM log"
_RECORD = "SELECT thread, cid, log, counter, record, event, header, body FROM record"
_DATABASE = "SELECT thread, name, sequence, oldest, incarnation FROM db"
_COLLECTION = "SELECT database, name, config FROM collection WHERE database = ?"
_DOCUMENT = "FROM document WHERE database = ? AND collection = ?"
_INDEX = "FROM idx WHERE database = ? AND collection = ?"
_IN_INDEX = f"WHERE idx = (SELECT number {_INDEX} AND path = ?)"
_ROOT = "SELECT bucket, thread, cid FROM root"
_CHANGE = "SELECT sequence, kind, collection, document FROM change WHERE database = ?"
_ACCOUNT = "SELECT public_key, private_key, kind, username, email, name, created_at FROM account"
_MEMBER = "SELECT org, account, role FROM member"
_INVITE = "SELECT id, org, sender, email, accepted, expires_at FROM invite"
_SESSION = "SELECT id, account, expires_at FROM session"
_API_KEY = "SELECT key, sealed, owner, kind, secure, valid, created_at FROM api_key"
_TRACKED = "SELECT owner, thread, name, key, is_database, created_at FROM tracked"
_NAME_KEY = "SELECT cid, private_key, thread, path, created_at FROM name_key"


class SqliteView:
    """One snapshot, as long as the connection's transaction lasts and :meth:`end` was not called."""

    __slots__ = ("_connection", "_cursors", "_ended")

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._cursors: set[sqlite3.Cursor] = set()
        self._ended = False

    def end(self) -> None:
        """Stop the iterators that were not read to their end: they would hold on to the transaction."""
        self._ended = True
        while self._cursors:
            self._cursors.pop().close()

    def setting(self, name: str) -> bytes | None:
        return self._one(bytes, "SELECT value FROM setting WHERE name = ?", name)

    def thread(self, id: bytes) -> Thread | None:  # noqa: A002
        return self._one(Thread, f"{_THREAD} WHERE id = ?", id)

    def threads(self) -> list[Thread]:
        return self._all(Thread, f"{_THREAD} ORDER BY id")

    def logs(self, thread: bytes) -> list[ThreadLog]:
        return self._all(_log, f"{_LOG} WHERE thread = ? ORDER BY id", thread)

    def log(self, thread: bytes, id: bytes) -> ThreadLog | None:  # noqa: A002
        return self._one(_log, f"{_LOG} WHERE thread = ? AND id = ?", thread, id)

    def log_of(self, thread: bytes, identity: bytes) -> ThreadLog | None:
        query = f"{_LOG} WHERE thread = ? AND identity = ? AND identity <> x''"
        return self._one(_log, query, thread, identity)

    def record(self, thread: bytes, cid: bytes) -> LogRecord | None:
        return self._one(LogRecord, f"{_RECORD} WHERE thread = ? AND cid = ?", thread, cid)

    def database(self, thread: bytes) -> Database | None:
        return self._one(Database, f"{_DATABASE} WHERE thread = ?", thread)

    def databases(self) -> list[Database]:
        return self._all(Database, f"{_DATABASE} ORDER BY thread")

    def collection(self, database: bytes, name: str) -> Collection | None:
        return self._one(Collection, f"{_COLLECTION} AND name = ?", database, name)

    def collections(self, database: bytes) -> list[Collection]:
        return self._all(Collection, f"{_COLLECTION} ORDER BY name", database)

    def document(self, database: bytes, collection: str, id: bytes) -> bytes | None:  # noqa: A002
        return self._one(bytes, f"SELECT body {_DOCUMENT} AND id = ?", database, collection, id)

    def scan(
        self,
        database: bytes,
        collection: str,
        *,
        low: bytes = b"",
        high: bytes | None = None,
        reverse: bool = False,
    ) -> Iterator[Document]:
        query = f"SELECT id, body {_DOCUMENT}"
        return starmap(
            Document, self._range(query, (database, collection), "id", low, high, ("id",), reverse=reverse)
        )

    def indexes(self, database: bytes, collection: str) -> list[Index]:
        query = f"SELECT collection, path, is_unique, ready {_INDEX} ORDER BY path"
        return self._all(_index, query, database, collection)

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
        query = f"SELECT key, id FROM entry {_IN_INDEX}"  # noqa: S608
        values = (database, collection, path)
        return self._range(query, values, "key", low, high, ("key", "id"), reverse=reverse)

    def claimant(self, database: bytes, collection: str, path: str, claim: bytes) -> bytes | None:
        query = f"SELECT id FROM claim {_IN_INDEX} AND claim = ?"  # noqa: S608
        return self._one(bytes, query, database, collection, path, claim)

    def changes_after(self, database: bytes, sequence: int, *, limit: int) -> list[Change]:
        query = f"{_CHANGE} AND sequence > ? ORDER BY sequence, position LIMIT ?"
        found = self._all(_change, query, database, sequence, max(limit, 0))
        if found and len(found) == limit:
            last = found[-1].sequence
            there = sum(1 for change in reversed(found) if change.sequence == last)
            query = f"{_CHANGE} AND sequence = ? ORDER BY position LIMIT -1 OFFSET ?"
            found += self._all(_change, query, database, last, there)
        return found

    def root(self, bucket: bytes) -> Root | None:
        return self._one(Root, f"{_ROOT} WHERE bucket = ?", bucket)

    def roots(self) -> list[Root]:
        return self._all(Root, f"{_ROOT} ORDER BY bucket")

    def blocks(self, cids: Sequence[bytes]) -> dict[bytes, BlockRow]:
        query = (
            "SELECT cid, size, links, data, coalesce(name, ''), offset, epoch"
            " FROM block LEFT JOIN place ON place = number WHERE cid IN"
        )
        return {
            cid: BlockRow(cid, size, split(links), data, place, offset, epoch)
            for cid, size, links, data, place, offset, epoch in self._among(query, cids)
        }

    def block_links(self, cids: Sequence[bytes]) -> dict[bytes, tuple[int, tuple[bytes, ...]]]:
        query = "SELECT cid, size, links FROM block WHERE cid IN"
        return {cid: (size, split(links)) for cid, size, links in self._among(query, cids)}

    def block_epochs(self, cids: Sequence[bytes]) -> dict[bytes, int]:
        return dict(self._among("SELECT cid, epoch FROM block WHERE cid IN", cids))

    def blocks_after(self, cid: bytes, *, limit: int) -> list[tuple[bytes, int, int]]:
        query = "SELECT cid, size, epoch FROM block WHERE cid > ? ORDER BY cid LIMIT ?"
        return self._all(lambda *row: row, query, cid, limit)

    def blocks_in(self, place: str, *, limit: int) -> list[BlockRow]:
        query = (
            "SELECT cid, size, links, name, offset, epoch FROM block JOIN place ON place = number"
            " WHERE name = ? LIMIT ?"
        )
        return self._all(_placed, query, place, limit)

    def place_sizes(self) -> dict[str, int]:
        query = (
            "SELECT name, coalesce(sum(size), 0) FROM place LEFT JOIN block ON place = number GROUP BY name"
        )
        return dict(self._all(lambda *row: row, query))

    def places(self) -> set[str]:
        return set(self._all(str, "SELECT name FROM place"))

    def account(self, public_key: bytes) -> Account | None:
        return self._one(_account, f"{_ACCOUNT} WHERE public_key = ?", public_key)

    def account_named(self, username: str) -> Account | None:
        query = f"{_ACCOUNT} WHERE folded_username = ? AND folded_username <> ''"
        return self._one(_account, query, fold(username))

    def account_by_email(self, email: str) -> Account | None:
        return self._one(_account, f"{_ACCOUNT} WHERE email = ? AND email <> ''", email)

    def members(self, org: bytes) -> list[Member]:
        return self._all(_member, f"{_MEMBER} WHERE org = ? ORDER BY position", org)

    def memberships(self, account: bytes) -> list[Member]:
        return self._all(_member, f"{_MEMBER} WHERE account = ? ORDER BY position", account)

    def invite(self, id: str) -> Invite | None:  # noqa: A002
        return self._one(_invite, f"{_INVITE} WHERE id = ?", id)

    def invites_to(self, email: str) -> list[Invite]:
        return self._all(_invite, f"{_INVITE} WHERE email = ? ORDER BY id", email)

    def accounts(self) -> list[Account]:
        return self._all(_account, f"{_ACCOUNT} ORDER BY position")

    def session(self, id: str) -> Session | None:  # noqa: A002
        return self._one(Session, f"{_SESSION} WHERE id = ?", id)

    def sessions_of(self, account: bytes) -> list[Session]:
        return self._all(Session, f"{_SESSION} WHERE account = ? ORDER BY id", account)

    def api_key(self, key: str) -> ApiKey | None:
        return self._one(_api_key, f"{_API_KEY} WHERE key = ?", key)

    def api_keys(self, owner: bytes) -> list[ApiKey]:
        return self._all(_api_key, f"{_API_KEY} WHERE owner = ? ORDER BY position", owner)

    def tracked(self, owner: bytes, thread: bytes) -> TrackedThread | None:
        return self._one(_tracked, f"{_TRACKED} WHERE owner = ? AND thread = ?", owner, thread)

    def tracked_named(self, owner: bytes, name: str) -> TrackedThread | None:
        # The folded name finds the one candidate through its index; the case is then compared.
        query = f"{_TRACKED} WHERE owner = ? AND folded_name = ? AND folded_name <> '' AND name = ?"
        return self._one(_tracked, query, owner, fold(name), name)

    def tracked_by(self, owner: bytes) -> list[TrackedThread]:
        return self._all(_tracked, f"{_TRACKED} WHERE owner = ? ORDER BY position", owner)

    def tracked_with(self, key: str) -> int:
        return self._one(int, "SELECT count(*) FROM tracked WHERE key = ? AND key <> ''", key) or 0

    def name_key(self, cid: str) -> NameKey | None:
        return self._one(NameKey, f"{_NAME_KEY} WHERE cid = ?", cid)

    def name_keys(self, thread: bytes) -> list[NameKey]:
        return self._all(NameKey, f"{_NAME_KEY} WHERE thread = ? ORDER BY cid", thread)

    def _one(self, make: Callable[..., T], query: str, *values: Any) -> T | None:
        row = self._connection.execute(query, values).fetchone()
        return None if row is None else make(*row)

    def _all(self, make: Callable[..., T], query: str, *values: Any) -> list[T]:
        return [make(*row) for row in self._connection.execute(query, values)]

    def _range(
        self,
        query: str,
        values: tuple[Any, ...],
        column: str,
        low: bytes,
        high: bytes | None,
        order: tuple[str, ...],
        *,
        reverse: bool,
    ) -> Iterator[Any]:
        """The rows of ``query`` with ``column`` between the bounds, read as they are asked for."""
        if low:
            query, values = f"{query} AND {column} >= ?", (*values, low)
        if high is not None:
            query, values = f"{query} AND {column} < ?", (*values, high)
        way = " DESC" if reverse else ""
        return self._stream(f"{query} ORDER BY {', '.join(each + way for each in order)}", values)

    def _stream(self, query: str, values: tuple[Any, ...]) -> Iterator[Any]:
        if self._ended:
            raise StoreError("the snapshot has ended")
        cursor = self._connection.execute(query, values)
        self._cursors.add(cursor)
        try:
            # Not "yield from", which would close the cursor when the generator is collected.
            for row in cursor:  # noqa: UP028
                yield row
        except sqlite3.ProgrammingError as error:
            if not self._ended:
                raise
            raise StoreError("the snapshot has ended, and so has what was read from it") from error
        finally:
            if not self._ended:
                self._cursors.discard(cursor)
                cursor.close()

    def _among(self, query: str, cids: Sequence[bytes]) -> Iterator[tuple[Any, ...]]:
        for start in range(0, len(cids), _VARIABLES):
            some = cids[start : start + _VARIABLES]
            yield from self._connection.execute(f"{query} ({','.join('?' * len(some))})", some)


def _log(
    thread: bytes,
    id_: bytes,
    public_key: bytes,
    private_key: bytes | None,
    identity: bytes,
    managed: int,
    head: bytes,
    counter: int,
) -> ThreadLog:
    return ThreadLog(thread, id_, public_key, private_key, identity, bool(managed), head, counter)


def _index(collection: str, path: str, unique: int, ready: int) -> Index:
    return Index(collection, path, bool(unique), bool(ready))


def _change(sequence: int, kind: int, collection: str, document: bytes) -> Change:
    return Change(sequence, ChangeKind(kind), collection, document)


def _placed(cid: bytes, size: int, links: bytes, place: str, offset: int, epoch: int) -> BlockRow:
    return BlockRow(cid, size, split(links), None, place, offset, epoch)


def _account(
    public_key: bytes, private_key: bytes, kind: int, username: str, email: str, name: str, created_at: int
) -> Account:
    return Account(public_key, private_key, AccountKind(kind), username, email, name, created_at)


def _member(org: bytes, account: bytes, role: int) -> Member:
    return Member(org, account, Role(role))


def _invite(id_: str, org: bytes, sender: bytes, email: str, accepted: int, expires_at: int) -> Invite:
    return Invite(id_, org, sender, email, bool(accepted), expires_at)


def _api_key(
    key: str, sealed: bytes, owner: bytes, kind: int, secure: int, valid: int, created_at: int
) -> ApiKey:
    return ApiKey(key, sealed, owner, KeyKind(kind), bool(secure), bool(valid), created_at)


def _tracked(
    owner: bytes, thread: bytes, name: str, key: str, is_database: int, created_at: int
) -> TrackedThread:
    return TrackedThread(owner, thread, name, key, bool(is_database), created_at)
