"""Public buckets, on any hub that has them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from textile_aio import AuthContext, HubClient, Identity, errors

pytestmark = pytest.mark.needs("buckets")


@pytest.fixture
async def key(client: HubClient, thread_ctx: AuthContext) -> str:
    return (await client.buckets.create(thread_ctx, "things")).key


async def pull(client: HubClient, ctx: AuthContext, key: str, path: str) -> bytes:
    return b"".join([bytes(chunk) async for chunk in client.buckets.pull_path(ctx, key, path)])


async def names(client: HubClient, ctx: AuthContext, key: str, path: str = "") -> list[str]:
    return [item.name for item in (await client.buckets.list_path(ctx, key, path)).item.items]


async def test_a_new_bucket_holds_its_seed_alone(client: HubClient, thread_ctx: AuthContext) -> None:
    bucket = await client.buckets.create(thread_ctx, "things")
    assert bucket.key.startswith("bafzbei")
    assert len(bucket.key) == 59
    assert len(bucket.seed) == 32
    listing = await client.buckets.list_path(thread_ctx, bucket.key)
    assert listing.item.name == "things"
    assert listing.item.is_dir
    assert [item.name for item in listing.item.items] == [".textileseed"]
    assert str(listing.item.items[0].cid) == str(bucket.seed_cid)
    root = await client.buckets.root(thread_ctx, bucket.key)
    assert (root.name, root.key, root.path) == ("things", bucket.key, f"/ipfs/{listing.item.cid}")


async def test_buckets_are_listed(client: HubClient, thread_ctx: AuthContext) -> None:
    assert await client.buckets.list(thread_ctx) == []
    made = {(await client.buckets.create(thread_ctx, name)).key for name in ("a", "b", "a")}
    assert {root.key for root in await client.buckets.list(thread_ctx)} == made


@pytest.mark.parametrize("size", [0, 1, 262_144, 262_145, 3 * 1024 * 1024 + 7])
async def test_what_is_pushed_is_pulled(
    client: HubClient, thread_ctx: AuthContext, key: str, size: int
) -> None:
    content = os.urandom(size)
    pushed = await client.buckets.push_path(thread_ctx, key, "folder/file.bin", content)
    assert await pull(client, thread_ctx, key, "folder/file.bin") == content
    root = await client.buckets.root(thread_ctx, key)
    assert root.path == pushed.root.path
    item = (await client.buckets.list_path(thread_ctx, key, "folder/file.bin")).item
    assert item.cid == pushed.cid
    assert not item.is_dir
    assert item.size == pushed.size


async def test_a_public_folder_made_by_a_push_is_version_0(
    client: HubClient, thread_ctx: AuthContext, key: str
) -> None:
    await client.buckets.push_path(thread_ctx, key, "a/hello.txt", b"hello world\n")
    listing = await client.buckets.list_path(thread_ctx, key)
    (folder,) = [item for item in listing.item.items if item.name == "a"]
    assert str(folder.cid) == "QmVJ1xg67UckH6KcJ4K6zEy8mofTdCxFeqCt2L7Jc5QWST"
    assert folder.is_dir
    assert folder.items_count == 1


async def test_a_push_over_a_folder_replaces_it(client: HubClient, thread_ctx: AuthContext, key: str) -> None:
    await client.buckets.push_path(thread_ctx, key, "a/b/c", b"deep")
    await client.buckets.push_path(thread_ctx, key, "a", b"flat")
    assert await pull(client, thread_ctx, key, "a") == b"flat"
    assert await names(client, thread_ctx, key) == [".textileseed", "a"]


async def test_nothing_can_be_pushed_below_a_file(
    client: HubClient, thread_ctx: AuthContext, key: str
) -> None:
    await client.buckets.push_path(thread_ctx, key, "a", b"file")
    with pytest.raises(errors.TextileError, match="expected protobuf dag node"):
        await client.buckets.push_path(thread_ctx, key, "a/b", b"below")
    assert await pull(client, thread_ctx, key, "a") == b"file"


@pytest.mark.parametrize("size", [1, 600_000])
async def test_nothing_can_be_pushed_below_a_file_of_the_same_push(
    client: HubClient, thread_ctx: AuthContext, key: str, size: int
) -> None:
    root = await client.buckets.root(thread_ctx, key)
    with pytest.raises(errors.NotADirectory, match="expected protobuf dag node"):
        await client.buckets.push_files(thread_ctx, key, {"a": bytes(size), "a/b": b"below"})
    assert (await client.buckets.root(thread_ctx, key)).path == root.path


async def test_many_files_go_in_one_push(client: HubClient, thread_ctx: AuthContext, key: str) -> None:
    files = {f"dir{number % 3}/f{number}.txt": os.urandom(number * 500) for number in range(60)}
    async with client.buckets.push_paths(thread_ctx, key, files) as pushed:
        arrived = [file async for file in pushed]
    assert {str(file.path) for file in arrived} == set(files)
    assert (await client.buckets.root(thread_ctx, key)).path == arrived[-1].root.path
    for path, content in files.items():
        assert await pull(client, thread_ctx, key, path) == content


async def test_an_update_on_another_root_is_refused(
    client: HubClient, thread_ctx: AuthContext, key: str
) -> None:
    stale = await client.buckets.root(thread_ctx, key)
    pushed = await client.buckets.push_path(thread_ctx, key, "a", b"1", root=stale)
    with pytest.raises(errors.NonFastForward, match="update is non-fast-forward"):
        await client.buckets.push_path(thread_ctx, key, "a", b"2", root=stale)
    with pytest.raises(errors.NonFastForward) as caught:
        await client.buckets.remove_path(thread_ctx, key, "gone", root=stale)
    assert caught.value.message == "update is non-fast-forward"
    assert await pull(client, thread_ctx, key, "a") == b"1"
    await client.buckets.push_path(thread_ctx, key, "a", b"3", root=pushed.root)
    assert await pull(client, thread_ctx, key, "a") == b"3"


async def test_a_missing_path_says_which_name_is_missing(
    client: HubClient, thread_ctx: AuthContext, key: str
) -> None:
    with pytest.raises(errors.PathNotFound, match='no link named "file1.jpg" under '):
        await pull(client, thread_ctx, key, "file1.jpg")
    with pytest.raises(errors.PathNotFound, match='no link named "file1.jpg" under '):
        await client.buckets.list_path(thread_ctx, key, "file1.jpg")
    with pytest.raises(FileNotFoundError, match="no link by that name"):
        await client.buckets.remove_path(thread_ctx, key, "file1.jpg")


async def test_a_folder_is_no_file(client: HubClient, thread_ctx: AuthContext, key: str) -> None:
    await client.buckets.push_path(thread_ctx, key, "a/b", b"x")
    with pytest.raises(IsADirectoryError, match="node is a directory"):
        await pull(client, thread_ctx, key, "a")


async def test_removing_a_path_leaves_its_folder(
    client: HubClient, thread_ctx: AuthContext, key: str
) -> None:
    await client.buckets.push_path(thread_ctx, key, "a/b", b"x")
    root = await client.buckets.remove_path(thread_ctx, key, "a/b")
    assert await names(client, thread_ctx, key) == [".textileseed", "a"]
    assert await names(client, thread_ctx, key, "a") == []
    assert (await client.buckets.root(thread_ctx, key)).path == root.path


async def test_a_removed_bucket_is_gone(client: HubClient, thread_ctx: AuthContext, key: str) -> None:
    await client.buckets.remove(thread_ctx, key)
    with pytest.raises(errors.NotFound, match="instance not found"):
        await client.buckets.root(thread_ctx, key)
    assert await client.buckets.list(thread_ctx) == []


async def test_links_name_thread_bucket_and_path(
    client: HubClient, thread_ctx: AuthContext, key: str
) -> None:
    await client.buckets.push_path(thread_ctx, key, "a b/c", b"x")
    links = await client.buckets.links(thread_ctx, key, "a b/c")
    assert links.url.endswith(f"/thread/{thread_ctx.thread}/buckets/{key}/a b/c")
    assert links.ipns.endswith(f"/ipns/{key}/a b/c")
    with pytest.raises(errors.PathNotFound):
        await client.buckets.links(thread_ctx, key, "nothing")


@pytest.mark.needs("accounts")
async def test_a_bucket_without_a_thread_is_refused(client: HubClient, ctx: AuthContext) -> None:
    with pytest.raises(errors.ThreadRequired):
        await client.buckets.create(ctx, "x")


async def test_pulling_to_a_path_writes_the_file_whole(
    client: HubClient, thread_ctx: AuthContext, key: str, tmp_path: Path
) -> None:
    content = os.urandom(700_000)
    source = tmp_path / "source"
    source.write_bytes(content)
    await client.buckets.push_path(thread_ctx, key, "f", source)
    assert await client.buckets.pull_to(thread_ctx, key, "f", tmp_path / "copy") == len(content)
    assert (tmp_path / "copy").read_bytes() == content
    assert {path.name for path in tmp_path.iterdir()} == {"source", "copy"}


@pytest.mark.needs("accounts")
async def test_another_user_reads_a_public_bucket_and_changes_nothing(
    client: HubClient, key_ctx: AuthContext, thread_ctx: AuthContext, key: str
) -> None:
    await client.buckets.push_path(thread_ctx, key, "a", b"mine")
    other = await client.threads.authorize(key_ctx, Identity.generate())
    assert thread_ctx.thread is not None
    other = other.with_thread(thread_ctx.thread)
    assert await pull(client, other, key, "a") == b"mine"
    with pytest.raises(errors.WriteDenied, match="permission denied"):
        await client.buckets.push_path(other, key, "a", b"theirs")
    with pytest.raises(errors.WriteDenied, match="permission denied"):
        await client.buckets.push_path(other, key, "new", b"theirs")
    with pytest.raises(errors.PermissionDenied, match="permission denied"):
        async with client.buckets.push_paths(other, key, {"new": b"theirs"}) as pushed:
            [file async for file in pushed]
    with pytest.raises(errors.NotThreadOwner, match="User does not own thread"):
        await client.buckets.remove(other, key)
    assert await pull(client, thread_ctx, key, "a") == b"mine"
