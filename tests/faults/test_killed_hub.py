"""A hub killed at random moments of pushes, moves, role changes and collections has all that it acknowledged.

``TEXTILE_KILLS`` says how often it is killed (100). Moments are chosen by a seeded generator, in terms of
what has happened: bytes handed out by sources, sources that were read to their end, answers that came.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import textile_aio
from tests.faults.disk import unfinished, unnamed
from tests.faults.nursery import Nursery, nursery
from tests.trees import whole
from textile_aio import AuthContext, HubClient, RetryPolicy, Role, errors

SEEDS = 5
KILLS = int(os.environ.get("TEXTILE_KILLS", "100"))

Files = dict[str, bytes]


@dataclass
class Trigger:
    """Kills the hub when a kind of event has happened so many times, some turns of the loop later."""

    hub: Nursery
    kind: str
    left: int
    turns: int
    pulled: asyncio.Event = field(default_factory=asyncio.Event)

    def count(self, kind: str, amount: int = 1) -> None:
        if kind == self.kind:
            self.left -= amount
            if self.left <= 0:
                self.pulled.set()

    async def fire(self) -> None:
        await self.pulled.wait()
        for _ in range(self.turns):
            await asyncio.sleep(0)
        self.hub.kill()


@dataclass
class Owned:
    """The part of a bucket that one pusher alone changes.

    Attributes:
        sure: What the hub has acknowledged.
        maybe: What it becomes if the change under way takes effect; None when there is none.
        root: The bucket's root with the last acknowledged change.
        root_is_known: Not while a change is under way that does not tell the root.
    """

    key: str
    folder: str
    sure: Files = field(default_factory=dict)
    maybe: Files | None = None
    root: str = ""
    root_is_known: bool = True

    async def change(self, client: HubClient, ctx: AuthContext, rng: random.Random, trigger: Trigger) -> None:
        """Make one random change, and note what is known of it at each step."""
        kind = rng.choice(["one", "one", "many", "remove", "move", "roles"])
        if kind in ("move", "roles") and self.sure:
            await self._without_root(client, ctx, rng, kind)
            trigger.count("answers")
            return
        if kind == "remove" and self.sure:
            path = rng.choice(sorted(self.sure))
            self.maybe = {name: data for name, data in self.sure.items() if name != path}
            root = await client.buckets.remove_path(ctx, self.key, path)
        else:
            new = {
                f"{self.folder}/{rng.randrange(4)}": content(rng)
                for _ in range(1 if kind != "many" else rng.randint(2, 4))
            }
            self.maybe = self.sure | new
            if kind == "many":
                items = {path: source(data, trigger) for path, data in new.items()}
                root = await client.buckets.push_files(ctx, self.key, items)
            else:
                ((path, data),) = new.items()
                root = (await client.buckets.push_path(ctx, self.key, path, source(data, trigger))).root
        self.sure, self.maybe, self.root = self.maybe, None, root.path
        trigger.count("answers")

    async def _without_root(self, client: HubClient, ctx: AuthContext, rng: random.Random, kind: str) -> None:
        self.root_is_known = False
        path = rng.choice(sorted(self.sure))
        if kind == "move":
            target = f"{self.folder}/{rng.randrange(4)}"
            self.maybe = dict(self.sure)
            self.maybe[target] = self.maybe.pop(path)
            await client.buckets.move_path(ctx, self.key, path, target)
            self.sure, self.maybe = self.maybe, None
        else:
            role = rng.choice([Role.READER, Role.WRITER])
            await client.buckets.push_path_access_roles(ctx, self.key, path, {"*": role})
        self.root = (await client.buckets.root(ctx, self.key)).path
        self.root_is_known = True


def content(rng: random.Random) -> bytes:
    size = rng.choice([0, 10, 5_000, 16_384, 40_000, 300_000, 1_500_000, 3_000_000])
    return rng.randbytes(size)


async def source(data: bytes, trigger: Trigger) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 100_000):
        chunk = data[start : start + 100_000]
        trigger.count("bytes", len(chunk))
        yield chunk
    trigger.count("ends")


def choose(hub: Nursery, rng: random.Random) -> Trigger:
    kind = rng.choice(["bytes", "ends", "ends", "answers"])
    left = rng.randrange(1, 6_000_000) if kind == "bytes" else rng.randrange(1, 8)
    return Trigger(hub, kind, left, rng.choice([0, 0, 1, 5, 20, 80]))


async def push_until_killed(
    target: str, ctx: AuthContext, parts: list[Owned], rng: random.Random, trigger: Trigger
) -> None:
    async with textile_aio.connect(target, retry=RetryPolicy.none()) as client:

        async def pusher(part: Owned, seed: int) -> None:
            own = random.Random(seed)
            with pytest.raises(errors.Unavailable):
                while True:
                    await part.change(client, ctx, own, trigger)

        async with asyncio.TaskGroup() as group:
            group.create_task(trigger.fire())
            for part in parts:
                group.create_task(pusher(part, rng.getrandbits(64)))


async def check(client: HubClient, ctx: AuthContext, parts: list[Owned]) -> None:
    """Compare each bucket with what is known of it, and note what became of the changes under way."""
    for key in {part.key for part in parts}:
        tree = await whole(client, ctx, key)
        mine = [part for part in parts if part.key == key]
        taken = False
        for part in mine:
            found = {path: data for path, data in tree.files.items() if path.startswith(f"{part.folder}/")}
            for path in part.sure.keys() & found.keys():
                assert found[path] in (part.sure[path], (part.maybe or {}).get(path)), f"{path} is damaged"
            assert found in (part.sure, part.maybe), f"{part.folder} is in no state it was ever in"
            taken = taken or found != part.sure or not part.root_is_known
            part.root_is_known = True
            part.sure, part.maybe = found, None
        assert tree.files.keys() == {path for part in mine for path in part.sure}
        assert taken or tree.root.path in {part.root for part in mine}, (
            "the root is none that was acknowledged"
        )
        for part in mine:
            part.root = tree.root.path


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_whatever_was_acknowledged_survives_a_kill(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    data = tmp_path / "hub"
    async with nursery() as hub:
        target = await hub.start(data)
        async with textile_aio.connect(target) as client:
            ctx = AuthContext()
            ctx = ctx.with_thread(await client.threads.new_db(ctx))
            shared, single = [await client.buckets.create(ctx, name) for name in ("shared", "single")]
            private = await client.buckets.create(ctx, "private", private=True)
        parts = [
            Owned(shared.key, "a", root=shared.root.path),
            Owned(shared.key, "b", root=shared.root.path),
            Owned(single.key, "c", root=single.root.path),
            Owned(private.key, "d", root=private.root.path),
        ]
        for _ in range(KILLS // SEEDS):
            await push_until_killed(target, ctx, parts, rng, choose(hub, rng))
            assert await hub.ended() == -9
            target = await hub.start(data)
            assert unfinished(data) == unnamed(data) == set()
            async with textile_aio.connect(target) as client:
                await check(client, ctx, parts)
