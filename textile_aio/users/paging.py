"""All messages of a box, a page at a time.

Owns how one page leads to the next: each is asked for with one message more than it shows, whose id is where
the next begins, so that what is deleted meanwhile leaves no hole (spec: users-and-mail §4.3). How a page is
got is given.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Self

from textile_aio.errors import MessageTooLarge, ProtocolError
from textile_aio.users.messages import Message

Ask = Callable[[str, int], Awaitable[list[Message]]]
"""Gets the first so many messages from an id on, which is included."""

_PAGE = 100


class Messages:
    """The messages of a box, one after another: an async iterator that asks for pages by itself.

    Made by :meth:`UsersClient.inbox <textile_aio.UsersClient.inbox>` and :meth:`UsersClient.sentbox
    <textile_aio.UsersClient.sentbox>`; iterated once, by one task. No more than a page is held, and nothing
    has to be closed when the iteration is left early. What is there all the time is seen exactly once; what
    comes or goes meanwhile may be seen or not.
    """

    def __init__(self, ask: Ask, *, seek: str, ascending: bool) -> None:
        self._ask = ask
        self._ascending = ascending
        self._next: str | None = seek
        self._page = _PAGE
        self._rows: deque[Message] = deque()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Message:
        """The next message. Raises as the methods say that make this."""
        if not self._rows:
            if self._next is None:
                raise StopAsyncIteration
            await self._fetch(self._next)
            if not self._rows:
                raise StopAsyncIteration
        return self._rows.popleft()

    async def _fetch(self, seek: str) -> None:
        """The next page; a smaller one if that is more than one answer can hold."""
        while self._page:
            try:
                found = await self._ask(seek, self._page + 1)
            except MessageTooLarge:
                self._page //= 2
                continue
            shown, more = found[: self._page], found[self._page :]
            self._take(shown, more[0].id if more else None)
            return
        # Two do not fit, so that there is none whose id could be the next.
        found = await self._ask(seek, 1)
        self._take(found, beside(found[0].id, after=self._ascending) if found else None)

    def _take(self, shown: list[Message], following: str | None) -> None:
        if following is not None and following == self._next:
            raise ProtocolError("the hub's pages do not move on", about=following)
        self._rows.extend(shown)
        self._next = following


def beside(id: str, *, after: bool) -> str:  # noqa: A002
    """A text right after an id in the order of ids, or right before it where no message can be in between.

    Ids of messages are of one length, and of letters and digits.
    """
    if after:
        return id + "0"
    return f"{id[:-1]}{chr(max(ord(id[-1]) - 1, 0))}~" if id else id
