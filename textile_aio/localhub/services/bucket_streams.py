"""The streaming calls of ``api.bucketsd.pb.APIService``: files in and out (spec: buckets-api §10)."""

from __future__ import annotations

import asyncio
from typing import cast

from textile_aio._proto.api.bucketsd import pb
from textile_aio.buckets import _hot  # noqa: F401 - importing it registers the short way for chunks
from textile_aio.errors import InvalidInput, StatusCode
from textile_aio.localhub.buckets.contents import Contents
from textile_aio.localhub.buckets.engine import BucketEngine, check_fast_forward, metadata_of
from textile_aio.localhub.buckets.paths import file_path, ipfs_path, split
from textile_aio.localhub.buckets.pulling import chunk_size
from textile_aio.localhub.buckets.pushing import Push
from textile_aio.localhub.call import Call, Exchange
from textile_aio.localhub.refusals import wrapping
from textile_aio.localhub.routes import Method
from textile_aio.localhub.services.bucket_messages import is_brief, root_message
from textile_aio.unixfs.block import BytesLike

PROGRESS_STEP = 262_144
PROGRESS_PAUSE = 0.02
"""Upstream reports every 256 KiB. So many replies cost more than the bytes they report, so a fast push
hears of its progress 50 times a second at most."""

MANY_PATHS = 1_000
"""Checking more of them than this would hold up every other call."""

CHUNK_SIZE_HEADER = "textile-aio-chunk-size"
"""Bytes of content a message of a pull may have; clients that do not know it get 32 KiB, as from upstream.

Who sends it is told more: where the content begins, how large the whole is, and which CID it has.
"""
OFFSET_HEADER = "textile-aio-offset"
SIZE_HEADER = "textile-aio-size"
FILE_HEADER = "textile-aio-file"
CID_HEADER = "textile-aio-cid"
"""``FILE_HEADER`` names what is stored, so that a client sees whether it is the same as before;
``CID_HEADER`` is there if whoever imports the content the usual way gets this CID."""


class BucketStreams:
    """Pushes and pulls."""

    def __init__(self, engine: BucketEngine) -> None:
        self._engine = engine

    def handlers(self) -> dict[str, Method]:
        """Handlers by method name."""
        return {
            "PushPath": self.push_path,
            "PushPaths": self.push_paths,
            "PullPath": self.pull_path,
            "PullIpfsPath": self.pull_ipfs_path,
        }

    async def push_path(self, call: Call, exchange: Exchange) -> None:
        """One file, as a stream of chunks."""
        thread = call.thread
        first = await exchange.recv()
        if first is None:
            return
        header = first.header
        if header is None:
            raise InvalidInput("push bucket path header is required", code=StatusCode.UNKNOWN)
        path = file_path(header.path)
        writer = call.caller.identity
        engine = self._engine
        async with engine.locked(header.key):
            bucket = await engine.stored(thread, header.key)
            check_fast_forward(bucket, header.root)
            async with engine.blocks.batch(keep=header.keep) as batch:
                push = await Push.begin(engine, thread, bucket, writer, batch)
                push.check([path])
                await push.check_parents(path)
                file = push.start(path)
                progress = _Progress(exchange)
                while (message := await exchange.recv()) is not None:
                    if message.leaves is not None:
                        await push.refer(path, message.leaves.cids)
                    elif message.chunk is None:
                        raise InvalidInput("invalid request", code=StatusCode.UNKNOWN)
                    elif message.chunk:
                        await file.write(message.chunk)
                    await progress.advance(file.taken)
                await progress.finish(file.taken)
                pushed = await push.finish(path)
                saved = await push.save()
                pinned = push.pinned
        await exchange.send(
            pb.PushPathResponse(
                event=pb.PushPathResponseEvent(
                    path=f"/ipfs/{pushed.cid}",
                    size=str(pushed.cumulative_size),
                    root=root_message(saved, thread, only=path if is_brief(call) else None),
                    pinned=pinned,
                )
            )
        )

    async def push_paths(self, call: Call, exchange: Exchange) -> None:
        """Many files in one stream, interleaved as the client likes; all become visible at its end.

        Who asks for a brief answer gets one in all, once everything is stored.
        """
        thread, brief = call.thread, is_brief(call)
        first = await exchange.recv()
        if first is None:
            return
        header = first.header
        if header is None:
            raise InvalidInput("push bucket path header is required", code=StatusCode.UNKNOWN)
        writer = call.caller.identity
        engine = self._engine
        async with engine.locked(header.key):
            with wrapping("getting bucket"):
                bucket = await engine.stored(thread, header.key)
            check_fast_forward(bucket, header.root)
            async with engine.blocks.batch(keep=header.keep) as batch:
                push = await Push.begin(engine, thread, bucket, writer, batch)
                announced = await self._announced(push, header.paths)
                await push.remove(list(map(file_path, header.removed)))
                while (message := await exchange.recv()) is not None:
                    chunk = message.chunk
                    if chunk is None:
                        raise InvalidInput("invalid request", code=StatusCode.UNKNOWN)
                    with wrapping("parsing path"):
                        path = file_path(chunk.path)
                    if not push.is_open(path):
                        if path not in announced:
                            with wrapping("enqueueing file: verifying bucket update"):
                                push.check([path])
                        push.start(path)
                    if chunk.leaves:
                        await push.refer(path, chunk.leaves)
                        continue
                    if chunk.data:
                        await push.write(path, chunk.data)
                        continue
                    with wrapping("adding bucket link"):
                        pushed = await push.finish(path)
                    if brief:
                        continue  # roots and sizes on the way are most of the work
                    await exchange.send(
                        pb.PushPathsResponse(
                            path=path,
                            cid=str(pushed.cid),
                            size=pushed.cumulative_size,
                            root=root_message(push.preview(path), thread),
                            pinned=push.pinned,
                        )
                    )
                if push.open_paths:
                    raise InvalidInput(
                        f"the stream ended before {push.open_paths[0]!r} was closed by an empty chunk",
                        code=StatusCode.INVALID_ARGUMENT,
                    )
                if push.has_changes:
                    bucket = await push.save()
                if brief:
                    root = root_message(bucket, thread, only="")
                    await exchange.send(pb.PushPathsResponse(root=root, pinned=push.pinned))

    async def pull_path(self, call: Call, request: pb.PullPathRequest, exchange: Exchange) -> None:
        """The content of a file."""
        thread, engine = call.thread, self._engine
        async with engine.blocks.reading() as reading:
            bucket = await engine.get(thread, request.key, call.caller.identity)
            reading.pin(bucket.root.bytes)
            segments = split(request.path)
            metadata_of(bucket, "/".join(segments))
            await self._send(call, request, exchange, engine.contents(bucket), segments, pb.PullPathResponse)

    async def pull_ipfs_path(self, call: Call, request: pb.PullIpfsPathRequest, exchange: Exchange) -> None:
        """The content of a file under any root that is at this hub."""
        root, segments = ipfs_path(request.path)
        async with self._engine.blocks.reading() as reading:
            reading.pin(root.bytes)
            contents = self._engine.public(root)
            await self._send(call, request, exchange, contents, segments, pb.PullIpfsPathResponse)

    async def _send(
        self,
        call: Call,
        request: pb.PullPathRequest | pb.PullIpfsPathRequest,
        exchange: Exchange,
        contents: Contents,
        segments: tuple[str, ...],
        reply: type[pb.PullPathResponse | pb.PullIpfsPathResponse],
    ) -> None:
        start, length = request.offset, request.length
        if start < 0 or length < 0:
            raise InvalidInput("a range begins at 0 or later", code=StatusCode.INVALID_ARGUMENT)
        found = await contents.stat(segments)
        requested = call.headers.get(CHUNK_SIZE_HEADER, "")
        size = chunk_size(requested)
        if requested and found.content_size is not None:
            cid = await contents.standard_cid(found)
            await exchange.begin(
                {
                    OFFSET_HEADER: str(start),
                    SIZE_HEADER: str(found.content_size),
                    FILE_HEADER: str(found.cid),
                    **({CID_HEADER: str(cid)} if cid is not None else {}),
                }
            )

        async def send(piece: BytesLike) -> None:
            view = memoryview(piece)
            for at in range(0, len(view), size):
                # A view is as good as bytes to the codec of this message, and saves a copy.
                await exchange.send(reply(chunk=cast("bytes", view[at : at + size])))

        stop = start + length if length else None
        await contents.send_found("/".join(segments), found, send, start=start, stop=stop)

    async def _announced(self, push: Push, paths: list[str]) -> frozenset[str]:
        """The paths that a header announces, checked all at once."""

        def check() -> frozenset[str]:
            with wrapping("parsing path"):
                announced = frozenset(map(file_path, paths))
            with wrapping("verifying bucket update", code=StatusCode.PERMISSION_DENIED):
                push.check(sorted(announced))
            return announced

        return check() if len(paths) <= MANY_PATHS else await self._engine.workers.start(check)


class _Progress:
    """Tells the client how many bytes of its file were read."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._read = 0
        self._told = 0
        self._clock = asyncio.get_running_loop().time
        self._next = self._clock()

    async def advance(self, read: int) -> None:
        self._read = read
        if self._read - self._told >= PROGRESS_STEP and self._clock() >= self._next:
            await self._tell()
            self._next = self._clock() + PROGRESS_PAUSE

    async def finish(self, read: int) -> None:
        self._read = read
        await self._tell()

    async def _tell(self) -> None:
        self._told = self._read
        await self._exchange.send(pb.PushPathResponse(event=pb.PushPathResponseEvent(bytes=self._read)))
