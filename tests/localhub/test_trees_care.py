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
from textile_aio.buckets import push, walking
from textile_aio.buckets.trees import pull as pulling
from textile_aio.errors import FailedPrecondition, IsADirectory, NotADirectory
from textile_aio.localhub import HubSettings, LocalHub
from textile_aio.localhub.buckets.sealing import DirectorySeal
from textile_aio.unixfs import CHUNK_SIZE, Block


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


def write(folder: Path, *paths: str) -> None:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(path.encode())


async def paths(place: Place) -> set[str]:
    return {
        item.relative_path
        async for item in place.client.buckets.walk(place.ctx, place.key)
        if not item.is_dir
    }


async def test_what_the_folder_ignores_stays_in_the_bucket(place: Place, folder: Path) -> None:
    await place.push(gone=b"1", d__gone=b"2")
    there = ("build/a/b", "d/.DS_Store", "d/x.log", "e/f.buckpatch", "keep.log")
    await place.client.buckets.push_files(place.ctx, place.key, dict.fromkeys(there, b"theirs"))
    (folder / ".buckignore").write_text("*.log\nbuild/\n")
    write(folder, "a", "keep.log", "build/mine", "d/.DS_Store", "old.DS_Store", "d/.textile/x")
    write(folder, ".textile/config.yml")
    pushed = await place.client.buckets.push_tree(place.ctx, place.key, "", folder)
    assert pushed.pushed == (".buckignore", "a", "d/.textile/x")
    assert pushed.removed == ("d/gone", "gone")
    assert await paths(place) == {".buckignore", "a", "d/.textile/x", *there}
    again = await place.client.buckets.push_tree(place.ctx, place.key, "", folder, ignore=None)
    assert again.removed == ("build/a", "d/x.log")
    assert await paths(place) == {
        ".buckignore", "a", "build/mine", "d/.DS_Store", "d/.textile/x", "e/f.buckpatch", "keep.log",
    }  # fmt: skip


async def test_directories_that_become_empty_go_with_their_files(place: Place, folder: Path) -> None:
    await place.push(a=b"1", kept__x=b"2", emptied__y=b"3")
    await place.pull(folder)
    await place.client.buckets.remove_path(place.ctx, place.key, "emptied/y")  # the directory stays there
    (folder / ".buckignore").write_text("*.log\n")
    write(folder, "d/e/f/g", "d/e/h", "kept/more/z", "logs/a.log", "logs/b")
    (folder / "mine").mkdir()
    await place.pull(folder, delete=True)
    left = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
    assert left == {"a", "kept", "kept/x", "emptied", "logs", "logs/a.log", "mine"}


@pytest.mark.parametrize("place", ["public"], indirect=True)
async def test_a_block_that_was_given_back_meanwhile_costs_a_whole_push(place: Place) -> None:
    content = os.urandom(3 * CHUNK_SIZE)

    async def known(_: Any, window: list[bytes]) -> dict[int, bytes]:
        return dict(enumerate(push._leaves(window)))

    buckets = place.client.buckets
    with patch.object(push._ResumingUpload, "_known", known):
        await buckets.push_path(place.ctx, place.key, "f", content, resume=True)
        with pytest.raises(FailedPrecondition, match="is not here"):
            other = os.urandom(CHUNK_SIZE)
            await buckets.push_path(place.ctx, place.key, "g", iter_of(other), resume=True)
    pulled = b"".join([chunk async for chunk in buckets.pull_path(place.ctx, place.key, "f")])
    assert pulled == content


async def iter_of(content: bytes) -> AsyncIterator[bytes]:
    yield content


@pytest.mark.parametrize("place", ["private"], indirect=True)
async def test_a_push_of_many_files_seals_each_directory_once(place: Place) -> None:
    sealed: list[int] = []
    seal = DirectorySeal.seal

    def counted(self: DirectorySeal, block: Block) -> Block:
        sealed.append(len(block.data))
        return seal(self, block)

    with patch.object(DirectorySeal, "seal", counted):
        await place.client.buckets.push_files(
            place.ctx, place.key, {f"{n % 3}/{n}": b"%d" % n for n in range(60)}
        )
    assert len(sealed) == 4
    assert len(await paths(place)) == 60


def test_the_paths_of_a_push_are_counted_in_bytes() -> None:
    wide = {"ü" * 200 + str(n): b"" for n in range(3_000)}
    assert sum(map(len, wide)) < push._LONGEST_LIST
    assert push._known_paths(wide) == []
    assert len(push._known_paths({"u" * 200 + str(n): b"" for n in range(3_000)})) == 3_000
