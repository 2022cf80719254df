"""A folder into a bucket: both sides are compared, and what differs goes in one step."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import anyio.to_thread

from textile_aio._proto.api.bucketsd import pb
from textile_aio._rpc.channel import Channel
from textile_aio.auth import AuthContext
from textile_aio.buckets import _convert, _methods
from textile_aio.buckets.paths import SEED_NAME
from textile_aio.buckets.push import Destination, PathsPush, RootLike, root_text
from textile_aio.buckets.sources import Source
from textile_aio.buckets.trees import local
from textile_aio.buckets.trees.local import LocalFile, LocalTree, above
from textile_aio.buckets.trees.progress import WholeProgress
from textile_aio.buckets.trees.values import TreePush
from textile_aio.buckets.values import PathItem, ProgressCallback, Root
from textile_aio.buckets.walking import tree
from textile_aio.errors import InvalidSource, NonFastForward, PathNotFound, Unimplemented

_HASHED_AT_ONCE = 128
"""Files compared by one hop to a worker thread."""

_LONGEST_LIST = 2 * 1024 * 1024
"""Bytes of paths that may go into one header; hubs refuse messages over 4 MiB."""


@dataclass(frozen=True, slots=True)
class _Remote:
    """What is in the bucket: its root, and files by their paths below the pushed directory."""

    root: Root
    files: Mapping[str, PathItem]


async def push_tree(
    channel: Channel,
    ctx: AuthContext,
    key: str,
    path: str,
    folder: os.PathLike[str],
    *,
    delete: bool,
    ignore: str | None,
    root: RootLike | None,
    progress: ProgressCallback | None,
    timeout: float | None,
) -> TreePush:
    """Push a folder, as :meth:`textile_aio.BucketsClient.push_tree` says."""
    where = Path(folder)
    here = await anyio.to_thread.run_sync(_scan, where, ignore, abandon_on_cancel=True)
    there = await _remote(channel, ctx, key, path, timeout)
    expected = root_text(root)
    if expected and expected != there.root.path:
        raise NonFastForward(expected=expected, actual=there.root.path, about=key)
    unchanged = await _unchanged(here, there)
    changed = [file for each, file in sorted(here.files.items()) if each not in unchanged]
    removed = _surplus(here, there) if delete else []
    to = Destination(channel, ctx, key, there.root.path, timeout)
    final = there.root
    if changed or removed:
        final = await _push(to, path, changed, removed, progress, before=there.root)
    return TreePush(
        final,
        pushed=tuple(file.path for file in changed),
        removed=tuple(removed),
        unchanged=len(unchanged),
        skipped=here.skipped,
    )


def _scan(folder: Path, ignore: str | None) -> LocalTree:
    if not folder.is_dir():
        raise InvalidSource(f"{folder} is no folder")
    return local.scan(folder, ignore)


async def _remote(channel: Channel, ctx: AuthContext, key: str, path: str, timeout: float | None) -> _Remote:
    reply = await channel.unary(
        _methods.ROOT,
        pb.RootRequest(key=key),
        ctx,
        timeout=timeout,
        about=key,
        headers=_methods.BRIEF,
    )
    root = _convert.root(reply.root)
    prefix = f"{path}/" if path else ""
    files: dict[str, PathItem] = {}
    try:
        async with aclosing(tree(channel, ctx, key, path, timeout=timeout)) as items:
            async for item in items:
                # The comparison holds for the root that was listed, so the push insists on that one.
                root = replace(root, path=item.root, cid=_convert.content(item.root))
                if not item.is_dir and item.relative_path not in (SEED_NAME, path):
                    files[item.relative_path.removeprefix(prefix)] = item
    except PathNotFound:
        pass  # a new directory
    return _Remote(root, files)


async def _unchanged(here: LocalTree, there: _Remote) -> set[str]:
    """Files with the same content on both sides. In a private bucket nothing can be compared."""
    if there.root.link_key:
        return set()
    pairs = iter(
        [
            (file, item.cid)
            for path, file in here.files.items()
            if (item := there.files.get(path)) is not None and item.content_size in (None, file.size)
        ]
    )
    unchanged: set[str] = set()
    while some := list(islice(pairs, _HASHED_AT_ONCE)):
        unchanged |= await anyio.to_thread.run_sync(local.same, some, abandon_on_cancel=True)
    return unchanged


def _surplus(here: LocalTree, there: _Remote) -> list[str]:
    """What is in the bucket alone: files, or whole directories where nothing in them is to stay.

    What the folder ignores stays, as it does with Go's tool, which compares with what it has pushed itself.
    """
    stays = here.files.keys() | {path for path in there.files if here.ignored.holds(path)}
    kept = stays | {each for path in stays for each in above(path)}
    surplus: set[str] = set()
    for path in there.files:
        if path in stays:
            continue
        top = path
        while "/" in top and (parent := top.rpartition("/")[0]) not in kept:
            top = parent
        # Where a file of the folder takes the place of a directory, pushing it replaces all of that.
        if not any(each in here.files for each in above(top)):
            surplus.add(top)
    return sorted(surplus)


async def _push(
    to: Destination,
    path: str,
    changed: list[LocalFile],
    removed: list[str],
    progress: ProgressCallback | None,
    *,
    before: Root,
) -> Root:
    prefix = f"{path}/" if path else ""
    files: list[tuple[str, Source]] = [(prefix + file.path, file.where) for file in changed]
    surplus = [prefix + each for each in removed]
    at_once = bool(surplus) and await _removes_at_once(to, surplus)
    push = PathsPush(
        to,
        files,
        progress=None if progress is None else WholeProgress(progress, sum(file.size for file in changed)),
        removed=surplus if at_once else (),
        brief=True,
    )
    final: Root | None = None
    if files or at_once:
        async with push:
            final = await push.all_stored()
    for each in () if at_once else surplus:
        base = to.root if final is None else final.path
        request = pb.RemovePathRequest(key=to.key, path=each, root=base)
        reply = await to.channel.unary(
            _methods.REMOVE_PATH, request, to.ctx, timeout=to.timeout, about=each, headers=_methods.BRIEF
        )
        final = _convert.root(reply.root)
    return final or before


async def _removes_at_once(to: Destination, paths: list[str]) -> bool:
    """Whether the hub removes paths in the step in which others appear; only that of this package does."""
    from textile_aio._proto.textile_aio.buckets import pb as extensions
    from textile_aio.buckets._extensions import HAS_BLOCKS

    if sum(len(path.encode()) for path in paths) > _LONGEST_LIST:
        return False
    try:
        await to.channel.unary(
            HAS_BLOCKS, extensions.HasBlocksRequest(key=to.key), to.ctx, timeout=to.timeout, about=to.key
        )
    except Unimplemented:
        return False
    return True
