"""What is tried again when a bucket moves on, how often, and when it cannot be told."""

from __future__ import annotations

from typing import Any

import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError

from tests.buckets.fakebucket import KEY, NON_FAST_FORWARD, FakeBucket, root_message
from tests.fakehub import CTX, FakeHub, connected, received
from textile_aio import Cid, NonFastForward
from textile_aio._proto.api.bucketsd import pb
from textile_aio.buckets import _methods

STALE = Cid.sha256(0x70, bytes(32))
EMPTY = pb.ListIpfsPathResponse(item=pb.PathItem(cid=str(STALE), is_dir=True))


class Restless(FakeHub):
    """A bucket that has moved on whenever a path is to be removed."""

    def __init__(self) -> None:
        super().__init__()
        self.roots: list[str] = []
        self.state = 0
        self.on(_methods.REMOVE_PATH, self.refuse)
        self.on(_methods.ROOT, self.root)
        self.answer(_methods.LIST_IPFS_PATH, EMPTY)

    async def refuse(self, stream: Any) -> None:
        self.roots.append((await received(stream)).root)
        self.state += 1
        raise NON_FAST_FORWARD

    async def root(self, stream: Any) -> None:
        await received(stream)
        await stream.send_message(pb.RootResponse(root=root_message(self.state)))


async def test_it_is_tried_five_times_each_on_the_root_of_then() -> None:
    fake = Restless()
    async with connected(fake) as hub:
        with pytest.raises(NonFastForward) as refused:
            await hub.buckets.remove_path(CTX, KEY, "a", root=STALE, on_conflict="retry")
    assert fake.roots == [f"/ipfs/{STALE}"] + [root_message(state).path for state in range(1, 5)]
    assert refused.value.expected == root_message(4).path


async def test_it_is_not_tried_again_unless_asked() -> None:
    fake = Restless()
    async with connected(fake) as hub:
        with pytest.raises(NonFastForward):
            await hub.buckets.remove_path(CTX, KEY, "a", root=STALE)
    assert len(fake.roots) == 1


async def test_a_root_that_the_hub_has_forgotten_cannot_be_compared() -> None:
    fake = Restless()
    fake.answer(_methods.LIST_IPFS_PATH, GRPCError(Status.UNKNOWN, "block was not found locally"))
    async with connected(fake) as hub:
        with pytest.raises(NonFastForward) as refused:
            await hub.buckets.remove_path(CTX, KEY, "a", root=STALE, on_conflict="retry")
    assert len(fake.roots) == 1
    assert "does not list the old root any more" in refused.value.__notes__[0]


async def test_equal_directories_are_not_listed() -> None:
    fake = Restless()
    folder = str(Cid.sha256(0x70, b"f" * 32))
    listing = pb.PathItem(cid=str(STALE), is_dir=True, items=[pb.PathItem(cid=folder, name="a", is_dir=True)])
    asked = fake.answer(_methods.LIST_IPFS_PATH, pb.ListIpfsPathResponse(item=listing))
    async with connected(fake) as hub:
        with pytest.raises(NonFastForward):
            await hub.buckets.remove_path(CTX, KEY, "a/b", root=STALE, on_conflict="retry")
    assert f"/ipfs/{folder}" not in {request.path for request in asked}


async def test_an_overwrite_sends_no_root() -> None:
    fake = FakeBucket()
    async with connected(fake) as hub:
        await hub.buckets.push_path(CTX, KEY, "a", b"a", root=STALE, on_conflict="overwrite")
        await hub.buckets.push_path(CTX, KEY, "a", b"a", root=STALE)
    assert [header.root for header in fake.headers] == ["", f"/ipfs/{STALE}"]
