"""What a block left behind: tasks, file descriptors, cancellations."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path


def descriptors() -> set[str]:
    """The open file descriptors of this process and what they are."""
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            found.add(f"{entry.name} {entry.readlink()}")
        except OSError:  # the one that lists the directory
            continue
    return found


@asynccontextmanager
async def nothing_left() -> AsyncIterator[None]:
    """Fail if the block leaves a task, a descriptor or a pending cancellation behind."""
    task = asyncio.current_task()
    assert task is not None
    tasks, open_before, cancelling = asyncio.all_tasks(), descriptors(), task.cancelling()
    yield
    assert task.cancelling() == cancelling
    for _ in range(5):
        await asyncio.sleep(0)
    assert asyncio.all_tasks() == tasks
    assert descriptors() == open_before
