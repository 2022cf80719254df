"""Our client, told what to do: ``python -m benchmarks.peers.client TARGET KEY SECRET TOKEN THREAD``."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from time import perf_counter

import textile_aio
from benchmarks import content
from benchmarks.peers.caller import context
from benchmarks.process import obey
from textile_aio import AuthContext


class Client:
    """Commands over one connection. All give seconds."""

    def __init__(self, hub: textile_aio.HubClient, ctx: AuthContext) -> None:
        self._buckets = hub.buckets
        self._ctx = ctx

    async def push(self, key: str, path: str, size: int) -> float:
        """One file, made as it is sent."""
        started = perf_counter()
        await self._buckets.push_path(self._ctx, key, path, content.stream(size))
        return perf_counter() - started

    async def push_file(self, key: str, path: str, file: str) -> float:
        """One file from the disk."""
        started = perf_counter()
        await self._buckets.push_path(self._ctx, key, path, Path(file))
        return perf_counter() - started

    async def push_folder(self, key: str, folder: str) -> float:
        """All files of a folder, over one stream."""
        files = {entry.name: Path(entry.path) for entry in os.scandir(folder)}
        started = perf_counter()
        async with self._buckets.push_paths(self._ctx, key, files) as push:
            count = len([pushed.path async for pushed in push])
        assert count == len(files)
        return perf_counter() - started

    async def pull(self, key: str, path: str, size: int) -> float:
        """One file, each chunk looked at and dropped."""
        started = perf_counter()
        received = 0
        async for chunk in self._buckets.pull_path(self._ctx, key, path):
            received += len(chunk)
        assert received == size
        return perf_counter() - started

    async def pull_to(self, key: str, path: str, file: str) -> float:
        """One file, onto the disk."""
        started = perf_counter()
        await self._buckets.pull_to(self._ctx, key, path, Path(file))
        return perf_counter() - started

    async def roots(self, key: str, count: int) -> float:
        """Calls one after the other."""
        started = perf_counter()
        for _ in range(count):
            await self._buckets.root(self._ctx, key)
        return perf_counter() - started


async def main(target: str, *credentials: str) -> None:
    ctx = context(*credentials)
    async with textile_aio.connect(target) as hub:
        client = Client(hub, ctx)
        names = ("push", "push_file", "push_folder", "pull", "pull_to", "roots")
        await obey({name: getattr(client, name) for name in names})


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
