"""Trees in CAR files, large ones and such as nobody makes in good faith, cost the hub little memory.

The hub is a process of its own, and Linux says what the most was that it ever had.
"""

from __future__ import annotations

import logging
import sys
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

import textile_aio
from tests.localhub.process import HubProcess, hub_process
from textile_aio import AuthContext, Cid, HubClient
from textile_aio.errors import FailedPrecondition, PathNotFound, RemoteError
from textile_aio.unixfs import CHUNK_SIZE, Block, Directory, car
from textile_aio.unixfs.importer import FileImporter

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")

log = logging.getLogger(__name__)

MIB = 1024 * 1024
SIZE = 96 * MIB
HUB_BOUND = 48 * MIB
CLIENT_BOUND = 16 * MIB
ENTRY_BOUND = 2048


def peak(hub: HubProcess) -> int:
    """The most memory that the hub ever had, in bytes."""
    status = Path(f"/proc/{hub.process.pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024


async def someone(client: HubClient) -> AuthContext:
    ctx = AuthContext()
    return ctx.with_thread(await client.threads.new_db(ctx))


def leaf(number: int) -> bytes:
    return number.to_bytes(8, "big") * (CHUNK_SIZE // 8)


def carried(root: Cid, blocks: Iterator[Block]) -> Iterator[bytes]:
    yield car.header([root])
    for block in blocks:
        yield b"".join(bytes(piece) for piece in car.section(block.cid, block.data))


async def fed(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def large_tree() -> tuple[Cid, Iterator[Block]]:
    """A directory with one large file, and its blocks, which are made when they are asked for."""

    def file() -> Iterator[Block]:
        importer = FileImporter()
        for number in range(SIZE // CHUNK_SIZE):
            yield from importer.feed(leaf(number))
        made, rest = importer.finish()
        yield from rest
        above.set("large", made.cid, made.cumulative_size)

    above = Directory()
    for _ in file():
        pass
    root = above.encode(1)

    def blocks() -> Iterator[Block]:
        yield root
        yield from file()

    return root.cid, blocks()


async def test_a_large_car_file_costs_neither_end_memory(tmp_path: Path) -> None:
    root, blocks = large_tree()
    async with hub_process(tmp_path, "--mode", "buckd") as hub, textile_aio.connect(hub.target) as client:
        ctx = await someone(client)
        idle = peak(hub)
        tracemalloc.start()
        try:
            key = await client.buckets.import_car(ctx, fed(carried(root, blocks)))
            imported = peak(hub) - idle
            size = 0
            async for chunk in client.buckets.export_car(ctx, key):
                size += len(chunk)
            _, here = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        exported = peak(hub) - idle
    log.info("hub: import %d MiB, both %d; client: %d", imported // MIB, exported // MIB, here // MIB)
    assert size > SIZE
    assert max(imported, exported) <= HUB_BOUND
    assert here <= CLIENT_BOUND


def folder(*links: tuple[str, Cid, int]) -> tuple[Block, int]:
    """A directory's block, and its cumulative size."""
    made = Directory()
    for name, cid, size in links:
        made.set(name, cid, size)
    return made.encode(1), made.cumulative_size


LEAF = Block.of(0x55, b"leaf")


def bomb(levels: int) -> list[Block]:
    """A directory that has itself twice, as it were: 2^levels paths in so many blocks. The root is last."""
    blocks, size = [LEAF], 4
    for _ in range(levels):
        block, size = folder(("a", blocks[-1].cid, size), ("b", blocks[-1].cid, size))
        blocks.append(block)
    return blocks


def chain(levels: int, name: str) -> list[Block]:
    """One directory in another, and a file in the last. The root is the last block."""
    blocks, size = [LEAF], 4
    for _ in range(levels):
        block, size = folder((name, blocks[-1].cid, size))
        blocks.append(block)
    return blocks


def wide(entries: int) -> list[Block]:
    block, _ = folder(*((f"{number:020}", LEAF.cid, 4) for number in range(entries)))
    return [LEAF, block]


async def grown(hub: HubProcess, idle: int, *, entries: int = 0) -> None:
    """Check by how much the hub grew at most; it may hold all entries of one directory."""
    growth = peak(hub) - idle
    log.info("hub: %d MiB", growth // MIB)
    assert growth <= HUB_BOUND + entries * ENTRY_BOUND


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[tuple[HubProcess, HubClient, AuthContext]]:
    async with hub_process(tmp_path, "--mode", "buckd") as hub, textile_aio.connect(hub.target) as client:
        yield hub, client, await someone(client)


Served = tuple[HubProcess, HubClient, AuthContext]


async def imported(served: Served, blocks: list[Block], *, private: bool = False) -> str:
    _, client, ctx = served
    source = b"".join(carried(blocks[-1].cid, iter(blocks)))
    return await client.buckets.import_car(ctx, source, private=private)


async def test_a_tree_that_unfolds_without_end(served: Served) -> None:
    hub, client, ctx = served
    idle = peak(hub)
    key = await imported(served, bomb(48))
    listing = await client.buckets.list_path(ctx, key, "a/b/a")
    assert [item.name for item in listing.item.items] == ["a", "b"]
    size = sum([len(chunk) async for chunk in client.buckets.export_car(ctx, key)])
    assert size < 10_000
    seen = 0
    async with aclosing(client.buckets.list_tree(ctx, key)) as items:
        async for _ in items:
            seen += 1
            if seen == 20_000:
                break
    path = "/".join("ab"[number % 2] for number in range(48))
    assert b"".join([chunk async for chunk in client.buckets.pull_path(ctx, key, path)]) == b"leaf"
    await grown(hub, idle)


async def test_deep_trees(served: Served) -> None:
    hub, client, ctx = served
    idle = peak(hub)
    key = await imported(served, chain(250, "n" * 250))
    paths = [item.relative_path async for item in client.buckets.list_tree(ctx, key)]
    assert max(map(len, paths)) == 250 * 251 - 1
    key = await imported(served, chain(3_000, "n" * 250))
    with pytest.raises(FailedPrecondition, match="deeper than 256 levels"):
        async for _ in client.buckets.list_tree(ctx, key):
            pass
    with pytest.raises(RemoteError, match="256 levels"):
        await imported(served, chain(3_000, "n"), private=True)
    assert (await client.buckets.list_path(ctx, key)).item.items_count == 2
    await grown(hub, idle)


async def test_wide_trees(served: Served) -> None:
    hub, client, ctx = served
    idle = peak(hub)
    key = await imported(served, wide(40_000))
    listing = await client.buckets.list_path(ctx, key)
    assert listing.item.items_count == len(listing.item.items) == 40_001
    assert len([item async for item in client.buckets.list_tree(ctx, key)]) == 40_002
    with pytest.raises(PathNotFound):
        await client.buckets.list_path(ctx, key, "nothing")
    await client.buckets.push_path(ctx, key, "more", b"1")
    await grown(hub, idle, entries=40_000)
