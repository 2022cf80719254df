"""Hubs as processes that start in milliseconds: forked from one that has imported everything already.

Run as a module it is that process: it reads data directories from its standard input, one a line, and forks a
hub on each. The hub prints its address as any hub process does; the parent prints that it has ended.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class Nursery:
    """The parent, seen from the test. It raises one hub at a time.

    Attributes:
        gateway: Where the gateway of the present hub is, if it has one.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.gateway = ""
        self._process = process
        self._pid = 0

    async def start(self, data: Path) -> str:
        """Fork a hub on a directory and wait until it serves; returns its target."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{data}\n".encode())
        said = await self._next_line()
        assert "target" in said, f"the hub ended before it served: {said}"
        self._pid = said["pid"]
        self.gateway = said["gateway_target"] or ""
        return str(said["target"])

    def kill(self) -> None:
        """SIGKILL to the hub, now. Does nothing after the first time."""
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            self._pid = 0

    async def ended(self) -> int:
        """Wait for the end of the hub; its exit status, negative for a signal."""
        return int((await self._next_line())["status"])

    async def _next_line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        assert line, "the nursery has ended"
        return dict(json.loads(line))


@asynccontextmanager
async def nursery(mode: str = "buckd", *, gateway: bool = False) -> AsyncIterator[Nursery]:
    """A nursery of hubs in one mode, which ends together with the hub it may still have."""
    options = ["--mode", mode, *(["--gateway-port", "0"] if gateway else ["--no-gateway"])]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        __name__,
        *options,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    raised = Nursery(process)
    try:
        yield raised
    finally:
        raised.kill()
        await process.communicate(b"")
        process._transport.close()  # type: ignore[attr-defined]


def main(options: list[str]) -> None:
    from textile_aio.localhub.__main__ import main as serve

    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            common = ["--data", line.strip(), "--port", "0", "--collect-every", "0.05"]
            os._exit(serve([*common, *options]))
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        sys.stdout.write(json.dumps({"ended": pid, "status": status}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])


@dataclass
class Trigger:
    """Kills the hub when so much was acknowledged, and some turns of the loop later."""

    hub: Nursery
    left: int
    turns: int
    pulled: asyncio.Event = field(default_factory=asyncio.Event)

    def count(self) -> None:
        self.left -= 1
        if self.left <= 0:
            self.pulled.set()

    async def fire(self) -> None:
        await self.pulled.wait()
        for _ in range(self.turns):
            await asyncio.sleep(0)
        self.hub.kill()
