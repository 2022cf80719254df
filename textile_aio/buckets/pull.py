"""Pulling: a file of a bucket as an async iterator, or into a file that appears whole or not at all."""

from __future__ import annotations

import asyncio
import errno
import os
import secrets
import shutil
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, TypeAlias

import aiofiles.threadpool
import anyio.to_thread
from aiofiles.threadpool.binary import AsyncBufferedIOBase

from textile_aio._proto.api.bucketsd import pb
from textile_aio._rpc.channel import Channel
from textile_aio._rpc.retry import RetryPolicy
from textile_aio._rpc.stream import Stream
from textile_aio.buckets.sources import CHUNK_SIZE
from textile_aio.buckets.values import Progress, ProgressCallback
from textile_aio.errors import Aborted, IntegrityError, IsADirectory, ProtocolError, Unavailable
from textile_aio.unixfs.importer import FileImporter

HEADERS = {"textile-aio-chunk-size": str(CHUNK_SIZE)}
"""Asks for chunks of that many bytes. The hub of this package grants it; others ignore it and send 32 KiB."""

_WRITE_SIZE = (
    1024 * 1024
)  # bytes collected before a worker thread writes them: a hop costs as much as writing 100 KiB


OFFSET_HEADER = "textile-aio-offset"
SIZE_HEADER = "textile-aio-size"
FILE_HEADER = "textile-aio-file"
CID_HEADER = "textile-aio-cid"
"""What the hub of this package answers that with: where the content begins, how many bytes the whole has,
what is stored, and the CID that the content has if it is imported the usual way (public files only)."""

_RESUMING = RetryPolicy()
"""How a pull goes on that broke: three times without a byte more each time, after a while."""

_HASHED_AT_ONCE = 1024 * 1024
"""Bytes that are hashed by one hop to a worker thread, while the next ones come in."""

PullStream: TypeAlias = Stream[Any, pb.PullPathResponse]

Opening: TypeAlias = Callable[[int, float | None], PullStream]
"""Makes the call for the content from a byte on, which has so many seconds."""


class Pull:
    """The content of a file, as chunks of bytes of any size from 1.

    An async iterator that is used up once, and an async context manager. The call is made at the first chunk.
    One chunk is held at a time, and 2 MiB more where the content is verified: a slow reader slows the hub
    down. Leaving the iteration early gives the call up: at once with ``async with`` or :meth:`aclose`,
    otherwise when the object is collected.

    Args:
        channel: The hub.
        begin: Makes the calls.
        path: What is pulled, for progress and errors.
        timeout: Seconds from the first chunk that is asked for until the last one has come, however often the
            pull breaks and goes on; None for no limit.
        progress: Called before each chunk is given out.
        verify: Compute the CID of what comes, where the hub says one.
        file: The CID that is stored at the path, where it must be that one and no other.
    """

    def __init__(
        self,
        channel: Channel,
        begin: Opening,
        path: str,
        *,
        timeout: float | None,
        progress: ProgressCallback | None,
        verify: bool = True,
        file: str = "",
    ) -> None:
        # Made at once, so that a closed client says so now; it is entered at the first chunk.
        first = begin(0, timeout)
        self._chunks = _chunks(
            channel, first, begin, path, timeout=timeout, progress=progress, verify=verify, file=file
        )

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
    channel: Channel,
    stream: PullStream,
    begin: Opening,
    path: str,
    *,
    timeout: float | None,
    progress: ProgressCallback | None,
    verify: bool,
    file: str,
) -> AsyncGenerator[bytes, None]:
    # No task belongs to the streams, so they may be left from another task than they were entered in: by the
    # collector.
    done = 0
    check: _Check | None = None
    failures = 0
    can_go_on = False
    deadline = _Deadline(timeout)
    while True:
        is_callers = False  # whose doing it is if something is unavailable
        try:
            async with stream:
                reply = await stream.recv()  # first, because it raises a refusal, whose headers say nothing
                said = await stream.headers()
                if file and said.get(FILE_HEADER, file) != file:
                    raise Aborted("the file was changed while it was pulled; pull it again", about=path)
                if said.get(OFFSET_HEADER, "0") != str(done):
                    raise ProtocolError(f"the hub did not begin at byte {done}, as it was asked", about=path)
                can_go_on = FILE_HEADER in said
                file = said.get(FILE_HEADER, "")
                check = check or _Check(said.get(CID_HEADER, "") if verify else "", path)
                while reply is not None:
                    if reply.chunk:
                        await check.feed(reply.chunk)
                        done += len(reply.chunk)
                        failures = 0
                        is_callers = True
                        if progress is not None:
                            progress(Progress(path, done=done, total=_total(said)))
                        yield reply.chunk
                        is_callers = False
                    reply = await stream.recv()
            await check.finish()
            return
        except Unavailable:
            failures += 1
            if is_callers or not can_go_on:
                raise
            if not await channel.back_off(_RESUMING, failures, remaining=deadline.remaining):
                raise
            stream = begin(done, deadline.remaining)


class _Deadline:
    """When all has to be over."""

    def __init__(self, timeout: float | None) -> None:
        self._clock = asyncio.get_running_loop().time
        self._at = None if timeout is None else self._clock() + timeout

    @property
    def remaining(self) -> float | None:
        return None if self._at is None else self._at - self._clock()


def _total(said: Mapping[str, str]) -> int | None:
    size = said.get(SIZE_HEADER, "")
    return int(size) if size.isdecimal() else None


class _Check:
    """Computes the CID of what is pulled, in a worker thread where there is enough of it."""

    def __init__(self, expected: str, path: str) -> None:
        self._expected = expected
        self._path = path
        self._importer = FileImporter() if expected else None
        self._waiting: list[bytes] = []
        self._size = 0
        self._hashing: asyncio.Future[None] | None = None

    async def feed(self, chunk: bytes) -> None:
        if self._importer is None:
            return
        self._waiting.append(chunk)
        self._size += len(chunk)
        if self._size >= _HASHED_AT_ONCE:
            await self._hashed()
            pieces, self._waiting, self._size = self._waiting, [], 0
            self._hashing = asyncio.get_running_loop().run_in_executor(
                None, _feed_all, self._importer, pieces
            )

    async def finish(self) -> None:
        """All has come.

        Raises:
            IntegrityError: It is not what the hub said it would be.
        """
        if self._importer is None:
            return
        await self._hashed()
        _feed_all(self._importer, self._waiting)
        actual = str(self._importer.finish()[0].cid)
        if actual != self._expected:
            raise IntegrityError(
                f"the content that came is {actual}, where the bucket has {self._expected}", about=self._path
            )

    async def _hashed(self) -> None:
        hashing, self._hashing = self._hashing, None
        if hashing is not None:
            await hashing


def _feed_all(importer: FileImporter, pieces: list[bytes]) -> None:
    for piece in pieces:
        importer.feed(piece)


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
