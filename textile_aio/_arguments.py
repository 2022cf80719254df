"""Arguments of the wrong type, refused with a typed error before anything is sent.

Looked at are values that would otherwise fail deep inside a message encoder, or be sent as something else.
"""

from __future__ import annotations

from typing import TypeVar

from textile_aio.auth import AuthContext
from textile_aio.errors import InvalidInput, ThreadRequired
from textile_aio.ids import ThreadID

T = TypeVar("T")


def one_of(kind: type[T] | tuple[type[T], ...], value: object, what: str) -> T:
    """``value``, which has to be of a type; ``what`` it is, for the error.

    Raises:
        InvalidInput: It is not.
    """
    if isinstance(value, kind):
        return value
    kinds = kind if isinstance(kind, tuple) else (kind,)
    wanted = " or ".join(each.__name__ for each in kinds)
    raise InvalidInput(f"{what} has to be of type {wanted}, not {type(value).__name__}")


def text(value: object, what: str) -> str:
    """``value``, which has to be text that can be sent.

    Raises:
        InvalidInput: It is not text, or not valid Unicode.
    """
    checked = one_of(str, value, what)
    try:
        checked.encode()
    except UnicodeEncodeError:
        raise InvalidInput(f"{what} has to be valid Unicode", about=checked) from None
    return checked


def callback(value: object, what: str) -> None:
    """Check what is to be called, if anything.

    Raises:
        InvalidInput: It cannot be.
    """
    if value is not None and not callable(value):
        raise InvalidInput(f"{what} has to be something to call, not {type(value).__name__}")


def context(value: object) -> AuthContext:
    """``value``, which has to be a context: the first argument of every call.

    Raises:
        InvalidInput: It is none.
    """
    return one_of(AuthContext, value, "the context")


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
