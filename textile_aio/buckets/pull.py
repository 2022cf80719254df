"""Pulling: a file of a bucket as an async iterator, or into a file that appears whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import aiofiles.threadpool
import anyio.to_thread
from aiofiles.threadpool.binary import AsyncBufferedIOBase

from textile_aio._proto.api.bucketsd import pb
from textile_aio._rpc.stream import Stream
from textile_aio.buckets.sources import CHUNK_SIZE
from textile_aio.buckets.values import Progress, ProgressCallback
from textile_aio.errors import IsADirectory

HEADERS = {"textile-aio-chunk-size": str(CHUNK_SIZE)}
"""Asks for chunks of that many bytes. The hub of this package grants it; others ignore it and send 32 KiB."""

_WRITE_SIZE = (
    1024 * 1024
)  # bytes collected before a worker thread writes them: a hop costs as much as writing 100 KiB


class Pull:
    """The content of a file, as chunks of bytes of any size from 1.

    An async iterator that is used up once, and an async context manager. The call is made at the first chunk.
    One chunk is held at a time: a slow reader slows the hub down. Leaving the iteration early gives the call
    up: at once with ``async with`` or :meth:`aclose`, otherwise when the object is collected.
    """

    def __init__(
        self,
        stream: Stream[pb.PullPathRequest, pb.PullPathResponse],
        path: str,
        *,
        progress: ProgressCallback | None,
    ) -> None:
        self._chunks = _chunks(stream, path, progress)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        return bytes(await anext(self._chunks))  # large chunks come as views of what was received

    async def aclose(self) -> None:
        """Give the rest up and free what the call holds. Doing it again does nothing."""
        await self._chunks.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()


async def _chunks(
    stream: Stream[pb.PullPathRequest, pb.PullPathResponse], path: str, progress: ProgressCallback | None
) -> AsyncGenerator[bytes, None]:
    # No task belongs to this stream, so it may be left from another task than it was entered in: by the
    # collector.
    done = 0
    async with stream:
        async for reply in stream:
            if not reply.chunk:
                continue
            done += len(reply.chunk)
            if progress is not None:
                progress(Progress(path, done=done, total=None))
            yield reply.chunk


async def into_file(pull: Pull, destination: os.PathLike[str]) -> int:
    """Write what is pulled into a file, as :meth:`textile_aio.BucketsClient.pull_to` says."""
    target = await anyio.to_thread.run_sync(_target, destination)
    aside = target.with_name(f".textile-{secrets.token_hex(8)}.part")
    file = _create(aside)
    try:
        written = await _write(pull, aiofiles.threadpool.wrap(file))
        await anyio.to_thread.run_sync(os.fsync, file.fileno())
        await anyio.to_thread.run_sync(_publish, file, aside, target)
    except BaseException:
        _discard(file, aside)
        raise
    return written


async def _write(pull: Pull, file: AsyncBufferedIOBase) -> int:
    held: list[bytes] = []
    size = written = 0
    async with pull:
        async for chunk in pull:
            held.append(chunk)
            size += len(chunk)
            if size >= _WRITE_SIZE:
                await file.writelines(held)
                written += size
                held, size = [], 0
    await file.writelines(held)
    await file.flush()
    return written + size


def _target(destination: os.PathLike[str]) -> Path:
    """The file that will be replaced, so that a link to it stays a link.

    Raises:
        IsADirectory: It is a directory.
        FileNotFoundError: The folder it would be in does not exist.
    """
    target = Path(os.path.realpath(destination))
    if target.is_dir():
        raise IsADirectory("the destination is a directory; name a file in it", about=os.fspath(destination))
    if not target.parent.is_dir():
        why = "the folder of the destination does not exist; make it first"
        raise FileNotFoundError(errno.ENOENT, why, os.fspath(destination))
    return target


def _create(aside: Path) -> BinaryIO:
    # Not in a thread, where a cancelled caller would leave it behind.
    return aside.open("xb")


def _publish(file: BinaryIO, aside: Path, target: Path) -> None:
    file.close()
    with suppress(FileNotFoundError):
        shutil.copymode(target, aside)
    aside.replace(target)
    if os.name == "posix":  # elsewhere directories cannot be opened, and renames are durable as they are
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _discard(file: BinaryIO, aside: Path) -> None:
    # Not in a thread either, so that no second cancellation can come between. Closing waits for a write that
    # is under way in one, of _WRITE_SIZE and a chunk at most.
    with suppress(OSError):
        file.close()
    with suppress(OSError):
        aside.unlink()
