"""Unmodified JavaScript clients at our hub: paths, roles, pushes given up, public and encrypted."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import pytest

from tests.interop.jsbuckets import Buckets, buckets_of
from tests.interop.jsclients import JsPair
from tests.interop.peer import Function, PeerError
from tests.trees import pull, whole
from textile_aio import Role

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.parametrize("encrypted", [False, True], ids=["public", "private"]),
]

SEED = ".textileseed"
BIG = os.urandom(400_000)
READER, WRITER = 1, 2


@pytest.fixture
async def buckets(js_pair: JsPair) -> Buckets:
    return await buckets_of(js_pair)


async def files_of(buckets: Buckets, key: str) -> dict[str, bytes]:
    tree = await whole(buckets.pair.ours, buckets.ctx, key)
    return {path: content for path, content in tree.files.items() if path != SEED}


def missing(encrypted: bool, name: str) -> str:
    """How a path is refused that is not there, as a pattern."""
    return "could not resolve path" if encrypted else f'no link named "{name}"'


async def test_a_bucket_of_a_kind(buckets: Buckets, encrypted: bool) -> None:
    made = await buckets.theirs.call("create", "things", {"encrypted": encrypted})
    key = made["root"]["key"]
    ours = await buckets.pair.ours.buckets.root(buckets.ctx, key)
    assert bool(ours.link_key) is encrypted
    assert await buckets.pulled(key, SEED) == made["seed"]
    listing = await buckets.theirs.call("listPath", key, "")
    assert [item["name"] for item in listing["item"]["items"]] == [SEED]
    links = await buckets.theirs.call("links", key, "")
    token = f"?token={buckets.ctx.token}" if encrypted else ""
    assert links["url"].endswith(f"/thread/{buckets.ctx.thread}/buckets/{key}{token}")
    assert links["ipns"].endswith(f"/ipns/{key}{token}")


async def test_files_are_pushed_one_by_one(buckets: Buckets, encrypted: bool) -> None:
    key = await buckets.create(encrypted=encrypted)
    files = {"a/b": BIG, "a/c": b"c", "\u00fc": b"u", "empty": b""}
    progress = buckets.pair.js.callback()
    for path, content in files.items():
        given: Any = content or {"path": path, "content": content}
        pushed = await buckets.theirs.call("pushPath", key, path, given, {"progress": progress})
        counts = [progress.calls.get_nowait()[0] for _ in range(progress.calls.qsize())]
        assert counts[-1] == len(content) + (84 if encrypted else 0)
        item = (await buckets.pair.ours.buckets.list_path(buckets.ctx, key, path)).item
        assert pushed["path"]["cid"] == str(item.cid)
        assert await buckets.pulled(key, path) == content
    assert await files_of(buckets, key) == files


async def test_files_are_pushed_together(buckets: Buckets, encrypted: bool) -> None:
    key = await buckets.create(encrypted=encrypted)
    # All are read at once, and their chunks come interleaved.
    source = """
        [...Array(20).keys()].map((number) => ({
          path: `d/${number}`,
          content: (async function * () {
            for (let part = 0; part < 5; part++) {
              await new Promise((resolve) => setImmediate(resolve))
              yield new Uint8Array(5000).fill(number)
            }
          })()
        }))
    """
    sent = await (await buckets.theirs.call("pushPaths", key, Function(source))).gather()
    assert {each["path"] for each in sent} == {f"d/{number}" for number in range(20)}
    assert await files_of(buckets, key) == {f"d/{number}": bytes([number]) * 25_000 for number in range(20)}
    root = (await buckets.pair.ours.buckets.root(buckets.ctx, key)).path
    assert sent[-1]["root"]["path"] == root
    sizes = {each["size"] for each in sent}
    assert sizes == {25_084 if encrypted else 25_000}


async def test_listings_of_any_depth(buckets: Buckets, encrypted: bool) -> None:
    key = await buckets.create(encrypted=encrypted)
    for path in ("top", "a/one", "a/b/two", "a/b/c/three"):
        await buckets.theirs.call("pushPath", key, path, b"x")
    deep = await buckets.theirs.call("listPath", key, "", 5)
    names = []

    def walk(items: list[Any], above: str) -> None:
        for item in items:
            names.append(above + item["name"])
            walk(item["items"], f"{above}{item['name']}/")

    walk(deep["item"]["items"], "")
    every = [SEED, "a", "a/b", "a/b/c", "a/b/c/three", "a/b/two", "a/one", "top"]
    assert sorted(names) == sorted(every)
    flat = await buckets.theirs.call("listPathFlat", key, "", True, 5)
    assert sorted(flat) == sorted(every)
    files = await buckets.theirs.call("listPathFlat", key, "a", False, 5)
    assert sorted(files) == ["a/b/c/three", "a/b/two", "a/one"]
    with pytest.raises(PeerError, match=missing(encrypted, "gone")):
        await buckets.theirs.call("listPath", key, "gone")


async def test_paths_are_moved(buckets: Buckets, encrypted: bool) -> None:
    key = await buckets.create(encrypted=encrypted)
    for path in ("root.txt", "a/b/c", "photos/one"):
        await buckets.theirs.call("pushPath", key, path, path.encode())
    await buckets.theirs.call("movePath", key, "root.txt", "root.txt.bak")
    await buckets.theirs.call("movePath", key, "a/b/c", "")
    await buckets.theirs.call("movePath", key, "photos", "photos2")
    assert await files_of(buckets, key) == {
        "root.txt.bak": b"root.txt", "c": b"a/b/c", "photos2/one": b"photos/one",
    }  # fmt: skip
    listing = await buckets.theirs.call("listPath", key, "a/b")
    assert (listing["item"]["isDir"], listing["item"]["items"]) == (True, [])
    with pytest.raises(PeerError, match="source is root directory"):
        await buckets.theirs.call("movePath", key, "", "x")
    with pytest.raises(PeerError, match=missing(encrypted, "photos")):
        await buckets.theirs.call("movePath", key, "photos", "x")


async def test_trees_are_set(buckets: Buckets, encrypted: bool) -> None:
    source = await buckets.create("source")
    for path in ("t/one", "t/d/two"):
        await buckets.theirs.call("pushPath", source, path, BIG)
    cid = (await buckets.theirs.call("listPath", source, "t"))["item"]["cid"]
    listed = await buckets.theirs.call("listIpfsPath", f"/ipfs/{cid}")
    assert [item["name"] for item in listed["items"]] == ["d", "one"]
    chunks = await buckets.theirs.call("pullIpfsPath", f"/ipfs/{cid}/one")
    assert b"".join(await chunks.gather()) == BIG

    made = await buckets.theirs.call("create", "made", {"encrypted": encrypted, "cid": cid})
    key = made["root"]["key"]
    assert await files_of(buckets, key) == {"one": BIG, "d/two": BIG}
    await buckets.theirs.call("setPath", key, "x/y", cid)
    assert await buckets.pulled(key, "x/y/d/two") == BIG
    await buckets.theirs.call("setPath", key, "", cid)
    assert await files_of(buckets, key) == {"one": BIG, "d/two": BIG}


async def test_roles_are_given_and_taken(buckets: Buckets, encrypted: bool) -> None:
    key = await buckets.create(encrypted=encrypted)
    for path in ("path/to/file2.jpg", "path/other"):
        await buckets.theirs.call("pushPath", key, path, b"1")
    friend, theirs = await buckets.as_another()
    if encrypted:
        with pytest.raises(PeerError, match="could not resolve path"):
            await theirs.pulled(key, "path/to/file2.jpg")
    assert await buckets.theirs.call("pullPathAccessRoles", key, "path/to/file2.jpg") == {}

    await buckets.grant(key, "path/to", {friend: READER})
    assert await theirs.pulled(key, "path/to/file2.jpg") == b"1"
    with pytest.raises(PeerError, match="permission denied"):
        await theirs.theirs.call("pushPath", key, "path/to/file2.jpg", b"2")
    await buckets.grant(key, "path/to", {friend: WRITER})
    roles = await buckets.pair.ours.buckets.pull_path_access_roles(buckets.ctx, key, "path/to")
    assert roles == {friend: Role.WRITER}
    await theirs.theirs.call("pushPath", key, "path/to/file2.jpg", b"3")
    assert await buckets.pulled(key, "path/to/file2.jpg") == b"3"
    for refused in (
        ("pushPath", key, "path/to/bobby.jpg", b"x"),
        ("removePath", key, "path/to/file2.jpg"),
    ):
        with pytest.raises(PeerError, match="permission denied"):
            await theirs.theirs.call(*refused)
    if encrypted:
        with pytest.raises(PeerError, match="could not resolve path"):
            await theirs.pulled(key, "path/other")
    await buckets.grant(key, "path/to", {friend: 0, "*": WRITER})
    await theirs.theirs.call("pushPath", key, "path/to/file2.jpg", b"4")
    assert await buckets.pulled(key, "path/to/file2.jpg") == b"4"
    everyone = await buckets.theirs.call("pullPathAccessRoles", key, "path/to")
    assert everyone == {"*": WRITER}


async def test_a_push_that_is_given_up_leaves_nothing(buckets: Buckets, encrypted: bool) -> None:
    key = await buckets.create(encrypted=encrypted)
    before = (await buckets.theirs.call("root", key))["path"]
    for method in ("pushPath", "pushPaths"):
        controller = await buckets.pair.js.call("util", "transferableAbortController")
        signal = await controller.get("signal")
        stalled = "(async function * () { yield new Uint8Array(600000); await new Promise(() => {}) })()"
        if method == "pushPath":
            progress = buckets.pair.js.callback()
            given = {"signal": signal, "progress": progress}
            pushing = buckets.theirs.call(method, key, "file1.jpg", Function(stalled), given)
            with pytest.raises(PeerError, match="aborted"):
                await given_up(pushing, progress, controller)
        else:
            # Their handler of the signal throws where nobody can catch it.
            buckets.pair.js.tolerated.append("aborted")
            files = Function(
                f"[{{ path: 'done', content: 'x' }}, {{ path: 'file1.jpg', content: {stalled} }}]"
            )
            sending = await buckets.theirs.call(method, key, files, {"signal": signal})
            assert (await sending.call("next"))["value"]["path"] == "done"
            await controller.call("abort")
        with pytest.raises(PeerError, match=missing(encrypted, "file1.jpg")):
            await buckets.theirs.call("listPath", key, "file1.jpg")
        assert (await buckets.theirs.call("root", key))["path"] == before
        # The bucket is free for the next one.
        await buckets.theirs.call("pushPath", key, "next", b"x")
        assert await pull(buckets.pair.ours, buckets.ctx, key, "next") == b"x"
        await buckets.theirs.call("removePath", key, "next")
        before = (await buckets.theirs.call("root", key))["path"]


async def given_up(pushing: Any, progress: Any, controller: Any) -> None:
    """Wait for the push that is given up as soon as it has come somewhere."""
    async with asyncio.TaskGroup() as group:

        async def abort() -> None:
            await progress.calls.get()
            await controller.call("abort")

        group.create_task(abort())
        try:
            await pushing
        except PeerError as error:
            failure = error
    raise failure


async def test_a_push_over_a_folder_takes_its_place(buckets: Buckets, encrypted: bool) -> None:
    key = await buckets.create(encrypted=encrypted)
    await buckets.theirs.call("pushPath", key, "a/b", b"1")
    await buckets.theirs.call("pushPath", key, "other", b"1")
    before = (await buckets.theirs.call("root", key))["path"]
    await buckets.theirs.call("pushPath", key, "a", b"2")
    listing = await buckets.theirs.call("listPath", key, "")
    assert [item["name"] for item in listing["item"]["items"]] == [SEED, "a", "other"]
    assert await buckets.pulled(key, "a") == b"2"
    with pytest.raises(PeerError, match=r"update is non-fast-forward$"):
        await buckets.theirs.call("removePath", key, "gone", {"root": before})
    with pytest.raises(PeerError, match="node is a directory"):
        await buckets.pulled(key, "")


async def test_archiving_is_disabled(buckets: Buckets, encrypted: bool) -> None:
    key = await buckets.create(encrypted=encrypted)
    assert (await buckets.theirs.call("archives", key))["history"] == []
    for method in ("archive", "defaultArchiveConfig"):
        with pytest.raises(PeerError, match="archiving feature is disabled"):
            await buckets.theirs.call(method, key)


async def test_a_bucket_is_got_or_created(buckets: Buckets, encrypted: bool) -> None:
    if buckets.pair.key is None:
        pytest.skip("asks the users service, which a bucket daemon has not got")
    options = {"threadName": "apps", "encrypted": encrypted}
    made = await buckets.theirs.call("getOrCreate", "app", options)
    assert await buckets.theirs.call("getOrCreate", "app", options) == made
    ctx = buckets.ctx.with_thread(made["threadID"])
    root = await buckets.pair.ours.buckets.root(ctx, made["root"]["key"])
    assert bool(root.link_key) is encrypted
