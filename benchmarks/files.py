"""Many small files over one stream."""

from __future__ import annotations

import os
from contextlib import AsyncExitStack
from pathlib import Path

from benchmarks import sides
from benchmarks.figures import Figure
from benchmarks.rounds import Rounds, Scale


async def files(work: Path, scale: Scale) -> list[Figure]:
    """Files of 4 KiB in one folder, from the disk, durable at the end; a new bucket in each round."""
    rounds = Rounds(amount=scale.files)
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(sides.hub(work / "hub"))
        client = await stack.enter_async_context(hub.client())
        for number in rounds.of(scale.rounds):
            folder = work / str(number)
            folder.mkdir()
            for count in range(scale.files):
                (folder / f"{count:05}.bin").write_bytes(os.urandom(4096))
            key = await hub.bucket()
            rounds.add("push_paths", await client.ask("push_folder", key=key, folder=str(folder)))
    return [Figure(f"{scale.files:,} files of 4 KiB", "files/s", rounds["push_paths"], reach=2000)]
