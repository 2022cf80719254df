"""What no hub would take is refused on this side: with a type, at once, and without a byte sent.

`tests/buckets/test_push.py` shows it for paths and sources of pushes; here are the other calls, and wrong
types. Proof is a proxy that nobody connects to, and a hub that hears of nothing on an open connection.
"""

from __future__ import annotations

import asyncio
import io
import math
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

import textile_aio
from tests.faults.proxy import HEADERS, Direction, FaultProxy, proxying
from tests.trees import pull
from textile_aio import AuthContext, HubClient, Identity, errors
from textile_aio.localhub import HubSettings, LocalHub

BAD_PATHS = ["a//b", "a/../b", "..", ".", "a/", "//a", "a\0b", "\ud800", b"a", 7, None, Path("..")]
NO_FILES = ["", "/", PurePosixPath()]
SEEDS = [".textileseed", "a/.textileseed", "x.textileseedx"]
KEYS = ["", None, 7, b"key"]
SOURCES = ["text", 7, None, ["a"], object(), Path("/no/such/file"), Path("/")]

Act = Callable[[HubClient, AuthContext, Any], Coroutine[Any, Any, object]]


async def pulled(hub: HubClient, ctx: AuthContext, key: Any, path: Any) -> bytes:
    return await pull(hub, ctx, key, path)


async def pushed(hub: HubClient, ctx: AuthContext, key: Any, items: Any) -> object:
    return await hub.buckets.push_files(ctx, key, items)


READING: dict[str, Act] = {
    "list_path": lambda hub, ctx, path: hub.buckets.list_path(ctx, "k", path),
    "links": lambda hub, ctx, path: hub.buckets.links(ctx, "k", path),
}
OF_FILES: dict[str, Act] = {"pull_path": lambda hub, ctx, path: pulled(hub, ctx, "k", path)}
WRITING: dict[str, Act] = {
    "push_path": lambda hub, ctx, path: hub.buckets.push_path(ctx, "k", path, b"x"),
    "push_paths of a mapping": lambda hub, ctx, path: pushed(hub, ctx, "k", {path: b"x"}),
    "push_paths of a list": lambda hub, ctx, path: pushed(hub, ctx, "k", [("a", b"x"), (path, b"x")]),
    "remove_path": lambda hub, ctx, path: hub.buckets.remove_path(ctx, "k", path),
}
BY_KEY: dict[str, Act] = {
    "root": lambda hub, ctx, key: hub.buckets.root(ctx, key),
    "remove": lambda hub, ctx, key: hub.buckets.remove(ctx, key),
    "links": lambda hub, ctx, key: hub.buckets.links(ctx, key),
    "list_path": lambda hub, ctx, key: hub.buckets.list_path(ctx, key),
    "pull_path": lambda hub, ctx, key: pulled(hub, ctx, key, "a"),
    "push_path": lambda hub, ctx, key: hub.buckets.push_path(ctx, key, "a", b"x"),
    "push_paths": lambda hub, ctx, key: pushed(hub, ctx, key, {"a": b"x"}),
    "remove_path": lambda hub, ctx, key: hub.buckets.remove_path(ctx, key, "a"),
}


@asynccontextmanager
async def watched() -> AsyncIterator[tuple[HubClient, FaultProxy, AuthContext]]:
    """A client that has not connected yet, the proxy that would see it, and a context that would do."""
    async with (
        LocalHub.in_memory(HubSettings(mode="buckd")) as hub,
        textile_aio.connect(hub.target) as direct,
        proxying(int(hub.target.rpartition(":")[2])) as proxy,
        textile_aio.connect(f"127.0.0.1:{proxy.port}") as client,
    ):
        ctx = AuthContext()
        yield client, proxy, ctx.with_thread(await direct.threads.new_db(ctx))


async def refuse(
    acts: dict[str, Act], values: list[Any], kind: type[errors.TextileError], ctx: AuthContext | None = None
) -> None:
    async with watched() as (client, proxy, good):
        for name, act in acts.items():
            for value in values:
                with pytest.raises(kind) as caught:
                    await act(client, good if ctx is None else ctx, value)
                    pytest.fail(f"{name} takes {value!r}")
                assert caught.value.code is None, (name, value)
        assert proxy.accepted == 0


async def test_bad_paths() -> None:
    await refuse(READING | OF_FILES | WRITING, BAD_PATHS, errors.InvalidPath)


async def test_the_root_where_a_file_is_needed() -> None:
    await refuse(OF_FILES | WRITING, NO_FILES, errors.InvalidPath)


async def test_the_seed_is_not_written() -> None:
    await refuse(WRITING, SEEDS, errors.InvalidPath)


async def test_keys_that_are_none() -> None:
    await refuse(BY_KEY, KEYS, errors.InvalidInput)


async def test_values_of_other_types() -> None:
    """Each would fail in a message's encoder otherwise, or be sent as something that was not meant."""
    wrong: dict[str, Callable[[Any, Any], Coroutine[Any, Any, object]]] = {
        "name": lambda hub, ctx: hub.buckets.create(ctx, 7),
        "name, bytes": lambda hub, ctx: hub.buckets.create(ctx, b"n"),
        "name, no Unicode": lambda hub, ctx: hub.buckets.create(ctx, "\ud800"),
        "private": lambda hub, ctx: hub.buckets.create(ctx, "n", private="yes"),
        "cid": lambda hub, ctx: hub.buckets.create(ctx, "n", cid=7),
        "key, no Unicode": lambda hub, ctx: hub.buckets.root(ctx, "\ud800"),
        "root": lambda hub, ctx: hub.buckets.remove_path(ctx, "k", "a", root=7),
        "items": lambda hub, ctx: hub.buckets.push_files(ctx, "k", 7),
        "context of buckets": lambda hub, _: hub.buckets.list(None),
        "context of threads": lambda hub, _: hub.threads.list_dbs({}),
        "context of a new database": lambda hub, _: hub.threads.new_db(None),
        "context of a token": lambda hub, _: hub.threads.get_token(None, Identity.generate()),
        "context of users": lambda hub, _: hub.users.list_threads("key"),
        "thread": lambda hub, ctx: hub.threads.new_db(ctx, str(ctx.thread)),
        "thread, info": lambda hub, ctx: hub.threads.get_db_info(ctx, str(ctx.thread)),
        "database name": lambda hub, ctx: hub.threads.new_db(ctx, name=7),
        "thread key": lambda hub, ctx: hub.threads.new_db(ctx, key="key"),
        "log key": lambda hub, ctx: hub.threads.new_db(ctx, log_key="key"),
        "identity": lambda hub, ctx: hub.threads.authorize(ctx, "identity"),
        "public key for an identity": lambda hub, ctx: hub.threads.authorize(ctx, Identity.generate().public),
        "thread name": lambda hub, ctx: hub.users.get_thread(ctx, 7),
        "progress": lambda hub, ctx: hub.buckets.push_path(ctx, "k", "a", b"x", progress=5),
        "progress of many": lambda hub, ctx: hub.buckets.push_files(ctx, "k", {"a": b"x"}, progress=5),
        "progress of a pull": lambda hub, ctx: hub.buckets.pull_to(ctx, "k", "a", Path("x"), progress=5),
        "timeout": lambda hub, ctx: hub.buckets.root(ctx, "k", timeout="1"),
        "timeout of a stream": lambda hub, ctx: hub.buckets.push_path(ctx, "k", "a", b"x", timeout=math.nan),
    }
    async with watched() as (client, proxy, ctx):
        for name, act in wrong.items():
            with pytest.raises(errors.InvalidInput) as caught:
                await act(client, ctx)
                pytest.fail(f"{name} is taken")
            assert caught.value.code is None, name
        assert proxy.accepted == 0


@pytest.mark.parametrize("target", [7, b"127.0.0.1:1", "h" * 64 + ":1", "h." * 127 + "h:1"])
def test_targets_that_are_none(target: Any) -> None:
    with pytest.raises(errors.InvalidInput):
        textile_aio.connect(target)


async def test_a_context_without_a_thread() -> None:
    acts = BY_KEY | {
        "list": lambda hub, ctx, _: hub.buckets.list(ctx),
        "create": lambda hub, ctx, _: hub.buckets.create(ctx),
    }
    await refuse(acts, ["key"], errors.ThreadRequired, AuthContext())


async def test_sources_that_are_none() -> None:
    acts: dict[str, Act] = {"push_path": lambda hub, ctx, it: hub.buckets.push_path(ctx, "k", "a", it)}
    await refuse(acts, SOURCES[:-1], errors.InvalidSource)
    await refuse(acts, SOURCES[-1:], errors.IsADirectory)


async def test_a_file_that_is_closed() -> None:
    file = io.BytesIO(b"x")
    file.close()
    acts: dict[str, Act] = {"push_path": lambda hub, ctx, it: hub.buckets.push_path(ctx, "k", "a", it)}
    await refuse(acts, [file], errors.InvalidSource)


async def test_roots_that_are_none() -> None:
    acts: dict[str, Act] = {
        "push_path": lambda hub, ctx, root: hub.buckets.push_path(ctx, "k", "a", b"x", root=root),
        "push_paths": lambda hub, ctx, root: hub.buckets.push_files(ctx, "k", {"a": b"x"}, root=root),
        "remove_path": lambda hub, ctx, root: hub.buckets.remove_path(ctx, "k", "a", root=root),
    }
    await refuse(acts, [""], errors.InvalidInput)


async def test_a_context_whose_thread_is_no_thread_cannot_be_made() -> None:
    texts: list[Any] = ["", "x", "bafk", "\ud800", b"bafk", 7]
    for text in texts:
        with pytest.raises(errors.InvalidThreadID):
            AuthContext().with_thread(text)


async def test_a_closed_client() -> None:
    async with watched() as (client, proxy, ctx):
        buckets, threads = client.buckets, client.threads
        await client.aclose()
        calls: list[Callable[[], Coroutine[Any, Any, object]]] = [
            lambda: buckets.root(ctx, "k"),
            lambda: buckets.push_path(ctx, "k", "a", b"x"),
            lambda: buckets.push_files(ctx, "k", {"a": b"x"}),
            lambda: buckets.pull_to(ctx, "k", "a", Path("/nowhere/at/all")),
            lambda: threads.new_db(ctx),
        ]
        for call in calls:
            with pytest.raises(errors.ClosedError):
                await call()
        assert proxy.accepted == 0


async def test_an_open_connection_carries_no_call_either() -> None:
    async with watched() as (client, proxy, ctx):
        key = (await client.buckets.create(ctx, "b")).key
        proxy.cut_before(HEADERS, 1, Direction.UP)
        for path in ("", "a/../b", ".textileseed"):
            with pytest.raises(errors.InvalidPath):
                await client.buckets.push_path(ctx, key, path, b"x")
        assert not proxy.cut_done.is_set()
        with pytest.raises(errors.Unavailable):
            await client.buckets.push_path(ctx, key, "a", b"x")  # that one would have been noticed
        assert proxy.cut_done.is_set()


async def test_a_bad_file_among_several_ends_the_push_before_anything_is_stored(tmp_path: Path) -> None:
    """Sources are opened when their turn comes, so the hub has heard of the push; it keeps nothing of it."""
    async with watched() as (client, _, ctx):
        key = (await client.buckets.create(ctx, "b")).key
        root = await client.buckets.root(ctx, key)
        for source, kind in (
            (tmp_path / "missing", errors.InvalidSource),
            (tmp_path, errors.IsADirectory),
            ("text", errors.InvalidSource),
        ):
            with pytest.raises(kind):
                await pushed(client, ctx, key, {"good": b"x", "bad": source})
            assert (await client.buckets.root(ctx, key)).path == root.path
        async with asyncio.timeout(10):  # the bucket is free
            await client.buckets.push_path(ctx, key, "good", b"x")
