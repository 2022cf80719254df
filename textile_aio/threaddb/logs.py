"""The logs of a thread as they grow: which one a writer's records go to, and what one more record changes.

Pure decisions on rows; what is returned has still to be applied.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from textile_aio._codec.peer import PeerID
from textile_aio.errors import FailedPrecondition, InvalidInput, InvalidKey, StatusCode
from textile_aio.identity import Identity, PublicKey
from textile_aio.ids import Cid
from textile_aio.records.record import Record, seal
from textile_aio.storage.changes import Operation, PutRecord, SetHead
from textile_aio.storage.values import LogRecord, Thread, ThreadLog


@dataclass(frozen=True, slots=True)
class LogKey:
    """The key pair of a log, or only its public half where a client keeps the other."""

    public: PublicKey
    private: Identity | None

    @classmethod
    def generate(cls) -> LogKey:
        """A new pair."""
        identity = Identity.generate()
        return cls(identity.public, identity)

    @classmethod
    def from_bytes(cls, data: bytes) -> LogKey:
        """Read a libp2p private or public key.

        Raises:
            InvalidKey: It is neither (``invalid log-key``).
        """
        try:
            identity = Identity.from_bytes(data)
        except InvalidInput:
            pass
        else:
            return cls(identity.public, identity)
        try:
            return cls(PublicKey.from_bytes(data), None)
        except InvalidInput:
            raise InvalidKey("invalid log-key", code=StatusCode.INVALID_ARGUMENT) from None


def new_log(thread: bytes, key: LogKey, identity: PublicKey | None) -> ThreadLog:
    """An empty log. ``identity`` is whose records go there; None for nobody's."""
    return ThreadLog(
        thread=thread,
        id=bytes(PeerID.from_public_key(bytes(key.public))),
        public_key=bytes(key.public),
        private_key=key.private.bytes if key.private else None,
        identity=bytes(identity) if identity else b"",
    )


def write(thread: Thread, log: ThreadLog, body: bytes, author: PublicKey) -> Record:
    """Seal a body as the next record of a log.

    Raises:
        FailedPrecondition: The log's private key or the thread's read key is not here.
    """
    if log.private_key is None:
        raise FailedPrecondition("a private-key is required to create records", code=StatusCode.UNKNOWN)
    if thread.read_key is None:
        raise FailedPrecondition("a read-key is required to create records", code=StatusCode.UNKNOWN)
    return seal(
        body,
        author=author,
        log=_signer(log.private_key),
        service_key=thread.service_key,
        read_key=thread.read_key,
        prev=Cid.from_bytes(log.head) if log.head else None,
    )


@lru_cache(256)
def _signer(private_key: bytes) -> Identity:
    """The key pair of a log, kept for its next records: making it ready takes as long as signing."""
    return Identity.from_bytes(private_key)


def append(log: ThreadLog, record: Record) -> tuple[ThreadLog, list[Operation]]:
    """The log with one more record, and what has to be written for it. The record has been verified."""
    new = row(log, record)
    head = SetHead(log.thread, log.id, new.cid, new.counter, expect=log.head)
    return replace(log, head=new.cid, counter=new.counter), [PutRecord(new), head]


def row(log: ThreadLog, record: Record) -> LogRecord:
    """A record as it is kept, after the ones its log has."""
    nodes = record.nodes
    return LogRecord(
        thread=log.thread,
        cid=bytes(record.cid),
        log=log.id,
        counter=log.counter + 1,
        record=nodes.record,
        event=nodes.event,
        header=nodes.header,
        body=nodes.body,
    )
