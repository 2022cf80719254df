"""Calls that look at what is in a bucket."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from functools import partial

from textile_aio._arguments import context, one_of
from textile_aio._proto.api.bucketsd import pb
from textile_aio._rpc.calls import ServiceCalls
from textile_aio.auth import AuthContext
from textile_aio.buckets import _convert, _methods, walking
from textile_aio.buckets._checks import check
from textile_aio.buckets._together import together
from textile_aio.buckets.paths import BucketPath, for_ipfs, for_reading
from textile_aio.buckets.values import PathItem, PathListing, Root
from textile_aio.errors import Aborted, InvalidInput, PathNotFound
from textile_aio.ids import Cid

_ATTEMPTS = 5


class ListingCalls(ServiceCalls):
    """The group of calls that list."""

    async def list_path(
        self,
        ctx: AuthContext,
        key: str,
        path: BucketPath = "",
        *,
        depth: int = 1,
        timeout: float | None = None,
    ) -> PathListing:
        """A file or a directory with what is in it, the seed file included. Safe to repeat.

        Deeper listings are of one state of the bucket: they begin anew, a few times, when it changes.

        Args:
            ctx: Who calls, in which thread.
            key: The bucket.
            path: The file or directory; the root by default.
            depth: How many levels of items to list, -1 for all. Each directory below the first level costs
                a call, whose answer grows with the whole bucket's metadata at hubs other than that of this
                package; :meth:`list_tree` is far cheaper for large trees, and holds less.
            timeout: See the class; covers each call.

        Raises:
            PathNotFound: There is nothing at the path, or a part of it is hidden from the caller.
            Aborted: The bucket changed again and again during a deeper listing.
        """
        check(ctx, key)
        clean = for_reading(path)
        _check_depth(depth)
        for _ in range(_ATTEMPTS):
            listing = _convert.listing(await self._listed(ctx, key, clean, timeout))
            try:
                item = await self._deepened(ctx, key, listing.item, clean, listing.root, depth - 1, timeout)
            except _Moved:
                continue
            except PathNotFound:
                now = _convert.listing(await self._listed(ctx, key, clean, timeout)).root
                if now.path == listing.root.path:
                    raise
                continue
            return PathListing(item, listing.root)
        raise Aborted("the bucket changed during each attempt to list it", about=clean or key)

    async def list_path_flat(
        self,
        ctx: AuthContext,
        key: str,
        path: BucketPath = "",
        *,
        dirs: bool = True,
        depth: int = 5,
        timeout: float | None = None,
    ) -> list[str]:
        """The paths of what is below a directory, relative to the bucket's root; of a file its own path.

        Parents come before children, siblings by name. Costs and sees what :meth:`list_tree` does; with a
        ``depth`` only directories of the levels above it are listed.

        Args:
            ctx: Who calls, in which thread.
            key: The bucket.
            path: The file or directory; the root by default.
            dirs: Whether directories are named as well as files.
            depth: How many levels, -1 for all.
            timeout: As :meth:`list_tree`.

        Raises:
            PathNotFound: There is nothing at the path, or a part of it is hidden from the caller.
        """
        check(ctx, key)
        clean = for_reading(path)
        one_of(bool, dirs, "dirs")
        _check_depth(depth)
        above = clean.count("/") + 1 if clean else 0

        def level(item: PathItem) -> int:
            below = item.relative_path
            return below.count("/") + 1 - above if below else 0

        limit = self._limit(timeout)
        if depth == -1:
            items = walking.tree(self._channel, ctx, key, clean, timeout=limit)
        else:
            items = walking.directories(
                self._channel, ctx, key, clean, enter=lambda item: level(item) < depth, timeout=limit
            )
        async with aclosing(items):
            return [
                item.relative_path
                async for item in items
                if not item.is_dir or (dirs and item.relative_path != clean)
            ]

    async def list_ipfs_path(
        self, ctx: AuthContext, path: BucketPath | Cid, *, timeout: float | None = None
    ) -> PathItem:
        """What is at a path that begins with a CID, with what is directly in it. Safe to repeat.

        The context's thread plays no part. Of private buckets this shows the encrypted blocks.

        Args:
            ctx: Who calls.
            path: A CID, or ``/ipfs/<cid>/<path>``.
            timeout: See the class.

        Raises:
            InvalidPath: The path does not begin with a CID.
            PathNotFound: There is nothing at the path.
        """
        context(ctx)
        clean = for_ipfs(path)
        request = pb.ListIpfsPathRequest(path=clean)
        reply = await self._call(
            _methods.LIST_IPFS_PATH, request, ctx.without("thread"), timeout=timeout, about=clean
        )
        return _convert.item(reply.item)

    def list_tree(
        self, ctx: AuthContext, key: str, path: BucketPath = "", *, timeout: float | None = None
    ) -> AsyncGenerator[PathItem, None]:
        """Everything at and below a path: parents first, siblings by name, the seed file included.

        One call at the hub of this package, and one for each directory elsewhere; there, a private bucket
        that changes meanwhile may be seen in several states. Items come without metadata and without what is
        in them. Memory does not grow with the tree.

        Args:
            ctx: Who calls, in which thread.
            key: The bucket.
            path: The file or directory; the root by default.
            timeout: See the class; covers the time the caller takes between items.

        Raises:
            PathNotFound: There is nothing at the path, raised while iterating.
            FailedPrecondition: The tree is deeper than the hub lets paths be, raised while iterating.
        """
        check(ctx, key)
        return walking.tree(self._channel, ctx, key, for_reading(path), timeout=self._limit(timeout))

    def walk(
        self,
        ctx: AuthContext,
        key: str,
        pattern: str = "**",
        *,
        path: BucketPath = "",
        timeout: float | None = None,
    ) -> AsyncGenerator[PathItem, None]:
        """What is below a directory at paths that a pattern fits, in the order of :meth:`list_tree`.

        ::

            async for item in hub.buckets.walk(ctx, key, "**/*.txt"):
                print(item.relative_path)

        In a part of the pattern ``*`` stands for any characters, ``?`` for one, ``[ab]`` for one of some; a
        part ``**`` stands for any number of parts, also none. Letter case counts. The seed file is found
        only by its name. Without ``**`` no other directories are listed than the pattern fits.

        Args:
            ctx: Who calls, in which thread.
            key: The bucket.
            pattern: Relative to the directory.
            path: The directory; the root by default.
            timeout: As :meth:`list_tree`.

        Raises:
            InvalidPath: The pattern is empty, or has empty parts, ``.`` or ``..``.
            PathNotFound: There is nothing at the path, raised while iterating.
        """
        check(ctx, key)
        clean = for_reading(path)
        return walking.matching(self._channel, ctx, key, pattern, clean, timeout=self._limit(timeout))

    async def _listed(
        self, ctx: AuthContext, key: str, path: str, timeout: float | None
    ) -> pb.ListPathResponse:
        request = pb.ListPathRequest(key=key, path=path)
        return await self._channel.unary(
            _methods.LIST_PATH,
            request,
            ctx,
            timeout=self._limit(timeout),
            about=path or key,
            headers=_methods.BRIEF,
        )

    async def _deepened(
        self,
        ctx: AuthContext,
        key: str,
        item: PathItem,
        path: str,
        root: Root,
        levels: int,
        timeout: float | None,
    ) -> PathItem:
        """A listed item, with ``levels`` more levels below its own items."""
        if levels == 0 or not any(child.is_dir for child in item.items):
            return item
        folders = [
            (child, f"{path}/{child.name}" if path else child.name) for child in item.items if child.is_dir
        ]
        replies = await together(partial(self._listed, ctx, key, below, timeout) for _, below in folders)
        filled: dict[str, PathItem] = {}
        for (child, below), reply in zip(folders, replies, strict=True):
            # The root of a large bucket is large, and comes with each reply: only the first is made a value.
            if reply.root is None or reply.root.path != root.path:
                raise _Moved
            found = _convert.listed_item(reply, root)
            filled[child.name] = await self._deepened(ctx, key, found, below, root, levels - 1, timeout)
        return replace(item, items=tuple(filled.get(child.name, child) for child in item.items))


class _Moved(Exception):
    """Two listings that should be of one state of the bucket are not."""


def _check_depth(depth: int) -> None:
    if isinstance(depth, bool) or (one_of(int, depth, "depth") < 1 and depth != -1):
        raise InvalidInput("depth is a number of levels from 1, or -1 for all")
