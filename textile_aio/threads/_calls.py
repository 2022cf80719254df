"""What all groups of calls to the threads service share: the hub, and the default deadline."""

from __future__ import annotations

from typing import Any

from textile_aio import errors
from textile_aio._rpc.channel import Channel
from textile_aio._rpc.method import Method, Rep, Req
from textile_aio.auth import AuthContext
from textile_aio.errors import StatusCode, TextileError

_TOO_LARGE = "larger than a message may be"


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
        reply = await self._channel.unary(method, request, ctx, timeout=limit, about=about)
        error = transaction_error(reply, method.path, about)
        if error is not None:
            raise error
        return reply


def transaction_error(reply: Any, method: str, about: str) -> TextileError | None:
    """The error that a reply carries as a text, as the status it would be outside a transaction.

    Such texts come without a code. It is UNKNOWN (spec: threads-api §7), except where our hub says that a
    result has to be asked for in pages.
    """
    text = getattr(reply, "transaction_error", "")
    if not text:
        return None
    code = StatusCode.RESOURCE_EXHAUSTED if _TOO_LARGE in text else StatusCode.UNKNOWN
    return errors.from_status(code, text, method=method, about=about)
