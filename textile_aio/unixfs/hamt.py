"""Reading directories that are spread over several blocks (HAMT shards).

This module owns the shard's layout: a node has ``fanout`` buckets, and a link's name begins with its
bucket in hexadecimal. A name that ends there leads to a deeper shard, any other continues with the
entry's own name. An entry's bucket at each depth is the next few bits of the murmur3 hash of its name
(go-unixfs/hamt; multicodec 0x22). Writing is refused elsewhere: buckets have no such directories of
their own (spec: buckets-api §6), they only come in with foreign content.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter

from textile_aio._codec.cid import Cid
from textile_aio.errors import IntegrityError
from textile_aio.unixfs import dagpb, fsnode
from textile_aio.unixfs.block import BytesLike
from textile_aio.unixfs.dagpb import Link, Node
from textile_aio.unixfs.directory import Entry, decode_name, lookup_key
from textile_aio.unixfs.fsnode import NodeType

MURMUR3_X64_64 = 0x22
HASH_BITS = 64
MAX_FANOUT = 1024


def find(root: Node, name: str, get: Callable[[Cid], BytesLike]) -> Entry | None:
    """The entry called ``name``, or None. Reads one shard per level.

    Raises:
        IntegrityError: A shard is malformed.
    """
    key = lookup_key(name)
    bits = murmur3_x64_64(key)
    unused = HASH_BITS
    node = root
    while True:
        fanout, width = _shape(node)
        step = fanout.bit_length() - 1
        if unused < step:
            return None
        unused -= step
        prefix = b"%0*X" % (width, bits >> unused & (fanout - 1))
        deeper: Link | None = None
        for link in node.links:
            if link.name == prefix + key:
                return Entry(name, link.cid, link.tsize)
            if link.name == prefix:
                deeper = link
        if deeper is None:
            return None
        node = dagpb.decode(get(deeper.cid))


def entries(root: Node, get: Callable[[Cid], BytesLike]) -> list[Entry]:
    """All entries, sorted bytewise by name.

    Raises:
        IntegrityError: A shard is malformed, or appears twice (which no set of names can bring about).
    """
    found: list[tuple[bytes, Entry]] = []
    seen: set[Cid] = set()
    node, waiting = root, list[Cid]()
    while True:
        _, width = _shape(node)
        for link in node.links:
            name = link.name[width:]
            if name:
                found.append((name, Entry(decode_name(name), link.cid, link.tsize)))
            elif link.cid in seen:
                raise IntegrityError(f"malformed HAMT: shard {link.cid} appears twice", about=str(link.cid))
            else:
                seen.add(link.cid)
                waiting.append(link.cid)
        if not waiting:
            return [entry for _, entry in sorted(found, key=itemgetter(0))]
        node = dagpb.decode(get(waiting.pop()))


def _shape(node: Node) -> tuple[int, int]:
    """A shard's fanout, and how many characters of its links' names are the bucket."""
    fs = fsnode.of(node)
    fanout = fs.fanout or 0
    if fs.type is not NodeType.HAMT_SHARD or fs.hash_type != MURMUR3_X64_64:
        raise IntegrityError("malformed HAMT: not a shard, or of an unknown hash function")
    if not 8 <= fanout <= MAX_FANOUT or fanout.bit_count() != 1:
        raise IntegrityError(f"malformed HAMT: a fanout of {fanout}")
    return fanout, len(b"%X" % (fanout - 1))


_MASK = 2**64 - 1
_C1, _C2 = 0x87C37B91114253D5, 0x4CF5AD432745937F


def murmur3_x64_64(data: bytes) -> int:
    """The first half of MurmurHash3 x64 128 with seed 0 (the reference algorithm by Austin Appleby)."""
    h1 = h2 = 0
    whole = len(data) & ~15
    for at in range(0, whole, 16):
        h1 ^= _mix1(int.from_bytes(data[at : at + 8], "little"))
        h1 = ((_rotate(h1, 27) + h2) * 5 + 0x52DCE729) & _MASK
        h2 ^= _mix2(int.from_bytes(data[at + 8 : at + 16], "little"))
        h2 = ((_rotate(h2, 31) + h1) * 5 + 0x38495AB5) & _MASK
    tail = data[whole:]
    h2 ^= _mix2(int.from_bytes(tail[8:], "little"))
    h1 ^= _mix1(int.from_bytes(tail[:8], "little"))
    h1 ^= len(data)
    h2 ^= len(data)
    h1 = (h1 + h2) & _MASK
    h2 = (h2 + h1) & _MASK
    return (_finish(h1) + _finish(h2)) & _MASK


def _rotate(value: int, bits: int) -> int:
    return (value << bits | value >> (64 - bits)) & _MASK


def _mix1(k: int) -> int:
    return _rotate(k * _C1 & _MASK, 31) * _C2 & _MASK


def _mix2(k: int) -> int:
    return _rotate(k * _C2 & _MASK, 33) * _C1 & _MASK


def _finish(h: int) -> int:
    h = (h ^ h >> 33) * 0xFF51AFD7ED558CCD & _MASK
    h = (h ^ h >> 33) * 0xC4CEB9FE1A85EC53 & _MASK
    return h ^ h >> 33
