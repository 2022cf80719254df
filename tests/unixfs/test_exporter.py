from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unixfs.helpers import PIECE, Store, content, export, import_file
from tests.unixfs.test_importer import SHAPES
from textile_aio._codec.cid import DAG_CBOR, DAG_PB, RAW, Cid
from textile_aio.errors import IntegrityError, InvalidInput, IsADirectory, Unimplemented
from textile_aio.unixfs import Block, Directory, FileExporter, NodeType, dagpb, fsnode, stat
from textile_aio.unixfs.dagpb import Link
from textile_aio.unixfs.exporter import MAX_DEPTH
from textile_aio.unixfs.fsnode import FSNode

OFFSETS = st.integers(0, 700)
LEAF = Block.of(RAW, b"leaf")


def file_block(message: FSNode, children: list[tuple[Block, int]] | None = None) -> Block:
    links = [Link(b"", child.cid, size) for child, size in children or []]
    return Block.of(DAG_PB, dagpb.encode(links, fsnode.encode(message)))


@given(data=st.binary(max_size=600), shape=SHAPES, batch=st.integers(1, 20))
def test_what_was_imported_reads_back(data: bytes, shape: dict[str, Any], batch: int) -> None:
    store = Store()
    exporter = FileExporter(import_file(data, store, **shape).cid)
    assert export(exporter, store, batch=batch) == data
    assert exporter.size == len(data)


@given(data=st.binary(max_size=600), shape=SHAPES, start=OFFSETS, stop=st.none() | OFFSETS)
def test_a_range_is_the_slice(data: bytes, shape: dict[str, Any], start: int, stop: int | None) -> None:
    store = Store()
    node = import_file(data, store, **shape)
    assert export(FileExporter(node.cid, start=start, stop=stop), store, batch=5) == data[start:stop]


def test_a_range_asks_only_for_what_it_needs() -> None:
    store = Store()
    node = import_file(content(40 * PIECE), store, max_links=4)
    exporter = FileExporter(node.cid, start=20 * PIECE, stop=20 * PIECE + 1)
    assert export(exporter, store) == content(20 * PIECE + 1)[-1:]
    assert len(store.asked) == 4  # one node on each level


def test_leaves_are_asked_for_in_batches_and_each_block_once() -> None:
    store = Store()
    node = import_file(content(400 * PIECE), store)
    exporter = FileExporter(node.cid)
    trips = 0
    while not exporter.done:
        wanted = exporter.wants(16)
        assert 1 <= len(wanted) <= 16
        trips += 1
        exporter.supply([store(cid) for cid in wanted])
    assert len(store.asked) == 400 + 3 + 1
    assert trips <= 400 / 16 + 6


def test_pieces_are_views_and_not_copies() -> None:
    store = Store()
    node = import_file(content(PIECE), store)
    exporter = FileExporter(node.cid, start=1)
    (cid,) = exporter.wants()
    block = store(cid)
    (piece,) = exporter.supply([block])
    assert isinstance(piece, memoryview)
    assert piece.obj is block


def test_fewer_blocks_than_wanted_may_be_supplied() -> None:
    store = Store()
    data = content(3000)
    exporter = FileExporter(import_file(data, store, chunk_size=100).cid)
    out = bytearray()
    while not exporter.done:
        for piece in exporter.supply([store(exporter.wants(9)[0])]):
            out += piece
    assert out == data


def test_more_blocks_than_wanted_are_refused() -> None:
    store = Store()
    exporter = FileExporter(import_file(b"x", store).cid)
    exporter.wants()
    with pytest.raises(InvalidInput):
        exporter.supply([b"x", b"y"])


@pytest.mark.parametrize("bounds", [{"start": -1}, {"stop": -1}])
def test_a_range_before_the_file_is_refused(bounds: dict[str, int]) -> None:
    with pytest.raises(InvalidInput):
        FileExporter(Cid.sha256(RAW, bytes(32)), **bounds)  # type: ignore[arg-type]  # all are ints


def test_a_block_of_other_bytes_names_both_addresses() -> None:
    expected = Block.of(RAW, b"this")
    actual = Block.of(RAW, b"that")
    exporter = FileExporter(expected.cid)
    exporter.wants()
    with pytest.raises(IntegrityError) as caught:
        exporter.supply([b"that"])
    assert str(expected.cid) in caught.value.message
    assert str(actual.cid) in caught.value.message


def test_after_a_bad_block_the_good_ones_can_be_supplied_again() -> None:
    store = Store()
    data = content(900)
    exporter = FileExporter(import_file(data, store, chunk_size=100).cid)
    exporter.supply([store(cid) for cid in exporter.wants()])
    good = [store(cid) for cid in exporter.wants()]
    with pytest.raises(IntegrityError):
        exporter.supply([*good[:5], b"bad", *good[6:]])
    assert not exporter.done
    assert b"".join(exporter.supply(good)) == data
    assert exporter.done


def test_verification_can_be_left_to_the_store() -> None:
    exporter = FileExporter(Block.of(RAW, b"this").cid, verify=False)
    exporter.wants()
    assert exporter.supply([b"that"]) == [b"that"]


def read(root: Block, *others: Block) -> bytes:
    return export(FileExporter(root.cid), Store([root, *others]))


def test_a_directory_is_no_file() -> None:
    with pytest.raises(IsADirectory) as caught:
        read(Directory().encode())
    assert caught.value.message == "node is a directory"
    shard = file_block(FSNode(NodeType.HAMT_SHARD, data=b"", hash_type=0x22, fanout=256))
    with pytest.raises(IsADirectory):
        read(shard)


@pytest.mark.parametrize("kind", [NodeType.SYMLINK, NodeType.METADATA])
def test_nodes_without_content_are_named(kind: NodeType) -> None:
    with pytest.raises(Unimplemented, match=kind.name):
        read(file_block(FSNode(kind, data=b"elsewhere")))


def test_content_inside_a_node_comes_before_its_children() -> None:
    leaf = Block.of(RAW, b"tail")
    root = file_block(FSNode(NodeType.FILE, data=b"head ", filesize=9, blocksizes=(4,)), [(leaf, 4)])
    assert read(root, leaf) == b"head tail"


LIES = {
    "a leaf longer than declared": (FSNode(NodeType.FILE, filesize=3, blocksizes=(3,)), 1),
    "a leaf shorter than declared": (FSNode(NodeType.FILE, filesize=5, blocksizes=(5,)), 1),
    "sums that do not agree": (FSNode(NodeType.FILE, filesize=5, blocksizes=(4,)), 1),
    "fewer sizes than links": (FSNode(NodeType.FILE, filesize=4, blocksizes=(4,)), 2),
    "more sizes than links": (FSNode(NodeType.FILE, filesize=8, blocksizes=(4, 4)), 1),
    "a total beyond 63 bits": (FSNode(NodeType.FILE, blocksizes=(2**63 - 1, 1)), 2),
    "a size beyond 63 bits": (FSNode(NodeType.FILE, filesize=2**63, blocksizes=(2**63,)), 1),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_a_node_that_declares_what_it_does_not_hold_is_refused(lie: tuple[FSNode, int]) -> None:
    message, links = lie
    with pytest.raises(IntegrityError):
        read(file_block(message, [(LEAF, 4)] * links), LEAF)


@pytest.mark.parametrize(
    "root",
    [
        file_block(FSNode(NodeType.FILE, blocksizes=(2**63 - 1, 1)), [(LEAF, 4)] * 2),
        file_block(FSNode(NodeType.FILE, filesize=8, blocksizes=(4, 4)), [(LEAF, 2**63 - 1)] * 2),
    ],
    ids=["content", "blocks"],
)
def test_sums_beyond_int64_are_not_reported_as_sizes(root: Block) -> None:
    with pytest.raises(IntegrityError):
        stat(root.cid, root.data)


def test_a_child_that_is_neither_raw_nor_dag_pb_is_refused() -> None:
    odd = Block.of(DAG_CBOR, b"\xa0")
    with pytest.raises(IntegrityError, match="neither raw nor dag-pb"):
        read(file_block(FSNode(NodeType.FILE, filesize=1, blocksizes=(1,)), [(odd, 1)]), odd)


def test_an_unknown_hash_function_is_refused() -> None:
    cid = Cid(1, RAW, b"\x00\x01x")  # identity: the content stands in the address
    exporter = FileExporter(cid)
    exporter.wants()
    with pytest.raises(IntegrityError, match="not sha2-256"):
        exporter.supply([b"x"])


def test_a_deep_chain_is_refused() -> None:
    chain = [LEAF]
    for _ in range(MAX_DEPTH + 2):
        chain.append(file_block(FSNode(NodeType.FILE, filesize=4, blocksizes=(4,)), [(chain[-1], 4)]))
    with pytest.raises(IntegrityError, match="levels deep"):
        read(chain[-1], *chain)
    assert read(chain[MAX_DEPTH], *chain) == b"leaf"


def test_empty_parts_cost_nothing_however_many_there_are() -> None:
    """Nodes of a thousand links to the one below, twenty levels deep, all of it empty; and one leaf."""
    empty = file_block(FSNode(NodeType.FILE, filesize=0))
    store = Store([empty, LEAF])
    for _ in range(20):
        message = FSNode(NodeType.FILE, filesize=0, blocksizes=(0,) * 1000)
        empty = file_block(message, [(empty, 0)] * 1000)
        store.add([empty])
    root = file_block(FSNode(NodeType.FILE, filesize=4, blocksizes=(4, 0)), [(LEAF, 4), (empty, 0)])
    store.add([root])
    assert export(FileExporter(root.cid), store) == b"leaf"
    assert store.asked == [root.cid, LEAF.cid]


def test_a_huge_shared_tree_is_read_piece_by_piece() -> None:
    """2^58 declared bytes in twelve blocks: a range of it costs its own length."""
    block, size = Block.of(RAW, b"01234567"), 8
    blocks = [block]
    while size < 2**58:
        message = FSNode(NodeType.FILE, filesize=size * 32, blocksizes=(size,) * 32)
        block, size = file_block(message, [(block, 0)] * 32), size * 32
        blocks.append(block)
    store = Store(blocks)
    exporter = FileExporter(block.cid, start=2**57 + 3, stop=2**57 + 21)
    assert export(exporter, store) == (b"01234567" * 4)[3:21]
    assert exporter.size == size
    assert len(store.asked) < 40


def test_blocks_that_turn_out_to_be_inner_nodes_are_expanded_in_order() -> None:
    """Small declared sizes hide inner nodes from the batching; order and content must not suffer."""
    store = Store()
    data = content(500)
    node = import_file(data, store, chunk_size=3, max_links=3, raw_leaves=False)
    assert export(FileExporter(node.cid), store, batch=64) == data
