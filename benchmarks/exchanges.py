"""Files and folders by our client, and by Textile's in JavaScript and Go, at one hub in one run."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from time import perf_counter

import textile_aio
from benchmarks import sides
from benchmarks.content import MIB
from benchmarks.figures import Figure
from benchmarks.others import are_there
from benchmarks.process import ROOT, running
from benchmarks.rounds import Rounds, Scale
from benchmarks.sides import Hub
from tests.interop import gopeer, jspeer
from tests.interop.gopeer import GoPeer

Transfer = Callable[[int], Awaitable[dict[str, float]]]
"""Pushes a file of so many bytes and pulls it; gives the seconds of each."""


async def exchanges(work: Path, scale: Scale) -> list[Figure]:
    """All clients in turn. Theirs stand as limits, of which no share has to be reached."""
    size = scale.transfer // 8
    rounds = Rounds(amount=size / MIB)
    folders = Rounds(amount=scale.files // 5)
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(sides.hub(work / "hub"))
        clients = {"ours": await _ours(hub, stack)}
        others: dict[str, Transfer] = {}
        if are_there("node", "npm"):
            others["JavaScript client"] = await _javascript(hub, stack)
        if are_there("go"):
            others["Go client"] = await _go(hub, work)
        clients |= others
        for _ in rounds.of(scale.rounds):
            for name, transfer in clients.items():
                for what, seconds in (await transfer(size)).items():
                    rounds.add(f"{what} {name}", seconds)
        if are_there("go"):
            for number in folders.of(scale.rounds):
                folder = _folder(work / f"folder {number}", scale.files // 5)
                folders.add("ours", await _our_folder(hub, folder))
                folders.add("Go", await _go_folder(hub, work, folder))
    figures = [
        Figure(f"{what} {size // MIB} MiB", "MiB/s", rounds[f"{what} ours"], other, rounds[f"{what} {other}"])
        for other in others
        for what in ("push", "pull")
    ]
    if folders["Go"]:
        name = f"a new folder of {scale.files // 5:,} files of 4 KiB"
        figures.append(Figure(name, "files/s", folders["ours"], "Go's folder library", folders["Go"]))
    return figures


async def _ours(hub: Hub, stack: AsyncExitStack) -> Transfer:
    client = await stack.enter_async_context(hub.client())
    key = await hub.bucket()

    async def transfer(size: int) -> dict[str, float]:
        return {
            "push": await client.ask("push", key=key, path="file", size=size),
            "pull": await client.ask("pull", key=key, path="file", size=size),
        }

    return transfer


async def _javascript(hub: Hub, stack: AsyncExitStack) -> Transfer:
    await asyncio.to_thread(jspeer.install)
    program = ROOT / "benchmarks" / "peers" / "files.mjs"
    packages = jspeer.SOURCE / "package.json"
    target = f"http://{hub.process.ready['web_target']}"
    client = await stack.enter_async_context(
        running("node", str(program), str(packages), target, *hub.credentials)
    )
    bucket = await hub.bucket()

    async def transfer(size: int) -> dict[str, float]:
        return {
            "push": await client.ask("push", bucket=bucket, path="file", size=size),
            "pull": await client.ask("pull", bucket=bucket, path="file", size=size),
        }

    return transfer


async def _go(hub: Hub, work: Path) -> Transfer:
    program = await asyncio.to_thread(gopeer.build, work)
    client = GoPeer(program, {**_request(hub), "bucket": await hub.bucket()})

    async def transfer(size: int) -> dict[str, float]:
        seconds: dict[str, float] = await client.run("speed", size=size)
        return seconds

    return transfer


async def _our_folder(hub: Hub, folder: Path) -> float:
    async with textile_aio.connect(hub.target) as client:
        begun = perf_counter()
        made = await client.buckets.create(hub.ctx, folder.name)
        await client.buckets.push_tree(hub.ctx, made.root.key, "", folder)
        return perf_counter() - begun


async def _go_folder(hub: Hub, work: Path, folder: Path) -> float:
    """As kubo adds a folder, and then push it: the library does both at once."""
    program = work / "folders" / "program"
    if not program.exists():
        program.parent.mkdir()
        await asyncio.to_thread(gopeer.build, program.parent, "./folders")
    client = GoPeer(program, _request(hub))
    steps = [{"do": what, "folder": str(folder)} for what in ("init", "push")]
    begun = perf_counter()
    done = await client.run("steps", steps=steps)
    seconds = perf_counter() - begun
    assert [each["error"] for each in done] == ["", ""], done
    return seconds


def _request(hub: Hub) -> dict[str, str]:
    key, secret, token, thread = hub.credentials
    return {"target": hub.target, "key": key, "secret": secret, "token": token, "thread": thread}


def _folder(folder: Path, files: int) -> Path:
    for number in range(files):
        file = folder / str(number // 100) / f"{number}.bin"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(os.urandom(4096))
    return folder
