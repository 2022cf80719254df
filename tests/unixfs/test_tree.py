from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from tests.unixfs.helpers import Store, content, import_file
from tests.unixfs.sharding import shard
from textile_aio._codec.cid import DAG_PB, RAW, Cid
from textile_aio.errors import InvalidInput, InvalidPath, NotADirectory, PathNotFound, Unimplemented
from textile_aio.unixfs import Block, Directory, NodeType, Tree, dagpb, entries, fsnode, resolve
from textile_aio.unixfs.fsnode import FSNode


def put(tree: Tree, store: Store, path: str, data: bytes) -> Cid:
    node = import_file(data, store)
    tree.set_path(path.split("/"), node.cid, node.cumulative_size)
    return node.cid


def commit(tree: Tree, store: Store) -> Cid:
    root, blocks = tree.commit()
    store.add(blocks)
    return root


def fresh() -> tuple[Tree, Store]:
    """The root of a new public bucket whose seed is zeros (buckets-api §6)."""
    directory = Directory()
    store = Store()
    seed = import_file(bytes(32), store)
    assert str(seed.cid) == "bafkreidgnb5k36dcxv3wzd6brohj7drabclrjblo4iz3hebkleoq2xzjeu"
    directory.set(".textileseed", seed.cid, seed.cumulative_size)
    root = directory.encode()
    store.add([root])
    return Tree(root.cid, store), store


def test_a_pristine_bucket_has_the_published_root() -> None:
    tree, store = fresh()
    root, blocks = tree.commit()
    assert str(root) == "bafybeig6bywo73qo7gdfpzcmzsthxdaxwq4kv7ry25iyqgt2gkwoc4plni"
    assert blocks == []
    assert len(store.blocks[root]) == 60
    assert tree.cumulative_size == 92


def test_a_pushed_file_has_the_published_root() -> None:
    tree, store = fresh()
    file = put(tree, store, "a/hello.txt", b"hello world\n")
    assert str(file) == "bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4"
    root, blocks = tree.commit()
    folder, top = blocks
    assert str(folder.cid) == "QmVJ1xg67UckH6KcJ4K6zEy8mofTdCxFeqCt2L7Jc5QWST"
    assert len(folder.data) == 57
    assert str(root) == str(top.cid) == "bafybeieju5aftfhqez6wl2e36ihlcd5hiilm4l4og3gcen2pi7rpa5icym"
    assert tree.cumulative_size == 204


def test_new_folders_of_a_private_bucket_are_version_1() -> None:
    _, store = fresh()
    tree = Tree(fresh()[0].commit()[0], store, new_folder_version=1)
    put(tree, store, "a/b/c", b"x")
    commit(tree, store)
    assert {tree.lookup(path).cid.version for path in (["a"], ["a", "b"])} == {1}


def test_folders_keep_their_version() -> None:
    tree, store = fresh()
    inner = Directory().encode(1)
    store.add([inner])
    tree.set_path(["v1"], inner.cid, len(inner.data))
    put(tree, store, "v1/new/file", b"x")
    commit(tree, store)
    assert tree.lookup(["v1"]).cid.version == 1
    assert tree.lookup(["v1", "new"]).cid.version == 0


def test_only_the_changed_spine_is_written() -> None:
    tree, store = fresh()
    for number in range(20):
        put(tree, store, f"d{number}/e/f", b"x")
    commit(tree, store)
    put(tree, store, "d7/e/g", b"y")
    _, blocks = tree.commit()
    assert len(blocks) == 3


def test_only_the_folders_on_the_way_are_read() -> None:
    tree, store = fresh()
    for number in range(20):
        put(tree, store, f"d{number}/e/f", b"x")
    root = commit(tree, store)
    store.asked.clear()
    later = Tree(root, store)
    put(later, store, "d7/e/g", b"y")
    later.commit()
    assert len(store.asked) == 3
    put(later, store, "d7/e/h", b"z")
    later.commit()
    assert len(store.asked) == 3


def test_undoing_an_edit_gives_the_old_root_and_nothing_to_write() -> None:
    tree, store = fresh()
    before = commit(tree, store)
    put(tree, store, "file", b"x")
    tree.remove_path(["file"])
    assert tree.commit() == (before, [])


def test_the_root_is_known_before_blocks_are_made_and_none_is_made_for_it() -> None:
    tree, store = fresh()
    before = commit(tree, store)
    put(tree, store, "a/b", b"x")
    first = tree.root
    put(tree, store, "a/c", b"y")
    second = tree.root
    assert len({before, first, second}) == 3
    root, blocks = tree.commit()
    assert root == second
    assert len(blocks) == 2  # the folder and the root as they are, not as they were in between
    tree.remove_path(["a", "c"])
    assert tree.root == first


def test_a_folder_emptied_at_once_is_still_written() -> None:
    tree, store = fresh()
    put(tree, store, "a/b", b"x")
    tree.remove_path(["a", "b"])
    root = commit(tree, store)
    assert resolve(root, ["a"], store).items_count == 0


def test_a_removed_folder_does_not_come_back() -> None:
    tree, store = fresh()
    put(tree, store, "a/b/old", b"x")
    tree.remove_path(["a"])
    assert [entry.name for entry in entries(commit(tree, store), store)] == [".textileseed"]
    put(tree, store, "a/b/new", b"y")
    root = commit(tree, store)
    assert [entry.name for entry in entries(resolve(root, ["a", "b"], store).cid, store)] == ["new"]


def test_a_tree_that_would_declare_more_than_int64_is_not_committed() -> None:
    tree, store = fresh()
    leaf = import_file(b"x", store).cid
    for name in ("a", "b"):
        tree.set_path([name, "file"], leaf, 2**62)
    for _ in range(2):
        with pytest.raises(InvalidInput):
            tree.commit()


def test_a_file_replaces_a_directory() -> None:
    tree, store = fresh()
    put(tree, store, "a/b/c", b"x")
    commit(tree, store)
    put(tree, store, "a/b/d", b"y")
    put(tree, store, "a", b"z")
    root = commit(tree, store)
    assert [entry.name for entry in entries(root, store)] == [".textileseed", "a"]
    assert not resolve(root, ["a"], store).is_dir


@pytest.mark.parametrize("size", [5, 300_000])
def test_nothing_is_pushed_below_a_file(size: int) -> None:
    tree, store = fresh()
    put(tree, store, "a", content(size))
    before = commit(tree, store)
    for path in (["a", "b"], ["a", "b", "c"]):
        with pytest.raises(NotADirectory) as caught:
            put(tree, store, "/".join(path), b"x")
        assert caught.value.message == "expected protobuf dag node"
    with pytest.raises(NotADirectory):
        tree.remove_path(["a", "b"])
    assert tree.commit() == (before, [])


@pytest.mark.parametrize("path", [["no"], ["no", "way"], ["a", "no"], ["a", "no", "way"], []])
def test_removing_what_is_not_there_is_refused(path: list[str]) -> None:
    tree, store = fresh()
    put(tree, store, "a/b", b"x")
    before = commit(tree, store)
    with pytest.raises(PathNotFound) as caught:
        tree.remove_path(path)
    assert caught.value.message == "no link by that name"
    assert tree.commit() == (before, [])


def test_looking_up_what_is_not_there_names_the_node_it_is_missing_from() -> None:
    tree, store = fresh()
    file = put(tree, store, "a/b", b"x")
    root = commit(tree, store)
    folder = tree.lookup(["a"]).cid
    for path, name, under in (
        (["no"], "no", root),
        (["no", "way"], "no", root),
        (["a", "no"], "no", folder),
        (["a", "b", "c"], "c", file),
    ):
        for find in (tree.lookup, lambda path: resolve(root, path, store)):
            with pytest.raises(PathNotFound) as caught:
                find(path)
            assert caught.value.message == f'no link named "{name}" under {under}'


def test_figures_of_files_and_folders() -> None:
    tree, store = fresh()
    put(tree, store, "a/small", b"hello")
    large = import_file(content(600_000), store)
    tree.set_path(["a", "large"], large.cid, large.cumulative_size)
    root = commit(tree, store)
    for look in (tree.lookup, lambda path: resolve(root, path, store)):
        small, big, folder, top = (look(path) for path in (["a", "small"], ["a", "large"], ["a"], []))
        assert (small.type, small.size, small.content_size, small.items_count) == (NodeType.RAW, 5, 5, None)
        assert (big.is_dir, big.size, big.content_size) == (False, large.cumulative_size, 600_000)
        assert (folder.is_dir, folder.items_count, folder.content_size) == (True, 2, None)
        assert folder.size == len(store.blocks[folder.cid]) + small.size + big.size
        assert (top.cid, top.items_count, top.size) == (root, 2, tree.cumulative_size)


def test_a_raw_leaf_is_described_without_reading_it() -> None:
    tree, store = fresh()
    cid = put(tree, store, "a", b"hello")
    root = commit(tree, store)
    store.asked.clear()
    assert resolve(root, ["a"], store).size == 5
    assert cid not in store.asked


def test_moving_a_changed_folder_brings_its_blocks_along() -> None:
    tree, store = fresh()
    put(tree, store, "a/b/c", b"x")
    source = tree.lookup(["a", "b"])
    tree.remove_path(["a", "b"])
    tree.set_path(["z"], source.cid, source.size)
    put(tree, store, "z/d", b"y")
    root = commit(tree, store)
    assert [entry.name for entry in entries(resolve(root, ["z"], store).cid, store)] == ["c", "d"]


@pytest.mark.parametrize("path", [[], [""], ["a", ""], ["", "a"], ["..", "a"], ["new", "."], ["new", "a/b"]])
def test_impossible_paths_are_refused_and_leave_no_trace(path: list[str]) -> None:
    tree, store = fresh()
    before = commit(tree, store)
    with pytest.raises(InvalidPath):
        tree.set_path(path, Cid.sha256(RAW, bytes(32)), 1)
    assert tree.commit() == (before, [])


def test_an_impossible_size_is_refused_and_leaves_no_trace() -> None:
    tree, store = fresh()
    before = commit(tree, store)
    with pytest.raises(InvalidInput):
        tree.set_path(["new", "file"], Cid.sha256(RAW, bytes(32)), -1)
    assert tree.commit() == (before, [])


def test_a_missing_block_leaves_the_tree_as_it_was() -> None:
    tree, store = fresh()
    put(tree, store, "a/b/c", b"x")
    root = commit(tree, store)
    folder = resolve(root, ["a", "b"], store).cid
    hidden = store.blocks.pop(folder)
    later = Tree(root, store)
    with pytest.raises(KeyError):
        put(later, store, "a/b/d", b"y")
    assert later.commit() == (root, [])
    store.blocks[folder] = hidden
    put(later, store, "a/b/d", b"y")
    put(tree, store, "a/b/d", b"y")
    assert commit(later, store) == commit(tree, store)


def test_a_sealed_tree_reads_as_it_was_written_and_hides_what_it_holds() -> None:
    """Private buckets store each directory as one file node that only the owner can open (buckets-api §7)."""
    store, counter = Store(), itertools.count()

    def seal(block: Block) -> Block:
        cipher = next(counter).to_bytes(4, "big") + bytes(block.data)[::-1]
        message = fsnode.encode(FSNode(NodeType.FILE, data=cipher, filesize=len(cipher)))
        return Block.of(DAG_PB, dagpb.encode([], message), links=block.links)

    def opened(cid: Cid) -> bytes:
        stored = store(cid)
        if cid.codec == RAW:
            return stored
        cipher = fsnode.of(dagpb.decode(stored)).data
        assert cipher is not None
        return cipher[:3:-1]

    first = seal(Directory().encode())
    store.add([first])
    tree = Tree(first.cid, opened, new_folder_version=1, seal=seal)
    put(tree, store, "a/b/c", b"x")
    put(tree, store, "a/d", b"hello")
    assert tree.lookup(["a", "d"]).size == 5
    root, blocks = tree.commit()
    assert [block.cid.version for block in blocks] == [1] * 3
    assert all(not dagpb.decode(block.data).links for block in blocks)
    store.add(blocks)
    assert resolve(root, ["a", "b", "c"], opened).size == 1
    inner, outer, top = blocks
    assert inner.cid in outer.links
    assert outer.cid in top.links
    folder = resolve(root, ["a"], opened)
    assert folder.items_count == 2
    assert folder.size == len(opened(outer.cid)) + len(inner.data) + 5
    again = Tree(root, opened, new_folder_version=1, seal=seal)
    put(again, store, "a/b/new", b"y")
    again.remove_path(["a", "b", "new"])
    assert again.commit() == (root, [])  # no change, although sealing never gives the same twice
    put(again, store, "a/b/new", b"y")
    later = commit(again, store)
    assert [entry.name for entry in entries(resolve(later, ["a", "b"], opened).cid, opened)] == ["c", "new"]
    assert again.cumulative_size == resolve(later, [], opened).size


def test_a_foreign_size_of_an_untouched_folder_is_kept() -> None:
    _, store = fresh()
    inner = Directory().encode(1)
    outer = Directory()
    outer.set("inner", inner.cid, 1234)
    root = outer.encode()
    store.add([inner, root])
    tree = Tree(root.cid, store)
    put(tree, store, "inner/file", b"x")
    tree.remove_path(["inner", "file"])
    assert tree.commit() == (root.cid, [])


def test_a_tree_needs_a_directory() -> None:
    store = Store()
    for data in (b"x", content(300_000)):
        with pytest.raises(NotADirectory):
            Tree(import_file(data, store).cid, store)


def test_a_sharded_directory_is_read_and_not_changed() -> None:
    tree, store = fresh()
    plain = Directory()
    for number in range(1000):
        node = import_file(b"%d" % number, store)
        plain.set(f"entry {number}", node.cid, node.cumulative_size)
    inner = Directory()
    inner.set("deep", node.cid, node.cumulative_size)
    block = inner.encode()
    plain.set("folder", block.cid, inner.cumulative_size)
    sharded, blocks = shard(plain.entries())
    store.add([block, *blocks])
    tree.set_path(["many"], sharded.cid, sharded.cumulative_size)
    root = commit(tree, store)
    assert tree.lookup(["many"]).is_dir
    assert tree.lookup(["many"]).items_count is None
    assert tree.lookup(["many", "entry 77"]).size == 2
    assert resolve(root, ["many", "folder", "deep"], store).size == 3
    with pytest.raises(PathNotFound, match='no link named "entry 1000"'):
        tree.lookup(["many", "entry 1000"])
    assert entries(sharded.cid, store) == plain.entries()
    with pytest.raises(Unimplemented):
        put(tree, store, "many/more", b"x")
    put(tree, store, "many", b"replaced as a whole")
    commit(tree, store)


def test_a_very_deep_path_is_no_trouble() -> None:
    tree, store = fresh()
    path = ["d"] * 3000
    tree.set_path(path, import_file(b"x", store).cid, 1)
    root, blocks = tree.commit()
    store.add(blocks)
    assert len(blocks) == 3000
    assert resolve(root, path, store).size == 1
    tree.remove_path(path)


NAMES = st.sampled_from(["a", "b", "c"])
PATHS = st.lists(NAMES, min_size=1, max_size=4)


class Editing(RuleBasedStateMachine):
    """A tree against nested dicts: bytes are files, dicts are directories."""

    def __init__(self) -> None:
        super().__init__()
        self.store = Store()
        empty = Directory().encode()
        self.store.add([empty])
        self.tree = Tree(empty.cid, self.store)
        self.model: dict[str, Any] = {}

    def parent(self, path: list[str], *, create: bool) -> dict[str, Any] | None:
        """The model's folder that holds the last name; None if missing; NotADirectory if it is a file."""
        folder: Any = self.model
        for name in path[:-1]:
            if not isinstance(folder, dict):
                raise NotADirectory("file")
            if name not in folder:
                if not create:
                    return None
                folder[name] = {}
            folder = folder[name]
        if not isinstance(folder, dict):
            raise NotADirectory("file")
        return folder

    @rule(path=PATHS, data=st.binary(max_size=3))
    def set_path(self, path: list[str], data: bytes) -> None:
        block = Block.of(RAW, data)
        try:
            folder = self.parent(path, create=True)
        except NotADirectory:
            with pytest.raises(NotADirectory):
                self.tree.set_path(path, block.cid, len(data))
            return
        assert folder is not None
        folder[path[-1]] = data
        self.store.add([block])
        self.tree.set_path(path, block.cid, len(data))

    @rule(path=PATHS)
    def remove_path(self, path: list[str]) -> None:
        try:
            folder = self.parent(path, create=False)
        except NotADirectory:
            with pytest.raises(NotADirectory):
                self.tree.remove_path(path)
            return
        if folder is None or path[-1] not in folder:
            with pytest.raises(PathNotFound):
                self.tree.remove_path(path)
            return
        del folder[path[-1]]
        self.tree.remove_path(path)

    @rule(path=PATHS)
    def lookup(self, path: list[str]) -> None:
        here: Any = self.model
        for name in path:
            here = here.get(name) if isinstance(here, dict) else None
        if here is None:
            with pytest.raises(PathNotFound):
                self.tree.lookup(path)
            return
        found = self.tree.lookup(path)
        assert found.is_dir is isinstance(here, dict)
        assert (found.items_count if found.is_dir else found.size) == len(here)

    @rule()
    def commit(self) -> None:
        expected = self.tree.root
        root = commit(self.tree, self.store)
        assert root == expected
        assert self.read(root) == self.model
        assert resolve(root, [], self.store).size == self.tree.cumulative_size

    @rule()
    def ask_for_the_root(self) -> None:
        assert self.tree.root.codec == DAG_PB

    @rule()
    def reopen(self) -> None:
        self.tree = Tree(commit(self.tree, self.store), self.store)

    def teardown(self) -> None:
        assert self.read(commit(self.tree, self.store)) == self.model

    def read(self, cid: Cid) -> Any:
        if cid.codec == RAW:
            return self.store(cid)
        return {entry.name: self.read(entry.cid) for entry in entries(cid, self.store)}


Editing.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestEditing = Editing.TestCase
