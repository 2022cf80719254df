"""Pushing several files over one stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError
from grpclib.server import Stream

from tests.buckets.fakebucket import KEY, NON_FAST_FORWARD, FakeBucket, root_message
from tests.buckets.test_push import Endless
from tests.fakehub import CTX, connected
from tests.rpc.leaks import descriptors, nothing_left
from textile_aio import (
    InvalidInput,
    InvalidPath,
    InvalidSource,
    NonFastForward,
    Progress,
    ProtocolError,
    Source,
    WriteDenied,
)
from textile_aio._proto.api.bucketsd import pb
from textile_aio.buckets import _methods
from textile_aio.buckets.sources import CHUNK_SIZE, SMALL_FILE

FILES = {"a.txt": b"a", "dir/big": bytes(CHUNK_SIZE + 1), "empty": b""}


async def test_files_come_back_as_they_are_completed() -> None:
    fake = FakeBucket()
    async with connected(fake) as hub, hub.buckets.push_paths(CTX, KEY, FILES) as push:
        pushed = [file async for file in push]
    assert fake.files == FILES
    assert [file.path for file in pushed] == list(FILES)
    assert [file.size for file in pushed] == [1, CHUNK_SIZE + 1, 0]


async def test_paths_that_are_known_are_said_beforehand_and_clean() -> None:
    fake = FakeBucket()
    pairs = [("/a", b"1"), ("b", b"2")]
    async with connected(fake) as hub:
        await hub.buckets.push_files(CTX, KEY, pairs, root="/ipfs/x")
        await hub.buckets.push_files(CTX, KEY, iter([("c", b"3")]))
    assert fake.headers == [
        pb.PushPathsRequestHeader(key=KEY, root="/ipfs/x", paths=["a", "b"]),
        pb.PushPathsRequestHeader(key=KEY),
    ]


async def test_the_one_call_form_gives_the_final_root() -> None:
    fake = FakeBucket()
    async with connected(fake) as hub:
        assert (await hub.buckets.push_files(CTX, KEY, FILES)).path == root_message(3).path


async def test_without_files_the_root_is_as_it_was() -> None:
    fake = FakeBucket()
    async with connected(fake) as hub:
        assert (await hub.buckets.push_files(CTX, KEY, {})).path == root_message(9).path
    assert fake.files == {}


async def test_files_of_any_size_are_pushed_as_they_are_from_whatever_holds_them(tmp_path: Path) -> None:
    sizes = [0, 1, SMALL_FILE - 1, SMALL_FILE, SMALL_FILE + 1, CHUNK_SIZE, CHUNK_SIZE + 1, *range(200)]
    contents = {f"{number:03}": bytes([number % 251]) * size for number, size in enumerate(sizes)}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    sources = {name: tmp_path / name for name in contents}
    for items in (sources, list(sources.items()), tuple(sources.items()), iter(sources.items())):
        fake = FakeBucket()
        async with nothing_left(), connected(fake) as hub:
            await hub.buckets.push_files(CTX, KEY, items)
        assert fake.files == contents


async def test_a_missing_file_ends_the_push_when_its_turn_comes(tmp_path: Path) -> None:
    fake = FakeBucket()
    (tmp_path / "a").write_bytes(b"a")
    files = {"a": tmp_path / "a", "b": tmp_path / "b", "c": tmp_path / "a"}
    async with connected(fake) as hub:
        with pytest.raises(InvalidSource, match="No such file"):
            await hub.buckets.push_files(CTX, KEY, files)
    assert set(fake.files) <= {"a"}


async def test_sources_are_open_one_at_a_time(tmp_path: Path) -> None:
    fake = FakeBucket()
    for number in range(20):
        (tmp_path / str(number)).write_bytes(bytes(number))

    def items() -> Iterator[tuple[str, Source]]:
        for file in sorted(tmp_path.iterdir()):
            assert not any(str(tmp_path) in entry for entry in descriptors())
            yield file.name, file

    async with nothing_left(), connected(fake) as hub:
        await hub.buckets.push_files(CTX, KEY, items())
    assert fake.files == {str(number): bytes(number) for number in range(20)}


async def test_items_may_come_from_an_async_iterator_that_is_closed() -> None:
    fake = FakeBucket()
    closed = False

    async def items() -> AsyncIterator[tuple[str, Source]]:
        nonlocal closed
        try:
            for number in range(1000):
                await asyncio.sleep(0)
                yield f"f{number}", b"x"
        finally:
            for _ in range(50):  # closing takes its time, and is waited for
                await asyncio.sleep(0)
            closed = True

    async with nothing_left(), connected(fake) as hub:
        async with hub.buckets.push_paths(CTX, KEY, items()) as push:
            async for _ in push:
                break
        assert closed
        await fake.broken.wait()
    assert len(fake.files) < 1000


async def test_progress_counts_the_bytes_of_each_file() -> None:
    fake = FakeBucket()
    steps: list[Progress] = []
    async with connected(fake) as hub:
        await hub.buckets.push_files(CTX, KEY, FILES, progress=steps.append)
    assert steps == [
        Progress("a.txt", done=1, total=1),
        Progress("dir/big", done=CHUNK_SIZE, total=CHUNK_SIZE + 1),
        Progress("dir/big", done=CHUNK_SIZE + 1, total=CHUNK_SIZE + 1),
    ]


async def test_a_source_that_raises_is_no_end_of_file() -> None:
    fake, source = FakeBucket(), Endless(fail_after=2)
    async with nothing_left(), connected(fake) as hub:
        with pytest.raises(KeyError, match="the source's own"):
            await hub.buckets.push_files(CTX, KEY, {"good": b"x", "bad": source, "never": b"y"})
        await fake.broken.wait()
    assert source.closed
    assert "bad" not in fake.files
    assert "never" not in fake.files


async def test_a_missing_file_ends_the_push(tmp_path: Path) -> None:
    fake = FakeBucket()
    async with nothing_left(), connected(fake) as hub:
        with pytest.raises(InvalidSource, match="No such file"):
            await hub.buckets.push_files(CTX, KEY, {"good": b"x", "bad": tmp_path / "missing"})
        await fake.broken.wait()


async def test_a_path_can_be_pushed_once_in_a_push() -> None:
    fake = FakeBucket()
    async with connected(fake) as hub:
        with pytest.raises(InvalidPath, match="once"):
            await hub.buckets.push_files(CTX, KEY, [("a", b"1"), ("/a", b"2")])


async def test_items_that_are_no_pairs_are_refused() -> None:
    fake = FakeBucket()
    async with connected(fake) as hub:
        with pytest.raises(InvalidInput, match="pairs"):
            hub.buckets.push_paths(CTX, KEY, ["a", "b"])  # type: ignore[list-item]
        with pytest.raises(InvalidInput, match="enter the push"):
            await anext(aiter(hub.buckets.push_paths(CTX, KEY, {})))


async def test_cancelling_the_caller_tells_the_hub() -> None:
    fake, source = FakeBucket(), Endless()
    async with nothing_left(), connected(fake) as hub:
        task = asyncio.create_task(hub.buckets.push_files(CTX, KEY, {"a": source}))
        await fake.begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await fake.broken.wait()
    assert source.closed


async def test_an_error_in_the_block_gives_the_push_up() -> None:
    fake, source = FakeBucket(), Endless()
    async with nothing_left(), connected(fake) as hub:
        with pytest.raises(ZeroDivisionError):
            async with hub.buckets.push_paths(CTX, KEY, {"a": source}):
                await fake.begun.wait()
                raise ZeroDivisionError
        await fake.broken.wait()
    assert source.closed


async def test_a_save_denied_at_the_end_is_an_error_though_files_were_taken() -> None:
    fake = FakeBucket()

    async def deny(stream: Stream[Any, Any]) -> None:
        await fake.push_paths(stream)
        raise GRPCError(Status.UNKNOWN, "saving bucket: app denied net record body: permission denied")

    fake.on(_methods.PUSH_PATHS, deny)
    taken = []
    async with connected(fake) as hub:
        with pytest.raises(WriteDenied):
            async with hub.buckets.push_paths(CTX, KEY, FILES) as push:
                async for file in push:
                    taken.append(file.path)  # noqa: PERF401 - those before the error count
    assert taken == list(FILES)


async def test_another_root_is_refused_with_both_roots_named() -> None:
    fake = FakeBucket()

    async def refuse(stream: Stream[Any, Any]) -> None:
        await stream.recv_message()
        raise NON_FAST_FORWARD

    fake.on(_methods.PUSH_PATHS, refuse)
    async with nothing_left(), connected(fake) as hub:
        with pytest.raises(NonFastForward) as caught:
            await hub.buckets.push_files(CTX, KEY, {"a": Endless()}, root="/ipfs/stale")
    assert (caught.value.expected, caught.value.actual) == ("/ipfs/stale", root_message(9).path)


async def test_a_hub_that_leaves_a_file_out_is_caught() -> None:
    fake = FakeBucket()

    async def forgetful(stream: Stream[Any, Any]) -> None:
        async for _ in stream:
            pass

    fake.on(_methods.PUSH_PATHS, forgetful)
    async with connected(fake) as hub:
        with pytest.raises(ProtocolError, match="before all files were complete"):
            await hub.buckets.push_files(CTX, KEY, FILES)


async def test_items_are_closed_when_one_of_them_is_refused() -> None:
    closed = False

    async def items() -> AsyncIterator[tuple[str, Source]]:
        nonlocal closed
        try:
            yield "good", b"x"
            yield "../bad", b"y"
        finally:
            for _ in range(50):  # closing takes its time, and is waited for
                await asyncio.sleep(0)
            closed = True

    async with nothing_left(), connected(FakeBucket()) as hub:
        with pytest.raises(InvalidPath):
            await hub.buckets.push_files(CTX, KEY, items())
        assert closed
