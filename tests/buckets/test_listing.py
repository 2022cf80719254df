"""Listings of several levels are of one state; sizes of content are those in clear, or not said."""

from __future__ import annotations

from typing import Any

import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError

from tests.buckets.fakebucket import KEY, root_message
from tests.fakehub import CTX, FakeHub, connected, received
from textile_aio import Aborted, Cid, PathNotFound
from textile_aio._proto.api.bucketsd import pb
from textile_aio.buckets import _convert, _methods

RAW, FOLDER = str(Cid.sha256(0x55, bytes(32))), str(Cid.sha256(0x70, bytes(32)))


def folder(*items: pb.PathItem, name: str = "") -> pb.PathItem:
    return pb.PathItem(cid=FOLDER, name=name, path="/ipfs/x", is_dir=True, items=list(items))


def file(name: str, size: int = 0, **more: Any) -> pb.PathItem:
    return pb.PathItem(cid=RAW, name=name, path="/ipfs/x", size=size, **more)


class Moving(FakeHub):
    """A bucket of two levels whose root is another one in each of the first listings."""

    def __init__(self, moves: int) -> None:
        super().__init__()
        self.listed = 0
        self._moves = moves
        self.on(_methods.LIST_PATH, self.list_path)

    async def list_path(self, stream: Any) -> None:
        path = (await received(stream)).path
        state = min(self.listed, self._moves)
        self.listed += 1
        item = folder(file("b"), name="a") if path else folder(folder(name="a"))
        await stream.send_message(pb.ListPathResponse(item=item, root=root_message(state)))


async def test_a_deep_listing_begins_anew_when_the_bucket_moves() -> None:
    fake = Moving(3)
    async with connected(fake) as hub:
        listing = await hub.buckets.list_path(CTX, KEY, depth=-1)
    assert listing.root.path == root_message(3).path
    assert [item.name for item in listing.item.items[0].items] == ["b"]


async def test_a_bucket_that_moves_all_the_time_is_given_up() -> None:
    async with connected(Moving(1000)) as hub:
        with pytest.raises(Aborted, match="changed during each attempt") as given_up:
            await hub.buckets.list_path(CTX, KEY, depth=2)
        await hub.buckets.list_path(CTX, KEY)
    assert given_up.value.retryable


async def test_what_is_missing_in_one_state_is_missing() -> None:
    fake = Moving(0)

    async def list_path(stream: Any) -> None:
        path = (await received(stream)).path
        if path:
            raise GRPCError(Status.UNKNOWN, "could not resolve path: a")
        await stream.send_message(pb.ListPathResponse(item=folder(folder(name="a")), root=root_message()))

    fake.on(_methods.LIST_PATH, list_path)
    async with connected(fake) as hub:
        with pytest.raises(PathNotFound):
            await hub.buckets.list_path(CTX, KEY, depth=2)


@pytest.mark.parametrize(
    ("item", "private", "size"),
    [
        (file("a", 7), False, 7),
        (file("a", 91), True, None),
        (file("a", 91, content_size=7), True, 7),
        (file("a", 7, content_size=0), False, 0),
        (pb.PathItem(cid=FOLDER, name="large", size=300_100), False, None),
        (folder(name="a"), False, None),
    ],
)
def test_the_size_of_content_is_known_or_not_said(item: pb.PathItem, private: bool, size: int | None) -> None:
    root = root_message()
    root.link_key = "secret" if private else ""
    listing = _convert.listing(pb.ListPathResponse(item=folder(item), root=root))
    assert listing.item.items[0].content_size == size


def test_an_item_knows_its_place() -> None:
    item = _convert.item(pb.PathItem(cid=RAW, name="b", path=f"/ipfs/{FOLDER}/a/b"))
    assert (item.root, item.relative_path) == (f"/ipfs/{FOLDER}", "a/b")
    item = _convert.item(pb.PathItem(cid=RAW, path=f"/ipfs/{FOLDER}"))
    assert (item.root, item.relative_path) == (f"/ipfs/{FOLDER}", "")
