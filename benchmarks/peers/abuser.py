"""Somebody who does not belong: ``python -m benchmarks.peers.abuser TARGET``."""

from __future__ import annotations

import asyncio
import os
import sys

import grpclib
from grpclib.client import Channel

from benchmarks.process import obey
from textile_aio._proto.api.bucketsd import pb


class Abuser:
    """Keeps many calls with keys that nobody has going at once, over one connection."""

    def __init__(self, channel: Channel) -> None:
        self._stub = pb.ApiServiceStub(channel)
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, at_once: int) -> int:
        """Begin."""
        self._tasks = [asyncio.create_task(self._repeat()) for _ in range(at_once)]
        await asyncio.sleep(0.2)
        return len(self._tasks)

    async def stop(self) -> None:
        """End."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _repeat(self) -> None:
        while True:
            wrong = {"x-textile-api-key": f"b{os.urandom(13).hex()}"}
            try:
                await self._stub.root(pb.RootRequest(key="k"), metadata=wrong)
            except grpclib.GRPCError:
                continue


async def main(target: str) -> None:
    host, _, port = target.rpartition(":")
    async with Channel(host, int(port)) as channel:
        abuser = Abuser(channel)
        await obey({"start": abuser.start, "stop": abuser.stop})


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
