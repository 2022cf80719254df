"""However large a file is, neither end holds more than a few chunks of it.

Each end is a process of its own, and is measured from here whenever another 16 MiB have gone by. The bounds
are those for a file of 1 GiB; ``TEXTILE_MEMORY_MIB`` says how large it is here (192). The figures are logged.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil

import textile_aio
from tests.faults import transfer
from tests.localhub.process import hub_process
from textile_aio import AuthContext

log = logging.getLogger(__name__)

MIB = 1024 * 1024
SIZE = int(os.environ.get("TEXTILE_MEMORY_MIB", "192")) * MIB
CLIENT_BOUND = 16 * MIB
HUB_BOUND = 48 * MIB


class Client:
    """A transfer under way in another process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._seen = psutil.Process(process.pid)

    def memory(self) -> int:
        return int(self._seen.memory_info().rss)

    async def told(self) -> dict[str, Any]:
        """What it says next; it waits until :meth:`go_on`."""
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        assert line, "the client has ended"
        return dict(json.loads(line))

    def go_on(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")


@asynccontextmanager
async def client(*arguments: str) -> AsyncIterator[Client]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", transfer.__name__, *arguments,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield Client(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate(b"")
        process._transport.close()  # type: ignore[attr-defined]


async def measured(hub: psutil.Process, *arguments: str) -> tuple[int, int, str]:
    """Run a transfer; the most that client and hub grew to, in bytes of resident memory, and its result."""
    async with client(*arguments) as running:
        assert await running.told() == {"done": 0}
        idle = running.memory()
        most_here, most_there, parts = idle, 0, 0
        while True:
            running.go_on()
            said = await running.told()
            most_here, most_there = max(most_here, running.memory()), max(most_there, hub.memory_info().rss)
            if "result" in said:
                break
            parts += 1
        running.go_on()
        assert parts == SIZE // transfer.PART
        return most_here - idle, most_there, str(said["result"])


async def test_a_large_file_costs_neither_end_memory(tmp_path: Path) -> None:
    async with hub_process(tmp_path / "hub", "--mode", "buckd") as hub:
        seen = psutil.Process(hub.process.pid)
        idle = seen.memory_info().rss
        async with textile_aio.connect(hub.target) as direct:
            thread = await direct.threads.new_db(AuthContext())
            key = (await direct.buckets.create(AuthContext().with_thread(thread), "b")).key
        common = (hub.target, str(thread), key, "large")
        pushing, hub_pushing, _ = await measured(seen, *common, "push", str(SIZE))
        pulling, hub_pulling, digest = await measured(seen, *common, "pull", str(SIZE))
    figures = {
        "client pushing": pushing,
        "client pulling": pulling,
        "hub pushed to": hub_pushing - idle,
        "hub pulled from": hub_pulling - idle,
    }
    for name, growth in figures.items():
        log.info("%s %d MiB: %.1f MiB", name, SIZE // MIB, growth / MIB)
    assert digest == transfer.digest_of(SIZE)
    assert max(pushing, pulling) <= CLIENT_BOUND, figures
    assert max(hub_pushing, hub_pulling) - idle <= HUB_BOUND, figures
