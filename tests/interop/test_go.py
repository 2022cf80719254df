"""Textile's unmodified Go clients at our hub, beside our own client: both see the same.

The first run fetches and compiles all their modules, which takes minutes.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.interop.conftest import KINDS, Pair
from tests.interop.gopeer import OK, outcome
from tests.trees import pull, whole
from textile_aio import NotFound, NotThreadOwner, Root, ThreadNotFound
from textile_aio.buckets.values import Links, PathItem
from textile_aio.threaddb.databases import NAME_RULE

pytestmark = pytest.mark.timeout(900)
as_everybody = pytest.mark.parametrize("pair", KINDS, indirect=True)

SIZES = [0, 1, 32_768, 262_144, 262_145, 3 * 1_048_576 + 7]
MIB = 1_048_576


@pytest.fixture
def files(tmp_path: Path) -> list[dict[str, str]]:
    """Files of all sizes that matter, some in folders."""
    folder = tmp_path / "files"
    folder.mkdir()
    made = []
    for number, size in enumerate(SIZES):
        local = folder / f"{number}"
        local.write_bytes(os.urandom(size))
        made.append({"path": f"a folder/{number % 3}/f\u00fcnf {number}.bin", "local": str(local)})
    return made


def seen(root: Root) -> dict[str, Any]:
    """A root of ours as the Go program prints them."""
    return {
        "key": root.key,
        "name": root.name,
        "path": root.path,
        "owner": str(root.owner or ""),
        "thread": str(root.thread),
        "version": root.version,
        "created_at": root.created_at_ns,
        "updated_at": root.updated_at_ns,
        "roles": {who: int(role) for who, role in root.metadata.roles.items()} if root.metadata else {},
    }


def item_seen(item: PathItem) -> dict[str, Any]:
    return {
        "cid": str(item.cid),
        "name": item.name,
        "path": item.path,
        "size": item.size,
        "is_dir": item.is_dir,
        "count": item.items_count,
        "items": [item_seen(child) for child in item.items],
    }


def links_seen(links: Links) -> dict[str, str]:
    return {"url": links.url, "www": links.www, "ipns": links.ipns}


@as_everybody
async def test_a_database_is_the_same_to_both(pair: Pair) -> None:
    told = await pair.go.run("inspect")
    info = await pair.ours.threads.get_db_info(pair.ctx)
    assert info.key is not None
    assert (told["name"], told["key"]) == (info.name, info.key.to_string())
    assert told["name"] == "photos"
    assert told["addresses"] == [str(address) for address in info.addrs]
    if pair.kind == "buckd":
        assert told["databases"] == [pair.prepared["thread"]]
    else:
        expected = {"id": pair.prepared["thread"], "name": "photos", "is_db": True}
        assert told["named"] == expected
        assert told["threads"] == [expected]
        (listed,) = await pair.ours.users.list_threads(pair.ctx)
        assert {"id": str(listed.id), "name": listed.name, "is_db": listed.is_db} == expected

    assert outcome(await pair.go.run("delete_db")) == OK
    gone = ThreadNotFound if pair.kind == "buckd" else NotThreadOwner
    with pytest.raises(gone):
        await pair.ours.threads.get_db_info(pair.ctx)


@pytest.mark.parametrize("pair", ["user", "buckd"], indirect=True)
async def test_databases_of_every_kind(pair: Pair) -> None:
    told = await pair.go.run("databases")
    refused = {
        "the same id": "E11000 duplicate key error" if pair.kind == "user" else "db already exists",
        "a service key": "thread read key is required",
        "a bad name": NAME_RULE,
    }
    assert set(refused) < set(told)
    for name, made in told.items():
        code, text = outcome(made)
        if name in refused:
            assert code == "UNKNOWN", name
            assert refused[name] in text
        else:
            assert (code, text, made["key"]) == ("OK", "", made["given"]), name


@as_everybody
async def test_a_bucket_is_the_same_to_both(pair: Pair) -> None:
    made = await pair.go.run("create", name="things")
    key = made["root"]["key"]
    assert made["root"] == seen(await pair.ours.buckets.root(pair.ctx, key))
    assert made["links"] == links_seen(await pair.ours.buckets.links(pair.ctx, key))
    assert (await pull(pair.ours, pair.ctx, key, ".textileseed")).hex() == made["seed"]
    listing = await pair.ours.buckets.list_path(pair.ctx, key)
    assert [(item.name, str(item.cid)) for item in listing.item.items] == [(".textileseed", made["seed_cid"])]

    mine = await pair.ours.buckets.create(pair.ctx, "ours")
    told = await pair.go.run("read", bucket=mine.key, paths=[""])
    assert told["root"] == seen(mine.root)
    assert told["items"] == {"": item_seen((await pair.ours.buckets.list_path(pair.ctx, mine.key)).item)}
    assert told["links"] == {"": links_seen(mine.links)}
    assert told["roots"] == [seen(root) for root in await pair.ours.buckets.list(pair.ctx)]
    assert {root["key"] for root in told["roots"]} == {key, mine.key}

    for each in (key, mine.key):
        assert outcome(await pair.go.run("remove", bucket=each)) == OK
    assert await pair.ours.buckets.list(pair.ctx) == []
    assert outcome(await pair.go.run("delete_db")) == OK


@as_everybody
async def test_files_pushed_one_by_one(pair: Pair, files: list[dict[str, str]]) -> None:
    pair = await pair.with_bucket()
    pushed = await pair.go.run("push", files=files)
    for file, told in zip(files, pushed, strict=True):
        content = Path(file["local"]).read_bytes()
        assert told["progress"] == sorted(told["progress"])
        assert told["progress"][-1] == len(content)
        assert await pull(pair.ours, pair.ctx, pair.bucket, file["path"]) == content
        item = (await pair.ours.buckets.list_path(pair.ctx, pair.bucket, file["path"])).item
        assert told["cid"] == str(item.cid)
    assert pushed[-1]["root"] == (await pair.ours.buckets.root(pair.ctx, pair.bucket)).path
    await both_read_the_same(pair, files)


@as_everybody
async def test_files_pushed_together(pair: Pair, files: list[dict[str, str]]) -> None:
    pair = await pair.with_bucket()
    told = await pair.go.run("push_paths", files=files)
    size = sum(SIZES)
    assert (told["size"], told["complete"]) == (size, size)
    assert told["progress"][-1] == size
    assert [file["path"] for file in told["files"]] == [file["path"] for file in files]
    assert told["files"][-1]["root"] == (await pair.ours.buckets.root(pair.ctx, pair.bucket)).path
    for file, pushed in zip(files, told["files"], strict=True):
        item = (await pair.ours.buckets.list_path(pair.ctx, pair.bucket, file["path"])).item
        assert (pushed["cid"], pushed["size"]) == (str(item.cid), item.size)
    await both_read_the_same(pair, files)


async def test_both_clients_make_the_same_tree(pair: Pair, files: list[dict[str, str]]) -> None:
    theirs = await pair.with_bucket()
    await theirs.go.run("push", files=files)
    mine = await pair.ours.buckets.create(pair.ctx, "ours")
    sources = {file["path"]: Path(file["local"]) for file in files}
    async with pair.ours.buckets.push_paths(pair.ctx, mine.key, sources) as pushed:
        assert len([file async for file in pushed]) == len(files)
    # The roots differ by their seeds; the folders below are alike.
    trees = [
        (await pair.ours.buckets.list_path(pair.ctx, key, "a folder")).item
        for key in (theirs.bucket, mine.key)
    ]
    assert trees[0].cid == trees[1].cid


async def test_what_we_push_and_they_pull(
    bucket_pair: Pair, files: list[dict[str, str]], tmp_path: Path
) -> None:
    pair = bucket_pair
    for file in files:
        await pair.ours.buckets.push_path(pair.ctx, pair.bucket, file["path"], Path(file["local"]))
    await both_read_the_same(pair, files)
    targets = [{**file, "local": str(tmp_path / f"pulled {n}")} for n, file in enumerate(files)]
    pulled = await pair.go.run("pull", files=targets)
    for file, target, told in zip(files, targets, pulled, strict=True):
        content = Path(file["local"]).read_bytes()
        assert Path(target["local"]).read_bytes() == content
        assert told["progress"][-1:] == ([len(content)] if content else told["progress"])


async def both_read_the_same(pair: Pair, files: list[dict[str, str]]) -> None:
    paths = ["", "a folder", "a folder/0", *(file["path"] for file in files)]
    told = await pair.go.run("read", paths=paths)
    assert told["root"] == seen(await pair.ours.buckets.root(pair.ctx, pair.bucket))
    for path in paths:
        listing = await pair.ours.buckets.list_path(pair.ctx, pair.bucket, path)
        assert told["items"][path] == item_seen(listing.item)
        assert told["links"][path] == links_seen(await pair.ours.buckets.links(pair.ctx, pair.bucket, path))


@as_everybody
async def test_paths_and_buckets_are_removed(pair: Pair, files: list[dict[str, str]]) -> None:
    pair = await pair.with_bucket()
    await pair.go.run("push_paths", files=files)
    removed = await pair.go.run("remove_path", paths=[files[0]["path"], "a folder/1"])
    assert removed[-1] == (await pair.ours.buckets.root(pair.ctx, pair.bucket)).path
    tree = await whole(pair.ours, pair.ctx, pair.bucket)
    kept = [file for number, file in enumerate(files) if number and number % 3 != 1]
    assert tree.files == {file["path"]: Path(file["local"]).read_bytes() for file in kept}
    assert tree.directories == {"a folder", "a folder/0", "a folder/2"}
    assert outcome(await pair.go.run("remove")) == OK
    with pytest.raises(NotFound, match="instance not found"):
        await pair.ours.buckets.root(pair.ctx, pair.bucket)


async def test_overwriting_files_and_folders(bucket_pair: Pair) -> None:
    """As the upstream tests of PushPath and PushPaths do it, one step further."""
    states = await bucket_pair.go.run("overwrites")
    contents = ["first", "seeya", "a file now", "gone"]
    with_push_path = [([".textileseed", "0"], content) for content in contents]
    with_push_paths = [([".textileseed", "0", "1"], content) for content in contents]
    assert [(state["names"], state["content"]) for state in states] == with_push_path + with_push_paths
