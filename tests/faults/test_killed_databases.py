"""A hub killed at random moments of eight writers has every write that it acknowledged, and no half of one.

``TEXTILE_KILLS`` says how often it is killed (40). Moments are chosen by a seeded generator, in terms of what
has happened: answers, operations of transactions, changes of collections, changes that listeners heard.
``TEXTILE_SEED`` is added to the seeds, to try others.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import textile_aio
from tests.faults.audit import Audit
from tests.faults.nursery import Nursery, nursery
from textile_aio import (
    AuthContext,
    Change,
    ChangeAction,
    HubClient,
    Identity,
    ListenFilter,
    RetryPolicy,
    errors,
)
from textile_aio.storage.values import ChangeKind
from textile_aio.threaddb.notices import Position
from textile_aio.threads.values import CollectionConfig, Index

SEEDS = 4
KILLS = int(os.environ.get("TEXTILE_KILLS", "40"))
FIRST_SEED = int(os.environ.get("TEXTILE_SEED", "0"))
WRITERS = 8
BULK = 1200
"""Documents that are there already: more than an index is filled with in one batch."""

SCHEMA = {
    "properties": {
        "_id": {"type": "string"},
        "name": {"type": "string"},
        "email": {"type": "string"},
        "age": {"type": "number"},
    }
}
ACTIONS = {
    ChangeKind.CREATE: ChangeAction.CREATE,
    ChangeKind.SAVE: ChangeAction.SAVE,
    ChangeKind.DELETE: ChangeAction.DELETE,
}

Document = dict[str, Any]
Documents = dict[str, Document]


@dataclass
class Trigger:
    """Kills the hub when a kind of event has happened so many times, some turns of the loop later."""

    hub: Nursery
    kind: str
    left: int
    turns: int
    pulled: asyncio.Event = field(default_factory=asyncio.Event)

    def count(self, kind: str) -> None:
        if kind == self.kind:
            self.left -= 1
            if self.left <= 0:
                self.pulled.set()

    async def fire(self) -> None:
        await self.pulled.wait()
        for _ in range(self.turns):
            await asyncio.sleep(0)
        self.hub.kill()


@dataclass
class Writer:
    """The documents that one writer alone changes.

    Attributes:
        sure: What the hub has acknowledged.
        maybe: What it becomes if the change under way takes effect; None when there is none.
    """

    name: str
    ctx: AuthContext
    sure: Documents = field(default_factory=dict)
    maybe: Documents | None = None
    made: int = 0

    async def change(self, client: HubClient, rng: random.Random, trigger: Trigger) -> None:
        """Make one random change, and note what is known of it at each step."""
        after = dict(self.sure)
        steps = [self._step(rng, after) for _ in range(rng.choice([1, 1, 2, 5]))]
        threads, ctx = client.threads, self.ctx
        try:
            if len(steps) == 1 and rng.random() < 0.7:
                self.maybe = after
                await getattr(threads, steps[0][0])(ctx, None, "People", steps[0][1])
            elif rng.random() < 0.25:
                await self._give_up(client, steps, rng, trigger)
                after = self.sure
            else:
                async with threads.write_transaction(ctx, None, "People") as txn:
                    for verb, what in steps:
                        await getattr(txn, verb)(what)
                        trigger.count("operations")
                    self.maybe = after
                    trigger.count("commits")
        except errors.UniqueViolation:
            after = self.sure
        self.sure, self.maybe = after, None
        trigger.count("answers")

    async def _give_up(
        self, client: HubClient, steps: list[tuple[str, Any]], rng: random.Random, trigger: Trigger
    ) -> None:
        discards = rng.random() < 0.5
        try:
            async with client.threads.write_transaction(self.ctx, None, "People") as txn:
                for verb, what in steps:
                    await getattr(txn, verb)(what)
                    trigger.count("operations")
                if not discards:
                    raise KeyError
                await txn.discard()
        except KeyError:
            assert not discards

    def _step(self, rng: random.Random, after: Documents) -> tuple[str, Any]:
        """An operation on documents that no earlier step of the same change touches."""
        free = sorted(id_ for id_ in after if after[id_] is self.sure.get(id_))
        some = rng.sample(free, min(len(free), rng.choice([1, 1, 3])))
        verb = rng.choice(["create", "save", "save", "delete"]) if some else "create"
        if verb == "delete":
            for id_ in some:
                del after[id_]
            return verb, some
        if verb == "create":
            some = [f"{self.name}-{self.made + number}" for number in range(rng.choice([1, 1, 2, 30]))]
            self.made += len(some)
        documents = {id_: person(id_, rng) for id_ in some}
        after |= documents
        return verb, list(documents.values())


def person(id_: str, rng: random.Random) -> Document:
    """A document; few of them have an e-mail address, of which there are few."""
    document: Document = {
        "_id": id_,
        "name": rng.choice("abc") * rng.choice([1, 9, 4000]),
        "age": rng.random(),
    }
    if rng.random() < 0.3:
        document["email"] = f"{rng.randrange(200)}"
    return document


@dataclass
class Gardener:
    """Changes the collection's indexes, and reads meanwhile."""

    ctx: AuthContext
    sure: set[Index] = field(default_factory=set)
    maybe: set[Index] | None = None

    async def change(self, client: HubClient, rng: random.Random, trigger: Trigger) -> None:
        for _ in range(3):
            await client.threads.count(self.ctx, None, "People", {"age": {"$gt": rng.random()}})
        wanted = {index for index in (Index("age"), Index("name")) if rng.random() < 0.5}
        if rng.random() < 0.8:
            wanted.add(Index("email", unique=rng.random() < 0.7))
        self.maybe = wanted
        trigger.count("updates")
        try:
            await client.threads.update_collection(self.ctx, None, config(wanted))
        except errors.UniqueViolation:
            wanted = self.sure
        self.sure, self.maybe = wanted, None

    def check(self, found: set[Index]) -> None:
        """A change that broke off is there, or not; an index that it replaces may be gone already."""
        if self.maybe is None:
            assert found == self.sure
            return
        replaced = {index.path for index in self.maybe - self.sure}
        assert found in (
            self.sure,
            self.maybe,
            {index for index in self.sure if index.path not in replaced},
        )
        self.sure, self.maybe = found, None


def config(indexes: set[Index]) -> CollectionConfig:
    ordered = tuple(sorted(indexes, key=lambda index: index.path))
    return CollectionConfig("People", schema=SCHEMA, indexes=ordered)


@dataclass
class Hearer:
    """A listener that goes on from where it was, hub after hub."""

    ctx: AuthContext
    filters: list[ListenFilter]
    start: str = ""
    position: str = ""
    heard: list[tuple[ChangeAction, str]] = field(default_factory=list)
    more: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen(self, client: HubClient, trigger: Trigger | None) -> None:
        """Listen until the hub is gone."""
        while True:
            try:
                async with client.threads.listen(
                    self.ctx, None, self.filters, since=self.position or None, retry=RetryPolicy.none()
                ) as changes:
                    self.position = changes.position or ""
                    self.start = self.start or self.position
                    async for change in changes:
                        assert isinstance(change, Change)
                        self.heard.append((change.action, change.id))
                        self.position = change.position or ""
                        self.more.set()
                        if trigger is not None:
                            trigger.count("heard")
            except errors.ResourceExhausted:
                continue  # It was too slow, and comes back.

    def wanted(self, audit: Audit) -> list[tuple[ChangeAction, str]]:
        """What it should have heard, by the change log."""
        start, index, sequence = Position.parse(self.start), -1, -1
        found = []
        for change in audit.changes:
            index = index + 1 if change.sequence == sequence else 0
            sequence = change.sequence
            action = ACTIONS.get(change.kind)
            wanted = {each.action for each in self.filters} or {None}
            if (sequence, index) > (start.sequence, start.index) and action and wanted & {None, action}:
                found.append((action, change.document.decode()))
        return found

    def check(self, audit: Audit) -> None:
        """Everything that it heard is there, in that order, and nothing is left out."""
        if self.start:
            assert self.heard == self.wanted(audit)[: len(self.heard)]

    async def catch_up(self, client: HubClient, audit: Audit) -> None:
        wanted = self.wanted(audit)
        async with asyncio.timeout(30), asyncio.TaskGroup() as group:
            task = group.create_task(self.listen(client, None))
            while len(self.heard) < len(wanted):
                self.more.clear()
                await self.more.wait()
            task.cancel()
        assert self.heard == wanted


def choose(hub: Nursery, rng: random.Random) -> Trigger:
    kind = rng.choice(["answers", "operations", "commits", "commits", "updates", "heard"])
    left = rng.randrange(1, 4) if kind == "updates" else rng.randrange(1, 60)
    return Trigger(hub, kind, left, rng.choice([0, 0, 1, 5, 20, 80, 300]))


async def write_until_killed(
    target: str,
    writers: list[Writer],
    gardener: Gardener,
    hearers: list[Hearer],
    rng: random.Random,
    trigger: Trigger,
) -> None:
    async with textile_aio.connect(target, retry=RetryPolicy.none()) as client:

        async def work(change: Callable[..., Coroutine[Any, Any, None]], seed: int) -> None:
            own = random.Random(seed)
            with pytest.raises(errors.Unavailable):
                while True:
                    await change(client, own, trigger)

        async def hear(hearer: Hearer) -> None:
            with pytest.raises(errors.Unavailable):
                await hearer.listen(client, trigger)

        async with asyncio.TaskGroup() as group:
            group.create_task(trigger.fire())
            for change in (*(writer.change for writer in writers), gardener.change):
                group.create_task(work(change, rng.getrandbits(64)))
            for hearer in hearers:
                group.create_task(hear(hearer))


async def check(client: HubClient, ctx: AuthContext, writers: list[Writer]) -> None:
    """Compare what is there with what each writer knows, and note what became of the changes under way."""
    found: dict[str, Documents] = {}
    async for document in client.threads.find_iter(ctx, None, "People"):
        del document["_mod"]
        found.setdefault(document["_id"].partition("-")[0], {})[document["_id"]] = document
    assert len(found.pop("bulk")) == BULK
    for writer in writers:
        mine = found.pop(writer.name, {})
        assert mine in (writer.sure, writer.maybe), f"{writer.name} is in no state it was ever in"
        writer.sure, writer.maybe = mine, None
    assert not found


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + SEEDS))
async def test_whatever_was_acknowledged_survives_a_kill(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    data = tmp_path / "hub"
    async with nursery() as hub:
        target = await hub.start(data)
        async with textile_aio.connect(target) as client:
            ctx = AuthContext()
            thread = await client.threads.new_db(ctx)
            ctx = ctx.with_thread(thread)
            await client.threads.new_collection(ctx, None, config(set()))
            await client.threads.create(
                ctx, None, "People", [person(f"bulk-{number:04}", random.Random(0)) for number in range(BULK)]
            )
            known = [await client.threads.authorize(ctx, Identity.generate()) for _ in range(WRITERS // 2)]
        writers = [Writer(f"w{number}", (known + [ctx] * WRITERS)[number]) for number in range(WRITERS)]
        gardener = Gardener(ctx)
        hearers = [Hearer(ctx, []), Hearer(known[0], [ListenFilter("People", action=ChangeAction.SAVE)])]
        audit = Audit(thread)
        for _ in range(KILLS // SEEDS):
            await write_until_killed(target, writers, gardener, hearers, rng, choose(hub, rng))
            assert await hub.ended() == -9
            if rng.random() < 0.5:  # Otherwise the hub is the first to read what is left.
                audit.look(data / "hub.sqlite")
                gardener.check(set_of(audit))
                for hearer in hearers:
                    hearer.check(audit)
            target = await hub.start(data)
            async with textile_aio.connect(target) as client:
                await check(client, ctx, writers)
                info = await client.threads.get_collection_info(ctx, None, "People")
                gardener.check(set(info.indexes))
        hub.kill()
        assert await hub.ended() == -9
        audit.look(data / "hub.sqlite")
        Audit(thread).look(data / "hub.sqlite")
        assert len(audit.changes) > BULK
        target = await hub.start(data)
        async with textile_aio.connect(target) as client:
            for hearer in hearers:
                await hearer.catch_up(client, audit)


def set_of(audit: Audit) -> set[Index]:
    """The collection's indexes as the store has them."""
    return {Index(index.path, unique=index.unique) for index in audit.configs["People"].indexes}
