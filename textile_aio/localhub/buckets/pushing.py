"""Files coming in: PushPath and PushPaths (spec: buckets-api §10).

Speaks in bytes and values; the service turns messages into calls of these and back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from textile_aio.errors import InvalidInput, NotADirectory, PathNotFound, StatusCode
from textile_aio.ids import ThreadID
from textile_aio.localhub.buckets import rules
from textile_aio.localhub.buckets.document import BucketDocument
from textile_aio.localhub.buckets.engine import BucketEngine
from textile_aio.localhub.buckets.importing import FileImport
from textile_aio.localhub.buckets.working_set import WorkingSet
from textile_aio.localhub.workers import Workers
from textile_aio.storage.blocks import BlockBatch
from textile_aio.unixfs.directory import NOT_A_DIRECTORY
from textile_aio.unixfs.importer import FileNode
from textile_aio.unixfs.tree import Tree


@dataclass(frozen=True, slots=True)
class PushedFile:
    """A file that has arrived. ``bucket`` is the bucket with it, stored only once the push is."""

    path: str
    file: FileNode
    bucket: BucketDocument
    pinned: int


class Push:
    """Files on their way into one bucket, under its lock, within one batch of blocks.

    Nothing is visible before :meth:`save`; leaving without it leaves the bucket as it was. Paths are given
    as :func:`~textile_aio.localhub.buckets.paths.file_path` returns them.
    """

    def __init__(
        self,
        engine: BucketEngine,
        workers: Workers,
        thread: ThreadID,
        bucket: BucketDocument,
        writer: str,
        batch: BlockBatch,
        tree: Tree,
        working: WorkingSet,
    ) -> None:
        self._engine = engine
        self._workers = workers
        self._thread = thread
        self._bucket = bucket
        self._writer = writer
        self._batch = batch
        self._tree = tree
        self._working = working
        self._edit = engine.edit(bucket, writer)
        self._announced = engine.edit(bucket, writer)
        self._size_before = tree.cumulative_size
        self._open: dict[str, FileImport] = {}
        self._closed: set[str] = set()

    @classmethod
    async def begin(
        cls,
        engine: BucketEngine,
        workers: Workers,
        thread: ThreadID,
        bucket: BucketDocument,
        writer: str,
        batch: BlockBatch,
    ) -> Push:
        """Begin to push into ``bucket`` (with nothing hidden), which the caller has locked."""
        working = WorkingSet(engine.blocks)
        tree = await working.run(lambda: Tree(bucket.root, working.get))
        return cls(engine, workers, thread, bucket, writer, batch, tree, working)

    @property
    def pinned(self) -> int:
        """By how many bytes the tree has grown so far."""
        return self._tree.cumulative_size - self._size_before

    @property
    def has_changes(self) -> bool:
        """Whether a file has arrived whole."""
        return bool(self._closed)

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
        segments = path.split("/")
        for depth in range(1, len(segments)):
            parent = segments[:depth]
            try:
                stat = await self._working.run(partial(self._tree.lookup, parent))
            except PathNotFound:
                return
            if not stat.is_dir:
                raise NotADirectory(NOT_A_DIRECTORY, code=StatusCode.UNKNOWN, about="/".join(parent))

    def is_open(self, path: str) -> bool:
        """Whether bytes of that file are awaited."""
        return path in self._open

    def start(self, path: str) -> FileImport:
        """Begin a file. Each path can come once."""
        if path in self._closed or path in self._open:
            raise InvalidInput(
                "writing chunk: io: read/write on closed pipe", code=StatusCode.UNKNOWN, about=path
            )
        file = self._open[path] = FileImport(self._batch, self._workers)
        return file

    async def write(self, path: str, data: bytes) -> None:
        """The next bytes of a file that was started."""
        await self._open[path].write(data)

    async def finish(self, path: str) -> PushedFile:
        """A file is complete: put it into the tree."""
        file = await self._open.pop(path).finish()
        segments = path.split("/")
        self._check_own_parents(segments)
        await self._working.run(lambda: self._tree.set_path(segments, file.cid, file.cumulative_size))
        self._edit.put_file(path)
        self._closed.add(path)
        return PushedFile(path, file, self._preview(path), self.pinned)

    async def save(self) -> BucketDocument:
        """Make the push visible. Durable on return."""
        root, directories = self._tree.commit()
        await self._batch.put(directories)
        return await self._engine.save(
            self._thread, self._bucket, root, self._edit, self._writer, self._batch
        )

    def _check_own_parents(self, segments: Sequence[str]) -> None:
        """Refuse a file below another one of this very push, whose blocks nobody can look at yet."""
        for depth in range(1, len(segments)):
            parent = "/".join(segments[:depth])
            if parent in self._closed:
                raise NotADirectory(NOT_A_DIRECTORY, code=StatusCode.UNKNOWN, about=parent)

    def _preview(self, path: str) -> BucketDocument:
        """The bucket with the new root, and of the entries only those of the root and of this file.

        All entries with every one of thousands of files would be most of what the hub sends.
        """
        entries = self._edit.entries
        shown = {each: entries[each] for each in ("", path) if each in entries}
        return self._bucket.with_root(self._tree.root, shown, self._engine.clock())
