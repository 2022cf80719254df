"""The first checks of every call on buckets."""

from __future__ import annotations

from textile_aio._arguments import context, text
from textile_aio.auth import AuthContext
from textile_aio.errors import InvalidInput, ThreadRequired


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
