"""Hubs that die of themselves amid a collection: at its n-th write, before it or after.

Run as a module it reads lines of data directory and number from its standard input, forks a process for each,
and says how that has ended. The process opens a hub, collects, and kills itself at that step.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any


class Dying:
    """The parent, seen from the test."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def collect(self, data: Path, steps: int) -> int:
        """Collect in a process that dies after so many steps; its status: 0 if it came to the end before."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{steps} {data}\n".encode())
        line = await self._process.stdout.readline()
        assert line, "the parent has ended"
        return int(json.loads(line)["status"])


@asynccontextmanager
async def dying() -> AsyncIterator[Dying]:
    """A parent of such processes."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield Dying(process)
    finally:
        await process.communicate(b"")
        process._transport.close()  # type: ignore[attr-defined]


class _Steps:
    """Kills this process when so many have been made."""

    def __init__(self, left: int) -> None:
        self._left = left

    def step(self) -> None:
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self._left -= 1

    def around(self, do: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        """The same, with a step before it and one after."""

        async def done(*arguments: Any) -> Any:
            self.step()
            result = await do(*arguments)
            self.step()
            return result

        return done


async def _collect(data: Path, steps: int) -> None:
    from textile_aio.localhub import HubSettings, LocalHub

    async with LocalHub.open(data, HubSettings(mode="buckd", collect_every=None, fsync=False)) as hub:
        collector = hub._collector
        assert collector is not None
        counted = _Steps(steps)
        runner, bulk = collector._runner, collector._bulk
        create = bulk.create

        async def created() -> Any:
            writer: Any = await create()
            writer.write, writer.commit = counted.around(writer.write), counted.around(writer.commit)
            return writer

        for owner, name, do in (
            (runner, "apply_to_end", counted.around(runner.apply_to_end)),
            (bulk, "delete", counted.around(bulk.delete)),
            (bulk, "create", counted.around(created)),
        ):
            setattr(owner, name, do)
        await hub.collect()


def main() -> None:
    import textile_aio.localhub.hub  # noqa: F401 - once, before there are children

    for line in sys.stdin:
        steps, _, data = line.strip().partition(" ")
        pid = os.fork()
        if pid == 0:
            asyncio.run(_collect(Path(data), int(steps)))
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        sys.stdout.write(json.dumps({"status": status}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
