"""Calls to a hub's users service: the caller's threads."""

from __future__ import annotations

from textile_aio._arguments import context, text
from textile_aio._proto.api.usersd import pb
from textile_aio._rpc.channel import Channel
from textile_aio.auth import AuthContext
from textile_aio.users import _convert, _methods
from textile_aio.users.values import ThreadInfo


class UsersClient:
    """What belongs to the caller at a hub with accounts: a developer, an organisation or an app's user.

    Reached as :attr:`HubClient.users <textile_aio.HubClient.users>`. Every call takes the context first.
    Errors that can come from every call and are not repeated below: :class:`~textile_aio.ClosedError` before
    anything is sent, :class:`~textile_aio.Unimplemented` where the hub has no accounts,
    :class:`~textile_aio.Unauthenticated`, :class:`~textile_aio.Unavailable`,
    :class:`~textile_aio.DeadlineExceeded` and :class:`~textile_aio.ProtocolError`.

    ``timeout`` is in seconds and includes repetitions; without one the client's default applies.

    Args:
        channel: The hub.
        timeout: Default for all calls; None for no limit.
    """

    def __init__(self, channel: Channel, *, timeout: float | None = None) -> None:
        self._channel = channel
        self._timeout = timeout

    async def get_thread(self, ctx: AuthContext, name: str, *, timeout: float | None = None) -> ThreadInfo:
        """The caller's thread with exactly that name. Safe to repeat.

        Raises:
            ThreadNotFound: The caller has none of that name.
        """
        reply = await self._channel.unary(
            _methods.GET_THREAD,
            pb.GetThreadRequest(name=text(name, "the name")),
            context(ctx),
            timeout=self._timeout if timeout is None else timeout,
            about=name,
        )
        return _convert.thread(reply)

    async def list_threads(self, ctx: AuthContext, *, timeout: float | None = None) -> list[ThreadInfo]:
        """All threads of the caller in the order they were made, whichever API key made them.

        Safe to repeat.
        """
        reply = await self._channel.unary(
            _methods.LIST_THREADS,
            pb.ListThreadsRequest(),
            context(ctx),
            timeout=self._timeout if timeout is None else timeout,
        )
        return [_convert.thread(thread) for thread in reply.list]
