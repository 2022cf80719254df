"""What a node is and how large, told from its own block.

This module owns the summary of a block. It refuses to fetch: whatever would need a second block is
None or taken from what the links declare.
"""

from __future__ import annotations

from dataclasses import dataclass

from textile_aio._codec.cid import DAG_PB, RAW, Cid
from textile_aio.errors import IntegrityError
from textile_aio.unixfs import dagpb, fsnode
from textile_aio.unixfs.block import BytesLike
from textile_aio.unixfs.fsnode import NodeType

DIRECTORIES = frozenset({NodeType.DIRECTORY, NodeType.HAMT_SHARD})


@dataclass(frozen=True, slots=True)
class Stat:
    """A node in figures.

    Attributes:
        cid: Its address.
        type: RAW for a raw block, otherwise the UnixFS type.
        size: Cumulative size: its block and everything below it, as links declare it.
        content_size: Content bytes of a file; None for anything else.
        items_count: Entries of a directory in one block; None for anything else, HAMT included.
    """

    cid: Cid
    type: NodeType
    size: int
    content_size: int | None
    items_count: int | None

    @property
    def is_dir(self) -> bool:
        """Whether it is a directory, HAMT included."""
        return self.type in DIRECTORIES


def raw_stat(cid: Cid, size: int) -> Stat:
    """A raw leaf of ``size`` bytes: no need for its block."""
    return Stat(cid, NodeType.RAW, size, size, None)


def stat(cid: Cid, block: BytesLike) -> Stat:
    """Describe a node by its block.

    Raises:
        IntegrityError: The block is not what ``cid`` says, or its sizes contradict each other.
    """
    if cid.codec == RAW:
        return raw_stat(cid, len(block))
    if cid.codec != DAG_PB:
        raise IntegrityError(f"{cid} is neither raw nor dag-pb, so not part of a file system", about=str(cid))
    node = dagpb.decode(block)
    fs = fsnode.of(node)
    size = len(block) + sum(link.tsize for link in node.links)
    if size > dagpb.MAX_SIZE:
        raise IntegrityError(f"{cid} declares {size} bytes", about=str(cid))
    is_file = fs.type in {NodeType.FILE, NodeType.RAW}
    return Stat(
        cid,
        fs.type,
        size,
        fsnode.content_size(fs, len(node.links)) if is_file else None,
        len(node.links) if fs.type is NodeType.DIRECTORY else None,
    )
