"""Open files of the file system: the blocking kind and the kind that is awaited.

Buffers, seeking and lines are fsspec's. What is written becomes visible when the file is closed, whole. A
file that is left by an error, or dropped without being closed, leaves the bucket as it was; fsspec's own
files would store the part that was written.
"""

from __future__ import annotations

import asyncio
import io
import warnings
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO

from fsspec.asyn import AbstractAsyncStreamedFile, sync
from fsspec.spec import AbstractBufferedFile

from textile_aio.buckets.sources import Source
from textile_aio.fs.spools import Spool
from textile_aio.fs.uploads import Upload

if TYPE_CHECKING:
    from textile_aio.buckets.reader import AsyncReader
    from textile_aio.fs.filesystem import BucketFileSystem


class _Opened:
    """What both kinds share: where pieces come from or go to, and what becomes of them at the end."""

    fs: BucketFileSystem
    path: str
    mode: str
    autocommit: bool
    forced: bool
    buffer: Any
    closed: bool
    exclusive: bool
    discarded: bool = False
    _reader: AsyncReader | None
    _sink: Upload | Spool | None = None

    def _use(self, reader: AsyncReader | None, *, exclusive: bool) -> None:
        self._reader = reader
        self._turn = asyncio.Lock()  # caches may read ahead in another thread
        self.exclusive = exclusive

    async def _range(self, start: int, end: int) -> bytes:
        assert self._reader is not None  # noqa: S101 - files to read have one
        async with self._turn:
            await self._reader.seek(start)
            return await self._reader.read(max(0, end - start))

    @property
    def source(self) -> Source:
        """What was written during a transaction."""
        assert isinstance(self._sink, Spool)  # noqa: S101 - only those are asked
        return self._sink.file

    def release(self) -> None:
        """Free what was written during a transaction."""
        if isinstance(self._sink, Spool):
            self._sink.abandon()

    async def _begin(self) -> None:
        """Start what takes the pieces, unless the first is the last: that is pushed as it is."""
        if not self.autocommit:
            self._sink = Spool()
        elif self.mode == "ab" or not self.forced:
            self._sink = await self.fs.start_upload(self.path)
        if self.mode == "ab" and self._sink is not None:
            await self.fs.send_content(self.path, self._sink)

    async def _take(self, *, final: bool) -> None:
        piece: bytes = self.buffer.getvalue()
        if self._sink is None:
            await self.fs._pipe_file(self.path, piece, mode="create" if self.exclusive else "overwrite")
            return
        if piece:
            await self._sink.send(piece)
        if final:
            await self._sink.commit()

    async def _drop(self) -> None:
        self.closed = self.discarded = True
        if self._sink is not None:
            await self._sink.discard()

    def _collected(self) -> None:
        """Nobody has the file any more. This may be the loop's thread, so nothing is waited for."""
        if self.closed:
            return
        self.closed = self.discarded = True
        if self.mode != "rb":
            if self._sink is not None:
                self._sink.abandon()
            warnings.warn(
                f"{self.path} was written to and not closed, so nothing was stored",
                ResourceWarning,
                stacklevel=3,
            )


class BucketFile(_Opened, AbstractBufferedFile):  # type: ignore[misc]  # fsspec has no types
    """A file for blocking code."""

    def __init__(
        self,
        fs: BucketFileSystem,
        path: str,
        *,
        reader: AsyncReader | None = None,
        exclusive: bool = False,
        behind: int = 0,
        **options: Any,
    ) -> None:
        self._use(reader, exclusive=exclusive)
        super().__init__(fs, path, **options)
        self.loc = behind

    def discard(self) -> None:
        """Close the file and leave the bucket as it was."""
        sync(self.fs.loop, self._drop)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None and self.mode != "rb":
            self.discard()
        else:
            self.close()

    def __del__(self) -> None:
        self._collected()

    def _fetch_range(self, start: int, end: int) -> bytes:
        content: bytes = sync(self.fs.loop, self._range, start, end)
        return content

    def _initiate_upload(self) -> None:
        sync(self.fs.loop, self._begin)

    def _upload_chunk(self, final: bool = False) -> None:
        sync(self.fs.loop, self._take, final=final)


class AsyncBucketFile(_Opened, AbstractAsyncStreamedFile):  # type: ignore[misc]  # fsspec has no types
    """A file for coroutines: reading, writing, flushing and closing are awaited; reads are not buffered."""

    def __init__(
        self,
        fs: BucketFileSystem,
        path: str,
        *,
        reader: AsyncReader | None = None,
        exclusive: bool = False,
        behind: int = 0,
        **options: Any,
    ) -> None:
        self._use(reader, exclusive=exclusive)
        super().__init__(fs, path, cache_type="none", **options)
        self.loc = behind

    async def discard(self) -> None:
        """Close the file and leave the bucket as it was."""
        await self._drop()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None and self.mode != "rb":
            await self.discard()
        else:
            await self.close()

    def __del__(self) -> None:
        self._collected()

    async def _fetch_range(self, start: int, end: int) -> bytes:
        return await self._range(start, end)

    async def _initiate_upload(self) -> None:
        await self._begin()

    async def _upload_chunk(self, final: bool = False) -> None:
        await self._take(final=final)


class CompressedFile(io.BufferedIOBase):
    """A file whose content is compressed on the way.

    Those that fsspec makes leave the file below open when they are closed, and rely on the collector.

    Args:
        compressor: What compresses into ``file``.
        file: Where it goes.
    """

    def __init__(self, compressor: BinaryIO, file: BucketFile) -> None:
        self._compressor = compressor
        self._file = file

    def writable(self) -> bool:
        """It is for writing only."""
        return True

    def write(self, content: Any) -> int:
        """Take more content, uncompressed."""
        return self._compressor.write(content)

    def flush(self) -> None:
        """Nothing is there before the file is closed."""

    def close(self) -> None:
        """Write the rest, and store the file."""
        if not self.closed:
            super().close()
            self._compressor.close()
            self._file.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None:
            self._file.discard()
            super().close()
        else:
            self.close()

    def __del__(self) -> None:
        """The file below says whether it was dropped."""
