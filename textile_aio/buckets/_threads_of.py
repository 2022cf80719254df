"""Which threads a caller has.

Asks the users service of a hub with accounts, and the threads service of one without. Their own clients are
in rooms beside this one, which it must not know.
"""

from __future__ import annotations

from textile_aio._proto.api.usersd import pb as users
from textile_aio._proto.threads import pb as threads
from textile_aio._rpc.channel import Channel
from textile_aio._rpc.method import Method
from textile_aio.auth import AuthContext
from textile_aio.errors import InvalidInput, ProtocolError, Unimplemented
from textile_aio.ids import ThreadID

_LIST_THREADS = Method(
    "/api.usersd.pb.APIService/ListThreads", users.ListThreadsRequest, users.ListThreadsResponse, safe=True
)
_LIST_DBS = Method("/threads.pb.API/ListDBs", threads.ListDBsRequest, threads.ListDBsReply, safe=True)


async def threads_of(channel: Channel, ctx: AuthContext, *, timeout: float | None) -> list[ThreadID]:
    """The threads with a database that the caller has; all of the hub's where it has no accounts."""
    try:
        owned = await channel.unary(_LIST_THREADS, users.ListThreadsRequest(), ctx, timeout=timeout)
    except Unimplemented:
        there = await channel.unary(_LIST_DBS, threads.ListDBsRequest(), ctx, timeout=timeout)
        ids = [each.db_id for each in there.dbs]
    else:
        ids = [each.id for each in owned.list if each.is_db]
    try:
        return [ThreadID.from_bytes(each) for each in ids]
    except InvalidInput as error:
        raise ProtocolError(f"the hub sent a malformed thread id: {error.message}") from error
