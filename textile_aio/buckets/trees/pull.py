"""A directory of a bucket into a folder. A new folder appears whole; in an old one each file does."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import tempfile
import unicodedata
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing, asynccontextmanager
from functools import partial
from pathlib import Path

import anyio.to_thread

from textile_aio._proto.api.bucketsd import pb
from textile_aio._rpc.channel import Channel
from textile_aio.auth import AuthContext
from textile_aio.buckets._convert import content
from textile_aio.buckets._methods import PULL_PATH
from textile_aio.buckets.paths import SEED_NAME
from textile_aio.buckets.pull import HEADERS, Pull, PullStream, into_file
from textile_aio.buckets.trees import local
from textile_aio.buckets.trees.local import LocalFile
from textile_aio.buckets.trees.progress import WholeProgress
from textile_aio.buckets.trees.values import TreePull
from textile_aio.buckets.values import PathItem, ProgressCallback
from textile_aio.buckets.walking import tree
from textile_aio.errors import InvalidPath, IsADirectory, NotADirectory

AT_ONCE = 8
"""Files pulled at the same time."""


async def pull_tree(
    channel: Channel,
    ctx: AuthContext,
    key: str,
    path: str,
    folder: os.PathLike[str],
    *,
    delete: bool,
    progress: ProgressCallback | None,
    timeout: float | None,
) -> TreePull:
    """Pull a directory, as :meth:`textile_aio.BucketsClient.pull_tree` says."""
    target = Path(folder)
    async with aclosing(tree(channel, ctx, key, path, timeout=timeout)) as found:
        items = [item async for item in found]
    if not items[0].is_dir:
        raise NotADirectory("a file is at the path; pull_to reads it", about=path)
    prefix = f"{path}/" if path else ""
    files = {
        item.relative_path.removeprefix(prefix): item
        for item in items[1:]
        if not item.is_dir and item.relative_path != SEED_NAME
    }
    folders = [item.relative_path.removeprefix(prefix) for item in items[1:] if item.is_dir]
    async with _prepared(target) as (where, is_new):
        await anyio.to_thread.run_sync(_check_names, where, [*files, *folders])
        await anyio.to_thread.run_sync(_check_room, where, files, folders)
        there: set[str] = set() if is_new else await anyio.to_thread.run_sync(_there, where, files)
        missing = {each: item for each, item in files.items() if each not in there}
        await anyio.to_thread.run_sync(_make_folders, where, folders)
        told = None
        if progress is not None:
            sizes = [item.content_size for item in missing.values()]
            total = None if None in sizes else sum(size or 0 for size in sizes)
            told = WholeProgress(progress, total)
        limit = asyncio.Semaphore(AT_ONCE)

        async def pull(each: str, item: PathItem) -> None:
            async with limit:
                source = Pull(
                    channel,
                    partial(_open, channel, ctx, key, item.relative_path),
                    item.relative_path,
                    timeout=timeout,
                    progress=told,
                    file=str(item.cid),
                )
                await into_file(source, where / each)

        try:
            async with asyncio.TaskGroup() as group:
                for each, item in missing.items():
                    group.create_task(pull(each, item))
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0] from None
        removed: list[str] = []
        if delete and not is_new:
            removed = await anyio.to_thread.run_sync(_remove_surplus, where, files, frozenset(folders))
    return TreePull(
        content(items[0].root),
        pulled=tuple(sorted(missing)),
        removed=tuple(removed),
        unchanged=len(there),
    )


def _open(
    channel: Channel, ctx: AuthContext, key: str, path: str, offset: int, timeout: float | None
) -> PullStream:
    return channel.stream(
        PULL_PATH,
        ctx,
        timeout=timeout,
        about=path,
        headers=HEADERS,
        request=pb.PullPathRequest(key=key, path=path, offset=offset),
    )


@asynccontextmanager
async def _prepared(target: Path) -> AsyncIterator[tuple[Path, bool]]:
    """Where to write: the folder if it is there, else one beside it that becomes it at the end.

    It is made and renamed here and not in a thread, where a cancelled caller would leave it behind.
    """
    if target.is_dir():  # noqa: ASYNC240 - a look takes less than a hop to a thread
        yield target, False
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".textile-{secrets.token_hex(8)}.part")
    aside.mkdir()
    try:
        yield aside, True
        aside.rename(target)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise


def _check_room(where: Path, files: Iterable[str], folders: Iterable[str]) -> None:
    """Refuse what would be written through a link or over something of another kind."""
    for path in folders:
        _check_no_link(where, path)
        if (where / path).exists() and not (where / path).is_dir():
            raise NotADirectory("a file is in the way of a directory; remove it from the folder", about=path)
    for path in files:
        _check_no_link(where, path)
        if (where / path).is_dir():
            raise IsADirectory("a directory is in the way of a file; remove it from the folder", about=path)


def _check_no_link(where: Path, path: str) -> None:
    if (where / path).is_symlink():
        raise InvalidPath("it is a link in the folder, and nothing is written through links", about=path)


def _check_names(where: Path, paths: list[str]) -> None:
    """Refuse what is no path below the folder, or two names that are one on this file system."""
    for path in paths:
        if not all(map(_is_name, path.split("/"))):
            raise InvalidPath(f"{path!r} cannot be a path in a folder", about=path)
    if not _folds(where):
        return
    seen: dict[str, str] = {}
    for path in paths:
        folded = unicodedata.normalize("NFC", path).casefold()
        if seen.setdefault(folded, path) != path:
            raise InvalidPath(f"{path!r} and {seen[folded]!r} are the same here", about=path)


def _is_name(part: str) -> bool:
    return part not in ("", ".", "..") and "\0" not in part and (os.sep == "/" or os.sep not in part)


def _folds(where: Path) -> bool:
    """Whether names that differ in case only are one in this folder."""
    with tempfile.NamedTemporaryFile(prefix=".textile-case-", suffix="a", dir=where) as probe:
        return Path(probe.name[:-1] + "A").exists()


def _there(where: Path, files: dict[str, PathItem]) -> set[str]:
    """The files that are there already, with the same content."""
    pairs = []
    for path, item in files.items():
        file = where / path
        if file.is_file() and not file.is_symlink():
            size = file.stat().st_size
            if item.content_size in (None, size):
                pairs.append((LocalFile(path, file, size), item.cid))
    return local.same(pairs)


def _make_folders(where: Path, folders: list[str]) -> None:
    for each in folders:
        (where / each).mkdir(parents=True, exist_ok=True)


def _remove_surplus(where: Path, files: dict[str, PathItem], folders: frozenset[str]) -> list[str]:
    """Remove files that the bucket has not, but what the folder's ignore file names stays.

    Directories that are empty then go, too, unless the bucket has them.
    """
    removed = []
    for path, file in local.scan(where, ".buckignore").files.items():
        if path not in files:
            file.where.unlink()
            removed.append(path)
    for path in removed:
        for folder in local.above(path):
            if folder in folders:
                break
            try:
                (where / folder).rmdir()
            except OSError:
                break  # something is in it, or it went with another file
    return sorted(removed)
