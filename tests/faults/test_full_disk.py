"""A hub whose disk is full says so, keeps what it has, serves it, and goes on when there is room again."""

from __future__ import annotations

import os
import resource
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

import textile_aio
from tests.faults.disk import unfinished, unnamed
from tests.faults.smalldisk import SmallDisk
from tests.localhub.process import hub_process
from tests.trees import whole
from textile_aio import AuthContext, HubClient, StatusCode, errors
from textile_aio.localhub import LocalHub

KIB, MIB = 1024, 1024 * 1024
Make = Callable[[], dict[str, bytes]]
FULL = "the hub's disk is full; nothing was changed"


@asynccontextmanager
async def serving(data: Path) -> AsyncIterator[tuple[HubClient, int]]:
    async with hub_process(data, "--mode", "buckd") as hub, textile_aio.connect(hub.target) as client:
        yield client, hub.process.pid


async def new_bucket(client: HubClient) -> tuple[AuthContext, str]:
    ctx = AuthContext()
    ctx = ctx.with_thread(await client.threads.new_db(ctx))
    bucket = await client.buckets.create(ctx, "b")
    return ctx, bucket.key


async def refused(client: HubClient, ctx: AuthContext, key: str, files: dict[str, bytes]) -> bool:
    """Push; whether the hub had no room for it. Any other failure fails the test."""
    try:
        if len(files) == 1:
            ((path, content),) = files.items()
            await client.buckets.push_path(ctx, key, path, content)
        else:
            await client.buckets.push_files(ctx, key, files)
    except errors.ResourceExhausted as refusal:
        error = refusal
    else:
        return False
    assert type(error) is errors.ResourceExhausted
    assert error.code is StatusCode.RESOURCE_EXHAUSTED
    assert error.message == FULL
    return True


def large() -> dict[str, bytes]:
    """A file whose leaves go into a place of their own."""
    return {"large": os.urandom(5 * MIB)}


def small() -> dict[str, bytes]:
    """Files that go into the database."""
    return {f"small/{number}": os.urandom(16 * KIB) for number in range(150)}


def both() -> dict[str, bytes]:
    return large() | small()


@pytest.mark.parametrize("make", [large, small, both])
async def test_a_push_without_room_is_refused_and_changes_nothing(disk: SmallDisk, make: Make) -> None:
    async with serving(disk.data) as (client, _):
        ctx, key = await new_bucket(client)
        old = {"old": os.urandom(MIB), "d/old": b"small"}
        root = (await client.buckets.push_files(ctx, key, old)).path
        disk.leave(0)
        assert await refused(client, ctx, key, make())
        tree = await whole(client, ctx, key)
        assert tree.root.path == root
        assert tree.files == old
        assert unfinished(disk.data) == unnamed(disk.data) == set()
        disk.make_room()
        new = make()
        assert not await refused(client, ctx, key, new)
        assert (await whole(client, ctx, key)).files == old | new
    async with serving(disk.data) as (client, _):
        assert (await whole(client, ctx, key)).files == old | new


async def test_wherever_the_room_ends_a_push_is_stored_whole_or_not_at_all(disk: SmallDisk) -> None:
    async with serving(disk.data) as (client, _):
        ctx, key = await new_bucket(client)
        refusals = 0
        for room in (0, 64 * KIB, MIB, 3 * MIB, 5 * MIB, 5 * MIB + 256 * KIB, 6 * MIB, 8 * MIB, 10 * MIB):
            before = await whole(client, ctx, key)
            disk.leave(room)
            new = both()
            if await refused(client, ctx, key, new):
                refusals += 1
                after = await whole(client, ctx, key)
                assert after.root.path == before.root.path
                assert after.files == before.files
                assert unfinished(disk.data) == unnamed(disk.data) == set()
            else:
                assert (await whole(client, ctx, key)).files == before.files | new
                break
        assert refusals > 3
        disk.make_room()
        new = {"again": b"there is room"}
        assert not await refused(client, ctx, key, new)


async def test_everything_that_writes_says_that_the_disk_is_full(disk: SmallDisk) -> None:
    async with serving(disk.data) as (client, _):
        ctx, key = await new_bucket(client)
        await client.buckets.push_path(ctx, key, "f", b"kept")
        disk.leave(0)
        while not await refused(client, ctx, key, small()):  # what the database had set aside for itself
            pass
        for write in (
            lambda: client.buckets.create(ctx, "x" * 16_000),
            lambda: client.threads.new_db(AuthContext(), name="x" * 16_000),
        ):
            with pytest.raises(errors.ResourceExhausted, match=FULL):
                while True:
                    await write()
        assert (await whole(client, ctx, key)).files["f"] == b"kept"


async def test_a_hub_without_room_to_start_says_so_and_starts_later(disk: SmallDisk) -> None:
    refusals = 0
    for room in range(0, 400 * KIB, 16 * KIB):
        disk.leave(room)
        try:
            async with LocalHub.open(disk.data):
                break
        except errors.HubError:
            refusals += 1
    assert refusals > 3
    disk.make_room()
    async with serving(disk.data) as (client, _):
        ctx, key = await new_bucket(client)
        assert not await refused(client, ctx, key, small())


async def test_a_file_that_may_not_grow_is_a_full_disk(tmp_path: Path) -> None:
    """The same where nothing can be mounted: the hub's files may not grow beyond a limit."""
    async with serving(tmp_path) as (client, pid):
        ctx, key = await new_bucket(client)
        root = (await client.buckets.push_path(ctx, key, "old", b"old")).root.path
        hub = psutil.Process(pid)
        hub.rlimit(resource.RLIMIT_FSIZE, (4 * MIB, resource.RLIM_INFINITY))
        assert await refused(client, ctx, key, large())
        tree = await whole(client, ctx, key)
        assert (tree.root.path, tree.files) == (root, {"old": b"old"})
        assert unfinished(tmp_path) == unnamed(tmp_path) == set()
        hub.rlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert not await refused(client, ctx, key, large())
