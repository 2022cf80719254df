"""Our client, listening: ``python -m benchmarks.peers.listeners TARGET KEY SECRET TOKEN THREAD``."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from contextlib import AsyncExitStack

import textile_aio
from benchmarks.peers.caller import context
from benchmarks.process import obey
from textile_aio import AuthContext, Change, ListenFilter, Listening

A_CONNECTION = 50
HEARS_ALL = 100
"""Every so many listeners one has no filter by instance."""


class Listeners:
    """Many listeners of one process, over several connections."""

    def __init__(
        self, target: str, ctx: AuthContext, stack: AsyncExitStack, tasks: asyncio.TaskGroup
    ) -> None:
        self._target = target
        self._ctx = ctx
        self._stack = stack
        self._tasks = tasks
        self._filters: list[ListenFilter] = []
        self._heard: Counter[int] = Counter()
        self._delays: list[float] = []
        self._more = asyncio.Event()

    async def listen(self, name: str, count: int) -> None:
        """Register so many, most for one instance each. Gives nothing, once all of them hold."""
        for number in range(count):
            if number % A_CONNECTION == 0:
                hub = await self._stack.enter_async_context(textile_aio.connect(self._target))
            chosen = "" if number % HEARS_ALL == 0 else f"instance{number}"
            self._filters.append(ListenFilter(name, id=chosen))
            changes = hub.threads.listen(self._ctx, None, self._filters[-1])
            await self._stack.enter_async_context(changes)
            self._tasks.create_task(self._hear(number, changes))

    async def heard(self, writes: int, ids: int) -> list[float]:
        """Wait until everybody has heard everything once: median, 99th percentile and most of the seconds."""
        expected: Counter[int] = Counter()
        for number, each in enumerate(self._filters):
            expected[number] = len(range(number, writes, ids)) if each.id else writes
        while self._heard.total() < expected.total():
            self._more.clear()
            await self._more.wait()
        assert self._heard == expected
        delays = sorted(self._delays)
        return [delays[len(delays) // 2], delays[int(len(delays) * 0.99)], delays[-1]]

    async def _hear(self, number: int, changes: Listening) -> None:
        async for change in changes:
            assert isinstance(change, Change), change
            if change.instance is not None:
                self._delays.append(time.time() - change.instance["sent"])
            self._heard[number] += 1
            self._more.set()


async def main(target: str, *credentials: str) -> None:
    async with AsyncExitStack() as stack:
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        listeners = Listeners(target, context(*credentials), stack, tasks)
        await obey({"listen": listeners.listen, "heard": listeners.heard})


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
