"""Textile's unmodified folder library for Go at our hub: folders and buckets have the same roots."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.interop.conftest import Pair
from tests.interop.gopeer import GoPeer, build
from tests.trees import pull, whole
from textile_aio import Identity, Role

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.parametrize("pair", ["user", "buckd"], indirect=True),
]
both = pytest.mark.parametrize("private", [False, True], ids=["public", "private"])

SEED = ".textileseed"
UP_TO_DATE = "everything up-to-date"
MIB = 1_048_576

TREES: dict[str, dict[str, int]] = {
    "nested": {"a/b/c/d/e": 10, "a/b/f": 20, "a/g": 30, "h": 40, "a.b/c": 5, "a-b/c": 5},
    "chunks": {"one": MIB + 1, "leaf": 262_144, "more": 262_145, "d/two": 3 * MIB},
    "large": {"d/file": 20 * MIB},
    "empty files": {"e": 0, "d/e": 0, "d/f/g": 0},
    "unicode": {"\u00fcml\u00e4ut/\u65e5\u672c\u8a9e.txt": 7, "\U0001f600": 3, "e\u0301": 2, "\u00e9": 4},
    "odd names": {"a b/c d": 1, "-": 2, "#?&%20": 3, "x" * 140: 4},
    "many": {f"{number % 7}/{number}": number for number in range(100)},
}


@pytest.fixture(scope="session")
def folders_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("go") is None:
        pytest.skip("needs go on the path")
    return build(tmp_path_factory.mktemp("folders"), "./folders")


class Folders:
    """The library as the caller of a pair."""

    def __init__(self, program: Path, pair: Pair) -> None:
        self.peer = GoPeer(program, pair.go.request)

    async def run(self, *steps: dict[str, Any]) -> list[dict[str, Any]]:
        done: list[dict[str, Any]] = await self.peer.run("steps", steps=list(steps))
        return done

    async def good(self, *steps: dict[str, Any]) -> list[dict[str, Any]]:
        done = await self.run(*steps)
        assert [each["error"] for each in done] == [""] * len(done)
        return done


@pytest.fixture
def folders(pair: Pair, folders_program: Path) -> Folders:
    return Folders(folders_program, pair)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty one, beside the hub's."""
    made = tmp_path / "folder"
    made.mkdir()
    return made


def fill(folder: Path, sizes: dict[str, int]) -> dict[str, bytes]:
    files = {}
    for path, size in sizes.items():
        files[path] = os.urandom(size)
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(files[path])
    return files


def on_disk(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    named = {path.relative_to(folder).as_posix(): path for path in found}
    return {
        name: path.read_bytes()
        for name, path in named.items()
        if not name.startswith(".textile/") and name != SEED
    }


async def in_bucket(pair: Pair, key: str) -> dict[str, bytes]:
    tree = await whole(pair.ours, pair.ctx, key)
    return {path: content for path, content in tree.files.items() if path != SEED}


def step(do: str, folder: Path, **more: Any) -> dict[str, Any]:
    return {"do": do, "folder": str(folder), **more}


@pytest.mark.parametrize("tree", TREES)
async def test_a_folder_and_its_bucket_have_one_root(
    pair: Pair, folders: Folders, folder: Path, tree: str
) -> None:
    files = fill(folder, TREES[tree])
    made, pushed, again = await folders.run(step("init", folder), step("push", folder), step("push", folder))
    assert (made["error"], pushed["error"], again["error"]) == ("", "", UP_TO_DATE)
    root = await pair.ours.buckets.root(pair.ctx, made["bucket"])
    assert pushed["local"] == pushed["remote"] == root.path.removeprefix("/ipfs/")
    assert sorted(pushed["events"]) == sorted(f"complete {path}" for path in files)
    assert await in_bucket(pair, made["bucket"]) == files
    # What we push of the same files has the same addresses.
    mine = await pair.ours.buckets.create(pair.ctx, "ours")
    sources = {path: folder / path for path in files}
    async with pair.ours.buckets.push_paths(pair.ctx, mine.key, sources) as sent:
        assert len([file async for file in sent]) == len(files)
    listings = [
        (await pair.ours.buckets.list_path(pair.ctx, key, "")).item.items
        for key in (made["bucket"], mine.key)
    ]
    theirs, ours = ({item.name: (item.cid, item.size) for item in items} for items in listings)
    del theirs[SEED], ours[SEED]
    assert theirs == ours


@both
async def test_changes_go_both_ways(pair: Pair, folders: Folders, tmp_path: Path, private: bool) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    files = fill(one, {"a/b": 100, "a/c": MIB + 1, "d": 0, "e/f/g": 5})
    made, pushed = await folders.good(step("init", one, private=private), step("push", one))
    key = made["bucket"]
    assert (pushed["local"] == pushed["remote"]) is not private
    await folders.good(step("init", two, bucket=key))
    assert on_disk(two) == files

    # The first folder changes, adds and removes.
    files["a/b"] = b"changed"
    files["a/new"] = b"new"
    del files["e/f/g"]
    (one / "a/b").write_bytes(b"changed")
    (one / "a/new").write_bytes(b"new")
    shutil.rmtree(one / "e")
    diff, pushed = await folders.good(step("diff", one), step("push", one))
    assert diff["changes"] == {"a/b": "modify", "a/new": "add", "e": "remove"}
    assert sorted(pushed["events"]) == ["complete a/b", "complete a/new", "removed e"]
    assert await in_bucket(pair, key) == files
    pulled, again = await folders.run(step("pull", two), step("pull", two))
    assert (pulled["error"], again["error"]) == ("", UP_TO_DATE)
    assert on_disk(two) == files
    assert pulled["remote"] == pushed["remote"]

    # We move and remove in between; both folders follow.
    await pair.ours.buckets.move_path(pair.ctx, key, "a/c", "moved/here")
    await pair.ours.buckets.remove_path(pair.ctx, key, "d")
    files["moved/here"] = files.pop("a/c")
    del files["d"]
    await folders.good(step("pull", one), step("pull", two))
    assert on_disk(one) == on_disk(two) == files

    # A folder that is behind may not push over what it has not seen.
    await pair.ours.buckets.push_path(pair.ctx, key, "by us", b"ours")
    (one / "by them").write_bytes(b"theirs")
    (behind,) = await folders.run(step("push", one))
    assert "update is non-fast-forward" in behind["error"]
    await folders.good(step("pull", one), step("push", one))
    files |= {"by us": b"ours", "by them": b"theirs"}
    assert await in_bucket(pair, key) == on_disk(one) == files


@both
async def test_what_was_changed_here_can_be_given_up(
    pair: Pair, folders: Folders, folder: Path, private: bool
) -> None:
    files = fill(folder, {"a/b": 100, "c": 10})
    await folders.good(step("init", folder, private=private), step("push", folder))
    (folder / "c").write_bytes(b"lost")
    (folder / "extra").write_bytes(b"lost")
    (folder / "a/b").unlink()
    await folders.good(step("pull", folder, hard=True))
    assert on_disk(folder) == files


@both
async def test_roles_of_a_folder(pair: Pair, folders: Folders, folder: Path, private: bool) -> None:
    files = fill(folder, {"a/b": 100, "c": 300_000})
    identity = Identity.generate()
    friend = pair.ctx.with_token(await pair.ours.threads.get_token(pair.ctx, identity))
    made, _, granted = await folders.good(
        step("init", folder, private=private), step("push", folder),
        step("grant", folder, path="a", roles={str(identity.public): 2}),
    )  # fmt: skip
    key = made["bucket"]
    assert granted["roles"] == {str(identity.public): 2}
    assert await pair.ours.buckets.pull_path_access_roles(pair.ctx, key, "a") == {
        str(identity.public): Role.WRITER
    }
    assert await pull(pair.ours, friend, key, "a/b") == files["a/b"]
    await pair.ours.buckets.push_path(friend, key, "a/b", b"theirs")
    await folders.good(step("pull", folder))
    assert on_disk(folder) == {**files, "a/b": b"theirs"}


@both
async def test_a_folder_is_destroyed_with_its_bucket(
    pair: Pair, folders: Folders, folder: Path, private: bool
) -> None:
    fill(folder, {"a": 1})
    made, _, gone = await folders.good(
        step("init", folder, private=private), step("push", folder), step("destroy", folder)
    )
    assert made["bucket"]
    assert gone["error"] == ""
    assert await pair.ours.buckets.list(pair.ctx) == []
    (again,) = await folders.run(step("push", folder))
    assert again["error"].startswith("not a bucket")
