"""Folders into buckets and out of them, verified and resumed transfers, and reading at any place."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from textile_aio import AuthContext, HubClient, Identity, Progress, connect
from textile_aio._proto.api.bucketsd import pb
from textile_aio._rpc.stream import Stream
from textile_aio.buckets import push as pushing
from textile_aio.errors import (
    Aborted,
    ClosedError,
    IntegrityError,
    InvalidInput,
    InvalidPath,
    InvalidSource,
    NonFastForward,
    NotADirectory,
    StatusCode,
    Unavailable,
)
from textile_aio.localhub import HubSettings, LocalHub
from textile_aio.localhub.buckets.pushing import Push

SEED = ".textileseed"


class Place:
    def __init__(self, hub: LocalHub, client: HubClient, ctx: AuthContext, key: str) -> None:
        self.hub = hub
        self.client = client
        self.buckets = client.buckets
        self.ctx = ctx
        self.key = key

    async def files(self) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        async for item in self.buckets.list_tree(self.ctx, self.key):
            path = item.relative_path
            if not item.is_dir and path != SEED:
                found[path] = b"".join([c async for c in self.buckets.pull_path(self.ctx, self.key, path)])
        return found


@pytest.fixture(params=["public", "private"])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    async with (
        LocalHub.open(tmp_path / "hub", HubSettings(mode="buckd", port=0)) as hub,
        connect(hub.target) as client,
    ):
        ctx = await client.threads.authorize(AuthContext(), Identity.generate())
        ctx = ctx.with_thread(await client.threads.new_db(ctx))
        bucket = await client.buckets.create(ctx, "b", private=request.param == "private")
        yield Place(hub, client, ctx, bucket.key)


def fill(folder: Path, **files: bytes) -> Path:
    for name, content in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


async def test_a_folder_goes_in_and_comes_out(place: Place, tmp_path: Path) -> None:
    folder = fill(tmp_path / "in", a=b"1", d__b=os.urandom(700_000), d__e__c=b"", odd=b"x")
    pushed = await place.buckets.push_tree(place.ctx, place.key, "site", folder)
    assert pushed.pushed == ("a", "d/b", "d/e/c", "odd")
    assert pushed.root.cid == (await place.buckets.root(place.ctx, place.key)).cid
    pulled = await place.buckets.pull_tree(place.ctx, place.key, "site", tmp_path / "out")
    assert pulled.pulled == pushed.pushed
    assert contents(tmp_path / "out") == contents(folder)
    assert pulled.root == pushed.root.cid


async def test_only_what_differs_is_sent_and_fetched(place: Place, tmp_path: Path) -> None:
    folder = fill(tmp_path / "in", a=b"1", d__b=b"2", d__c=b"3", gone__x=b"4")
    await place.buckets.push_tree(place.ctx, place.key, "", folder)
    out = tmp_path / "out"
    await place.buckets.pull_tree(place.ctx, place.key, "", out)
    fill(folder, d__b=b"new", more=b"5")
    (folder / "gone" / "x").unlink()
    is_private = bool((await place.buckets.root(place.ctx, place.key)).link_key)
    pushed = await place.buckets.push_tree(place.ctx, place.key, "", folder)
    if is_private:
        assert pushed.pushed == ("a", "d/b", "d/c", "more")
    else:
        assert (pushed.pushed, pushed.unchanged) == (("d/b", "more"), 2)
    assert pushed.removed == ("gone",)
    assert await place.files() == {"a": b"1", "d/b": b"new", "d/c": b"3", "more": b"5"}
    pulled = await place.buckets.pull_tree(place.ctx, place.key, "", out, delete=True)
    assert pulled.removed == ("gone/x",)
    assert contents(out) == contents(folder)
    if not is_private:
        again = await place.buckets.push_tree(place.ctx, place.key, "", folder)
        assert (again.pushed, again.removed, again.unchanged) == ((), (), 4)
        assert again.root == pushed.root


async def test_files_and_folders_take_each_others_place(place: Place, tmp_path: Path) -> None:
    folder = fill(tmp_path / "in", a__x=b"1", b=b"2")
    await place.buckets.push_tree(place.ctx, place.key, "", folder)
    other = fill(tmp_path / "other", a=b"file", b__y=b"folder")
    await place.buckets.push_tree(place.ctx, place.key, "", other)
    assert await place.files() == {"a": b"file", "b/y": b"folder"}


async def test_a_push_that_fails_leaves_the_old_root(place: Place, tmp_path: Path) -> None:
    folder = fill(tmp_path / "in", a=b"1", b=b"2")
    first = await place.buckets.push_tree(place.ctx, place.key, "", folder)
    fill(folder, a=b"changed", c=b"x" * 1_000_000)

    def fail(progress: Progress) -> None:
        if progress.path == "c":
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await place.buckets.push_tree(place.ctx, place.key, "", folder, progress=fail)
    assert (await place.buckets.root(place.ctx, place.key)).cid == first.root.cid
    with pytest.raises(NonFastForward):
        await place.buckets.push_tree(
            place.ctx, place.key, "", folder, root=str((await place.buckets.create(place.ctx)).root.cid)
        )


async def test_the_ignore_file_and_links_are_left_out(place: Place, tmp_path: Path) -> None:
    folder = fill(tmp_path / "in", a=b"1", build__x=b"2", keep__y__log=b"3", z__keep=b"4")
    (folder / ".buckignore").write_text("build/\n*log\n# no\n!important.log\n")
    fill(folder, **{"important.log": b"5", ".textile__config": b"6", "c.buckpatch": b"7", SEED: b"8"})
    (folder / "link").symlink_to(tmp_path)
    pushed = await place.buckets.push_tree(place.ctx, place.key, "", folder)
    assert pushed.pushed == (".buckignore", "a", "important.log", "z/keep")
    assert pushed.skipped == ("link",)
    everything = await place.buckets.push_tree(place.ctx, place.key, "", folder, ignore=None)
    assert "build/x" in everything.pushed


async def test_folders_that_cannot_be_pushed(place: Place, tmp_path: Path) -> None:
    with pytest.raises(InvalidSource):
        await place.buckets.push_tree(place.ctx, place.key, "", tmp_path / "missing")
    folder = fill(tmp_path / "in", a=b"1")
    (folder / os.fsdecode(b"\xff")).write_bytes(b"")
    with pytest.raises(InvalidPath, match="udcff"):
        await place.buckets.push_tree(place.ctx, place.key, "", folder)
    await place.buckets.push_path(place.ctx, place.key, "f", b"1")
    with pytest.raises(NotADirectory):
        await place.buckets.pull_tree(place.ctx, place.key, "f", tmp_path / "out")
    assert not (tmp_path / "out").exists()


async def test_nothing_is_written_outside_the_folder(place: Place, tmp_path: Path) -> None:
    outside = fill(tmp_path / "outside", secret=b"1")
    out = fill(tmp_path / "out", a=b"1")
    (out / "d").symlink_to(outside)
    await place.buckets.push_path(place.ctx, place.key, "d/secret", b"overwritten")
    with pytest.raises(InvalidPath, match="written through links"):
        await place.buckets.pull_tree(place.ctx, place.key, "", out)
    assert contents(outside) == {"secret": b"1"}


async def test_progress_is_told_of_each_and_of_all(place: Place, tmp_path: Path) -> None:
    folder = fill(tmp_path / "in", a=b"1" * 1000, b=b"2" * 600_000)
    told: list[Progress] = []
    await place.buckets.push_tree(place.ctx, place.key, "", folder, progress=told.append)
    whole = [each.done for each in told if not each.path]
    assert whole == sorted(whole)
    assert whole[-1] == 601_000
    assert {each.path for each in told} == {"", "a", "b"}
    assert [each.total for each in told if not each.path][-1] == 601_000


async def test_a_file_is_read_at_any_place(place: Place) -> None:
    content = os.urandom(1_000_000)
    await place.buckets.push_path(place.ctx, place.key, "f", content)
    async with place.buckets.open(place.ctx, place.key, "f") as file:
        assert file.size == len(content)
        for at, size in ((0, 10), (500_000, 300_000), (999_990, 100), (1_000_000, 5), (262_143, 2), (3, 0)):
            await file.seek(at)
            assert await file.read(size) == content[at : at + size]
            assert file.tell() == min(at + size, max(at, len(content)))
        assert await file.seek(-5, os.SEEK_END) == 999_995
        assert await file.read() == content[-5:]
        buffer = bytearray(7)
        await file.seek(2)
        assert (await file.readinto(buffer), bytes(buffer)) == (7, content[2:9])
        with pytest.raises(InvalidInput):
            await file.seek(-1)
        await place.buckets.push_path(place.ctx, place.key, "f", os.urandom(1_000_000))
        await file.seek(600_000)
        with pytest.raises(Aborted):
            await file.read(10)
    with pytest.raises(ClosedError):
        await file.read(1)


async def test_a_pull_that_breaks_goes_on_where_it_broke(place: Place) -> None:
    content = os.urandom(1_500_000)
    await place.buckets.push_path(place.ctx, place.key, "f", content)
    asked: list[int] = []
    real = Stream.recv
    begin = pb.PullPathRequest.__init__

    def noted(self: pb.PullPathRequest, *args: object, **kwargs: object) -> None:
        asked.append(int(str(kwargs.get("offset", 0))))
        begin(self, *args, **kwargs)  # type: ignore[arg-type]

    replies = 0

    async def breaking(self: Stream[object, object]) -> object:
        nonlocal replies
        reply = await real(self)
        if isinstance(reply, pb.PullPathResponse):
            replies += 1
            if replies in (3, 6):
                raise Unavailable("cut")
        return reply

    with patch.object(Stream, "recv", breaking), patch.object(pb.PullPathRequest, "__init__", noted):
        pulled = b"".join([c async for c in place.buckets.pull_path(place.ctx, place.key, "f")])
    assert pulled == content
    assert len({each for each in asked if each}) == 2


async def test_a_pull_does_not_go_on_in_another_file(place: Place) -> None:
    await place.buckets.push_path(place.ctx, place.key, "f", os.urandom(600_000))
    real = Stream.recv
    replies = 0

    async def breaking(self: Stream[object, object]) -> object:
        nonlocal replies
        reply = await real(self)
        if isinstance(reply, pb.PullPathResponse):
            replies += 1
            if replies == 2:
                await place.buckets.push_path(place.ctx, place.key, "f", os.urandom(600_000))
                raise Unavailable("cut")
        return reply

    with patch.object(Stream, "recv", breaking), pytest.raises(Aborted, match="was changed"):
        _ = [c async for c in place.buckets.pull_path(place.ctx, place.key, "f")]


@pytest.mark.parametrize("size", [0, 1, 262_144, 262_145, 3_000_000])
async def test_what_comes_is_verified(place: Place, size: int) -> None:
    is_private = bool((await place.buckets.root(place.ctx, place.key)).link_key)
    content = os.urandom(size)
    await place.buckets.push_path(place.ctx, place.key, "f", content)
    assert b"".join([c async for c in place.buckets.pull_path(place.ctx, place.key, "f")]) == content
    if not size or is_private:
        return
    real = Stream.recv

    async def altering(self: Stream[object, object]) -> object:
        reply = await real(self)
        if isinstance(reply, pb.PullPathResponse):
            altered = bytearray(reply.chunk)
            altered[0] ^= 1
            return pb.PullPathResponse(chunk=bytes(altered))
        return reply

    with patch.object(Stream, "recv", altering):
        with pytest.raises(IntegrityError, match=r"the content that came is b\w+, where the bucket has b"):
            _ = [c async for c in place.buckets.pull_path(place.ctx, place.key, "f")]
        unverified = [c async for c in place.buckets.pull_path(place.ctx, place.key, "f", verify=False)]
    assert len(b"".join(unverified)) == size


async def test_a_broken_push_is_resumed(place: Place, tmp_path: Path) -> None:
    is_private = bool((await place.buckets.root(place.ctx, place.key)).link_key)
    content = os.urandom(40 * 262_144 + 5)

    async def fail(self: Push, path: str) -> None:
        raise Unavailable("the hub breaks off", code=StatusCode.UNAVAILABLE)

    with patch.object(Push, "finish", fail), pytest.raises(Unavailable):
        await place.buckets.push_path(place.ctx, place.key, "f", content, resume=True)
    assert await place.files() == {}
    file = tmp_path / "file"
    file.write_bytes(content)
    first, second = _Counter(), _Counter()
    with first:
        await place.buckets.push_path(place.ctx, place.key, "f", file, resume=True)
    with second:
        await place.buckets.push_path(place.ctx, place.key, "g", content, resume=True)
    assert await place.files() == {"f": content, "g": content}
    if is_private:
        assert first.chunks == second.chunks == 41
    else:
        assert first.chunks <= 10  # the last leaves were still on their way into the store
        assert second.chunks == 1


class _Counter:
    """Counts the chunks of content that a push sends."""

    def __init__(self) -> None:
        self.chunks = 0
        self._patch = patch.object(pushing, "_window_messages", self._counted)
        self._real = pushing._window_messages

    def __enter__(self) -> None:
        self._patch.start()

    def __exit__(self, *_: object) -> None:
        self._patch.stop()

    def _counted(self, *args: Any) -> Iterator[pb.PushPathRequest]:
        for message in self._real(*args):
            self.chunks += message.leaves is None
            yield message
