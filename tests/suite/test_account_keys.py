"""API keys (spec: hub-accounts §3, §4.5), on any hub that has accounts."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.localhub.raw import call, outcome
from tests.suite.developers import Developer, Place, refusal
from textile_aio import ApiKey, AuthContext, CollectionConfig, KeyType, errors
from textile_aio._proto.api.hubd import pb

pytestmark = pytest.mark.needs("accounts")

CREATE = "/api.hubd.pb.APIService/CreateKey"
INVALID = ("NOT_FOUND", "API key not found or is invalid")


@pytest.mark.parametrize("type_", list(KeyType))
@pytest.mark.parametrize("secure", [True, False])
async def test_a_key_is_as_it_was_asked_for(
    place: Place, ann: Developer, type_: KeyType, secure: bool
) -> None:
    key = await place.client.accounts.create_key(ann.ctx, type_, secure=secure)
    assert (key.type, key.secure, key.valid, key.threads) == (type_, secure, True, 0)
    assert re.fullmatch("b[a-z2-7]{26}", key.key)
    assert re.fullmatch("b[a-z2-7]{39}", key.secret)


async def test_unspecified_is_account_and_other_types_there_are_none(place: Place, ann: Developer) -> None:
    headers = {"x-textile-session": ann.session.session}
    target = place.client.target
    (made,) = await call(target, CREATE, headers, pb.CreateKeyRequest(type=pb.KeyType(0)))
    assert (made.key_info.type, made.key_info.secure) == (pb.KeyType.ACCOUNT, False)
    for number in (3, -1, 2**31 - 1):
        refused = await outcome(target, CREATE, headers, pb.CreateKeyRequest(type=pb.KeyType(number)))
        assert refused == ("INVALID_ARGUMENT", f"invalid key type: {number}")


async def test_keys_are_listed_in_order_with_their_secrets_also_when_they_are_over(
    place: Place, ann: Developer, bo: Developer
) -> None:
    accounts = place.client.accounts
    assert await accounts.list_keys(ann.ctx) == []
    made = [
        await accounts.create_key(ann.ctx, each) for each in (KeyType.USER, KeyType.ACCOUNT, KeyType.USER)
    ]
    await accounts.create_key(bo.ctx)
    await accounts.invalidate_key(ann.ctx, made[1])
    listed = await accounts.list_keys(ann.ctx)
    assert [(each.key, each.secret, each.type) for each in listed] == [
        (each.key, each.secret, each.type) for each in made
    ]
    assert [each.valid for each in listed] == [True, False, True]


async def test_the_threads_of_all_users_of_a_key_are_counted(place: Place, ann: Developer) -> None:
    accounts = place.client.accounts
    first, second = [await accounts.create_key(ann.ctx, KeyType.USER) for _ in range(2)]
    for key in (first, first, second):
        await place.client.threads.new_db(await place.user(key.context()))
    assert [each.threads for each in await accounts.list_keys(ann.ctx)] == [2, 1]


async def test_a_secure_key_needs_its_secret_and_another_does_not(place: Place, ann: Developer) -> None:
    accounts = place.client.accounts
    secure = await accounts.create_key(ann.ctx)
    other = await accounts.create_key(ann.ctx, secure=False)
    nobody = AuthContext()
    required = ("UNAUTHENTICATED", "API key signature required")
    assert await refusal(accounts.list_keys(nobody.with_api_key(secure.key))) == required
    wrong = nobody.with_api_key(secure.key, other.secret)
    assert await refusal(accounts.list_keys(wrong)) == ("UNAUTHENTICATED", "Bad API key signature")
    for ctx in (secure.context(), other.context(), nobody.with_api_key(other.key)):
        assert len(await accounts.list_keys(ctx)) == 2
    assert len(await accounts.list_keys(nobody.with_api_key(other.key, secure.secret))) == 2


async def test_an_account_key_may_do_all_that_a_session_may_but_sign_out(
    place: Place, ann: Developer
) -> None:
    accounts = place.client.accounts
    ctx = (await accounts.create_key(ann.ctx)).context()
    assert (await accounts.session_info(ctx)).username == ann.username
    assert (await accounts.identity(ctx)).public == ann.session.public_key
    assert await refusal(accounts.sign_out(ctx)) == ("NOT_FOUND", "session not found")
    with pytest.raises(errors.InvalidSession):
        await accounts.sign_out(ctx)
    second = await accounts.create_key(ctx, KeyType.USER)
    org = await accounts.create_org(ctx, f"org {ann.username}")
    assert [each.slug for each in await accounts.list_orgs(ann.ctx)] == [org.slug]
    await accounts.invalidate_key(ctx, second)
    await accounts.remove_org(ann.ctx.with_org(org.slug))
    await accounts.destroy_account(ctx)
    assert await refusal(accounts.list_keys(ctx)) == INVALID


async def test_an_invalid_key_fails_every_call_for_good(place: Place, ann: Developer) -> None:
    accounts = place.client.accounts
    keys = [await accounts.create_key(ann.ctx, each, secure=s) for each in KeyType for s in (True, False)]
    contexts = [key.context() for key in keys]
    contexts = [ctx if i < 2 else await place.user(ctx) for i, ctx in enumerate(contexts)]
    for key in keys:
        await accounts.invalidate_key(ann.ctx, key)
        await accounts.invalidate_key(ann.ctx, key.key)  # a second time is no error
    for ctx in contexts:
        assert await refusal(accounts.build_info(ctx)) == INVALID
        assert await refusal(place.client.users.list_threads(ctx)) == INVALID
        assert await refusal(place.client.threads.new_db(ctx)) == INVALID
    with pytest.raises(errors.ApiKeyNotFound):
        await place.user(keys[-1].context())


async def test_only_whose_a_key_is_may_end_it(place: Place, ann: Developer, bo: Developer) -> None:
    accounts = place.client.accounts
    key = await accounts.create_key(ann.ctx)
    denied = ("PERMISSION_DENIED", "User does not own key")
    assert await refusal(accounts.invalidate_key(bo.ctx, key)) == denied
    org = ann.ctx.with_org((await accounts.create_org(ann.ctx, f"org {ann.username}")).slug)
    assert await refusal(accounts.invalidate_key(org, key)) == denied
    for unknown in ("", "bnone", key.key.upper(), f"{key.key} "):
        refused = await refusal(accounts.invalidate_key(ann.ctx, unknown))
        assert refused == ("UNKNOWN", "mongo: no documents in result")
    with pytest.raises(errors.ApiKeyNotFound):
        await accounts.invalidate_key(ann.ctx, "bnone")
    assert (await accounts.session_info(key.context())).username == ann.username


async def test_an_organisations_keys_are_its_own(place: Place, ann: Developer) -> None:
    accounts = place.client.accounts
    made = await accounts.create_org(ann.ctx, f"org {ann.username}")
    org = ann.ctx.with_org(made.slug)
    key = await accounts.create_key(org)
    assert await accounts.list_keys(ann.ctx) == []
    assert [each.key for each in await accounts.list_keys(org)] == [key.key]
    assert await accounts.list_keys(key.context()) == await accounts.list_keys(org)
    assert (await accounts.org(key.context())).public_key == made.public_key
    assert (await accounts.identity(key.context())).public == made.public_key
    required = ("INVALID_ARGUMENT", "developer account required")
    for refused in (
        accounts.session_info(key.context()),
        accounts.create_org(key.context(), "x"),
        accounts.list_orgs(key.context()),
        accounts.remove_org(key.context()),
        accounts.invite_to_org(key.context(), "a@test.com"),
        accounts.leave_org(key.context()),
        accounts.destroy_account(key.context()),
    ):
        assert await refusal(refused) == required
    with pytest.raises(errors.PermissionDenied):
        await accounts.session_info(key.context())


@pytest.fixture(params=["user key", "account key", "session"])
async def caller(request: pytest.FixtureRequest, place: Place, ann: Developer) -> tuple[AuthContext, Any]:
    """A caller with a credential that can be taken away, and a call that does so."""
    accounts = place.client.accounts
    if request.param == "session":
        ctx = (await place.sign_in(ann.username)).context()
        return ctx, lambda: accounts.sign_out(ctx)
    key: ApiKey = await accounts.create_key(
        ann.ctx, KeyType.USER if "user" in request.param else KeyType.ACCOUNT
    )
    ctx = key.context()
    if key.type is KeyType.USER:
        ctx = await place.user(ctx)
    return ctx, lambda: accounts.invalidate_key(ann.ctx, key)


OVER = (errors.ApiKeyNotFound, errors.InvalidSession)


async def test_an_open_listener_ends_within_a_second(place: Place, caller: tuple[AuthContext, Any]) -> None:
    ctx, take_away = caller
    thread = await place.client.threads.new_db(ctx)
    ctx = ctx.with_thread(thread)
    await place.client.threads.new_collection(ctx, None, CollectionConfig("things"))
    async with place.client.threads.listen(ctx) as changes:
        (name,) = await place.client.threads.create(ctx, None, "things", [{"_id": "", "n": 1}])
        change: Any = await anext(aiter(changes))
        assert change.id == name
        await take_away()
        with pytest.raises(OVER):
            async with asyncio.timeout(1):
                async for _ in changes:
                    pass


async def test_a_push_ends_within_a_second_and_leaves_the_bucket_as_it_was(
    place: Place, caller: tuple[AuthContext, Any], ann: Developer
) -> None:
    ctx, take_away = caller
    ctx = ctx.with_thread(await place.client.threads.new_db(ctx))
    bucket = await place.client.buckets.create(ctx, "things")
    begun = asyncio.Event()

    async def source() -> AsyncIterator[bytes]:
        yield b"x" * 300_000
        begun.set()
        await asyncio.Event().wait()

    pushing = asyncio.create_task(place.client.buckets.push_path(ctx, bucket.key, "a", source()))
    await begun.wait()
    await take_away()
    with pytest.raises(OVER):
        async with asyncio.timeout(1):
            await pushing


async def test_a_transaction_ends_within_a_second_and_nothing_of_it_stays(
    place: Place, ann: Developer
) -> None:
    accounts, threads = place.client.accounts, place.client.threads
    key = await accounts.create_key(ann.ctx, KeyType.ACCOUNT)
    ctx = key.context().with_thread(await threads.new_db(key.context()))
    await threads.new_collection(ctx, None, CollectionConfig("things"))
    with pytest.raises(OVER):
        async with asyncio.timeout(1), threads.write_transaction(ctx, None, "things") as things:
            await things.create([{"_id": "a"}])
            await accounts.invalidate_key(ann.ctx, key)
            while True:
                await things.has(["a"])
    assert ctx.thread is not None
    assert not await threads.has(ann.ctx.with_thread(ctx.thread), None, "things", ["a"])
