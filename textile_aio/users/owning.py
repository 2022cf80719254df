"""The part of the users client that says which threads a caller has."""

from __future__ import annotations

from textile_aio._arguments import text
from textile_aio._proto.api.usersd import pb
from textile_aio._rpc.calls import ServiceCalls
from textile_aio.auth import AuthContext
from textile_aio.users import _convert, _methods
from textile_aio.users.values import ThreadInfo


class ThreadCalls(ServiceCalls):
    """The group of calls about threads."""

    async def get_thread(self, ctx: AuthContext, name: str, *, timeout: float | None = None) -> ThreadInfo:
        """The caller's thread with exactly that name. Safe to repeat.

        Raises:
            ThreadNotFound: The caller has none of that name.
        """
        request = pb.GetThreadRequest(name=text(name, "the name"))
        return _convert.thread(
            await self._call(_methods.GET_THREAD, request, ctx, timeout=timeout, about=name)
        )

    async def list_threads(self, ctx: AuthContext, *, timeout: float | None = None) -> list[ThreadInfo]:
        """All threads of the caller in the order they were made, whichever API key made them.

        Safe to repeat.
        """
        reply = await self._call(_methods.LIST_THREADS, pb.ListThreadsRequest(), ctx, timeout=timeout)
        return [_convert.thread(thread) for thread in reply.list]
