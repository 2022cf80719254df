"""How file systems are made, told apart, pickled and shown."""

from __future__ import annotations

import gc
import multiprocessing
import pickle
import subprocess
import sys
import weakref
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import entry_points
from typing import Any

import fsspec
import pytest

from textile_aio import AuthContext, InvalidInput, ThreadID, Unauthenticated
from textile_aio.fs import BucketFileSystem
from textile_aio.pytest_plugin import HubThread

SECRET = "bonswg4tforugkzi"


def test_fsspec_finds_it_by_an_entry_point() -> None:
    (entry,) = entry_points(group="fsspec.specs", name="bucket")
    assert entry.load() is BucketFileSystem


def test_a_url_leads_to_the_file_system(options: dict[str, Any], key: str) -> None:
    with fsspec.open(f"bucket://{key}/a.txt", "w", **options) as file:
        file.write("text")
    fs, path = fsspec.url_to_fs(f"bucket://{key}/a.txt", **options)
    assert isinstance(fs, BucketFileSystem)
    assert path == f"{key}/a.txt"
    assert fs.cat_file(path) == b"text"
    assert fs.unstrip_protocol(path) == f"bucket://{key}/a.txt"


def test_two_callers_never_share_a_file_system(
    textile_hub: HubThread, options: dict[str, Any], key: str
) -> None:
    mine = BucketFileSystem(**options)
    stranger = textile_hub.new_auth().with_thread(textile_hub.new_thread(textile_hub.new_auth()))
    theirs = BucketFileSystem(target=options["target"], ctx=stranger)
    assert repr(stranger).replace(str(stranger.thread), "") == repr(options["ctx"]).replace(
        str(options["ctx"].thread), ""
    )
    same_thread = BucketFileSystem(target=options["target"], ctx=stranger.with_thread(options["ctx"].thread))
    assert len({mine, theirs, same_thread}) == 3
    assert mine is BucketFileSystem(**options)
    assert mine.ls("") != []


def test_the_environment_is_a_part_of_the_choice(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    monkeypatch.setenv("TEXTILE_TARGET", options["target"])
    monkeypatch.setenv("TEXTILE_TOKEN", "first")
    first = BucketFileSystem()
    assert BucketFileSystem() is first
    monkeypatch.setenv("TEXTILE_TOKEN", "second")
    assert BucketFileSystem() is not first
    thread = ThreadID.random()
    monkeypatch.setenv("TEXTILE_THREAD", str(thread))
    assert BucketFileSystem().ctx.thread == thread
    with pytest.raises(Unauthenticated):
        BucketFileSystem().ls("")


def test_plain_options_replace_parts_of_the_context(options: dict[str, Any]) -> None:
    thread = ThreadID.random()
    fs = BucketFileSystem(
        ctx=options["ctx"], api_key="key", api_secret=SECRET, token="token", thread=str(thread)
    )
    assert fs.ctx == options["ctx"].with_api_key("key", SECRET).with_token("token").with_thread(thread)
    with pytest.raises(InvalidInput, match="api_key"):
        BucketFileSystem(api_secret=SECRET)
    with pytest.raises(InvalidInput, match="AuthContext"):
        BucketFileSystem(ctx="token")  # type: ignore[arg-type]


def test_nothing_shows_a_secret(options: dict[str, Any]) -> None:
    ctx = AuthContext().with_api_key("the-key", SECRET).with_token("the-token")
    fs = BucketFileSystem(ctx=ctx, target=options["target"])
    for shown in (repr(fs), str(fs), repr(fs.storage_options), fs._fs_token):
        for secret in ("the-key", SECRET, "the-token"):
            assert secret not in shown
    with pytest.raises(TypeError):
        fs.to_json()


def read(fs: BucketFileSystem, path: str) -> bytes:
    content: bytes = fs.cat_file(path)
    fs.close()
    return content


def test_a_pickle_works_in_another_process(fs: BucketFileSystem, key: str) -> None:
    fs.pipe_file(f"{key}/a", b"a")
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as processes:
        assert processes.submit(read, fs, f"{key}/a").result() == b"a"


def test_a_pickle_is_equal_and_open_files_pickle_as_well(options: dict[str, Any], key: str) -> None:
    fs = BucketFileSystem(**options)
    fs.pipe_file(f"{key}/a", b"abc")
    assert pickle.loads(pickle.dumps(fs)) is fs
    with fs.open(f"{key}/a") as file:
        file.read(1)
        with pickle.loads(pickle.dumps(file)) as copy:
            assert copy.read() == b"bc"


async def test_a_client_does_not_pickle(options: dict[str, Any]) -> None:
    import textile_aio

    async with textile_aio.connect(options["target"]) as hub:
        fs = BucketFileSystem(client=hub, ctx=options["ctx"], asynchronous=True)
        with pytest.raises(TypeError, match="client"):
            pickle.dumps(fs)


def test_the_connection_ends_with_the_file_system(options: dict[str, Any], key: str) -> None:
    fs = BucketFileSystem(**options, skip_instance_cache=True)
    fs.ls(key)
    (connection,) = fs._connections._by_loop.values()
    gone = weakref.ref(fs)
    loop = fs.loop
    del fs
    gc.collect()
    assert gone() is None
    fsspec.asyn.sync(loop, connection.close)
    assert connection.over


def test_the_package_imports_without_fsspec() -> None:
    script = """
import sys
sys.modules["fsspec"] = None
import textile_aio, textile_aio.client, textile_aio.buckets.client
try:
    import textile_aio.fs
except ImportError:
    print("needed")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "needed\n"


def test_a_program_that_does_not_close_anything_ends_quietly(options: dict[str, Any], key: str) -> None:
    script = """
import pickle, sys
fs = pickle.loads(bytes.fromhex(sys.argv[1]))
print(fs.ls(sys.argv[2]))
"""
    sent = pickle.dumps(BucketFileSystem(**options)).hex()
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", script, sent, key], capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")
