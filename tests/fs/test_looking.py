"""What is there: listings, single paths, patterns, times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from textile_aio import Bucket, Cid, PathNotFound
from textile_aio.fs import BucketFileSystem


@pytest.fixture
def tree(fs: BucketFileSystem, key: str) -> str:
    fs.pipe({f"{key}/{name}": name.encode() for name in ("a.txt", "d/b.txt", "d/e/c.bin", "z")})
    return key


def test_a_listing_tells_names_sizes_and_cids(fs: BucketFileSystem, tree: str) -> None:
    listing = {info["name"]: info for info in fs.ls(f"bucket://{tree}/d")}
    assert set(listing) == {f"{tree}/d/b.txt", f"{tree}/d/e"}
    assert listing[f"{tree}/d/b.txt"]["size"] == len("d/b.txt")
    assert listing[f"{tree}/d/b.txt"]["type"] == "file"
    assert listing[f"{tree}/d/e"]["type"] == "directory"
    assert Cid.parse(listing[f"{tree}/d/b.txt"]["cid"]).digest


def test_the_seed_file_is_not_shown(fs: BucketFileSystem, tree: str) -> None:
    names = [f"{tree}/a.txt", f"{tree}/d", f"{tree}/z"]
    assert fs.ls(tree, detail=False) == names
    assert not any("seed" in name for name in fs.find(tree))
    assert not any("seed" in name for name in fs.glob(f"{tree}/**"))


def test_the_size_of_a_file_of_many_blocks_is_that_of_its_content(fs: BucketFileSystem, key: str) -> None:
    fs.pipe_file(f"{key}/large", bytes(700_001))
    assert fs.size(f"{key}/large") == fs.ls(key)[0]["size"] == fs.du(key) == 700_001


def test_the_empty_path_lists_the_buckets(fs: BucketFileSystem, key: str) -> None:
    (info,) = fs.ls("bucket://")
    assert (info["name"], info["type"], info["title"]) == (key, "directory", "files")
    assert fs.isdir("")


def test_a_file_lists_itself(fs: BucketFileSystem, tree: str) -> None:
    assert fs.ls(f"{tree}/a.txt", detail=False) == [f"{tree}/a.txt"]


def test_everything_below_is_found(fs: BucketFileSystem, tree: str) -> None:
    files = [f"{tree}/{name}" for name in ("d/b.txt", "d/e/c.bin")]
    assert fs.find(f"{tree}/d") == files
    assert fs.find(f"{tree}/d", withdirs=True) == sorted([f"{tree}/d", f"{tree}/d/e", *files])
    assert fs.find(f"{tree}/d", maxdepth=1) == files[:1]
    assert fs.find(f"{tree}/d/b.txt") == files[:1]
    assert fs.find(f"{tree}/nothing") == []
    assert fs.find(f"{tree}/d", detail=True)[files[1]]["size"] == len("d/e/c.bin")


def test_patterns_and_walks_see_the_same(fs: BucketFileSystem, tree: str) -> None:
    assert fs.glob(f"{tree}/**/*.txt") == [f"{tree}/a.txt", f"{tree}/d/b.txt"]
    assert fs.glob(f"{tree}/d/*") == [f"{tree}/d/b.txt", f"{tree}/d/e"]
    walked = [f"{path}/{name}" for path, _, files in fs.walk(tree) for name in files]
    assert sorted(walked) == fs.find(tree)


@pytest.mark.parametrize("path", ["{key}/nothing", "{key}/a.txt/below", "bafzbeinosuchbucket/a.txt"])
def test_what_is_missing_is_a_file_not_found(fs: BucketFileSystem, tree: str, path: str) -> None:
    path = path.format(key=tree)
    for call in (fs.info, fs.cat_file, fs.open, fs.ls, fs.rm):
        with pytest.raises(FileNotFoundError) as caught:
            call(path)
        assert isinstance(caught.value, PathNotFound)
    assert not fs.exists(path)
    assert not fs.isdir(path)
    assert not fs.isfile(path)


def test_a_bucket_that_is_missing_does_not_exist(fs: BucketFileSystem) -> None:
    assert not fs.exists("bafzbeinosuchbucket")
    assert fs.find("bafzbeinosuchbucket") == []
    with pytest.raises(FileNotFoundError):
        fs.ls("bafzbeinosuchbucket")


def test_times_are_those_of_the_bucket(fs: BucketFileSystem, tree: str, bucket: Bucket) -> None:
    now = datetime.now(UTC)
    assert abs(fs.modified(f"{tree}/a.txt") - now) < timedelta(minutes=1)
    assert fs.created(tree) == bucket.root.created_at
    with pytest.raises(NotImplementedError):
        fs.created(f"{tree}/a.txt")


def test_keys_and_checksums_follow_the_content(fs: BucketFileSystem, tree: str) -> None:
    path = f"{tree}/a.txt"
    before = fs.ukey(path), fs.checksum(path)
    fs.pipe_file(f"{tree}/copy", fs.cat_file(path))
    assert (fs.ukey(f"{tree}/copy"), fs.checksum(f"{tree}/copy")) == before
    fs.pipe_file(path, b"something else")
    assert fs.ukey(path) != before[0]
    assert fs.checksum(path) != before[1]


def test_listings_are_not_kept_unless_asked_for(
    options: dict[str, Any], fs: BucketFileSystem, tree: str
) -> None:
    keeping = BucketFileSystem(**options, use_listings_cache=True)
    fresh = BucketFileSystem(**options)
    for one in (keeping, fresh):
        one.ls(f"{tree}/d")
    fs.pipe_file(f"{tree}/d/new", b"new")
    assert f"{tree}/d/new" in fresh.ls(f"{tree}/d", detail=False)
    assert f"{tree}/d/new" not in keeping.ls(f"{tree}/d", detail=False)
    assert f"{tree}/d/new" in keeping.ls(f"{tree}/d", detail=False, refresh=True)
    keeping.pipe_file(f"{tree}/d/own", b"own")
    assert f"{tree}/d/own" in keeping.ls(f"{tree}/d", detail=False)
