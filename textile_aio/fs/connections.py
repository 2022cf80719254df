"""A file system's connections: one for each event loop it is used on, opened when it is.

A file system has no block that it lives in. Each connection therefore lives in a task of its own, which ends
when the file system is closed, is no longer used by anybody, or when its loop or the interpreter ends.
"""

from __future__ import annotations

import asyncio
import atexit
import threading
from contextlib import suppress
from typing import Final
from weakref import WeakKeyDictionary, WeakSet

from textile_aio.client import HubClient, connect

_PATIENCE: Final = 5.0  # seconds at the interpreter's end


class _Connection:
    """One client, entered and left in one task, whoever asked for it first."""

    def __init__(self, target: str | None) -> None:
        self._loop = asyncio.get_running_loop()
        self._opened: asyncio.Future[HubClient] = self._loop.create_future()
        self._stopped = asyncio.Event()
        self._task = self._loop.create_task(self._serve(target))

    @property
    def over(self) -> bool:
        return self._stopped.is_set() or self._task.done()

    async def client(self) -> HubClient:
        return await asyncio.shield(self._opened)

    async def close(self) -> None:
        self._stopped.set()
        await asyncio.wait([self._task])

    def stop(self) -> None:
        """Have it closed, from any thread, without waiting."""
        with suppress(RuntimeError):  # the loop is closed, and everything on it
            self._loop.call_soon_threadsafe(self._stopped.set)

    def close_from_elsewhere(self) -> None:
        """Have it closed and wait for it, from another thread than the loop's."""
        if self._loop.is_running():
            with suppress(TimeoutError):
                asyncio.run_coroutine_threadsafe(self.close(), self._loop).result(_PATIENCE)

    async def _serve(self, target: str | None) -> None:
        try:
            async with connect(target) as client:
                self._opened.set_result(client)
                await self._stopped.wait()
        except Exception as error:
            if self._opened.done():
                raise
            self._opened.set_exception(error)
            self._opened.exception()  # nobody may be waiting for it any more
        finally:
            self._opened.cancel()


class Connections:
    """The connections to one hub.

    Args:
        target: As for :func:`textile_aio.connect`.
    """

    def __init__(self, target: str | None) -> None:
        self._target = target
        self._lock = threading.Lock()
        self._by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, _Connection] = WeakKeyDictionary()
        _all.add(self)

    async def client(self) -> HubClient:
        """The client of the running loop."""
        loop = asyncio.get_running_loop()
        with self._lock:
            connection = self._by_loop.get(loop)
            if connection is None or connection.over:
                connection = self._by_loop[loop] = _Connection(self._target)
        return await connection.client()

    async def aclose(self) -> None:
        """Close that of the running loop, if there is one."""
        with self._lock:
            connection = self._by_loop.pop(asyncio.get_running_loop(), None)
        if connection is not None:
            await connection.close()

    def stop(self) -> None:
        """Have all closed, without waiting: the collector may call this on any thread."""
        for connection in list(self._by_loop.values()):
            connection.stop()

    def close_at_exit(self) -> None:
        """Close those whose loops are running in other threads, as fsspec's does."""
        for connection in list(self._by_loop.values()):
            connection.close_from_elsewhere()


_all: WeakSet[Connections] = WeakSet()


@atexit.register
def _close_all() -> None:
    for connections in list(_all):
        connections.close_at_exit()
