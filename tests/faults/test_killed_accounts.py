"""A hub killed during account operations has no half account, and nothing works that it said was over.

``TEXTILE_KILLS`` says how often hubs are killed (100); half of these are this test's. Moments are chosen by a
seeded generator: when so many operations were acknowledged, some turns of the loop later. What was under way
then has happened as a whole or not at all. Which, is found out by looking, and all that is seen has to agree.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import textile_aio
from tests.faults.account_rows import strays, unopenable
from tests.faults.nursery import Trigger, nursery
from tests.localhub.gateway.client import exchange, message
from textile_aio import (
    ApiKey,
    AuthContext,
    HubClient,
    Identity,
    KeyType,
    OrgRole,
    RetryPolicy,
    ThreadID,
    errors,
)

SEEDS = 2
KILLS = int(os.environ.get("TEXTILE_KILLS", "100")) // 2 // SEEDS
ACTORS = 3
NOBODY = AuthContext()


@dataclass
class Developer:
    """Somebody with an account, as far as the hub has said so.

    Attributes:
        name: Of the account.
        sessions: Those that are good.
        keys: Those that are good.
        over: Contexts that have to be refused.
        threads: Made for it, by itself and by users of its keys.
        orgs: Slugs of the organisations it is in, with its role.
    """

    name: str
    sessions: list[AuthContext] = field(default_factory=list)
    keys: list[ApiKey] = field(default_factory=list)
    over: list[AuthContext] = field(default_factory=list)
    threads: list[ThreadID] = field(default_factory=list)
    orgs: dict[str, OrgRole] = field(default_factory=dict)

    @property
    def ctx(self) -> AuthContext:
        return self.sessions[0]

    def end(self) -> None:
        """Have all of it refused."""
        self.over += [*self.sessions, *(key.context() for key in self.keys)]
        self.sessions, self.keys, self.orgs = [], [], {}


async def is_good(client: HubClient, ctx: AuthContext) -> bool:
    """Whether the hub still knows a session or key."""
    try:
        await client.accounts.list_keys(ctx)
    except (errors.InvalidSession, errors.ApiKeyNotFound, errors.TokenRequired) as error:
        return isinstance(error, errors.TokenRequired)  # a key for users, known as such
    return True


async def member_of(client: HubClient, ctx: AuthContext) -> dict[str, OrgRole]:
    """The organisations of a developer; each shows the developer with the same role."""
    public = (await client.accounts.session_info(ctx)).public_key
    found: dict[str, OrgRole] = {}
    for listed in await client.accounts.list_orgs(ctx):
        assert await client.accounts.org(ctx.with_org(listed.slug)) == listed
        assert [each.role for each in listed.members].count(OrgRole.OWNER) == 1
        (found[listed.slug],) = [each.role for each in listed.members if each.public_key == public]
        assert (await client.accounts.identity(ctx.with_org(listed.slug))).public == listed.public_key
    return found


class Actor:
    """Does things to accounts of its own, and knows what has to be true of them.

    ``pending`` is the check of the operation under way: called after the hub was killed, it finds out
    whether that has happened, and brings what is known up to date.
    """

    def __init__(self, number: int, rng: random.Random) -> None:
        self.prefix = f"a{number}x"
        self.rng = rng
        self.made = 0
        self.done: dict[str, int] = {}
        self.people: list[Developer] = []
        self.gone: list[Developer] = []
        self.free: set[str] = set()
        self.pending: Callable[[HubClient], Awaitable[None]] | None = None

    def name(self) -> str:
        self.made += 1
        return f"{self.prefix}{self.made}"

    async def act(self, client: HubClient, gateway: str, trigger: Trigger) -> None:
        """One operation after another, until the hub is gone."""
        with suppress(errors.Unavailable, errors.CancelledByPeer, errors.ClosedError, ConnectionError):
            while True:
                operations = [self.sign_up] * (3 - len(self.people))
                if self.people:
                    operations += [
                        self.sign_in,
                        self.sign_out,
                        self.create_key,
                        self.create_key,
                        self.invalidate_key,
                        self.new_thread,
                        self.create_org,
                        self.remove_org,
                        self.leave_org,
                        self.destroy,
                    ]
                operation = self.rng.choice(operations)
                if self.people and self.rng.random() < 0.15:
                    changed = await self.join(client, gateway)
                    name = "join"
                else:
                    changed = await operation(client)
                    name = operation.__name__
                self.pending = None
                if changed:
                    self.done[name] = self.done.get(name, 0) + 1
                    trigger.count()

    async def sign_up(self, client: HubClient) -> bool:
        developer = Developer(self.name())
        email = f"{developer.name}@test.com"

        async def look(client: HubClient) -> None:
            free = await client.accounts.is_username_available(NOBODY, developer.name)
            if free:
                with pytest.raises(errors.NotFound):
                    await client.accounts.sign_in(NOBODY, email)
                # Neither name nor address are taken by half an account.
            session = (
                await client.accounts.sign_up(NOBODY, developer.name, email)
                if free
                else await client.accounts.sign_in(NOBODY, email)
            )
            developer.sessions.append(session.context())
            self.people.append(developer)

        self.pending = look
        developer.sessions.append((await client.accounts.sign_up(NOBODY, developer.name, email)).context())
        self.people.append(developer)
        return True

    async def sign_in(self, client: HubClient) -> bool:
        developer = self.rng.choice(self.people)
        developer.sessions.append((await client.accounts.sign_in(NOBODY, developer.name)).context())
        return True

    async def sign_out(self, client: HubClient) -> bool:
        developer = self.rng.choice(self.people)
        if len(developer.sessions) < 2:
            return False
        ctx = developer.sessions.pop()

        async def look(client: HubClient) -> None:
            (developer.sessions if await is_good(client, ctx) else developer.over).append(ctx)

        self.pending = look
        await client.accounts.sign_out(ctx)
        developer.over.append(ctx)
        return True

    async def create_key(self, client: HubClient) -> bool:
        developer = self.rng.choice(self.people)

        async def look(client: HubClient) -> None:
            known = {key.key for key in developer.keys}
            listed = await client.accounts.list_keys(developer.ctx)
            new = [key for key in listed if key.valid and key.key not in known]
            assert len(new) <= 1
            developer.keys += new

        self.pending = look
        type_ = self.rng.choice(list(KeyType))
        developer.keys.append(
            await client.accounts.create_key(developer.ctx, type_, secure=self.rng.random() < 0.5)
        )
        return True

    async def invalidate_key(self, client: HubClient) -> bool:
        developer = self.rng.choice(self.people)
        if not developer.keys:
            return False
        key = developer.keys.pop()

        async def look(client: HubClient) -> None:
            if await is_good(client, key.context()):
                developer.keys.append(key)
            else:
                developer.over.append(key.context())

        self.pending = look
        await client.accounts.invalidate_key(developer.ctx, key)
        developer.over.append(key.context())
        return True

    async def new_thread(self, client: HubClient) -> bool:
        developer = self.rng.choice(self.people)
        users = [key for key in developer.keys if key.type is KeyType.USER]
        ctx = developer.ctx
        if users:
            ctx = await client.threads.authorize(self.rng.choice(users).context(), Identity.generate())
        developer.threads.append(await client.threads.new_db(ctx))
        return True

    async def create_org(self, client: HubClient) -> bool:
        developer = self.rng.choice(self.people)
        slug = self.name()

        async def look(client: HubClient) -> None:
            found = await member_of(client, developer.ctx)
            if slug in found:
                developer.orgs[slug] = OrgRole.OWNER
            assert await client.accounts.is_username_available(NOBODY, slug) is (slug not in found)

        self.pending = look
        await client.accounts.create_org(developer.ctx, slug)
        developer.orgs[slug] = OrgRole.OWNER
        return True

    async def remove_org(self, client: HubClient) -> bool:
        found = self.owned()
        if found is None:
            return False
        owner, slug = found

        def forget() -> None:
            for developer in self.people:
                developer.orgs.pop(slug, None)
            self.free.add(slug)

        async def look(client: HubClient) -> None:
            if await client.accounts.is_username_available(NOBODY, slug):
                forget()

        self.pending = look
        await client.accounts.remove_org(owner.ctx.with_org(slug))
        forget()
        return True

    async def join(self, client: HubClient, gateway: str) -> bool:
        found = self.owned()
        others = [each for each in self.people if found and found[1] not in each.orgs]
        if found is None or not others:
            return False
        owner, slug = found
        other = self.rng.choice(others)
        token = await client.accounts.invite_to_org(owner.ctx.with_org(slug), f"{other.name}@test.com")

        async def look(client: HubClient) -> None:
            if slug in await member_of(client, other.ctx):
                other.orgs[slug] = OrgRole.MEMBER

        self.pending = look
        reply = await exchange(gateway, message(f"/consent/{token}"))
        if not reply:
            raise ConnectionResetError
        assert reply.startswith(b"HTTP/1.1 200 ")
        other.orgs[slug] = OrgRole.MEMBER
        return True

    async def leave_org(self, client: HubClient) -> bool:
        memberships = [
            (each, slug) for each in self.people for slug, role in each.orgs.items() if role is OrgRole.MEMBER
        ]
        if not memberships:
            return False
        developer, slug = self.rng.choice(memberships)

        async def look(client: HubClient) -> None:
            if slug not in await member_of(client, developer.ctx):
                del developer.orgs[slug]

        self.pending = look
        await client.accounts.leave_org(developer.ctx.with_org(slug))
        del developer.orgs[slug]
        return True

    async def destroy(self, client: HubClient) -> bool:
        candidates = [each for each in self.people if OrgRole.OWNER not in each.orgs.values()]
        if not candidates:
            return False
        developer = self.rng.choice(candidates)

        def forget() -> None:
            self.people.remove(developer)
            self.gone.append(developer)
            self.free.add(developer.name)
            developer.end()

        async def look(client: HubClient) -> None:
            if await client.accounts.is_username_available(NOBODY, developer.name):
                forget()

        self.pending = look
        await client.accounts.destroy_account(developer.ctx)
        forget()
        return True

    def owned(self) -> tuple[Developer, str] | None:
        found = [
            (each, slug) for each in self.people for slug, role in each.orgs.items() if role is OrgRole.OWNER
        ]
        return self.rng.choice(found) if found else None

    async def check(self, client: HubClient, stranger: AuthContext) -> None:
        """After a restart: find out about what was under way, then see that all is as it has to be."""
        if self.pending is not None:
            await self.pending(client)
            self.pending = None
        for developer in self.people:
            for ctx in developer.sessions:
                assert (await client.accounts.session_info(ctx)).username == developer.name
            listed = {key.key: key for key in await client.accounts.list_keys(developer.ctx)}
            for key in developer.keys:
                assert (listed[key.key].secret, listed[key.key].valid) == (key.secret, True)
                assert await is_good(client, key.context())
            good = {key.key for key in developer.keys}
            assert {key.key for key in listed.values() if key.valid} == good
            assert await member_of(client, developer.ctx) == developer.orgs
        for developer in [*self.people, *self.gone]:
            for ctx in developer.over:
                assert not await is_good(client, ctx)
        for developer in self.gone:
            for thread in developer.threads:
                with pytest.raises(errors.NotFound):
                    await client.threads.has(stranger.with_thread(thread), None, "things", ["a"])
        for name in self.free:
            assert await client.accounts.is_username_available(NOBODY, name)
        # What was seen to be over stays so; looking at all of it each time would take ever longer.
        self.gone.clear()
        self.free.clear()
        for developer in self.people:
            developer.over.clear()


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.timeout(600)
async def test_a_killed_hub_has_whole_accounts_and_nothing_that_was_over(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed + int(os.environ.get("TEXTILE_SEED", "0")))
    actors = [Actor(number, random.Random(rng.random())) for number in range(ACTORS)]
    stranger: AuthContext | None = None
    async with nursery("hub", gateway=True) as hub:
        for _ in range(KILLS + 1):
            target = await hub.start(tmp_path / "data")
            async with textile_aio.connect(target, retry=RetryPolicy.none()) as client:
                if stranger is None:
                    key = await client.accounts.create_key(
                        (await client.accounts.sign_up(NOBODY, "stranger", "s@test.com")).context(),
                        KeyType.USER,
                    )
                    stranger = await client.threads.authorize(key.context(), Identity.generate())
                for actor in actors:
                    await actor.check(client, stranger)
                trigger = Trigger(hub, rng.randint(1, 12), rng.choice([0, 1, 3, 10, 40]))
                async with asyncio.TaskGroup() as group:
                    group.create_task(trigger.fire())
                    for actor in actors:
                        group.create_task(actor.act(client, hub.gateway, trigger))
            await hub.ended()
            assert strays(tmp_path / "data") == {}
    assert unopenable(tmp_path / "data") == []
    done = {name for actor in actors for name in actor.done}
    if KILLS >= 50:
        assert len(done) == 11
