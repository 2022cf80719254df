from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textile_aio._codec.cid import RAW, Cid
from textile_aio.errors import (
    IntegrityError,
    InvalidInput,
    InvalidPath,
    NotADirectory,
    PathNotFound,
    Unimplemented,
)
from textile_aio.unixfs import Directory, Entry, NodeType, dagpb, fsnode
from textile_aio.unixfs.dagpb import Link


def cid_of(seed: int) -> Cid:
    return Cid.sha256(RAW, hashlib.sha256(str(seed).encode()).digest())


NAMES = st.text(min_size=1, max_size=6).filter(
    lambda n: "/" not in n and n not in {".", ".."}
) | st.sampled_from(["a", "b", "ab", "é", "z"])
CIDS = st.integers(0, 9).map(cid_of)
SIZES = st.integers(0, 2**40)
EDITS = st.lists(st.tuples(st.integers(0, 999), st.integers(0, 9).map(cid_of)), max_size=20)
STEPS = st.lists(
    st.tuples(st.just("set"), NAMES, CIDS, SIZES) | st.tuples(st.just("remove"), NAMES, CIDS, SIZES),
    max_size=40,
)


@given(EDITS)
def test_a_large_directory_has_the_address_of_its_bytes_after_every_edit(
    edits: list[tuple[int, Cid]],
) -> None:
    directory = Directory()
    for number in range(0, 1000, 2):
        directory.set(f"{number:04}", cid_of(0), 1)
    for number, cid in edits:
        name = f"{number:04}"
        if name in directory:
            directory.remove(name)
        else:
            directory.set(name, cid, 1)
        address = directory.address()
        assert address.digest == hashlib.sha256(directory.encode().data).digest()
        assert directory.encode(0).cid.digest == address.digest


@given(STEPS)
def test_a_directory_is_a_dict_sorted_by_bytes(steps: list[tuple[str, str, Cid, int]]) -> None:
    directory = Directory()
    model: dict[str, Entry] = {}
    for verb, name, cid, size in steps:
        if verb == "set":
            directory.set(name, cid, size)
            model[name] = Entry(name, cid, size)
        elif name in model:
            directory.remove(name)
            del model[name]
        else:
            with pytest.raises(PathNotFound):
                directory.remove(name)
    expected = [model[name] for name in sorted(model, key=str.encode)]
    assert directory.entries() == expected
    assert len(directory) == len(model)
    assert all(name in directory and directory.get(name) == entry for name, entry in model.items())
    block = directory.encode()
    assert list(block.links) == [entry.cid for entry in expected]
    assert directory.cumulative_size == len(block.data) + sum(entry.tsize for entry in expected)
    assert block.data == dagpb.encode(
        [Link(entry.name.encode(), entry.cid, entry.tsize) for entry in expected], fsnode.DIRECTORY_DATA
    )
    again = Directory.decode(block.data)
    assert again.entries() == expected
    assert again.encode() == block
    assert again.cumulative_size == directory.cumulative_size


def test_both_versions_share_bytes_and_digest() -> None:
    directory = Directory()
    directory.set("a", cid_of(1), 5)
    v0, v1 = directory.encode(0), directory.encode(1)
    assert v0.data == v1.data
    assert v0.cid.digest == v1.cid.digest
    assert (v0.cid.version, v1.cid.version) == (0, 1)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/", "\ud800", "\udcc3\udca9"])
def test_names_that_are_no_names_are_refused(name: str) -> None:
    directory = Directory()
    with pytest.raises(InvalidPath):
        directory.set(name, cid_of(1), 1)
    assert len(directory) == 0
    assert name not in directory


@pytest.mark.parametrize("size", [-1, 2**63])
def test_sizes_beyond_int64_are_refused(size: int) -> None:
    with pytest.raises(InvalidInput):
        Directory().set("a", cid_of(1), size)


def test_a_total_beyond_int64_is_refused_and_leaves_the_entry() -> None:
    directory = Directory()
    directory.set("a", cid_of(1), 2**62)
    directory.set("a", cid_of(2), 2**62)
    with pytest.raises(InvalidInput):
        directory.set("b", cid_of(3), 2**62)
    assert directory.entries() == [Entry("a", cid_of(2), 2**62)]


def test_foreign_names_survive_an_edit() -> None:
    odd = b"caf\xe9"
    block = dagpb.encode([Link(odd, cid_of(1), 3), Link(b"", cid_of(2), 4)], fsnode.DIRECTORY_DATA)
    directory = Directory.decode(block)
    (empty, cafe) = directory.entries()
    assert empty.name == ""
    assert directory.get(cafe.name) == cafe
    directory.set("new", cid_of(3), 5)
    names = [link.name for link in dagpb.decode(directory.encode().data).links]
    assert names == [b"", odd, b"new"]
    directory.remove(cafe.name)
    directory.remove("")
    assert [entry.name for entry in directory] == ["new"]


def test_several_foreign_links_of_one_name_keep_their_order_and_go_together() -> None:
    links = [Link(b"b", cid_of(1), 1), Link(b"a", cid_of(2), 2), Link(b"b", cid_of(3), 3)]
    directory = Directory.decode(dagpb.encode(links, fsnode.DIRECTORY_DATA))
    assert [entry.cid for entry in directory] == [cid_of(2), cid_of(1), cid_of(3)]
    assert directory.get("b") == Entry("b", cid_of(1), 1)
    directory.set("b", cid_of(4), 4)
    assert [entry.cid for entry in directory] == [cid_of(2), cid_of(4)]
    block = directory.encode()
    assert directory.cumulative_size == len(block.data) + 6


def test_mode_and_time_survive_an_edit() -> None:
    message = fsnode.DIRECTORY_DATA + b"\x38\xed\x03" + b"\x42\x02\x08\x01"
    directory = Directory.decode(dagpb.encode([], message))
    directory.set("a", cid_of(1), 1)
    assert dagpb.decode(directory.encode().data).data == message


@pytest.mark.parametrize("kind", [NodeType.RAW, NodeType.FILE, NodeType.SYMLINK, NodeType.METADATA])
def test_other_nodes_are_no_directories(kind: NodeType) -> None:
    with pytest.raises(NotADirectory) as caught:
        Directory.decode(dagpb.encode([], fsnode.encode(fsnode.FSNode(kind))))
    assert caught.value.message == "expected protobuf dag node"


def test_a_sharded_directory_is_not_edited() -> None:
    message = fsnode.FSNode(NodeType.HAMT_SHARD, data=b"", hash_type=0x22, fanout=256)
    with pytest.raises(Unimplemented, match="HAMT"):
        Directory.decode(dagpb.encode([], fsnode.encode(message)))


def test_a_node_without_a_message_is_no_directory() -> None:
    with pytest.raises(IntegrityError):
        Directory.decode(b"")


def test_an_insertion_encodes_one_link_however_large_the_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    encoded: list[Link] = []

    def encode_link(link: Link) -> bytes:
        encoded.append(link)
        return original(link)

    original = dagpb.encode_link
    monkeypatch.setattr(dagpb, "encode_link", encode_link)
    directory = Directory()
    for number in range(1000):
        directory.set(f"{number * 7919 % 1000:06d}", cid_of(1), 1)
        directory.encode()
    assert len(directory) == 1000
    assert len(encoded) == 1000
