"""Peak memory of other processes: the kernel's own mark where it can be reset, samples elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

_PAUSE = 0.01


class Peak:
    """Watches resident memory during a block.

    Args:
        pids: The processes, by name.

    Attributes:
        bytes: The most that each took, once the block has ended.
    """

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = pids
        self._marked = False
        self._task: asyncio.Task[None] | None = None
        self.bytes: dict[str, int] = {}

    async def __aenter__(self) -> Self:
        self.bytes = dict.fromkeys(self._pids, 0)
        try:
            for pid in self._pids.values():
                _reset_mark(pid)
            self._marked = True
        except OSError:
            self._task = asyncio.create_task(self._sample())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
        if self._marked:
            self.bytes = {name: _high_water_mark(pid) for name, pid in self._pids.items()}

    async def _sample(self) -> None:
        while True:
            for name, pid in self._pids.items():
                self.bytes[name] = max(self.bytes[name], psutil.Process(pid).memory_info().rss)
            await asyncio.sleep(_PAUSE)


def _reset_mark(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")  # proc(5): resets VmHWM


def _high_water_mark(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
