"""Copies, moves, removals, directories."""

from __future__ import annotations

import pytest

import textile_aio
from textile_aio import AuthContext, InvalidPath, Role
from textile_aio.fs import BucketFileSystem
from textile_aio.pytest_plugin import HubThread


@pytest.fixture
def tree(fs: BucketFileSystem, key: str) -> str:
    fs.pipe({f"{key}/{name}": name.encode() for name in ("a.txt", "d/b.txt", "d/e/c.bin")})
    return key


def test_a_file_moves_to_a_name_or_into_a_directory(fs: BucketFileSystem, tree: str) -> None:
    fs.mv(f"{tree}/a.txt", f"{tree}/new/name")
    assert fs.cat_file(f"{tree}/new/name") == b"a.txt"
    fs.mv(f"{tree}/new/name", f"{tree}/d")
    fs.mv(f"{tree}/d/b.txt", f"{tree}/fresh/")
    assert fs.find(tree) == [f"{tree}/d/e/c.bin", f"{tree}/d/name", f"{tree}/fresh/b.txt"]
    assert not fs.exists(f"{tree}/new")
    with pytest.raises(FileNotFoundError):
        fs.mv(f"{tree}/nothing", f"{tree}/x")


def test_a_pattern_moves_what_it_matches(fs: BucketFileSystem, tree: str) -> None:
    fs.pipe_file(f"{tree}/b.txt", b"b")
    fs.mv(f"{tree}/*.txt", f"{tree}/texts/")
    assert fs.ls(f"{tree}/texts", detail=False) == [f"{tree}/texts/a.txt", f"{tree}/texts/b.txt"]
    assert not fs.exists(f"{tree}/a.txt")


def test_a_directory_moves_whole(fs: BucketFileSystem, tree: str) -> None:
    fs.mv(f"{tree}/d", f"{tree}/moved")
    assert fs.find(tree) == [f"{tree}/a.txt", f"{tree}/moved/b.txt", f"{tree}/moved/e/c.bin"]


def test_files_are_copied_and_moved_between_buckets(
    fs: BucketFileSystem, tree: str, textile_hub: HubThread, caller: AuthContext
) -> None:
    other = textile_hub.new_bucket(caller).key
    fs.cp(f"{tree}/d", f"{other}/d", recursive=True)
    fs.mv(f"{tree}/a.txt", f"{other}/a.txt")
    assert fs.find(other) == [f"{other}/a.txt", f"{other}/d/b.txt", f"{other}/d/e/c.bin"]
    assert fs.cat_file(f"{other}/d/e/c.bin") == b"d/e/c.bin"
    assert fs.find(tree) == [f"{tree}/d/b.txt", f"{tree}/d/e/c.bin"]


def test_a_directory_is_removed_only_with_everything_in_it(fs: BucketFileSystem, tree: str) -> None:
    with pytest.raises(IsADirectoryError):
        fs.rm(f"{tree}/d")
    with pytest.raises(IsADirectoryError):
        fs.rm_file(f"{tree}/d")
    with pytest.raises(OSError, match="not empty"):
        fs.rmdir(f"{tree}/d")
    with pytest.raises(NotADirectoryError):
        fs.rmdir(f"{tree}/a.txt")
    fs.rm(f"{tree}/d", recursive=True)
    assert fs.find(tree) == [f"{tree}/a.txt"]


def test_patterns_and_depths_are_removed(fs: BucketFileSystem, tree: str) -> None:
    fs.rm(f"{tree}/d", recursive=True, maxdepth=1)
    assert fs.find(tree) == [f"{tree}/a.txt", f"{tree}/d/e/c.bin"]
    fs.rm(f"{tree}/*", recursive=True)
    assert fs.ls(tree) == []


def test_an_emptied_directory_goes_unless_it_has_roles(
    fs: BucketFileSystem, tree: str, textile_hub: HubThread, caller: AuthContext
) -> None:
    async def share(_: object) -> None:
        async with textile_aio.connect(textile_hub.target) as hub:
            await hub.buckets.push_path_access_roles(caller, tree, "d", {"*": Role.READER})

    fs.rm(f"{tree}/d/e/c.bin")
    assert not fs.exists(f"{tree}/d/e")
    textile_hub.call(share)
    fs.rm(f"{tree}/d/b.txt")
    assert fs.ls(f"{tree}/d") == []
    fs.rmdir(f"{tree}/d")
    assert not fs.exists(f"{tree}/d")


def test_directories_are_made_by_their_files(fs: BucketFileSystem, tree: str) -> None:
    fs.makedirs(f"{tree}/new/deep")
    fs.mkdir(f"{tree}/new")
    assert not fs.exists(f"{tree}/new")
    fs.makedirs(f"{tree}/d", exist_ok=True)
    for path in ("d", "a.txt"):
        with pytest.raises(FileExistsError):
            fs.mkdir(f"{tree}/{path}")
    with pytest.raises(FileExistsError):
        fs.makedirs(f"{tree}/a.txt", exist_ok=True)
    with pytest.raises(FileNotFoundError):
        fs.mkdir("bafzbeinosuchbucket")


def test_a_bucket_is_removed_but_never_all_of_them(fs: BucketFileSystem, tree: str) -> None:
    with pytest.raises(InvalidPath):
        fs.rm("bucket://", recursive=True)
    with pytest.raises(IsADirectoryError):
        fs.rm(tree)
    fs.rm(tree, recursive=True)
    assert fs.ls("") == []
