"""Paths of a bucket that are listed, set, moved and copied, on any hub that has buckets."""

from __future__ import annotations

import os

import pytest

from tests.buckets.plainhub import plain
from textile_aio import AuthContext, BucketsClient, HubClient, errors

pytestmark = pytest.mark.needs("buckets")

SEED = ".textileseed"
FILES = {
    "a.txt": b"a",
    "docs/one.txt": b"1",
    "docs/deep/two.bin": bytes(300_000),
    "docs/deep/three.txt": b"3",
}


@pytest.fixture(params=["public", "private"])
async def key(request: pytest.FixtureRequest, client: HubClient, thread_ctx: AuthContext) -> str:
    made = await client.buckets.create(thread_ctx, "things", private=request.param == "private")
    await client.buckets.push_files(thread_ctx, made.key, FILES)
    return made.key


@pytest.fixture
async def public(client: HubClient, thread_ctx: AuthContext) -> str:
    made = await client.buckets.create(thread_ctx, "things")
    await client.buckets.push_files(thread_ctx, made.key, FILES)
    return made.key


@pytest.fixture(params=["as it is", "as another hub"])
def buckets(request: pytest.FixtureRequest, client: HubClient) -> BucketsClient:
    return client.buckets if request.param == "as it is" else plain(client)[0]


async def content(client: HubClient, ctx: AuthContext, key: str) -> dict[str, bytes]:
    found = {}
    for path in await client.buckets.list_path_flat(ctx, key, dirs=False, depth=-1):
        if path != SEED:
            found[path] = b"".join([chunk async for chunk in client.buckets.pull_path(ctx, key, path)])
    return found


async def test_a_listing_is_as_deep_as_asked(client: HubClient, thread_ctx: AuthContext, key: str) -> None:
    shallow = await client.buckets.list_path(thread_ctx, key)
    (docs,) = [item for item in shallow.item.items if item.is_dir]
    assert (docs.items, docs.items_count) == ((), 2)
    two = await client.buckets.list_path(thread_ctx, key, depth=2)
    (docs,) = [item for item in two.item.items if item.is_dir]
    assert [item.name for item in docs.items] == ["deep", "one.txt"]
    assert docs.items[0].items == ()
    whole = await client.buckets.list_path(thread_ctx, key, "docs", depth=-1)
    assert [item.name for item in whole.item.items[0].items] == ["three.txt", "two.bin"]
    assert whole.item.items[0].items[0].relative_path == "docs/deep/three.txt"
    assert whole.root.path == whole.item.root


@pytest.mark.parametrize("depth", [0, -2, True, "1"])
async def test_a_depth_is_a_number_of_levels(
    client: HubClient, thread_ctx: AuthContext, public: str, depth: object
) -> None:
    with pytest.raises(errors.InvalidInput, match="depth"):
        await client.buckets.list_path(thread_ctx, public, depth=depth)  # type: ignore[arg-type]


async def test_a_flat_listing_names_paths(client: HubClient, thread_ctx: AuthContext, key: str) -> None:
    deep = ["docs/deep", "docs/deep/three.txt", "docs/deep/two.bin"]
    flat = await client.buckets.list_path_flat(thread_ctx, key)
    assert flat == [SEED, "a.txt", "docs", *deep, "docs/one.txt"]
    assert await client.buckets.list_path_flat(thread_ctx, key, dirs=False, depth=1) == [SEED, "a.txt"]
    assert await client.buckets.list_path_flat(thread_ctx, key, "docs/deep") == deep[1:]
    assert await client.buckets.list_path_flat(thread_ctx, key, "a.txt") == ["a.txt"]


async def test_a_tree_is_listed_parents_first(
    buckets: BucketsClient, thread_ctx: AuthContext, key: str
) -> None:
    items = [item async for item in buckets.list_tree(thread_ctx, key)]
    deep = ["docs/deep", "docs/deep/three.txt", "docs/deep/two.bin"]
    assert [item.relative_path for item in items] == ["", SEED, "a.txt", "docs", *deep, "docs/one.txt"]
    assert [item.name for item in items if item.is_dir] == ["", "docs", "deep"]
    assert len({item.root for item in items}) == 1
    below = [item async for item in buckets.list_tree(thread_ctx, key, "docs/deep")]
    assert [item.relative_path for item in below] == deep
    listed = (await buckets.list_path(thread_ctx, key, "docs", depth=-1)).item
    assert {item.relative_path: item.cid for item in below} == {
        item.relative_path: item.cid for item in (listed.items[0], *listed.items[0].items)
    }
    with pytest.raises(errors.PathNotFound):
        [item async for item in buckets.list_tree(thread_ctx, key, "nothing")]


async def test_patterns_find_paths(buckets: BucketsClient, thread_ctx: AuthContext, key: str) -> None:
    async def found(pattern: str, path: str = "") -> list[str]:
        return [item.relative_path async for item in buckets.walk(thread_ctx, key, pattern, path=path)]

    assert await found("**/*.txt") == ["a.txt", "docs/deep/three.txt", "docs/one.txt"]
    assert await found("*") == ["a.txt", "docs"]
    assert await found("*/*") == ["docs/deep", "docs/one.txt"]
    assert await found("*", "docs") == ["docs/deep", "docs/one.txt"]
    assert await found("**", "docs/deep") == ["docs/deep/three.txt", "docs/deep/two.bin"]
    assert await found(SEED) == [SEED]


async def test_a_bounded_pattern_lists_only_what_it_fits(
    client: HubClient, thread_ctx: AuthContext, public: str
) -> None:
    buckets, channel = plain(client)
    assert [item.name async for item in buckets.walk(thread_ctx, public, "*/*.txt")] == ["one.txt"]
    assert channel.called == ["ListPath", "ListIpfsPath"]


async def test_sizes_of_content_are_those_in_clear(
    client: HubClient, thread_ctx: AuthContext, public: str
) -> None:
    (item,) = [item async for item in client.buckets.walk(thread_ctx, public, "a.txt", path="")]
    assert item.content_size == 1


async def test_a_path_is_listed_by_its_cid(client: HubClient, thread_ctx: AuthContext, public: str) -> None:
    listing = await client.buckets.list_path(thread_ctx, public)
    anonymous = thread_ctx.without("thread")
    by_cid = await client.buckets.list_ipfs_path(anonymous, listing.item.cid)
    assert [(item.name, item.cid) for item in by_cid.items] == [
        (item.name, item.cid) for item in listing.item.items
    ]
    deep = await client.buckets.list_ipfs_path(anonymous, f"{listing.root.path}/docs/deep")
    assert [item.name for item in deep.items] == ["three.txt", "two.bin"]
    chunks = client.buckets.pull_ipfs_path(anonymous, f"{listing.root.path}/docs/deep/two.bin")
    assert b"".join([chunk async for chunk in chunks]) == FILES["docs/deep/two.bin"]
    with pytest.raises(errors.PathNotFound):
        await client.buckets.list_ipfs_path(anonymous, f"{listing.root.path}/nothing")
    with pytest.raises(errors.InvalidPath, match="does not begin with a CID"):
        await client.buckets.list_ipfs_path(anonymous, "docs/deep")


async def test_content_with_a_cid_is_set_at_a_path(
    client: HubClient, thread_ctx: AuthContext, public: str, key: str
) -> None:
    listing = await client.buckets.list_path(thread_ctx, public, "docs")
    await client.buckets.set_path(thread_ctx, key, "new/folder", listing.item.cid)
    found = await content(client, thread_ctx, key)
    assert found == FILES | {
        path.replace("docs", "new/folder"): each for path, each in FILES.items() if "docs" in path
    }
    with pytest.raises(errors.InvalidSource):
        await client.buckets.set_path(thread_ctx, key, "new", "no cid")
    with pytest.raises(errors.InvalidPath):
        await client.buckets.set_path(thread_ctx, key, f"a/{SEED}", listing.item.cid)


async def test_a_file_and_a_folder_are_moved(client: HubClient, thread_ctx: AuthContext, key: str) -> None:
    await client.buckets.move_path(thread_ctx, key, "a.txt", "docs")
    await client.buckets.move_path(thread_ctx, key, "docs/deep", "up/here")
    assert await content(client, thread_ctx, key) == {
        "docs/a.txt": b"a",
        "docs/one.txt": b"1",
        "up/here/two.bin": FILES["docs/deep/two.bin"],
        "up/here/three.txt": b"3",
    }
    with pytest.raises(errors.PathNotFound):
        await client.buckets.move_path(thread_ctx, key, "nothing", "there")
    with pytest.raises(errors.InvalidPath):
        await client.buckets.move_path(thread_ctx, key, "", "there")


async def test_a_file_is_copied(
    client: HubClient, buckets: BucketsClient, thread_ctx: AuthContext, key: str
) -> None:
    root = await buckets.copy_path(thread_ctx, key, "docs/deep/two.bin", "copy.bin")
    assert (await client.buckets.root(thread_ctx, key)).cid == root
    await buckets.copy_path(thread_ctx, key, "a.txt", "docs")
    await buckets.copy_path(thread_ctx, key, "docs/one.txt", "")
    copies = {"copy.bin": FILES["docs/deep/two.bin"], "docs/a.txt": b"a", "one.txt": b"1"}
    assert await content(client, thread_ctx, key) == FILES | copies


async def test_a_folder_is_copied(
    client: HubClient, buckets: BucketsClient, thread_ctx: AuthContext, key: str
) -> None:
    root = await buckets.copy_path(thread_ctx, key, "docs", "again")
    copies = {path.replace("docs", "again"): each for path, each in FILES.items() if "docs" in path}
    assert await content(client, thread_ctx, key) == FILES | copies
    await buckets.copy_path(thread_ctx, key, "again/deep", "", root=root)
    with pytest.raises(errors.NonFastForward) as refused:
        await buckets.copy_path(thread_ctx, key, "docs", "more", root=root)
    assert refused.value.expected == f"/ipfs/{root}"
    with pytest.raises(errors.NotADirectory):
        await buckets.copy_path(thread_ctx, key, "docs", "a.txt")
    with pytest.raises(errors.PathNotFound):
        await buckets.copy_path(thread_ctx, key, "nothing", "more")


async def test_a_copy_elsewhere_is_made_in_one_push_on_one_root(
    client: HubClient, thread_ctx: AuthContext, public: str
) -> None:
    buckets, channel = plain(client)
    root = await buckets.root(thread_ctx, public)
    new = await buckets.copy_path(thread_ctx, public, "docs", "again", root=root)
    assert channel.called.count("PushPaths") == 1
    assert (await client.buckets.root(thread_ctx, public)).cid == new
    copies = {path.replace("docs", "again"): each for path, each in FILES.items() if "docs" in path}
    assert await content(client, thread_ctx, public) == FILES | copies


async def test_random_content_survives_a_copy(
    client: HubClient, thread_ctx: AuthContext, public: str
) -> None:
    large = os.urandom(1_000_003)
    root = (await client.buckets.push_path(thread_ctx, public, "large", large)).root
    await plain(client)[0].copy_path(thread_ctx, public, "large", "copy", root=root)
    assert (await content(client, thread_ctx, public))["copy"] == large
