"""From the messages of ``threads.pb`` to values of ours.

What cannot be such a value is the hub's fault: ProtocolError.
"""

from __future__ import annotations

from textile_aio._proto.threads import pb
from textile_aio.errors import InvalidInput, ProtocolError
from textile_aio.ids import Multiaddr, ThreadID, ThreadKey
from textile_aio.threads.values import DatabaseInfo


def database(thread: ThreadID, message: pb.GetDbInfoReply) -> DatabaseInfo:
    """The value of GetDBInfo's answer for a thread.

    Raises:
        ProtocolError: An address or the key is malformed.
    """
    try:
        return DatabaseInfo(
            thread,
            name=message.name,
            addrs=tuple(map(Multiaddr.from_bytes, message.addrs)),
            key=ThreadKey.from_bytes(message.key) if message.key else None,
        )
    except InvalidInput as error:
        raise ProtocolError(
            f"the hub sent malformed information on a database: {error.message}", about=str(thread)
        ) from error


def listed(message: pb.ListDBsReplyDb) -> DatabaseInfo:
    """The value of one entry of ListDBs' answer."""
    try:
        thread = ThreadID.from_bytes(message.db_id)
    except InvalidInput as error:
        raise ProtocolError(f"the hub listed a malformed thread id: {error.message}") from error
    return database(thread, message.info or pb.GetDbInfoReply())
