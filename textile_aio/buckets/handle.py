"""A bucket with the context and the key remembered: what programs that work in one bucket hold."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from textile_aio.auth import AuthContext
from textile_aio.buckets.conflicts import OnConflict
from textile_aio.buckets.paths import BucketPath, for_file
from textile_aio.buckets.patterns import split
from textile_aio.buckets.pull import Pull
from textile_aio.buckets.push import Items, RootLike
from textile_aio.buckets.roles import AccessExplanation, Grantee, RolesLike
from textile_aio.buckets.sources import Source
from textile_aio.buckets.values import Links, PathItem, ProgressCallback, PushedPath, Role, Root
from textile_aio.errors import InvalidEncoding, InvalidInput, PathNotFound
from textile_aio.ids import Cid

if TYPE_CHECKING:
    from textile_aio.buckets.client import BucketsClient
    from textile_aio.buckets.reader import AsyncReader
    from textile_aio.buckets.trees.values import TreePull, TreePush


@dataclass(frozen=True, slots=True)
class BucketHandle:
    """A bucket to work in. Made by :meth:`BucketsClient.bucket` and :meth:`BucketsClient.get_or_create`.

    A value: it holds nothing of the bucket's state and needs no closing, so each method asks the hub. Methods
    do what those of :class:`BucketsClient` do that they name, with the context and the key filled in, and
    raise what these raise. ``timeout`` is as there.

    Attributes:
        client: Makes the calls.
        ctx: Who calls, in which thread.
        key: The bucket's key.
    """

    client: BucketsClient = field(repr=False, compare=False)
    ctx: AuthContext = field(repr=False)
    key: str

    async def root(self, *, timeout: float | None = None) -> Root:
        """The bucket as it stands: :meth:`BucketsClient.root`."""
        return await self.client.root(self.ctx, self.key, timeout=timeout)

    async def links(self, path: BucketPath = "", *, timeout: float | None = None) -> Links:
        """Where browsers find a path: :meth:`BucketsClient.links`."""
        return await self.client.links(self.ctx, self.key, path, timeout=timeout)

    async def stat(self, path: BucketPath = "", *, timeout: float | None = None) -> PathItem:
        """A file or directory without what is in it: :meth:`BucketsClient.list_path`.

        Raises:
            PathNotFound: There is nothing at the path.
        """
        listing = await self.client.list_path(self.ctx, self.key, path, timeout=timeout)
        return replace(listing.item, items=())

    async def exists(self, path: BucketPath, *, timeout: float | None = None) -> bool:
        """Whether there is something at a path that the caller may see."""
        try:
            await self.stat(path, timeout=timeout)
        except PathNotFound:
            return False
        return True

    async def list(
        self, path: BucketPath = "", *, depth: int = 1, timeout: float | None = None
    ) -> tuple[PathItem, ...]:
        """What is in a directory, by name, the seed file included: :meth:`BucketsClient.list_path`.

        Raises:
            PathNotFound: There is nothing at the path.
        """
        listing = await self.client.list_path(self.ctx, self.key, path, depth=depth, timeout=timeout)
        return listing.item.items

    def walk(
        self, pattern: str = "**", *, path: BucketPath = "", timeout: float | None = None
    ) -> AsyncGenerator[PathItem, None]:
        """What is below a directory at paths that a pattern fits: :meth:`BucketsClient.walk`.

        Raises:
            InvalidPath: The pattern is not allowed.
            PathNotFound: There is nothing at the path, raised while iterating.
        """
        return self.client.walk(self.ctx, self.key, pattern, path=path, timeout=timeout)

    async def glob(self, pattern: str, *, timeout: float | None = None) -> AsyncGenerator[PathItem, None]:
        """What is at paths that a pattern fits, as :meth:`walk`; nothing where there is no such directory.

        The pattern is relative to the bucket's root. Only the directory is walked that it begins with.
        """
        directory, rest = split(pattern)
        begun = False
        try:
            async with aclosing(self.walk(rest, path=directory, timeout=timeout)) as items:
                async for item in items:
                    begun = True
                    yield item
        except PathNotFound:
            if begun:
                raise

    async def push(
        self,
        path: BucketPath,
        source: Source,
        *,
        root: RootLike | None = None,
        on_conflict: OnConflict = "fail",
        progress: ProgressCallback | None = None,
        timeout: float | None = None,
    ) -> PushedPath:
        """Push one file: :meth:`BucketsClient.push_path`."""
        return await self.client.push_path(
            self.ctx,
            self.key,
            path,
            source,
            root=root,
            on_conflict=on_conflict,
            progress=progress,
            timeout=timeout,
        )

    async def push_files(
        self,
        items: Items,
        *,
        root: RootLike | None = None,
        on_conflict: OnConflict = "fail",
        progress: ProgressCallback | None = None,
        timeout: float | None = None,
    ) -> Root:
        """Push several files over one stream: :meth:`BucketsClient.push_files`."""
        return await self.client.push_files(
            self.ctx,
            self.key,
            items,
            root=root,
            on_conflict=on_conflict,
            progress=progress,
            timeout=timeout,
        )

    def pull(
        self, path: BucketPath, *, progress: ProgressCallback | None = None, timeout: float | None = None
    ) -> Pull:
        """Read a file, chunk by chunk: :meth:`BucketsClient.pull_path`."""
        return self.client.pull_path(self.ctx, self.key, path, progress=progress, timeout=timeout)

    async def pull_to(
        self,
        path: BucketPath,
        destination: os.PathLike[str],
        *,
        progress: ProgressCallback | None = None,
        timeout: float | None = None,
    ) -> int:
        """Read a file into a local file: :meth:`BucketsClient.pull_to`."""
        return await self.client.pull_to(
            self.ctx, self.key, path, destination, progress=progress, timeout=timeout
        )

    async def read_bytes(self, path: BucketPath, *, timeout: float | None = None) -> bytes:
        """The content of a file, all of it in memory.

        Raises:
            PathNotFound: There is no such file.
            IsADirectory: It is a directory.
        """
        async with self.pull(path, timeout=timeout) as chunks:
            return b"".join([chunk async for chunk in chunks])

    async def write_bytes(
        self,
        path: BucketPath,
        content: bytes | bytearray | memoryview,
        *,
        root: RootLike | None = None,
        on_conflict: OnConflict = "fail",
        timeout: float | None = None,
    ) -> PushedPath:
        """Make a file of content, in place of what is at the path: :meth:`BucketsClient.push_path`."""
        return await self.push(path, content, root=root, on_conflict=on_conflict, timeout=timeout)

    async def read_text(
        self, path: BucketPath, *, encoding: str = "utf-8", timeout: float | None = None
    ) -> str:
        """The content of a file as text, line ends as they are.

        Raises:
            InvalidEncoding: It is no text in that encoding.
        """
        content = await self.read_bytes(path, timeout=timeout)
        try:
            return content.decode(encoding)
        except (UnicodeDecodeError, LookupError) as error:
            raise InvalidEncoding(f"the file is no text: {error}", about=for_file(path)) from error

    async def write_text(
        self,
        path: BucketPath,
        text: str,
        *,
        encoding: str = "utf-8",
        root: RootLike | None = None,
        on_conflict: OnConflict = "fail",
        timeout: float | None = None,
    ) -> PushedPath:
        """Make a file of text, line ends as they are.

        Raises:
            InvalidEncoding: The text cannot be written in that encoding.
        """
        try:
            content = text.encode(encoding)
        except (UnicodeEncodeError, LookupError) as error:
            raise InvalidEncoding(f"the text cannot be written: {error}", about=for_file(path)) from error
        return await self.write_bytes(path, content, root=root, on_conflict=on_conflict, timeout=timeout)

    async def read_json(self, path: BucketPath, *, timeout: float | None = None) -> Any:
        """The value that a file of JSON text holds, as :func:`json.loads` gives it.

        Raises:
            InvalidEncoding: It is no JSON text.
        """
        content = await self.read_bytes(path, timeout=timeout)
        try:
            return json.loads(content)
        except ValueError as error:
            raise InvalidEncoding(f"the file is no JSON: {error}", about=for_file(path)) from error

    async def write_json(
        self,
        path: BucketPath,
        value: object,
        *,
        indent: int | None = None,
        root: RootLike | None = None,
        on_conflict: OnConflict = "fail",
        timeout: float | None = None,
    ) -> PushedPath:
        """Make a file of a value's JSON text in UTF-8, as :func:`json.dumps` gives it.

        Raises:
            InvalidInput: The value holds what JSON cannot say: NaN and infinities, times, bytes, itself.
        """
        try:
            content = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent).encode()
        except (TypeError, ValueError, RecursionError) as error:
            raise InvalidInput(f"the value has no JSON text: {error}", about=for_file(path)) from error
        return await self.write_bytes(path, content, root=root, on_conflict=on_conflict, timeout=timeout)

    async def set(self, path: BucketPath, cid: Cid | str, *, timeout: float | None = None) -> int:
        """Put content that has a CID at a path: :meth:`BucketsClient.set_path`."""
        return await self.client.set_path(self.ctx, self.key, path, cid, timeout=timeout)

    async def copy(
        self,
        source: BucketPath,
        target: BucketPath,
        *,
        root: RootLike | None = None,
        timeout: float | None = None,
    ) -> Cid:
        """Copy a file or directory: :meth:`BucketsClient.copy_path`."""
        return await self.client.copy_path(self.ctx, self.key, source, target, root=root, timeout=timeout)

    async def move(self, source: BucketPath, target: BucketPath, *, timeout: float | None = None) -> None:
        """Move a file or directory: :meth:`BucketsClient.move_path`."""
        await self.client.move_path(self.ctx, self.key, source, target, timeout=timeout)

    async def remove(
        self,
        path: BucketPath,
        *,
        root: RootLike | None = None,
        on_conflict: OnConflict = "fail",
        timeout: float | None = None,
    ) -> Root:
        """Remove a file, or a directory with everything in it: :meth:`BucketsClient.remove_path`."""
        return await self.client.remove_path(
            self.ctx, self.key, path, root=root, on_conflict=on_conflict, timeout=timeout
        )

    def open(self, path: BucketPath, mode: str = "rb", *, timeout: float | None = None) -> AsyncReader:
        """Open a file for reading at any place, with ``async with``: :meth:`BucketsClient.open`.

        Raises:
            InvalidInput: The mode is not ``"rb"``.
        """
        if mode != "rb":
            raise InvalidInput("files of a bucket are opened in mode 'rb'; push to write", about=str(mode))
        return self.client.open(self.ctx, self.key, path, timeout=timeout)

    async def push_tree(
        self,
        path: BucketPath,
        folder: os.PathLike[str],
        *,
        delete: bool = True,
        ignore: str | None = ".buckignore",
        root: RootLike | None = None,
        progress: ProgressCallback | None = None,
        timeout: float | None = None,
    ) -> TreePush:
        """Make a directory what a local folder is: :meth:`BucketsClient.push_tree`."""
        return await self.client.push_tree(
            self.ctx,
            self.key,
            path,
            folder,
            delete=delete,
            ignore=ignore,
            root=root,
            progress=progress,
            timeout=timeout,
        )

    async def pull_tree(
        self,
        path: BucketPath,
        folder: os.PathLike[str],
        *,
        delete: bool = False,
        progress: ProgressCallback | None = None,
        timeout: float | None = None,
    ) -> TreePull:
        """Make a local folder what a directory is: :meth:`BucketsClient.pull_tree`."""
        return await self.client.pull_tree(
            self.ctx, self.key, path, folder, delete=delete, progress=progress, timeout=timeout
        )

    async def roles(self, path: BucketPath = "", *, timeout: float | None = None) -> dict[str, Role]:
        """The roles of a path: :meth:`BucketsClient.pull_path_access_roles`."""
        return await self.client.pull_path_access_roles(self.ctx, self.key, path, timeout=timeout)

    async def grant(
        self,
        path: BucketPath,
        roles: RolesLike,
        *,
        lock_out: bool = False,
        timeout: float | None = None,
    ) -> dict[str, Role]:
        """Give roles at a path: :meth:`BucketsClient.push_path_access_roles`."""
        return await self.client.push_path_access_roles(
            self.ctx, self.key, path, roles, lock_out=lock_out, timeout=timeout
        )

    async def explain_access(
        self, path: BucketPath, identity: Grantee, *, timeout: float | None = None
    ) -> AccessExplanation:
        """What an identity may do at a path, and why: :meth:`BucketsClient.explain_access`."""
        return await self.client.explain_access(self.ctx, self.key, path, identity, timeout=timeout)

    def export_car(
        self, path: BucketPath = "", *, timeout: float | None = None
    ) -> AsyncGenerator[bytes, None]:
        """The bucket, or a path in it, as a CAR file: :meth:`BucketsClient.export_car`."""
        return self.client.export_car(self.ctx, self.key, path, timeout=timeout)

    async def delete(self, *, timeout: float | None = None) -> int:
        """Remove the bucket with everything in it: :meth:`BucketsClient.remove`."""
        return await self.client.remove(self.ctx, self.key, timeout=timeout)
