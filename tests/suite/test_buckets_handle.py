"""A bucket as a value to work with, on any hub that has buckets."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from textile_aio import AuthContext, BucketHandle, HubClient, Identity, Role, errors

pytestmark = pytest.mark.needs("buckets")


@pytest.fixture
async def bucket(client: HubClient, thread_ctx: AuthContext) -> BucketHandle:
    return await client.buckets.get_or_create(thread_ctx, "things")


async def test_a_handle_is_a_value(client: HubClient, thread_ctx: AuthContext, bucket: BucketHandle) -> None:
    same = client.buckets.bucket(thread_ctx, bucket.key)
    assert same == bucket
    assert hash(same) == hash(bucket)
    assert repr(bucket) == f"BucketHandle(key={bucket.key!r})"
    with pytest.raises(AttributeError):
        bucket.key = "other"  # type: ignore[misc]
    with pytest.raises(errors.ThreadRequired):
        client.buckets.bucket(AuthContext(), bucket.key)


async def test_files_are_written_and_read(bucket: BucketHandle, tmp_path: Path) -> None:
    await bucket.write_bytes("a", b"bytes")
    await bucket.write_text("b", "grüezi\r\n")
    await bucket.write_json("c", {"name": "Zoë", "ages": [1, None]}, indent=2)
    assert await bucket.read_bytes("a") == b"bytes"
    assert await bucket.read_text("b") == "grüezi\r\n"
    assert await bucket.read_bytes("b") == "grüezi\r\n".encode()
    assert await bucket.read_json("c") == {"name": "Zoë", "ages": [1, None]}
    assert b"Zo\xc3\xab" in await bucket.read_bytes("c")
    await bucket.write_text("d", "é", encoding="latin-1")
    assert await bucket.read_text("d", encoding="latin-1") == "é"
    assert await bucket.pull_to("a", tmp_path / "a") == 5
    assert b"".join([chunk async for chunk in bucket.pull("a")]) == b"bytes"


async def test_what_is_no_text_and_no_json_is_refused(bucket: BucketHandle) -> None:
    await bucket.write_bytes("a", b"\xff{")
    with pytest.raises(errors.InvalidEncoding, match="a: the file is no text"):
        await bucket.read_text("a")
    with pytest.raises(errors.InvalidEncoding, match="a: the file is no JSON"):
        await bucket.read_json("a")
    for value in (math.nan, {1, 2}, b"bytes"):
        with pytest.raises(errors.InvalidInput, match="has no JSON text"):
            await bucket.write_json("b", value)
    with pytest.raises(errors.InvalidEncoding, match="cannot be written"):
        await bucket.write_text("b", "\ud800")
    assert not await bucket.exists("b")


async def test_paths_are_looked_at(bucket: BucketHandle) -> None:
    await bucket.push_files({"docs/one": b"1", "docs/two.txt": b"22"})
    assert await bucket.exists("docs/one")
    assert not await bucket.exists("docs/three")
    item = await bucket.stat("docs")
    assert (item.name, item.is_dir, item.items, item.items_count) == ("docs", True, (), 2)
    assert (await bucket.stat("docs/two.txt")).content_size == 2
    assert [item.name for item in await bucket.list("docs")] == ["one", "two.txt"]
    assert [item.relative_path async for item in bucket.glob("docs/*.txt")] == ["docs/two.txt"]
    assert [item.relative_path async for item in bucket.glob("docs/one")] == ["docs/one"]
    assert [item.relative_path async for item in bucket.glob("gone/*")] == []
    assert [item.relative_path async for item in bucket.walk()] == ["docs", "docs/one", "docs/two.txt"]
    with pytest.raises(errors.InvalidPath):
        [item async for item in bucket.glob("")]


async def test_paths_are_changed(bucket: BucketHandle) -> None:
    await bucket.write_text("a", "a")
    await bucket.copy("a", "b")
    await bucket.move("a", "c")
    root = await bucket.remove("b")
    assert (await bucket.root()).path == root.path
    assert [item.name async for item in bucket.walk()] == ["c"]
    await bucket.set("folder/d", (await bucket.stat("c")).cid)
    assert await bucket.read_text("folder/d") == "a"
    with pytest.raises(errors.NonFastForward):
        await bucket.write_text("a", "b", root=root)
    await bucket.write_text("a", "b", root=root, on_conflict="retry")


@pytest.mark.needs("accounts")
async def test_access_is_given_and_explained(bucket: BucketHandle) -> None:
    friend = Identity.generate()
    await bucket.write_text("a", "a")
    assert await bucket.grant("a", {friend: Role.WRITER}) == {str(friend.public): Role.WRITER}
    assert await bucket.roles("a") == {str(friend.public): Role.WRITER}
    explained = await bucket.explain_access("a", friend)
    assert (explained.role, explained.decided_at) == (Role.WRITER, "a")


async def test_links_lead_there_and_a_deleted_bucket_is_gone(bucket: BucketHandle) -> None:
    await bucket.write_text("a", "a")
    assert (await bucket.links("a")).url.endswith(f"{bucket.key}/a")
    assert await bucket.delete() < 0
    with pytest.raises(errors.NotFound):
        await bucket.root()


async def test_files_are_opened_for_reading_only(bucket: BucketHandle) -> None:
    with pytest.raises(errors.InvalidInput, match="mode 'rb'"):
        bucket.open("a", "wb")
