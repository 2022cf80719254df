"""What pulling and pushing folders refuses: links, old roots, states that are mixed, things in the way."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from textile_aio import Aborted, AuthContext, HubClient, Identity, InvalidPath, NonFastForward, connect
from textile_aio.buckets import walking
from textile_aio.buckets.trees import pull as pulling
from textile_aio.errors import IsADirectory, NotADirectory
from textile_aio.localhub import HubSettings, LocalHub


@dataclass(frozen=True)
class Place:
    client: HubClient
    ctx: AuthContext
    key: str

    async def push(self, **files: bytes) -> None:
        items = {name.replace("__", "/"): content for name, content in files.items()}
        await self.client.buckets.push_files(self.ctx, self.key, items)

    async def pull(self, folder: Path, *, delete: bool = False) -> None:
        await self.client.buckets.pull_tree(self.ctx, self.key, "", folder, delete=delete)


@pytest.fixture(params=["public", "private"])
async def place(request: pytest.FixtureRequest) -> AsyncIterator[Place]:
    async with (
        LocalHub.in_memory(HubSettings(mode="buckd")) as hub,
        connect(hub.target) as client,
    ):
        ctx = await client.threads.authorize(AuthContext(), Identity.generate())
        ctx = ctx.with_thread(await client.threads.new_db(ctx))
        bucket = await client.buckets.create(ctx, private=request.param == "private")
        yield Place(client, ctx, bucket.key)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "folder"
    made.mkdir()
    return made


async def test_nothing_is_written_through_a_link(place: Place, folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"precious")
    (folder / "x").symlink_to(outside)
    await place.push(a=b"1", x=b"2")
    with pytest.raises(InvalidPath):
        await place.pull(folder)
    assert outside.read_bytes() == b"precious"
    assert not (folder / "a").exists()


async def test_a_file_in_the_way_of_a_directory_is_found_before_anything_is_written(
    place: Place, folder: Path
) -> None:
    await place.push(a=b"1", d__x=b"2")
    (folder / "d").write_bytes(b"mine")
    with pytest.raises(NotADirectory):
        await place.pull(folder, delete=True)
    assert os.listdir(folder) == ["d"]  # noqa: PTH208 - names are all that matters


async def test_a_directory_in_the_way_of_a_file_is_found_before_anything_is_written(
    place: Place, folder: Path
) -> None:
    await place.push(a=b"1", d=b"2")
    (folder / "d").mkdir()
    with pytest.raises(IsADirectory):
        await place.pull(folder, delete=True)
    assert os.listdir(folder) == ["d"]  # noqa: PTH208 - names are all that matters


async def test_an_old_root_is_refused_where_nothing_would_be_sent_as_well(place: Place, folder: Path) -> None:
    old = await place.client.buckets.root(place.ctx, place.key)
    await place.push(x=b"1")
    (folder / "x").write_bytes(b"1")
    with pytest.raises(NonFastForward) as refused:
        await place.client.buckets.push_tree(place.ctx, place.key, "", folder, root=old)
    assert refused.value.expected == old.path
    assert refused.value.actual == (await place.client.buckets.root(place.ctx, place.key)).path


async def test_a_bucket_that_changes_meanwhile_is_not_mixed_with_its_old_state(
    place: Place, tmp_path: Path
) -> None:
    await place.push(a=b"old", b=b"old")
    first_look = walking.tree

    async def and_then_it_changes(*arguments: Any, **named: Any) -> AsyncIterator[Any]:
        async for item in first_look(*arguments, **named):
            yield item
        await place.push(a=b"new", b=b"new")

    with patch.object(pulling, "tree", and_then_it_changes), pytest.raises(Aborted):
        await place.pull(tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


@pytest.fixture
def private_umask() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.mark.skipif(os.name != "posix", reason="there is no umask")
@pytest.mark.usefixtures("private_umask")
async def test_a_new_folder_is_as_private_as_the_user_wants_it(place: Place, tmp_path: Path) -> None:
    await place.push(x=b"1")
    await place.pull(tmp_path / "copy")
    assert (tmp_path / "copy").stat().st_mode & 0o077 == 0
