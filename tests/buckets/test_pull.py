"""Pulling a file: as chunks, and into a file that is whole or not there."""

from __future__ import annotations

import asyncio
import gc
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError
from grpclib.server import Stream

from tests.buckets.fakebucket import KEY
from tests.fakehub import CTX, FakeHub, connected
from tests.rpc.leaks import nothing_left
from textile_aio import InvalidPath, PathNotFound, Progress
from textile_aio._proto.api.bucketsd import pb
from textile_aio.buckets import _methods


class FakeFile(FakeHub):
    """Serves chunks, then goes on as told. ``broken`` is set when a call was cut off."""

    def __init__(self, *chunks: bytes, then: GRPCError | None = None, wait: bool = False) -> None:
        super().__init__()
        self.chunks = chunks
        self.then = then
        self.wait = wait
        self.requests: list[Any] = []
        self.broken = asyncio.Event()
        self.on(_methods.PULL_PATH, self.serve)

    async def serve(self, stream: Stream[Any, Any]) -> None:
        self.requests.append(await stream.recv_message())
        try:
            for chunk in self.chunks:
                await stream.send_message(pb.PullPathResponse(chunk=chunk))
            if self.wait:
                await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.broken.set()
            raise
        if self.then is not None:
            raise self.then


GONE = GRPCError(Status.UNKNOWN, 'no link named "a" under bafy')


async def test_chunks_come_as_bytes_whatever_their_size() -> None:
    chunks = (b"x", bytes(300_000), b"", b"end")
    fake = FakeFile(*chunks)
    steps: list[Progress] = []
    async with nothing_left(), connected(fake) as hub:
        pulled = [chunk async for chunk in hub.buckets.pull_path(CTX, KEY, "/dir/a", progress=steps.append)]
    assert pulled == [b"x", bytes(300_000), b"end"]
    assert all(type(chunk) is bytes for chunk in pulled)
    assert fake.requests == [pb.PullPathRequest(key=KEY, path="dir/a")]
    assert fake.metadata[0]["textile-aio-chunk-size"] == "262144"
    assert steps == [Progress("dir/a", done=done, total=None) for done in (1, 300_001, 300_004)]


async def test_an_empty_file_is_no_chunk() -> None:
    async with connected(FakeFile()) as hub:
        assert [chunk async for chunk in hub.buckets.pull_path(CTX, KEY, "a")] == []


async def test_nothing_is_asked_before_the_first_chunk_is() -> None:
    fake = FakeFile(b"x")
    async with connected(fake) as hub:
        pull = hub.buckets.pull_path(CTX, KEY, "a")
        await pull.aclose()
        with pytest.raises(InvalidPath):
            hub.buckets.pull_path(CTX, KEY, "")
    assert fake.called == []


async def test_an_error_midway_follows_the_chunks_before_it() -> None:
    got = []
    async with nothing_left(), connected(FakeFile(b"one", b"two", then=GONE)) as hub:
        with pytest.raises(PathNotFound) as caught:
            async for chunk in hub.buckets.pull_path(CTX, KEY, "a"):
                got.append(chunk)  # noqa: PERF401 - those before the error count
    assert got == [b"one", b"two"]
    assert caught.value.about == "a"


async def test_leaving_the_block_early_tells_the_hub() -> None:
    fake = FakeFile(b"one", wait=True)
    async with nothing_left(), connected(fake) as hub:
        async with hub.buckets.pull_path(CTX, KEY, "a") as pull:
            async for _ in pull:
                break
        await fake.broken.wait()


async def test_a_pull_that_is_forgotten_is_given_up_when_collected() -> None:
    fake = FakeFile(b"one", wait=True)
    async with nothing_left(), connected(fake) as hub:
        async for _ in hub.buckets.pull_path(CTX, KEY, "a"):
            break
        gc.collect()
        await fake.broken.wait()


async def test_cancelling_the_reader_tells_the_hub() -> None:
    fake, first = FakeFile(b"one", wait=True), asyncio.Event()

    async def read() -> None:
        async for _ in hub.buckets.pull_path(CTX, KEY, "a"):
            first.set()

    async with nothing_left(), connected(fake) as hub:
        task = asyncio.create_task(read())
        await first.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await fake.broken.wait()


async def test_a_file_is_written_whole(tmp_path: Path) -> None:
    chunks = [bytes([number]) * 200_000 for number in range(12)]
    target = tmp_path / "copy"
    async with nothing_left(), connected(FakeFile(*chunks)) as hub:
        assert await hub.buckets.pull_to(CTX, KEY, "a", target) == 2_400_000
    assert target.read_bytes() == b"".join(chunks)
    assert os.listdir(tmp_path) == ["copy"]  # noqa: PTH208 - names are all that matters


async def test_a_new_file_has_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    async with connected(FakeFile(b"x")) as hub:
        await hub.buckets.pull_to(CTX, KEY, "a", tmp_path / "copy")
    assert (tmp_path / "copy").stat().st_mode == (tmp_path / "other").stat().st_mode


async def test_a_file_that_is_replaced_keeps_permissions_and_links(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_bytes(b"old")
    real.chmod(0o640)
    link.symlink_to(real)
    async with connected(FakeFile(b"new")) as hub:
        await hub.buckets.pull_to(CTX, KEY, "a", link)
    assert link.is_symlink()
    assert real.read_bytes() == b"new"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


def _fail(_: Progress) -> None:
    raise KeyError("enough")


@pytest.mark.parametrize(
    ("fake", "progress", "error"),
    [
        (lambda: FakeFile(bytes(2_000_000), b"tail", then=GONE), None, PathNotFound),
        (lambda: FakeFile(bytes(2_000_000)), _fail, KeyError),
        (lambda: FakeFile(then=GONE), None, PathNotFound),
    ],
    ids=["hub fails midway", "progress raises", "no such path"],
)
async def test_a_failure_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, fake: Callable[[], FakeFile], progress: Any, error: type[Exception]
) -> None:
    target = tmp_path / "copy"
    target.write_bytes(b"old")
    async with nothing_left(), connected(fake()) as hub:
        with pytest.raises(error):
            await hub.buckets.pull_to(CTX, KEY, "a", target, progress=progress)
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


async def test_cancelling_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target, fake, seen = tmp_path / "copy", FakeFile(bytes(3_000_000), wait=True), asyncio.Event()
    target.write_bytes(b"old")
    async with nothing_left(), connected(fake) as hub:
        task = asyncio.create_task(hub.buckets.pull_to(CTX, KEY, "a", target, progress=lambda _: seen.set()))
        await seen.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await fake.broken.wait()
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


async def test_a_destination_that_cannot_be_is_found_before_anything_is_sent(tmp_path: Path) -> None:
    fake = FakeFile(b"x")
    async with connected(fake) as hub:
        with pytest.raises(IsADirectoryError):
            await hub.buckets.pull_to(CTX, KEY, "a", tmp_path)
        with pytest.raises(FileNotFoundError):
            await hub.buckets.pull_to(CTX, KEY, "a", tmp_path / "no" / "folder")
    assert fake.called == []
