"""Copying within a bucket, also at hubs that have no call for it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from textile_aio._proto.api.bucketsd import pb
from textile_aio.auth import AuthContext
from textile_aio.buckets import _convert, _methods
from textile_aio.buckets.paths import SEED_NAME
from textile_aio.buckets.pulling import PullCalls
from textile_aio.buckets.push import Destination, PathsPush, push_path
from textile_aio.buckets.sources import Source
from textile_aio.buckets.values import PathListing
from textile_aio.buckets.walking import directories
from textile_aio.errors import NonFastForward, NotADirectory, PathNotFound, Unimplemented
from textile_aio.ids import Cid


async def copy_path(
    ctx: AuthContext, to: Destination, source: str, target: str, *, transfer_timeout: float | None
) -> Cid:
    """Copy, as :meth:`textile_aio.BucketsClient.copy_path` says; the new root.

    Args:
        ctx: Who copies.
        to: The bucket, and the seconds that calls may take.
        source: What to copy.
        target: Where to.
        transfer_timeout: Seconds that a push may take, and each pull.
    """
    from textile_aio._proto.textile_aio.buckets.pb import CopyPathRequest
    from textile_aio.buckets._extensions import COPY_PATH

    request = CopyPathRequest(key=to.key, from_path=source, to_path=target, root=to.root)
    try:
        reply = await to.channel.unary(COPY_PATH, request, ctx, timeout=to.timeout, about=source)
    except NonFastForward as refusal:
        await to.explain(refusal)
        raise
    except Unimplemented:
        return await _Copy(ctx, to, source, transfer_timeout).to_target(target)
    return _convert.content(reply.root)


class _Copy:
    """A copy that is put together from other calls."""

    def __init__(
        self, ctx: AuthContext, to: Destination, source: str, transfer_timeout: float | None
    ) -> None:
        self._ctx = ctx
        self._to = to
        self._source = source
        self._transfer_timeout = transfer_timeout

    async def to_target(self, target: str) -> Cid:
        found = await self._list(self._source)
        to = self._to
        if to.root and to.root != found.root.path:
            raise NonFastForward(expected=to.root, actual=found.root.path, about=self._source)
        target = await self._effective(found.item.is_dir, target)
        if target == self._source:
            return found.root.cid
        if not to.root and not found.root.link_key:
            request = pb.SetPathRequest(key=to.key, path=target, cid=str(found.item.cid))
            await to.channel.unary(_methods.SET_PATH, request, self._ctx, timeout=to.timeout, about=target)
            reply = await to.channel.unary(
                _methods.ROOT, pb.RootRequest(key=to.key), self._ctx, timeout=to.timeout, about=to.key
            )
            return _convert.root(reply.root).cid
        # What is listed and what is pulled has to be of one state, so this one is given.
        pinned = Destination(to.channel, self._ctx, to.key, found.root.path, self._transfer_timeout)
        if not found.item.is_dir:
            pushed = await push_path(pinned, target, self._pull(self._source), progress=None)
            return pushed.root.cid
        root = found.root.cid
        async with PathsPush(pinned, self._files(target), progress=None) as push:
            async for each in push:
                root = each.root.cid
        return root

    async def _effective(self, is_dir: bool, target: str) -> str:
        """Where it really goes (spec: buckets-api §8, MovePath)."""
        if not target:
            return self._name
        if not is_dir and target.startswith(f"{self._source}/"):
            raise NotADirectory("a file is in the way", about=target)
        try:
            there = await self._list(target)
        except PathNotFound:
            return target
        if there.item.is_dir:
            return f"{target}/{self._name}"
        if is_dir:
            raise NotADirectory("a directory cannot take the place of a file", about=target)
        return target

    @property
    def _name(self) -> str:
        return self._source.rpartition("/")[2]

    async def _list(self, path: str) -> PathListing:
        request = pb.ListPathRequest(key=self._to.key, path=path)
        reply = await self._to.channel.unary(
            _methods.LIST_PATH, request, self._ctx, timeout=self._to.timeout, about=path
        )
        return _convert.listing(reply)

    async def _files(self, target: str) -> AsyncGenerator[tuple[str, Source], None]:
        to = self._to
        found = directories(to.channel, self._ctx, to.key, self._source, timeout=to.timeout)
        async with aclosing(found) as items:
            async for item in items:
                path = item.relative_path
                if not item.is_dir and path != SEED_NAME:
                    yield f"{target}{path[len(self._source) :]}", self._pull(path)

    def _pull(self, path: str) -> Source:
        return PullCalls(self._to.channel).pull_path(
            self._ctx, self._to.key, path, timeout=self._transfer_timeout
        )
