"""What all groups of calls to the threads service share: errors that come within replies."""

from __future__ import annotations

from typing import Any

from textile_aio import errors
from textile_aio._rpc.calls import ServiceCalls
from textile_aio._rpc.method import Method, Rep, Req
from textile_aio.auth import AuthContext
from textile_aio.errors import StatusCode, TextileError

_TOO_LARGE = "larger than a message may be"


class Calls(ServiceCalls):
    """The base of every group of calls; replies that carry an error raise it."""

    async def _call(
        self,
        method: Method[Req, Rep],
        request: Req,
        ctx: AuthContext,
        *,
        timeout: float | None,
        about: str = "",
    ) -> Rep:
        reply = await super()._call(method, request, ctx, timeout=timeout, about=about)
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
