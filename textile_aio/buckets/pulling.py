"""Calls that pull content."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, cast

from textile_aio._arguments import callback, context, one_of
from textile_aio._proto.api.bucketsd import pb
from textile_aio._rpc.calls import ServiceCalls
from textile_aio.auth import AuthContext
from textile_aio.buckets import _methods
from textile_aio.buckets._checks import check
from textile_aio.buckets.paths import BucketPath, for_file, for_ipfs, for_reading
from textile_aio.buckets.pull import HEADERS, Pull, PullStream, into_file
from textile_aio.buckets.values import ProgressCallback
from textile_aio.ids import Cid

if TYPE_CHECKING:
    from textile_aio.buckets.reader import AsyncReader
    from textile_aio.buckets.trees.values import TreePull


class PullCalls(ServiceCalls):
    """The group of calls that pull."""

    def pull_path(
        self,
        ctx: AuthContext,
        key: str,
        path: BucketPath,
        *,
        verify: bool = True,
        progress: ProgressCallback | None = None,
        timeout: float | None = None,
    ) -> Pull:
        """Read a file, chunk by chunk.

        ::

            async for chunk in hub.buckets.pull_path(ctx, key, "a.txt"):
                ...

        The call is made at the first chunk. Content is whole only when the iteration has ended by itself. At
        the hub of this package, a pull that breaks goes on at the byte where it broke, after a pause, and up
        to three times without a byte more; and public content is verified against the file's CID as it comes.
        Other hubs do not say that CID with the content.

        Args:
            ctx: Who calls, in which thread.
            key: The bucket.
            path: The file.
            verify: Compute the CID of what comes and compare it, where the hub says one.
            progress: Called before each chunk is given out, with the bytes up to its end.
            timeout: See the class; for the whole, the time the caller takes between chunks included.

        Raises:
            PathNotFound: There is no such file, raised while iterating.
            IsADirectory: It is a directory, raised while iterating.
            IntegrityError: The content is not what the file's CID says, raised at the end of the iteration.
            Aborted: The pull broke, and the file was changed before it could go on; raised while iterating.
            DecryptionFailed: The bucket is private and the key does not open the file, raised while
                iterating.
        """
        check(ctx, key)
        callback(progress, "progress")
        clean = for_file(path)
        one_of(bool, verify, "verify")

        def begin(offset: int, remaining: float | None) -> PullStream:
            return self._channel.stream(
                _methods.PULL_PATH,
                ctx,
                timeout=remaining,
                about=clean,
                headers=HEADERS,
                request=pb.PullPathRequest(key=key, path=clean, offset=offset),
            )

        return Pull(self._channel, begin, clean, timeout=timeout, progress=progress, verify=verify)

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

    def pull_ipfs_path(
        self,
        ctx: AuthContext,
        path: BucketPath | Cid,
        *,
        progress: ProgressCallback | None = None,
        timeout: float | None = None,
    ) -> Pull:
        """Read a file by a path that begins with a CID; otherwise as :meth:`pull_path`.

        The context's thread plays no part. Of a private bucket this gives what is stored: encrypted files.

        Args:
            ctx: Who calls.
            path: A CID, or ``/ipfs/<cid>/<path>``.
            progress: Called before each chunk is given out, with the bytes up to its end.
            timeout: See the class; the time the caller takes between chunks counts.

        Raises:
            InvalidPath: The path does not begin with a CID.
            PathNotFound: There is no such file, raised while iterating.
            IsADirectory: It is a directory, raised while iterating.
        """
        context(ctx)
        callback(progress, "progress")
        clean = for_ipfs(path)

        def begin(offset: int, remaining: float | None) -> PullStream:
            stream = self._channel.stream(
                _methods.PULL_IPFS_PATH,
                ctx.without("thread"),
                timeout=remaining,
                about=clean,
                headers=HEADERS,
                request=pb.PullIpfsPathRequest(path=clean, offset=offset),
            )
            return cast("PullStream", stream)  # both calls answer with messages of the same shape

        return Pull(self._channel, begin, clean, timeout=timeout, progress=progress)

    def open(
        self, ctx: AuthContext, key: str, path: BucketPath, *, timeout: float | None = None
    ) -> AsyncReader:
        """Open a file of a bucket for reading at any place, with ``async with``.

        ::

            import os

            async with hub.buckets.open(ctx, key, "a.txt") as file:
                await file.seek(-1, os.SEEK_END)
                tail = await file.read()

        Args:
            ctx: Who calls, in which thread.
            key: The bucket.
            path: The file.
            timeout: See the class; covers each call.

        Raises:
            PathNotFound: There is no such file, raised when the reader is entered.
            IsADirectory: It is a directory, raised when the reader is entered.
        """
        from textile_aio.buckets.reader import AsyncReader

        check(ctx, key)
        return AsyncReader(self._channel, ctx, key, for_file(path), timeout=timeout)

    async def pull_tree(
        self,
        ctx: AuthContext,
        key: str,
        path: BucketPath,
        folder: os.PathLike[str],
        *,
        delete: bool = False,
        progress: ProgressCallback | None = None,
        timeout: float | None = None,
    ) -> TreePull:
        """Make a local folder what a directory of a bucket is; only what differs is pulled.

        Args:
            ctx: Who calls, in which thread.
            key: The bucket.
            path: The directory; ``""`` for the bucket's root.
            folder: The local folder, made if it is not there.
            delete: Whether files that are in the folder alone are removed from it, and with them directories
                that become empty. What the folder's ``.buckignore`` names stays.
            progress: Called before each chunk is given out, with the bytes of that file up to its end.
            timeout: See the class; covers each call.

        Raises:
            PathNotFound: There is nothing at the path.
            NotADirectory: A file is at the path.
            OSError: The folder cannot be written.
        """
        from textile_aio.buckets.trees.pull import pull_tree

        check(ctx, key)
        callback(progress, "progress")
        return await pull_tree(
            self._channel,
            ctx,
            key,
            for_reading(path),
            folder,
            delete=one_of(bool, delete, "delete"),
            progress=progress,
            timeout=timeout,
        )
