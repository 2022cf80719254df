"""Trees brought into a private bucket, or under other keys within it.

Whatever is brought is read in clear and stored anew, so that it is under the keys of where it will stand
(spec: buckets-api §7 to §9). Memory grows with the depth of the tree and the size of its directories, not
with its files; what is under its final key already is left as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from textile_aio._codec.cid import Cid
from textile_aio.errors import FailedPrecondition, NotADirectory, StatusCode
from textile_aio.localhub.buckets.contents import Contents
from textile_aio.localhub.buckets.importing import FileImport
from textile_aio.localhub.buckets.keys import Keyring
from textile_aio.localhub.buckets.paths import DEEPEST
from textile_aio.localhub.buckets.sealing import DirectorySeal
from textile_aio.localhub.workers import Workers
from textile_aio.storage.blocks import BlockBatch
from textile_aio.unixfs.directory import NOT_A_DIRECTORY, Directory
from textile_aio.unixfs.stat import Stat

MOST_ITEMS = 1_000_000
"""Files and directories brought in by one call. A few blocks that link to each other can stand for more files
than there are disks."""


@dataclass(frozen=True, slots=True)
class Planted:
    """What now stands for a tree: the link to it, and the bytes of blocks that were written."""

    cid: Cid
    tsize: int
    written: int


class Transplant:
    """Stores a tree anew, under the keys of a private bucket.

    Args:
        source: Where it is read.
        keys: Those of the bucket that it comes into.
        batch: Takes the blocks.
        workers: Do the hashing.
    """

    def __init__(self, source: Contents, keys: Keyring, batch: BlockBatch, workers: Workers) -> None:
        if keys.link is None:
            raise ValueError("a public bucket links to what it takes in")
        self._source = source
        self._keys = keys
        self._seal = DirectorySeal(keys.link)
        self._batch = batch
        self._workers = workers
        self._items = 0
        self._is_same_bucket = source.keys.link == keys.link

    async def plant(
        self, found: Stat, source: Sequence[str], target: Sequence[str], *, extra: Mapping[str, Planted] = {}
    ) -> Planted:
        """Store what stands at ``source`` as it has to be at ``target``.

        Args:
            found: What is there.
            source: Its path, where it is read.
            target: Its path in the bucket.
            extra: Further entries of the new directory, in place of those of the same names.

        Raises:
            NotADirectory: There are extra entries for a file.
            FailedPrecondition: It is more than :data:`MOST_ITEMS` things, or too deep for paths.
            IntegrityError: A block is malformed, or under none of the keys.
        """
        self._items += 1
        if self._items > MOST_ITEMS or len(source) > DEEPEST:
            raise FailedPrecondition(
                f"trees of more than {MOST_ITEMS} files or {DEEPEST} levels are not taken in",
                code=StatusCode.FAILED_PRECONDITION,
                about="/".join(target),
            )
        if not found.is_dir:
            if extra:
                raise NotADirectory(NOT_A_DIRECTORY, code=StatusCode.UNKNOWN)
            return await self._file(found, "/".join(source), "/".join(target))
        return await self._directory(found, source, target, extra)

    async def _file(self, found: Stat, source: str, target: str) -> Planted:
        key = self._keys.file(target)
        if self._is_same_bucket and self._source.keys.file(source) == key:
            return Planted(found.cid, found.size, 0)
        file = FileImport(self._batch, self._workers, key)
        await self._source.send_found(source, found, file.write)
        node = await file.finish()
        return Planted(node.cid, node.cumulative_size, node.cumulative_size)

    async def _directory(
        self, found: Stat, source: Sequence[str], target: Sequence[str], extra: Mapping[str, Planted]
    ) -> Planted:
        directory = Directory()
        written = 0
        same = self._is_same_bucket and not extra
        for name, each in await self._source.children_of(found.cid):
            if name in extra:
                continue
            child = await self.plant(each, (*source, name), (*target, name))
            written += child.written
            same = same and child.cid == each.cid
            directory.set(name, child.cid, child.tsize)
        if same:
            return Planted(found.cid, await self._source.stored_size(found.cid), 0)
        for name, child in extra.items():
            written += child.written
            directory.set(name, child.cid, child.tsize)
        sealed = self._seal.seal(directory.encode(1))
        await self._batch.put([sealed])
        return Planted(sealed.cid, len(sealed.data), written + len(sealed.data))
