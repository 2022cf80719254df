"""The hub's own threads for work that would block its loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class Workers:
    """A few threads, owned by one hub and gone with it."""

    def __init__(self, count: int = 2) -> None:
        self._executor = ThreadPoolExecutor(count, thread_name_prefix="textile-hub-worker")

    def start(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """Run ``work`` in a thread. Whoever stops waiting for it leaves it to its end."""
        return asyncio.get_running_loop().run_in_executor(self._executor, work)

    def close(self) -> None:
        """Wait for what runs, and end the threads."""
        self._executor.shutdown(wait=True, cancel_futures=True)
