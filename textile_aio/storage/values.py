"""The rows a store keeps, as values.

This module owns the vocabulary between engines and stores. It refuses to know SQL, files, gRPC and
JSON: ids, keys and documents are bytes in byte order, so that any backend keeps them unchanged.
Times are UTC nanoseconds since 1970 unless a field says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class AccountKind(IntEnum):
    """Whose account it is (spec: hub-accounts §6)."""

    DEVELOPER = 0
    ORGANISATION = 1
    USER = 2


class Role(IntEnum):
    """What a member of an organisation is (spec: hub-accounts §6)."""

    OWNER = 0
    MEMBER = 1


class KeyKind(IntEnum):
    """Whom an API key stands for (spec: identity-and-auth §10.3)."""

    ACCOUNT = 0
    USER_GROUP = 1


class ChangeKind(IntEnum):
    """What a change row reports."""

    DATABASE = 0
    COLLECTION = 1
    CREATE = 2
    SAVE = 3
    DELETE = 4


@dataclass(frozen=True, slots=True)
class Thread:
    """A thread this hub stores: its id and the keys it was made with."""

    id: bytes
    service_key: bytes
    read_key: bytes | None
    created_at: int


@dataclass(frozen=True, slots=True)
class ThreadLog:
    """One writer's log of a thread: a chain of records signed with one key.

    Attributes:
        thread: Whose log it is.
        id: The log's id, the multihash of its public key.
        public_key: Verifies its records.
        private_key: Signs them; None where only the writer has it.
        identity: Public key of the writer whose records go here; empty if nobody's do. No two logs of a
            thread have the same.
        managed: Whether it was begun at this hub.
        head: CID of the newest record; empty for none.
        counter: How many records the chain has.
    """

    thread: bytes
    id: bytes
    public_key: bytes
    private_key: bytes | None
    identity: bytes
    managed: bool = True
    head: bytes = b""
    counter: int = 0


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One record of a log, as its four blocks. ``counter`` is its place in the chain, from 1."""

    thread: bytes
    cid: bytes
    log: bytes
    counter: int
    record: bytes
    event: bytes
    header: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class Database:
    """A database bound to a thread.

    Attributes:
        thread: Where it lives.
        name: As it was made with.
        sequence: Counts its changes; the fence of every write.
        oldest: Changes of this sequence and below are forgotten.
        incarnation: Random, drawn when the database was made: another one in the same thread has another.
    """

    thread: bytes
    name: str
    sequence: int
    oldest: int = 0
    incarnation: bytes = b""


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection and its configuration (an encoding of the engine's own)."""

    database: bytes
    name: str
    config: bytes


@dataclass(frozen=True, slots=True)
class Index:
    """An index of a collection. One that is not ``ready`` is being filled, and answers nothing yet."""

    collection: str
    path: str
    unique: bool
    ready: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """What an index holds of one document.

    Attributes:
        path: Names the index.
        key: Where the document stands in its order.
        claim: For a unique index, what no other document may claim; empty otherwise.
    """

    path: str
    key: bytes
    claim: bytes = b""


@dataclass(frozen=True, slots=True)
class Document:
    """One stored document."""

    id: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class Change:
    """One row of a database's change log. Several may share a sequence: they were written together."""

    sequence: int
    kind: ChangeKind
    collection: str
    document: bytes


@dataclass(frozen=True, slots=True)
class Root:
    """The current root of a bucket: what the collector marks from."""

    bucket: bytes
    thread: bytes
    cid: bytes


@dataclass(frozen=True, slots=True)
class Account:
    """A developer or organisation. Its public key is libp2p protobuf bytes.

    Attributes:
        public_key: Identifies it.
        private_key: Its identity, sealed by whoever wrote the row.
        kind: Whose it is.
        username: An organisation's is its slug.
        email: A developer's; empty for none.
        name: An organisation's, as entered; empty for a developer.
        created_at: When it was made.
    """

    public_key: bytes
    private_key: bytes
    kind: AccountKind
    username: str
    email: str
    name: str
    created_at: int


@dataclass(frozen=True, slots=True)
class Member:
    """That a developer's account belongs to an organisation."""

    org: bytes
    account: bytes
    role: Role


@dataclass(frozen=True, slots=True)
class Invite:
    """That ``sender`` invited whoever has an e-mail address to an organisation.

    ``id`` names it without being what the link of the invitation carries. ``accepted``: by somebody who has
    no account yet.
    """

    id: str
    org: bytes
    sender: bytes
    email: str
    accepted: bool
    expires_at: int


@dataclass(frozen=True, slots=True)
class Session:
    """A developer's session. ``id`` names it without being what callers send."""

    id: str
    account: bytes
    expires_at: int


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key. ``key`` names it without being what callers send; ``sealed`` is that, with its secret."""

    key: str
    sealed: bytes
    owner: bytes
    kind: KeyKind
    secure: bool
    valid: bool
    created_at: int


@dataclass(frozen=True, slots=True)
class TrackedThread:
    """That ``owner`` (a public key) made ``thread``, under which name and API key.

    ``name`` is empty when unnamed, and otherwise unique for the owner without regard to case.
    ``key`` names the API key, as :attr:`ApiKey.key`; empty when the thread was made with a session.
    """

    owner: bytes
    thread: bytes
    name: str
    key: str
    is_database: bool
    created_at: int


@dataclass(frozen=True, slots=True)
class NameKey:
    """The IPNS key of a bucket. ``cid`` (text) is the bucket's key; ``path`` is what it points at."""

    cid: str
    private_key: bytes
    thread: bytes
    path: str
    created_at: int


@dataclass(frozen=True, slots=True)
class BlockRow:
    """Where a block is: inline (``data``), or in a place with its first byte at ``offset``; never both.

    ``links`` are the children's CIDs, so that a collector can walk without reading blocks. ``epoch`` is that
    of the last batch that put or needed it, which tells a collector what may be on its way to a root.
    """

    cid: bytes
    size: int
    links: tuple[bytes, ...] = ()
    data: bytes | None = None
    place: str = ""
    offset: int = 0
    epoch: int = 0

    def __post_init__(self) -> None:
        if (self.data is None) == (not self.place):
            raise ValueError("a block is either inline or in a place")


def fold(name: str) -> str:
    """The form under which names that differ only in case are the same (spec: hub-accounts §6)."""
    return name.casefold()
