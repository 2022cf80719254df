"""Private buckets, folders, large directories and many writers at once."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from time import perf_counter

import textile_aio
from benchmarks import sides
from benchmarks.content import MIB
from benchmarks.figures import Figure
from benchmarks.rounds import Rounds, Scale
from textile_aio import AuthContext, HubClient

CHUNK = 256 * 1024
WRITERS = 50


async def buckets(work: Path, scale: Scale) -> list[Figure]:
    """The hub is a process of its own; the client is this one."""
    async with sides.hub(work / "hub") as hub, textile_aio.connect(hub.target) as client:
        return [
            *await _private(client, hub.ctx, scale),
            *await _folders(client, hub.ctx, work / "folder", scale),
            *await _large_directory(client, hub.ctx, scale),
            *await _crowd(client, hub.ctx, scale),
        ]


async def _private(client: HubClient, ctx: AuthContext, scale: Scale) -> list[Figure]:
    rounds = Rounds(scale.transfer / MIB)
    chunks = [os.urandom(CHUNK) for _ in range(16)]

    async def source(number: int) -> AsyncIterator[bytes]:
        # New content each time: what the hub has already would cost it less.
        yield number.to_bytes(CHUNK, "big")
        for at in range(scale.transfer // CHUNK - 1):
            yield at.to_bytes(8, "big") + number.to_bytes(8, "big") + chunks[at % 16][16:]

    keys = {name: await _bucket(client, ctx, private=name == "private") for name in ("public", "private")}
    for number in rounds.of(scale.rounds):
        for name, key in keys.items():
            begun = perf_counter()
            await client.buckets.push_path(ctx, key, "file", source(number))
            rounds.add(f"push {name}", perf_counter() - begun)
            begun = perf_counter()
            async for _ in client.buckets.pull_path(ctx, key, "file"):
                pass
            rounds.add(f"pull {name}", perf_counter() - begun)
    return [
        Figure(
            f"{verb}, private, {scale.transfer // MIB} MiB",
            "MiB/s",
            rounds[f"{verb} private"],
            "public",
            rounds[f"{verb} public"],
            0.6,
        )
        for verb in ("push", "pull")
    ]


async def _folders(client: HubClient, ctx: AuthContext, folder: Path, scale: Scale) -> list[Figure]:
    rounds = Rounds(scale.files)
    for number in range(scale.files):
        file = folder / str(number // 100) / f"{number}.bin"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(os.urandom(4096))
    again: list[float] = []
    for number in rounds.of(scale.rounds):
        if number == 1:
            again.clear()
        key = await _bucket(client, ctx)
        begun = perf_counter()
        await client.buckets.push_tree(ctx, key, "", folder)
        rounds.add("push", perf_counter() - begun)
        begun = perf_counter()
        await client.buckets.push_tree(ctx, key, "", folder)
        again.append(perf_counter() - begun)
    return [
        Figure(f"push_tree of {scale.files:,} files of 4 KiB", "files/s", rounds["push"], reach=2_500),
        Figure("the same again, unchanged", "s", again, reach=1.5, lower=True),
    ]


async def _large_directory(client: HubClient, ctx: AuthContext, scale: Scale) -> list[Figure]:
    key = await _bucket(client, ctx)
    await client.buckets.push_files(ctx, key, {f"d/{n}": b"%d" % n for n in range(scale.results)})
    listed: list[float] = []
    pushed: list[float] = []
    for number in range(scale.rounds):
        begun = perf_counter()
        await client.buckets.list_path(ctx, key, "d")
        listed.append((perf_counter() - begun) * 1000)
        begun = perf_counter()
        await client.buckets.push_path(ctx, key, f"d/more {number}", b"more")
        pushed.append((perf_counter() - begun) * 1000)
    return [
        Figure(f"list_path of {scale.results:,} entries", "ms", listed, reach=150, lower=True),
        Figure("push of one file into it", "ms", pushed, reach=60, lower=True),
    ]


async def _crowd(client: HubClient, ctx: AuthContext, scale: Scale) -> list[Figure]:
    rounds = Rounds(WRITERS)
    content = os.urandom(scale.transfer // 256)
    keys = [await _bucket(client, ctx) for _ in range(WRITERS)]

    async def push(key: str, number: int) -> None:
        await client.buckets.push_path(ctx, key, "file", number.to_bytes(8, "big") + content)

    for number in rounds.of(scale.rounds):
        begun = perf_counter()
        for at, key in enumerate(keys):
            await push(key, number * 1_000 + at)
        rounds.add("one by one", perf_counter() - begun)
        begun = perf_counter()
        async with asyncio.TaskGroup() as group:
            for at, key in enumerate(keys):
                group.create_task(push(key, number * 1_000 + 500 + at))
        rounds.add("at once", perf_counter() - begun)
    return [
        Figure(
            f"{WRITERS} buckets pushed to at once, {len(content) // 1024} KiB each",
            "pushes/s",
            rounds["at once"],
            "one by one",
            rounds["one by one"],
            1.0,
        )
    ]


async def _bucket(client: HubClient, ctx: AuthContext, *, private: bool = False) -> str:
    return (await client.buckets.create(ctx, "bench", private=private)).root.key
