"""Watches of mailboxes: what a client is told, as its callback is called."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from tests.interop.peer import PeerCallback

Event = tuple[str, str]
"""``CREATE``, ``SAVE`` or ``DELETE``, and the id of the message."""

_LOOK_EVERY = 0.1


class Told:
    """What a watch is told.

    Args:
        callback: That of the watch.
        event: Reads what it is called with.
    """

    def __init__(self, callback: PeerCallback, event: Callable[[list[Any]], Event]) -> None:
        self._callback = callback
        self._event = event

    async def wait_for(self, event: Event) -> None:
        """Take events until one comes."""
        while await self.next() != event:
            pass

    async def next(self) -> Event:
        """The next event."""
        return self._event(await self.raw())

    async def raw(self) -> list[Any]:
        """What the callback is called with next."""
        return await self._callback.next()

    async def some(self, count: int) -> list[Event]:
        """As many events, in their order."""
        return [await self.next() for _ in range(count)]

    @property
    def is_quiet(self) -> bool:
        """Whether everything that was told has been taken."""
        return self._callback.calls.empty()


async def begin(send: Callable[[], Awaitable[str]], *watches: Told) -> None:
    """Return once all watches hear. They have no way to say so, so messages are sent until they do.

    Args:
        send: Sends a message that all are told of; its id.
        watches: They have been told of everything up to now when this returns, and all of it is taken.
    """
    for watch in watches:
        while watch.is_quiet:
            await send()
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_EVERY):
                    await watch.next()
                    break
    last = await send()
    for watch in watches:
        await watch.wait_for(("CREATE", last))
