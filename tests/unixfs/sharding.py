"""A writer of sharded directories, for tests of reading them (the package itself only reads)."""

from __future__ import annotations

from textile_aio._codec.cid import DAG_PB
from textile_aio.unixfs import Block, Entry, FileNode, NodeType, dagpb, fsnode
from textile_aio.unixfs.dagpb import Link
from textile_aio.unixfs.hamt import MURMUR3_X64_64, murmur3_x64_64

FANOUT = 256


def shard(items: list[Entry], *, cid_version: int = 1, depth: int = 0) -> tuple[FileNode, list[Block]]:
    buckets: dict[int, list[Entry]] = {}
    for item in items:
        place = murmur3_x64_64(item.name.encode()) >> (56 - 8 * depth) & 0xFF
        buckets.setdefault(place, []).append(item)
    links: list[Link] = []
    blocks: list[Block] = []
    field = 0
    for place, members in buckets.items():
        field |= 1 << place
        prefix = b"%02X" % place
        if len(members) == 1:
            only = members[0]
            links.append(Link(prefix + only.name.encode(), only.cid, only.tsize))
        else:
            node, below = shard(members, cid_version=cid_version, depth=depth + 1)
            blocks += below
            links.append(Link(prefix, node.cid, node.cumulative_size))
    bits = field.to_bytes((field.bit_length() + 7) // 8, "big")
    message = fsnode.FSNode(NodeType.HAMT_SHARD, data=bits, hash_type=MURMUR3_X64_64, fanout=FANOUT)
    data = dagpb.encode(links, fsnode.encode(message))
    block = Block.of(DAG_PB, data, cid_version=cid_version, links=tuple(link.cid for link in links))
    return FileNode(block.cid, 0, len(data) + sum(link.tsize for link in links)), [*blocks, block]
