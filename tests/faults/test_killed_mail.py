"""A hub killed while mail is sent has every message that it acknowledged, and none in one box only.

``TEXTILE_KILLS`` says how often hubs are killed (100); a tenth of these is this test's. Moments are chosen by
a seeded generator: when so many messages were acknowledged, some turns of the loop later.
"""

from __future__ import annotations

import asyncio
import os
import random
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import textile_aio
from tests.faults.nursery import Trigger, nursery
from tests.localhub.process import prepare_account
from textile_aio import AuthContext, HubClient, Identity, MessageStatus, RetryPolicy, errors

SEEDS = 2
KILLS = int(os.environ.get("TEXTILE_KILLS", "100")) // 10 // SEEDS


@dataclass
class Person:
    """Somebody who writes to the others, and what the hub has acknowledged to them."""

    identity: Identity
    ctx: AuthContext
    sent: set[str] = field(default_factory=set)
    received: set[str] = field(default_factory=set)
    read: dict[str, int] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)


async def write(client: HubClient, me: Person, people: list[Person], trigger: Trigger, seed: int) -> None:
    """Send, and now and then read and delete, until the hub is gone."""
    rng = random.Random(seed)
    with suppress(errors.Unavailable, errors.CancelledByPeer, errors.ClosedError):
        while True:
            to = rng.choice(people)
            body = rng.randbytes(rng.choice([0, 10, 10, 30_000]))
            message = await client.users.send_message(me.ctx, me.identity, to.identity.public, body)
            me.sent.add(message.id)
            to.received.add(message.id)
            trigger.count()
            if me.received and rng.random() < 0.3:
                id_ = rng.choice(sorted(me.received))
                me.received.discard(id_)
                if rng.random() < 0.5:
                    me.deleted.add(id_)
                    await client.users.delete_inbox_message(me.ctx, id_)
                else:
                    me.read[id_] = await client.users.read_message(me.ctx, id_)


async def check(client: HubClient, people: list[Person]) -> None:
    inboxes: set[str] = set()
    sentboxes: set[str] = set()
    for person in people:
        inbox = {each.id: each async for each in client.users.inbox(person.ctx)}
        sentbox = {each.id async for each in client.users.sentbox(person.ctx)}
        assert person.sent <= sentbox
        assert person.received | set(person.read) <= set(inbox)
        for id_, moment in person.read.items():
            assert inbox[id_].read_at_ns == moment
        unread = {each.id async for each in client.users.inbox(person.ctx, status=MessageStatus.UNREAD)}
        assert unread == {id_ for id_, message in inbox.items() if not message.is_read}
        for message in inbox.values():
            message.open(person.identity)
        inboxes |= set(inbox) | person.deleted
        sentboxes |= sentbox
    assert inboxes == sentboxes


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.timeout(600)
async def test_a_killed_hub_has_every_message_in_both_boxes(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    key_ctx = await prepare_account(tmp_path / "data")
    people: list[Person] = []
    async with nursery("hub") as hub:
        for round_ in range(KILLS + 1):
            target = await hub.start(tmp_path / "data")
            async with textile_aio.connect(target, retry=RetryPolicy.none()) as client:
                if not people:
                    for _ in range(3):
                        identity = Identity.generate()
                        people.append(Person(identity, await client.threads.authorize(key_ctx, identity)))
                        await client.users.setup_mailbox(people[-1].ctx)
                await check(client, people)
                trigger = Trigger(hub, rng.randint(1, 25), rng.choice([0, 1, 3, 10, 40]))
                async with asyncio.TaskGroup() as group:
                    group.create_task(trigger.fire())
                    for number, person in enumerate(people):
                        seed_of_task = seed * 10_000 + round_ * 10 + number
                        group.create_task(write(client, person, people, trigger, seed_of_task))
            await hub.ended()
    assert sum(len(person.sent) for person in people) > KILLS


@pytest.mark.timeout(600)
async def test_a_hub_killed_while_mailboxes_are_set_up_has_whole_ones(tmp_path: Path) -> None:
    rng = random.Random(7)
    key_ctx = await prepare_account(tmp_path / "data")
    made: dict[Identity, str] = {}
    asked: list[tuple[Identity, AuthContext]] = []
    async with nursery("hub") as hub:
        for _ in range(KILLS):
            target = await hub.start(tmp_path / "data")
            async with textile_aio.connect(target, retry=RetryPolicy.none()) as client:
                trigger = Trigger(hub, rng.randint(1, 6), rng.choice([0, 1, 3, 10]))

                async def set_up(client: HubClient, trigger: Trigger) -> None:
                    with suppress(errors.Unavailable, errors.CancelledByPeer, errors.ClosedError):
                        while True:
                            identity = Identity.generate()
                            ctx = await client.threads.authorize(key_ctx, identity)
                            asked.append((identity, ctx))
                            made[identity] = str(await client.users.setup_mailbox(ctx))
                            trigger.count()

                async with asyncio.TaskGroup() as group:
                    group.create_task(trigger.fire())
                    for _ in range(2):
                        group.create_task(set_up(client, trigger))
            await hub.ended()
        target = await hub.start(tmp_path / "data")
        async with textile_aio.connect(target) as client:
            for identity, ctx in asked:
                mailbox = str(await client.users.setup_mailbox(ctx))
                assert made.get(identity, mailbox) == mailbox
                await client.users.send_message(ctx, identity, identity.public, b"to myself")
                (info,) = await client.users.list_threads(ctx)
                assert (str(info.id), info.name) == (mailbox, "hubmail")
        hub.kill()
        await hub.ended()
