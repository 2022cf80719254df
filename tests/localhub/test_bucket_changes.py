"""Paths set and moved, in public and private buckets, where upstream loses data. Spec: buckets-api §8."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.localhub.people import BUCKETS, Person, Scene, person
from tests.localhub.raw import call, outcome
from textile_aio import Cid
from textile_aio._proto.api.bucketsd import pb
from textile_aio.localhub import HubSettings, LocalHub
from textile_aio.localhub.buckets import transplanting
from textile_aio.unixfs import Block, Directory, FileImporter


@pytest.fixture(params=["public", "private"])
async def scene(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Scene]:
    async with LocalHub.open(tmp_path / "hub", HubSettings(mode="buckd", port=0)) as hub:
        owner, thread = await person(hub)
        other, _ = await person(hub, thread)
        created = await owner.call("Create", pb.CreateRequest(private=request.param == "private"))
        yield Scene(hub, tmp_path / "hub", owner, other, created.root.key)


async def fill(scene: Scene, *paths: str) -> None:
    for path in paths:
        await scene.owner.push(scene.key, path, path.encode())


async def move(scene: Scene, source: str, target: str) -> tuple[str, str]:
    request = pb.MovePathRequest(key=scene.key, from_path=source, to_path=target)
    return await scene.owner.outcome("MovePath", request)


async def contents(scene: Scene) -> dict[str, str]:
    return {path: content.decode() for path, content in (await scene.files(scene.owner)).items()}


@pytest.mark.parametrize(
    ("before", "source", "target", "after"),
    [
        (["a"], "a", "b", {"b": "a"}),
        (["a"], "/a", "/d/e/b", {"d/e/b": "a"}),
        (["a", "b"], "a", "b", {"b": "a"}),
        (["a", "d/x"], "a", "d", {"d/a": "a", "d/x": "d/x"}),
        (["a/b/c"], "a/b/c", "", {"c": "a/b/c"}),
        (["abc"], "abc", "ab", {"ab": "abc"}),
        (["a.txt"], "a.txt", "a.txt.bak", {"a.txt.bak": "a.txt"}),
        (["photos/1", "photos/2"], "photos", "photos2", {"photos2/1": "photos/1", "photos2/2": "photos/2"}),
        (["photos2/1"], "photos2", "photos", {"photos/1": "photos2/1"}),
        (["a/1", "a/2/3"], "a", "a/b", {"a/b/1": "a/1", "a/b/2/3": "a/2/3"}),
        (["a/1", "a/b/2"], "a", "a/b", {"a/b/a/1": "a/1", "a/b/a/b/2": "a/b/2"}),
        (["a/1", "a/2/3"], "a", "a/b/c", {"a/b/c/1": "a/1", "a/b/c/2/3": "a/2/3"}),
        (["a/b", "c/d"], "a", "c", {"c/a/b": "a/b", "c/d": "c/d"}),
        (["a/b"], "a/b", "a", {"a/b": "a/b"}),
        (["a"], "a", "a", {"a": "a"}),
    ],
)
async def test_a_move_loses_nothing(
    scene: Scene, before: list[str], source: str, target: str, after: dict[str, str]
) -> None:
    await fill(scene, *before)
    assert await move(scene, source, target) == ("OK", "")
    assert await contents(scene) == after


async def test_directories_stay_when_they_are_empty(scene: Scene) -> None:
    await fill(scene, "a/b/c")
    await move(scene, "a/b/c", "")
    assert (await scene.owner.list(scene.key, "a/b")).items == []
    assert not [item for item in (await scene.owner.list(scene.key)).items if item.name == "b"]


@pytest.mark.parametrize(
    ("source", "target", "text"),
    [
        ("", "x", "source is root directory"),
        ("/", "x", "source is root directory"),
        ("d", "f", "not a directory"),
        ("f", "f/g", "expected protobuf dag node"),
        ("d", "f/g", "expected protobuf dag node"),
        ("a//b", "x", "paths with empty, . or .. segments are not allowed"),
        (".textileseed", "x", "paths containing .textileseed are not allowed"),
        ("f", "x/.textileseed", "paths containing .textileseed are not allowed"),
    ],
)
async def test_a_move_that_cannot_be_leaves_all_as_it_was(
    scene: Scene, source: str, target: str, text: str
) -> None:
    await fill(scene, "d/1", "f")
    root = (await scene.owner.root(scene.key)).path
    assert await move(scene, source, target) == ("UNKNOWN", text)
    assert (await scene.owner.root(scene.key)).path == root


async def test_what_is_not_there_is_not_moved(scene: Scene) -> None:
    root = await scene.owner.root(scene.key)
    code, text = await move(scene, "nothing", "x")
    private = f"could not resolve path: {root.path}/nothing"
    public = f'no link named "nothing" under {root.path.removeprefix("/ipfs/")}'
    assert (code, text) == ("UNKNOWN", private if root.link_key else public)


async def test_roles_stay_where_they_were_set(scene: Scene) -> None:
    await fill(scene, "d/f", "d/g")
    await scene.owner.roles(scene.key, "d/f", **{scene.other.name: 3})
    await move(scene, "d/f", "d/h")
    code, text = await scene.other.try_push(scene.key, "d/h")
    assert (code, "permission denied" in text) == ("UNKNOWN", True)
    root = await scene.owner.root(scene.key)
    assert root.path_metadata["d/h"].roles == {}
    assert root.path_metadata["d/f"].roles == {scene.other.name: 3}


async def test_an_admin_of_the_parent_writes_what_was_moved(scene: Scene) -> None:
    await fill(scene, "moving/file1", "moving/file2")
    await scene.owner.roles(scene.key, "moving", **{scene.other.name: 3})
    await move(scene, "moving/file1", "moving/file3")
    assert await scene.other.try_push(scene.key, "moving/file3") == ("OK", "")


async def test_strangers_move_nothing(scene: Scene) -> None:
    await fill(scene, "a")
    request = pb.MovePathRequest(key=scene.key, from_path="a", to_path="b")
    code, text = await scene.other.outcome("MovePath", request)
    assert (code, text.startswith("verifying bucket update: ")) == ("UNKNOWN", True)
    assert "permission denied" in text
    assert await contents(scene) == {"a": "a"}


async def test_a_writer_overwrites_and_adds_nothing(scene: Scene) -> None:
    await fill(scene, "path/to/file1", "path/to/file2")
    await scene.owner.roles(scene.key, "path/to", **{scene.other.name: 2})
    assert await scene.other.try_push(scene.key, "path/to/file2") == ("OK", "")
    code, text = await scene.other.try_push(scene.key, "path/to/bobby")
    assert (code, "permission denied" in text) == ("UNKNOWN", True)
    request = pb.RemovePathRequest(key=scene.key, path="path/to/file2")
    code, text = await scene.other.outcome("RemovePath", request)
    assert (code, "permission denied" in text) == ("UNKNOWN", True)


async def test_roles_that_are_none_are_refused(scene: Scene) -> None:
    await fill(scene, "a")
    assert await scene.owner.roles(scene.key, "a", **{"*": 7}) == ("UNKNOWN", "unknown path access role 7")
    code, text = await scene.owner.roles(scene.key, "a", nobody=1)
    assert (code, text.startswith("unmarshaling role public key: ")) == ("UNKNOWN", True)
    assert (await scene.owner.roles(scene.key, "missing", **{"*": 1}))[0] == "UNKNOWN"


def blocks_of(content: bytes, **settings: bool) -> tuple[Cid, int, list[Block]]:
    importer = FileImporter(**settings)
    blocks = importer.feed(content)
    file, last = importer.finish()
    return file.cid, file.cumulative_size, blocks + last


async def store(scene: Scene, blocks: list[Block]) -> None:
    assert scene.hub._blocks is not None
    async with scene.hub._blocks.batch(keep=True) as batch:
        await batch.put(blocks)


async def test_files_in_one_node_and_equal_files_are_taken_in_whole(scene: Scene) -> None:
    """Upstream makes empty directories of the former, and one name of the latter."""
    directory = Directory()
    made: list[Block] = []
    for name, content in (("node", b"in a node"), ("one", b"equal"), ("two", b"equal")):
        cid, size, blocks = blocks_of(content, raw_leaves=False)
        directory.set(name, cid, size)
        made += blocks
    root = directory.encode(1)
    await store(scene, [*made, root])
    request = pb.SetPathRequest(key=scene.key, path="in", cid=str(root.cid))
    assert await scene.owner.outcome("SetPath", request) == ("OK", "")
    assert await contents(scene) == {"in/node": "in a node", "in/one": "equal", "in/two": "equal"}


async def test_what_is_set_at_the_root_is_the_bucket_with_a_new_seed(scene: Scene) -> None:
    await fill(scene, "old/1")
    seed = await scene.owner.pull(scene.key, ".textileseed")
    directory = Directory()
    cid, size, blocks = blocks_of(b"new")
    directory.set("new", cid, size)
    root = directory.encode(1)
    await store(scene, [*blocks, root])
    request = pb.SetPathRequest(key=scene.key, path="", cid=str(root.cid))
    assert await scene.owner.outcome("SetPath", request) == ("OK", "")
    assert await contents(scene) == {"new": "new"}
    fresh = await scene.owner.pull(scene.key, ".textileseed")
    assert (len(fresh), fresh != seed) == (32, True)


async def test_what_is_not_here_is_not_fetched(scene: Scene) -> None:
    absent = str(Cid.sha256(0x70, b"\1" * 32))
    request = pb.SetPathRequest(key=scene.key, path="x", cid=absent)
    code, text = await scene.owner.outcome("SetPath", request)
    assert code == "UNKNOWN"
    assert text.startswith(f"resolving remote path: block {absent} is not at this hub")
    code, text = await scene.owner.outcome("SetPath", pb.SetPathRequest(key=scene.key, path="x", cid="no"))
    assert (code, text.startswith("invalid remote cid: ")) == ("UNKNOWN", True)


async def test_what_is_under_any_root_is_listed_and_pulled() -> None:
    async with LocalHub.in_memory(HubSettings(mode="buckd", port=0)) as hub:
        owner, _ = await person(hub)
        key = (await owner.call("Create", pb.CreateRequest())).root.key
        await owner.push(key, "d/f", b"content")
        root = (await owner.root(key)).path
        for path in (f"{root}/d", f"{root.removeprefix('/ipfs/')}/d", f"{root}/d/"):
            item = (await nobody(owner, "ListIpfsPath", pb.ListIpfsPathRequest(path=path))).item
            assert (item.name, item.is_dir, [each.name for each in item.items]) == ("d", True, ["f"])
            assert item.items[0].path == f"{root}/d/f"
        pulled = await nobody(owner, "PullIpfsPath", pb.PullIpfsPathRequest(path=f"{root}/d/f"))
        assert pulled.chunk == b"content"
        for method, request in (
            ("ListIpfsPath", pb.ListIpfsPathRequest(path="nonsense")),
            ("PullIpfsPath", pb.PullIpfsPathRequest(path="/ipfs/")),
        ):
            code, text = await outcome(owner.target, BUCKETS + method, {}, request)
            assert (code, text.startswith("invalid path ")) == ("UNKNOWN", True)


async def nobody(owner: Person, method: str, request: Any) -> Any:
    (reply,) = await call(owner.target, BUCKETS + method, {}, request)
    return reply


async def test_archives_are_empty_and_archiving_is_disabled() -> None:
    async with LocalHub.in_memory(HubSettings(mode="buckd", port=0)) as hub:
        owner, _ = await person(hub)
        key = (await owner.call("Create", pb.CreateRequest())).root.key
        archives = await owner.call("Archives", pb.ArchivesRequest(key=key))
        assert (archives.current, archives.history) == (None, [])
        for method in ("DefaultArchiveConfig", "SetDefaultArchiveConfig", "Archive", "ArchiveWatch"):
            assert await owner.outcome(method) == ("UNKNOWN", "archiving feature is disabled")
        assert await outcome(owner.target, BUCKETS + "Archive", {}) == ("UNKNOWN", "db required")


async def test_leaves_that_are_here_stand_for_their_bytes() -> None:
    async with LocalHub.in_memory(HubSettings(mode="buckd", port=0)) as hub:
        owner, _ = await person(hub)
        key = (await owner.call("Create", pb.CreateRequest())).root.key
        leaf = bytes(range(256)) * 1024
        await owner.push(key, "a", leaf + leaf + b"end")
        cid = Cid.sha256(0x55, hashlib.sha256(leaf).digest())
        header = pb.PushPathRequest(header=pb.PushPathRequestHeader(key=key, path="b", keep=True))
        leaves = pb.PushPathRequest(leaves=pb.PushPathRequestLeaves(cids=[cid.bytes, cid.bytes]))
        tail = pb.PushPathRequest(chunk=b"end")
        event = (await owner.call("PushPath", header, leaves, tail)).event
        assert event.path == "/ipfs/" + (await owner.list(key, "a")).cid
        assert await owner.pull(key, "b") == leaf + leaf + b"end"
        absent = Cid.sha256(0x55, bytes(32))
        wrong = pb.PushPathRequest(leaves=pb.PushPathRequestLeaves(cids=[absent.bytes]))
        assert await owner.outcome("PushPath", header, wrong) == (
            "FAILED_PRECONDITION",
            f"block {absent} is not here",
        )
        assert (await owner.outcome("PushPath", header, tail, leaves))[0] != "OK"
        short = Cid.sha256(0x55, hashlib.sha256(b"end").digest())
        wrong = pb.PushPathRequest(leaves=pb.PushPathRequestLeaves(cids=[short.bytes]))
        assert (await owner.outcome("PushPath", header, wrong))[0] == "INVALID_ARGUMENT"


async def test_a_tree_that_unfolds_without_end_is_not_taken_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transplanting, "MOST_ITEMS", 1_000)
    async with LocalHub.in_memory(HubSettings(mode="buckd", port=0)) as hub:
        owner, _ = await person(hub)
        created = await owner.call("Create", pb.CreateRequest(private=True))
        scene = Scene(hub, Path(), owner, owner, created.root.key)
        cid, size, blocks = blocks_of(b"laugh")
        for _ in range(40):
            directory = Directory()
            for name in ("one", "two"):
                directory.set(name, cid, size)
            block = directory.encode(1)
            blocks.append(block)
            cid, size = block.cid, 1
        await store(scene, blocks)
        request = pb.SetPathRequest(key=scene.key, path="x", cid=str(cid))
        code, text = await owner.outcome("SetPath", request)
        assert (code, "more than 1000 files" in text) == ("UNKNOWN", True)
        assert await contents(scene) == {}
