"""What all groups of calls to the users service share: the hub, and the default deadline."""

from __future__ import annotations

from textile_aio._arguments import context
from textile_aio._rpc.channel import Channel
from textile_aio._rpc.method import Method, Rep, Req
from textile_aio.auth import AuthContext


class Calls:
    """The base of every group of calls.

    Args:
        channel: The hub.
        timeout: Default for all calls, in seconds; None for no limit.
    """

    def __init__(self, channel: Channel, *, timeout: float | None = None) -> None:
        self._channel = channel
        self._timeout = timeout

    async def _call(
        self,
        method: Method[Req, Rep],
        request: Req,
        ctx: AuthContext,
        *,
        timeout: float | None,
        about: str = "",
    ) -> Rep:
        limit = self._timeout if timeout is None else timeout
        return await self._channel.unary(method, request, context(ctx), timeout=limit, about=about)
