"""Answers that leave out what their clients can fill in: the same to our client, and to others as ever."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.localhub.buckets.callers import READER, SEED, SERVICE, Bucket, Caller, many, part
from tests.localhub.buckets.dags import chunked, folder, raw, store, unixfs
from tests.localhub.raw import call
from tests.unixfs.sharding import shard
from textile_aio import AuthContext, Cid, ProtocolError, connect
from textile_aio._proto.api.bucketsd import pb
from textile_aio.buckets import _convert
from textile_aio.localhub import LocalHub
from textile_aio.localhub.buckets.document import BucketDocument, Decoder, decode, encode, patch_between
from textile_aio.localhub.buckets.document import Entry as Noted
from textile_aio.threaddb.patches import merge
from textile_aio.unixfs.directory import Entry
from textile_aio.unixfs.fsnode import NodeType

BRIEF = {"textile-aio-brief": "1"}
ROOT = Cid.parse("bafybeig6bywo73qo7gdfpzcmzsthxdaxwq4kv7ry25iyqgt2gkwoc4plni")


async def brief(bucket: Bucket, method: str, *messages: object) -> list[object]:
    caller = bucket.caller
    return await call(caller.target, SERVICE + method, {**caller.headers, **BRIEF}, *messages)


async def check_listing(bucket: Bucket, path: str) -> pb.ListPathResponse:
    """Both answers to ListPath are the same value, root metadata of other paths apart."""
    request = pb.ListPathRequest(key=bucket.key, path=path)
    (full,) = await bucket.caller.call("ListPath", request)
    (short,) = await brief(bucket, "ListPath", request)
    assert isinstance(short, pb.ListPathResponse)
    assert full.entries is None
    assert _convert.listing(short).item == _convert.listing(full).item
    assert short.root is not None
    kept = {"", path} & full.root.path_metadata.keys()
    assert short.root.path_metadata == {each: full.root.path_metadata[each] for each in kept}
    full.root.path_metadata = short.root.path_metadata
    assert short.root == full.root
    return short


async def test_a_brief_listing_says_what_a_full_one_says(bucket: Bucket, friend: Caller) -> None:
    await bucket.push("d/a", b"1")
    await bucket.push("d/ä b", b"")
    await bucket.push("d/large", os.urandom(600_000))
    await bucket.push("d/e/f/g", b"deep")
    await bucket.grant("d/a", {friend.identity: READER})
    for path in ("", "d", "d/e", "d/a"):
        short = await check_listing(bucket, path)
        assert short.item is not None
        assert not short.item.items
    assert short.entries is not None
    assert not short.entries.sizes


async def test_a_brief_listing_shows_all_kinds_of_directories(daemon: LocalHub, owner: Caller) -> None:
    one, old = raw(b"one"), unixfs(NodeType.FILE, data=b"in a node", filesize=9)
    file = chunked(os.urandom(600_000))
    v0 = folder((b"one", one, None), version=0)
    shards = shard([Entry(f"f{n}", one.cid, 3) for n in range(300)])[1]
    root = folder(
        (b"large", file[-1], 600_100),
        (b"node", old, None),
        (b"one", one, None),
        (b"sharded", shards[-1], 9_000),
        (b"v0", v0, None),
    )
    await store(daemon, [one, old, *file, v0, *shards, root])
    bucket = await owner.create(cid=str(root.cid))
    short = await check_listing(bucket, "")
    assert short.entries is not None
    assert short.entries.names.split("/") == [SEED, "large", "node", "one", "sharded", "v0"]
    await check_listing(bucket, "sharded")
    await check_listing(bucket, "v0")


async def test_names_that_do_not_go_into_columns_are_answered_in_full(
    daemon: LocalHub, owner: Caller
) -> None:
    one = raw(b"one")
    odd = folder((b"a/b", one, None))
    root = folder((b"d", odd, None))
    await store(daemon, [one, odd, root])
    bucket = await owner.create(cid=str(root.cid))
    (short,) = await brief(bucket, "ListPath", pb.ListPathRequest(key=bucket.key, path="d"))
    assert isinstance(short, pb.ListPathResponse)
    assert short.item is not None
    assert short.entries is None
    assert [child.name for child in short.item.items] == ["a/b"]


async def test_a_brief_push_of_many_answers_once_and_stores_the_same(owner: Caller) -> None:
    told, asked = await owner.create(), await owner.create()
    for bucket in (told, asked):
        await bucket.push("a", b"old")
    parts = [part("a", b"new"), part("a"), part("d/b", b"2"), part("d/b"), part("c")]
    full = await told.caller.call("PushPaths", many(told.key, "a", "d/b", "c"), *parts)
    (short,) = await brief(asked, "PushPaths", many(asked.key, "a", "d/b", "c"), *parts)
    assert isinstance(short, pb.PushPathsResponse)
    assert short.root is not None
    assert (short.path, short.pinned) == ("", full[-1].pinned)
    assert short.root.path == (await asked.root()).path
    assert set(short.root.path_metadata) == {""}
    trees = [await bucket.tree() for bucket in (told, asked)]
    assert trees[0] == trees[1] == {"a": b"new", "d": None, "d/b": b"2", "c": b""}


@pytest.mark.parametrize("private", [False, True], ids=["public", "private"])
async def test_our_clients_answers_are_the_buckets_state(owner: Caller, private: bool) -> None:
    ctx = AuthContext().with_thread(owner.thread).with_token(owner.token)
    async with connect(owner.target) as client:
        key = (await client.buckets.create(ctx, "n", private=private)).key
        pushed = await client.buckets.push_path(ctx, key, "d/a", b"1")
        assert set(pushed.root.path_metadata) == {"", "d/a"}
        root = await client.buckets.push_files(ctx, key, {"d/b": b"2", "d/c": b"3"})
        assert root.cid == (await client.buckets.root(ctx, key)).cid
        listing = await client.buckets.list_path(ctx, key, "d")
        assert [item.name for item in listing.item.items] == ["a", "b", "c"]
        assert [item.content_size for item in listing.item.items] == [1, 1, 1]
        assert {item.path for item in listing.item.items} == {f"{root.path}/d/{name}" for name in "abc"}
        assert listing.root.cid == root.cid
        removed = await client.buckets.remove_path(ctx, key, "d/a")
        assert removed.cid == (await client.buckets.root(ctx, key)).cid


@pytest.mark.parametrize(
    "spoil",
    [
        lambda entries: setattr(entries, "names", "a"),
        lambda entries: setattr(entries, "names", "a/b/c"),
        lambda entries: setattr(entries, "cids", entries.cids[:40]),
        lambda entries: setattr(entries, "cids", entries.cids[:36]),
        lambda entries: setattr(entries, "is_dir", b"\x00"),
        lambda entries: setattr(entries, "sizes", [1]),
        lambda entries: setattr(entries, "content_sizes", []),
        lambda entries: setattr(entries, "items_counts", [0]),
        lambda entries: setattr(entries, "metadata", [0, 7]),
        lambda entries: setattr(entries, "different_metadata", []),
    ],
)
async def test_columns_that_do_not_go_together_are_the_hubs_fault(owner: Caller, spoil: object) -> None:
    bucket = await owner.create()
    await bucket.push("a", b"1")
    (short,) = await brief(bucket, "ListPath", pb.ListPathRequest(key=bucket.key))
    assert isinstance(short, pb.ListPathResponse)
    assert len(_convert.listing(short).item.items) == 2
    assert callable(spoil)
    spoil(short.entries)
    with pytest.raises(ProtocolError, match="columns|CID|cid"):
        _convert.listing(short)


ENTRIES = st.builds(
    Noted,
    st.integers(1, 2**62),
    st.dictionaries(st.sampled_from(["*", "a", "<&>"]), st.integers(0, 3), max_size=2),
    st.sampled_from(["", "key"]),
)
METADATA = st.dictionaries(st.sampled_from(["", "a", "a/b", "c", "ü<", '"q"']), ENTRIES, max_size=5)


def document(metadata: dict[str, Noted], at: int, root: Cid = ROOT) -> BucketDocument:
    return BucketDocument("k", "o", "n", 1, root, metadata, 1, at, archives={"history": []})


@given(METADATA, METADATA)
def test_a_patch_of_what_was_touched_leads_to_the_new_state(
    old: dict[str, Noted], new: dict[str, Noted]
) -> None:
    before, after = document(old, 1), document(new, 2, Cid.sha256(0x70, bytes(32)))
    touched = [path for path in old.keys() | new.keys() if old.get(path) != new.get(path)]
    body = merge(encode(before, 5), patch_between(before, after, touched, 6))
    assert decode(body) == after
    assert body == encode(after, 6)


def test_what_is_noted_of_a_document_holds_for_these_bytes_alone() -> None:
    decoder = Decoder()
    large = document({f"{n:05}": Noted(n) for n in range(1_000)}, 1)
    body = encode(large, 1)
    decoder.note(large, body)
    assert decoder.decode("k", body) is large
    later = encode(document(dict(large.metadata), 2), 2)
    assert decoder.decode("k", later).updated_at == 2
