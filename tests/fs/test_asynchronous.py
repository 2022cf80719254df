"""Coroutines on a running loop, and blocking calls beside one."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import pytest

import textile_aio
from textile_aio import ClosedError, InvalidInput
from textile_aio.fs import BucketFileSystem

CONTENT = os.urandom(700_000)


async def test_coroutines_run_on_the_running_loop(options: dict[str, Any], key: str) -> None:
    fs = BucketFileSystem(**options, asynchronous=True)
    await fs._pipe_file(f"{key}/a", CONTENT)
    assert await fs._cat_file(f"{key}/a", 10, 20) == CONTENT[10:20]
    assert [info["name"] for info in await fs._ls(key)] == [f"{key}/a"]
    await fs._mv(f"{key}/a", f"{key}/b/a")
    await fs._cp_file(f"{key}/b/a", f"{key}/c")
    await fs._rm(f"{key}/b", recursive=True)
    assert await fs._find(key) == [f"{key}/c"]
    await fs.aclose()


async def test_files_are_read_and_written_by_coroutines(options: dict[str, Any], key: str) -> None:
    fs = BucketFileSystem(**options, asynchronous=True)
    async with await fs.open_async(f"{key}/a", "wb", block_size=100_000) as file:
        for start in range(0, len(CONTENT), 70_000):
            await file.write(CONTENT[start : start + 70_000])
        assert not await fs._exists(f"{key}/a")
    async with await fs.open_async(f"{key}/a", "ab") as file:
        await file.write(b"more")
    async with await fs.open_async(f"{key}/a") as file:
        assert await file.read(10) == CONTENT[:10]
        file.seek(600_000)
        assert await file.read() == CONTENT[600_000:] + b"more"
    with pytest.raises(FileExistsError):
        await fs.open_async(f"{key}/a", "xb")
    async with await fs.open_async(f"{key}/new", "xb") as file:
        await file.write(b"new")
    assert await fs._cat_file(f"{key}/new") == b"new"
    await fs.aclose()


async def test_a_cancelled_writer_leaves_the_old_file(options: dict[str, Any], key: str) -> None:
    fs = BucketFileSystem(**options, asynchronous=True)
    await fs._pipe_file(f"{key}/a", b"old")
    writing = asyncio.Event()

    async def write() -> None:
        async with await fs.open_async(f"{key}/a", "wb", block_size=100_000) as file:
            await file.write(CONTENT)
            writing.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(write())
    await writing.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await fs._cat_file(f"{key}/a") == b"old"
    await fs.aclose()


async def test_transactions_are_awaited(options: dict[str, Any], key: str) -> None:
    fs = BucketFileSystem(**options, asynchronous=True)
    async with fs.transaction:
        async with await fs.open_async(f"{key}/a", "wb") as file:
            await file.write(b"a")
        await fs._pipe_file(f"{key}/b", b"b")
        assert await fs._find(key) == []
    assert await fs._find(key) == [f"{key}/a", f"{key}/b"]
    await fs.aclose()


async def test_blocking_calls_work_where_a_loop_is_running(fs: BucketFileSystem, key: str) -> None:
    with fs.open(f"{key}/a", "wb") as file:
        file.write(CONTENT)
    assert fs.cat_file(f"{key}/a") == CONTENT


async def test_a_client_that_is_open_is_used_and_stays_open(options: dict[str, Any], key: str) -> None:
    async with textile_aio.connect(options["target"]) as hub:
        fs = BucketFileSystem(client=hub, ctx=options["ctx"], asynchronous=True)
        await fs._pipe_file(f"{key}/a", b"a")
        await fs.aclose()
        assert await hub.buckets.root(options["ctx"], key)
        other = BucketFileSystem(client=hub, ctx=options["ctx"], asynchronous=True)
        assert other is not fs
    with pytest.raises(ClosedError):
        await fs._cat_file(f"{key}/a")
    with pytest.raises(InvalidInput, match="asynchronous"):
        BucketFileSystem(client=hub, ctx=options["ctx"])


def test_each_loop_has_a_connection_of_its_own(options: dict[str, Any], key: str) -> None:
    fs = BucketFileSystem(**options, asynchronous=True)
    asyncio.run(fs._pipe_file(f"{key}/a", b"a"))  # the loop's end closes the connection
    assert asyncio.run(fs._cat_file(f"{key}/a")) == b"a"


def test_a_closed_file_system_opens_again(fs: BucketFileSystem, key: str) -> None:
    fs.pipe_file(f"{key}/a", b"a")
    fs.close()
    fs.close()
    assert fs.cat_file(f"{key}/a") == b"a"


async def test_a_hub_that_is_not_there_is_a_connection_error_each_time(options: dict[str, Any]) -> None:
    fs = BucketFileSystem(target="127.0.0.1:1", ctx=options["ctx"], asynchronous=True)
    for _ in range(2):
        with pytest.raises(ConnectionError):
            await fs._pipe_file("key/a", b"")
    await fs.aclose()


async def test_a_target_that_cannot_be_is_refused_each_time(options: dict[str, Any]) -> None:
    fs = BucketFileSystem(target="no target:at all", ctx=options["ctx"], asynchronous=True)
    for _ in range(2):
        with pytest.raises(InvalidInput):
            await fs._ls("")
    await fs.aclose()
