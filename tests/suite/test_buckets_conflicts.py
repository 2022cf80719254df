"""Two writers, each with a root of its own, on any hub that has buckets."""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from textile_aio import AuthContext, HubClient, Root, errors

pytestmark = pytest.mark.needs("buckets")

Change = Callable[[], Awaitable[object]]


@pytest.fixture
async def key(client: HubClient, thread_ctx: AuthContext) -> str:
    made = await client.buckets.create(thread_ctx, "things")
    await client.buckets.push_files(thread_ctx, made.key, {"a/one": b"1", "a/two": b"2", "b/three": b"3"})
    return made.key


@pytest.fixture
async def stale(client: HubClient, thread_ctx: AuthContext, key: str) -> Root:
    return await client.buckets.root(thread_ctx, key)


async def read(client: HubClient, ctx: AuthContext, key: str, path: str) -> bytes:
    return b"".join([chunk async for chunk in client.buckets.pull_path(ctx, key, path)])


@pytest.mark.parametrize("theirs", ["other", "a/new", "a/two", "b", "ax/y"])
async def test_a_push_is_made_again_where_nothing_overlaps(
    client: HubClient, thread_ctx: AuthContext, key: str, stale: Root, theirs: str, tmp_path: Path
) -> None:
    await client.buckets.push_path(thread_ctx, key, theirs, b"theirs")
    source = tmp_path / "source"
    source.write_bytes(b"mine")
    pushed = await client.buckets.push_path(thread_ctx, key, "a/one", source, root=stale, on_conflict="retry")
    assert await read(client, thread_ctx, key, "a/one") == b"mine"
    assert await read(client, thread_ctx, key, theirs) == b"theirs"
    assert (await client.buckets.root(thread_ctx, key)).path == pushed.root.path


@pytest.mark.parametrize("theirs", ["a/one", "a", "a/one/below"])
async def test_a_push_is_refused_where_the_same_path_was_changed(
    client: HubClient, thread_ctx: AuthContext, key: str, stale: Root, theirs: str
) -> None:
    if theirs == "a/one/below":
        await client.buckets.remove_path(thread_ctx, key, "a/one")
    await client.buckets.push_path(thread_ctx, key, theirs, b"theirs")
    now = await client.buckets.root(thread_ctx, key)
    with pytest.raises(errors.NonFastForward) as refused:
        await client.buckets.push_path(thread_ctx, key, "a/one", b"mine", root=stale, on_conflict="retry")
    assert (refused.value.expected, refused.value.actual) == (stale.path, now.path)
    assert "somebody else has changed a" in refused.value.__notes__[0]
    assert await read(client, thread_ctx, key, theirs) == b"theirs"


async def test_a_removed_path_has_changed(
    client: HubClient, thread_ctx: AuthContext, key: str, stale: Root
) -> None:
    await client.buckets.remove_path(thread_ctx, key, "a/one")
    with pytest.raises(errors.NonFastForward):
        await client.buckets.remove_path(thread_ctx, key, "a/one", root=stale, on_conflict="retry")
    await client.buckets.remove_path(thread_ctx, key, "b", root=stale, on_conflict="retry")
    assert await client.buckets.list_path_flat(thread_ctx, key) == [".textileseed", "a", "a/two"]


async def test_a_folder_overlaps_with_what_is_in_it(
    client: HubClient, thread_ctx: AuthContext, key: str, stale: Root
) -> None:
    await client.buckets.push_path(thread_ctx, key, "a/new", b"theirs")
    with pytest.raises(errors.NonFastForward):
        await client.buckets.remove_path(thread_ctx, key, "a", root=stale, on_conflict="retry")


async def test_several_files_are_pushed_again_together(
    client: HubClient, thread_ctx: AuthContext, key: str, stale: Root
) -> None:
    await client.buckets.push_path(thread_ctx, key, "a/two", b"theirs")
    mine = {"a/one": b"mine", "c/new": b"mine"}
    final = await client.buckets.push_files(thread_ctx, key, mine, root=stale, on_conflict="retry")
    assert (await client.buckets.root(thread_ctx, key)).path == final.path
    assert await read(client, thread_ctx, key, "a/two") == b"theirs"
    with pytest.raises(errors.NonFastForward):
        await client.buckets.push_files(
            thread_ctx, key, {"a/two": b"mine", "d": b"mine"}, root=stale, on_conflict="retry"
        )
    assert await read(client, thread_ctx, key, "a/two") == b"theirs"


async def test_an_overwrite_does_not_look(
    client: HubClient, thread_ctx: AuthContext, key: str, stale: Root
) -> None:
    await client.buckets.push_path(thread_ctx, key, "a/one", b"theirs")
    source = io.BytesIO(b"mine")
    await client.buckets.push_path(thread_ctx, key, "a/one", source, root=stale, on_conflict="overwrite")
    assert await read(client, thread_ctx, key, "a/one") == b"mine"
    await client.buckets.remove_path(thread_ctx, key, "a", root=stale, on_conflict="overwrite")
    with pytest.raises(errors.NonFastForward):
        await client.buckets.remove_path(thread_ctx, key, "b", root=stale)


async def test_only_what_can_be_read_again_is_tried_again(
    client: HubClient, thread_ctx: AuthContext, key: str, stale: Root
) -> None:
    with pytest.raises(errors.InvalidSource, match="cannot be pushed again"):
        await client.buckets.push_path(
            thread_ctx, key, "x", io.BytesIO(b"x"), root=stale, on_conflict="retry"
        )
    with pytest.raises(errors.InvalidSource, match="a mapping, a list or a tuple"):
        await client.buckets.push_files(thread_ctx, key, iter([("x", b"x")]), root=stale, on_conflict="retry")
    with pytest.raises(errors.InvalidInput, match="needs the root"):
        await client.buckets.push_path(thread_ctx, key, "x", b"x", on_conflict="retry")
    with pytest.raises(errors.InvalidInput, match="fail, retry, overwrite"):
        await client.buckets.remove_path(thread_ctx, key, "x", on_conflict="merge")  # type: ignore[arg-type]


async def test_in_a_private_bucket_it_cannot_be_told(client: HubClient, thread_ctx: AuthContext) -> None:
    made = await client.buckets.create(thread_ctx, "secret", private=True)
    await client.buckets.push_path(thread_ctx, made.key, "theirs", b"theirs")
    with pytest.raises(errors.NonFastForward) as refused:
        await client.buckets.push_path(
            thread_ctx, made.key, "mine", b"mine", root=made.root, on_conflict="retry"
        )
    assert "private" in refused.value.__notes__[0]
