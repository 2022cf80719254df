"""Between the messages of ``threads.net.pb`` and values of ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from textile_aio._codec.multiaddr import Multiaddr
from textile_aio._proto.threads.net import pb
from textile_aio.errors import InvalidInput, InvalidKey, StatusCode
from textile_aio.ids import Cid, ThreadID, ThreadKey
from textile_aio.localhub.host import Host
from textile_aio.records import counters
from textile_aio.records.record import Nodes
from textile_aio.storage.values import LogRecord, ThreadLog
from textile_aio.threaddb.logs import LogKey
from textile_aio.threaddb.threads import ThreadDetails

T = TypeVar("T")


def read(convert: Callable[[bytes], T], data: bytes) -> T:
    """A value that a request holds as bytes. Raises :class:`InvalidInput` as INVALID_ARGUMENT."""
    try:
        return convert(data)
    except InvalidInput as error:
        raise type(error)(error.message, code=StatusCode.INVALID_ARGUMENT) from None


def thread_id(data: bytes) -> ThreadID:
    """The thread that a request names. Raises :class:`InvalidInput` as INVALID_ARGUMENT."""
    return read(ThreadID.from_bytes, data)


def cid(data: bytes) -> Cid:
    """The record that a request names. Raises :class:`InvalidInput` as INVALID_ARGUMENT."""
    return read(Cid.from_bytes, data)


def address(data: bytes) -> Multiaddr:
    """The address that a request names. Raises :class:`InvalidInput` as INVALID_ARGUMENT."""
    return read(Multiaddr.from_bytes, data)


def keys(message: pb.Keys | None) -> tuple[ThreadKey | None, LogKey | None]:
    """The keys of thread and log, where given. Raises :class:`InvalidKey` as INVALID_ARGUMENT."""
    message = message or pb.Keys()
    try:
        key = ThreadKey.from_bytes(message.thread_key) if message.thread_key else None
    except InvalidInput:
        raise InvalidKey("invalid thread-key: invalid key", code=StatusCode.INVALID_ARGUMENT) from None
    return key, LogKey.from_bytes(message.log_key) if message.log_key else None


def nodes(message: pb.Record | None) -> Nodes:
    """The blocks that a client sends; empty ones if it sends none."""
    message = message or pb.Record()
    return Nodes(
        record=bytes(message.record_node),
        event=bytes(message.event_node),
        header=bytes(message.header_node),
        body=bytes(message.body_node),
    )


def record(row: LogRecord) -> pb.Record:
    """The blocks of a record."""
    return pb.Record(record_node=row.record, event_node=row.event, header_node=row.header, body_node=row.body)


def new_record(row: LogRecord) -> pb.NewRecordReply:
    """A record with its thread and log."""
    return pb.NewRecordReply(thread_id=row.thread, log_id=row.log, record=record(row))


def details(found: ThreadDetails, host: Host) -> pb.ThreadInfoReply:
    """All that the hub knows of a thread, its keys among it."""
    thread = found.thread
    here = bytes(Multiaddr.parse(f"/p2p/{host.peer}"))
    return pb.ThreadInfoReply(
        thread_id=thread.id,
        thread_key=thread.service_key + (thread.read_key or b""),
        logs=[_log(log, here) for log in found.logs],
        addrs=[bytes(host.thread_address(ThreadID.from_bytes(thread.id)))],
    )


def _log(log: ThreadLog, here: bytes) -> pb.LogInfo:
    return pb.LogInfo(
        id=log.id,
        pub_key=log.public_key,
        priv_key=log.private_key or b"",
        addrs=[here],
        head=log.head,
        counter=counters.encode(log.counter),
    )
