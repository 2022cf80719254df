"""Files that are stored together."""

from __future__ import annotations

from typing import Any

import pytest

from textile_aio import AuthContext, InvalidInput
from textile_aio.fs import BucketFileSystem
from textile_aio.pytest_plugin import HubThread


def test_nothing_is_there_before_the_end_and_then_all(fs: BucketFileSystem, key: str, tmp_path: Any) -> None:
    (tmp_path / "local").write_bytes(b"local")
    fs.pipe_file(f"{key}/log", b"1")
    with fs.transaction:
        with fs.open(f"{key}/large", "wb", block_size=100_000) as file:
            for _ in range(20):
                file.write(bytes(100_000))
        with fs.open(f"{key}/log", "ab") as file:
            file.write(b"2")
        fs.pipe({f"{key}/a": b"a", f"{key}/b": b"b"})
        fs.put_file(str(tmp_path / "local"), f"{key}/c")
        fs.touch(f"{key}/empty")
        assert fs.find(key) == [f"{key}/log"]
        assert fs.cat_file(f"{key}/log") == b"1"
    assert {path.rpartition("/")[2]: fs.size(path) for path in fs.find(key)} == {
        "large": 2_000_000,
        "log": 2,
        "a": 1,
        "b": 1,
        "c": 5,
        "empty": 0,
    }
    fs.pipe_file(f"{key}/after", b"at once")
    assert fs.exists(f"{key}/after")


def test_a_tree_is_one_push(fs: BucketFileSystem, key: str, tmp_path: Any) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).write_bytes(name.encode())
    before = fs.info(key)["cid"]
    with fs.transaction:
        fs.put(str(tmp_path) + "/", f"{key}/tree", recursive=True)
        assert fs.info(key)["cid"] == before
    assert fs.cat(fs.find(f"{key}/tree")) == {f"{key}/tree/{name}": name.encode() for name in "abc"}


def test_an_error_leaves_the_bucket_as_it_was(fs: BucketFileSystem, key: str) -> None:
    with pytest.raises(ZeroDivisionError), fs.transaction:
        fs.pipe_file(f"{key}/a", b"a")
        raise ZeroDivisionError
    assert fs.find(key) == []


def test_a_file_that_was_left_by_an_error_is_not_among_them(fs: BucketFileSystem, key: str) -> None:
    with fs.transaction:
        fs.pipe_file(f"{key}/a", b"a")
        with pytest.raises(ZeroDivisionError), fs.open(f"{key}/b", "wb") as file:
            file.write(b"half")
            raise ZeroDivisionError
    assert fs.find(key) == [f"{key}/a"]


def test_an_open_file_stops_the_transaction(fs: BucketFileSystem, key: str) -> None:
    with pytest.raises(InvalidInput, match="close"), fs.transaction:
        fs.pipe_file(f"{key}/a", b"a")
        file = fs.open(f"{key}/b", "wb")
        file.write(b"half")
    file.discard()
    assert fs.find(key) == []


def test_one_bad_path_stores_nothing(fs: BucketFileSystem, key: str) -> None:
    fs.pipe_file(f"{key}/file", b"")
    with pytest.raises(NotADirectoryError), fs.transaction:
        fs.pipe_file(f"{key}/a", b"a")
        fs.pipe_file(f"{key}/file/below", b"b")
    assert fs.find(key) == [f"{key}/file"]


def test_each_bucket_gets_its_own(
    fs: BucketFileSystem, key: str, textile_hub: HubThread, caller: AuthContext
) -> None:
    other = textile_hub.new_bucket(caller).key
    with fs.transaction:
        fs.pipe({f"{key}/a": b"a", f"{other}/b": b"b"})
    assert (fs.find(key), fs.find(other)) == ([f"{key}/a"], [f"{other}/b"])
