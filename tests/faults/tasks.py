"""Waiting for tasks that a fault should have ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

GRACE = 10.0
"""Seconds after which a task counts as leaked. Nothing waits that long unless it has failed."""


async def ended(before: set[asyncio.Task[object]]) -> None:
    """Wait until every task that was not there before has ended; fail if one does not."""
    later = asyncio.all_tasks() - before - {asyncio.current_task()}
    if later:
        _, running = await asyncio.wait(later, timeout=GRACE)
        assert not running, f"still running: {running}"


@asynccontextmanager
async def no_task_left() -> AsyncIterator[None]:
    """Fail if a task that was begun in the block, here or in a hub on this loop, does not end with it."""
    before = asyncio.all_tasks()
    task = asyncio.current_task()
    assert task is not None
    cancelling = task.cancelling()
    yield
    assert task.cancelling() == cancelling
    await ended(before)
