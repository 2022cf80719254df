"""Files through the gateway at 64 connections, and what the web framework alone does with the same bytes."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from time import perf_counter

import textile_aio
from benchmarks import sides
from benchmarks.content import MIB
from benchmarks.figures import Figure
from benchmarks.process import started
from benchmarks.rounds import Rounds, Scale

CONNECTIONS = 64


async def gateway(work: Path, scale: Scale) -> list[Figure]:
    """One file of 1 MiB: whole, a range of it, and what has not changed."""
    rounds = Rounds()
    async with sides.hub(work / "hub") as hub, started("benchmarks.peers.bare_web") as bare:
        target = hub.process.ready["gateway_target"]
        key = await hub.bucket()
        async with textile_aio.connect(hub.target) as client:
            await client.buckets.push_path(hub.ctx, key, "file.bin", os.urandom(MIB))
            root = (await client.buckets.root(hub.ctx, key)).path
        address = f"{root}/file.bin"
        bucket = f"/thread/{hub.ctx.thread}/buckets/{key}/file.bin"
        tag = await _tag(target, address)
        seconds = scale.seconds / 2
        for _ in rounds.of(scale.rounds):
            for name, where, path, header in (
                ("bare", bare.ready["target"], "/", ""),
                ("address", target, address, ""),
                ("bucket", target, bucket, ""),
                ("range", target, address, "Range: bytes=1000-2999\r\n"),
                ("unchanged", target, address, f"If-None-Match: {tag}\r\n"),
                ("bare small", bare.ready["target"], "/small", ""),
            ):
                done, took = await _load(where, path, header, seconds)
                rounds.add(name, took, amount=done)

    def figure(name: str, of: str, limit: str, reach: float | None) -> Figure:
        return Figure(f"gateway, {name}", "requests/s", rounds[of], "framework alone", rounds[limit], reach)

    return [
        figure("1 MiB by address, 64 connections", "address", "bare", 0.9),
        figure("1 MiB in a bucket, 64 connections", "bucket", "bare", 0.8),
        figure("2,000 bytes of it", "range", "bare small", 0.5),
        figure("not changed", "unchanged", "bare small", 0.5),
    ]


async def _load(target: str, path: str, header: str, seconds: float) -> tuple[int, float]:
    """Keep all connections busy for some seconds; how many answers came, and how long that took."""
    begun = perf_counter()
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_repeat(target, path, header, begun + seconds)) for _ in range(CONNECTIONS)
        ]
    return sum(task.result() for task in tasks), perf_counter() - begun


async def _repeat(target: str, path: str, header: str, until: float) -> int:
    host, _, port = target.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=2 * MIB)
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\n{header}\r\n".encode()
    count = 0
    try:
        while perf_counter() < until:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = head.lower().partition(b"content-length: ")[2]
            if length:
                await reader.readexactly(int(length.partition(b"\r\n")[0]))
            count += 1
    finally:
        writer.close()
    return count


async def _tag(target: str, path: str) -> str:
    host, _, port = target.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"HEAD {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    writer.close()
    return head.partition("etag: ")[2].partition("\r\n")[0]
