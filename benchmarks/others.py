"""Our client beside Textile's clients in JavaScript and Go, unmodified, at one hub in one run."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path

from benchmarks import sides
from benchmarks.figures import Figure
from benchmarks.process import ROOT, running
from benchmarks.rounds import Rounds, Scale
from benchmarks.sides import Hub
from tests.interop import gopeer, jspeer
from tests.interop.gopeer import GoPeer

BATCH = 1_000
PEOPLE = "people"
WHAT = {
    "create": ("durable creates in sequence", "calls/s"),
    "batch": (f"durable creates, {BATCH:,} a call", "documents/s"),
    "find": ("find by indexed equality", "calls/s"),
}

Measure = Callable[[int], Awaitable[dict[str, float]]]
"""Creates so many documents one by one and then a batch, and finds so many; gives the seconds of each."""


async def peers(work: Path, scale: Scale) -> list[Figure]:
    """All clients in turn. Theirs stand as limits, of which no share has to be reached."""
    rounds = Rounds(amount=scale.calls)
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(sides.hub(work / "hub"))
        clients = {"ours": await _ours(hub, stack)}
        if are_there("node", "npm"):
            clients["JavaScript client"] = await _javascript(hub, stack)
        if are_there("go"):
            clients["Go client"] = await _go(hub, work)
        for _ in rounds.of(scale.rounds):
            for name, measure in clients.items():
                for what, seconds in (await measure(scale.calls)).items():
                    amount = BATCH if what == "batch" else scale.calls
                    rounds.add(f"{what} {name}", seconds, amount=amount)
    return [
        Figure(title, unit, rounds[f"{what} ours"], other, rounds[f"{what} {other}"])
        for other in list(clients)[1:]
        for what, (title, unit) in WHAT.items()
    ]


def are_there(*programs: str) -> bool:
    """Whether the programs that a peer needs are on the path; says so if not."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        print(f"  without {', '.join(missing)} on the path nothing is compared with its clients", flush=True)
    return not missing


async def _ours(hub: Hub, stack: AsyncExitStack) -> Measure:
    client = await stack.enter_async_context(hub.client("documents"))
    await client.ask("collection", name=PEOPLE, indexed=True)
    await client.ask("create", name=PEOPLE, count=1, documents=BATCH)

    async def measure(calls: int) -> dict[str, float]:
        return {
            "create": await client.ask("create", name=PEOPLE, count=calls),
            "batch": await client.ask("create", name=PEOPLE, count=1, documents=BATCH),
            "find": await client.ask("find_equal", name=PEOPLE, count=calls, below=BATCH),
        }

    return measure


async def _javascript(hub: Hub, stack: AsyncExitStack) -> Measure:
    await asyncio.to_thread(jspeer.install)
    program = ROOT / "benchmarks" / "peers" / "documents.mjs"
    packages = jspeer.SOURCE / "package.json"
    target = f"http://{hub.process.ready['web_target']}"
    client = await stack.enter_async_context(
        running("node", str(program), str(packages), target, *hub.credentials)
    )
    numbers = _numbers(1)

    async def measure(calls: int) -> dict[str, float]:
        first = next(numbers)
        return {
            "create": await client.ask("create", name=PEOPLE, first=first, count=calls, documents=1),
            "batch": await client.ask("create", name=PEOPLE, first=first + calls, count=1, documents=BATCH),
            "find": await client.ask("find_equal", name=PEOPLE, first=first, count=calls),
        }

    return measure


async def _go(hub: Hub, work: Path) -> Measure:
    program = await asyncio.to_thread(gopeer.build, work)
    key, secret, token, thread = hub.credentials
    request = {"target": hub.target, "key": key, "secret": secret, "token": token, "thread": thread}
    client = GoPeer(program, request)
    numbers = _numbers(2)

    async def measure(calls: int) -> dict[str, float]:
        seconds: dict[str, float] = await client.run(
            "documents", name=PEOPLE, size=next(numbers), count=calls
        )
        return seconds

    return measure


def _numbers(client: int) -> Iterator[int]:
    """Where each measurement begins to number its documents, so that no two have the same number."""
    return count(client << 40, 1_000_000)
