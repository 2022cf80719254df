"""A push that is fed piece by piece, for files that are written to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Awaitable, Callable

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream

from textile_aio.errors import ClosedError


class Upload:
    """One file on its way into a bucket.

    A piece is taken when the hub has room for it, so no more than one is held. Nothing is stored before
    :meth:`commit`; what breaks off earlier leaves the bucket as it was. The push has a task of its own, which
    ends with :meth:`commit`, :meth:`discard` or :meth:`abandon`. One user at a time.

    Args:
        push: Pushes what the iterable gives.
        about: The path, for errors.
    """

    def __init__(self, push: Callable[[AsyncIterable[bytes]], Awaitable[object]], *, about: str) -> None:
        self._about = about
        self._loop = asyncio.get_running_loop()
        self._pieces, received = anyio.create_memory_object_stream[bytes](0)
        self._task = self._loop.create_task(_fed(push, received))
        self._task.add_done_callback(_retrieve)

    async def send(self, piece: bytes) -> None:
        """Hand over the next piece, and return when the push has begun with it.

        Raises:
            TextileError: The push has failed, as it says.
        """
        try:
            await self._pieces.send(piece)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            await self._end()
        except BaseException:
            self._task.cancel()  # it is not known whether the piece was taken
            raise

    async def commit(self) -> None:
        """Say that this was all, and return when it is stored.

        Raises:
            TextileError: The push has failed, as it says.
        """
        if not self._task.done():
            self._pieces.close()
        await self._end()

    async def discard(self) -> None:
        """Break off. Doing it again does nothing."""
        self._task.cancel()
        await asyncio.wait([self._task])
        self._pieces.close()

    def abandon(self) -> None:
        """Break off without waiting, from any thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._break_off)

    def _break_off(self) -> None:
        self._task.add_done_callback(lambda _: self._pieces.close())
        self._task.cancel()

    async def _end(self) -> None:
        try:
            await asyncio.wait([self._task])
        except BaseException:
            self._task.cancel()
            raise
        finally:
            if self._task.done():
                self._pieces.close()
        if self._task.cancelled():
            raise ClosedError("the write was broken off; write the file again", about=self._about)
        self._task.result()


async def _fed(
    push: Callable[[AsyncIterable[bytes]], Awaitable[object]], received: MemoryObjectReceiveStream[bytes]
) -> None:
    async with received:
        await push(received)


def _retrieve(task: asyncio.Task[None]) -> None:
    if not task.cancelled():
        task.exception()
