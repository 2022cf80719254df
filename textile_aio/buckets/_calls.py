"""What all groups of calls to the buckets service share: the hub, the default deadline, the first checks."""

from __future__ import annotations

from textile_aio._arguments import context, text
from textile_aio._rpc.channel import Channel
from textile_aio._rpc.method import Method, Rep, Req
from textile_aio.auth import AuthContext
from textile_aio.errors import InvalidInput, ThreadRequired


class Calls:
    """The base of every group of calls.

    Args:
        channel: The hub.
        timeout: Default for calls other than pushes and pulls, in seconds; None for no limit.
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
        return await self._channel.unary(method, request, ctx, timeout=self._limit(timeout), about=about)

    def _limit(self, timeout: float | None) -> float | None:
        return self._timeout if timeout is None else timeout


def check(ctx: AuthContext, key: str) -> None:
    """Check the arguments that name a bucket.

    Raises:
        InvalidInput: One is of another type, or the key is empty.
        ThreadRequired: The context names no thread.
    """
    check_thread(ctx)
    check_key(key)


def check_key(key: str) -> None:
    """Check a bucket's key alone, for calls that need no thread.

    Raises:
        InvalidInput: It is no text, or empty.
    """
    if not text(key, "a bucket key"):
        raise InvalidInput("the bucket key is empty")


def check_thread(ctx: AuthContext) -> None:
    """Check that a context names the thread that buckets live in.

    Raises:
        ThreadRequired: It does not.
    """
    if context(ctx).thread is None:
        raise ThreadRequired(f"buckets live in a thread and the context names none; {ThreadRequired.hint}")
