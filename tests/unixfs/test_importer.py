from __future__ import annotations

import itertools
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unixfs.helpers import PIECE, Store, content, import_file
from textile_aio._codec.cid import Cid
from textile_aio.errors import ClosedError, InvalidInput
from textile_aio.unixfs import Block, FileImporter, FileNode

SHAPES = st.fixed_dictionaries(
    {
        "chunk_size": st.integers(1, 40),
        "max_links": st.integers(2, 7),
        "raw_leaves": st.booleans(),
        "cid_version": st.sampled_from([0, 1]),
        "reduce_single_leaf": st.booleans(),
    }
)


def run(pieces: list[Any], **options: Any) -> tuple[FileNode, list[Block]]:
    importer = FileImporter(**options)
    blocks = [block for piece in pieces for block in importer.feed(piece)]
    node, rest = importer.finish()
    return node, blocks + rest


@given(data=st.binary(max_size=600), cuts=st.lists(st.integers(0, 600)), shape=SHAPES)
def test_the_blocks_do_not_depend_on_how_the_input_was_cut(
    data: bytes, cuts: list[int], shape: dict[str, Any]
) -> None:
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[a:b] for a, b in itertools.pairwise(edges)]
    assert run(pieces, **shape) == run([data], **shape)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_buffer_will_do(kind: type[Any]) -> None:
    data = content(1000)
    assert run([kind(data)], chunk_size=64) == run([data], chunk_size=64)


@given(data=st.binary(max_size=300), shape=SHAPES)
def test_children_come_before_parents_and_the_root_is_among_them(data: bytes, shape: dict[str, Any]) -> None:
    node, blocks = run([data], **shape)
    seen: set[Cid] = set()
    for block in blocks:
        assert set(block.links) <= seen
        seen.add(block.cid)
    assert node.cid in seen


@given(data=st.binary(max_size=300), shape=SHAPES)
def test_the_cumulative_size_counts_every_block_as_often_as_it_is_linked(
    data: bytes, shape: dict[str, Any]
) -> None:
    node, blocks = run([data], **shape)
    by_cid = {block.cid: block for block in blocks}

    def total(block: Block) -> int:
        return len(block.data) + sum(total(by_cid[cid]) for cid in block.links)

    assert node.cumulative_size == total(by_cid[node.cid])


def test_whole_leaves_are_views_of_what_was_fed() -> None:
    data = bytearray(content(2 * PIECE))
    first, second = FileImporter().feed(data)
    assert isinstance(first.data, memoryview)
    assert isinstance(second.data, memoryview)
    assert first.data.obj is data
    assert second.data.obj is data


def test_a_reused_input_buffer_does_not_reach_into_unfinished_leaves() -> None:
    importer = FileImporter(chunk_size=64)
    buffer = bytearray(b"a" * 40)
    importer.feed(buffer)
    buffer[:] = b"b" * 40
    (leaf,) = importer.feed(buffer)
    assert bytes(leaf.data) == b"a" * 40 + b"b" * 24


def test_memory_does_not_grow_with_the_file() -> None:
    importer = FileImporter(chunk_size=1024)
    piece = bytes(64 * 1024)
    importer.feed(piece)
    tracemalloc.start()
    try:
        for _ in range(300):
            importer.feed(piece)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 600_000  # 19 MB were fed


def test_a_finished_importer_refuses_more() -> None:
    importer = FileImporter()
    importer.finish()
    with pytest.raises(ClosedError):
        importer.feed(b"late")
    with pytest.raises(ClosedError):
        importer.finish()


@pytest.mark.parametrize("options", [{"chunk_size": 0}, {"max_links": 1}, {"cid_version": 2}])
def test_impossible_shapes_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(InvalidInput):
        FileImporter(**options)  # type: ignore[arg-type]  # the values are the point


def test_an_empty_file_is_the_well_known_block() -> None:
    node = import_file(b"", Store())
    assert str(node.cid) == "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
