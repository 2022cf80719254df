"""A file's blocks back into bytes: the whole file or a range, in order.

This module owns the walk over a file's nodes and the checks on what they declare. It refuses to fetch:
it says which blocks it wants and is given them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from textile_aio._codec.cid import DAG_PB, RAW, Cid
from textile_aio.errors import IntegrityError, InvalidInput, IsADirectory, Unimplemented
from textile_aio.unixfs import dagpb, fsnode
from textile_aio.unixfs.block import BytesLike
from textile_aio.unixfs.block import verify as verify_block
from textile_aio.unixfs.fsnode import NodeType
from textile_aio.unixfs.stat import DIRECTORIES

MAX_DEPTH = 32
"""Levels below the root. With 2 links a node that is a file of 2^32 leaves; a deeper one is a trap."""

LARGEST_LEAF = 1_048_576
"""Content bytes above which a node is expected to be an inner one: no importer makes larger leaves."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A node still to be read: where its content stands in the file, and how much its parent declared."""

    cid: Cid
    start: int
    size: int | None
    depth: int


class FileExporter:
    """Reads one file through blocks that the caller fetches.

    Ask :meth:`wants` for addresses, fetch them in any way, give the blocks to :meth:`supply` and take the
    content that has become available; until :attr:`done`. Content comes in file order, each byte once.

    Parts outside the range, and parts that declare to be empty, are not asked for. Memory is bounded by
    depth times links of a node, whatever the file's size. Every node read must hold exactly the content
    its parent declared for it.

    Args:
        root: The file.
        start: First byte wanted.
        stop: The byte after the last one wanted; None for the end of the file. A range beyond the end
            is cut, as in slices.
        verify: Check each block's hash. Leave it out only where the store has done that.

    Raises:
        InvalidInput: ``start`` or ``stop`` is negative.
    """

    __slots__ = ("_asked", "_parts", "_root", "_start", "_stop", "_verify", "size")

    def __init__(self, root: Cid, *, start: int = 0, stop: int | None = None, verify: bool = True) -> None:
        if start < 0 or (stop is not None and stop < 0):
            raise InvalidInput(f"a range cannot begin or end before the file: {start} to {stop}")
        self._root = root
        self._start = start
        self._stop = dagpb.MAX_SIZE if stop is None else stop
        self._verify = verify
        self._parts: deque[_Part] = deque([_Part(root, 0, None, 0)])
        self._asked: list[_Part] = []
        self.size: int | None = None
        """Content bytes of the whole file; None until the root was supplied."""

    @property
    def done(self) -> bool:
        """Whether all content was returned."""
        return not self._parts

    def wants(self, max_blocks: int = 16) -> list[Cid]:
        """The next blocks, in order; at most ``max_blocks`` and at least one unless :attr:`done`.

        Ends after a node that is expected to have children, since they come before whatever follows it.
        Asking again without supplying gives the same answer.
        """
        self._asked = []
        for part in self._parts:
            self._asked.append(part)
            if len(self._asked) >= max_blocks or part.size is None or part.size > LARGEST_LEAF:
                break
        return [part.cid for part in self._asked]

    def supply(self, blocks: Sequence[BytesLike]) -> list[BytesLike]:
        """Take the blocks last asked for, or the first few of them; return content in file order.

        The returned pieces may be views of the blocks. If a node turns out to have children the blocks
        after it are passed over, and asked for again when their turn comes.

        After an error nothing counts as taken: the same blocks can be supplied again.

        Raises:
            IsADirectory: ``node is a directory`` (spec: buckets-api §10).
            IntegrityError: A block has another hash, is malformed, or holds other than what was declared.
            Unimplemented: The node is a symbolic link or a metadata node.
            InvalidInput: More blocks than were asked for.
        """
        if len(blocks) > len(self._asked):
            raise InvalidInput(f"{len(blocks)} blocks supplied where {len(self._asked)} were asked for")
        content: list[BytesLike] = []
        children: list[_Part] = []
        read = 0
        for part, block in zip(self._asked, blocks, strict=False):
            if self._verify:
                verify_block(part.cid, block)
            children = self._read(part, block, content)
            read += 1
            if children:
                break
        for _ in range(read):
            self._parts.popleft()
        self._parts.extendleft(reversed(children))
        self._asked = []
        return content

    def _read(self, part: _Part, block: BytesLike, content: list[BytesLike]) -> list[_Part]:
        """Put out what the node itself holds; return its children within the range."""
        if part.cid.codec == RAW:
            self._check_size(part, len(block))
            self._put(part.start, block, content)
            return []
        if part.cid.codec != DAG_PB:
            raise IntegrityError(
                f"{part.cid} is neither raw nor dag-pb, so not part of a file", about=self._about
            )
        node = dagpb.decode(block)
        fs = fsnode.of(node)
        if fs.type in DIRECTORIES:
            raise IsADirectory("node is a directory", about=self._about)
        if fs.type not in {NodeType.FILE, NodeType.RAW}:
            raise Unimplemented(f"a node of type {fs.type.name} has no content to read", about=self._about)
        self._check_size(part, fsnode.content_size(fs, len(node.links)))
        if part.depth == MAX_DEPTH and node.links:
            raise IntegrityError(f"{part.cid} is more than {MAX_DEPTH} levels deep", about=self._about)
        at = part.start
        if fs.data is not None:
            self._put(at, fs.data, content)
            at += len(fs.data)
        children: list[_Part] = []
        for link, size in zip(node.links, fs.blocksizes, strict=True):
            if size and at < self._stop and at + size > self._start:
                children.append(_Part(link.cid, at, size, part.depth + 1))
            at += size
        return children

    def _check_size(self, part: _Part, size: int) -> None:
        if part.size is None:
            self.size = size
        elif part.size != size:
            raise IntegrityError(
                f"{part.cid} holds {size} bytes where its parent declares {part.size}", about=self._about
            )

    def _put(self, at: int, data: BytesLike, content: list[BytesLike]) -> None:
        first = max(self._start - at, 0)
        last = min(self._stop - at, len(data))
        if first >= last:
            return
        whole = first == 0 and last == len(data)
        content.append(data if whole else memoryview(data)[first:last])

    @property
    def _about(self) -> str:
        return str(self._root)
