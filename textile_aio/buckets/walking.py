"""Walking through a bucket: everything at and below a path, one item after another.

The hub of this package lists a whole tree in one call. Elsewhere directories are listed one by one: those of
a public bucket by their CIDs, so that a walk sees one state of it whatever happens meanwhile; those of a
private bucket by their paths, each as it is when its turn comes.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace

from textile_aio._proto.api.bucketsd import pb
from textile_aio._rpc.channel import Channel
from textile_aio.auth import AuthContext
from textile_aio.buckets import _convert, _methods
from textile_aio.buckets.paths import SEED_NAME
from textile_aio.buckets.patterns import Pattern
from textile_aio.buckets.values import PathItem
from textile_aio.errors import Unimplemented


async def tree(
    channel: Channel, ctx: AuthContext, key: str, path: str = "", *, timeout: float | None = None
) -> AsyncGenerator[PathItem, None]:
    """Everything at and below a path, parents first, siblings by name, the seed file included.

    Items carry neither metadata nor what is in them. Of a large tree no more than one message is held.
    """
    from textile_aio._proto.textile_aio.buckets.pb import ListTreeRequest
    from textile_aio.buckets import _convert_extensions, _extensions

    stream = channel.stream(
        _extensions.LIST_TREE,
        ctx,
        timeout=timeout,
        about=path or key,
        request=ListTreeRequest(key=key, path=path),
    )
    root = ""
    try:
        # No task belongs to this stream, so the collector may leave it from another one.
        async with stream:
            async for reply in stream:
                root = root or reply.root
                for entry in reply.entries:
                    yield _convert_extensions.tree_item(root, entry)
        return
    except Unimplemented:
        if root:
            raise
    async with aclosing(directories(channel, ctx, key, path, timeout=timeout)) as items:
        async for item in items:
            yield item


async def directories(
    channel: Channel,
    ctx: AuthContext,
    key: str,
    path: str = "",
    *,
    enter: Callable[[PathItem], bool] = lambda _: True,
    timeout: float | None = None,
) -> AsyncGenerator[PathItem, None]:
    """The same from a listing for each directory, of those only that ``enter`` lets it enter."""
    reply = await channel.unary(
        _methods.LIST_PATH,
        pb.ListPathRequest(key=key, path=path),
        ctx,
        timeout=timeout,
        about=path or key,
    )
    listing = _convert.listing(reply)
    base = listing.root.path
    first = replace(listing.item, path=f"{base}/{path}" if path else base)
    yield _bare(first)

    async def children(item: PathItem) -> tuple[PathItem, ...]:
        if item is first:
            return item.items
        if listing.root.link_key:
            return await _listed(item)
        found = await channel.unary(
            _methods.LIST_IPFS_PATH,
            pb.ListIpfsPathRequest(path=f"/ipfs/{item.cid}"),
            ctx.without("thread"),
            timeout=timeout,
            about=item.relative_path,
        )
        return _convert.item(found.item).items

    async def _listed(item: PathItem) -> tuple[PathItem, ...]:
        found = await channel.unary(
            _methods.LIST_PATH,
            pb.ListPathRequest(key=key, path=item.relative_path),
            ctx,
            timeout=timeout,
            about=item.relative_path,
        )
        return _convert.listing(found).item.items

    waiting = [first]
    while waiting:
        item = waiting.pop()
        if item is not first:
            yield _bare(item)
        if item.is_dir and enter(item):
            below = [replace(child, path=f"{item.path}/{child.name}") for child in await children(item)]
            waiting += sorted(below, key=lambda child: child.name.encode(), reverse=True)


async def matching(
    channel: Channel, ctx: AuthContext, key: str, pattern: str, path: str, *, timeout: float | None = None
) -> AsyncGenerator[PathItem, None]:
    """What is below a directory at paths that a pattern fits, which is relative to the directory.

    A pattern without ``**`` costs a listing of each directory it fits up to there, another one that of the
    whole tree. The seed file is found only by its name.
    """
    wanted = Pattern(pattern)
    start = len(path) + 1 if path else 0

    def parts(item: PathItem) -> list[str]:
        below = item.relative_path[start:]
        return below.split("/") if below else []

    if wanted.bounded:
        items = directories(
            channel, ctx, key, path, enter=lambda item: wanted.reaches_below(parts(item)), timeout=timeout
        )
    else:
        items = tree(channel, ctx, key, path, timeout=timeout)
    async with aclosing(items):
        async for item in items:
            hidden = item.relative_path == SEED_NAME and not pattern.endswith(SEED_NAME)
            if (below := parts(item)) and not hidden and wanted.fits(below):
                yield item


def _bare(item: PathItem) -> PathItem:
    name = item.relative_path.rpartition("/")[2]
    return replace(item, name=name, items=(), items_count=0, metadata=None)
