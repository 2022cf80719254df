"""What a client has sent on one call and nobody has read yet.

Owns the bound of it. Refuses to know what carries the bytes.
"""

from __future__ import annotations

import asyncio

from textile_aio._rpc.messages import Body, MessageBuffer

WINDOW = 256 * 1024
"""Bytes that may lie unread before the client has to wait. A message that is larger comes in nevertheless,
once somebody waits for it."""


class Inbound:
    """A byte stream, cut into messages wherever they begin and end in it.

    Args:
        max_message: Bytes of the largest one accepted.
    """

    __slots__ = ("_messages", "_room", "_unread")

    def __init__(self, max_message: int) -> None:
        self._unread = 0
        self._room = asyncio.Event()
        self._room.set()
        self._messages = MessageBuffer(self._credit, limit=max_message, server=True)

    def add(self, data: bytes | memoryview) -> None:
        """More of the stream. The memory must stay as it is."""
        self._unread += len(data)
        if self._unread > WINDOW:
            self._room.clear()
        self._messages.add(data, len(data))

    def end(self) -> None:
        """The client sends no more."""
        self._messages.eof()

    async def room(self) -> None:
        """Wait until there is room for more."""
        await self._room.wait()

    async def next_message(self) -> Body | None:
        """The next message, None at the end.

        Raises:
            GRPCError: It is too large, compressed or cut short.
        """
        return await self._messages.next_message()

    def _credit(self, size: int) -> None:
        self._unread -= size
        if self._unread <= WINDOW:
            self._room.set()
