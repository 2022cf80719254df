"""One large file, there and back, with our transport on both ends, on one, and on none."""

from __future__ import annotations

import asyncio
import hashlib
import os
from contextlib import AsyncExitStack
from pathlib import Path
from time import perf_counter

from benchmarks import sides
from benchmarks.content import MIB, chunks
from benchmarks.figures import Figure
from benchmarks.rounds import Rounds, Scale


async def transfers(work: Path, scale: Scale) -> list[Figure]:
    """Pushes are durable: the hub answers when every byte is on the disk.

    All streams carry the same messages of 256 KiB. "16 KiB frames" are with stock grpclib on one end; where
    that is the server it counts and keeps nothing, as the stock stream's does.
    """
    size = scale.transfer
    rounds = Rounds(amount=size / 1e6)
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(sides.hub(work / "hub"))
        server = await stack.enter_async_context(sides.stock_server())
        other = server.ready["target"]
        ours = await stack.enter_async_context(hub.client())
        ours_to_stock = await stack.enter_async_context(hub.client(target=other))
        stock = await stack.enter_async_context(sides.stock_client(other))
        stock_to_ours = await stack.enter_async_context(sides.stock_client(hub.target))
        key = await hub.bucket()
        headers = dict(await hub.ctx.metadata()) | {"textile-aio-chunk-size": str(256 * 1024)}
        name = str(size)  # the stock server's pulls go by it
        file = work / "from"
        for _ in rounds.of(scale.rounds):
            rounds.add("limit push", await stock.ask("push", key=key, path=name, size=size, headers={}))
            rounds.add("push", await ours.ask("push", key=key, path=name, size=size))
            rounds.add("hash and write", await asyncio.to_thread(_hash_and_write, work / "plain", size))
            rounds.add("limit pull", await stock.ask("pull", key=key, path=name, size=size, headers={}))
            rounds.add("pull", await ours.ask("pull", key=key, path=name, size=size))
            rounds.add(
                "stock push", await stock_to_ours.ask("push", key=key, path=name, size=size, headers=headers)
            )
            rounds.add("push to stock", await ours_to_stock.ask("push", key=key, path=name, size=size))
            rounds.add(
                "stock pull", await stock_to_ours.ask("pull", key=key, path=name, size=size, headers=headers)
            )
            rounds.add("pull from stock", await ours_to_stock.ask("pull", key=key, path=name, size=size))
            await asyncio.to_thread(_write, file, size)
            rounds.add("push file", await ours.ask("push_file", key=key, path=name, file=str(file)))
            rounds.add("pull to", await ours.ask("pull_to", key=key, path=name, file=str(work / "to")))

    def figure(name: str, of: str, limit: str, reach: float | None) -> Figure:
        label = "hash and write" if limit == "hash and write" else "stock stream"
        return Figure(name, "MB/s", rounds[of], label, rounds[limit], reach)

    what = f"{size // MIB} MiB"
    return [
        figure(f"push {what}", "push", "limit push", 1.2),
        figure(f"push {what}", "push", "hash and write", 0.6),
        figure(f"pull {what}", "pull", "limit pull", 2.0),
        figure("push, 16 KiB frames: stock client, our hub", "stock push", "limit push", 0.8),
        figure("push, 16 KiB frames: our client, stock server", "push to stock", "limit push", 0.8),
        figure("pull, 16 KiB frames: stock client, our hub", "stock pull", "limit pull", 1.0),
        figure("pull, 16 KiB frames: our client, stock server", "pull from stock", "limit pull", 1.0),
        figure(f"push {what} from a file", "push file", "limit push", None),
        figure(f"pull {what} to a file, with fsync", "pull to", "limit pull", None),
    ]


def _hash_and_write(path: Path, size: int) -> float:
    """What a durable push cannot do without, in one thread."""
    started = perf_counter()
    with path.open("wb", buffering=0) as file:
        for chunk in chunks(size):
            hashlib.sha256(chunk).digest()
            file.write(chunk)
        os.fsync(file.fileno())
    seconds = perf_counter() - started
    path.unlink()
    return seconds


def _write(path: Path, size: int) -> None:
    with path.open("wb") as file:
        file.writelines(chunks(size))
        file.flush()
        os.fsync(file.fileno())  # or somebody else's fsync would pay for it
