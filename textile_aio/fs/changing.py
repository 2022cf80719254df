"""Changes that move no content: copies, moves, removals, directories."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Iterable
from glob import has_magic
from typing import Any, Final

from fsspec.asyn import sync, sync_wrapper

from textile_aio.errors import (
    InvalidPath,
    IsADirectory,
    NonFastForward,
    NotFound,
    PathNotFound,
    PermissionDenied,
)
from textile_aio.fs.content import Content
from textile_aio.fs.mapping import as_os_errors, file_in, first_of, outermost, split

_ATTEMPTS: Final = 5


class Changing(Content):
    """The part of the file system that rearranges what is there."""

    @as_os_errors
    async def _cp_file(self, path1: str, path2: str, **_: Any) -> None:
        source, destination = self._strip_protocol(path1), self._strip_protocol(path2)
        if (await self._info(source))["type"] == "directory":
            await self._makedirs(destination, exist_ok=True)
            return
        buckets = await self._buckets()
        (key, inner), (other, to) = file_in(source), file_in(destination)
        if key == other:
            if inner != to:
                await buckets.copy_path(self.ctx, key, inner, to)
        else:
            pull = buckets.pull_path(self.ctx, key, inner)
            await buckets.push_path(self.ctx, other, to, pull)
        self.invalidate_cache(destination)

    @as_os_errors
    async def _mv(self, path1: Any, path2: Any, recursive: bool = False, **options: Any) -> None:
        if options or not isinstance(path1, str) or not isinstance(path2, str) or has_magic(path1):
            await self._copied_and_removed(path1, path2, recursive=recursive, **options)
            return
        (key, inner), (other, to) = split(self._strip_protocol(path1)), split(self._strip_protocol(path2))
        if key != other or not inner:
            await self._copied_and_removed(path1, path2, recursive=recursive)
            return
        if path2.endswith("/"):  # the hub looks itself whether it is a directory
            to = "/".join(filter(None, (to, inner.rpartition("/")[2])))
        if inner != to:
            await (await self._buckets()).move_path(self.ctx, key, inner, to)
            await self._prune([f"{key}/{inner}"])
            self.invalidate_cache(key)

    async def _copied_and_removed(self, path1: Any, path2: Any, *, recursive: bool, **options: Any) -> None:
        await self._copy(path1, path2, recursive=recursive, on_error="raise", **options)
        await self._rm(path1, recursive=recursive)

    def mv(self, path1: Any, path2: Any, recursive: bool = False, **options: Any) -> None:
        """Move a file or directory, within a bucket in one step. A directory needs no ``recursive``."""
        sync(self.loop, self._mv, path1, path2, recursive=recursive, **options)

    async def _rm(
        self,
        path: str | list[str],
        recursive: bool = False,
        batch_size: int | None = None,
        maxdepth: int | None = None,
        **_: Any,
    ) -> None:
        if recursive and maxdepth is not None:
            found = await self._expand_path(path, recursive=True, maxdepth=maxdepth)
            paths = [one for one in found if not await self._isdir(one)]
        else:
            paths = outermost(await self._expand_path(path)) if recursive else await self._expand_path(path)
        limit = asyncio.Semaphore(batch_size or self.batch_size)

        async def remove(one: str) -> None:
            async with limit:
                await self._remove(one, recursive=recursive)

        try:
            async with asyncio.TaskGroup() as group:
                for one in paths:
                    group.create_task(remove(one))
        except* Exception as errors:  # noqa: BLE001 - one of them is raised
            raise first_of(errors) from None
        finally:
            await self._prune(paths)

    async def _rm_file(self, path: str, **_: Any) -> None:
        path = self._strip_protocol(path)
        await self._remove(path, recursive=False)
        await self._prune([path])

    @as_os_errors
    async def _remove(self, path: str, *, recursive: bool) -> None:
        key, inner = split(path)
        if not key:
            raise InvalidPath("name a bucket or a path in one; all buckets together are not removed")
        if not recursive and (await self._info(path))["type"] == "directory":
            raise IsADirectory("it is a directory: use recursive=True, or rmdir if it is empty", about=path)
        buckets = await self._buckets()
        if inner:
            await buckets.remove_path(self.ctx, key, inner)
        else:
            await buckets.remove(self.ctx, key)
        self.invalidate_cache(path)

    async def _prune(self, removed: Iterable[str]) -> None:
        """Remove the directories that have become empty, but none that has roles or a key of its own."""
        parents = {self._parent(path) for path in removed}
        while parents:
            path = max(parents, key=len)  # what is below comes first
            parents.remove(path)
            if "/" in path and await self._pruned(path):
                parents.add(self._parent(path))

    async def _pruned(self, path: str) -> bool:
        key, inner = split(path)
        buckets = await self._buckets()
        for _ in range(_ATTEMPTS):
            try:
                if len(await self._first(path, 2)) > 1:
                    return False
                listing = await buckets.list_path(self.ctx, key, inner)
                own = listing.root.path_metadata.get(inner)
                if listing.item.items or not listing.item.is_dir or (own and (own.roles or own.key)):
                    return False
                await buckets.remove_path(self.ctx, key, inner, root=listing.root)
            except NonFastForward:
                continue
            except (NotFound, PermissionDenied):
                return False
            self.invalidate_cache(path)
            return True
        return False  # an empty directory does no harm

    async def _mkdir(self, path: str, create_parents: bool = True, **_: Any) -> None:
        await self._makedirs(path)

    @as_os_errors
    async def _makedirs(self, path: str, exist_ok: bool = False) -> None:
        path = self._strip_protocol(path)
        key, inner = split(path)
        try:
            info = await self._info(path)
        except FileNotFoundError:
            if not inner:
                raise PathNotFound("create a bucket with BucketsClient.create", about=key) from None
            return
        if not exist_ok or info["type"] != "directory":
            raise FileExistsError(errno.EEXIST, "there is a file or directory already", path)

    @as_os_errors
    async def _rmdir(self, path: str) -> None:
        path = self._strip_protocol(path)
        key, inner = file_in(path)
        buckets = await self._buckets()
        while True:
            listing = await buckets.list_path(self.ctx, key, inner)
            if not listing.item.is_dir:
                raise NotADirectoryError(errno.ENOTDIR, "it is a file", path)
            if listing.item.items:
                raise OSError(errno.ENOTEMPTY, "the directory is not empty", path)
            try:
                await buckets.remove_path(self.ctx, key, inner, root=listing.root)
            except NonFastForward:
                continue  # somebody has changed the bucket; perhaps the directory is not empty now
            break
        self.invalidate_cache(path)

    rmdir = sync_wrapper(_rmdir)
