from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import NoReturn

import pytest

from textile_aio.storage import files, packs
from textile_aio.storage.bulk import PlaceMissing
from textile_aio.storage.files import Buffer
from textile_aio.storage.packs import PackBulk
from textile_aio.storage.store import StoreClosed, StoreError, StoreFull


@pytest.fixture
async def bulk(tmp_path: Path) -> AsyncIterator[PackBulk]:
    bulk = PackBulk.open(tmp_path / "packs", open_files=4)
    yield bulk
    await bulk.close()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def place(bulk: PackBulk, *buffers: Buffer) -> str:
    writer = await bulk.create()
    await writer.write(buffers)
    await writer.commit()
    return writer.name


async def test_a_place_is_there_when_opened_again(bulk: PackBulk, tmp_path: Path) -> None:
    name = await place(bulk, b"abc")
    await bulk.close()
    again = PackBulk.open(tmp_path / "packs")
    assert await again.places() == [name]
    assert await again.read(name, [(0, 3)]) == [b"abc"]
    await again.close()


async def test_what_a_crashed_writer_left_is_removed_when_opened(bulk: PackBulk, tmp_path: Path) -> None:
    folder = tmp_path / "packs"
    name = await place(bulk, b"abc")
    (folder / f"{'0' * 32}.tmp").write_bytes(b"half")
    (folder / "notes.txt").write_bytes(b"not ours")
    again = PackBulk.open(folder)
    assert names(folder) == sorted([f"{name}.pack", "notes.txt"])
    assert await again.places() == [name]
    await again.close()


async def test_bytes_then_the_name_reach_the_disk_before_commit_returns(
    bulk: PackBulk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = []
    fsync, rename = os.fsync, Path.rename

    def note_fsync(file: int) -> None:
        steps.append(Path(f"/proc/self/fd/{file}").readlink().suffix)
        fsync(file)

    def note_rename(self: Path, target: Path) -> Path:
        steps.append("rename")
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(Path, "rename", note_rename)
    await place(bulk, b"abc")
    assert steps == [".tmp", "rename", ""]


@pytest.mark.parametrize("failing", ["fsync", "folder"])
async def test_a_commit_that_fails_leaves_no_file(
    bulk: PackBulk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    writer = await bulk.create()
    await writer.write([b"abc"])

    def fail(_: object) -> NoReturn:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(*((os, "fsync") if failing == "fsync" else (packs, "sync_folder")), fail)
    with pytest.raises(StoreError, match="Input/output"):
        await writer.commit()
    assert names(tmp_path / "packs") == []
    with pytest.raises(StoreError, match="not open"):
        await writer.write([b"d"])
    await writer.abort()


async def test_writes_that_the_system_cuts_short_are_completed(
    bulk: PackBulk, monkeypatch: pytest.MonkeyPatch
) -> None:
    writev, write = os.writev, os.write
    monkeypatch.setattr(os, "writev", lambda file, buffers: writev(file, [memoryview(buffers[0])[:2]]))
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:3]))
    parts: list[Buffer] = [b"abcdef", b"", b"ghij", bytearray(b"klmnopq")]
    name = await place(bulk, *parts)
    assert await bulk.read(name, [(0, 17)]) == [b"abcdefghijklmnopq"]


async def test_reads_that_the_system_cuts_short_are_completed(
    bulk: PackBulk, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = await place(bulk, bytes(range(100)))
    pread = os.pread
    monkeypatch.setattr(os, "pread", lambda file, size, offset: pread(file, min(size, 7), offset))
    assert await bulk.read(name, [(3, 90)]) == [bytes(range(3, 93))]


async def test_small_neighbours_are_read_with_one_call(
    bulk: PackBulk, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = os.urandom(300_000)
    name = await place(bulk, data)
    sizes = []
    pread = os.pread

    def note_pread(file: int, size: int, offset: int) -> bytes:
        sizes.append(size)
        return pread(file, size, offset)

    monkeypatch.setattr(os, "pread", note_pread)
    ranges = [
        (0, 1000),
        (1060, 1000),
        (2120, 0),
        (10_000, 5),
        (9_000, 5),
        (20_000, 100_000),
        (120_060, 100_000),
    ]
    assert await bulk.read(name, ranges) == [data[offset : offset + size] for offset, size in ranges]
    assert sizes == [2120, 5, 5, 100_000, 100_000]


async def test_no_more_files_stay_open_than_allowed(bulk: PackBulk) -> None:
    made = [await place(bulk, bytes([n])) for n in range(12)]
    held = len(names(Path("/proc/self/fd")))
    for _ in range(2):
        for n, name in enumerate(made):
            assert await bulk.read(name, [(0, 1)]) == [bytes([n])]
    assert len(names(Path("/proc/self/fd"))) - held == 4
    await bulk.close()
    assert len(names(Path("/proc/self/fd"))) <= held


async def test_a_file_in_use_outlives_its_place_among_the_open_ones(
    bulk: PackBulk, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await place(bulk, b"first")
    others = [await place(bulk, b"x") for _ in range(6)]
    reading, go = threading.Event(), threading.Event()
    pread = os.pread

    def slow(file: int, size: int, offset: int) -> bytes:
        if size == 5:
            reading.set()
            assert go.wait(10)
        return pread(file, size, offset)

    monkeypatch.setattr(os, "pread", slow)
    task = asyncio.create_task(bulk.read(first, [(0, 5)]))
    assert await asyncio.to_thread(reading.wait, 10)
    for name in others:
        await bulk.read(name, [(0, 1)])
    await bulk.delete(first)
    go.set()
    assert await task == [b"first"]
    with pytest.raises(PlaceMissing):
        await bulk.read(first, [(0, 5)])


async def test_a_cancelled_write_ends_before_its_caller_goes_on(
    bulk: PackBulk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing, go = threading.Event(), threading.Event()
    writev = os.writev

    def slow(file: int, buffers: Sequence[Buffer]) -> int:
        writing.set()
        assert go.wait(10)
        return writev(file, buffers)

    monkeypatch.setattr(os, "writev", slow)
    writer = await bulk.create()
    task = asyncio.create_task(writer.write([b"abc"]))
    assert await asyncio.to_thread(writing.wait, 10)
    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    await writer.abort()
    assert names(tmp_path / "packs") == []


async def test_closing_removes_what_is_unfinished(bulk: PackBulk, tmp_path: Path) -> None:
    writer = await bulk.create()
    await writer.write([b"abc"])
    await bulk.close()
    assert names(tmp_path / "packs") == []
    with pytest.raises(StoreClosed):
        await writer.commit()
    await writer.abort()


async def test_a_full_disk_is_said_and_leaves_room(small_disk: Path) -> None:
    bulk = PackBulk.open(small_disk / "packs")
    kept = await place(bulk, b"kept")
    writer = await bulk.create()
    with pytest.raises(StoreFull):
        for _ in range(8):
            await writer.write([os.urandom(700_000)])
    assert names(small_disk / "packs") == [f"{kept}.pack"]
    other = await place(bulk, bytes(3_000_000))
    assert await bulk.read(other, [(2_999_990, 10)]) == [bytes(10)]
    assert await bulk.read(kept, [(0, 4)]) == [b"kept"]
    await bulk.close()


def test_a_file_size_limit_counts_as_a_full_disk(tmp_path: Path) -> None:
    program = textwrap.dedent("""
        import asyncio, resource, sys
        from textile_aio.storage.packs import PackBulk
        from textile_aio.storage.store import StoreFull

        async def main():
            resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
            bulk = PackBulk.open(sys.argv[1])
            writer = await bulk.create()
            try:
                await writer.write([bytes(60_000), bytes(60_000)])
            except StoreFull:
                print("full")
            await bulk.close()

        asyncio.run(main())
    """)
    command = [sys.executable, "-c", program, str(tmp_path / "packs")]
    run = subprocess.run(command, capture_output=True, text=True, timeout=20, cwd=Path.cwd(), check=True)
    assert run.stdout == "full\n"
    assert names(tmp_path / "packs") == []


def test_a_folder_that_cannot_be_made_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError, match="disk failed"):
        PackBulk.open(tmp_path / "file" / "packs")


def test_errors_without_room_are_full_and_others_are_not(tmp_path: Path) -> None:
    with pytest.raises(StoreFull), files.meaning(tmp_path):
        raise OSError(122, "Disk quota exceeded")
    with pytest.raises(StoreError, match="Permission denied") as caught, files.meaning(tmp_path):
        raise PermissionError(13, "Permission denied")
    assert not isinstance(caught.value, StoreFull)
