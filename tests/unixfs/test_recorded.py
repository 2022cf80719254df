"""Every recorded file and directory comes out with the recorded blocks, addresses and sizes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.recorded import cases, label
from tests.unixfs.helpers import Store, content, export, import_file
from tests.unixfs.sharding import shard
from textile_aio._codec.cid import Cid
from textile_aio.unixfs import Directory, FileExporter, FileNode, entries, resolve, stat

FILES = cases("unixfs", "file")
DIRECTORIES = cases("unixfs", "directory")


def options(case: dict[str, Any]) -> dict[str, Any]:
    return {
        "chunk_size": case["chunk_size"],
        "max_links": case["max_children"],
        "raw_leaves": case["raw_leaves"],
        "cid_version": case["cid_version"],
        "reduce_single_leaf": case.get("reduce_single_leaf", True),
    }


def given(case: dict[str, Any]) -> bytes:
    return case["text"].encode() if "text" in case else content(case["size"])


def check_blocks(case: dict[str, Any], store: Store) -> None:
    assert len(store.blocks) == case["distinct_block_count"]
    for block in case.get("blocks", []) + case.get("linking_blocks", []):
        data = store.blocks[Cid.parse(block["cid"])]
        assert len(data) == block["size"]
        if "hex" in block:
            assert data.hex() == block["hex"]


@pytest.mark.parametrize("case", FILES, ids=label)
def test_a_file_has_the_recorded_blocks(case: dict[str, Any]) -> None:
    store = Store()
    node = import_file(given(case), store, **options(case))
    assert str(node.cid) == case["root_cid"]
    assert node.cumulative_size == case["cumulative_size"]
    assert node.size == case["size"]
    check_blocks(case, store)


@pytest.mark.parametrize("case", FILES, ids=label)
def test_a_recorded_file_reads_back(case: dict[str, Any]) -> None:
    data = given(case)
    store = Store()
    node = import_file(data, store, **options(case))
    exporter = FileExporter(node.cid)
    assert export(exporter, store) == data
    assert exporter.size == len(data)
    found = stat(node.cid, store(node.cid))
    assert (found.is_dir, found.size, found.content_size) == (False, node.cumulative_size, len(data))


def listed(case: dict[str, Any]) -> Iterator[dict[str, Any]]:
    rule = case.get("entry_rule")
    if rule is None:
        yield from case["entries"]
        return
    for number in range(rule["count"]):
        yield {"path": rule["path"] % number, "text": rule["text"] % number}


def nested(case: dict[str, Any], store: Store) -> dict[str, Any]:
    """The case's entries as nested dicts of imported files."""
    top: dict[str, Any] = {}
    for entry in listed(case):
        *parents, name = entry["path"].split("/")
        folder = top
        for parent in parents:
            folder = folder.setdefault(parent, {})
        folder[name] = {} if entry.get("directory") else import_file(given(entry), store, **options(case))
    return top if case["wrapped"] else top[case["root_path"]]


def build(tree: dict[str, Any], case: dict[str, Any], store: Store) -> FileNode:
    directory = Directory()
    for name, child in tree.items():
        node = child if isinstance(child, FileNode) else build(child, case, store)
        directory.set(name, node.cid, node.cumulative_size)
    links = sum(len(entry.name) + len(entry.cid.bytes) for entry in directory)
    if links > case["shard_threshold_bytes"]:
        root, blocks = shard(directory.entries(), cid_version=case["cid_version"])
        store.add(blocks)
        return root
    block = directory.encode(case["cid_version"])
    store.add([block])
    return FileNode(block.cid, 0, directory.cumulative_size)


@pytest.mark.parametrize("case", DIRECTORIES, ids=label)
def test_a_directory_has_the_recorded_blocks(case: dict[str, Any]) -> None:
    store = Store()
    node = build(nested(case, store), case, store)
    assert str(node.cid) == case["root_cid"]
    assert node.cumulative_size == case["cumulative_size"]
    check_blocks(case, store)
    assert len(store.blocks[node.cid]) == case.get("root_block_size", len(store.blocks[node.cid]))


@pytest.mark.parametrize("case", DIRECTORIES, ids=label)
def test_a_recorded_directory_resolves_and_lists(case: dict[str, Any]) -> None:
    store = Store()
    tree = nested(case, store)
    root = build(tree, case, store)
    assert [entry.name.encode() for entry in entries(root.cid, store)] == sorted(
        name.encode() for name in tree
    )
    for result in case.get("results", []):
        path = result["path"].split("/") if result["path"] else []
        found = resolve(root.cid, path if case["wrapped"] else path[1:], store)
        assert str(found.cid) == result["cid"]
        assert found.size == result["cumulative_size"]
        assert found.is_dir is (result["type"] == "directory")
    for entry in list(listed(case))[::97]:
        path = entry["path"].split("/")
        found = resolve(root.cid, path if case["wrapped"] else path[1:], store)
        if not found.is_dir:
            assert export(FileExporter(found.cid), store) == given(entry)
