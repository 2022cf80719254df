"""One state of a bucket's content, opened for reading, whether it is encrypted or not.

Knows the bucket's keys and its tree, and nothing of who may read it: callers look at the access entries
first.
A state is a root, and its blocks never change, so a reader sees one state from beginning to end.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from textile_aio import dcrypto
from textile_aio._codec.cid import DAG_PB, RAW, Cid
from textile_aio.errors import FailedPrecondition, IsADirectory, NotADirectory, PathNotFound, StatusCode
from textile_aio.localhub.buckets.document import BucketDocument
from textile_aio.localhub.buckets.keys import PUBLIC, Keyring
from textile_aio.localhub.buckets.paths import DEEPEST
from textile_aio.localhub.buckets.pulling import FilePieces
from textile_aio.localhub.buckets.sealing import DirectorySeal
from textile_aio.localhub.buckets.verified import VerifiedFiles
from textile_aio.localhub.buckets.working_set import WorkingSet
from textile_aio.localhub.workers import Workers
from textile_aio.storage.blocks import Blocks
from textile_aio.unixfs import dagpb, fsnode
from textile_aio.unixfs.block import Block, BytesLike
from textile_aio.unixfs.directory import NOT_A_DIRECTORY
from textile_aio.unixfs.directory import Entry as Link
from textile_aio.unixfs.fsnode import NodeType
from textile_aio.unixfs.importer import CHUNK_SIZE, MAX_LINKS
from textile_aio.unixfs.resolve import listing
from textile_aio.unixfs.stat import Stat, raw_stat, stat

Sink = Callable[[BytesLike], Awaitable[None]]

_LOADED_AT_ONCE = 256


class Contents:
    """The tree under one root. Paths are given as their segments; the root has none."""

    def __init__(
        self,
        blocks: Blocks,
        root: Cid,
        keys: Keyring = PUBLIC,
        workers: Workers | None = None,
        verified: VerifiedFiles | None = None,
    ) -> None:
        self.root = root
        self.keys = keys
        self._blocks = blocks
        self._workers = workers
        self._verified = verified
        self._seal = None if keys.link is None else DirectorySeal(keys.link)

    @classmethod
    def of(
        cls,
        blocks: Blocks,
        bucket: BucketDocument,
        workers: Workers | None = None,
        verified: VerifiedFiles | None = None,
    ) -> Contents:
        """The present content of a bucket, whose document has nothing hidden."""
        return cls(blocks, bucket.root, Keyring.of(bucket), workers, verified)

    @classmethod
    def public(cls, blocks: Blocks, root: Cid, workers: Workers | None = None) -> Contents:
        """What is under any root, read without keys."""
        return cls(blocks, root, PUBLIC, workers)

    @property
    def is_private(self) -> bool:
        """Whether it is encrypted."""
        return self._seal is not None

    @property
    def seal(self) -> Callable[[Block], Block] | None:
        """What makes the stored block of a directory, where it is not stored as it is."""
        return None if self._seal is None else self._seal.seal

    def working_set(self) -> WorkingSet:
        """Blocks as the tree algorithms want them: directories in clear."""
        return WorkingSet(self._blocks, None if self._seal is None else self._seal.open)

    async def stat(self, segments: Sequence[str]) -> Stat:
        """What is at a path. ``cid`` is that of the stored block, ``content_size`` counts bytes in clear.

        Raises:
            PathNotFound: Nothing is (spec: buckets-api §2, texts differ for private buckets).
            IntegrityError: A block on the way is malformed, or not under this key.
        """
        with self._finding(segments):
            found = await self.working_set().resolve(self.root, segments)
        return self._in_clear(found)

    async def children(self, segments: Sequence[str]) -> list[tuple[str, Stat]]:
        """What is directly in a directory, by name.

        Raises:
            NotADirectory: It is a file.
        """
        found, children = await self.listing(segments)
        if not found.is_dir:
            raise NotADirectory(NOT_A_DIRECTORY, code=StatusCode.UNKNOWN, about="/".join(segments))
        return children

    async def listing(self, segments: Sequence[str]) -> tuple[Stat, list[tuple[str, Stat]]]:
        """What is at a path, and what is directly in it, by name. Raises as :meth:`stat`."""
        working = self.working_set()
        with self._finding(segments):
            cid, tsize = await working.descend(self.root, segments)
            found, links = await working.run(partial(listing, cid, working.get, tsize=tsize))
        return self._in_clear(found), await self._described(links)

    async def children_of(self, directory: Cid) -> list[tuple[str, Stat]]:
        """As :meth:`children`, of a directory of this tree by the CID of its stored block."""
        working = self.working_set()
        _, links = await working.run(lambda: listing(directory, working.get))
        return await self._described(links)

    async def _described(self, links: Sequence[Link]) -> list[tuple[str, Stat]]:
        found: list[tuple[str, Stat]] = []
        for start in range(0, len(links), _LOADED_AT_ONCE):
            some = links[start : start + _LOADED_AT_ONCE]
            # Raw leaves are described by their links; only other blocks may be directories.
            working = self.working_set()
            await working.load([cid for _, cid, _ in some if cid.codec == DAG_PB])
            found += [(link.name, self._in_clear(_of_link(link, working))) for link in some]
        return found

    async def walk(self, segments: Sequence[str] = ()) -> AsyncIterator[tuple[tuple[str, ...], Stat]]:
        """Everything at and below a path: parents before children, siblings by name.

        Raises:
            FailedPrecondition: It is deeper than any path may be.
        """
        waiting = [(tuple(segments), await self.stat(segments))]
        while waiting:
            path, found = waiting.pop()
            if len(path) > DEEPEST:
                raise FailedPrecondition(
                    f"the tree is deeper than {DEEPEST} levels",
                    code=StatusCode.FAILED_PRECONDITION,
                    about="/".join(path[:8]),
                )
            yield path, found
            if found.is_dir:
                children = await self.children_of(found.cid)
                waiting += [((*path, name), each) for name, each in reversed(children)]

    def _shown_cid(self, found: Stat, data: BytesLike) -> Cid:
        """The CID that listings show of a directory: in a private bucket that of its node in clear."""
        if not self.is_private:
            return found.cid
        return Cid.sha256(DAG_PB, hashlib.sha256(data).digest())

    async def listed(self, found: Sequence[Stat]) -> list[Stat]:
        """The same with the CIDs that listings show (spec: buckets-api §7)."""
        directories = [each.cid for each in found if each.is_dir]
        if not self.is_private or not directories:
            return list(found)
        working = self.working_set()
        await working.load(directories)
        return [
            each._replace(cid=self._shown_cid(each, working.get(each.cid))) if each.is_dir else each
            for each in found
        ]

    async def stored_size(self, cid: Cid) -> int:
        """Bytes of one stored block of this tree."""
        return len(await self._blocks.get(cid.bytes))

    async def weight(self, segments: Sequence[str]) -> int:
        """Bytes of all blocks at and below a path, which a link in a private bucket does not tell."""
        if not self.is_private:
            return (await self.stat(segments)).size
        total = 0
        async for _, found in self.walk(segments):
            total += await self.stored_size(found.cid) if found.is_dir else found.size
        return total

    async def send(
        self, segments: Sequence[str], sink: Sink, *, start: int = 0, stop: int | None = None
    ) -> None:
        """Give the content of a file, in clear, to ``sink``: all, or the bytes from ``start`` to ``stop``.

        Of a private file every byte is verified before the first is given out, unless that was done before:
        then each block is before its own bytes are. Memory does not grow with it.

        Raises:
            PathNotFound: There is no such file.
            IsADirectory: It is a directory (``node is a directory``).
            DecryptionFailed: The file is not under this key, or was altered.
            IntegrityError: A block is malformed.
        """
        found = await self.stat(segments)
        await self.send_found("/".join(segments), found, sink, start=start, stop=stop)

    async def send_found(
        self, path: str, found: Stat, sink: Sink, *, start: int = 0, stop: int | None = None
    ) -> None:
        """As :meth:`send`, of what :meth:`stat` has found at ``path``."""
        if found.is_dir:
            raise IsADirectory("node is a directory", code=StatusCode.UNKNOWN, about=path)
        pieces = FilePieces(self._blocks, found.cid)
        key = self.keys.file(path)
        if key is None:
            await pieces.send(sink, start=start, stop=stop)
        else:
            await pieces.send_opened(
                sink, key, workers=self._workers, verified=self._verified, start=start, stop=stop
            )

    async def standard_cid(self, found: Stat) -> Cid | None:
        """The CID of a file that :meth:`stat` has found, if it is public and usual.

        That is, if whoever imports its content the usual way gets the same CID; else None.
        """
        size = found.content_size
        if self.is_private or found.is_dir or size is None or found.cid.version != 1:
            return None
        if found.cid.codec == RAW:
            return found.cid if size <= CHUNK_SIZE else None
        block = await self._blocks.get(found.cid.bytes)
        return found.cid if _is_standard(dagpb.decode(block), size) else None

    def _in_clear(self, found: Stat) -> Stat:
        if not self.is_private or found.is_dir or found.content_size is None:
            return found
        return found._replace(content_size=max(found.content_size - dcrypto.OVERHEAD, 0))

    @contextmanager
    def _finding(self, segments: Sequence[str]) -> Iterator[None]:
        try:
            yield
        except PathNotFound as missing:
            if not self.is_private:
                raise
            where = "/".join(("/ipfs", str(self.root), *segments))
            raise PathNotFound(
                f"could not resolve path: {where}", code=StatusCode.UNKNOWN, about="/".join(segments)
            ) from missing


def _of_link(link: Link, working: WorkingSet) -> Stat:
    if link.cid.codec != DAG_PB:
        return raw_stat(link.cid, link.tsize)
    return stat(link.cid, working.get(link.cid))


def _is_standard(node: dagpb.Node, size: int) -> bool:
    """Whether a root is one that this package's importer makes of ``size`` bytes (spec: buckets-api §6)."""
    fs = fsnode.of(node)
    if fs.type is not NodeType.FILE or fs.data is not None or size <= CHUNK_SIZE:
        return False
    below, codec = CHUNK_SIZE, RAW
    while below * MAX_LINKS < size:
        below, codec = below * MAX_LINKS, DAG_PB
    whole, rest = divmod(size, below)
    expected = (below,) * whole + ((rest,) if rest else ())
    # The last node of a row holds what is left, which may fit into a leaf; it is a node all the same.
    return fs.blocksizes == expected and all(link.cid.codec == codec for link in node.links)
