"""Collections of unused blocks, and what goes on beside them."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from hashlib import sha256
from pathlib import Path
from time import perf_counter

import textile_aio
from benchmarks.figures import Figure
from benchmarks.rounds import Rounds, Scale
from textile_aio import AuthContext, HubClient
from textile_aio.localhub import HubSettings, LocalHub

FILE_BYTES = 4 * 1024
FOLDER = 1_000


async def collecting(work: Path, scale: Scale) -> list[Figure]:
    """Small pushes, one after the other, while a hub collects again and again, and while it does not.

    Half of the blocks are garbage, once: the first collection, which does not count, gives it back. Every one
    after it walks all that is left. Hub and client are one process here, which is the hardest case: they
    share an interpreter.
    """
    rounds = Rounds(amount=scale.pushes)
    taken: list[float] = []
    settings = HubSettings(mode="buckd", collect_every=None)
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(LocalHub.open(work / "hub", settings))
        client = await stack.enter_async_context(textile_aio.connect(hub.target))
        ctx = AuthContext()
        ctx = ctx.with_thread(await client.threads.new_db(ctx))
        kept, dropped, pushed = [
            (await client.buckets.create(ctx, name)).root.key for name in ("kept", "dropped", "pushed")
        ]
        for key in (kept, dropped):
            await _fill(client, ctx, key, scale.blocks // 2)
        await client.buckets.remove(ctx, dropped)
        begun = perf_counter()
        collected = await hub.collect()
        first = perf_counter() - begun
        for number in rounds.of(scale.rounds):
            rounds.add("alone", await _push(client, ctx, pushed, scale.pushes, f"alone {number}"))
            over = asyncio.Event()
            async with asyncio.TaskGroup() as group:
                group.create_task(_collect(hub, over, taken))
                rounds.add("beside", await _push(client, ctx, pushed, scale.pushes, f"beside {number}"))
                over.set()
    return [
        Figure(
            f"pushes of 4 KiB beside collections over {scale.blocks // 2:,} blocks",
            "pushes/s",
            rounds["beside"],
            "alone",
            rounds["alone"],
            0.7,
        ),
        Figure(f"first collection, gives {collected.blocks:,} blocks back", "s", [first], lower=True),
        Figure("collection beside pushes", "s", taken, lower=True),
    ]


async def _collect(hub: LocalHub, over: asyncio.Event, taken: list[float]) -> None:
    while not over.is_set():
        begun = perf_counter()
        await hub.collect()
        taken.append(perf_counter() - begun)


async def _fill(client: HubClient, ctx: AuthContext, key: str, count: int) -> None:
    for start in range(0, count, FOLDER):
        files = {f"{start}/{n}": _content(f"{key} {n}") for n in range(start, min(start + FOLDER, count))}
        await client.buckets.push_files(ctx, key, files)


async def _push(client: HubClient, ctx: AuthContext, key: str, count: int, name: str) -> float:
    begun = perf_counter()
    for number in range(count):
        await client.buckets.push_path(ctx, key, "file", _content(f"{name} {number}"))
    return perf_counter() - begun


def _content(name: str) -> bytes:
    return sha256(name.encode()).digest() * (FILE_BYTES // 32)
