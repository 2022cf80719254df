"""Unmodified JavaScript clients at our hub: buckets, pushed and pulled through the gRPC-web door."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.interop.jsbuckets import Buckets, buckets_of
from tests.interop.jsclients import JsPair
from tests.interop.peer import PeerError
from tests.trees import pull, whole
from textile_aio import NotFound

pytestmark = pytest.mark.timeout(180)

SIZES = [1, 1024, 32_768, 262_144, 262_145, 1_048_576 + 7]


@pytest.fixture
async def buckets(js_pair: JsPair) -> Buckets:
    return await buckets_of(js_pair)


def contents() -> dict[str, bytes]:
    return {f"a folder/{n % 3}/f\u00fcnf {n}.bin": os.urandom(size) for n, size in enumerate(SIZES)}


def seen(root: Any) -> dict[str, Any]:
    """A root of ours as they print it."""
    return {
        "key": root.key,
        "name": root.name,
        "path": root.path,
        "thread": str(root.thread),
        # Nanoseconds are more than a number of JavaScript holds.
        "createdAt": float(root.created_at_ns),
        "updatedAt": float(root.updated_at_ns),
    }


async def test_a_bucket_is_the_same_to_both(buckets: Buckets) -> None:
    made = await buckets.theirs.call("create", "things")
    key = made["root"]["key"]
    root = await buckets.pair.ours.buckets.root(buckets.ctx, key)
    told = made["root"]
    for name in ("createdAt", "updatedAt"):
        told[name] = float(told[name])
    assert told == {**told, **seen(root)}
    assert await pull(buckets.pair.ours, buckets.ctx, key, ".textileseed") == made["seed"]
    assert await buckets.pulled(key, ".textileseed") == made["seed"]
    links = await buckets.pair.ours.buckets.links(buckets.ctx, key)
    assert made["links"] == {"url": links.url, "www": links.www, "ipns": links.ipns}
    assert await buckets.theirs.call("links", key) == made["links"]

    mine = await buckets.pair.ours.buckets.create(buckets.ctx, "ours")
    listed = await buckets.theirs.call("list")
    assert {each["key"] for each in listed} == {key, mine.key}
    assert (await buckets.theirs.call("root", mine.key))["path"] == mine.root.path
    for each in (key, mine.key):
        await buckets.theirs.call("remove", each)
    assert await buckets.theirs.call("list") == []
    with pytest.raises(NotFound):
        await buckets.pair.ours.buckets.root(buckets.ctx, key)
    with pytest.raises(PeerError, match="instance not found"):
        await buckets.theirs.call("root", key)


async def test_files_pushed_one_by_one(buckets: Buckets) -> None:
    key = await buckets.create()
    files = contents()
    progress = buckets.pair.js.callback()
    for path, content in files.items():
        pushed = await buckets.theirs.call("pushPath", key, path, content, {"progress": progress})
        assert await pull(buckets.pair.ours, buckets.ctx, key, path) == content
        item = (await buckets.pair.ours.buckets.list_path(buckets.ctx, key, path)).item
        assert pushed["path"]["cid"] == str(item.cid)
        assert pushed["root"] == (await buckets.pair.ours.buckets.root(buckets.ctx, key)).path
        assert await buckets.pulled(key, path) == content
    assert not progress.calls.empty()
    paths = await buckets.theirs.call("listPathFlat", key, "", False)
    assert sorted(paths) == sorted([".textileseed", *files])


async def test_files_pushed_together(buckets: Buckets) -> None:
    key = await buckets.create()
    files = contents()
    given = [{"path": path, "content": content} for path, content in files.items()]
    results = await (await buckets.theirs.call("pushPaths", key, given)).gather()
    assert {each["path"] for each in results} == set(files)
    tree = await whole(buckets.pair.ours, buckets.ctx, key)
    assert {path: content for path, content in tree.files.items() if path != ".textileseed"} == files
    assert results[-1]["root"]["path"] == (await buckets.pair.ours.buckets.root(buckets.ctx, key)).path
    for path, content in files.items():
        assert await buckets.pulled(key, path) == content


async def test_an_empty_file(buckets: Buckets) -> None:
    key = await buckets.create()
    pushed = await buckets.theirs.call("pushPath", key, "empty", {"path": "empty", "content": b""})
    assert pushed["root"] == (await buckets.pair.ours.buckets.root(buckets.ctx, key)).path
    assert await buckets.pulled(key, "empty") == b""


async def test_what_we_push_and_they_pull(buckets: Buckets) -> None:
    key = await buckets.create()
    files = contents()
    for path, content in files.items():
        await buckets.pair.ours.buckets.push_path(buckets.ctx, key, path, content)
    progress = buckets.pair.js.callback()
    for path, content in files.items():
        chunks = await buckets.theirs.call("pullPath", key, path, {"progress": progress})
        assert b"".join(await chunks.gather()) == content
    listing = await buckets.theirs.call("listPath", key, "a folder")
    ours = await buckets.pair.ours.buckets.list_path(buckets.ctx, key, "a folder")
    assert listing["item"]["cid"] == str(ours.item.cid)
    assert [(item["name"], item["isDir"]) for item in listing["item"]["items"]] == [
        (item.name, item.is_dir) for item in ours.item.items
    ]


async def test_paths_are_removed(buckets: Buckets) -> None:
    key = await buckets.create()
    await buckets.theirs.call("pushPath", key, "a/b.txt", b"text")
    await buckets.theirs.call("removePath", key, "a")
    assert (await whole(buckets.pair.ours, buckets.ctx, key)).directories == set()
    with pytest.raises(PeerError, match="no link named"):
        await buckets.pulled(key, "a/b.txt")


async def test_a_push_onto_an_old_root_is_refused(buckets: Buckets) -> None:
    key = await buckets.create()
    old = (await buckets.theirs.call("root", key))["path"]
    await buckets.theirs.call("pushPath", key, "a.txt", b"one")
    with pytest.raises(PeerError, match="update is non-fast-forward"):
        await buckets.theirs.call("pushPath", key, "a.txt", b"two", {"root": old})
    assert await buckets.pulled(key, "a.txt") == b"one"


async def test_a_bucket_is_got_or_created(buckets: Buckets) -> None:
    if buckets.pair.key is None:
        pytest.skip("asks the users service, which a bucket daemon has not got")
    made = await buckets.theirs.call("getOrCreate", "app", {"threadName": "elsewhere"})
    again = await buckets.theirs.call("getOrCreate", "app", {"threadName": "elsewhere"})
    assert made == again
    assert made["root"]["thread"] == made["threadID"]
    assert made["threadID"] != str(buckets.ctx.thread)
    other = await buckets.theirs.call("getOrCreate", "app", {"threadID": str(buckets.ctx.thread)})
    assert other["threadID"] == str(buckets.ctx.thread)
    assert other["root"]["key"] != made["root"]["key"]
    everything = await buckets.theirs.call("existing")
    assert {each["key"] for each in everything} == {made["root"]["key"], other["root"]["key"]}
