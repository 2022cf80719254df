"""A file of a bucket, open for reading at any place."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import TracebackType
from typing import Self, TypeAlias

from textile_aio._proto.api.bucketsd import pb
from textile_aio._rpc.channel import Channel
from textile_aio._rpc.stream import Stream
from textile_aio.auth import AuthContext
from textile_aio.buckets._methods import PULL_PATH
from textile_aio.buckets.pull import FILE_HEADER, HEADERS, OFFSET_HEADER, SIZE_HEADER
from textile_aio.errors import Aborted, ClosedError, InvalidInput, ProtocolError

READ_AHEAD = 256 * 1024
"""Bytes asked for at least, so that a few small reads one after the other cost one call."""

MOST_AHEAD = 4 * 1024 * 1024
"""What that grows to while a file is read on and on: a range of a private file costs the hub all of it."""

_Call: TypeAlias = Stream[pb.PullPathRequest, pb.PullPathResponse]


class AsyncReader:
    """An async binary file of a bucket, made by :meth:`BucketsClient.open <textile_aio.BucketsClient.open>`.

    Reading a range asks the hub for that range and 256 KiB at least, up to 4 MiB while reading goes on where
    the last range ended, and keeps that in memory. At hubs other than that of this package every range is
    read from the beginning of the file and skipped to.

    The file must not change while it is open: whatever is read after it did raises
    :class:`~textile_aio.Aborted`. For one task at a time.
    """

    def __init__(
        self, channel: Channel, ctx: AuthContext, key: str, path: str, *, timeout: float | None
    ) -> None:
        self._channel = channel
        self._ctx = ctx
        self._key = key
        self._path = path
        self._timeout = timeout
        self._position = 0
        self._held = b""
        self._start = 0
        self._size: int | None = None
        self._identity: tuple[str, str] | None = None
        self._ahead = READ_AHEAD
        self._open = False

    async def __aenter__(self) -> Self:
        if self._open:
            raise ClosedError("the file is open already", about=self._path)
        self._open = True
        await self._fetch(0, READ_AHEAD)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Let go of what is held in memory; reading is over. Doing it again does nothing."""
        self._open = False
        self._held = b""

    @property
    def size(self) -> int:
        """Bytes of the content. Raises :class:`ClosedError` unless it is open."""
        self._check()
        assert self._size is not None  # noqa: S101 - entering has learnt it
        return self._size

    def tell(self) -> int:
        """Where the next read begins."""
        return self._position

    def seekable(self) -> bool:
        """True."""
        return True

    async def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to another place, also behind the end, where nothing is read; returns where that is.

        Raises:
            InvalidInput: It is before the beginning, or ``whence`` is none of the three.
        """
        bases = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}
        if whence not in bases:
            raise InvalidInput(f"whence is {whence}; it must be 0, 1 or 2", about=self._path)
        position = bases[whence] + offset
        if position < 0:
            raise InvalidInput("a file begins at 0", about=self._path)
        self._position = position
        return position

    async def read(self, size: int = -1) -> bytes:
        """The next ``size`` bytes, fewer only at the end; all that is left by default.

        Raises:
            Aborted: The file was changed since it was opened.
            TextileError: As for :meth:`textile_aio.BucketsClient.pull_path`.
        """
        end = self.size if size < 0 else min(self._position + size, self.size)
        if self._position >= end:
            return b""
        if not (self._start <= self._position and end <= self._start + len(self._held)):
            goes_on = self._start < self._position <= self._start + len(self._held)
            self._ahead = min(2 * self._ahead, MOST_AHEAD) if goes_on else READ_AHEAD
            await self._fetch(self._position, max(end - self._position, self._ahead))
        first = self._position - self._start
        data = self._held[first : first + end - self._position]
        self._position += len(data)
        return data

    async def readinto(self, buffer: bytearray | memoryview) -> int:
        """Fill a buffer with the next bytes; returns how many, fewer than its size only at the end."""
        view = memoryview(buffer).cast("B")
        data = await self.read(len(view))
        view[: len(data)] = data
        return len(data)

    async def _fetch(self, start: int, length: int) -> None:
        stream = self._channel.stream(
            PULL_PATH,
            self._ctx,
            timeout=self._timeout,
            about=self._path,
            headers=HEADERS,
            request=pb.PullPathRequest(key=self._key, path=self._path, offset=start, length=length),
        )
        async with stream:
            first = await stream.recv()
            headers = await stream.headers()
            if OFFSET_HEADER in headers:
                self._check_same(headers, start)
                held = await _content(first, stream)
                if len(held) != min(length, max(0, self.size - start)):
                    raise ProtocolError(f"the hub sent {len(held)} bytes of {length}", about=self._path)
                self._held, self._start = held, start
            else:
                await self._skip(first, stream, start, length)

    async def _skip(self, reply: pb.PullPathResponse | None, stream: _Call, start: int, length: int) -> None:
        """Read all, and keep a range: what a hub without ranges leaves to do."""
        held: list[bytes] = []
        at = 0
        while reply is not None:
            first, last = max(start - at, 0), min(start + length - at, len(reply.chunk))
            if first < last:
                held.append(bytes(reply.chunk[first:last]))
            at += len(reply.chunk)
            reply = await stream.recv()
        if self._size not in (None, at):
            raise self._changed()
        self._size = at
        self._held, self._start = b"".join(held), start

    def _check_same(self, headers: Mapping[str, str], start: int) -> None:
        size, offset = headers.get(SIZE_HEADER, ""), headers[OFFSET_HEADER]
        if not size.isdecimal() or offset != str(start):
            raise ProtocolError(f"the hub was asked for byte {start} and gave {offset!r}", about=self._path)
        identity = (size, headers.get(FILE_HEADER, ""))
        if self._identity not in (None, identity):
            raise self._changed()
        self._identity = identity
        self._size = int(size)

    def _changed(self) -> Aborted:
        return Aborted("the file was changed while it was open; open it again", about=self._path)

    def _check(self) -> None:
        if not self._open:
            raise ClosedError("the file is not open; enter it with 'async with'", about=self._path)


async def _content(reply: pb.PullPathResponse | None, stream: _Call) -> bytes:
    chunks: list[bytes] = []
    while reply is not None:
        chunks.append(bytes(reply.chunk))
        reply = await stream.recv()
    return b"".join(chunks)
