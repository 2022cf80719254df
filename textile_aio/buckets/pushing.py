"""Calls that push content."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, overload

from textile_aio._arguments import callback, one_of
from textile_aio._proto.api.bucketsd import pb
from textile_aio._rpc.calls import ServiceCalls
from textile_aio.auth import AuthContext
from textile_aio.buckets import _convert
from textile_aio.buckets._checks import check
from textile_aio.buckets._methods import ROOT
from textile_aio.buckets.conflicts import OnConflict, check_choice, settled
from textile_aio.buckets.paths import BucketPath, for_reading, for_writing
from textile_aio.buckets.push import (
    Destination,
    Items,
    Pairs,
    PathsPush,
    RootLike,
    push_path,
    root_text,
)
from textile_aio.buckets.sources import Octets, Source
from textile_aio.buckets.values import ProgressCallback, PushedPath, Root
from textile_aio.errors import InvalidSource

if TYPE_CHECKING:
    from textile_aio.buckets.trees.values import TreePush


class PushCalls(ServiceCalls):
    """The group of calls that push."""

    async def push_path(
        self,
        ctx: AuthContext,
        key: str,
        path: BucketPath,
        source: Source,
        *,
        root: RootLike | None = None,
        on_conflict: OnConflict = "fail",
        resume: bool = False,
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
            on_conflict: What then; ``"retry"`` needs ``root``, and a path or bytes as the source.
            resume: Ask the hub which parts of the content it has, and send only the others; and have it keep
                for an hour what arrives, should this push break too. Costs hashing the content, and 8 MiB of
                memory. It spares nothing in private buckets, and other hubs get the whole content. So does a
                hub that gives a part back in the meantime, if the source is a path or bytes.
            progress: Called with the bytes that the hub says it has read, each time it says so; in a private
                bucket these are encrypted bytes, 84 more than the content.
            timeout: See the class.

        Raises:
            InvalidPath: The path is empty or not allowed.
            InvalidSource: The source cannot be read as bytes, or not again where it may have to be, or there
                is no such file.
            IsADirectory: The source is a directory.
            NonFastForward: The bucket is not in the state ``root``.
            NotADirectory: A file is in the way of the path.
            WriteDenied: The caller's role does not allow it.
            QuotaExceeded: The account's allowance is used up.
        """
        callback(progress, "progress")
        to = self._to(ctx, key, root, timeout)
        clean = for_writing(path)
        _check_again(on_conflict, to, [source])
        resumes = one_of(bool, resume, "resume")
        change = partial(push_path, path=clean, source=source, progress=progress, resume=resumes)
        return await settled(ctx, to, [clean], on_conflict, change)

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
        on_conflict: OnConflict = "fail",
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
        on_conflict: OnConflict = "fail",
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
        on_conflict: OnConflict = "fail",
        progress: ProgressCallback | None = None,
        timeout: float | None = None,
    ) -> Root:
        """Push several files as :meth:`push_paths` does, and return the final root when all are stored.

        Without any items it returns the root as it stands. Of the root's ``path_metadata`` only that of the
        root itself is sure to be there.

        Args:
            ctx: Who calls, in which thread.
            key: The bucket.
            items: As for :meth:`push_paths`.
            root: The state the bucket has to be in: the push is refused if it has moved on.
            on_conflict: What then; ``"retry"`` needs ``root``, and a mapping, list or tuple of paths and
                bytes.
            progress: As for :meth:`push_paths`.
            timeout: See the class; covers each attempt.

        Raises:
            InvalidSource: A source cannot be read again where it may have to be.
            TextileError: Whatever :meth:`push_paths` raises.
        """
        callback(progress, "progress")
        to = self._to(ctx, key, root, timeout)
        pairs = _all_there(items)
        _check_again(on_conflict, to, None if pairs is None else [source for _, source in pairs])
        touched = [for_writing(path) for path, _ in pairs or ()]
        change = partial(_push_all, items=items, progress=progress)
        final = await settled(ctx, to, touched, on_conflict, change)
        return final or _convert.root(
            (await self._call(ROOT, pb.RootRequest(key=key), ctx, timeout=timeout, about=key)).root
        )

    async def push_tree(
        self,
        ctx: AuthContext,
        key: str,
        path: BucketPath,
        folder: os.PathLike[str],
        *,
        delete: bool = True,
        ignore: str | None = ".buckignore",
        root: RootLike | None = None,
        progress: ProgressCallback | None = None,
        timeout: float | None = None,
    ) -> TreePush:
        """Make a directory of a bucket what a local folder is; only what differs is sent.

        Args:
            ctx: Who calls, in which thread.
            key: The bucket.
            path: The directory; ``""`` for the bucket's root.
            folder: The local folder.
            delete: Whether files that are in the bucket alone are removed from it, but for such as are left
                out of the folder.
            ignore: The name of the file in the folder that names what to leave out; None for no such file.
                Left out in any case are the seed file, the folder ``.textile``, and what ends in
                ``.buckpatch`` or ``.DS_Store``.
            root: The state the bucket has to be in: the push is refused if it has moved on.
            progress: Called after each chunk, with the bytes of that file handed to the connection.
            timeout: See the class.

        Raises:
            InvalidSource: There is no such folder.
            NonFastForward: The bucket is not in the state ``root``, or changed during the push.
            WriteDenied: The caller's role does not allow it.
            QuotaExceeded: The account's allowance is used up.
        """
        from textile_aio.buckets.trees.push import push_tree

        check(ctx, key)
        callback(progress, "progress")
        return await push_tree(
            self._channel,
            ctx,
            key,
            for_reading(path),
            folder,
            delete=one_of(bool, delete, "delete"),
            ignore=ignore,
            root=root,
            progress=progress,
            timeout=timeout,
        )

    def _to(self, ctx: AuthContext, key: str, root: RootLike | None, timeout: float | None) -> Destination:
        check(ctx, key)
        return Destination(self._channel, ctx, key, root_text(root), timeout)


async def _push_all(to: Destination, *, items: Items, progress: ProgressCallback | None) -> Root | None:
    async with PathsPush(to, items, progress=progress, brief=True) as push:
        return await push.all_stored()


def _all_there(items: Items) -> list[tuple[BucketPath, Source]] | None:
    """The pairs of items that can be gone through again; None of others."""
    if isinstance(items, Mapping):
        return list(items.items())
    return list(items) if isinstance(items, list | tuple) else None


def _check_again(on_conflict: OnConflict, to: Destination, sources: Sequence[Source] | None) -> None:
    """Check that a push can be tried again where it may have to be."""
    check_choice(on_conflict, to)
    if on_conflict != "retry":
        return
    if sources is None:
        raise InvalidSource("what may be pushed again has to be a mapping, a list or a tuple", about=to.key)
    for source in sources:
        if not isinstance(source, os.PathLike | Octets):
            kind = type(source).__name__
            raise InvalidSource(f"a {kind} cannot be pushed again; give a path or bytes", about=to.key)
