"""Short ways to make the rows that storage tests are about."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from textile_aio.storage.changes import (
    Batch,
    CreateDatabase,
    CreateThread,
    Operation,
    PutCollection,
    PutDocument,
)
from textile_aio.storage.values import (
    Account,
    AccountKind,
    ApiKey,
    ChangeKind,
    Invite,
    KeyKind,
    LogRecord,
    NameKey,
    Thread,
    ThreadLog,
    TrackedThread,
)

DB = b"database one"
OTHER = b"database two"


def thread(id: bytes = DB) -> Thread:  # noqa: A002
    return Thread(id, b"service", b"read", 1)


def log(id: bytes, of: bytes = DB) -> ThreadLog:  # noqa: A002
    return ThreadLog(of, id, b"public", None, b"")


def record(cid: bytes, of: bytes = DB, *, body: bytes = b"body") -> LogRecord:
    return LogRecord(of, cid, b"log", 1, b"record", b"event", b"header", body)


def account(key: bytes, username: str = "", email: str = "") -> Account:
    return Account(key, b"private", AccountKind.DEVELOPER, username, email, "", 1)


def api_key(key: str, owner: bytes = b"owner", *, sealed: bytes = b"sealed") -> ApiKey:
    return ApiKey(key, sealed, owner, KeyKind.USER_GROUP, True, True, 1)


def invite(id: str, org: bytes = b"org", sender: bytes = b"a", email: str = "x@y.z") -> Invite:  # noqa: A002
    return Invite(id, org, sender, email, False, 1)


def tracked(owner: bytes, of: bytes, name: str = "", *, key: str = "") -> TrackedThread:
    return TrackedThread(owner, of, name, key, True, 1)


def name_key(cid: str, of: bytes = DB) -> NameKey:
    return NameKey(cid, b"private", of, "/ipfs/x", 1)


def document(id: bytes, body: bytes = b"{}", *, collection: str = "Dogs") -> PutDocument:  # noqa: A002
    return PutDocument(collection, id, body, ChangeKind.SAVE)


def new_database(id: bytes = DB, *more: Operation) -> Batch:  # noqa: A002
    """Thread, database and collection ``Dogs``; leaves the database at sequence 1."""
    made = (CreateThread(thread(id)), CreateDatabase(id, "kennel"), PutCollection("Dogs", b"config"))
    return Batch((*made, *more), database=id, expect=0)


@dataclass(frozen=True)
class Name:
    bytes: bytes


@dataclass(frozen=True)
class Block:
    """What ``BlockBatch.put`` takes, and no more than that."""

    cid: Name
    data: bytes | bytearray | memoryview
    addresses: tuple[bytes, ...] = ()


def block(data: bytes, *links: bytes) -> Block:
    return Block(Name(cid_of(data)), data, links)


def cid_of(data: bytes) -> bytes:
    return b"\x01\x55\x12\x20" + sha256(data).digest()
