"""Pushing: from a caller's source to the messages of one stream, and from its answers to values.

Owns the order of messages that PushPath and PushPaths prescribe (spec: buckets-api §10). End of file is said
by ending the sending side, or by an empty chunk, and only after a source was read to its end: a source that
fails resets the stream, so a hub never takes half a file for a whole one.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from types import TracebackType
from typing import Self, TypeAlias

import anyio.to_thread

from textile_aio._arguments import one_of
from textile_aio._codec.cid import RAW
from textile_aio._proto.api.bucketsd import pb
from textile_aio._rpc.call import Context
from textile_aio._rpc.channel import Channel
from textile_aio._rpc.stream import Stream
from textile_aio.buckets import _convert
from textile_aio.buckets._methods import BRIEF, PUSH_PATH, PUSH_PATHS, ROOT
from textile_aio.buckets.paths import BucketPath, for_writing
from textile_aio.buckets.sources import Content, Octets, Source, opened, small_files
from textile_aio.buckets.values import Progress, ProgressCallback, PushedPath, Root
from textile_aio.errors import (
    FailedPrecondition,
    InvalidInput,
    InvalidPath,
    NonFastForward,
    ProtocolError,
    TextileError,
    Unimplemented,
)
from textile_aio.ids import Cid
from textile_aio.unixfs.block import Block
from textile_aio.unixfs.importer import CHUNK_SIZE as LEAF_SIZE

Pairs: TypeAlias = Iterable[tuple[BucketPath, Source]] | AsyncIterable[tuple[BucketPath, Source]]
"""Files to push as pairs of path and source, which are asked for one at a time, when their turn comes."""

Items: TypeAlias = Mapping[str, Source] | Pairs
"""Files to push: paths in the bucket, each with its source."""

RootLike: TypeAlias = str | Cid | Root
"""A state of a bucket: a :class:`~textile_aio.Root`, its CID, or its path ``/ipfs/<cid>``."""

_LONGEST_LIST = 1024 * 1024  # bytes of paths that may go into one header; hubs refuse messages over 4 MiB
_WINDOW = 32  # leaves that a hub is asked for at once: 8 MiB
_NOT_HERE = " is not here"  # in what this package's hub says of a block that was referred to
_READ_AHEAD = 64  # small files, 1 MiB at most
_LOOK_UP_TIMEOUT = 5.0  # seconds; the root that a refusal names is a courtesy


def root_text(root: RootLike | None) -> str:
    """The form in which a hub compares roots; empty for no comparison.

    Raises:
        InvalidInput: It is of another type, or empty, which a hub would take for no comparison.
    """
    if root is None:
        return ""
    text = root.path if isinstance(root, Root) else str(one_of((Cid, str), root, "root"))
    if not text:
        raise InvalidInput("root is empty; leave it out to push whatever the bucket's state is")
    return text if text.startswith("/") else f"{_convert.IPFS}{text}"


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a push goes, and by whom.

    Attributes:
        channel: The hub.
        ctx: Who pushes.
        key: The bucket.
        root: The state it has to be in, as :func:`root_text` gives it.
        timeout: Seconds from the beginning of the call to the hub's last word; None for no limit.
    """

    channel: Channel
    ctx: Context
    key: str
    root: str
    timeout: float | None

    async def explain(self, refusal: NonFastForward) -> None:
        """Write into a refusal which root was expected, and which the bucket has if that can be learnt."""
        refusal.expected = self.root
        limit = _LOOK_UP_TIMEOUT if self.timeout is None else min(self.timeout, _LOOK_UP_TIMEOUT)
        try:
            reply = await self.channel.unary(
                ROOT, pb.RootRequest(key=self.key), self.ctx, timeout=limit, about=self.key, headers=BRIEF
            )
        except TextileError:
            return
        refusal.actual = reply.root.path if reply.root is not None else ""


async def push_path(
    to: Destination,
    path: BucketPath,
    source: Source,
    *,
    progress: ProgressCallback | None,
    resume: bool = False,
) -> PushedPath:
    """Push one file, as :meth:`textile_aio.BucketsClient.push_path` says."""
    clean = for_writing(path)
    try:
        return await _pushed(to, clean, source, progress, resume=resume)
    except FailedPrecondition as refusal:
        # The hub said that it has a block, and gave it back before it was referred to.
        if not (resume and _NOT_HERE in refusal.message and isinstance(source, os.PathLike | Octets)):
            raise
    return await _pushed(to, clean, source, progress, resume=False)


async def _pushed(
    to: Destination, clean: str, source: Source, progress: ProgressCallback | None, *, resume: bool
) -> PushedPath:
    async with opened(source, about=clean, measure=progress is not None) as content:
        upload = (_ResumingUpload if resume else _Upload)(to, clean, content)
        pushed: PushedPath | None = None
        stream = to.channel.stream(
            PUSH_PATH,
            to.ctx,
            timeout=to.timeout,
            about=clean,
            headers=BRIEF,
            source=upload.messages(),
        )
        try:
            async with stream:
                async for reply in stream:
                    event = reply.event
                    if event is None:
                        continue
                    if event.path:
                        pushed = _convert.pushed_file(clean, event)
                    elif progress is not None:
                        progress(Progress(clean, done=event.bytes, total=content.size))
        except NonFastForward as refusal:
            await to.explain(refusal)
            raise
        if pushed is None or not upload.complete:
            raise ProtocolError("the hub ended the push before the file was complete", about=clean)
        return pushed


class _Upload:
    """The sending side of PushPath."""

    def __init__(self, to: Destination, path: str, content: Content) -> None:
        self._to = to
        self._path = path
        self._content = content
        self.complete = False

    async def messages(self) -> AsyncGenerator[pb.PushPathRequest, None]:
        header = pb.PushPathRequestHeader(key=self._to.key, path=self._path, root=self._to.root)
        yield pb.PushPathRequest(header=header)
        async for chunk in self._content.chunks:
            yield pb.PushPathRequest(chunk=chunk)
        self.complete = True


class _ResumingUpload(_Upload):
    """The same, but asks the hub which leaves it has, and sends the others only.

    Asked for in windows, so that no more than one of them is in memory, and the source is read once.
    """

    async def messages(self) -> AsyncGenerator[pb.PushPathRequest, None]:
        to = self._to
        header = pb.PushPathRequestHeader(key=to.key, path=self._path, root=to.root, keep=True)
        yield pb.PushPathRequest(header=header)
        asks = True
        window: list[bytes] = []
        async for chunk in self._content.chunks:
            window.append(chunk)
            if len(window) < _WINDOW:
                continue
            known = await self._known(window) if asks else None
            asks = known is not None
            for message in _window_messages(window, known):
                yield message
            window = []
        for message in _window_messages(window, await self._known(window) if asks and window else None):
            yield message
        self.complete = True

    async def _known(self, window: list[bytes]) -> dict[int, bytes] | None:
        """By their places in the window, the CIDs of leaves that the hub has; None if it cannot say."""
        from textile_aio._proto.textile_aio.buckets import pb as extensions
        from textile_aio.buckets._extensions import HAS_BLOCKS

        cids = await anyio.to_thread.run_sync(_leaves, window)
        request = extensions.HasBlocksRequest(key=self._to.key, cids=cids)
        try:
            reply = await self._to.channel.unary(
                HAS_BLOCKS, request, self._to.ctx, timeout=self._to.timeout, about=self._path
            )
        except Unimplemented:
            return None
        return {place: cids[place] for place, here in enumerate(reply.present[: len(cids)]) if here}


def _leaves(window: list[bytes]) -> list[bytes]:
    """The CIDs of the whole leaves of a window; the last chunk of a file may be none."""
    return [Block.of(RAW, chunk).cid.bytes for chunk in window if len(chunk) == LEAF_SIZE]


def _window_messages(window: list[bytes], known: dict[int, bytes] | None) -> Iterator[pb.PushPathRequest]:
    leaves: list[bytes] = []
    for place, chunk in enumerate(window):
        if known and place in known:
            leaves.append(known[place])
            continue
        if leaves:
            yield pb.PushPathRequest(leaves=pb.PushPathRequestLeaves(cids=leaves))
            leaves = []
        yield pb.PushPathRequest(chunk=chunk)
    if leaves:
        yield pb.PushPathRequest(leaves=pb.PushPathRequestLeaves(cids=leaves))


class PathsPush:
    """Several files on their way into a bucket, over one stream.

    An async context manager, entered once, and an async iterator of :class:`~textile_aio.PushedPath`, in the
    order in which the hub completes the files. Files are read and sent one after the other while answers are
    read.

    The hub stores the new root once, when the stream ends. Only when the iteration has ended by itself is
    everything stored; an answer before that says that the hub has the file. Leaving the block earlier, by
    ``break``, an error or cancellation, resets the stream; files completed by then may or may not be stored,
    others are not. Each file is whole or not there.
    """

    def __init__(
        self,
        to: Destination,
        items: Items,
        *,
        progress: ProgressCallback | None,
        removed: Sequence[str] = (),
        brief: bool = False,
    ) -> None:
        self._to = to
        self._removed = list(removed)
        self._headers = BRIEF if brief else None
        self._items = items
        self._progress = progress
        self._paths = _known_paths(items)
        self._stream: Stream[pb.PushPathsRequest, pb.PushPathsResponse] | None = None
        self._seen: set[str] = set()
        self._unanswered = 0
        self._complete = False

    async def __aenter__(self) -> Self:
        self._stream = self._to.channel.stream(
            PUSH_PATHS,
            self._to.ctx,
            timeout=self._to.timeout,
            about=self._to.key,
            headers=self._headers,
            source=self._messages(),
        )
        await self._stream.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._stream is not None:
            await self._stream.__aexit__(kind, error, traceback)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> PushedPath:
        reply = await self._reply()
        if reply is None:
            raise StopAsyncIteration
        return _convert.pushed_one_of_many(reply)

    async def _reply(self) -> pb.PushPathsResponse | None:
        """The next answer; None when all is stored."""
        if self._stream is None:
            raise InvalidInput("enter the push first: async with … as push", about=self._to.key)
        try:
            reply = await self._stream.recv()
        except NonFastForward as refusal:
            await self._to.explain(refusal)
            raise
        if reply is None:
            if not self._complete or self._unanswered:
                raise ProtocolError(
                    "the hub ended the push before all files were complete", about=self._to.key
                )
        elif reply.path or not self._headers:
            self._unanswered -= 1
        else:
            self._unanswered = 0  # a brief answer is for all of them
        return reply

    async def all_stored(self) -> Root | None:
        """Wait until everything is stored; the new root, None if there was nothing to push.

        Of the root's ``path_metadata`` some is there. For pushes that were made ``brief``, whose answers need
        not tell of each file.
        """
        last: pb.PushPathsResponse | None = None
        while (reply := await self._reply()) is not None:
            last = reply
        return None if last is None else _convert.root(last.root)

    async def _messages(self) -> AsyncGenerator[pb.PushPathsRequest, None]:
        header = pb.PushPathsRequestHeader(
            key=self._to.key, root=self._to.root, paths=self._paths, removed=self._removed
        )
        yield pb.PushPathsRequest(header=header)
        items = _pairs(self._items)
        try:
            async for item in items:
                path, source = _pair(item)
                clean = for_writing(path)
                if clean in self._seen:
                    raise InvalidPath("a path can be pushed once in one push", about=clean)
                self._seen.add(clean)
                async with opened(source, about=clean, measure=self._progress is not None) as content:
                    done = 0
                    async for chunk in content.chunks:
                        yield pb.PushPathsRequest(chunk=pb.PushPathsRequestChunk(path=clean, data=chunk))
                        done += len(chunk)
                        if self._progress is not None:
                            self._progress(Progress(clean, done=done, total=content.size))
                self._unanswered += 1
                yield pb.PushPathsRequest(chunk=pb.PushPathsRequestChunk(path=clean))
        finally:
            await items.aclose()
        self._complete = True


def _known_paths(items: Items) -> list[str]:
    """The paths of items that are all there already, for the hub to check before the first byte."""
    one_of((Mapping, Iterable, AsyncIterable), items, "files to push")
    if isinstance(items, Mapping):
        paths = [for_writing(path) for path in items]
    elif isinstance(items, list | tuple):
        paths = [for_writing(_pair(item)[0]) for item in items]
    else:
        return []
    return paths if sum(len(path.encode()) for path in paths) <= _LONGEST_LIST else []


async def _pairs(items: Items) -> AsyncGenerator[object, None]:
    if isinstance(items, Mapping | list | tuple):
        remaining = iter(items.items() if isinstance(items, Mapping) else items)
        while batch := list(islice(remaining, _READ_AHEAD)):
            for item in await _with_small_files(batch):
                yield item
    elif isinstance(items, AsyncIterable):
        try:
            async for item in items:
                yield item
        finally:
            if (close := getattr(items, "aclose", None)) is not None:
                await close()
    else:
        for item in items:
            yield item


async def _with_small_files(batch: list[object]) -> list[object]:
    """The same pairs, with content in place of the paths of small files."""
    sources = [item[1] if isinstance(item, tuple) and len(item) == 2 else None for item in batch]
    contents = await small_files(sources)
    return [
        (item[0], content) if isinstance(item, tuple) and content is not None else item
        for item, content in zip(batch, contents, strict=True)
    ]


def _pair(item: object) -> tuple[BucketPath, Source]:
    if not isinstance(item, tuple) or len(item) != 2:
        raise InvalidInput(f"files to push are pairs of path and source, not {type(item).__name__}")
    return item
