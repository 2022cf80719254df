from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unixfs.helpers import Store
from tests.unixfs.sharding import shard
from textile_aio._codec.cid import DAG_PB, RAW, Cid
from textile_aio.errors import IntegrityError
from textile_aio.unixfs import Block, Entry, NodeType, dagpb, entries, fsnode, resolve
from textile_aio.unixfs.dagpb import Link
from textile_aio.unixfs.fsnode import FSNode
from textile_aio.unixfs.hamt import murmur3_x64_64

LEAF = Cid.sha256(RAW, bytes(32))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # The reference implementation's published values of MurmurHash3_x64_128, first half.
        (b"", 0),
        (b"hello", 0xCBD8A7B341BD9B02),
        (b"hello, world", 0x342FAC623A5EBC8E),
        (b"19 Jan 2038 at 3:14:07 AM", 0xB89E5988B737AFFC),
        (b"The quick brown fox jumps over the lazy dog.", 0xCD99481F9EE902C9),
    ],
)
def test_the_hash_is_murmur3(text: bytes, expected: int) -> None:
    assert murmur3_x64_64(text) == expected


@given(st.sets(st.text(min_size=1, max_size=8).filter(lambda name: "/" not in name), max_size=600))
def test_every_entry_is_listed_and_found(names: set[str]) -> None:
    items = [Entry(name, LEAF, 7) for name in sorted(names, key=str.encode)]
    root, blocks = shard(items)
    store = Store(blocks)
    assert entries(root.cid, store) == items
    for item in items[:20]:
        assert resolve(root.cid, [item.name], store).cid == LEAF


def node(links: list[Link], **changes: int) -> Block:
    message = FSNode(
        NodeType.HAMT_SHARD, b"", hash_type=changes.get("hash_type", 0x22), fanout=changes.get("fanout", 256)
    )
    return Block.of(DAG_PB, dagpb.encode(links, fsnode.encode(message)))


@pytest.mark.parametrize("changes", [{"fanout": 0}, {"fanout": 100}, {"fanout": 2**62}, {"hash_type": 0x12}])
def test_a_shard_of_unknown_shape_is_refused(changes: dict[str, int]) -> None:
    block = node([], **changes)
    store = Store([block])
    with pytest.raises(IntegrityError):
        entries(block.cid, store)
    with pytest.raises(IntegrityError):
        resolve(block.cid, ["a"], store)


def test_shards_shared_to_multiply_are_refused() -> None:
    block = node([Link(b"00x", LEAF, 1)])
    blocks = [block]
    for _ in range(8):
        block = node([Link(b"%02X" % place, block.cid, 1) for place in range(256)])
        blocks.append(block)
    store = Store(blocks)
    with pytest.raises(IntegrityError, match="twice"):
        entries(block.cid, store)
    assert len(store.asked) <= 10


def test_a_chain_of_shards_ends_with_the_hash() -> None:
    names = [Link(b"%02X" % place, LEAF, 1) for place in range(256)]
    block = node([])
    blocks = [block]
    for _ in range(20):
        block = node([Link(link.name, block.cid, 1) for link in names])
        blocks.append(block)
    store = Store(blocks)
    with pytest.raises(LookupError):
        resolve(block.cid, ["a"], store)
    assert len(store.asked) <= 10
