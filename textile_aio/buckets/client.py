"""Calls to a hub's buckets service."""

from __future__ import annotations

import builtins
import os
from collections.abc import Mapping
from typing import overload

from textile_aio._arguments import callback, context, one_of, text
from textile_aio._proto.api.bucketsd import pb
from textile_aio._rpc.channel import Channel
from textile_aio.auth import AuthContext
from textile_aio.buckets import _convert, _methods
from textile_aio.buckets.paths import BucketPath, for_file, for_reading, for_writing
from textile_aio.buckets.pull import HEADERS, Pull, into_file
from textile_aio.buckets.push import Destination, Items, Pairs, PathsPush, RootLike, push_path, root_text
from textile_aio.buckets.sources import Source
from textile_aio.buckets.values import (
    Bucket,
    Links,
    PathListing,
    ProgressCallback,
    PushedPath,
    Root,
)
from textile_aio.errors import InvalidInput, NonFastForward, ThreadRequired
from textile_aio.ids import Cid


class BucketsClient:
    """Buckets: file trees that live in a thread.

    Reached as :attr:`HubClient.buckets <textile_aio.HubClient.buckets>`. Every call takes the context first,
    and acts in the context's thread. The same errors can come from every call and are not repeated below:

    * before anything is sent: :class:`~textile_aio.ThreadRequired`, :class:`~textile_aio.ClosedError`,
      :class:`~textile_aio.InvalidPath` and :class:`~textile_aio.InvalidInput` for arguments that no hub would
      take;
    * :class:`~textile_aio.BucketNotFound`, :class:`~textile_aio.ThreadNotFound`;
    * :class:`~textile_aio.Unauthenticated` and :class:`~textile_aio.PermissionDenied`;
    * :class:`~textile_aio.Unavailable`, :class:`~textile_aio.DeadlineExceeded`,
      :class:`~textile_aio.ProtocolError`.

    ``timeout`` is in seconds. For pushes and pulls it covers the whole transfer, and there is none unless one
    is given; for all other calls it includes repetitions, and without one the client's default applies. Calls
    that only read are repeated when the hub was unavailable; others only when their request certainly never
    left.

    Args:
        channel: The hub.
        timeout: Default for calls other than pushes and pulls; None for no limit.
    """

    def __init__(self, channel: Channel, *, timeout: float | None = None) -> None:
        self._channel = channel
        self._timeout = timeout

    async def create(
        self,
        ctx: AuthContext,
        name: str = "",
        *,
        private: bool = False,
        cid: Cid | str | None = None,
        timeout: float | None = None,
    ) -> Bucket:
        """Create a bucket. Not idempotent: names are not unique, and each call makes another one.

        Args:
            ctx: Who calls, in which thread.
            name: Free text.
            private: Encrypt content and directories.
            cid: A directory to start with, which the hub has or can fetch; in a private bucket it is
                encrypted anew.
            timeout: See the class.

        Raises:
            InvalidSource: ``cid`` is no CID.
            NotADirectory: ``cid`` is not that of a directory.
            QuotaExceeded: The account's allowance is used up.
        """
        _check_thread(ctx)
        request = pb.CreateRequest(
            name=text(name, "the name"),
            private=one_of(bool, private, "private"),
            bootstrap_cid="" if cid is None else str(one_of((Cid, str), cid, "cid")),
        )
        reply = await self._channel.unary(
            _methods.CREATE, request, ctx, timeout=self._limit(timeout), about=name
        )
        return _convert.bucket(reply)

    async def unfreeze(
        self,
        ctx: AuthContext,
        cid: Cid | str,
        *,
        name: str = "",
        private: bool = False,
        timeout: float | None = None,
    ) -> str:
        """Have a bucket made from what was archived on Filecoin under a CID; the hub does so on its own.

        Returns:
            The id of the retrieval.

        Raises:
            Unimplemented: The hub has no archiving.
            InvalidSource: ``cid`` is no CID.
        """
        _check_thread(ctx)
        request = pb.CreateRequest(
            name=text(name, "the name"),
            private=one_of(bool, private, "private"),
            bootstrap_cid=str(one_of((Cid, str), cid, "cid")),
            unfreeze=True,
        )
        reply = await self._channel.unary(
            _methods.CREATE, request, ctx, timeout=self._limit(timeout), about=str(cid)
        )
        return reply.retrieval_id

    async def list(self, ctx: AuthContext, *, timeout: float | None = None) -> builtins.list[Root]:
        """All buckets of the thread, those included whose content the caller may not see. Safe to repeat."""
        _check_thread(ctx)
        reply = await self._channel.unary(_methods.LIST, pb.ListRequest(), ctx, timeout=self._limit(timeout))
        return [_convert.root(root) for root in reply.roots]

    async def root(self, ctx: AuthContext, key: str, *, timeout: float | None = None) -> Root:
        """A bucket as it stands. Safe to repeat."""
        _check(ctx, key)
        reply = await self._channel.unary(
            _methods.ROOT, pb.RootRequest(key=key), ctx, timeout=self._limit(timeout), about=key
        )
        return _convert.root(reply.root)

    async def links(
        self, ctx: AuthContext, key: str, path: BucketPath = "", *, timeout: float | None = None
    ) -> Links:
        """Where browsers find a path of a bucket. Safe to repeat.

        The links of a private bucket carry the caller's token.

        Raises:
            PathNotFound: There is nothing at the path.
        """
        _check(ctx, key)
        clean = for_reading(path)
        request = pb.LinksRequest(key=key, path=clean)
        reply = await self._channel.unary(
            _methods.LINKS, request, ctx, timeout=self._limit(timeout), about=clean or key
        )
        return _convert.links(reply)

    async def list_path(
        self, ctx: AuthContext, key: str, path: BucketPath = "", *, timeout: float | None = None
    ) -> PathListing:
        """A file or a directory with what is directly in it, the seed file included. Safe to repeat.

        Raises:
            PathNotFound: There is nothing at the path, or a part of it is hidden from the caller.
        """
        _check(ctx, key)
        clean = for_reading(path)
        request = pb.ListPathRequest(key=key, path=clean)
        reply = await self._channel.unary(
            _methods.LIST_PATH, request, ctx, timeout=self._limit(timeout), about=clean or key
        )
        return _convert.listing(reply)

    async def push_path(
        self,
        ctx: AuthContext,
        key: str,
        path: BucketPath,
        source: Source,
        *,
        root: RootLike | None = None,
        progress: ProgressCallback | None = None,
        timeout: float | None = None,
    ) -> PushedPath:
        """Push one file, and return when the hub has stored it and the bucket's new root.

        Atomic: when this raises, or the task is cancelled, the bucket has its old root (only after
        :class:`~textile_aio.Unavailable` or :class:`~textile_aio.DeadlineExceeded` it may have the new one).
        What a source raises reaches the caller as it is. Two chunks of 256 KiB are in memory at most, beside
        what the connection holds. Missing directories are made; a file or directory that is at the path is
        replaced.

        Args:
            ctx: Who calls, in which thread.
            key: The bucket.
            path: Where the file goes, relative to the root.
            source: A path (not text), bytes, an open binary file, an async file, or an async iterable of
                bytes. It is opened before the call is made.
            root: The state the bucket has to be in: the push is refused if it has moved on.
            progress: Called with the bytes that the hub says it has read, each time it says so; in a private
                bucket these are encrypted bytes, 84 more than the content.
            timeout: See the class.

        Raises:
            InvalidPath: The path is empty or not allowed.
            InvalidSource: The source cannot be read as bytes, or there is no such file.
            IsADirectory: The source is a directory.
            NonFastForward: The bucket is not in the state ``root``.
            NotADirectory: A file is in the way of the path.
            WriteDenied: The caller's role does not allow it.
            QuotaExceeded: The account's allowance is used up.
        """
        callback(progress, "progress")
        return await push_path(self._to(ctx, key, root, timeout), path, source, progress=progress)

    @overload
    def push_paths(
        self,
        ctx: AuthContext,
        key: str,
        items: Mapping[str, Source],
        *,
        root: RootLike | None = None,
        progress: ProgressCallback | None = None,
        timeout: float | None = None,
    ) -> PathsPush: ...

    @overload
    def push_paths(
        self,
        ctx: AuthContext,
        key: str,
        items: Pairs,
        *,
        root: RootLike | None = None,
        progress: ProgressCallback | None = None,
        timeout: float | None = None,
    ) -> PathsPush: ...

    def push_paths(
        self,
        ctx: AuthContext,
        key: str,
        items: Items,
        *,
        root: RootLike | None = None,
        progress: ProgressCallback | None = None,
        timeout: float | None = None,
    ) -> PathsPush:
        """Push several files over one stream, and see each as the hub completes it.

        ::

            async with hub.buckets.push_paths(ctx, key, {"a.txt": b"a", "b.bin": Path("b.bin")}) as push:
                async for pushed in push:
                    print(pushed.path, pushed.cid)

        Much cheaper than a push a file. :class:`PathsPush` says what is stored when. Sources are opened one
        at a time, when their turn comes, so there may be any number of them; only small files of a mapping, a
        list or a tuple are read some at a time.

        Args:
            ctx: Who calls, in which thread.
            key: The bucket.
            items: A mapping of paths to sources, or pairs of both from an iterable or async iterable. Of a
                mapping, a list or a tuple the hub learns all paths first and refuses at once if one is not
                allowed.
            root: The state the bucket has to be in: the push is refused if it has moved on.
            progress: Called after each chunk, with the bytes of that file handed to the connection.
            timeout: See the class.

        Raises:
            InvalidPath: As :meth:`push_path`, or a path comes twice. For iterables, when its turn comes.
            TextileError: While iterating, whatever :meth:`push_path` raises.
        """
        callback(progress, "progress")
        return PathsPush(self._to(ctx, key, root, timeout), items, progress=progress)

    @overload
    async def push_files(
        self,
        ctx: AuthContext,
        key: str,
        items: Mapping[str, Source],
        *,
        root: RootLike | None = None,
        progress: ProgressCallback | None = None,
        timeout: float | None = None,
    ) -> Root: ...

    @overload
    async def push_files(
        self,
        ctx: AuthContext,
        key: str,
        items: Pairs,
        *,
        root: RootLike | None = None,
        progress: ProgressCallback | None = None,
        timeout: float | None = None,
    ) -> Root: ...

    async def push_files(
        self,
        ctx: AuthContext,
        key: str,
        items: Items,
        *,
        root: RootLike | None = None,
        progress: ProgressCallback | None = None,
        timeout: float | None = None,
    ) -> Root:
        """Push several files as :meth:`push_paths` does, and return the final root when all are stored.

        Without any items it returns the root as it stands.
        """
        final: Root | None = None
        async with self.push_paths(ctx, key, items, root=root, progress=progress, timeout=timeout) as push:
            async for pushed in push:
                final = pushed.root
        return final or await self.root(ctx, key, timeout=timeout)

    def pull_path(
        self,
        ctx: AuthContext,
        key: str,
        path: BucketPath,
        *,
        progress: ProgressCallback | None = None,
        timeout: float | None = None,
    ) -> Pull:
        """Read a file, chunk by chunk.

        ::

            async for chunk in hub.buckets.pull_path(ctx, key, "a.txt"):
                ...

        The call is made at the first chunk and not repeated. Content is whole only when the iteration has
        ended by itself.

        Args:
            ctx: Who calls, in which thread.
            key: The bucket.
            path: The file.
            progress: Called before each chunk is given out, with the bytes up to its end.
            timeout: See the class; the time the caller takes between chunks counts.

        Raises:
            PathNotFound: There is no such file, raised while iterating.
            IsADirectory: It is a directory, raised while iterating.
            DecryptionFailed: The bucket is private and the key does not open the file, raised while
                iterating.
        """
        _check(ctx, key)
        callback(progress, "progress")
        clean = for_file(path)
        stream = self._channel.stream(
            _methods.PULL_PATH,
            ctx,
            timeout=timeout,
            about=clean,
            headers=HEADERS,
            request=pb.PullPathRequest(key=key, path=clean),
        )
        return Pull(stream, clean, progress=progress)

    async def pull_to(
        self,
        ctx: AuthContext,
        key: str,
        path: BucketPath,
        destination: os.PathLike[str],
        *,
        progress: ProgressCallback | None = None,
        timeout: float | None = None,
    ) -> int:
        """Read a file of a bucket into a local file.

        Atomic and durable: the content is written aside in the same folder, synced, and only then renamed, so
        the destination holds what it held before, or the whole new file; on failure and cancellation nothing
        is left behind. A destination that exists keeps its permissions, and a link stays a link.

        Returns:
            The size of the file in bytes.

        Raises:
            IsADirectory: The path or the destination is a directory.
            PathNotFound: There is no such file in the bucket.
            DecryptionFailed: The bucket is private and the key does not open the file.
            FileNotFoundError: The folder of the destination does not exist.
            OSError: The destination cannot be written.
        """
        pull = self.pull_path(ctx, key, path, progress=progress, timeout=timeout)
        return await into_file(pull, destination)

    async def remove_path(
        self,
        ctx: AuthContext,
        key: str,
        path: BucketPath,
        *,
        root: RootLike | None = None,
        timeout: float | None = None,
    ) -> Root:
        """Remove a file, or a directory with everything in it, and return the new root. Atomic; not repeated.

        Raises:
            NonFastForward: The bucket is not in the state ``root``; looked at before the path is.
            PathNotFound: There is nothing at the path.
            WriteDenied: The caller's role does not allow it.
        """
        to = self._to(ctx, key, root, self._limit(timeout))
        clean = for_writing(path)
        request = pb.RemovePathRequest(key=key, path=clean, root=to.root)
        try:
            reply = await self._channel.unary(
                _methods.REMOVE_PATH, request, ctx, timeout=to.timeout, about=clean
            )
        except NonFastForward as refusal:
            await to.explain(refusal)
            raise
        return _convert.root(reply.root)

    async def remove(self, ctx: AuthContext, key: str, *, timeout: float | None = None) -> int:
        """Remove a bucket with everything in it. Not repeated.

        Returns:
            The change in the bytes that the caller takes at the hub, so a negative number.

        Raises:
            WriteDenied: The bucket belongs to somebody else.
        """
        _check(ctx, key)
        reply = await self._channel.unary(
            _methods.REMOVE, pb.RemoveRequest(key=key), ctx, timeout=self._limit(timeout), about=key
        )
        return reply.pinned

    def _limit(self, timeout: float | None) -> float | None:
        return self._timeout if timeout is None else timeout

    def _to(self, ctx: AuthContext, key: str, root: RootLike | None, timeout: float | None) -> Destination:
        _check(ctx, key)
        return Destination(self._channel, ctx, key, root_text(root), timeout)


def _check(ctx: AuthContext, key: str) -> None:
    _check_thread(ctx)
    if not text(key, "a bucket key"):
        raise InvalidInput("the bucket key is empty")


def _check_thread(ctx: AuthContext) -> None:
    if context(ctx).thread is None:
        raise ThreadRequired(f"buckets live in a thread and the context names none; {ThreadRequired.hint}")
