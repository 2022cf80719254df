"""A push that breaks off at any of its messages leaves the bucket as it was."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

import textile_aio
from tests.faults.disk import unfinished, unnamed
from tests.faults.proxy import DATA, HEADERS, Direction, FaultProxy, proxying
from tests.faults.tasks import GRACE, ended, no_task_left
from tests.trees import pull, whole
from textile_aio import AuthContext, HubClient, errors
from textile_aio.localhub import HubSettings, LocalHub

CHUNK = 256 * 1024
OLD = {"a": b"old a", "d/b": b"old b" * 9000}

Files = dict[str, bytes]
Gate = Callable[[], Awaitable[None]]
Make = Callable[[], Files]


def one() -> Files:
    """A file that no hub has seen, in five chunks; the fourth makes the hub write to the disk."""
    return {"a": os.urandom(4 * CHUNK + 3)}


def many() -> Files:
    """Several such files, in seven chunks; the last but one makes the hub write to the disk."""
    return {"a": b"new a", "d/b": os.urandom(CHUNK + 9), "e/f": b"", "g": os.urandom(4 * CHUNK)}


either = pytest.mark.parametrize("make", [one, many], ids=["push_path", "push_paths"])


@dataclass
class Scene:
    """A bucket on a disk hub of this loop; one client beside the proxy and one behind it."""

    data: Path
    ctx: AuthContext
    key: str
    direct: HubClient
    proxied: HubClient
    proxy: FaultProxy

    async def push(self, new: Files, gate: Gate | None = None) -> None:
        """Push through the proxy, one file by push_path and several by push_paths; ask the gate before each
        chunk, and before the end of each file."""
        if len(new) == 1:
            ((path, content),) = new.items()
            await self.proxied.buckets.push_path(self.ctx, self.key, path, chunks(content, gate))
        else:
            items = {path: chunks(content, gate) for path, content in new.items()}
            async with self.proxied.buckets.push_paths(self.ctx, self.key, items) as push:
                assert [each.path async for each in push] == list(new)

    async def connected(self) -> set[asyncio.Task[object]]:
        """Connect through the proxy, so that connecting is not what is cut; returns the tasks there are."""
        await self.proxied.buckets.root(self.ctx, self.key)
        return asyncio.all_tasks()

    async def files(self) -> Files:
        return (await whole(self.direct, self.ctx, self.key)).files

    async def check_untouched(self, root: str) -> None:
        """The bucket is as it was, free for others at once, and nothing lies about on the disk."""
        tree = await whole(self.direct, self.ctx, self.key)
        assert tree.root.path == root
        assert tree.files == OLD
        async with asyncio.timeout(GRACE):
            await self.direct.buckets.push_path(self.ctx, self.key, "free", b"yes")
            await self.direct.buckets.remove_path(self.ctx, self.key, "free")
        assert unfinished(self.data) == set()
        assert unnamed(self.data) == set()

    async def check_retry(self, new: Files) -> None:
        """The same push works now; then go back to where it began."""
        await self.push(new)
        assert await self.files() == OLD | new
        await self.reset()

    async def reset(self) -> str:
        """Bring the bucket into its first state; returns its root."""
        for path in (await self.files()).keys() - OLD.keys():
            await self.direct.buckets.remove_path(self.ctx, self.key, path)
        if "e" in (await whole(self.direct, self.ctx, self.key)).directories:
            await self.direct.buckets.remove_path(self.ctx, self.key, "e")
        return (await self.direct.buckets.push_files(self.ctx, self.key, OLD)).path


async def chunks(content: bytes, gate: Gate | None = None) -> AsyncIterator[bytes]:
    for start in range(0, len(content), CHUNK):
        if gate is not None:
            await gate()
        yield content[start : start + CHUNK]
    if gate is not None:
        await gate()


@asynccontextmanager
async def scene(data: Path) -> AsyncIterator[Scene]:
    async with (
        LocalHub.open(data, HubSettings(mode="buckd", fsync=False)) as hub,
        textile_aio.connect(hub.target) as direct,
        proxying(int(hub.target.rpartition(":")[2])) as proxy,
        textile_aio.connect(f"127.0.0.1:{proxy.port}") as proxied,
    ):
        ctx = AuthContext()
        ctx = ctx.with_thread(await direct.threads.new_db(ctx))
        bucket = await direct.buckets.create(ctx, "things")
        yield Scene(data, ctx, bucket.key, direct, proxied, proxy)


@either
async def test_a_push_cut_before_any_of_its_frames_changes_nothing(tmp_path: Path, make: Make) -> None:
    async with scene(tmp_path) as at, no_task_left():
        root = await at.reset()
        before = await at.connected()
        frame = 0
        while True:
            frame += 1
            at.proxy.cut_before(DATA, frame, Direction.UP)
            new = make()
            try:
                await at.push(new)
            except errors.Unavailable:
                assert at.proxy.cut_done.is_set()
            else:
                break  # it was over before that frame
            await ended(before)
            await at.check_untouched(root)
            await at.check_retry(new)
            before = await at.connected()
        assert frame > (6 if make is one else 9)
        assert await at.files() == OLD | new
        await at.proxy.close()


@either
async def test_a_push_cut_in_the_middle_of_a_message_changes_nothing(tmp_path: Path, make: Make) -> None:
    async with scene(tmp_path) as at, no_task_left():
        root = await at.reset()
        before = await at.connected()
        size = sum(map(len, make().values()))
        for count in (300, CHUNK, CHUNK + 700, 3 * CHUNK + 1000, size - 1):
            at.proxy.cut_after(count, Direction.UP)
            new = make()
            with pytest.raises(errors.Unavailable):
                await at.push(new)
            await ended(before)
            await at.check_untouched(root)
            await at.check_retry(new)
            before = await at.connected()
        await at.proxy.close()


@pytest.mark.parametrize("kind", [DATA, HEADERS], ids=["data", "headers"])
@either
async def test_a_push_whose_answers_are_cut_is_stored_whole_or_not_at_all(
    tmp_path: Path, make: Make, kind: int
) -> None:
    async with scene(tmp_path) as at, no_task_left():
        root = await at.reset()
        before = await at.connected()
        frame = 0
        while True:
            frame += 1
            at.proxy.cut_before(kind, frame, Direction.DOWN)
            new = make()
            try:
                await at.push(new)
            except errors.Unavailable:
                assert at.proxy.cut_done.is_set()
            else:
                break
            await ended(before)
            tree = await whole(at.direct, at.ctx, at.key)
            if tree.root.path == root:
                await at.check_untouched(root)
            else:
                assert tree.files == OLD | new
            await at.check_retry(new)
            before = await at.connected()
        assert frame > 2
        await at.proxy.close()


class TheirError(Exception):
    """What a source raises."""


class Stop:
    """A gate that acts when it is asked for the ``number``-th time."""

    def __init__(self, at: Scene, number: int, way: str) -> None:
        self.at = at
        self.number = number
        self.way = way
        self.asked = 0
        self.task: asyncio.Task[None] | None = None

    async def __call__(self) -> None:
        self.asked += 1
        if self.asked != self.number:
            return
        # An answer over the same connection: the hub has read all that was sent before.
        await self.at.proxied.buckets.root(self.at.ctx, self.at.key)
        match self.way:
            case "the source fails":
                raise TheirError
            case "the caller is cancelled":
                assert self.task is not None
                self.task.cancel()
            case "the connection is reset":
                self.at.proxy.cut()
        await asyncio.Event().wait()


@either
@pytest.mark.parametrize("way", ["the source fails", "the caller is cancelled", "the connection is reset"])
async def test_a_push_given_up_at_any_of_its_messages_changes_nothing(
    tmp_path: Path, make: Make, way: str
) -> None:
    async with scene(tmp_path) as at, no_task_left():
        root = await at.reset()
        before = await at.connected()
        number = 0
        while True:
            number += 1
            new, stop = make(), Stop(at, number, way)
            stop.task = asyncio.create_task(at.push(new, stop))
            (outcome,) = await asyncio.gather(stop.task, return_exceptions=True)
            if stop.asked < number:
                assert outcome is None
                break
            assert isinstance(outcome, TheirError | asyncio.CancelledError | errors.Unavailable), outcome
            await ended(before)
            await at.check_untouched(root)
            await at.check_retry(new)
            before = await at.connected()
        assert number == (7 if make is one else 12)
        await at.proxy.close()


async def test_readers_see_the_old_file_while_a_push_is_under_way(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        root = await at.reset()

        async def look() -> None:
            assert (await at.direct.buckets.root(at.ctx, at.key)).path == root
            assert await pull(at.direct, at.ctx, at.key, "a") == OLD["a"]

        new = one()
        await at.push(new, look)
        assert await pull(at.direct, at.ctx, at.key, "a") == new["a"]
