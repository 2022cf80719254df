"""What is told of a bucket to whoever may read it (spec: buckets-api §2, §8, §12)."""

from __future__ import annotations

import pytest

from tests.localhub.buckets.callers import SEED, Bucket, Caller
from tests.localhub.raw import OK
from textile_aio import dcrypto
from textile_aio._codec.cid import Cid
from textile_aio._proto.api.bucketsd import pb

DISABLED = ("UNKNOWN", "archiving feature is disabled")


@pytest.mark.parametrize("private", [False, True])
async def test_what_create_answers(owner: Caller, private: bool) -> None:
    (made,) = await owner.call("Create", pb.CreateRequest(name="n", private=private))
    root = made.root
    entry = root.path_metadata[""]
    assert (len(made.seed), root.owner, root.version) == (32, owner.identity, 1)
    assert root.path_metadata[SEED].roles == {}
    assert not root.path_metadata[SEED].key
    assert entry.updated_at == root.created_at == root.updated_at
    bucket = Bucket(owner, root.key, private)
    (seed,) = (await bucket.item()).items
    assert (seed.name, seed.cid, seed.size) == (SEED, made.seed_cid, 116 if private else 32)
    assert Cid.parse(made.seed_cid).codec == 0x55
    assert await bucket.pull(SEED) == made.seed
    assert made.pinned > 0
    if private:
        assert len(root.link_key) == len(entry.key) == 88
        assert root.link_key != entry.key
        assert len(dcrypto.parse_key(root.link_key)) == 64
        assert made.links.url.endswith(f"/buckets/{root.key}?token={owner.token}")
    else:
        assert root.link_key == entry.key == ""
        assert made.pinned == 92


async def test_links_of_paths(bucket: Bucket) -> None:
    await bucket.push("a b/\u00fc", b"x")
    token = f"?token={bucket.caller.token}" if bucket.private else ""
    for path in ("", "a b", "a b/\u00fc"):
        (links,) = await bucket.caller.call("Links", pb.LinksRequest(key=bucket.key, path=path))
        at = f"/{path}" if path else ""
        base = f"https://gate.way/thread/{bucket.caller.thread}/buckets/{bucket.key}"
        assert links.url == base + at + token
        assert links.www == f"https://{bucket.key}.example.org{at}{token}"
        assert links.ipns == f"https://gate.way/ipns/{bucket.key}{at}{token}"


async def test_a_private_link_of_nobody_has_an_empty_token(owner: Caller) -> None:
    nobody = Caller(owner.target, owner.thread)
    (made,) = await nobody.call("Create", pb.CreateRequest(private=True))
    assert made.links.url.endswith(f"/buckets/{made.root.key}?token=")


async def test_missing_paths(bucket: Bucket) -> None:
    await bucket.push("d/f", b"x")
    key, call = bucket.key, bucket.caller.outcome
    under = (await bucket.item("d")).cid
    for path, name, parent in (("file1.jpg", "", ""), ("d/gone", "gone", under), ("x/y", "x", "")):
        missing = await bucket.missing(path, name, parent)
        assert await bucket.listed(path) == missing
        assert await bucket.pulled(path) == missing
        assert await call("Links", pb.LinksRequest(key=key, path=path)) == missing
    removed = await bucket.remove("gone")
    if bucket.private:
        code, text = await bucket.missing("gone")
        assert removed == (code, f"remove node failed: {text}")
    else:
        assert removed == ("UNKNOWN", "no link by that name")


async def test_a_folder_has_no_content(bucket: Bucket) -> None:
    await bucket.push("d/e/f", b"x")
    for path in ("", "d", "d/e"):
        assert await bucket.pulled(path) == ("UNKNOWN", "node is a directory")


async def test_a_listing(bucket: Bucket) -> None:
    await bucket.push("d/f", b"12345")
    await bucket.push("d/e/g", b"")
    root = await bucket.item()
    assert (root.name, root.path, root.is_dir) == ("n", (await bucket.root()).path, True)
    assert [child.name for child in root.items] == [SEED, "d"]
    item = await bucket.item("/d/")
    assert (item.name, item.items_count, item.path) == ("d", 2, f"{root.path}/d")
    assert [(child.name, child.is_dir, child.items_count, child.items) for child in item.items] == [
        ("e", True, 1, []),
        ("f", False, 0, []),
    ]
    file = await bucket.item("d/f")
    assert (file.name, file.is_dir, file.items) == ("f", False, [])
    assert file.size == (89 if bucket.private else 5)
    assert file.content_size == 5


async def test_archiving_is_disabled(bucket: Bucket) -> None:
    call, key = bucket.caller.outcome, bucket.key
    assert await call("Archive", pb.ArchiveRequest(key=key)) == DISABLED
    assert await call("DefaultArchiveConfig", pb.DefaultArchiveConfigRequest(key=key)) == DISABLED
    assert await call("SetDefaultArchiveConfig", pb.SetDefaultArchiveConfigRequest(key=key)) == DISABLED
    assert await call("ArchiveWatch", pb.ArchiveWatchRequest(key=key)) == DISABLED
    assert await call("Create", pb.CreateRequest(unfreeze=True)) == DISABLED
    (archives,) = await bucket.caller.call("Archives", pb.ArchivesRequest(key=key))
    assert (archives.current, archives.history) == (None, [])


async def test_removing_what_is_there(bucket: Bucket) -> None:
    for path in ("a", "ab", "abc/x", "d/e/f"):
        await bucket.push(path, b"x")
    assert await bucket.remove("a") == OK
    assert await bucket.remove("d/e/f") == OK
    assert await bucket.tree() == {"ab": b"x", "abc": None, "abc/x": b"x", "d": None, "d/e": None}
    assert set((await bucket.root()).path_metadata) == {"", SEED, "ab", "abc/x"}
    for path in ("", "/"):
        assert (await bucket.remove(path))[0] != "OK"
    (removed,) = await bucket.caller.call("Remove", pb.RemoveRequest(key=bucket.key))
    assert removed.pinned < 0
    assert await bucket.listed() == ("UNKNOWN", "instance not found")
