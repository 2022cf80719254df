"""From the messages of ``threads.net.pb`` to values of ours.

What cannot be such a value is the hub's fault: ProtocolError. Records are checked as strictly as they can be
without knowing what is in them (spec: thread-net-and-records §4); one that is well-formed but not what it
should be is an IntegrityError.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from textile_aio._codec import multihash
from textile_aio._proto.threads.net import pb
from textile_aio.errors import BadSignature, IntegrityError, InvalidInput, InvalidKey, ProtocolError
from textile_aio.identity import Identity, PublicKey
from textile_aio.ids import Cid, Multiaddr, PeerID, ThreadID, ThreadKey
from textile_aio.net.values import LogInfo, ThreadDetails, ThreadRecord
from textile_aio.records import counters
from textile_aio.records.record import Nodes, Record, open_record, verify

T = TypeVar("T")


def peer(data: bytes) -> PeerID:
    """The id of a host, as a whole answer.

    Raises:
        ProtocolError: The bytes are none.
    """
    return _from_hub(PeerID, data, "a peer id", about="")


def details(message: pb.ThreadInfoReply, thread: ThreadID) -> ThreadDetails:
    """What the hub says on a thread that was asked for.

    Raises:
        ProtocolError: It speaks of another thread, a part is malformed, or a log's keys or id do not belong
            together.
    """
    about = str(thread)
    if message.thread_id != thread.bytes:
        raise ProtocolError("the hub answered for another thread", about=about)

    def convert(message: pb.ThreadInfoReply) -> ThreadDetails:
        return ThreadDetails(
            thread,
            key=ThreadKey.from_bytes(message.thread_key) if message.thread_key else None,
            logs=tuple(map(_log, message.logs)),
            addrs=tuple(map(Multiaddr.from_bytes, message.addrs)),
        )

    return _from_hub(convert, message, "information on a thread", about=about)


def record(
    message: pb.Record | None,
    *,
    thread: ThreadID,
    key: ThreadKey,
    logs: Iterable[PeerID],
    expected: Cid | None = None,
) -> ThreadRecord:
    """The record in a message, checked.

    Args:
        message: What the hub sent.
        thread: Where it is from.
        key: The thread's keys.
        logs: The logs it may be of.
        expected: The record asked for; None where any may come.

    Raises:
        ProtocolError: There is no record, or it is malformed.
        DecryptionFailed: The thread's service key does not open it.
        IntegrityError: It is another than was asked for, or its blocks do not belong together.
        BadSignature: None of the logs signed it.
    """
    about = str(expected or thread)
    if message is None:
        raise ProtocolError("the hub sent no record", about=about)
    nodes = Nodes(
        record=bytes(message.record_node),
        event=bytes(message.event_node),
        header=bytes(message.header_node),
        body=bytes(message.body_node),
    )
    opened = _from_hub(lambda given: open_record(given, key.service.bytes), nodes, "a record", about=about)
    if expected is not None and opened.cid != expected:
        raise IntegrityError(f"the hub sent another record, {opened.cid}", about=about)
    return ThreadRecord(thread, log=_signer(opened, logs), record=opened, _key=key)


def announced(message: pb.NewRecordReply, wanted: frozenset[ThreadID]) -> tuple[ThreadID, PeerID]:
    """The thread and the log that a new record is said to be in.

    Args:
        message: What the hub sent.
        wanted: The threads it may be of; none for any.

    Raises:
        ProtocolError: The thread is another, or one of them is malformed.
    """
    thread = _from_hub(ThreadID.from_bytes, message.thread_id, "a thread id", about="")
    if wanted and thread not in wanted:
        raise ProtocolError("the hub sent a record of a thread it was not asked for", about=str(thread))
    return thread, _from_hub(PeerID, message.log_id, "a log id", about=str(thread))


def key_of(log: PeerID) -> PublicKey:
    """The public key of a log, which its id contains.

    Raises:
        InvalidKey: The id is of another kind of key.
    """
    kind, digest = multihash.decode(log.bytes)
    if kind != multihash.IDENTITY:
        raise InvalidKey("logs have Ed25519 keys, which their ids contain; this one does not", about=str(log))
    return PublicKey.from_bytes(digest)


def blocks(nodes: Nodes) -> pb.Record:
    """A record as it is sent."""
    return pb.Record(
        record_node=nodes.record, event_node=nodes.event, header_node=nodes.header, body_node=nodes.body
    )


def _signer(opened: Record, logs: Iterable[PeerID]) -> PeerID:
    for log in logs:
        try:
            verify(opened, key_of(log))
        except BadSignature:
            continue
        return log
    raise BadSignature("no log it can be of signed this record", about=str(opened.cid))


def _log(message: pb.LogInfo) -> LogInfo:
    log = PeerID(message.id)
    public = PublicKey.from_bytes(message.pub_key) if message.pub_key else key_of(log)
    if public.peer_id != log:
        raise InvalidKey(f"the id of log {log} is not that of its public key")
    private = Identity.from_bytes(message.priv_key) if message.priv_key else None
    if private is not None and private.public != public:
        raise InvalidKey(f"the keys of log {log} do not belong together")
    return LogInfo(
        log,
        public_key=public,
        private_key=private,
        addrs=tuple(map(Multiaddr.from_bytes, message.addrs)),
        head=Cid.from_bytes(message.head) if message.head else None,
        counter=counters.decode(message.counter),
    )


_Given = TypeVar("_Given")


def _from_hub(convert: Callable[[_Given], T], given: _Given, what: str, *, about: str) -> T:
    try:
        return convert(given)
    except InvalidInput as error:
        raise ProtocolError(
            f"the hub sent malformed data for {what}: {error.message}", about=about
        ) from error
