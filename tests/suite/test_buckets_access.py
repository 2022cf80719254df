"""Roles that are given, taken and explained, and buckets that are found, on any hub that has buckets."""

from __future__ import annotations

import asyncio

import pytest

from textile_aio import Archives, AuthContext, HubClient, Identity, Role, errors

pytestmark = pytest.mark.needs("buckets")


@pytest.fixture
def owner() -> Identity:
    return Identity.generate()


@pytest.fixture
async def mine(client: HubClient, key_ctx: AuthContext, owner: Identity) -> AuthContext:
    ctx = await client.threads.authorize(key_ctx, owner)
    return ctx.with_thread(await client.threads.new_db(ctx))


@pytest.fixture
def friend() -> Identity:
    return Identity.generate()


@pytest.fixture
async def theirs(client: HubClient, key_ctx: AuthContext, mine: AuthContext, friend: Identity) -> AuthContext:
    assert mine.thread is not None
    return (await client.threads.authorize(key_ctx, friend)).with_thread(mine.thread)


@pytest.fixture(params=["public", "private"])
async def key(request: pytest.FixtureRequest, client: HubClient, mine: AuthContext) -> str:
    made = await client.buckets.create(mine, "things", private=request.param == "private")
    await client.buckets.push_files(mine, made.key, {"docs/old": b"old", "other": b"other"})
    return made.key


async def allowed(call: object) -> bool:
    try:
        await call  # type: ignore[misc]
    except (errors.PermissionDenied, errors.NotFound):
        return False
    return True


async def test_roles_are_merged_and_taken_away(
    client: HubClient, mine: AuthContext, owner: Identity, friend: Identity, key: str
) -> None:
    friends = str(friend.public)
    given = await client.buckets.push_path_access_roles(mine, key, "docs", {friend.public: Role.WRITER})
    assert given == {friends: Role.WRITER}
    more = await client.buckets.push_path_access_roles(mine, key, "docs", {"*": Role.READER})
    assert more == {friends: Role.WRITER, "*": Role.READER}
    assert await client.buckets.pull_path_access_roles(mine, key, "docs") == more
    left = await client.buckets.push_path_access_roles(mine, key, "docs", {friends: Role.NONE})
    assert left == {"*": Role.READER}
    at_root = await client.buckets.pull_path_access_roles(mine, key)
    assert at_root[str(owner.public)] == Role.ADMIN


@pytest.mark.parametrize("role", [Role.NONE, Role.READER, Role.WRITER, Role.ADMIN])
async def test_what_is_explained_is_what_happens(
    client: HubClient, mine: AuthContext, theirs: AuthContext, friend: Identity, key: str, role: Role
) -> None:
    path = "docs/old"
    if role:
        await client.buckets.push_path_access_roles(mine, key, path, {friend: role})
    explained = await client.buckets.explain_access(mine, key, path, friend)

    async def pull() -> None:
        [chunk async for chunk in client.buckets.pull_path(theirs, key, path)]

    assert await allowed(pull()) == explained.read
    new = client.buckets.push_path(theirs, key, "docs/new", b"new")
    assert await allowed(new) == explained.create
    over = client.buckets.push_path(theirs, key, path, b"new")
    assert await allowed(over) == explained.overwrite
    grant = client.buckets.push_path_access_roles(theirs, key, path, {"*": Role.READER})
    assert await allowed(grant) == explained.set_roles


async def test_an_owner_does_not_lock_themselves_out_by_mistake(
    client: HubClient, mine: AuthContext, owner: Identity, key: str
) -> None:
    for role in (Role.NONE, Role.READER, Role.WRITER):
        with pytest.raises(errors.OwnerLockout, match="lock_out=True"):
            await client.buckets.push_path_access_roles(mine, key, "", {owner: role})
    await client.buckets.push_path_access_roles(mine, key, "", {owner: Role.ADMIN})
    await client.buckets.push_path_access_roles(mine, key, "", {owner: Role.READER}, lock_out=True)
    with pytest.raises(errors.WriteDenied):
        await client.buckets.push_path(mine, key, "docs/old", b"locked out")


async def test_roles_are_roles_of_identities(client: HubClient, mine: AuthContext, key: str) -> None:
    for roles in ({}, {"nobody": Role.READER}, {"*": 1}, [("*", Role.READER)]):
        with pytest.raises(errors.InvalidInput):
            await client.buckets.push_path_access_roles(mine, key, "docs", roles)  # type: ignore[arg-type]
    with pytest.raises(errors.PathNotFound):
        await client.buckets.push_path_access_roles(mine, key, "nothing", {"*": Role.READER})


async def test_a_hub_without_filecoin_has_no_archives(client: HubClient, mine: AuthContext, key: str) -> None:
    assert await client.buckets.archives(mine, key) == Archives()
    assert (await client.buckets.root(mine, key)).archives == Archives()
    with pytest.raises(errors.Unimplemented, match="archiving feature is disabled"):
        await client.buckets.archive(mine, key)
    with pytest.raises(errors.Unimplemented, match="archiving feature is disabled"):
        await client.buckets.default_archive_config(mine, key)
    with pytest.raises(errors.Unimplemented, match="archiving feature is disabled"):
        [line async for line in client.buckets.archive_watch(mine, key)]


async def test_a_bucket_is_made_once(client: HubClient, thread_ctx: AuthContext) -> None:
    first = await client.buckets.get_or_create(thread_ctx, "things")
    await client.buckets.create(thread_ctx, "things")
    await client.buckets.create(thread_ctx, "others")
    assert await client.buckets.get_or_create(thread_ctx, "things") == first
    assert len(await client.buckets.list(thread_ctx)) == 3


async def test_callers_at_the_same_time_leave_one_that_all_find_later(
    client: HubClient, thread_ctx: AuthContext
) -> None:
    async with asyncio.TaskGroup() as group:
        callers = [group.create_task(client.buckets.get_or_create(thread_ctx, "things")) for _ in range(6)]
    later = {await client.buckets.get_or_create(thread_ctx, "things") for _ in range(3)}
    assert len(later) == 1
    assert later & {caller.result() for caller in callers}
    assert later <= {
        client.buckets.bucket(thread_ctx, each.key) for each in await client.buckets.list(thread_ctx)
    }


async def test_buckets_of_all_threads_are_found(client: HubClient, ctx: AuthContext) -> None:
    made = set()
    for _ in range(2):
        there = ctx.with_thread(await client.threads.new_db(ctx))
        made |= {(await client.buckets.create(there, name)).key for name in ("a", "b")}
    await client.threads.new_db(ctx)
    found = await client.buckets.existing(ctx)
    assert made <= {root.key for root in found}
    assert len({root.thread for root in found if root.key in made}) == 2


@pytest.mark.needs("list_dbs")
async def test_without_accounts_all_threads_of_the_hub_are_looked_through(
    client: HubClient, ctx: AuthContext
) -> None:
    there = ctx.with_thread(await client.threads.new_db(ctx))
    made = await client.buckets.create(there, "things")
    assert made.key in {root.key for root in await client.buckets.existing(there)}
