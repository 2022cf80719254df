"""Bytes from anywhere: what is wrong is refused with a typed error, what is odd but known is read."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unixfs.helpers import Store, export, import_file
from textile_aio._codec import protowire, varint
from textile_aio._codec.cid import DAG_PB, RAW, Cid
from textile_aio.errors import IntegrityError, TextileError
from textile_aio.unixfs import Block, Directory, FileExporter, NodeType, dagpb, entries, fsnode, resolve, stat
from textile_aio.unixfs.dagpb import Link, Node
from textile_aio.unixfs.fsnode import FSNode

ADDRESS = Cid.sha256(RAW, bytes(32)).bytes
HASH = protowire.bytes_field(1, ADDRESS)
NAME = protowire.bytes_field(2, b"n")
TSIZE = protowire.varint_field(3, 5)
DATA = protowire.bytes_field(1, b"\x08\x01")


def link(body: bytes) -> bytes:
    return protowire.bytes_field(2, body)


GOOD = link(HASH + NAME + TSIZE)

REFUSED_NODES = {
    "unknown field": protowire.bytes_field(3, b""),
    "data of another wire type": protowire.varint_field(1, 1),
    "two data fields": DATA + DATA,
    "links on both sides of the data": GOOD + DATA + GOOD,
    "cut in a tag's length": b"\x12",
    "cut in a link": GOOD[:-1],
    "length of 2^63": b"\x0a" + varint.encode(2**63),
    "length beyond 64 bits": b"\x0a" + b"\xff" * 10,
    "link without hash": link(NAME + TSIZE),
    "link with nothing": link(b""),
    "fields out of order": link(HASH + TSIZE + NAME),
    "name before hash": link(NAME + HASH),
    "hash twice": link(HASH + HASH),
    "unknown field in a link": link(HASH + NAME + TSIZE + protowire.varint_field(4, 1)),
    "hash that is no CID": link(protowire.bytes_field(1, b"\x01\x55\x12")),
    "empty hash": link(protowire.bytes_field(1, b"")),
    "name reaching beyond the link": b"\x12"
    + varint.encode(len(HASH) + 2)
    + HASH
    + b"\x12\x05"
    + b"abcdefgh",
    "size reaching beyond the link": b"\x12" + varint.encode(len(HASH) + 2) + HASH + b"\x18\xff\x01",
    "size of 2^63": link(HASH + NAME + protowire.varint_field(3, 2**63)),
}


@pytest.mark.parametrize("block", REFUSED_NODES.values(), ids=REFUSED_NODES.keys())
def test_a_malformed_node_is_refused(block: bytes) -> None:
    with pytest.raises(IntegrityError):
        dagpb.decode(block)


ACCEPTED_NODES = {
    "nothing": (b"", Node()),
    "data before links": (DATA + GOOD, Node((Link(b"n", Cid.from_bytes(ADDRESS), 5),), b"\x08\x01")),
    "a bare hash": (link(HASH), Node((Link(b"", Cid.from_bytes(ADDRESS), 0),))),
    "size without name": (link(HASH + TSIZE), Node((Link(b"", Cid.from_bytes(ADDRESS), 5),))),
    "empty data": (b"\x0a\x00", Node((), b"")),
    "a long form of a length": (b"\x0a\x82\x00\x08\x01", Node((), b"\x08\x01")),
}


@pytest.mark.parametrize("case", ACCEPTED_NODES.values(), ids=ACCEPTED_NODES.keys())
def test_odd_but_known_forms_of_a_node_are_read(case: tuple[bytes, Node]) -> None:
    block, node = case
    assert dagpb.decode(block) == node
    assert dagpb.decode(memoryview(block)) == node


REFUSED_MESSAGES = {
    "nothing": b"",
    "no type": b"\x18\x01",
    "unknown type": b"\x08\x06",
    "type as bytes": b"\x0a\x01\x01",
    "data as number": b"\x08\x02\x10\x01",
    "size beyond int64": b"\x08\x02\x18" + varint.encode(2**63),
    "block size beyond int64": b"\x08\x02\x20" + varint.encode(2**63),
    "packed size beyond int64": b"\x08\x02" + protowire.bytes_field(4, varint.encode(2**64 - 1)),
    "packed sizes cut short": b"\x08\x02" + protowire.bytes_field(4, b"\x80"),
    "cut short": b"\x08\x02\x12\x05abc",
    "group": b"\x08\x02\x4b",
}


@pytest.mark.parametrize("message", REFUSED_MESSAGES.values(), ids=REFUSED_MESSAGES.keys())
def test_a_malformed_message_is_refused(message: bytes) -> None:
    with pytest.raises(IntegrityError):
        fsnode.decode(message)


def test_packed_sizes_and_unknown_fields_are_read() -> None:
    packed = (
        b"\x08\x02\x18\x07" + protowire.bytes_field(4, b"\x03\x04") + b"\x38\xed\x03" + b"\x42\x02\x08\x01"
    )
    assert fsnode.decode(packed) == FSNode(NodeType.FILE, filesize=7, blocksizes=(3, 4))


NUMBERS = st.integers(0, 2**63 - 1)


@given(
    st.builds(
        FSNode,
        st.sampled_from(NodeType),
        st.none() | st.binary(max_size=20),
        st.none() | NUMBERS,
        st.lists(NUMBERS, max_size=5).map(tuple),
        st.none() | NUMBERS,
        st.none() | NUMBERS,
    )
)
def test_messages_read_back(message: FSNode) -> None:
    assert fsnode.decode(fsnode.encode(message)) == message


LINKS = st.builds(
    Link,
    st.binary(max_size=200),
    st.binary(min_size=32, max_size=32).map(lambda d: Cid.sha256(RAW, d)),
    NUMBERS,
)


@given(st.lists(LINKS, max_size=5), st.none() | st.binary(max_size=200))
def test_nodes_read_back_sorted(links: list[Link], data: bytes | None) -> None:
    node = dagpb.decode(dagpb.encode(links, data))
    assert node.data == data
    assert list(node.links) == sorted(links, key=lambda item: item.name)


def readers(block: bytes) -> list[Callable[[], object]]:
    cid = Block.of(DAG_PB, block).cid
    store = Store([Block(cid, block)])
    exporter = FileExporter(cid)
    return [
        lambda: dagpb.decode(block),
        lambda: fsnode.decode(block),
        lambda: Directory.decode(block).encode(),
        lambda: stat(cid, block),
        lambda: resolve(cid, ["a"], store.blocks.__getitem__),
        lambda: entries(cid, store.blocks.__getitem__),
        lambda: (exporter.wants(), exporter.supply([block])),
    ]


def refuses_or_reads(block: bytes) -> None:
    for reader in readers(block):
        try:
            reader()
        except TextileError:
            continue
        except KeyError:
            continue  # a link was followed out of the store: the block itself was read


@given(st.binary(max_size=120))
def test_arbitrary_bytes_never_crash_a_reader(block: bytes) -> None:
    refuses_or_reads(block)


def samples() -> list[bytes]:
    store = Store()
    import_file(bytes(40), store, chunk_size=8, max_links=3)
    import_file(bytes(40), store, chunk_size=8, max_links=3, raw_leaves=False, cid_version=0)
    directory = Directory()
    for name in ("a", "b", "c" * 130):
        directory.set(name, Cid.from_bytes(ADDRESS), 300)
    shard = FSNode(NodeType.HAMT_SHARD, data=b"\x07", hash_type=0x22, fanout=256)
    hamt = dagpb.encode(
        [Link(b"00a", Cid.from_bytes(ADDRESS), 3), Link(b"01", Cid.from_bytes(ADDRESS), 3)],
        fsnode.encode(shard),
    )
    return [*store.blocks.values(), bytes(directory.encode().data), hamt]


@given(
    st.sampled_from(samples()),
    st.lists(st.tuples(st.integers(0, 500), st.integers(0, 255)), max_size=4),
    st.integers(0, 500),
)
def test_damaged_blocks_never_crash_a_reader(block: bytes, flips: list[tuple[int, int]], cut: int) -> None:
    damaged = bytearray(block[:cut] if cut < len(block) else block)
    for at, value in flips:
        if at < len(damaged):
            damaged[at] = value
    refuses_or_reads(bytes(damaged))


def test_a_claimed_length_allocates_nothing() -> None:
    with pytest.raises(IntegrityError):
        dagpb.decode(b"\x0a" + varint.encode(2**40) + b"x")
    with pytest.raises(IntegrityError):
        fsnode.decode(b"\x08\x02\x12" + varint.encode(2**40) + b"x")


def test_whole_files_never_crash_however_their_blocks_are_swapped() -> None:
    """With verification left out, a store that answers with other blocks gets an error or ends."""
    store = Store()
    node = import_file(bytes(range(200)), store, chunk_size=8, max_links=3)
    root = store.blocks[node.cid]
    exporter = FileExporter(node.cid, verify=False)
    with pytest.raises(IntegrityError):
        while not exporter.done:  # every node answers with the root: a cycle
            exporter.supply([root for _ in exporter.wants(4)])
    assert export(FileExporter(node.cid), store) == bytes(range(200))
