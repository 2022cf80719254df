"""What a node is and how large, told from its own block.

This module owns the summary of a block. It refuses to fetch: whatever would need a second block is
None or taken from what the links declare.
"""

from __future__ import annotations

from typing import NamedTuple

from textile_aio._codec.cid import DAG_PB, RAW, Cid
from textile_aio.errors import IntegrityError
from textile_aio.unixfs import dagpb, fsnode
from textile_aio.unixfs.block import BytesLike
from textile_aio.unixfs.fsnode import NodeType

DIRECTORIES = frozenset({NodeType.DIRECTORY, NodeType.HAMT_SHARD})


class Stat(NamedTuple):
    """A node in figures. A tuple, because listings make thousands.

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
    return node_stat(cid, dagpb.columns(block), len(block))


def node_stat(cid: Cid, node: dagpb.Columns, length: int) -> Stat:
    """As :func:`stat`, of a dag-pb node that was decoded from ``length`` bytes."""
    fs = fsnode.of(node)
    size = length + sum(node.tsizes)
    if size > dagpb.MAX_SIZE:
        raise IntegrityError(f"{cid} declares {size} bytes", about=str(cid))
    links = len(node.names)
    is_file = fs.type in {NodeType.FILE, NodeType.RAW}
    return Stat(
        cid,
        fs.type,
        size,
        fsnode.content_size(fs, links) if is_file else None,
        links if fs.type is NodeType.DIRECTORY else None,
    )
