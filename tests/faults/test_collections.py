"""A collection that is killed at any of its steps, or has no room, takes nothing that is needed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import textile_aio
from tests.faults.disk import unfinished, unnamed
from tests.faults.dying import dying
from tests.faults.smalldisk import SmallDisk
from tests.trees import whole
from textile_aio import AuthContext, HubClient
from textile_aio.errors import HubError
from textile_aio.localhub import HubSettings, LocalHub

MIB = 1024 * 1024
QUIET = HubSettings(mode="buckd", collect_every=None, fsync=False)


async def fill(client: HubClient) -> tuple[AuthContext, str, dict[str, bytes]]:
    """A bucket in a place that is mostly garbage, another place that is nothing else, and inline garbage."""
    ctx = AuthContext()
    ctx = ctx.with_thread(await client.threads.new_db(ctx))
    key = (await client.buckets.create(ctx, "b")).key
    kept = {"kept": os.urandom(600_000), "d/small": b"small"}
    await client.buckets.push_files(ctx, key, kept | {f"gone/{n}": os.urandom(700_000) for n in range(3)})
    await client.buckets.push_path(ctx, key, "gone/alone", os.urandom(MIB))
    await client.buckets.push_files(ctx, key, {f"gone/small{n}": b"%d" % n for n in range(700)})
    await client.buckets.remove_path(ctx, key, "gone")
    return ctx, key, kept


async def test_wherever_a_collection_is_killed_everything_needed_is_there(tmp_path: Path) -> None:
    made = tmp_path / "made"
    async with LocalHub.open(made, QUIET) as hub, textile_aio.connect(hub.target) as client:
        ctx, key, kept = await fill(client)
        before = (await client.buckets.root(ctx, key)).path
    async with dying() as parent:
        steps = 0
        while True:
            data = tmp_path / str(steps)
            shutil.copytree(made, data)
            status = await parent.collect(data, steps)
            assert status in (0, -9)
            async with LocalHub.open(data, QUIET) as hub, textile_aio.connect(hub.target) as client:
                tree = await whole(client, ctx, key)
                assert (tree.root.path, tree.files) == (before, kept)
                assert unfinished(data) == unnamed(data) == set()
                await client.buckets.push_path(ctx, key, "more", b"x" * 300_000)
                await hub.collect()
                assert (await hub.usage()).reclaimable == 0
                assert (await whole(client, ctx, key)).files == kept | {"more": b"x" * 300_000}
            shutil.rmtree(data)
            if status == 0:
                break
            steps += 1
    assert steps > 10


async def test_a_collection_without_room_takes_nothing_that_is_needed(disk: SmallDisk) -> None:
    async with LocalHub.open(disk.data, QUIET) as hub, textile_aio.connect(hub.target) as client:
        ctx, key, kept = await fill(client)
        root = (await client.buckets.root(ctx, key)).path
        refusals = 0
        for room in range(0, 4 * MIB, 64 * 1024):
            disk.leave(room)
            try:
                await hub.collect()
            except HubError:
                refusals += 1
            tree = await whole(client, ctx, key)
            assert (tree.root.path, tree.files) == (root, kept)
            assert unfinished(disk.data) == set()
        disk.make_room()
        await hub.collect()
        assert (await hub.usage()).reclaimable == 0
        assert (await whole(client, ctx, key)).files == kept
        assert refusals
    async with LocalHub.open(disk.data, QUIET) as hub, textile_aio.connect(hub.target) as client:
        assert (await whole(client, ctx, key)).files == kept
