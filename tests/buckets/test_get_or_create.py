"""A bucket by its name: found, or made once however many ask at the same time."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.buckets.fakebucket import root_message
from tests.fakehub import CTX, FakeHub, connected, received
from textile_aio import Cid
from textile_aio._proto.api.bucketsd import pb
from textile_aio.buckets import _methods


class Buckets(FakeHub):
    """Buckets by key, dated in the order in which they can be seen."""

    def __init__(self, *, together: int = 1) -> None:
        super().__init__()
        self.roots: dict[str, pb.Root] = {}
        self.removed: list[str] = []
        self.touched = False
        self._together = asyncio.Barrier(together)
        for method, handle in (
            (_methods.LIST, self.list_all),
            (_methods.CREATE, self.create),
            (_methods.ROOT, self.root),
            (_methods.REMOVE, self.remove),
        ):
            self.on(method, handle)

    def add(self, name: str, created_at: int, key: str = "") -> pb.Root:
        root = root_message(len(self.roots))
        root.key = key or f"key{len(self.roots)}"
        root.name, root.created_at = name, created_at
        self.roots[root.key] = root
        return root

    async def list_all(self, stream: Any) -> None:
        await received(stream)
        await stream.send_message(pb.ListResponse(roots=list(self.roots.values())))

    async def create(self, stream: Any) -> None:
        name = (await received(stream)).name
        await self._together.wait()  # all have seen that there is none
        root = self.add(name, len(self.roots) + 1)
        links = pb.LinksResponse()
        seed = str(Cid.sha256(0x55, bytes(32)))
        await self._together.wait()
        await stream.send_message(pb.CreateResponse(root=root, links=links, seed_cid=seed))

    async def root(self, stream: Any) -> None:
        root = self.roots[(await received(stream)).key]
        if self.touched:
            root = root_message(99)
        await stream.send_message(pb.RootResponse(root=root))

    async def remove(self, stream: Any) -> None:
        key = (await received(stream)).key
        self.removed.append(key)
        del self.roots[key]
        await stream.send_message(pb.RemoveResponse())


async def test_the_oldest_of_the_name_is_found() -> None:
    fake = Buckets()
    fake.add("things", 5, "young")
    fake.add("things", 3, "old")
    fake.add("things", 3, "old too")
    fake.add("others", 1, "oldest")
    async with connected(fake) as hub:
        assert (await hub.buckets.get_or_create(CTX, "things")).key == "old"
    assert not any(path.endswith("Create") for path in fake.called)


async def test_it_is_made_where_there_is_none() -> None:
    fake = Buckets()
    fake.add("others", 1)
    async with connected(fake) as hub:
        made = await hub.buckets.get_or_create(CTX, "things")
        assert (await hub.buckets.get_or_create(CTX, "things")).key == made.key
    assert [root.name for root in fake.roots.values()] == ["others", "things"]


async def test_of_all_that_are_made_at_the_same_time_one_is_left() -> None:
    fake = Buckets(together=5)
    async with connected(fake) as hub, asyncio.TaskGroup() as group:
        callers = [group.create_task(hub.buckets.get_or_create(CTX, "things")) for _ in range(5)]
    assert {caller.result().key for caller in callers} == {"key0"} == set(fake.roots)
    assert sorted(fake.removed) == ["key1", "key2", "key3", "key4"]


async def test_a_bucket_that_somebody_has_changed_is_not_removed() -> None:
    fake = Buckets(together=2)
    fake.touched = True
    async with connected(fake) as hub, asyncio.TaskGroup() as group:
        callers = [group.create_task(hub.buckets.get_or_create(CTX, "things")) for _ in range(2)]
    assert {caller.result().key for caller in callers} == {"key0"}
    assert (sorted(fake.roots), fake.removed) == (["key0", "key1"], [])
