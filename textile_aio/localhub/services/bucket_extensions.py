"""``textile_aio.buckets.pb.Extensions``: what this hub can do with buckets beyond ``api.bucketsd.pb``."""

from __future__ import annotations

from textile_aio._proto.textile_aio.buckets import pb
from textile_aio.errors import InvalidInput, StatusCode
from textile_aio.localhub.buckets.carrying import CarImport, export, require_all
from textile_aio.localhub.buckets.changing import BucketChanges
from textile_aio.localhub.buckets.document import BucketDocument
from textile_aio.localhub.buckets.engine import BucketEngine, metadata_of
from textile_aio.localhub.buckets.paths import split
from textile_aio.localhub.call import Call, Exchange
from textile_aio.localhub.routes import Service
from textile_aio.localhub.services.bucket_messages import shown_name

_PREFIX = "/textile_aio.buckets.pb.Extensions/"

ENTRIES_AT_ONCE = 500
BYTES_AT_ONCE = 256 * 1024
"""Of paths in one message, which may have 4 KiB each."""

MOST_BLOCKS = 65_536
"""CIDs that one HasBlocks may ask for."""

CHUNK_SIZE = 256 * 1024


class ExtensionsService:
    """From messages to the bucket engine and back."""

    def __init__(self, engine: BucketEngine) -> None:
        self._engine = engine
        self._changes = BucketChanges(engine)

    def service(self) -> Service:
        """What is served."""
        return Service(
            pb.ExtensionsBase,
            {
                _PREFIX + "ListTree": self.list_tree,
                _PREFIX + "HasBlocks": self.has_blocks,
                _PREFIX + "CopyPath": self.copy_path,
                _PREFIX + "ExportCar": self.export_car,
                _PREFIX + "ImportCar": self.import_car,
            },
        )

    async def list_tree(self, call: Call, request: pb.ListTreeRequest, exchange: Exchange) -> None:
        """Everything at and below a path of one state of the bucket."""
        engine = self._engine
        async with engine.blocks.reading() as reading:
            bucket = await engine.get(call.thread, request.key, call.caller.identity)
            reading.pin(bucket.root.bytes)
            segments = split(request.path)
            hidden = _Hidden(bucket)
            hidden.check("/".join(segments))
            contents = engine.contents(bucket)
            root, entries, size = bucket.path, list[pb.ListTreeResponseEntry](), 0
            async for path, found in contents.walk(segments):
                where = "/".join(path)
                hidden.check(where)
                (shown,) = await contents.listed([found])
                entries.append(
                    pb.ListTreeResponseEntry(
                        path=shown_name(where),
                        cid=str(shown.cid),
                        size=found.size,
                        is_dir=found.is_dir,
                        content_size=found.content_size or 0,
                    )
                )
                size += len(where)
                if len(entries) == ENTRIES_AT_ONCE or size >= BYTES_AT_ONCE:
                    await exchange.send(pb.ListTreeResponse(root=root, entries=entries))
                    root, entries, size = "", [], 0
            await exchange.send(pb.ListTreeResponse(root=root, entries=entries))

    async def has_blocks(self, call: Call, request: pb.HasBlocksRequest) -> pb.HasBlocksResponse:
        """Which blocks are here, to be referred to by a push. In private buckets none is of use."""
        engine = self._engine
        bucket = await engine.get(call.thread, request.key, call.caller.identity)
        if len(request.cids) > MOST_BLOCKS:
            raise InvalidInput(
                f"{MOST_BLOCKS} CIDs can be asked for at once", code=StatusCode.INVALID_ARGUMENT
            )
        if bucket.is_private:
            return pb.HasBlocksResponse(present=[False] * len(request.cids))
        async with engine.blocks.batch(keep=True) as batch:
            missing = await batch.reuse(request.cids)
        return pb.HasBlocksResponse(present=[cid not in missing for cid in request.cids])

    async def copy_path(self, call: Call, request: pb.CopyPathRequest) -> pb.CopyPathResponse:
        """Copy a file or directory."""
        saved = await self._changes.copy_path(
            call.thread,
            request.key,
            request.from_path,
            request.to_path,
            request.root,
            call.caller.identity,
        )
        if saved is None:
            bucket = await self._engine.get(call.thread, request.key, call.caller.identity)
            return pb.CopyPathResponse(root=bucket.path)
        return pb.CopyPathResponse(root=saved.bucket.path, pinned=saved.pinned)

    async def export_car(self, call: Call, request: pb.ExportCarRequest, exchange: Exchange) -> None:
        """A bucket, or a path in it, as a CAR file."""
        engine = self._engine
        async with engine.blocks.reading() as reading:
            bucket = await engine.get(call.thread, request.key, call.caller.identity)
            reading.pin(bucket.root.bytes)
            segments = split(request.path)
            metadata_of(bucket, "/".join(segments))
            found = await engine.contents(bucket).stat(segments)
            held = bytearray()
            async for piece in export(engine.blocks, found.cid):
                held += piece
                if len(held) >= CHUNK_SIZE:
                    await exchange.send(pb.ExportCarResponse(chunk=bytes(held)))
                    held.clear()
            if held:
                await exchange.send(pb.ExportCarResponse(chunk=bytes(held)))

    async def import_car(self, call: Call, exchange: Exchange) -> None:
        """A bucket from a CAR file."""
        engine, thread = self._engine, call.thread
        first = await exchange.recv()
        if first is None or first.header is None:
            raise InvalidInput("the header has to come first", code=StatusCode.INVALID_ARGUMENT)
        async with engine.blocks.batch() as arriving:
            arrival = CarImport(arriving, engine.workers)
            while (message := await exchange.recv()) is not None:
                if message.chunk is None:
                    raise InvalidInput("invalid request", code=StatusCode.INVALID_ARGUMENT)
                await arrival.feed(message.chunk)
            root = await arrival.finish()
            async with engine.blocks.batch() as batch:
                await require_all(batch, root)
                created = await engine.import_root(
                    thread,
                    first.header.name,
                    call.caller.identity,
                    root=root,
                    private=first.header.private,
                    batch=batch,
                )
        await exchange.send(
            pb.ImportCarResponse(key=created.bucket.id, root=created.bucket.path, pinned=created.pinned)
        )


class _Hidden:
    """Refuses paths whose access entries the caller may not see, as a listing does (spec: buckets-api §8)."""

    def __init__(self, bucket: BucketDocument) -> None:
        self._bucket = bucket
        # Where the root's entry is visible, some entry is for every path.
        self._is_open = "" in bucket.metadata or not bucket.version

    def check(self, path: str) -> None:
        """Raise :class:`PathNotFound` for a hidden path."""
        if not self._is_open:
            metadata_of(self._bucket, path)
