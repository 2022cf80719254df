"""Every kind of source, cut into chunks."""

from __future__ import annotations

import array
import asyncio
import io
import os
import tracemalloc
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiofiles
import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rpc.leaks import descriptors, nothing_left
from textile_aio import InvalidSource, IsADirectory
from textile_aio.buckets.sources import CHUNK_SIZE, Source, opened

CONTENT = os.urandom(2 * CHUNK_SIZE + 1234)


async def read(source: Source) -> tuple[bytes, int | None]:
    """All of a source, with what every source promises checked."""
    async with opened(source, about="a/b", measure=True) as content:
        chunks = [chunk async for chunk in content.chunks]
    assert all(len(chunk) == CHUNK_SIZE for chunk in chunks[:-1])
    assert all(0 < len(chunk) <= CHUNK_SIZE and type(chunk) is bytes for chunk in chunks)
    return b"".join(chunks), content.size


async def pieces(*parts: Any) -> AsyncIterator[Any]:
    for part in parts:
        yield part


class Trickle(io.RawIOBase):
    """A file object that gives a little at a time and cannot seek."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        part = self.data[: min(1000, len(buffer))]
        buffer[: len(part)] = part
        self.data = self.data[len(part) :]
        return len(part)


@pytest.mark.parametrize(
    "make",
    [
        bytes,
        bytearray,
        memoryview,
        lambda data: memoryview(data[::-1])[::-1],
        io.BytesIO,
        lambda data: io.BufferedReader(io.BytesIO(data)),
    ],
    ids=["bytes", "bytearray", "memoryview", "backwards view", "BytesIO", "BufferedReader"],
)
@pytest.mark.parametrize("size", [0, 1, CHUNK_SIZE - 1, CHUNK_SIZE, CHUNK_SIZE + 1, len(CONTENT)])
async def test_content_of_any_length_comes_whole(make: Callable[[bytes], Any], size: int) -> None:
    assert await read(make(CONTENT[:size])) == (CONTENT[:size], size)


async def test_a_view_of_larger_items_is_its_bytes() -> None:
    numbers = array.array("I", range(CHUNK_SIZE))
    assert await read(memoryview(numbers)) == (numbers.tobytes(), 4 * CHUNK_SIZE)
    assert await read(pieces(memoryview(numbers))) == (numbers.tobytes(), None)


async def test_a_file_by_its_path(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_bytes(CONTENT)
    async with nothing_left():
        assert await read(file) == (CONTENT, len(CONTENT))


async def test_an_open_file_is_read_from_where_it_stands_and_stays_open(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_bytes(CONTENT)
    with file.open("rb") as opened_here:
        opened_here.seek(1000)
        assert await read(opened_here) == (CONTENT[1000:], len(CONTENT) - 1000)
        assert not opened_here.closed


async def test_async_files_of_both_kinds(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_bytes(CONTENT)
    async with aiofiles.open(file, "rb") as one:
        assert await read(one) == (CONTENT, len(CONTENT))
    async with await anyio.open_file(file, "rb") as other:
        assert await read(other) == (CONTENT, len(CONTENT))
        assert not other.wrapped.closed


async def test_a_stream_reader_has_no_size() -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(CONTENT)
    reader.feed_eof()
    assert await read(reader) == (CONTENT, None)


async def test_short_reads_are_collected() -> None:
    assert await read(Trickle(CONTENT)) == (CONTENT, None)


async def test_a_special_file_has_no_size() -> None:
    assert await read(Path(os.devnull)) == (b"", None)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.one_of(st.integers(0, 300), st.integers(0, 3 * CHUNK_SIZE), st.just(CHUNK_SIZE)), max_size=8),
    st.sampled_from([bytes, bytearray, memoryview]),
)
def test_pieces_of_any_size_are_the_same_content(sizes: list[int], kind: Callable[[bytes], Any]) -> None:
    content = os.urandom(sum(sizes))
    parts, start = [], 0
    for size in sizes:
        parts.append(kind(content[start : start + size]))
        start += size
    assert asyncio.run(read(pieces(*parts))) == (content, None)


async def test_a_buffer_that_is_used_again_is_copied_in_time() -> None:
    async def reusing() -> AsyncIterator[bytearray]:
        buffer = bytearray(CHUNK_SIZE)
        for number in range(4):
            buffer[:] = bytes([number]) * CHUNK_SIZE
            yield buffer

    content, _ = await read(reusing())
    assert content == b"".join(bytes([number]) * CHUNK_SIZE for number in range(4))


@pytest.mark.parametrize("early", [True, False])
async def test_an_async_iterator_is_closed(early: bool) -> None:
    closed = False

    async def source() -> AsyncIterator[bytes]:
        nonlocal closed
        try:
            while True:
                yield bytes(CHUNK_SIZE)
                if not early:
                    return
        finally:
            closed = True

    async with nothing_left(), opened(source(), about="a", measure=True) as content:
        async for _ in content.chunks:
            if early:
                break
    assert closed


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("photo.jpg", r"pathlib\.Path"),
        (["a"], "type list"),
        (42, "type int"),
        (None, "type NoneType"),
        (pieces("text"), "gave str"),
        (pieces(b"x", None), "gave NoneType"),
        (io.StringIO(""), "binary mode"),
        (io.StringIO("text"), "binary mode"),
    ],
)
async def test_what_is_no_bytes_is_named(source: Any, message: str) -> None:
    with pytest.raises(InvalidSource, match=message) as caught:
        await read(source)
    assert caught.value.about == "a/b"


async def test_what_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidSource, match="missing: No such file") as caught:
        await read(tmp_path / "missing")
    assert isinstance(caught.value.__cause__, FileNotFoundError)
    with pytest.raises(IsADirectory):
        await read(tmp_path)
    with pytest.raises(InvalidSource, match="null byte"):
        await read(Path("a\0b"))


async def test_an_error_while_reading_closes_the_file(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_bytes(CONTENT)
    async with nothing_left():
        with pytest.raises(KeyError):
            async with opened(file, about="a", measure=True) as content:
                async for _ in content.chunks:
                    raise KeyError


async def test_a_hop_that_is_left_in_a_pipe_does_not_hold_the_caller_up(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    async with nothing_left():
        with anyio.move_on_after(0.05) as scope:
            async with opened(pipe, about="a", measure=True):
                pytest.fail("nobody writes into the pipe")
        assert scope.cancelled_caught
        writer = await asyncio.to_thread(os.open, pipe, os.O_WRONLY)  # lets the hop go on
        os.close(writer)
        while any(str(pipe) in entry for entry in descriptors()):  # noqa: ASYNC110 - a thread closes it
            await asyncio.sleep(0)


async def test_a_file_takes_no_more_memory_than_a_few_chunks(tmp_path: Path) -> None:
    file = tmp_path / "f"
    with file.open("wb") as big:
        big.truncate(64 * CHUNK_SIZE)
    tracemalloc.start()
    try:
        async with opened(file, about="a", measure=True) as content:
            async for _ in content.chunks:
                pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * CHUNK_SIZE


@pytest.mark.parametrize("chunks", [0, 1, 2])
async def test_a_file_of_whole_chunks_ends_where_it_ends(tmp_path: Path, chunks: int) -> None:
    file = tmp_path / "f"
    file.write_bytes(bytes(chunks * CHUNK_SIZE))
    async with nothing_left():
        assert await read(file) == (bytes(chunks * CHUNK_SIZE), chunks * CHUNK_SIZE)
