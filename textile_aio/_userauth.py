"""Credentials that a server hands out for a while, and getting the next ones in time.

Owns the rule that there is one refresh at a time however many calls wait for it, on however many event loops.
What the credentials are good for is the context's business.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Final

from textile_aio._apisig import Clock, UserAuth
from textile_aio.errors import AuthExpired, InvalidInput

Refresh = Callable[[], Awaitable[UserAuth]]

MARGIN: Final = 10.0
"""Seconds before the end at which a refresh is made: hubs make calls of their own with what they got."""


class UserAuthSource:
    """The present user auth, replaced by ``refresh`` shortly before it ends.

    The first caller who finds it ended refreshes within its own task, the others wait for the outcome. A
    failure fails all who waited for it, once; the next call tries again. If the refreshing caller is
    cancelled, one of those who wait takes over. Equal and hashed by what it was made from.
    """

    __slots__ = ("_current", "_initial", "_mutex", "_refresh", "_refreshing", "_waiting")

    def __init__(self, initial: UserAuth | None, refresh: Refresh) -> None:
        self._initial = initial
        self._current = initial
        self._refresh = refresh
        self._mutex = threading.Lock()  # held for a few instructions, never across an await
        self._refreshing: object | None = None
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[Exception | None]]] = []

    @property
    def current(self) -> UserAuth | None:
        """The latest user auth, which may have ended; None before the first refresh if none was given."""
        return self._current

    async def fresh(self, clock: Clock) -> UserAuth:
        """A user auth that has not ended.

        Raises:
            AuthExpired: What ``refresh`` returned has already ended, or ``refresh`` used the very context it
                serves.
            InvalidInput: What ``refresh`` returned is no :class:`UserAuth`.
            Exception: Whatever ``refresh`` raised.
        """
        task = asyncio.current_task() or object()
        while True:
            with self._mutex:
                current = self._current
                if current is not None and not current.signature.has_expired(clock() + MARGIN):
                    return current
                if self._refreshing is task:
                    raise AuthExpired("refreshing the user auth must not use the context that needs it")
                outcome: asyncio.Future[Exception | None] | None = None
                if self._refreshing is None:
                    self._refreshing = task
                else:
                    loop = asyncio.get_running_loop()
                    outcome = loop.create_future()
                    self._waiting.append((loop, outcome))
            if outcome is None:
                return await self._replace(clock)
            if (failure := await outcome) is not None:
                raise failure

    async def _replace(self, clock: Clock) -> UserAuth:
        failure: Exception | None = None
        try:
            auth = await self._refresh()
            if not isinstance(auth, UserAuth):
                raise InvalidInput(f"refresh must return a UserAuth, not {type(auth).__name__}")
            if auth.signature.has_expired(clock()):
                raise AuthExpired("the refreshed user auth has already expired; compare the clocks")
            self._current = auth
            return auth
        except Exception as error:
            failure = error
            raise
        finally:
            # Also when cancelled: then nobody has failed, and those who wait look again.
            with self._mutex:
                self._refreshing = None
                waiting, self._waiting = self._waiting, []
            for loop, outcome in waiting:
                _settle_on(loop, outcome, failure)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, UserAuthSource):
            return NotImplemented
        return self._initial == other._initial and self._refresh == other._refresh

    def __hash__(self) -> int:
        return hash((self._initial, self._refresh))

    def __repr__(self) -> str:
        return "<UserAuthSource>"

    def __reduce__(self) -> tuple[type[UserAuthSource], tuple[UserAuth | None, Refresh]]:
        return UserAuthSource, (self._current, self._refresh)


def _settle_on(
    loop: asyncio.AbstractEventLoop, outcome: asyncio.Future[Exception | None], failure: Exception | None
) -> None:
    def settle() -> None:
        if not outcome.done():
            outcome.set_result(failure)

    try:
        loop.call_soon_threadsafe(settle)
    except RuntimeError:
        return  # that loop is closed, and nobody waits there any more
