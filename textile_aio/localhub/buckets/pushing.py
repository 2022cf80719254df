"""Files coming in: PushPath and PushPaths (spec: buckets-api §10).

Speaks in bytes and values; the service turns messages into calls of these and back.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from textile_aio._codec.cid import RAW, Cid
from textile_aio.errors import (
    FailedPrecondition,
    InvalidInput,
    NotADirectory,
    PathNotFound,
    StatusCode,
)
from textile_aio.ids import ThreadID
from textile_aio.localhub.buckets import rules
from textile_aio.localhub.buckets.document import BucketDocument
from textile_aio.localhub.buckets.engine import BucketEngine, OpenTree
from textile_aio.localhub.buckets.importing import FileImport
from textile_aio.localhub.buckets.keys import Keyring
from textile_aio.storage.blocks import BlockBatch
from textile_aio.unixfs.directory import NOT_A_DIRECTORY
from textile_aio.unixfs.importer import CHUNK_SIZE, FileNode


class Push:
    """Files on their way into one bucket, under its lock, within one batch of blocks.

    Nothing is visible before :meth:`save`; leaving without it leaves the bucket as it was. Paths are given
    as :func:`~textile_aio.localhub.buckets.paths.file_path` returns them.
    """

    def __init__(
        self,
        engine: BucketEngine,
        thread: ThreadID,
        bucket: BucketDocument,
        writer: str,
        batch: BlockBatch,
        opened: OpenTree,
    ) -> None:
        self._engine = engine
        self._thread = thread
        self._bucket = bucket
        self._writer = writer
        self._batch = batch
        self._opened = opened
        self._tree = opened.tree
        self._working = opened.working
        self._keys = Keyring.of(bucket)
        self._edit = engine.edit(bucket, writer)
        self._announced = engine.edit(bucket, writer)
        self._private_growth = 0
        self._open: dict[str, FileImport] = {}
        self._closed: set[str] = set()

    @classmethod
    async def begin(
        cls,
        engine: BucketEngine,
        thread: ThreadID,
        bucket: BucketDocument,
        writer: str,
        batch: BlockBatch,
    ) -> Push:
        """Begin to push into ``bucket`` (with nothing hidden), which the caller has locked."""
        return cls(engine, thread, bucket, writer, batch, await engine.open_tree(bucket))

    @property
    def pinned(self) -> int:
        """By how many bytes the tree has grown so far."""
        if self._bucket.is_private:
            return self._private_growth
        return self._tree.cumulative_size - self._opened.size

    @property
    def has_changes(self) -> bool:
        """Whether a file has arrived whole, or something was removed."""
        return bool(self._closed) or bool(self._edit.changes)

    @property
    def open_paths(self) -> Sequence[str]:
        """Files that have begun and not ended."""
        return list(self._open)

    def check(self, paths: Sequence[str]) -> None:
        """Refuse early what :meth:`save` would refuse: whether the writer may write these files.

        Raises:
            WriteDenied: They may not.
        """
        changes: dict[str, rules.MetadataChange] = {}
        for path in paths:
            changes |= self._announced.put_file(path)
        if changes:
            rules.check_save(self._bucket, self._writer, rules.Patch(moves_root=True, metadata=changes))

    async def check_parents(self, path: str) -> None:
        """Refuse early to push below a file (``expected protobuf dag node``)."""
        await self._working.run(partial(self._tree.check_parents, path.split("/")))

    def is_open(self, path: str) -> bool:
        """Whether bytes of that file are awaited."""
        return path in self._open

    def start(self, path: str) -> FileImport:
        """Begin a file. Each path can come once."""
        if path in self._closed or path in self._open:
            raise InvalidInput(
                "writing chunk: io: read/write on closed pipe", code=StatusCode.UNKNOWN, about=path
            )
        file = FileImport(self._batch, self._engine.workers, self._keys.file(path), self._engine.verified)
        self._open[path] = file
        return file

    async def write(self, path: str, data: bytes) -> None:
        """The next bytes of a file that was started."""
        await self._open[path].write(data)

    async def refer(self, path: str, leaves: Sequence[bytes]) -> None:
        """Leaves of the hub's own, in place of the next bytes of a file that was started.

        Raises:
            FailedPrecondition: One of them is not here (any more).
            InvalidInput: One is no whole leaf, the file does not stand where a leaf begins, or the bucket is
                private, where nothing stored can be of use.
        """
        cids = [Cid.from_bytes(leaf) for leaf in leaves]
        if self._bucket.is_private:
            raise InvalidInput("leaves of a private bucket cannot be referred to", about=path)
        missing = await self._batch.reuse(leaves)
        for cid in cids:
            if cid.bytes in missing:
                raise FailedPrecondition(
                    f"block {cid} is not here", code=StatusCode.FAILED_PRECONDITION, about=path
                )
        known = await self._engine.blocks.links(leaves)
        for cid in cids:
            if cid.codec != RAW or known[cid.bytes][0] != CHUNK_SIZE:
                raise InvalidInput(
                    f"{cid} is no leaf of {CHUNK_SIZE} bytes", code=StatusCode.INVALID_ARGUMENT, about=path
                )
        await self._open[path].refer(cids)

    async def remove(self, paths: Sequence[str]) -> None:
        """Remove what is at these paths, in the same step; what is not there is no error."""
        for path in paths:
            segments = path.split("/")
            growth = 0
            try:
                if self._bucket.is_private:
                    growth = await self._opened.contents.weight(segments)
                await self._working.run(partial(self._tree.remove_path, segments))
            except (PathNotFound, NotADirectory):
                continue
            self._private_growth -= growth
            self._edit.remove(path)

    async def finish(self, path: str) -> FileNode:
        """A file is complete: put it into the tree."""
        file = await self._open.pop(path).finish()
        segments = path.split("/")
        self._check_own_parents(segments)
        if self._bucket.is_private:
            self._private_growth += file.cumulative_size - await self._replaced(segments)
        await self._working.run(lambda: self._tree.set_path(segments, file.cid, file.cumulative_size))
        self._edit.put_file(path)
        self._closed.add(path)
        return file

    async def save(self) -> BucketDocument:
        """Make the push visible. Durable on return."""
        root, directories = self._tree.commit()
        await self._batch.put(directories)
        return await self._engine.save(
            self._thread, self._bucket, root, self._edit, self._writer, self._batch
        )

    async def _replaced(self, segments: Sequence[str]) -> int:
        try:
            return await self._opened.contents.weight(segments)
        except PathNotFound:
            return 0

    def _check_own_parents(self, segments: Sequence[str]) -> None:
        """Refuse a file below another one of this very push, whose blocks nobody can look at yet."""
        for depth in range(1, len(segments)):
            parent = "/".join(segments[:depth])
            if parent in self._closed:
                raise NotADirectory(NOT_A_DIRECTORY, code=StatusCode.UNKNOWN, about=parent)

    def preview(self, path: str) -> BucketDocument:
        """The bucket with the file that arrived last, stored only once the push is.

        Of the entries only those of the root and of this file: all of them with every one of thousands of
        files would be most of what the hub sends.
        """
        entries = self._edit.entries
        shown = {each: entries[each] for each in ("", path) if each in entries}
        return self._bucket.with_root(self._tree.root, shown, self._engine.clock())
