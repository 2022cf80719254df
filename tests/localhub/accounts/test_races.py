"""Whatever happens at once, happens in some order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from operator import methodcaller
from typing import Any

import pytest

from tests.localhub.accounts.room import DAY, Clock, Postbox, Room, room
from textile_aio import AuthContext, HubClient, Identity, connect
from textile_aio.errors import AlreadyExists, NotFound, PermissionDenied, TextileError
from textile_aio.localhub import HubSettings, LocalHub
from textile_aio.localhub.accounts.entrance import EntranceRules
from textile_aio.localhub.accounts.organisations import Consent
from textile_aio.localhub.accounts.registry import Organisation
from textile_aio.storage.memory import MemoryStore
from textile_aio.storage.store import StoreError, View
from textile_aio.storage.values import KeyKind, Role

REPEATS = 100


async def both(*calls: Awaitable[Any]) -> list[Any]:
    """The outcomes; errors are ours, or the test fails."""
    found = await asyncio.gather(*calls, return_exceptions=True)
    for each in found:
        if isinstance(each, BaseException) and not isinstance(each, TextileError):
            raise each
    return found


async def later(turns: int, call: Awaitable[Any]) -> Any:
    for _ in range(turns):
        await asyncio.sleep(0)
    return await call


async def organisation(there: Room, slug: str) -> Organisation:
    found = await there.accounts.registry.organisation(slug)
    assert found is not None
    return found


def consistent(view: View) -> None:
    """Nothing belongs to an account that is not there."""
    accounts = {each.public_key for each in view.accounts()}
    for account in accounts:
        for member in view.members(account):
            assert member.account in accounts
        for membership in view.memberships(account):
            assert membership.org in accounts
    for row in view.accounts():
        roles = [each.role for each in view.members(row.public_key)]
        assert roles.count(Role.OWNER) <= 1


async def test_of_many_who_want_a_name_one_gets_it() -> None:
    async with room() as there:
        developers, organisations = there.accounts.developers, there.accounts.organisations
        founder = await there.developer("founder")
        for number in range(REPEATS):
            name = f"name{number}"
            found = await both(
                developers.create(name),
                developers.create(name.upper()),
                developers.create(f"x{number}", f"{number}@x.y"),
                developers.create(f"y{number}", f"{number}@x.y"),
                organisations.create(name.title(), founder),
            )
            refused = [isinstance(each, AlreadyExists) for each in found]
            assert (refused[0], refused[1], refused[4]).count(False) == 1
            assert (refused[2], refused[3]).count(False) == 1


async def test_an_invitation_that_is_accepted_during_sign_up_counts() -> None:
    async with room(EntranceRules(mailer=Postbox(), each_minute=None)) as there:
        organisations = there.accounts.organisations
        owner = await there.developer("owner")
        await organisations.create("Org", owner)
        for number in range(REPEATS):
            email = f"{number}@x.y"
            token = await organisations.invite(await organisation(there, "Org"), owner, email)
            made, consented = await both(
                later(number % 7, there.accounts.developers.create(f"dev{number}", email)),
                later(number % 5, organisations.consent(token)),
            )
            assert consented.consent is Consent.GIVEN
            assert (await organisation(there, "Org")).role(made.public_key) is Role.MEMBER
            assert await there.store.read(methodcaller("invites_to", email)) == []


async def test_whoever_leaves_leaves_no_invitation_behind() -> None:
    async with room() as there:
        organisations = there.accounts.organisations
        owner, member = await there.developer("owner"), await there.developer("member", "m@x.y")
        await organisations.create("Org", owner)
        for number in range(REPEATS):
            token = await organisations.invite(await organisation(there, "Org"), owner, "m@x.y")
            await organisations.consent(token)
            known = await organisation(there, "Org")
            assert known.role(member) is Role.MEMBER
            invited, left = await both(
                later(number % 5, organisations.invite(known, member, "new@x.y")),
                later(number % 7, organisations.leave(known, member)),
            )
            assert left is None
            assert isinstance(invited, str | PermissionDenied)
            assert await there.store.read(lambda view: view.invites_to("new@x.y")) == []
            assert (await organisation(there, "Org")).role(member) is None


async def test_an_account_that_is_destroyed_leaves_no_key_session_or_organisation() -> None:
    async with room() as there:
        accounts = there.accounts
        for number in range(REPEATS):
            one = await there.developer(f"dev{number}", f"{number}@x.y")
            found = await both(
                later(number % 5, accounts.keys.create(one, KeyKind.USER_GROUP, secure=True)),
                later(number % 3, accounts.developers.begin_session(one)),
                later(number % 4, accounts.organisations.create(f"org{number}", one)),
                later(number % 7, accounts.closing.close(one)),
                later(number % 6, accounts.closing.close(one)),
            )
            destroyed = [each is None for each in found[3:]]
            gone = await there.store.read(methodcaller("account", one)) is None
            assert gone == any(destroyed)
            assert destroyed.count(True) <= 1
            if gone:
                assert isinstance(found[2], NotFound)
                assert await there.store.read(methodcaller("api_keys", one)) == []
                assert await there.store.read(methodcaller("sessions_of", one)) == []
                for use in (accounts.registry.account(one), accounts.developers.find(f"dev{number}")):
                    assert await use is None
                if not isinstance(found[0], TextileError):
                    assert await accounts.registry.api_key(found[0].key) is None
            await there.store.read(consistent)


async def test_an_organisation_that_is_removed_takes_everything_with_it() -> None:
    async with room() as there:
        accounts, organisations = there.accounts, there.accounts.organisations
        owner, member = await there.developer("owner"), await there.developer("member", "m@x.y")
        for number in range(REPEATS):
            name = f"org{number}"
            await organisations.create(name, owner)
            await organisations.consent(
                await organisations.invite(await organisation(there, name), owner, "m@x.y")
            )
            known = await organisation(there, name)
            org = known.account.public_key
            pending = await organisations.invite(known, member, "late@x.y")
            found = await both(
                later(number % 3, organisations.invite(known, member, "new@x.y")),
                later(number % 4, organisations.leave(known, member)),
                later(number % 5, accounts.keys.create(org, KeyKind.ACCOUNT, secure=False)),
                later(number % 6, organisations.consent(pending)),
                later(number % 7, accounts.developers.create(f"late{number}", f"late{number}@x.y")),
                later(number % 8, organisations.remove(known, owner)),
            )
            assert found[-1] is None
            assert await accounts.registry.organisation(name) is None
            for email in ("new@x.y", "late@x.y"):
                assert await there.store.read(methodcaller("invites_to", email)) == []
            assert await there.store.read(methodcaller("api_keys", org)) == []
            await there.store.read(consistent)


async def test_a_session_that_is_signed_out_is_not_prolonged_to_life() -> None:
    clock = Clock()
    async with room(clock=clock) as there:
        accounts = there.accounts
        one = await there.developer("dev")
        for number in range(REPEATS):
            text = await accounts.developers.begin_session(one)
            clock.now += 2 * DAY
            session = await accounts.registry.session(text)
            assert session is not None
            await both(
                later(number % 5, accounts.developers.extend(session)),
                later(number % 7, accounts.developers.end_session(session.id)),
            )
            assert await there.store.read(methodcaller("session", session.id)) is None
            assert await accounts.registry.session(text) is None


@pytest.mark.parametrize("turns", range(12))
async def test_whoever_goes_away_during_a_change_leaves_it_done_or_undone(turns: int) -> None:
    """Memory and store say the same, whenever the caller was cancelled."""
    async with room() as there:
        accounts, organisations = there.accounts, there.accounts.organisations
        owner, member = await there.developer("owner"), await there.developer("member", "m@x.y")
        await organisations.create("Org", owner)
        token = await organisations.invite(await organisation(there, "Org"), owner, "m@x.y")
        key = await accounts.keys.create(owner, KeyKind.ACCOUNT, secure=False)
        text = await accounts.developers.begin_session(owner)
        session = await accounts.registry.session(text)
        assert session is not None
        assert await accounts.registry.api_key(key.key) is not None
        for change in (
            organisations.consent(token),
            accounts.keys.invalidate(key.key),
            accounts.developers.end_session(session.id),
            organisations.leave(await organisation(there, "Org"), member),
        ):
            task = asyncio.ensure_future(change)
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        members = await there.store.read(lambda view: list(view.members(view.accounts()[2].public_key)))
        assert list((await organisation(there, "Org")).members) == members
        row = await there.store.read(lambda view: view.api_key(key.id))
        known = await accounts.registry.api_key(key.key)
        assert row is not None
        assert known is not None
        assert known.valid == row.valid
        there_still = await there.store.read(lambda view: view.session(session.id))
        assert await accounts.registry.session(text) == there_still


class FullStore(MemoryStore):
    """Refuses what is written, once it is told to."""

    full = False

    def apply(self, batches: Any) -> list[StoreError | None]:
        if self.full:
            return [StoreError("no room") for _ in batches]
        return super().apply(batches)


async def test_a_refused_change_ends_nothing() -> None:
    store = FullStore()
    async with room(store=store) as there:
        accounts = there.accounts
        one = await there.developer("dev")
        key = await accounts.keys.create(one, KeyKind.ACCOUNT, secure=False)
        text = await accounts.developers.begin_session(one)
        session = await accounts.registry.session(text)
        assert session is not None
        store.full = True
        for change in (
            accounts.keys.invalidate(key.key),
            accounts.developers.end_session(session.id),
            accounts.closing.close(one),
        ):
            with pytest.raises(StoreError):
                await change
        store.full = False
        assert await accounts.registry.account(one) is not None
        assert await accounts.registry.session(text) == session
        known = await accounts.registry.api_key(key.key)
        assert known is not None
        assert known.valid


async def makes_threads(client: HubClient, ctx: AuthContext) -> None:
    """Databases, buckets and files, until the hub refuses."""
    try:
        while True:
            thread = ctx.with_thread(await client.threads.new_db(ctx))
            bucket = await client.buckets.create(thread, "b")
            await client.buckets.push_path(thread, bucket.key, "f", b"content")
    except TextileError:
        return


async def test_whatever_is_made_while_its_owner_goes_leaves_nothing() -> None:
    settings = HubSettings(fsync=False, signs_each=None, max_threads=0)
    async with LocalHub.in_memory(settings) as hub, connect(hub.target) as client:
        accounts = hub._accounts
        assert accounts is not None
        for number in range(8):
            one = await hub.create_account(f"dev{number}", f"{number}@x.y")
            other = await hub.create_account(f"other{number}", f"o{number}@x.y")
            key = await hub.create_key(one)
            user = await client.threads.authorize(
                AuthContext().with_api_key(key.key, key.secret), Identity.generate()
            )
            session = AuthContext().with_session(one.session)
            org = session.with_org((await client.accounts.create_org(session, f"Org{number}")).slug)
            token = await client.accounts.invite_to_org(org, f"o{number}@x.y")
            await accounts.organisations.consent(token)
            member = AuthContext().with_session(other.session).with_org(f"Org{number}")
            async with asyncio.TaskGroup() as group:
                for ctx in (user, session, org, member):
                    group.create_task(makes_threads(client, ctx))
                await later(50 * (number + 1), client.accounts.remove_org(org))
                await later(20 * number, client.accounts.destroy_account(session))
            await client.accounts.destroy_account(AuthContext().with_session(other.session))

        def left(view: View) -> tuple[int, int, int]:
            return len(view.threads()), len(view.databases()), len(view.accounts())

        assert await accounts.registry.store.read(left) == (0, 0, 0)
