"""Accounts on a full disk: a change is refused in known words or done as a whole; nobody is cut off."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.faults.account_rows import strays, unopenable
from tests.faults.smalldisk import SmallDisk
from tests.localhub.process import hub_process
from tests.trees import whole
from textile_aio import AuthContext, HubClient, Identity, KeyType, StatusCode, connect, errors

KIB = 1024
FULL = "the hub's disk is full; nothing was changed"
NOBODY = AuthContext()


async def refused(call: Awaitable[Any]) -> bool:
    """Whether the hub had no room for it. Any other failure fails the test."""
    try:
        await call
    except errors.ResourceExhausted as refusal:
        error = refusal
    else:
        return False
    assert (error.code, error.message) == (StatusCode.RESOURCE_EXHAUSTED, FULL)
    return True


async def fill(client: HubClient, session: AuthContext) -> int:
    """Make keys until there is no room for another; how many were made."""
    made = 0
    while not await refused(client.accounts.create_key(session)):
        made += 1
    return made


async def test_changes_of_accounts_without_room_are_refused_and_change_nothing(disk: SmallDisk) -> None:
    async with hub_process(disk.data) as hub, connect(hub.target) as client:
        accounts = client.accounts
        ann = await accounts.sign_up(NOBODY, "ann", "ann@x.y")
        session = ann.context()
        spare = (await accounts.sign_in(NOBODY, "ann")).context()
        key = await accounts.create_key(session, KeyType.ACCOUNT, secure=False)
        org = session.with_org((await accounts.create_org(session, "Org")).slug)
        user_key = await accounts.create_key(org)
        user = await client.threads.authorize(user_key.context(), Identity.generate())
        await client.threads.new_db(user)
        disk.leave(0)
        made = await fill(client, session)

        changes: dict[str, Callable[[], Awaitable[Any]]] = {
            "sign up": lambda: accounts.sign_up(NOBODY, "bob", "bob@x.y"),
            "create org": lambda: accounts.create_org(session, "Another"),
            "invite": lambda: accounts.invite_to_org(org, "bob@x.y"),
            "invalidate": lambda: accounts.invalidate_key(session, key),
            "sign out": lambda: accounts.sign_out(spare),
            "remove org": lambda: accounts.remove_org(org),
        }
        outcomes = {name: await refused(change()) for name, change in changes.items()}
        assert any(outcomes.values()), "there was room for everything"
        for _ in range(2):
            keys = await accounts.list_keys(session)
            assert len(keys) == made + 1
            assert [each.valid for each in keys if each.key == key.key] == [outcomes["invalidate"]]
            assert await accounts.is_username_available(NOBODY, "bob") is outcomes["sign up"]
            slugs = [each.slug for each in await accounts.list_orgs(session)]
            assert ("Another" in slugs) is not outcomes["create org"]
            assert ("Org" in slugs) is outcomes["remove org"]
            if outcomes["sign out"]:
                await accounts.session_info(spare)
            if outcomes["invalidate"]:
                await accounts.list_keys(key.context())
            if outcomes["remove org"]:
                await accounts.list_keys(org)
            disk.make_room()
        for name in ("sign up", "create org", "invite", "invalidate", "sign out", "remove org"):
            if outcomes[name]:
                assert not await refused(changes[name]())
    assert strays(disk.data) == {}
    assert unopenable(disk.data) == []


async def test_an_account_that_could_not_be_destroyed_is_as_it_was(disk: SmallDisk) -> None:
    """Its calls in progress may have ended; whoever calls again is served."""
    async with hub_process(disk.data) as hub, connect(hub.target) as client:
        accounts = client.accounts
        session = (await accounts.sign_up(NOBODY, "ann", "ann@x.y")).context()
        key = await accounts.create_key(session)
        user = await client.threads.authorize(key.context(), Identity.generate())
        thread = user.with_thread(await client.threads.new_db(user))
        bucket = await client.buckets.create(thread, "b")
        for number in range(40):
            await client.buckets.push_path(thread, bucket.key, f"f{number}", os.urandom(16 * KIB))
        disk.leave(0)
        await fill(client, session)
        if await refused(accounts.destroy_account(session)):
            assert (await accounts.session_info(session)).username == "ann"
            assert "f0" in (await whole(client, thread, bucket.key)).files
            disk.make_room()
            async with asyncio.timeout(10):
                assert not await refused(accounts.destroy_account(session))
        with pytest.raises(errors.InvalidSession):
            await accounts.session_info(session)
        with pytest.raises(errors.ApiKeyNotFound):
            await client.buckets.list(thread)
    assert strays(disk.data) == {}
