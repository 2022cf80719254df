"""Listen (spec: threads-api §8)."""

from __future__ import annotations

from textile_aio._proto.threads import pb
from textile_aio.localhub.call import Call, Exchange
from textile_aio.localhub.routes import Method
from textile_aio.localhub.services.threads import messages
from textile_aio.localhub.services.threads.rights import Rights
from textile_aio.threaddb.engine import ThreadDatabases

POSITION_HEADER = "textile-aio-position"
"""Response header that goes out as soon as the listener is registered: where it starts."""


class ListenMethods:
    """Changes, told as they happen."""

    def __init__(self, engine: ThreadDatabases, rights: Rights) -> None:
        self._engine = engine
        self._rights = rights

    def handlers(self) -> dict[str, Method]:
        """Handlers by method name."""
        return {"Listen": self.listen}

    async def listen(self, call: Call, request: pb.ListenRequest, exchange: Exchange) -> None:
        """Tell every change from now on, or from ``since`` on. Ends when the database is deleted."""
        db, who = await self._rights.enter(call, request.db_id)
        filters = messages.filters(request.filters)
        async with self._engine.listen(db, filters, who=who, since=request.since) as listener:
            await exchange.begin({POSITION_HEADER: str(listener.position)})
            async for notice in listener:
                await exchange.send(messages.notice(notice))
