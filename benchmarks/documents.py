"""Databases: durable writes, indexed reads among many documents, listeners, and many databases at once."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import psutil

from benchmarks import sides
from benchmarks.content import MIB
from benchmarks.figures import Figure
from benchmarks.rounds import Rounds, Scale
from benchmarks.sampling import Peak

AT_ONCE = 32
BATCH = 1_000


async def creates(work: Path, scale: Scale) -> list[Figure]:
    """Durable creates against a stock client's calls to a stock server, which does nothing for them."""
    rounds = Rounds(amount=scale.calls)
    amount = scale.calls * 4
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(sides.hub(work / "hub"))
        server = await stack.enter_async_context(sides.stock_server())
        client = await stack.enter_async_context(hub.client("documents"))
        stock = await stack.enter_async_context(sides.stock_client(server.ready["target"]))
        await client.ask("collection", name="people", indexed=False)
        for _ in rounds.of(scale.rounds * 2):
            rounds.add("call", await stock.ask("roots", key="k", count=scale.calls))
            rounds.add("create", await client.ask("create", name="people", count=scale.calls))
            seconds = await stock.ask("roots", key="k", count=amount, at_once=AT_ONCE)
            rounds.add("calls", seconds, amount=amount)
            seconds = await client.ask("create", name="people", count=amount, at_once=AT_ONCE)
            rounds.add("creates", seconds, amount=amount)
            seconds = await client.ask("create", name="people", count=5, documents=BATCH)
            rounds.add("batches", seconds, amount=5 * BATCH)
    single, many = "durable creates in sequence", f"durable creates, {AT_ONCE} at once"
    return [
        Figure(single, "calls/s", rounds["create"], "stock call", rounds["call"], 0.5),
        Figure(many, "calls/s", rounds["creates"], "stock calls", rounds["calls"], 0.4),
        Figure(f"durable creates, {BATCH:,} a call", "documents/s", rounds["batches"], reach=25_000),
    ]


async def lookups(work: Path, scale: Scale) -> list[Figure]:
    """The same calls at two hubs, one with few and one with many documents: indexed finds, and creates."""
    rounds = Rounds(amount=scale.calls)
    sizes = {"small": BATCH, "large": scale.documents}
    async with AsyncExitStack() as stack:
        clients = {}
        for name, size in sizes.items():
            hub = await stack.enter_async_context(sides.hub(work / name))
            clients[name] = await stack.enter_async_context(hub.client("documents"))
            await clients[name].ask("collection", name="people", indexed=True)
            await clients[name].ask("create", name="people", count=size // BATCH, documents=BATCH)
        for _ in rounds.of(scale.rounds * 2):
            for name, size in sizes.items():
                found = await clients[name].ask("find_equal", name="people", count=scale.calls, below=size)
                rounds.add(f"find {name}", found)
                rounds.add(
                    f"create {name}", await clients[name].ask("create", name="people", count=scale.calls)
                )
    what, few, reach = f"at {scale.documents:,} documents", f"at {BATCH:,}", 1 / 1.5
    find, create = f"find by indexed equality {what}", f"durable creates {what}"
    return [
        Figure(find, "calls/s", rounds["find large"], few, rounds["find small"], reach),
        Figure(create, "calls/s", rounds["create large"], few, rounds["create small"], reach),
    ]


async def listeners(work: Path, scale: Scale) -> list[Figure]:
    """All listeners on one database: most hear of one instance each, every hundredth of all of them."""
    rate = 200
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(sides.hub(work / "hub"))
        client = await stack.enter_async_context(hub.client("documents"))
        listening = await stack.enter_async_context(hub.client("listeners"))
        await client.ask("collection", name="people", indexed=False)
        await listening.ask("listen", name="people", count=scale.listeners)
        async with Peak({"hub": hub.process.pid}) as peak:
            ids = scale.listeners
            writes = await client.ask(
                "write_steadily", name="people", rate=rate, seconds=scale.seconds, ids=ids
            )
            middle, late, _ = await listening.ask("heard", writes=writes, ids=ids)
    what = f"{scale.listeners:,} listeners, {rate} writes/s"
    taken = [peak.bytes["hub"] / MIB]
    return [
        Figure(f"{what}: median until heard", "ms", [middle * 1000]),
        Figure(f"{what}: p99 until heard", "ms", [late * 1000], reach=250, lower=True),
        Figure(f"{what}: hub's memory", "MiB", taken, reach=300, lower=True),
    ]


async def databases(work: Path, scale: Scale) -> list[Figure]:
    """Many databases in use at one hub; and how long one more takes there, and at a hub with few."""
    rounds = Rounds()
    opened = {"few": 10, "many": scale.databases}
    taken = {}
    async with AsyncExitStack() as stack:
        clients = {}
        for name, count in opened.items():
            # Without accounts, since an account has at most a hundred threads.
            hub = await stack.enter_async_context(sides.hub(work / name, mode="buckd"))
            clients[name] = await stack.enter_async_context(hub.client("documents"))
            await clients[name].ask("databases", count=count)
            taken[name] = psutil.Process(hub.process.pid).memory_info().rss / MIB
        for _ in rounds.of(scale.rounds * 3):
            for name, client in clients.items():
                rounds.add(name, await client.ask("databases", count=5), amount=5)
    what = f"with {scale.databases:,} open databases"
    return [
        Figure(f"hub's memory {what}", "MiB", [taken["many"]], reach=250, lower=True),
        Figure(f"one more {what}", "/s", rounds["many"], "with 10", rounds["few"], 1 / 1.5),
    ]


async def results(work: Path, scale: Scale) -> list[Figure]:
    """A result of many pages, read to its end; the hub's peak over idle, which is after one page."""
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(sides.hub(work / "hub"))
        client = await stack.enter_async_context(hub.client("documents"))
        await client.ask("collection", name="people", indexed=False)
        calls = scale.results // BATCH
        await client.ask("create", name="people", count=calls, documents=BATCH, padding=3000)
        await client.ask("find_all", name="people", limit=BATCH)
        idle = psutil.Process(hub.process.pid).memory_info().rss
        async with Peak({"hub": hub.process.pid}) as peak:
            await client.ask("find_all", name="people", limit=scale.results)
    grown = (peak.bytes["hub"] - idle) / MIB
    what = f"memory over idle, {scale.results:,} results of 3 KB: hub"
    return [Figure(what, "MiB", [grown], reach=24, lower=True)]
