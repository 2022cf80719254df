"""What can be pushed, and how it is read: as chunks of one size, never more than two of them in memory.

Owns opening, closing and cutting; knows nothing of messages or hubs. What this module opens it closes, on
every way out; an async iterator is closed as well, since it is of no use afterwards; a file object stays
open, it is the caller's.
"""

from __future__ import annotations

import inspect
import os
import stat
import threading
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterator,
    Sequence,
)
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TypeAlias

import anyio.to_thread

from textile_aio.errors import InvalidSource, IsADirectory

CHUNK_SIZE = 256 * 1024
"""Bytes of content in one message:

the leaf size of UnixFS files, and far below the 4 MiB that hubs accept.
"""

Octets: TypeAlias = bytes | bytearray | memoryview


SMALL_FILE = 16 * 1024
"""Bytes of a file that may be read before its turn, together with others, in one hop to a worker thread."""


class BinaryFile(Protocol):
    """An open file of the blocking kind, read in a worker thread. ``read`` gives nothing at its end only."""

    def read(self, size: int, /) -> Octets:
        """At most ``size`` bytes."""
        ...


class AsyncBinaryFile(Protocol):
    """An open file of aiofiles, of anyio, or alike. ``read`` gives nothing at its end only."""

    async def read(self, size: int, /) -> Octets:
        """At most ``size`` bytes."""
        ...


Source: TypeAlias = os.PathLike[str] | Octets | BinaryFile | AsyncBinaryFile | AsyncIterable[Octets]
"""A file by its path; content; an open file, read from where it stands; or pieces of content of any size.

Text is none of these: it could be the name of a file as well as content.
"""


@dataclass(frozen=True, slots=True)
class Content:
    """An open source.

    Attributes:
        chunks: What it holds: each chunk of :data:`CHUNK_SIZE` bytes but the last, none empty.
        size: Bytes it holds altogether, None where that cannot be told or was not asked.
    """

    chunks: AsyncGenerator[bytes, None]
    size: int | None


@asynccontextmanager
async def opened(source: Source, *, about: str, measure: bool) -> AsyncIterator[Content]:
    """Open a source for one reading; close what was opened at the end of the block.

    Args:
        source: What to read.
        about: Where it is going, for errors.
        measure: Whether to seek through open files for their size.

    Raises:
        InvalidSource: It is nothing that can be read as bytes, or there is no such file.
        IsADirectory: It is the path of a directory.
    """
    if isinstance(source, Octets):
        view = _view(source)
        async with aclosing(_slices(view)) as chunks:
            yield Content(chunks, view.nbytes)
    elif isinstance(source, os.PathLike):
        async with _file(source, about) as content:
            yield content
    elif hasattr(source, "read"):
        if getattr(source, "closed", False):
            raise InvalidSource("the file is closed", about=about)
        size = await _size_left(source) if measure else None
        async with _chunks(_reads(source.read, about), about) as chunks:
            yield Content(chunks, size)
    elif isinstance(source, AsyncIterable):
        async with _chunks(source, about) as chunks:
            yield Content(chunks, None)
    else:
        raise InvalidSource(f"cannot push {_describe(source)}", about=about)


async def small_files(sources: Sequence[Source | None]) -> list[bytes | None]:
    """The content of those sources that are paths of small files; None for others.

    All in one hop to a thread: for a small file that costs more than reading it. What cannot be read is None
    as well, and left to :func:`opened`, which says why.
    """
    if not any(isinstance(source, os.PathLike) for source in sources):
        return [None] * len(sources)
    return await anyio.to_thread.run_sync(lambda: list(map(_small_file, sources)), abandon_on_cancel=True)


def _small_file(source: Source | None) -> bytes | None:
    if not isinstance(source, os.PathLike):
        return None
    try:
        status = os.stat(source)  # noqa: PTH116 - reading a pipe, or opening it, might take for ever
        if not stat.S_ISREG(status.st_mode) or status.st_size > SMALL_FILE:
            return None
        with Path(source).open("rb") as file:
            content = file.read(SMALL_FILE + 1)
    except (OSError, ValueError):
        return None
    return content if len(content) <= SMALL_FILE else None


@asynccontextmanager
async def _file(path: os.PathLike[str], about: str) -> AsyncIterator[Content]:
    reader = _FileReader(os.fspath(path))
    try:
        try:
            first = await anyio.to_thread.run_sync(reader.start, abandon_on_cancel=True)
        except IsADirectoryError as error:
            raise IsADirectory(f"{reader.path} is a directory; push its files", about=about) from error
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise InvalidSource(f"cannot open {reader.path}: {reason}", about=about) from error
        async with _chunks(_file_reads(reader, first), about) as chunks:
            yield Content(chunks, reader.size)
    finally:
        reader.abandon()


async def _file_reads(reader: _FileReader, first: bytes) -> AsyncGenerator[bytes, None]:
    yield first
    while not reader.finished:
        yield await anyio.to_thread.run_sync(reader.read, abandon_on_cancel=True)


class _FileReader:
    """A file in worker threads: opened, read and closed in one hop if it is small, else in one hop a chunk.

    A caller that is cancelled leaves its hop running, and must not wait for it: it may hang in a pipe.
    Whoever comes last then closes the file, the hop or :meth:`abandon`, so no way out leaves it open.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.size: int | None = None
        self.finished = False
        self._abandoned = False
        self._lock = threading.Lock()
        self._file: BinaryIO | None = None

    def start(self) -> bytes:
        """Open the file and read its first chunk."""
        with self._held():
            self._file = Path(self.path).open("rb")  # noqa: SIM115 - closed by whoever comes last
            status = os.fstat(self._file.fileno())
            self.size = status.st_size if stat.S_ISREG(status.st_mode) else None
            return self._next(self._file)

    def read(self) -> bytes:
        """Read the next chunk; a short one is the last."""
        with self._held():
            assert self._file is not None  # noqa: S101 - it is read until it is finished
            return self._next(self._file)

    def abandon(self) -> None:
        """Close the file now, or when the hop that has it is over. Doing it again does nothing."""
        self._abandoned = True
        self._settle()

    @contextmanager
    def _held(self) -> Iterator[None]:
        try:
            with self._lock:
                yield
        finally:
            self._settle()

    def _settle(self) -> None:
        if self._abandoned and self._lock.acquire(blocking=False):
            try:
                self._close()
            finally:
                self._lock.release()

    def _next(self, file: BinaryIO) -> bytes:
        chunk = file.read(CHUNK_SIZE)  # buffered files give less than this at their end only
        if len(chunk) < CHUNK_SIZE:
            self._close()
        return chunk

    def _close(self) -> None:
        self.finished = True
        if self._file is not None:
            self._file.close()
            self._file = None


@asynccontextmanager
async def _chunks(pieces: AsyncIterable[Octets], about: str) -> AsyncIterator[AsyncGenerator[bytes, None]]:
    """Pieces as chunks; both iterators are closed at the end of the block."""
    try:
        async with aclosing(_chunked(pieces, about)) as chunks:
            yield chunks
    finally:
        if (close := getattr(pieces, "aclose", None)) is not None:
            await close()


async def _slices(view: memoryview) -> AsyncGenerator[bytes, None]:
    for start in range(0, view.nbytes, CHUNK_SIZE):
        yield bytes(view[start : start + CHUNK_SIZE])


async def _reads(read: Callable[[int], Any], about: str) -> AsyncGenerator[Octets, None]:
    while True:
        piece = await _call(read, CHUNK_SIZE)
        if not isinstance(piece, Octets):
            hint = "; open the file in binary mode" if isinstance(piece, str) else ""
            raise InvalidSource(f"read() gave {type(piece).__name__} instead of bytes{hint}", about=about)
        if not piece:
            return
        yield piece


async def _chunked(pieces: AsyncIterable[Octets], about: str) -> AsyncGenerator[bytes, None]:
    """The same content in chunks: large pieces are cut, small ones collected, fitting ones not copied."""
    held = bytearray()
    async for piece in pieces:
        if not isinstance(piece, Octets):
            raise InvalidSource(f"the source gave {type(piece).__name__} instead of bytes", about=about)
        if not held and len(piece) == CHUNK_SIZE and isinstance(piece, bytes):
            yield piece
            continue
        view = _view(piece)
        while view.nbytes >= CHUNK_SIZE - len(held):
            cut = CHUNK_SIZE - len(held)
            yield bytes(held) + view[:cut] if held else bytes(view[:cut])
            held.clear()
            view = view[cut:]
        held += view
    if held:
        yield bytes(held)


def _view(octets: Octets) -> memoryview:
    view = memoryview(octets)
    return view if view.c_contiguous and view.format == "B" and view.ndim == 1 else memoryview(view.tobytes())


async def _size_left(file: Any) -> int | None:
    """Bytes from where a file stands to its end, if it can tell by seeking there and back."""
    if not hasattr(file, "seekable") or not await _call(file.seekable):
        return None
    here = await _call(file.tell)
    end = await _call(file.seek, 0, os.SEEK_END)
    await _call(file.seek, here)
    return max(0, int(end) - int(here))


async def _call(function: Callable[..., Any], *args: object) -> Any:
    """Call a method of a file of either kind: the blocking kind in a worker thread."""
    if inspect.iscoroutinefunction(function):
        return await function(*args)
    result = await anyio.to_thread.run_sync(function, *args)
    return await result if isinstance(result, Awaitable) else result


def _describe(source: object) -> str:
    kind = type(source).__name__
    if isinstance(source, str):
        return "text: give pathlib.Path(…) if it names a file, or encode it if it is the content"
    return f"a value of type {kind}: give a Path, bytes, an open binary file or an async iterable of bytes"
