"""``api.bucketsd.pb.APIService`` for public buckets (spec: buckets-api §8, §10)."""

from __future__ import annotations

import asyncio
from typing import cast
from urllib.parse import urlsplit

from textile_aio._codec.cid import Cid
from textile_aio._proto.api.bucketsd import pb
from textile_aio.buckets import _hot  # noqa: F401 - importing it registers the short way for chunks
from textile_aio.errors import InvalidInput, StatusCode, Unimplemented
from textile_aio.ids import ThreadID
from textile_aio.localhub.buckets.document import BucketDocument
from textile_aio.localhub.buckets.engine import BucketEngine, check_fast_forward, metadata_of
from textile_aio.localhub.buckets.paths import file_path, split
from textile_aio.localhub.buckets.pulling import chunk_size, send_file
from textile_aio.localhub.buckets.pushing import Push
from textile_aio.localhub.call import Call, Exchange
from textile_aio.localhub.refusals import wrapping
from textile_aio.localhub.routes import Service
from textile_aio.localhub.services.bucket_messages import item_message, root_message
from textile_aio.localhub.settings import HubSettings
from textile_aio.localhub.workers import Workers
from textile_aio.unixfs.block import BytesLike

_PREFIX = "/api.bucketsd.pb.APIService/"

PROGRESS_STEP = 262_144
PROGRESS_PAUSE = 0.02
"""Upstream reports every 256 KiB. So many replies cost more than the bytes they report, so a fast push
hears of its progress 50 times a second at most."""

MANY_PATHS = 1_000
"""Checking more of them than this would hold up every other call."""

CHUNK_SIZE_HEADER = "textile-aio-chunk-size"
"""Bytes of content a message of a pull may have; clients that do not know it get 32 KiB, as from upstream."""


class BucketsService:
    """From messages to the bucket engine and back."""

    def __init__(self, engine: BucketEngine, workers: Workers, settings: HubSettings) -> None:
        self._engine = engine
        self._workers = workers
        self._settings = settings

    def service(self) -> Service:
        """What is served."""
        return Service(
            pb.ApiServiceBase,
            {
                _PREFIX + "Create": self.create,
                _PREFIX + "Root": self.root,
                _PREFIX + "List": self.list_buckets,
                _PREFIX + "ListPath": self.list_path,
                _PREFIX + "Links": self.links,
                _PREFIX + "PushPath": self.push_path,
                _PREFIX + "PushPaths": self.push_paths,
                _PREFIX + "PullPath": self.pull_path,
                _PREFIX + "RemovePath": self.remove_path,
                _PREFIX + "Remove": self.remove,
            },
        )

    async def create(self, call: Call, request: pb.CreateRequest) -> pb.CreateResponse:
        """Make a bucket."""
        thread = call.thread
        if request.unfreeze:
            raise Unimplemented("archiving feature is disabled", code=StatusCode.UNKNOWN)
        if request.bootstrap_cid:
            try:
                Cid.parse(request.bootstrap_cid)
            except InvalidInput as error:
                raise InvalidInput(
                    f"invalid bootstrap cid: {error.message}", code=StatusCode.UNKNOWN
                ) from None
            raise Unimplemented("buckets cannot be made from a CID yet", code=StatusCode.UNIMPLEMENTED)
        if request.private:
            raise Unimplemented("private buckets cannot be made yet", code=StatusCode.UNIMPLEMENTED)
        created = await self._engine.create(thread, request.name, call.caller.identity)
        return pb.CreateResponse(
            root=root_message(created.bucket, thread),
            links=self._links(created.bucket, thread, (), call),
            seed=created.seed,
            seed_cid=str(created.seed_cid),
            pinned=created.pinned,
        )

    async def root(self, call: Call, request: pb.RootRequest) -> pb.RootResponse:
        """A bucket by its key."""
        thread = call.thread
        bucket = await self._engine.get(thread, request.key, call.caller.identity)
        return pb.RootResponse(root=root_message(bucket, thread))

    async def list_buckets(self, call: Call, request: pb.ListRequest) -> pb.ListResponse:
        """All buckets of the thread."""
        thread = call.thread
        buckets = await self._engine.list(thread, call.caller.identity)
        return pb.ListResponse(roots=[root_message(bucket, thread) for bucket in buckets])

    async def list_path(self, call: Call, request: pb.ListPathRequest) -> pb.ListPathResponse:
        """What is at a path, with its direct children."""
        thread = call.thread
        bucket = await self._engine.get(thread, request.key, call.caller.identity)
        item = await self._engine.item(bucket, request.path)
        return pb.ListPathResponse(item=item_message(item, bucket.root), root=root_message(bucket, thread))

    async def links(self, call: Call, request: pb.LinksRequest) -> pb.LinksResponse:
        """Where a path can be seen."""
        thread = call.thread
        bucket = await self._engine.get(thread, request.key, call.caller.identity)
        segments = await self._engine.check_path(bucket, request.path)
        return self._links(bucket, thread, segments, call)

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
            async with engine.blocks.batch() as batch:
                push = await Push.begin(engine, self._workers, thread, bucket, writer, batch)
                push.check([path])
                await push.check_parents(path)
                file = push.start(path)
                progress = _Progress(exchange)
                while (message := await exchange.recv()) is not None:
                    chunk = message.chunk
                    if chunk is None:
                        raise InvalidInput("invalid request", code=StatusCode.UNKNOWN)
                    if chunk:
                        await file.write(chunk)
                        await progress.advance(len(chunk))
                await progress.finish()
                pushed = await push.finish(path)
                saved = await push.save()
        await exchange.send(
            pb.PushPathResponse(
                event=pb.PushPathResponseEvent(
                    path=f"/ipfs/{pushed.file.cid}",
                    size=str(pushed.file.cumulative_size),
                    root=root_message(saved, thread),
                    pinned=pushed.pinned,
                )
            )
        )

    async def push_paths(self, call: Call, exchange: Exchange) -> None:
        """Many files in one stream, interleaved as the client likes; all become visible at its end."""
        thread = call.thread
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
            async with engine.blocks.batch() as batch:
                push = await Push.begin(engine, self._workers, thread, bucket, writer, batch)
                announced = await self._announced(push, header.paths)
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
                    if chunk.data:
                        await push.write(path, chunk.data)
                        continue
                    with wrapping("adding bucket link"):
                        pushed = await push.finish(path)
                    await exchange.send(
                        pb.PushPathsResponse(
                            path=pushed.path,
                            cid=str(pushed.file.cid),
                            size=pushed.file.cumulative_size,
                            pinned=pushed.pinned,
                            root=root_message(pushed.bucket, thread),
                        )
                    )
                if push.open_paths:
                    raise InvalidInput(
                        f"the stream ended before {push.open_paths[0]!r} was closed by an empty chunk",
                        code=StatusCode.INVALID_ARGUMENT,
                    )
                if push.has_changes:
                    await push.save()

    async def pull_path(self, call: Call, request: pb.PullPathRequest, exchange: Exchange) -> None:
        """The content of a file."""
        thread = call.thread
        bucket = await self._engine.get(thread, request.key, call.caller.identity)
        segments = split(request.path)
        metadata_of(bucket, "/".join(segments))
        stat = await self._engine.stat(bucket.root, segments)
        size = chunk_size(call.headers.get(CHUNK_SIZE_HEADER, ""))

        async def send(piece: BytesLike) -> None:
            view = memoryview(piece)
            for start in range(0, len(view), size):
                # A view is as good as bytes to the codec of this message, and saves a copy.
                chunk = cast("bytes", view[start : start + size])
                await exchange.send(pb.PullPathResponse(chunk=chunk))

        await send_file(self._engine.blocks, stat.cid, send)

    async def remove_path(self, call: Call, request: pb.RemovePathRequest) -> pb.RemovePathResponse:
        """Remove a file or directory."""
        thread = call.thread
        saved = await self._engine.remove_path(
            thread, request.key, request.path, request.root, call.caller.identity
        )
        return pb.RemovePathResponse(root=root_message(saved.bucket, thread), pinned=saved.pinned)

    async def remove(self, call: Call, request: pb.RemoveRequest) -> pb.RemoveResponse:
        """Remove a bucket."""
        return pb.RemoveResponse(
            pinned=await self._engine.remove(call.thread, request.key, call.caller.identity)
        )

    async def _announced(self, push: Push, paths: list[str]) -> frozenset[str]:
        """The paths that a header announces, checked all at once."""

        def check() -> frozenset[str]:
            with wrapping("parsing path"):
                announced = frozenset(map(file_path, paths))
            with wrapping("verifying bucket update", code=StatusCode.PERMISSION_DENIED):
                push.check(sorted(announced))
            return announced

        return check() if len(paths) <= MANY_PATHS else await self._workers.start(check)

    def _links(
        self, bucket: BucketDocument, thread: ThreadID, segments: tuple[str, ...], call: Call
    ) -> pb.LinksResponse:
        gateway = self._settings.gateway_url
        tail = "".join(f"/{segment}" for segment in segments)
        www = ""
        if self._settings.domain:
            www = f"{urlsplit(gateway).scheme}://{bucket.id}.{self._settings.domain}{tail}"
        token = f"?token={call.caller.token or call.caller.sent_token}" if bucket.is_private else ""
        return pb.LinksResponse(
            url=f"{gateway}/thread/{thread}/buckets/{bucket.id}{tail}{token}",
            www=www + token if www else "",
            ipns=f"{gateway}/ipns/{bucket.id}{tail}{token}",
        )


class _Progress:
    """Tells the client how many bytes of its file were read."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._read = 0
        self._told = 0
        self._clock = asyncio.get_running_loop().time
        self._next = self._clock()

    async def advance(self, size: int) -> None:
        self._read += size
        if self._read - self._told >= PROGRESS_STEP and self._clock() >= self._next:
            await self._tell()
            self._next = self._clock() + PROGRESS_PAUSE

    async def finish(self) -> None:
        await self._tell()

    async def _tell(self) -> None:
        self._told = self._read
        await self._exchange.send(pb.PushPathResponse(event=pb.PushPathResponseEvent(bytes=self._read)))
