"""What all groups of calls to one service share: the hub, and the default deadline."""

from __future__ import annotations

from textile_aio._arguments import context
from textile_aio._rpc.channel import Channel
from textile_aio._rpc.method import Method, Rep, Req
from textile_aio.auth import AuthContext


class ServiceCalls:
    """The base of every group of calls.

    Args:
        channel: The hub.
        timeout: Default for the calls, in seconds; None for no limit.
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
        limit = self._limit(timeout)
        return await self._channel.unary(method, request, context(ctx), timeout=limit, about=about)

    def _limit(self, timeout: float | None) -> float | None:
        return self._timeout if timeout is None else timeout
