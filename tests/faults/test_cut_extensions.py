"""Calls beyond upstream's, cut before every frame that they send and receive: whole, or not at all."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

import textile_aio
from tests.faults.disk import unfinished, unnamed
from tests.faults.proxy import DATA, Direction, FaultProxy, proxying
from tests.faults.tasks import ended, no_task_left
from tests.trees import whole
from textile_aio import AuthContext, HubClient, RetryPolicy, errors
from textile_aio.localhub import HubSettings, LocalHub
from textile_aio.unixfs import CHUNK_SIZE

T = TypeVar("T")
Files = dict[str, bytes]
OLD = {"a": b"old", "d/b": os.urandom(600_000), "gone": b"1", "d/gone": b"2"}

both_ways = pytest.mark.parametrize("direction", list(Direction), ids=["up", "down"])


@dataclass
class Scene:
    """A bucket at a disk hub of this loop; one client beside the proxy, one behind it that never retries."""

    data: Path
    ctx: AuthContext
    key: str
    direct: HubClient
    proxied: HubClient
    proxy: FaultProxy

    async def cut_everywhere(
        self,
        direction: Direction,
        act: Callable[[], Awaitable[T]],
        check: Callable[[T | None], Awaitable[None]],
    ) -> int:
        """Do it again and again, cut before each of its frames in turn, until it was over before that.

        Args:
            direction: Whose frames.
            act: What is done, through the proxy.
            check: Called with each result, or None where it was cut.
        """
        frame = 0
        while True:
            await self.proxied.buckets.root(self.ctx, self.key)  # so that connecting is not what is cut
            before = asyncio.all_tasks()
            frame += 1
            self.proxy.cut_before(DATA, frame, direction)
            result: T | None = None
            try:
                result = await act()
            except errors.Unavailable:
                assert self.proxy.cut_done.is_set()
            if not self.proxy.cut_done.is_set():
                await self.proxy.close()
                await check(result)
                return frame
            if result is not None:
                self.proxy.cut()  # it went on over another connection, which would stay
            await ended(before)
            await check(result)
            assert unfinished(self.data) == set()

    async def files(self) -> Files:
        return (await whole(self.direct, self.ctx, self.key)).files

    async def reset(self) -> None:
        for path in (await self.files()).keys() - OLD.keys():
            await self.direct.buckets.remove_path(self.ctx, self.key, path)
        await self.direct.buckets.push_files(self.ctx, self.key, OLD)


@asynccontextmanager
async def scene(data: Path) -> AsyncIterator[Scene]:
    async with (
        LocalHub.open(data, HubSettings(mode="buckd", fsync=False, collect_every=None)) as hub,
        textile_aio.connect(hub.target) as direct,
        proxying(int(hub.target.rpartition(":")[2])) as proxy,
        textile_aio.connect(f"127.0.0.1:{proxy.port}", retry=RetryPolicy.none()) as proxied,
    ):
        ctx = AuthContext()
        ctx = ctx.with_thread(await direct.threads.new_db(ctx))
        bucket = await direct.buckets.create(ctx, "things")
        at = Scene(data, ctx, bucket.key, direct, proxied, proxy)
        await at.reset()
        yield at


@both_ways
async def test_a_range_is_whole_or_fails(tmp_path: Path, direction: Direction) -> None:
    async with scene(tmp_path / "hub") as at, no_task_left():

        async def act() -> bytes:
            async with at.proxied.buckets.open(at.ctx, at.key, "d/b") as file:
                await file.seek(1_000)
                return await file.read(CHUNK_SIZE + 5_000)

        async def check(result: bytes | None) -> None:
            assert result in (None, OLD["d/b"][1_000 : 6_000 + CHUNK_SIZE])

        assert await at.cut_everywhere(direction, act, check) > 1


async def test_a_pull_goes_on_wherever_it_was_cut(tmp_path: Path) -> None:
    async with scene(tmp_path / "hub") as at, no_task_left():
        cut = 0

        async def act() -> bytes:
            return b"".join([chunk async for chunk in at.proxied.buckets.pull_path(at.ctx, at.key, "d/b")])

        async def check(result: bytes | None) -> None:
            nonlocal cut
            cut += result is not None
            assert result in (None, OLD["d/b"])

        frames = await at.cut_everywhere(Direction.DOWN, act, check)
        assert frames > 3
        assert cut > 1  # a cut after the first bytes is not even seen


@both_ways
async def test_a_folder_is_pushed_whole_or_not_at_all(tmp_path: Path, direction: Direction) -> None:
    folder = tmp_path / "folder"
    (folder / "d").mkdir(parents=True)
    (folder / "a").write_bytes(b"new")
    (folder / "d" / "b").write_bytes(os.urandom(700_000))
    new = {"a": b"new", "d/b": (folder / "d" / "b").read_bytes()}
    async with scene(tmp_path / "hub") as at, no_task_left():

        async def act() -> object:
            return await at.proxied.buckets.push_tree(at.ctx, at.key, "", folder)

        async def check(result: object) -> None:
            found = await at.files()
            assert found == new or (result is None and found == OLD)
            assert unnamed(at.data) == set()
            await at.reset()

        assert await at.cut_everywhere(direction, act, check) > 3


@both_ways
async def test_a_resumed_push_is_stored_whole_or_not_at_all(tmp_path: Path, direction: Direction) -> None:
    content = os.urandom(3 * CHUNK_SIZE + 9)
    async with scene(tmp_path / "hub") as at, no_task_left():

        async def act() -> object:
            return await at.proxied.buckets.push_path(at.ctx, at.key, "new", content, resume=True)

        async def check(result: object) -> None:
            found = await at.files()
            assert found in (
                (OLD | {"new": content},) if result is not None else (OLD, OLD | {"new": content})
            )
            await at.reset()

        assert await at.cut_everywhere(direction, act, check) > 2


@both_ways
async def test_a_tree_is_listed_whole_or_the_listing_fails(tmp_path: Path, direction: Direction) -> None:
    async with scene(tmp_path / "hub") as at, no_task_left():
        await at.direct.buckets.push_files(at.ctx, at.key, {f"many/{n}": b"%d" % n for n in range(1_200)})
        everything = [item async for item in at.direct.buckets.list_tree(at.ctx, at.key)]

        async def act() -> object:
            return [item async for item in at.proxied.buckets.list_tree(at.ctx, at.key)]

        async def check(result: object) -> None:
            assert result is None or result == everything

        assert await at.cut_everywhere(direction, act, check) > (3 if direction is Direction.DOWN else 1)


@both_ways
async def test_an_export_is_whole_or_fails(tmp_path: Path, direction: Direction) -> None:
    async with scene(tmp_path / "hub") as at, no_task_left():
        everything = b"".join([chunk async for chunk in at.direct.buckets.export_car(at.ctx, at.key)])

        async def act() -> bytes:
            return b"".join([chunk async for chunk in at.proxied.buckets.export_car(at.ctx, at.key)])

        async def check(result: bytes | None) -> None:
            assert result in (None, everything)

        assert await at.cut_everywhere(direction, act, check) > (3 if direction is Direction.DOWN else 1)


@both_ways
async def test_an_import_makes_a_bucket_or_none(tmp_path: Path, direction: Direction) -> None:
    async with scene(tmp_path / "hub") as at, no_task_left():
        carried = b"".join([chunk async for chunk in at.direct.buckets.export_car(at.ctx, at.key)])
        buckets = 1

        async def act() -> str:
            return await at.proxied.buckets.import_car(at.ctx, carried)

        async def check(key: str | None) -> None:
            nonlocal buckets
            found = {root.key for root in await at.direct.buckets.list(at.ctx)} - {at.key}
            assert len(found) == (1 if key is not None else len(found))
            assert key is None or found == {key}
            for each in found:
                assert (await whole(at.direct, at.ctx, each)).files == OLD
                await at.direct.buckets.remove(at.ctx, each)
            buckets += len(found)

        assert await at.cut_everywhere(direction, act, check) > 1
        assert buckets > 1
