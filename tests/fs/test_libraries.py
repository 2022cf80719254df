"""Other people's libraries on real files in a bucket."""

from __future__ import annotations

from typing import Any

import fsspec
import pytest

from textile_aio.fs import BucketFileSystem

np = pytest.importorskip("numpy")
pd = pytest.importorskip("pandas")
pa = pytest.importorskip("pyarrow")


@pytest.fixture
def table() -> Any:
    return pd.DataFrame({"year": [2023, 2024] * 5_000, "x": np.arange(10_000) / 3, "name": "größe"})


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_pandas_reads_the_csv_it_wrote(options: dict[str, Any], key: str, table: Any, name: str) -> None:
    table.to_csv(f"bucket://{key}/{name}", index=False, storage_options=options)
    read = pd.read_csv(f"bucket://{key}/{name}", storage_options=options)
    pd.testing.assert_frame_equal(read, table)
    chunks = pd.read_csv(f"bucket://{key}/{name}", storage_options=options, chunksize=3_000)
    assert sum(len(chunk) for chunk in chunks) == len(table)


def test_pandas_reads_the_parquet_and_json_it_wrote(options: dict[str, Any], key: str, table: Any) -> None:
    table.to_parquet(f"bucket://{key}/a.parquet", storage_options=options)
    read = pd.read_parquet(f"bucket://{key}/a.parquet", columns=["x"], storage_options=options)
    assert list(read["x"]) == list(table["x"])
    table.to_json(f"bucket://{key}/a.json", orient="records", storage_options=options)
    assert len(pd.read_json(f"bucket://{key}/a.json", storage_options=options)) == len(table)


def test_pyarrow_writes_and_filters_a_partitioned_dataset(fs: BucketFileSystem, key: str, table: Any) -> None:
    import pyarrow.dataset as ds

    ds.write_dataset(
        pa.Table.from_pandas(table),
        f"{key}/set",
        format="parquet",
        partitioning=ds.partitioning(pa.schema([("year", pa.int64())]), flavor="hive"),
        filesystem=fs,
    )
    assert {path.split("/")[2] for path in fs.find(f"{key}/set")} == {"year=2023", "year=2024"}
    dataset = ds.dataset(f"{key}/set", format="parquet", partitioning="hive", filesystem=fs)
    found = dataset.to_table(filter=(ds.field("year") == 2024) & (ds.field("x") < 10), columns=["x"])
    assert found.num_rows == int(((table["year"] == 2024) & (table["x"] < 10)).sum())


def test_pyarrow_uses_it_as_one_of_its_file_systems(fs: BucketFileSystem, key: str) -> None:
    from pyarrow.fs import FileSelector, FileType, FSSpecHandler, PyFileSystem

    arrow = PyFileSystem(FSSpecHandler(fs))
    arrow.create_dir(f"{key}/d")
    with arrow.open_output_stream(f"{key}/d/a") as stream:
        stream.write(b"abcdef")
    with arrow.open_append_stream(f"{key}/d/a") as stream:
        stream.write(b"gh")
    with arrow.open_input_file(f"{key}/d/a") as file:
        assert file.read_at(3, 2) == b"cde"
    arrow.copy_file(f"{key}/d/a", f"{key}/d/b")
    arrow.move(f"{key}/d/b", f"{key}/c")
    infos = arrow.get_file_info(FileSelector(key, recursive=True))
    assert {(info.path, info.type) for info in infos} == {
        (f"{key}/c", FileType.File),
        (f"{key}/d", FileType.Directory),
        (f"{key}/d/a", FileType.File),
    }
    arrow.delete_dir(f"{key}/d")
    arrow.delete_file(f"{key}/c")
    assert arrow.get_file_info(f"{key}/c").type == FileType.NotFound


def test_zarr_keeps_arrays_in_a_bucket(options: dict[str, Any], key: str) -> None:
    zarr = pytest.importorskip("zarr")
    from zarr.storage import FsspecStore

    store = FsspecStore.from_url(f"bucket://{key}/cube.zarr", storage_options=options)
    group = zarr.create_group(store=store)
    values = np.arange(40_000, dtype="f4").reshape(200, 200)
    array = group.create_array("a", shape=values.shape, chunks=(50, 50), dtype=values.dtype)
    array[:] = values
    array.attrs["unit"] = "m"
    again = zarr.open_group(
        FsspecStore.from_url(f"bucket://{key}/cube.zarr", storage_options=options, read_only=True), mode="r"
    )
    assert list(again.array_keys()) == ["a"]
    np.testing.assert_array_equal(again["a"][60:70, 190:], values[60:70, 190:])
    assert again["a"].attrs["unit"] == "m"


def test_dirfs_makes_a_directory_the_root(fs: BucketFileSystem, key: str) -> None:
    from fsspec.implementations.dirfs import DirFileSystem

    below = DirFileSystem(f"{key}/data", fs)
    below.pipe_file("a/b", b"b")
    with below.open("a/c", "w") as file:
        file.write("c")
    assert below.find("") == ["a/b", "a/c"]
    below.mv("a/c", "c")
    assert sorted(below.ls("", detail=False)) == ["a", "c"]
    assert fs.cat_file(f"{key}/data/c") == b"c"


def test_a_mapper_is_a_dictionary_of_files(fs: BucketFileSystem, key: str) -> None:
    files = fs.get_mapper(f"{key}/map")
    files["a/b"] = b"1"
    files.setitems({"c": b"2", "d": b"3"})
    assert dict(files) == {"a/b": b"1", "c": b"2", "d": b"3"}
    del files["c"]
    assert "c" not in files


def test_a_local_cache_follows_the_content(options: dict[str, Any], key: str, tmp_path: Any) -> None:
    fs = BucketFileSystem(**options)
    fs.pipe_file(f"{key}/a", b"first")
    cached = fsspec.filesystem(
        "filecache", fs=fs, cache_storage=str(tmp_path), check_files=True, skip_instance_cache=True
    )
    assert cached.cat_file(f"{key}/a") == b"first"
    fs.pipe_file(f"{key}/a", b"second")
    with cached.open(f"{key}/a") as file:
        assert file.read() == b"second"
