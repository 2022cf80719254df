"""A peer that stops in the middle costs nobody but itself."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

import textile_aio
from tests.faults.proxy import Direction, FaultProxy, proxying
from tests.faults.tasks import GRACE, no_task_left
from tests.localhub.process import hub_process
from tests.trees import pull
from textile_aio import AuthContext, HubClient, RetryPolicy, errors
from textile_aio.localhub import HubSettings, LocalHub

MIB = 1024 * 1024


@asynccontextmanager
async def proxied(target: str) -> AsyncIterator[tuple[FaultProxy, HubClient]]:
    async with (
        proxying(int(target.rpartition(":")[2])) as proxy,
        textile_aio.connect(f"127.0.0.1:{proxy.port}", retry=RetryPolicy.none()) as client,
    ):
        yield proxy, client


@asynccontextmanager
async def memory_hub() -> AsyncIterator[tuple[HubClient, FaultProxy, HubClient, AuthContext]]:
    """A client beside a proxy, the proxy, a client behind it, and a context with a thread."""
    async with (
        LocalHub.in_memory(HubSettings(mode="buckd")) as hub,
        textile_aio.connect(hub.target) as direct,
        proxied(hub.target) as (proxy, behind),
    ):
        ctx = AuthContext()
        yield direct, proxy, behind, ctx.with_thread(await direct.threads.new_db(ctx))


@pytest.mark.parametrize("who", ["the reader", "the network"])
async def test_a_pull_that_is_not_read_on_costs_the_hub_no_memory(tmp_path: Path, who: str) -> None:
    content = os.urandom(64 * MIB)
    async with (
        hub_process(tmp_path / "hub", "--mode", "buckd") as hub,
        textile_aio.connect(hub.target) as direct,
        proxied(hub.target) as (proxy, behind),
    ):
        ctx = AuthContext()
        ctx = ctx.with_thread(await direct.threads.new_db(ctx))
        key = (await direct.buckets.create(ctx, "b")).key
        await direct.buckets.push_path(ctx, key, "f", content)
        assert await pull(direct, ctx, key, "f") == content
        process = psutil.Process(hub.process.pid)
        before = process.memory_info().rss
        async with behind.buckets.pull_path(ctx, key, "f") as stalled:
            received = [await anext(stalled)]
            if who == "the network":
                proxy.stall(Direction.DOWN)
            # Others pull the same file to its end meanwhile: time enough for the hub to run full.
            for _ in range(3):
                assert await pull(direct, ctx, key, "f") == content
            assert process.memory_info().rss - before < 24 * MIB
            assert proxy.passed(Direction.DOWN) < 24 * MIB
            await proxy.heal()
            received += [chunk async for chunk in stalled]
        assert b"".join(received) == content


async def test_a_push_that_stops_holds_up_its_own_bucket_alone() -> None:
    async with no_task_left(), memory_hub() as (direct, proxy, behind, ctx):
        held, other = [(await direct.buckets.create(ctx, name)).key for name in ("held", "other")]
        await direct.buckets.push_path(ctx, held, "f", b"old")
        begun = asyncio.Event()

        async def stops() -> AsyncIterator[bytes]:
            yield bytes(2 * MIB)
            await behind.buckets.root(ctx, held)  # the hub has read what came before on this connection
            begun.set()
            await asyncio.Event().wait()

        async def stalled() -> None:
            with pytest.raises(errors.Unavailable):
                await behind.buckets.push_path(ctx, held, "f", stops())

        async with asyncio.TaskGroup() as group:
            group.create_task(stalled())
            await begun.wait()
            waiting = group.create_task(direct.buckets.push_path(ctx, held, "f", b"new"))
            removing = group.create_task(direct.buckets.remove_path(ctx, held, "f"))
            for number in range(20):
                await direct.buckets.push_path(ctx, other, f"{number}", b"x")
                assert await pull(direct, ctx, held, "f") == b"old"
            assert not waiting.done()
            assert not removing.done()
            proxy.cut()
            async with asyncio.timeout(GRACE):
                await waiting
                await removing
        await direct.buckets.push_path(ctx, held, "f", b"newer")
        assert await pull(direct, ctx, held, "f") == b"newer"


async def test_whoever_waits_for_a_bucket_can_give_up_and_the_next_gets_it() -> None:
    async with no_task_left(), memory_hub() as (direct, _, behind, ctx):
        key = (await direct.buckets.create(ctx, "b")).key
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def slow() -> AsyncIterator[bytes]:
            yield b"slow"
            await behind.buckets.root(ctx, key)
            begun.set()
            await go_on.wait()

        async with asyncio.TaskGroup() as group:
            group.create_task(behind.buckets.push_path(ctx, key, "slow", slow()))
            await begun.wait()
            with pytest.raises(errors.DeadlineExceeded):
                await direct.buckets.push_path(ctx, key, "late", b"x", timeout=0.05)
            with pytest.raises(errors.DeadlineExceeded):
                await direct.buckets.remove_path(ctx, key, "slow", timeout=0.05)
            last = group.create_task(direct.buckets.push_path(ctx, key, "last", b"last"))
            await direct.buckets.root(ctx, key)
            assert not last.done()
            go_on.set()
        assert await pull(direct, ctx, key, "slow") == b"slow"
        assert await pull(direct, ctx, key, "last") == b"last"
        with pytest.raises(errors.PathNotFound):
            await pull(direct, ctx, key, "late")


async def endless() -> AsyncIterator[bytes]:
    while True:
        yield bytes(100_000)


Act = Callable[[HubClient, AuthContext, str, float], Awaitable[object]]

CALLS: dict[str, Act] = {
    "root": lambda hub, ctx, key, limit: hub.buckets.root(ctx, key, timeout=limit),
    "create": lambda hub, ctx, key, limit: hub.buckets.create(ctx, timeout=limit),
    "list_path": lambda hub, ctx, key, limit: hub.buckets.list_path(ctx, key, timeout=limit),
    "remove_path": lambda hub, ctx, key, limit: hub.buckets.remove_path(ctx, key, "f", timeout=limit),
    "push_path": lambda hub, ctx, key, limit: hub.buckets.push_path(ctx, key, "g", endless(), timeout=limit),
    "push_files": lambda hub, ctx, key, limit: hub.buckets.push_files(
        ctx, key, {"g": endless(), "h": b""}, timeout=limit
    ),
    "pull_path": lambda hub, ctx, key, limit: read(hub, ctx, key, limit),
    "new_db": lambda hub, ctx, key, limit: hub.threads.new_db(ctx, timeout=limit),
}


async def read(hub: HubClient, ctx: AuthContext, key: str, limit: float) -> bytes:
    return b"".join([chunk async for chunk in hub.buckets.pull_path(ctx, key, "f", timeout=limit)])


@pytest.mark.parametrize("name", CALLS)
async def test_a_hub_that_stalls_costs_no_more_than_the_timeout(name: str) -> None:
    async with no_task_left(), memory_hub() as (direct, proxy, behind, ctx):
        key = (await direct.buckets.create(ctx, "b")).key
        await direct.buckets.push_path(ctx, key, "f", os.urandom(MIB))
        root = await behind.buckets.root(ctx, key)
        task = asyncio.current_task()
        assert task is not None
        proxy.stall()
        begun = time.monotonic()
        with pytest.raises(errors.DeadlineExceeded):
            await CALLS[name](behind, ctx, key, 0.2)
        assert 0.2 <= time.monotonic() - begun < 2
        assert task.cancelling() == 0
        await proxy.heal()
        # What the stall held back arrives after all: the call, then its cancellation.
        assert (await behind.buckets.root(ctx, key, timeout=GRACE)).key == key
        if name not in ("remove_path", "create", "new_db"):
            assert (await direct.buckets.root(ctx, key)).path == root.path


@pytest.mark.parametrize("name", ["push_path", "pull_path"])
async def test_a_hub_that_stalls_midway_costs_no_more_than_the_timeout(name: str) -> None:
    async with no_task_left(), memory_hub() as (direct, proxy, behind, ctx):
        key = (await direct.buckets.create(ctx, "b")).key
        await direct.buckets.push_path(ctx, key, "f", bytes(40 * MIB))
        proxy_stalls = asyncio.create_task(stall_after(proxy, name, 5 * MIB))
        begun = time.monotonic()
        with pytest.raises(errors.DeadlineExceeded):
            await CALLS[name](behind, ctx, key, 1)
        assert time.monotonic() - begun < 3
        await proxy_stalls
        # The hub knows the deadline too: the bucket is free though no cancellation can reach it.
        async with asyncio.timeout(GRACE):
            assert (await direct.buckets.push_path(ctx, key, "h", b"x")).path == "h"
        await proxy.heal()


async def stall_after(proxy: FaultProxy, name: str, size: int) -> None:
    await proxy.until_passed(size, Direction.UP if name == "push_path" else Direction.DOWN)
    proxy.stall()
