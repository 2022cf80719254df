"""A file's bytes into blocks: fixed-size leaves under a balanced tree.

This module owns chunking and layout (spec: buckets-api §6). It refuses to know where bytes come from
and where blocks go. The layout is grown from below: a node is made as soon as it is full, so at any
moment only one unfinished node per level is held.
"""

from __future__ import annotations

from dataclasses import dataclass

from textile_aio._codec.cid import DAG_PB, RAW, Cid
from textile_aio.errors import ClosedError, InvalidInput
from textile_aio.unixfs import dagpb, fsnode
from textile_aio.unixfs.block import Block, BytesLike
from textile_aio.unixfs.dagpb import Link
from textile_aio.unixfs.fsnode import FSNode, NodeType

CHUNK_SIZE = 262_144
MAX_LINKS = 174


@dataclass(frozen=True, slots=True)
class FileNode:
    """A file that has been imported.

    Attributes:
        cid: Its root.
        size: Content bytes.
        cumulative_size: Bytes of all its blocks, repeats counted: the Tsize of a link to it.
    """

    cid: Cid
    size: int
    cumulative_size: int


class FileImporter:
    """Turns a stream of bytes into a file's blocks.

    The blocks do not depend on how the stream was cut. Memory does not grow with the file: less than
    one leaf of input, and for each level up to ``max_links`` links.

    Leaves that lie whole within what is fed are hashed and returned as views of it, without a copy;
    the rest of a call's input is copied once into the next leaf. Nothing of the caller's buffer is kept
    by the importer itself.

    Not for two threads at once, but any thread may run :meth:`feed`: hashing releases the GIL.

    Args:
        chunk_size: Content bytes of a leaf.
        max_links: Links of a node, at most; at least 2.
        raw_leaves: Leaves are raw blocks (always CIDv1); otherwise each is a dag-pb file node.
        cid_version: CID version of dag-pb blocks, 0 or 1.
        reduce_single_leaf: A file of one leaf is that leaf; otherwise it stands under a root node.
    """

    __slots__ = (
        "_chunk_size",
        "_cid_version",
        "_finished",
        "_levels",
        "_max_links",
        "_raw_leaves",
        "_reduce",
        "_rest",
        "_size",
    )

    def __init__(
        self,
        *,
        chunk_size: int = CHUNK_SIZE,
        max_links: int = MAX_LINKS,
        raw_leaves: bool = True,
        cid_version: int = 1,
        reduce_single_leaf: bool = True,
    ) -> None:
        if chunk_size < 1 or max_links < 2 or cid_version not in {0, 1}:
            raise InvalidInput("an importer needs a chunk size of 1, 2 links and CID version 0 or 1 at least")
        self._chunk_size = chunk_size
        self._max_links = max_links
        self._raw_leaves = raw_leaves
        self._cid_version = cid_version
        self._reduce = reduce_single_leaf
        self._levels: list[_Level] = [_Level()]
        self._rest = bytearray()
        self._size = 0
        self._finished = False

    @property
    def size(self) -> int:
        """Content bytes fed so far."""
        return self._size

    def feed(self, data: BytesLike) -> list[Block]:
        """Take the next bytes, of any number; return the blocks they complete, children before parents.

        The returned blocks may be views of ``data``: do not change it until they are stored.

        Raises:
            ClosedError: The importer is finished.
        """
        self._check_open()
        view = memoryview(data).cast("B")
        size, chunk = len(view), self._chunk_size
        self._size += size
        blocks: list[Block] = []
        at = 0
        if self._rest:
            at = min(chunk - len(self._rest), size)
            self._rest += view[:at]
            if len(self._rest) < chunk:
                return blocks
            self._add_leaf(self._rest, blocks)
            self._rest = bytearray()
        while size - at >= chunk:
            self._add_leaf(view[at : at + chunk], blocks)
            at += chunk
        self._rest += view[at:]
        return blocks

    def refer(self, leaf: Cid) -> list[Block]:
        """Take a leaf of ``chunk_size`` bytes by its address; return the blocks it completes.

        Whoever stores the file answers for that leaf being there, and of that size.

        Raises:
            InvalidInput: The bytes before it do not end where a leaf ends, or it is no raw block.
            ClosedError: The importer is finished.
        """
        self._check_open()
        if self._rest or leaf.codec != RAW:
            raise InvalidInput("a leaf can be referred to where a leaf begins, if it is a raw block")
        blocks: list[Block] = []
        self._size += self._chunk_size
        self._add(0, Link(b"", leaf, self._chunk_size), self._chunk_size, blocks)
        return blocks

    def finish(self) -> tuple[FileNode, list[Block]]:
        """End the file; return what it is and the blocks still outstanding, its root last.

        The root is among them unless it was already returned by :meth:`feed`.

        Raises:
            ClosedError: The importer is finished.
        """
        self._check_open()
        self._finished = True
        blocks: list[Block] = []
        if self._rest or not self._size:
            self._add_leaf(self._rest, blocks)
        if not self._size and not self._reduce:
            # An empty leaf is not linked to: the root is the node of an empty file.
            root = self._node_block(FSNode(NodeType.FILE, filesize=0), [])
            return FileNode(root.cid, 0, len(root.data)), [*blocks, root]
        height = 0
        while True:
            level = self._levels[height]
            top = height == len(self._levels) - 1
            if top and len(level.links) == 1 and (height or self._reduce):
                link = level.links[0]
                return FileNode(link.cid, self._size, link.tsize), blocks
            if level.links:
                self._close_level(height, blocks)
            height += 1

    def _check_open(self) -> None:
        if self._finished:
            raise ClosedError("the file is finished; make another importer for another file")

    def _add_leaf(self, content: BytesLike, blocks: list[Block]) -> None:
        if self._raw_leaves:
            block = Block.of(RAW, content)
        else:
            message = FSNode(NodeType.FILE, data=bytes(content) or None, filesize=len(content))
            block = self._node_block(message, [])
        blocks.append(block)
        self._add(0, Link(b"", block.cid, len(block.data)), len(content), blocks)

    def _add(self, height: int, link: Link, content_size: int, blocks: list[Block]) -> None:
        if height == len(self._levels):
            self._levels.append(_Level())
        level = self._levels[height]
        level.links.append(link)
        level.sizes.append(content_size)
        if len(level.links) == self._max_links:
            self._close_level(height, blocks)

    def _close_level(self, height: int, blocks: list[Block]) -> None:
        level, self._levels[height] = self._levels[height], _Level()
        size = sum(level.sizes)
        block = self._node_block(
            FSNode(NodeType.FILE, filesize=size, blocksizes=tuple(level.sizes)), level.links
        )
        blocks.append(block)
        tsize = len(block.data) + sum(link.tsize for link in level.links)
        self._add(height + 1, Link(b"", block.cid, tsize), size, blocks)

    def _node_block(self, message: FSNode, links: list[Link]) -> Block:
        data = dagpb.encode(links, fsnode.encode(message))
        return Block.of(DAG_PB, data, cid_version=self._cid_version, links=tuple(link.cid for link in links))


class _Level:
    """The unfinished node of one level: its links and the content bytes below each."""

    __slots__ = ("links", "sizes")

    def __init__(self) -> None:
        self.links: list[Link] = []
        self.sizes: list[int] = []
