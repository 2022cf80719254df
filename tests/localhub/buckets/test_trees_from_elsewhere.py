"""Content that has a CID already: bootstrap, SetPath, listing and pulling it (spec: buckets-api §8)."""

from __future__ import annotations

import os

import pytest

from tests.localhub.buckets.callers import ADMIN, SEED, Bucket, Caller
from tests.localhub.buckets.dags import chunked, folder, node, raw, store, unixfs
from tests.localhub.raw import OK
from textile_aio import Cid
from textile_aio._proto.api.bucketsd import pb
from textile_aio.localhub import LocalHub
from textile_aio.unixfs.block import Block
from textile_aio.unixfs.fsnode import NodeType

BIG = os.urandom(600_000)
ABSENT = "bafkreidgnb5k36dcxv3wzd6brohj7drabclrjblo4iz3hebkleoq2xzjeu"

both = pytest.mark.parametrize("private", [False, True], ids=["public", "private"])


async def a_tree(hub: LocalHub, *, version: int = 1) -> Block:
    """``a/one``, ``a/same`` (equal), ``b`` (chunked), ``c`` (dag-pb without links), ``empty/``."""
    one, single = raw(b"one"), unixfs(NodeType.FILE, data=b"in a node", filesize=9)
    file = chunked(BIG)
    empty = folder(version=version)
    sub = folder((b"one", one, None), (b"same", one, None), version=version)
    size = sum(len(block.data) for block in file)
    root = folder(
        (b"a", sub, len(sub.data) + 6), (b"b", file[-1], size), (b"c", single, None), (b"empty", empty, None),
        version=version,
    )  # fmt: skip
    await store(hub, [one, single, *file, empty, sub, root])
    return root


WHOLE = {"a": None, "a/one": b"one", "a/same": b"one", "b": BIG, "c": b"in a node", "empty": None}


@both
@pytest.mark.parametrize("version", [0, 1])
async def test_a_bucket_is_made_of_a_tree(
    daemon: LocalHub, owner: Caller, private: bool, version: int
) -> None:
    tree = await a_tree(daemon, version=version)
    bucket = await owner.create(private=private, cid=str(tree.cid))
    assert await bucket.tree() == WHOLE
    root = await bucket.root()
    assert set(root.path_metadata) == {"", SEED}
    listing = await bucket.item()
    assert [child.name for child in listing.items] == [SEED, "a", "b", "c", "empty"]
    assert len(await bucket.pull(SEED)) == 32
    if not private:
        assert Cid.parse(root.path.removeprefix("/ipfs/")).version == version
        cids = {child.name: child.cid for child in listing.items}
        (theirs,) = await owner.call("ListIpfsPath", pb.ListIpfsPathRequest(path=str(tree.cid)))
        assert {child.name: child.cid for child in theirs.item.items}.items() <= cids.items()


@both
async def test_a_bucket_is_not_made_of_anything_else(daemon: LocalHub, owner: Caller, private: bool) -> None:
    leaf = raw(b"a file")
    await store(daemon, [leaf])
    code, text = await owner.outcome("Create", pb.CreateRequest(private=private, bootstrap_cid="nonsense"))
    assert code == "UNKNOWN"
    assert text.startswith("invalid bootstrap cid: ")
    request = pb.CreateRequest(private=private, bootstrap_cid=str(leaf.cid))
    code, text = await owner.outcome("Create", request)
    assert code == "UNKNOWN"
    assert text.startswith("creating prepared bucket: ")
    assert text.endswith("expected protobuf dag node")
    code, text = await owner.outcome("Create", pb.CreateRequest(private=private, bootstrap_cid=ABSENT))
    assert code != "OK"
    (listed,) = await owner.call("List", pb.ListRequest())
    assert listed.roots == []


async def test_a_tree_is_set_at_a_path(daemon: LocalHub, bucket: Bucket) -> None:
    tree = await a_tree(daemon)
    await bucket.push("x/y", b"kept")
    await bucket.push("t", b"replaced")
    assert await bucket.set_path("t", str(tree.cid)) == OK
    assert await bucket.set_path("/x/deep/er", str(tree.cid)) == OK
    found = await bucket.tree()
    assert found["x/y"] == b"kept"
    for below in ("t", "x/deep/er"):
        assert {path: found[f"{below}/{path}"] for path in WHOLE} == WHOLE
    if not bucket.private:
        assert (await bucket.item("t")).cid == str(tree.cid)
    entries = set((await bucket.root()).path_metadata)
    assert entries == {"", SEED, "x/y", "t", "x/deep/er"}


async def test_a_tree_set_at_the_root_replaces_the_bucket_and_its_seed(
    daemon: LocalHub, bucket: Bucket
) -> None:
    tree = await a_tree(daemon)
    await bucket.push("old/file", b"x")
    seed = await bucket.pull(SEED)
    assert await bucket.set_path("", str(tree.cid)) == OK
    assert await bucket.tree() == WHOLE
    assert len(await bucket.pull(SEED)) == 32
    assert await bucket.pull(SEED) != seed


async def test_a_single_file_is_set_in_public_buckets_only(daemon: LocalHub, bucket: Bucket) -> None:
    leaf = raw(b"a file")
    file = chunked(BIG)
    await store(daemon, [leaf, *file])
    assert await bucket.set_path("big", str(file[-1].cid)) == OK
    assert await bucket.pull("big") == BIG
    if bucket.private:
        assert await bucket.set_path("f", str(leaf.cid)) == (
            "UNKNOWN",
            "resolving remote path: expected protobuf dag node",
        )
    else:
        assert await bucket.set_path("f", str(leaf.cid)) == OK
        assert await bucket.pull("f") == b"a file"


async def test_what_cannot_be_set(bucket: Bucket) -> None:
    before = await bucket.root()
    code, text = await bucket.set_path("f", "nonsense")
    assert code == "UNKNOWN"
    assert text.startswith("invalid remote cid: ")
    code, text = await bucket.set_path("f", ABSENT)
    assert code != "OK"
    request = pb.SetPathRequest(key="nothing", path="f", cid=ABSENT)
    code, text = await bucket.caller.outcome("SetPath", request)
    assert code == "UNKNOWN"
    assert text.startswith("get bucket: ")
    assert text.endswith("instance not found")
    assert await bucket.root() == before


async def test_a_non_owner_sets_only_what_has_an_entry(
    daemon: LocalHub, bucket: Bucket, friend: Caller, stranger: Caller
) -> None:
    tree = await a_tree(daemon)
    await bucket.push("t", b"x")
    assert await bucket.grant("t", {friend.identity: ADMIN}) == OK
    theirs = bucket.seen_by(friend)
    assert await theirs.set_path("t", str(tree.cid)) == OK
    for caller, path in ((friend, "new"), (friend, ""), (stranger, "t")):
        code, text = await bucket.seen_by(caller).set_path(path, str(tree.cid))
        assert code == "UNKNOWN"
        assert text.endswith("permission denied")


@pytest.mark.parametrize("prefix", ["", "/ipfs/"])
async def test_any_tree_is_listed_and_pulled(daemon: LocalHub, owner: Caller, prefix: str) -> None:
    tree = await a_tree(daemon)
    (reply,) = await owner.call("ListIpfsPath", pb.ListIpfsPathRequest(path=f"{prefix}{tree.cid}"))
    item = reply.item
    assert (item.is_dir, item.items_count, item.cid) == (True, 4, str(tree.cid))
    assert [(child.name, child.is_dir, child.items_count, child.items) for child in item.items] == [
        ("a", True, 2, []), ("b", False, 0, []), ("c", False, 0, []), ("empty", True, 0, []),
    ]  # fmt: skip
    assert item.metadata is None or not item.metadata.roles
    (reply,) = await owner.call("ListIpfsPath", pb.ListIpfsPathRequest(path=f"{prefix}{tree.cid}/a/one"))
    assert (reply.item.name, reply.item.size, reply.item.is_dir) == ("one", 3, False)
    pulled = await owner.call("PullIpfsPath", pb.PullIpfsPathRequest(path=f"{prefix}{tree.cid}/b"))
    assert b"".join(bytes(each.chunk) for each in pulled) == BIG
    assert max(len(each.chunk) for each in pulled) == 32_768


async def test_trees_need_no_thread(daemon: LocalHub, owner: Caller) -> None:
    tree = await a_tree(daemon)
    from tests.localhub.raw import call

    path = "/api.bucketsd.pb.APIService/ListIpfsPath"
    (reply,) = await call(daemon.target, path, {}, pb.ListIpfsPathRequest(path=str(tree.cid)))
    assert reply.item.items_count == 4


async def test_paths_of_trees_that_are_not_there(daemon: LocalHub, owner: Caller) -> None:
    tree = await a_tree(daemon)
    under = folder((b"a", raw(b""), 0))
    assert under.cid != tree.cid
    pull = pb.PullIpfsPathRequest(path=f"{tree.cid}/gone")
    missing = ("UNKNOWN", f'no link named "gone" under {tree.cid}')
    assert await owner.outcome("PullIpfsPath", pull) == missing
    assert await owner.outcome("ListIpfsPath", pb.ListIpfsPathRequest(path=f"{tree.cid}/gone")) == missing
    folder_pull = pb.PullIpfsPathRequest(path=f"{tree.cid}/a")
    assert await owner.outcome("PullIpfsPath", folder_pull) == ("UNKNOWN", "node is a directory")
    for path in ("", "/", "/ipfs/", "nonsense", "/ipns/x", f"{ABSENT}/x"):
        assert (await owner.outcome("ListIpfsPath", pb.ListIpfsPathRequest(path=path)))[0] != "OK"
        assert (await owner.outcome("PullIpfsPath", pb.PullIpfsPathRequest(path=path)))[0] != "OK"


async def test_a_file_as_the_root_of_a_bucket(daemon: LocalHub, owner: Caller) -> None:
    """Upstream names a link on a file node; here it is refused, or the file is left as it is."""
    file = chunked(BIG)
    await store(daemon, file)
    request = pb.CreateRequest(bootstrap_cid=str(file[-1].cid))
    code, _ = await owner.outcome("Create", request)
    assert code in ("OK", "UNKNOWN", "INVALID_ARGUMENT", "FAILED_PRECONDITION")
    assert await owner.outcome("List", pb.ListRequest()) == OK
    assert node(None).cid != file[-1].cid
