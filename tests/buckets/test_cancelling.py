"""Cancelling a push or a pull at any of its steps leaves nothing: no task, no open file, no file aside."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from tests.buckets.fakebucket import KEY, FakeBucket
from tests.buckets.test_pull import FakeFile
from tests.fakehub import CTX, connected
from tests.rpc.leaks import descriptors, nothing_left
from textile_aio.buckets.sources import CHUNK_SIZE

STEPS = range(60)


async def cancelled_after(steps: int, work: Coroutine[Any, Any, object]) -> bool:
    """Run work for some rounds of the event loop, then cancel it; True if it was not done by then."""
    task = asyncio.create_task(work)
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        return True
    return False


async def closed(folder: Path) -> None:
    """Wait for the worker threads that have files of the folder open."""
    while any(str(folder) in entry for entry in descriptors()):  # noqa: ASYNC110 - threads close them
        await asyncio.sleep(0)


@pytest.mark.parametrize("many", [False, True], ids=["push_path", "push_files"])
async def test_a_push_of_files_can_be_cancelled_anywhere(tmp_path: Path, many: bool) -> None:
    fake, file, cut = FakeBucket(), tmp_path / "f", 0
    file.write_bytes(bytes(3 * CHUNK_SIZE + 1))
    async with nothing_left(), connected(fake) as hub:
        for steps in STEPS:
            work: Coroutine[Any, Any, object]
            if many:
                work = hub.buckets.push_files(CTX, KEY, {"a": file, "b": file})
            else:
                work = hub.buckets.push_path(CTX, KEY, "a", file)
            cut += await cancelled_after(steps, work)
            await closed(tmp_path)
        assert set(fake.files.values()) <= {file.read_bytes()}
        await hub.buckets.push_path(CTX, KEY, "last", file)
    assert cut > 5
    assert fake.files["last"] == file.read_bytes()


async def test_a_pull_into_a_file_can_be_cancelled_anywhere(tmp_path: Path) -> None:
    content, target, cut = bytes(3_000_000), tmp_path / "f", 0
    async with nothing_left(), connected(FakeFile(*[content[:250_000]] * 12)) as hub:
        for steps in STEPS:
            target.write_bytes(b"old")
            cut += await cancelled_after(steps, hub.buckets.pull_to(CTX, KEY, "a", target))
            await closed(tmp_path)
            assert list(tmp_path.iterdir()) == [target]
            assert target.read_bytes() in (b"old", content)
        assert await hub.buckets.pull_to(CTX, KEY, "a", target) == len(content)
    assert cut > 5
    assert target.read_bytes() == content
