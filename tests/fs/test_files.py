"""Open files: what is read, and when what is written is there."""

from __future__ import annotations

import gc
import io
import os
from typing import Any

import pytest

from textile_aio import Aborted
from textile_aio.fs import BucketFileSystem, mapping
from textile_aio.pytest_plugin import HubThread

CONTENT = os.urandom(1_000_003)


@pytest.fixture
def path(fs: BucketFileSystem, key: str) -> str:
    fs.pipe_file(f"{key}/file", CONTENT)
    return f"{key}/file"


def test_a_file_is_read_at_any_place(fs: BucketFileSystem, path: str) -> None:
    with fs.open(path, block_size=100_000) as file:
        assert file.size == len(CONTENT)
        assert file.read(10) == CONTENT[:10]
        file.seek(-5, io.SEEK_END)
        assert file.read() == CONTENT[-5:]
        assert file.read() == b""
        file.seek(300_000)
        assert file.read(262_144) == CONTENT[300_000:562_144]
        assert file.tell() == 562_144


def test_a_size_that_the_hub_does_not_tell_is_found_out(
    fs: BucketFileSystem, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "textile_aio.fs.looking.info_of", lambda *args: {**mapping.info_of(*args), "size": None}
    )
    assert fs.size(path) is None
    with fs.open(path) as file:
        assert file.size == len(CONTENT)
    assert fs.cat_file(path, -3) == CONTENT[-3:]


def test_a_file_that_changes_while_it_is_open_is_not_mixed(fs: BucketFileSystem, path: str) -> None:
    with fs.open(path, block_size=1_000) as file:
        assert file.read(10) == CONTENT[:10]
        fs.pipe_file(path, CONTENT[::-1])
        file.seek(600_000)
        with pytest.raises(Aborted):
            file.read(10)


@pytest.mark.parametrize("cache", ["readahead", "bytes", "none", "blockcache", "all", "background"])
def test_every_cache_of_fsspec_gives_the_same(fs: BucketFileSystem, path: str, cache: str) -> None:
    with fs.open(path, block_size=150_000, cache_type=cache) as file:
        for start, size in [(0, 10), (999_000, 2_000), (140_000, 20_000), (500_000, 300_000)]:
            file.seek(start)
            assert file.read(size) == CONTENT[start : start + size]


@pytest.mark.parametrize(
    ("start", "end"),
    [(0, 10), (5, 5), (262_143, 262_145), (-10, None), (None, -1_000_000), (10, 3), (999_999, 2_000_000)],
)
def test_a_part_is_what_a_slice_would_be(
    fs: BucketFileSystem, path: str, start: int | None, end: int | None
) -> None:
    assert fs.cat_file(path, start, end) == CONTENT[start:end]


def test_parts_of_several_files_are_read_at_once(fs: BucketFileSystem, path: str) -> None:
    assert fs.cat_ranges([path, path], [0, 400_000], [4, 400_004]) == [CONTENT[:4], CONTENT[400_000:400_004]]
    assert fs.head(path, 3) == CONTENT[:3]
    assert fs.tail(path, 3) == CONTENT[-3:]


def test_text_lines_and_compression_work_through_wrappers(fs: BucketFileSystem, key: str) -> None:
    with fs.open(f"{key}/lines.txt.gz", "wt", compression="infer", encoding="utf-8") as file:
        file.writelines(f"Zeile {number}: ä\n" for number in range(10_000))
    with fs.open(f"{key}/lines.txt.gz", "rt", compression="gzip", encoding="utf-8") as file:
        assert list(file)[9_999] == "Zeile 9999: ä\n"
    assert fs.cat_file(f"{key}/lines.txt.gz")[:2] == b"\x1f\x8b"
    fs.write_text(f"{key}/short", "so\nkurz", newline="\n")
    assert fs.read_text(f"{key}/short") == "so\nkurz"


def test_a_compressed_file_left_by_an_error_is_as_it_was(fs: BucketFileSystem, path: str) -> None:
    with pytest.raises(ZeroDivisionError), fs.open(path, "wb", compression="gzip") as file:
        file.write(b"half")
        raise ZeroDivisionError
    assert fs.cat_file(path) == CONTENT


@pytest.mark.parametrize("size", [0, 1, 99_999, 100_000, 100_001, 1_000_003])
def test_a_written_file_is_there_when_it_is_closed_and_not_before(
    fs: BucketFileSystem, key: str, size: int
) -> None:
    with fs.open(f"{key}/new", "wb", block_size=100_000) as file:
        for start in range(0, size, 30_000):
            file.write(CONTENT[start : min(size, start + 30_000)])
        assert file.tell() == size
        assert not fs.exists(f"{key}/new")
    assert fs.cat_file(f"{key}/new") == CONTENT[:size]


@pytest.mark.parametrize("size", [10, 250_000])
@pytest.mark.parametrize("existing", [0, 5, 300_000])
def test_appending_keeps_what_was_there(fs: BucketFileSystem, key: str, size: int, existing: int) -> None:
    if existing:
        fs.pipe_file(f"{key}/log", CONTENT[:existing])
    with fs.open(f"{key}/log", "ab", block_size=100_000) as file:
        assert file.tell() == existing
        file.write(CONTENT[existing : existing + size])
    assert fs.cat_file(f"{key}/log") == CONTENT[: existing + size]


@pytest.mark.parametrize("size", [10, 250_000])
def test_a_file_left_by_an_error_is_as_it_was(fs: BucketFileSystem, path: str, size: int) -> None:
    with pytest.raises(ZeroDivisionError), fs.open(path, "wb", block_size=100_000) as file:
        file.write(bytes(size))
        raise ZeroDivisionError
    assert file.closed
    assert fs.cat_file(path) == CONTENT


@pytest.mark.parametrize("size", [10, 250_000])
def test_a_file_that_is_dropped_is_not_stored_and_says_so(fs: BucketFileSystem, path: str, size: int) -> None:
    file: Any = fs.open(path, "wb", block_size=100_000)
    file.write(bytes(size))
    with pytest.warns(ResourceWarning, match="not closed"):
        file = None
    gc.collect()
    assert fs.cat_file(path) == CONTENT


def test_exclusive_files_are_new(fs: BucketFileSystem, path: str, key: str) -> None:
    with pytest.raises(FileExistsError):
        fs.open(path, "xb")
    with fs.open(f"{key}/other", "xb") as file:
        file.write(b"new")
        fs.pipe_file(f"{key}/other", b"somebody else's")
        with pytest.raises(FileExistsError):
            file.close()
    assert fs.cat_file(f"{key}/other") == b"somebody else's"


def test_directories_are_not_opened(fs: BucketFileSystem, path: str, key: str) -> None:
    fs.pipe_file(f"{key}/d/file", b"")
    for mode in ("rb", "wb"):
        with pytest.raises(IsADirectoryError):
            fs.open(key, mode)
    with pytest.raises(IsADirectoryError):
        fs.open(f"{key}/d")
    with pytest.raises(ValueError, match="mode"):
        fs.open(path, "r+b")


def test_a_refused_write_is_a_permission_error(
    textile_hub: HubThread, fs: BucketFileSystem, options: dict[str, Any], path: str, key: str
) -> None:
    stranger = textile_hub.new_auth().with_thread(options["ctx"].thread)
    theirs = BucketFileSystem(target=options["target"], ctx=stranger)
    assert theirs.cat_file(path) == CONTENT
    file = theirs.open(path, "wb", block_size=100_000)
    with pytest.raises(PermissionError):
        for _ in range(100):
            file.write(bytes(100_000))
    with pytest.raises(PermissionError):
        file.close()
    assert fs.cat_file(path) == CONTENT


def test_files_go_to_and_from_the_disk(fs: BucketFileSystem, key: str, tmp_path: Any) -> None:
    (tmp_path / "in/deep").mkdir(parents=True)
    (tmp_path / "in/a").write_bytes(CONTENT)
    (tmp_path / "in/deep/b").write_bytes(b"b")
    fs.put(str(tmp_path / "in"), f"{key}/tree", recursive=True)
    fs.get(f"{key}/tree", str(tmp_path / "out"), recursive=True)
    assert (tmp_path / "out/a").read_bytes() == CONTENT
    assert (tmp_path / "out/deep/b").read_bytes() == b"b"
    buffer = io.BytesIO()
    fs.get_file(f"{key}/tree/a", buffer)
    assert buffer.getvalue() == CONTENT
    with pytest.raises(FileExistsError):
        fs.put_file(str(tmp_path / "in/a"), f"{key}/tree/a", mode="create")


def test_progress_reaches_the_callback(fs: BucketFileSystem, key: str, tmp_path: Any) -> None:
    from fsspec.callbacks import Callback

    (tmp_path / "a").write_bytes(CONTENT)
    up, down = Callback(), Callback()
    fs.put_file(str(tmp_path / "a"), f"{key}/a", callback=up)
    fs.get_file(f"{key}/a", str(tmp_path / "b"), callback=down)
    assert (up.size, up.value) == (len(CONTENT), len(CONTENT))
    assert down.value == len(CONTENT)
