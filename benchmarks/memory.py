"""What a process takes at most while a large file goes through it."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import psutil

from benchmarks import sides
from benchmarks.content import MIB
from benchmarks.figures import Figure
from benchmarks.process import Process
from benchmarks.rounds import Scale
from benchmarks.sampling import Peak


async def memory(work: Path, scale: Scale) -> list[Figure]:
    """Peaks over idle. Idle is after a small push and pull, when everything is imported and connected."""
    grown: dict[str, list[float]] = {"client": [], "hub": []}
    size = scale.memory
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(sides.hub(work / "hub"))
        client = await stack.enter_async_context(hub.client())
        key = await hub.bucket()
        await _there_and_back(client, key, 256 * 1024)
        sides_by_name = {"client": client.pid, "hub": hub.process.pid}
        idle = {name: psutil.Process(pid).memory_info().rss for name, pid in sides_by_name.items()}
        async with Peak(sides_by_name) as peak:
            await _there_and_back(client, key, size)
    for name, before in idle.items():
        grown[name].append((peak.bytes[name] - before) / MIB)
    what = f"memory over idle, {size // MIB} MiB there and back"
    return [
        Figure(f"{what}: client", "MiB", grown["client"], reach=16, lower=True),
        Figure(f"{what}: hub", "MiB", grown["hub"], reach=48, lower=True),
    ]


async def _there_and_back(client: Process, key: str, size: int) -> None:
    await client.ask("push", key=key, path="large", size=size)
    await client.ask("pull", key=key, path="large", size=size)
