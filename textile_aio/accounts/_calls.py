"""How calls of the accounts service are made; which there are is decided by those who build on this."""

from __future__ import annotations

from typing import TypeVar

from textile_aio._arguments import context
from textile_aio._rpc.channel import Channel
from textile_aio._rpc.method import Method
from textile_aio.auth import AuthContext

Req = TypeVar("Req")
Rep = TypeVar("Rep")


class Calls:
    """A hub's accounts service, and the time a call to it may take.

    Args:
        channel: The hub.
        timeout: Default for calls that nobody has to answer by hand; None for no limit.
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
        return await self._channel.unary(
            method,
            request,
            context(ctx),
            timeout=self._timeout if timeout is None else timeout,
            about=about,
        )
