"""Calls about buckets as a whole: making, finding and removing them."""

from __future__ import annotations

import builtins
from functools import partial

from textile_aio._arguments import context, one_of, text
from textile_aio._proto.api.bucketsd import pb
from textile_aio._rpc.calls import ServiceCalls
from textile_aio.auth import AuthContext
from textile_aio.buckets import _convert, _methods
from textile_aio.buckets._checks import check, check_thread
from textile_aio.buckets._together import together
from textile_aio.buckets.paths import BucketPath, for_reading
from textile_aio.buckets.values import Bucket, Links, Root
from textile_aio.errors import DatabaseNotFound, NotThreadOwner, ThreadNotFound
from textile_aio.ids import Cid, ThreadID


class LifecycleCalls(ServiceCalls):
    """The group of calls about whole buckets."""

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
        check_thread(ctx)
        request = pb.CreateRequest(
            name=text(name, "the name"),
            private=one_of(bool, private, "private"),
            bootstrap_cid="" if cid is None else str(one_of((Cid, str), cid, "cid")),
        )
        reply = await self._call(_methods.CREATE, request, ctx, timeout=timeout, about=name)
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
        check_thread(ctx)
        request = pb.CreateRequest(
            name=text(name, "the name"),
            private=one_of(bool, private, "private"),
            bootstrap_cid=str(one_of((Cid, str), cid, "cid")),
            unfreeze=True,
        )
        reply = await self._call(_methods.CREATE, request, ctx, timeout=timeout, about=str(cid))
        return reply.retrieval_id

    async def list(self, ctx: AuthContext, *, timeout: float | None = None) -> builtins.list[Root]:
        """All buckets of the thread, those included whose content the caller may not see. Safe to repeat."""
        check_thread(ctx)
        reply = await self._call(_methods.LIST, pb.ListRequest(), ctx, timeout=timeout)
        return [_convert.root(root) for root in reply.roots]

    async def existing(self, ctx: AuthContext, *, timeout: float | None = None) -> builtins.list[Root]:
        """The buckets of all threads that the caller has, thread by thread. Safe to repeat.

        The context's own thread plays no part. At a hub without accounts all threads are the caller's.
        Threads that the caller's API key may not open, or that are removed meanwhile, are left out.

        Args:
            ctx: Who calls.
            timeout: See the class; covers each call.
        """
        from textile_aio.buckets._threads_of import threads_of

        alone = context(ctx).without("thread")
        threads = await threads_of(self._channel, alone, timeout=self._limit(timeout))
        found = await together(partial(self._in_thread, alone, thread, timeout) for thread in threads)
        return [root for roots in found for root in roots]

    async def _in_thread(
        self, ctx: AuthContext, thread: ThreadID, timeout: float | None
    ) -> builtins.list[Root]:
        try:
            return await self.list(ctx.with_thread(thread), timeout=timeout)
        except (NotThreadOwner, ThreadNotFound, DatabaseNotFound):
            return []

    async def root(self, ctx: AuthContext, key: str, *, timeout: float | None = None) -> Root:
        """A bucket as it stands. Safe to repeat."""
        check(ctx, key)
        reply = await self._call(_methods.ROOT, pb.RootRequest(key=key), ctx, timeout=timeout, about=key)
        return _convert.root(reply.root)

    async def links(
        self, ctx: AuthContext, key: str, path: BucketPath = "", *, timeout: float | None = None
    ) -> Links:
        """Where browsers find a path of a bucket. Safe to repeat.

        The links of a private bucket carry the caller's token.

        Raises:
            PathNotFound: There is nothing at the path.
        """
        check(ctx, key)
        clean = for_reading(path)
        request = pb.LinksRequest(key=key, path=clean)
        reply = await self._call(_methods.LINKS, request, ctx, timeout=timeout, about=clean or key)
        return _convert.links(reply)

    async def remove(self, ctx: AuthContext, key: str, *, timeout: float | None = None) -> int:
        """Remove a bucket with everything in it. Not repeated.

        Returns:
            The change in the bytes that the caller takes at the hub, so a negative number.

        Raises:
            WriteDenied: The bucket belongs to somebody else.
        """
        check(ctx, key)
        reply = await self._call(_methods.REMOVE, pb.RemoveRequest(key=key), ctx, timeout=timeout, about=key)
        return reply.pinned
