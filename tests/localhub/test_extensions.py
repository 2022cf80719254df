"""What our hub can do beyond upstream's, as our client asks for it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest

from textile_aio import AuthContext, Cid, HubClient, Identity, connect
from textile_aio._proto.textile_aio.buckets import pb
from textile_aio.buckets._extensions import HAS_BLOCKS
from textile_aio.errors import (
    InvalidInput,
    NonFastForward,
    NotADirectory,
    PathNotFound,
    PermissionDenied,
    TextileError,
)
from textile_aio.localhub import HubSettings, LocalHub
from textile_aio.unixfs import CHUNK_SIZE, Block, Directory, car

Given = tuple[HubClient, AuthContext]


@pytest.fixture
async def given() -> AsyncIterator[Given]:
    async with (
        LocalHub.in_memory(HubSettings(mode="buckd", port=0)) as hub,
        connect(hub.target) as client,
    ):
        yield client, await someone(client)


async def someone(client: HubClient, like: AuthContext | None = None) -> AuthContext:
    ctx = await client.threads.authorize(AuthContext(), Identity.generate())
    if like is not None and like.thread is not None:
        return ctx.with_thread(like.thread)
    return ctx.with_thread(await client.threads.new_db(ctx))


FILES = {"a": b"1", "d/b": b"2" * 300_000, "d/e/c": b"", "d.x": b"3"}


async def walk(
    client: HubClient, ctx: AuthContext, key: str, path: str = ""
) -> list[tuple[str, bool, int | None]]:
    found = (
        client.buckets.bucket(ctx, key).walk(path=path) if path else client.buckets.bucket(ctx, key).walk()
    )
    return [(item.relative_path, item.is_dir, item.content_size) async for item in found]


@pytest.mark.parametrize("private", [False, True])
async def test_a_car_file_carries_a_bucket(given: Given, private: bool) -> None:
    client, ctx = given
    bucket = await client.buckets.create(ctx, "one", private=private)
    await client.buckets.push_files(ctx, bucket.key, FILES)
    carried = b"".join([chunk async for chunk in client.buckets.export_car(ctx, bucket.key)])
    reader = car.CarReader()
    blocks = list(reader.feed(carried))
    reader.finish()
    root = await client.buckets.root(ctx, bucket.key)
    assert reader.roots == (root.cid,)
    assert len({block.cid for block in blocks}) == len(blocks)
    if private:
        assert b"2" * 1000 not in carried
        return
    key = await client.buckets.import_car(ctx, carried, name="two")
    for path, content in FILES.items():
        assert b"".join([chunk async for chunk in client.buckets.pull_path(ctx, key, path)]) == content
    key = await client.buckets.import_car(ctx, carried, name="three", private=True)
    for path, content in FILES.items():
        assert b"".join([chunk async for chunk in client.buckets.pull_path(ctx, key, path)]) == content
    part = b"".join([chunk async for chunk in client.buckets.export_car(ctx, bucket.key, "d")])
    key = await client.buckets.import_car(ctx, part)
    assert b"".join([chunk async for chunk in client.buckets.pull_path(ctx, key, "b")]) == FILES["d/b"]


def file_of(roots: list[Cid], *blocks: Block) -> bytes:
    sections = (car.section(each.cid, each.data) for each in blocks)
    return car.header(roots) + b"".join(bytes(piece) for section in sections for piece in section)


LEAF = Block.of(0x55, b"leaf")
FOLDER = Directory()
FOLDER.set("leaf", LEAF.cid, 4)
ROOT = FOLDER.encode(1)
OTHER_CODEC = Block.of(0x71, b"\xa0")


@pytest.mark.parametrize("private", [False, True])
@pytest.mark.parametrize(
    ("source", "kind", "refusal"),
    [
        (file_of([LEAF.cid], LEAF), NotADirectory, "expected protobuf dag node"),
        (file_of([ROOT.cid], ROOT, Block(LEAF.cid, b"other")), InvalidInput, "holds the bytes of"),
        (file_of([ROOT.cid], ROOT, OTHER_CODEC), InvalidInput, "neither raw nor dag-pb"),
        (file_of([ROOT.cid], Block.of(0x70, b"\xff")), InvalidInput, "malformed dag-pb node"),
        (file_of([ROOT.cid], ROOT), InvalidInput, f"{LEAF.cid} is neither in the CAR file nor at this hub"),
        (file_of([ROOT.cid], LEAF), InvalidInput, f"{ROOT.cid} is neither in the CAR file nor at this hub"),
        (file_of([ROOT.cid], ROOT, LEAF)[:-1], InvalidInput, "ends within a block"),
        (b"", InvalidInput, "ends within its header"),
        (b"\xff" * 400_000, InvalidInput, "a length without end"),
        (file_of([ROOT.cid] * 2, ROOT, LEAF), InvalidInput, "a CAR file with one root is needed"),
    ],
)
async def test_car_files_that_cannot_be_buckets_are_refused(
    given: Given, source: bytes, kind: type[TextileError], refusal: str, private: bool
) -> None:
    client, ctx = given
    with pytest.raises(kind, match=refusal):
        await client.buckets.import_car(ctx, source, private=private)
    assert await client.buckets.list(ctx) == []


async def test_what_the_hub_has_need_not_be_in_a_car_file(given: Given) -> None:
    client, ctx = given
    await client.buckets.import_car(ctx, file_of([ROOT.cid], LEAF, ROOT, LEAF))
    key = await client.buckets.import_car(ctx, file_of([ROOT.cid]))
    assert await client.buckets.bucket(ctx, key).read_bytes("leaf") == b"leaf"


async def test_a_car_file_may_have_very_many_small_blocks(given: Given) -> None:
    client, ctx = given
    leaves = [Block.of(0x55, number.to_bytes(4, "big")) for number in range(20_000)]
    folder = Directory()
    for number, leaf in enumerate(leaves):
        folder.set(f"{number}", leaf.cid, 4)
    root = folder.encode(1)
    key = await client.buckets.import_car(ctx, file_of([root.cid], root, *leaves))
    carried = b"".join([chunk async for chunk in client.buckets.export_car(ctx, key)])
    reader = car.CarReader()
    assert {block.cid for block in reader.feed(carried)} > {leaf.cid for leaf in leaves}


async def test_a_copy_is_made_at_the_hub(given: Given) -> None:
    client, ctx = given
    bucket = await client.buckets.create(ctx)
    root = await client.buckets.push_files(ctx, bucket.key, FILES)
    await client.buckets.copy_path(ctx, bucket.key, "d", "copy/of")
    with pytest.raises(NonFastForward):
        await client.buckets.copy_path(ctx, bucket.key, "d", "again", root=root)
    for path in ("d/b", "copy/of/b"):
        pulled = [chunk async for chunk in client.buckets.pull_path(ctx, bucket.key, path)]
        assert b"".join(pulled) == FILES["d/b"]


async def test_blocks_that_are_here_are_known(given: Given) -> None:
    client, ctx = given
    leaf = os.urandom(CHUNK_SIZE)
    for private, expected in ((False, [True, False]), (True, [False, False])):
        bucket = await client.buckets.create(ctx, private=private)
        await client.buckets.push_path(ctx, bucket.key, "f", leaf + b"more")
        cids = [Block.of(0x55, each).cid.bytes for each in (leaf, b"absent")]
        request = pb.HasBlocksRequest(key=bucket.key, cids=cids)
        assert client._channel is not None
        reply = await client._channel.unary(HAS_BLOCKS, request, ctx, about="")
        assert reply.present == expected


async def test_strangers_see_as_much_as_in_listings(given: Given) -> None:
    client, ctx = given
    other = await someone(client, ctx)
    bucket = await client.buckets.create(ctx, private=True)
    await client.buckets.push_files(ctx, bucket.key, FILES)
    with pytest.raises(PathNotFound):
        await walk(client, other, bucket.key)
    with pytest.raises(PathNotFound):
        _ = [chunk async for chunk in client.buckets.export_car(other, bucket.key)]
    with pytest.raises(PermissionDenied):
        await client.buckets.copy_path(other, bucket.key, "a", "b")
