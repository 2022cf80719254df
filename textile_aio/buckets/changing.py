"""Calls that change what is where in a bucket, without sending content."""

from __future__ import annotations

from functools import partial

from textile_aio._arguments import one_of
from textile_aio._proto.api.bucketsd import pb
from textile_aio._rpc.calls import ServiceCalls
from textile_aio.auth import AuthContext
from textile_aio.buckets import _convert, _methods
from textile_aio.buckets._checks import check
from textile_aio.buckets.conflicts import OnConflict, check_choice, settled
from textile_aio.buckets.paths import BucketPath, for_reading, for_writing, without_seed
from textile_aio.buckets.push import Destination, RootLike, root_text
from textile_aio.buckets.values import Root
from textile_aio.errors import NonFastForward
from textile_aio.ids import Cid


class ChangeCalls(ServiceCalls):
    """The group of calls that change paths."""

    async def set_path(
        self,
        ctx: AuthContext,
        key: str,
        path: BucketPath,
        cid: Cid | str,
        *,
        timeout: float | None = None,
    ) -> int:
        """Put content that has a CID at a path, in place of what is there. Atomic; not repeated.

        Missing directories are made. At the bucket's root, ``""``, the content has to be a directory and
        becomes all that the bucket holds, beside a new seed file. In a private bucket the content is
        encrypted anew.

        Args:
            ctx: Who calls, in which thread.
            key: The bucket.
            path: Where the content goes.
            cid: A file or directory, which the hub has or can fetch.
            timeout: See the class.

        Returns:
            The change in the bytes that the bucket takes at the hub.

        Raises:
            InvalidSource: ``cid`` is no CID.
            NotADirectory: A file is in the way of the path, or is to be the root.
            WriteDenied: The caller's role does not allow it.
            QuotaExceeded: The account's allowance is used up.
        """
        check(ctx, key)
        clean = without_seed(for_reading(path))
        request = pb.SetPathRequest(key=key, path=clean, cid=str(one_of((Cid, str), cid, "cid")))
        reply = await self._call(_methods.SET_PATH, request, ctx, timeout=timeout, about=clean or key)
        return reply.pinned

    async def move_path(
        self,
        ctx: AuthContext,
        key: str,
        source: BucketPath,
        target: BucketPath,
        *,
        timeout: float | None = None,
    ) -> None:
        """Move a file or directory. Atomic; not repeated.

        Where ``target`` is a directory, what is moved goes into it under its old name; ``""`` is the root
        directory. A file at ``target`` is replaced by a file. Missing directories are made, emptied ones
        stay. Roles do not move along.

        Args:
            ctx: Who calls, in which thread.
            key: The bucket.
            source: What to move.
            target: Where to.
            timeout: See the class.

        Raises:
            PathNotFound: There is nothing at ``source``.
            NotADirectory: ``source`` is a directory and ``target`` a file, or a file is in the way.
            WriteDenied: The caller's role does not allow it.
        """
        check(ctx, key)
        clean, where = for_writing(source), without_seed(for_reading(target))
        request = pb.MovePathRequest(key=key, from_path=clean, to_path=where)
        await self._call(_methods.MOVE_PATH, request, ctx, timeout=timeout, about=clean)

    async def copy_path(
        self,
        ctx: AuthContext,
        key: str,
        source: BucketPath,
        target: BucketPath,
        *,
        root: RootLike | None = None,
        timeout: float | None = None,
    ) -> Cid:
        """Copy a file or directory within a bucket, to where :meth:`move_path` would move it. Not repeated.

        At the hub of this package one atomic call. Elsewhere a public bucket gets the same content by its
        CID; in a private one, or with ``root``, files are pulled and pushed through this machine in one push,
        two chunks of 256 KiB in memory at a time, and empty directories are left out.

        Args:
            ctx: Who calls, in which thread.
            key: The bucket.
            source: What to copy.
            target: Where to.
            root: The state the bucket has to be in: the call is refused if it has moved on.
            timeout: See the class; covers each call where there are several.

        Returns:
            The bucket's new root.

        Raises:
            PathNotFound: There is nothing at ``source``.
            NotADirectory: ``source`` is a directory and ``target`` a file, or a file is in the way.
            NonFastForward: The bucket is not in the state ``root``, or has changed while files were pulled
                and pushed.
            WriteDenied: The caller's role does not allow it.
            QuotaExceeded: The account's allowance is used up.
        """
        from textile_aio.buckets.copying import copy_path

        check(ctx, key)
        clean, where = for_writing(source), without_seed(for_reading(target))
        to = Destination(self._channel, ctx, key, root_text(root), self._limit(timeout))
        return await copy_path(ctx, to, clean, where, transfer_timeout=timeout)

    async def remove_path(
        self,
        ctx: AuthContext,
        key: str,
        path: BucketPath,
        *,
        root: RootLike | None = None,
        on_conflict: OnConflict = "fail",
        timeout: float | None = None,
    ) -> Root:
        """Remove a file, or a directory with everything in it, and return the new root. Atomic; not repeated.

        At the hub of this package the root's ``path_metadata`` has the entries of the bucket and of ``path``
        only.

        Args:
            ctx: Who calls, in which thread.
            key: The bucket.
            path: What to remove.
            root: The state the bucket has to be in: the call is refused if it has moved on.
            on_conflict: What then; ``"retry"`` needs ``root``.
            timeout: See the class; covers each attempt.

        Raises:
            NonFastForward: The bucket is not in the state ``root``; looked at before the path is.
            PathNotFound: There is nothing at the path.
            WriteDenied: The caller's role does not allow it.
        """
        check(ctx, key)
        clean = for_writing(path)
        to = Destination(self._channel, ctx, key, root_text(root), self._limit(timeout))
        check_choice(on_conflict, to)
        return await settled(ctx, to, [clean], on_conflict, partial(_remove, path=clean))


async def _remove(to: Destination, *, path: str) -> Root:
    request = pb.RemovePathRequest(key=to.key, path=path, root=to.root)
    try:
        reply = await to.channel.unary(_methods.REMOVE_PATH, request, to.ctx, timeout=to.timeout, about=path)
    except NonFastForward as refusal:
        await to.explain(refusal)
        raise
    return _convert.root(reply.root)
