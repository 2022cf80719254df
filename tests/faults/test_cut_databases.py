"""Streams of the threads service cut before each of their frames: nothing is committed, and nobody waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import textile_aio
from tests.faults.proxy import DATA, HEADERS, Direction, FaultProxy, proxying
from tests.faults.tasks import GRACE, ended, no_task_left
from textile_aio import AuthContext, Change, HubClient, Identity, RetryPolicy, errors
from textile_aio.localhub import HubSettings, LocalHub
from textile_aio.threads.values import CollectionConfig, Index

SCHEMA = {"properties": {"_id": {"type": "string"}, "name": {"type": "string"}}}
AT_ONCE = RetryPolicy(attempts=1000, initial=0.0, maximum=0.0)

directions = pytest.mark.parametrize(
    ("direction", "frame"),
    [(Direction.UP, DATA), (Direction.UP, HEADERS), (Direction.DOWN, DATA), (Direction.DOWN, HEADERS)],
    ids=["requests", "calls", "answers", "headers"],
)


@dataclass
class Scene:
    """A collection on a disk hub of this loop; one client beside the proxy and one behind it."""

    ctx: AuthContext
    direct: HubClient
    proxied: HubClient
    proxy: FaultProxy

    async def connected(self) -> set[asyncio.Task[object]]:
        """Connect through the proxy, so that connecting is not what is cut; the tasks there are then."""
        await self.proxied.threads.get_db_info(self.ctx)
        return asyncio.all_tasks()

    async def names(self) -> dict[str, str]:
        return {
            each["_id"]: each["name"] for each in await self.direct.threads.find(self.ctx, None, "people")
        }

    async def reset(self) -> None:
        """Bring the collection into its first state, which shows that the turn to write is free."""
        async with asyncio.timeout(GRACE):
            there = await self.names()
            if there.keys() - {"a", "b"}:
                await self.direct.threads.delete(self.ctx, None, "people", sorted(there.keys() - {"a", "b"}))
            await self.direct.threads.save(
                self.ctx, None, "people", [{"_id": id_, "name": f"old {id_}"} for id_ in ("a", "b")]
            )


OLD = {"a": "old a", "b": "old b"}
NEW = {"a": "new a", "c": "new c"}


@asynccontextmanager
async def scene(data: Path) -> AsyncIterator[Scene]:
    async with (
        LocalHub.open(data, HubSettings(mode="buckd", fsync=False)) as hub,
        textile_aio.connect(hub.target) as direct,
        proxying(int(hub.target.rpartition(":")[2])) as proxy,
        textile_aio.connect(f"127.0.0.1:{proxy.port}", retry=RetryPolicy.none()) as proxied,
    ):
        ctx = AuthContext()
        ctx = ctx.with_thread(await direct.threads.new_db(ctx))
        config = CollectionConfig("people", schema=SCHEMA, indexes=(Index("name", unique=True),))
        await direct.threads.new_collection(ctx, None, config)
        yield Scene(ctx, direct, proxied, proxy)


async def write(at: Scene) -> None:
    async with at.proxied.threads.write_transaction(at.ctx, None, "people") as txn:
        await txn.create([{"_id": "c", "name": "new c"}])
        await txn.save([{"_id": "a", "name": "new a"}])
        assert await txn.has(["a"])
        assert len(await txn.find()) == 2
        assert (await txn.find_by_id("a"))["name"] == "old a"
        await txn.delete(["b"])


async def discard(at: Scene) -> None:
    async with at.proxied.threads.write_transaction(at.ctx, None, "people") as txn:
        await txn.delete(["b"])
        await txn.discard()


async def read(at: Scene) -> None:
    async with at.proxied.threads.read_transaction(at.ctx, None, "people") as txn:
        assert await txn.has(["a", "b"])
        assert len(await txn.find()) == 2
        assert (await txn.find_by_id("a"))["name"] == "old a"


async def authorize(at: Scene) -> None:
    ctx = await at.proxied.threads.authorize(at.ctx, Identity.generate())
    assert ctx.token


Act = Callable[[Scene], Awaitable[Any]]


@directions
@pytest.mark.parametrize("act", [write, discard, read, authorize], ids=lambda act: act.__name__)
async def test_a_stream_cut_before_any_of_its_frames_commits_nothing_and_frees_the_turn(
    tmp_path: Path, act: Act, direction: Direction, frame: int
) -> None:
    async with scene(tmp_path) as at, no_task_left():
        await at.reset()
        number = 0
        while True:
            before = await at.connected()
            number += 1
            at.proxy.cut_before(frame, number, direction)
            try:
                await act(at)
            except errors.Unavailable:
                assert at.proxy.cut_done.is_set()
            else:
                break  # It was over before that frame.
            await ended(before)
            found = await at.names()
            # Where only the last answer is lost, the transaction may have been committed.
            assert found == OLD or (act is write and direction is Direction.DOWN and found == NEW)
            await at.reset()
            assert await at.names() == OLD
        assert number > 1
        assert await at.names() == (NEW if act is write else OLD)
        await at.proxy.close()


@pytest.mark.parametrize("number", range(1, 8))
async def test_a_caller_who_vanishes_after_any_operation_frees_the_turn(tmp_path: Path, number: int) -> None:
    async with scene(tmp_path) as at, no_task_left():
        await at.reset()
        before = await at.connected()
        with pytest.raises(errors.Unavailable):
            async with at.proxied.threads.write_transaction(at.ctx, None, "people") as txn:
                for step in range(number):
                    await txn.save([{"_id": "a", "name": f"new {step}"}])
                at.proxy.cut()
        await ended(before)
        assert await at.names() == OLD
        await at.reset()
        await at.proxy.close()


async def test_a_listener_cut_before_any_of_its_frames_hears_everything_once(tmp_path: Path) -> None:
    async with scene(tmp_path) as at, no_task_left():
        await at.reset()
        made = 0
        heard: list[str] = []
        async with at.proxied.threads.listen(at.ctx, retry=AT_ONCE) as changes:

            async def hear(count: int) -> None:
                async with asyncio.timeout(GRACE):
                    while len(heard) < count:
                        change = await anext(changes)
                        assert isinstance(change, Change), change
                        heard.append(change.id)

            async def make(count: int) -> None:
                nonlocal made
                for _ in range(count):
                    await at.direct.threads.create(
                        at.ctx, None, "people", [{"_id": f"{made:03}", "name": f"{made}"}]
                    )
                    made += 1

            for frame, direction in (
                (DATA, Direction.DOWN),
                (HEADERS, Direction.DOWN),
                (DATA, Direction.UP),
                (HEADERS, Direction.UP),
            ):
                for number in range(1, 5):
                    at.proxy.cut()  # So that registering again is cut as well.
                    at.proxy.cut_before(frame, number, direction)
                    await make(3)
                    await hear(made)
                    at.proxy.cut_after(10 * number, direction)
                    await make(3)
                    await hear(made)
                    await at.proxy.heal()
            await make(1)
            await hear(made)
        assert heard == [f"{number:03}" for number in range(made)]
        assert at.proxy.accepted > 16
        await at.proxy.close()
