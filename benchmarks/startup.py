"""How long it takes before anything can be done."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from time import perf_counter

import textile_aio
from benchmarks.figures import Figure
from benchmarks.process import ROOT, environment, started
from benchmarks.rounds import Scale


async def startup(work: Path, scale: Scale) -> list[Figure]:
    """Import and hubs. Bytecode is cached: the first run of each kind does not count."""
    empty: list[float] = []
    imported: list[float] = []
    for number in range(scale.starts + 1):
        bare = await _run("pass")
        ours = await _run("import textile_aio")
        if number:
            empty.append(bare)
            imported.append(ours - bare)
    memory = [await _memory_hub() for _ in range(scale.starts + 1)]
    new = [await _hub_process(work / f"{number}") for number in range(scale.starts + 1)]
    again = [await _hub_process(work / f"{number}") for number in range(scale.starts + 1)]
    return [
        Figure("empty interpreter", "ms", empty, lower=True),
        Figure("import textile_aio, over that", "ms", imported, reach=150, lower=True),
        Figure("memory: hub ready, modules imported", "ms", memory[1:], reach=60, lower=True),
        Figure("hub process ready, new directory", "ms", new[1:], reach=700, lower=True),
        Figure("hub process ready, same directory", "ms", again[1:], reach=700, lower=True),
    ]


async def _run(code: str) -> float:
    begun = perf_counter()
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, cwd=ROOT, env=environment())
    assert await process.wait() == 0
    return (perf_counter() - begun) * 1000


async def _memory_hub() -> float:
    begun = perf_counter()
    async with textile_aio.connect("memory:") as client:
        ready = (perf_counter() - begun) * 1000
        assert client.local is not None
    return ready


async def _hub_process(data: Path) -> float:
    begun = perf_counter()
    async with started("textile_aio.localhub", "--data", str(data), "--port", "0"):
        return (perf_counter() - begun) * 1000
