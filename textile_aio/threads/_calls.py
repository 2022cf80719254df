"""What all groups of calls to the threads service share: the hub, the default deadline, and which thread."""

from __future__ import annotations

from typing import Any

from textile_aio import errors
from textile_aio._arguments import context, one_of
from textile_aio._rpc.channel import Channel
from textile_aio._rpc.method import Method, Rep, Req
from textile_aio.auth import AuthContext
from textile_aio.errors import StatusCode, TextileError, ThreadRequired
from textile_aio.ids import ThreadID

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


def thread_of(ctx: AuthContext, thread: ThreadID | None) -> ThreadID:
    """The thread that is meant: the one given, or the context's.

    Raises:
        InvalidInput: An argument is of another type.
        ThreadRequired: There is neither.
    """
    context(ctx)
    if thread is not None:
        return one_of(ThreadID, thread, "the thread")
    if ctx.thread is None:
        raise ThreadRequired(f"no thread is given and the context names none; {ThreadRequired.hint}")
    return ctx.thread


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
