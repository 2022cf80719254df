"""Content, whole files at once: read and written."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import AsyncIterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fsspec.callbacks import DEFAULT_CALLBACK
from fsspec.utils import isfilelike, stringify_path

from textile_aio.buckets.sources import Source
from textile_aio.buckets.values import Progress, Root
from textile_aio.errors import InvalidInput, IsADirectory, NonFastForward, PathNotFound
from textile_aio.fs.looking import Looking
from textile_aio.fs.mapping import as_os_errors, file_in, split
from textile_aio.fs.spools import Spool, Whole
from textile_aio.fs.uploads import Upload

if TYPE_CHECKING:
    from textile_aio.buckets.reader import AsyncReader


class Content(Looking):
    """The part of the file system that moves content."""

    @as_os_errors
    async def reader(self, path: str) -> AsyncReader:
        """A file, open for reading at any place; it holds memory only, and need not be closed."""
        return await (await self._buckets()).open(self.ctx, *file_in(path)).__aenter__()

    @as_os_errors
    async def _cat_file(self, path: str, start: int | None = None, end: int | None = None, **_: Any) -> bytes:
        path = self._strip_protocol(path)
        if start is None and end is None:
            async with (await self._buckets()).pull_path(self.ctx, *file_in(path)) as pull:
                return b"".join([chunk async for chunk in pull])
        reader = await self.reader(path)
        if (start or 0) < 0 or (end or 0) < 0:
            start, end, _step = slice(start, end).indices(reader.size)
        await reader.seek(start or 0)
        return await reader.read(-1 if end is None else max(0, end - (start or 0)))

    @as_os_errors
    async def _get_file(
        self, rpath: str, lpath: Any, callback: Any = DEFAULT_CALLBACK, outfile: Any = None, **_: Any
    ) -> None:
        buckets = await self._buckets()
        key, inner = split(self._strip_protocol(rpath))
        file = outfile if outfile is not None else lpath if isfilelike(lpath) else None
        progress = partial(_report, callback)
        if file is not None:
            async with buckets.pull_path(self.ctx, key, inner, progress=progress) as pull:
                async for chunk in pull:
                    await asyncio.to_thread(file.write, chunk)
            return
        destination = Path(lpath)
        try:
            if not inner:
                raise IsADirectory("a bucket is a directory", about=key)
            os.makedirs(destination.parent, exist_ok=True)  # noqa: PTH103 - quick enough for the loop
            await buckets.pull_to(self.ctx, key, inner, destination, progress=progress)
        except IsADirectory:
            if not await self._isdir(rpath):
                raise
            os.makedirs(destination, exist_ok=True)  # noqa: PTH103 - quick enough for the loop

    async def _pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **_: Any) -> None:
        await self._store(path, value, mode)

    async def _pipe(
        self,
        path: str | dict[str, bytes],
        value: bytes | None = None,
        mode: str = "overwrite",
        **more: Any,
    ) -> None:
        if isinstance(path, str) or mode == "create" or self._intrans:
            await super()._pipe(path, value=value, mode=mode, **more)
        else:
            await self.push_together({self._strip_protocol(name): content for name, content in path.items()})

    @as_os_errors
    async def _put_file(
        self, lpath: Any, rpath: str, mode: str = "overwrite", callback: Any = DEFAULT_CALLBACK, **_: Any
    ) -> None:
        source = Path(stringify_path(lpath))
        if os.path.isdir(source):  # noqa: ASYNC240, PTH112 - quick enough for the loop
            await self._makedirs(rpath, exist_ok=True)
            return
        callback.set_size(os.path.getsize(source))  # noqa: ASYNC240, PTH202 - as above
        await self._store(rpath, source, mode, callback)

    @as_os_errors
    async def _store(self, path: str, source: Source, mode: str, callback: Any = DEFAULT_CALLBACK) -> None:
        path = self._strip_protocol(path)
        key, inner = file_in(path)
        if mode not in ("overwrite", "create"):
            raise InvalidInput(f"mode is overwrite or create, not {mode!r}")
        if self._intrans:
            if mode == "create":
                await self._must_be_new(path)
            self.transaction.files.append(Whole(path, source))
            return
        buckets = await self._buckets()
        while True:
            root: Root | None = None
            if mode == "create":
                root = await buckets.root(self.ctx, key)
                await self._must_be_new(path)
            try:
                await buckets.push_path(
                    self.ctx, key, inner, source, root=root, progress=partial(_report, callback)
                )
            except NonFastForward:
                continue  # somebody has changed the bucket; perhaps the file is there now
            break
        self.invalidate_cache(path)

    async def _must_be_new(self, path: str) -> None:
        if await self._exists(path):
            raise FileExistsError(errno.EEXIST, "there is a file or directory already", path)

    @as_os_errors
    async def push_together(self, files: dict[str, Source]) -> None:
        """Push files with their bucket's key in front; those of one bucket in one step."""
        buckets = await self._buckets()
        by_bucket: dict[str, dict[str, Source]] = {}
        for path, source in files.items():
            key, inner = file_in(path)
            by_bucket.setdefault(key, {})[inner] = source
        for key, sources in by_bucket.items():
            await buckets.push_files(self.ctx, key, sources)
            self.invalidate_cache(key)

    async def start_upload(self, path: str) -> Upload:
        """A push to be fed piece by piece."""
        key, inner = file_in(path)
        buckets = await self._buckets()

        async def push(pieces: AsyncIterable[bytes]) -> None:
            await buckets.push_path(self.ctx, key, inner, pieces)

        return Upload(as_os_errors(push), about=path)

    @as_os_errors
    async def send_content(self, path: str, sink: Upload | Spool) -> None:
        """Send what a file holds now, if there is one."""
        try:
            async with (await self._buckets()).pull_path(self.ctx, *file_in(path)) as pull:
                async for chunk in pull:
                    await sink.send(chunk)
        except PathNotFound:
            return


def _report(callback: Any, progress: Progress) -> None:
    if progress.total is not None:
        callback.set_size(progress.total)
    callback.absolute_update(progress.done)
