"""A hub as a process of its own, for tests that stop, kill and restart it."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from textile_aio import AuthContext
from textile_aio.localhub import LocalHub


@dataclass
class HubProcess:
    process: asyncio.subprocess.Process
    target: str
    mode: str
    web_target: str | None

    async def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; the exit status, negative for a signal."""
        if self.process.returncode is None:
            self.process.send_signal(number)
        return await self.process.wait()


@asynccontextmanager
async def hub_process(data: Path, *options: str, port: int = 0) -> AsyncIterator[HubProcess]:
    """A serving hub; killed on the way out if it still runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "textile_aio.localhub", "--data", str(data), "--port", str(port), *options,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        line = await process.stdout.readline()
        assert line, f"the hub ended with {await process.wait()} before it served"
        said = json.loads(line)
        yield HubProcess(process, said["target"], said["mode"], said["web_target"])
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        # Read to the end, so that the pipe is closed by its owner and not by the garbage collector.
        await process.stdout.read()
        process._transport.close()  # type: ignore[attr-defined]


async def prepare_account(data: Path) -> AuthContext:
    """Make an account on a data directory that nobody serves; a context with its user-group key."""
    async with LocalHub.open(data) as hub:
        account = await hub.create_account("owner")
        key = await hub.create_key(account)
    return AuthContext().with_api_key(key.key, key.secret)
