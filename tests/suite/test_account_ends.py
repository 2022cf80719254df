"""Accounts that end, and several people who do things at once (spec: hub-accounts §4.8)."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable

import pytest

from tests.suite.developers import Developer, Place, refusal
from textile_aio import AuthContext, CollectionConfig, KeyType, Org, Session, TextileError, ThreadID, errors

pytestmark = pytest.mark.needs("accounts")

GONE = (errors.NotFound, errors.InvalidSession, errors.ApiKeyNotFound, errors.FailedPrecondition)


async def bucket_in(place: Place, ctx: AuthContext) -> tuple[AuthContext, str]:
    """A context with a new thread, and a bucket in it with some content."""
    ctx = ctx.with_thread(await place.client.threads.new_db(ctx))
    bucket = await place.client.buckets.create(ctx, "things")
    await place.client.buckets.push_path(ctx, bucket.key, "a", secrets.token_bytes(300_000))
    return ctx, bucket.key


async def exists(place: Place, ctx: AuthContext, thread: ThreadID | None) -> bool:
    """Whether there is a database, for somebody who does not own it: reading its instances is open to all."""
    assert thread is not None
    try:
        await place.client.threads.has(ctx.with_thread(thread), None, "buckets", ["none"])
    except errors.NotFound:
        return False
    return True


async def test_a_destroyed_account_takes_everything_along(
    place: Place, ann: Developer, bo: Developer
) -> None:
    accounts = place.client.accounts
    second = await place.sign_in(ann.email)
    account_key = await accounts.create_key(ann.ctx)
    app = await accounts.create_key(ann.ctx, KeyType.USER)
    user = await place.user(app.context())
    others = await place.user((await accounts.create_key(bo.ctx, KeyType.USER)).context())
    made = [await bucket_in(place, ctx) for ctx in (ann.ctx, account_key.context(), user)]
    kept, kept_bucket = await bucket_in(place, others)
    for ctx, _ in made:
        assert await exists(place, others, ctx.thread)

    await accounts.destroy_account(ann.ctx)

    for ctx in (ann.ctx, second.context()):
        assert await refusal(accounts.session_info(ctx)) == ("UNAUTHENTICATED", "Invalid session")
    for ctx in (account_key.context(), user):
        refused = await refusal(accounts.build_info(ctx))
        assert refused == ("NOT_FOUND", "API key not found or is invalid")
    for ctx, _ in made:
        assert not await exists(place, others, ctx.thread)
    assert await refusal(accounts.sign_in(AuthContext(), ann.username)) == ("NOT_FOUND", "User not found")
    assert [item.name for item in (await place.client.buckets.list_path(kept, kept_bucket)).item.items]
    again = await place.sign_up(ann.username, ann.email)
    assert again.session.public_key != ann.session.public_key
    assert await accounts.list_keys(again.ctx) == []
    assert await place.client.users.list_threads(again.ctx) == []


async def test_what_it_stored_is_given_back(place: Place, ann: Developer) -> None:
    if place.hub is None:
        pytest.skip("needs a hub whose storage can be looked at")
    before = (await place.hub.usage()).used
    app = await place.client.accounts.create_key(ann.ctx, KeyType.USER)
    await bucket_in(place, ann.ctx)
    await bucket_in(place, await place.user(app.context()))
    assert (await place.hub.usage()).used > before + 600_000
    await place.client.accounts.destroy_account(ann.ctx)
    await place.hub.collect()
    assert (await place.hub.usage()).used == before


async def test_an_account_that_owns_an_organisation_stays(place: Place, ann: Developer) -> None:
    accounts = place.client.accounts
    org = ann.ctx.with_org((await accounts.create_org(ann.ctx, f"org {ann.username}")).slug)
    not_empty = ("FAILED_PRECONDITION", "Account not empty (delete orgs first)")
    for ctx in (ann.ctx, org):
        assert await refusal(accounts.destroy_account(ctx)) == not_empty
    await accounts.remove_org(org)
    await accounts.destroy_account(ann.ctx)


async def test_an_organisation_goes_on_without_a_member_who_is_gone(
    place: Place, ann: Developer, bo: Developer
) -> None:
    accounts = place.client.accounts
    made = await accounts.create_org(ann.ctx, f"org {ann.username}")
    org = ann.ctx.with_org(made.slug)
    member = await place.member(org)
    pending = await accounts.invite_to_org(member.ctx.with_org(made.slug), bo.email)
    await accounts.destroy_account(member.ctx)
    assert [each.username for each in (await accounts.org(org)).members] == [ann.username]
    assert (await place.consent(pending)).status == 404
    again = await place.sign_up(member.username, member.email)
    assert await accounts.list_orgs(again.ctx) == []


async def test_a_push_of_an_account_that_is_destroyed_ends_at_once(place: Place, ann: Developer) -> None:
    accounts, buckets = place.client.accounts, place.client.buckets
    other = await place.sign_in(ann.username)
    app = await accounts.create_key(ann.ctx, KeyType.USER)
    user = await place.user(app.context())
    pushes = []
    begun = [asyncio.Event() for _ in range(2)]

    async def source(event: asyncio.Event) -> AsyncIterator[bytes]:
        yield b"x" * 300_000
        event.set()
        await asyncio.Event().wait()

    for ctx, event in zip((ann.ctx, user), begun, strict=True):
        there, key = await bucket_in(place, ctx)
        pushes.append(asyncio.create_task(buckets.push_path(there, key, "b", source(event))))
    for event in begun:
        await event.wait()
    await accounts.destroy_account(other.context())
    async with asyncio.timeout(1):
        outcomes = await asyncio.gather(*pushes, return_exceptions=True)
    assert all(isinstance(each, GONE) for each in outcomes), outcomes
    assert await refusal(accounts.session_info(ann.ctx)) == ("UNAUTHENTICATED", "Invalid session")


async def test_a_listener_of_an_account_that_is_destroyed_ends_within_a_second(
    place: Place, ann: Developer
) -> None:
    threads = place.client.threads
    ctx = ann.ctx.with_thread(await threads.new_db(ann.ctx))
    await threads.new_collection(ctx, None, CollectionConfig("things"))
    async with threads.listen(ctx) as changes:
        await threads.create(ctx, None, "things", [{"_id": ""}])
        await anext(aiter(changes))
        await place.client.accounts.destroy_account(ann.ctx)
        with pytest.raises(GONE):
            async with asyncio.timeout(1):
                async for _ in changes:
                    pass


@pytest.mark.parametrize("how", ["session", "account key", "user key", "leaving", "removal", "destruction"])
async def test_listeners_that_begin_meanwhile_end_as_well(
    place: Place, ann: Developer, bo: Developer, how: str
) -> None:
    """Whenever a call began, it is over soon after its credential is."""
    accounts, threads = place.client.accounts, place.client.threads
    org = bo.ctx.with_org((await accounts.create_org(bo.ctx, f"org {bo.username}")).slug)
    other = (await place.sign_in(ann.username)).context()
    ctx = ann.ctx
    match how:
        case "session":
            take_away = accounts.sign_out(ctx)
        case "account key" | "user key":
            key = await accounts.create_key(ann.ctx, KeyType.USER if "user" in how else KeyType.ACCOUNT)
            ctx = await place.user(key.context()) if "user" in how else key.context()
            take_away = accounts.invalidate_key(other, key)
        case "leaving" | "removal":
            token = await accounts.invite_to_org(org, ann.email)
            assert (await place.consent(token)).status == 200
            ctx = ann.ctx.with_org(org.org or "")
            take_away = accounts.leave_org(ctx) if how == "leaving" else accounts.remove_org(org)
        case _:
            take_away = accounts.destroy_account(other)
    ctx = ctx.with_thread(await threads.new_db(ctx))
    await threads.new_collection(ctx, None, CollectionConfig("things"))

    async def listen() -> None:
        async with threads.listen(ctx) as changes:
            async for _ in changes:
                pass

    async with asyncio.TaskGroup() as group:
        listeners = [group.create_task(ended(listen())) for _ in range(20)]
        taking = group.create_task(take_away)
        listeners += [group.create_task(ended(listen())) for _ in range(20)]
        await taking
        _, still = await asyncio.wait(listeners, timeout=1)
        for task in still:
            task.cancel()
    assert not still
    assert all(isinstance(task.result(), (*GONE, errors.PermissionDenied)) for task in listeners)


async def ended(call: Awaitable[None]) -> BaseException | None:
    """What a call ended with."""
    try:
        await call
    except TextileError as error:
        return error
    return None


async def settled(*calls: object) -> list[object]:
    """The outcomes of calls made at once."""
    return await asyncio.gather(*calls, return_exceptions=True)  # type: ignore[call-overload, no-any-return]


async def test_one_name_goes_to_one_of_many_who_want_it_at_once(place: Place) -> None:
    name = f"ann{secrets.token_hex(6)}"
    names = [name, name.upper(), name.capitalize(), name]
    outcomes = await settled(*(place.sign_up(each, f"{secrets.token_hex(6)}@test.com") for each in names))
    (winner,) = [each for each in outcomes if isinstance(each, Developer)]
    refused = [str(each) for each in outcomes if isinstance(each, errors.AlreadyExists)]
    assert len(refused) == 3
    assert all("Account exists" in each for each in refused)
    assert (await place.client.accounts.session_info(winner.ctx)).username == winner.username


async def test_one_address_goes_to_one_of_many_who_want_it_at_once(place: Place) -> None:
    email = f"{secrets.token_hex(6)}@test.com"
    outcomes = await settled(*(place.sign_up(email=email) for _ in range(4)))
    assert sum(isinstance(each, Developer) for each in outcomes) == 1
    assert sum(isinstance(each, errors.AlreadyExists) for each in outcomes) == 3


async def test_one_slug_goes_to_one_of_many_who_want_it_at_once(
    place: Place, ann: Developer, bo: Developer
) -> None:
    accounts = place.client.accounts
    name = f"org {secrets.token_hex(6)}"
    outcomes = await settled(
        *(accounts.create_org(each.ctx, wanted) for each in (ann, bo) for wanted in (name, name.upper())),
        place.sign_up(name.replace(" ", "-")),
    )
    assert sum(isinstance(each, Org | Developer) for each in outcomes) == 1
    assert sum(isinstance(each, errors.AlreadyExists) for each in outcomes) == 4


async def test_an_invitation_of_somebody_who_leaves_meanwhile_is_void(
    place: Place, ann: Developer, bo: Developer
) -> None:
    accounts = place.client.accounts
    org = ann.ctx.with_org((await accounts.create_org(ann.ctx, f"org {ann.username}")).slug)
    for _ in range(5):
        member = await place.member(org)
        theirs = member.ctx.with_org(org.org or "")
        *invitations, left = await settled(
            *(accounts.invite_to_org(theirs, bo.email) for _ in range(4)), accounts.leave_org(theirs)
        )
        assert left is None
        for each in invitations:
            if isinstance(each, str):
                assert (await place.consent(each)).status == 404
            else:
                assert isinstance(each, errors.PermissionDenied)
        assert len((await accounts.org(org)).members) == 1


async def test_following_an_invitation_twice_at_once_makes_one_member(
    place: Place, ann: Developer, bo: Developer
) -> None:
    accounts = place.client.accounts
    org = ann.ctx.with_org((await accounts.create_org(ann.ctx, f"org {ann.username}")).slug)
    tokens = [await accounts.invite_to_org(org, bo.email) for _ in range(2)]
    replies = await asyncio.gather(*(place.consent(token) for token in tokens * 3))
    assert {each.status for each in replies} <= {200, 404}
    members = [each.username for each in (await accounts.org(org)).members]
    assert members == [ann.username, bo.username]


async def test_agreeing_while_signing_up_makes_a_member_in_the_end(place: Place, ann: Developer) -> None:
    accounts = place.client.accounts
    org = ann.ctx.with_org((await accounts.create_org(ann.ctx, f"org {ann.username}")).slug)
    for _ in range(5):
        name = secrets.token_hex(8)
        token = await accounts.invite_to_org(org, f"{name}@test.com")
        somebody, reply = await asyncio.gather(place.sign_up(name, f"{name}@test.com"), place.consent(token))
        assert reply.status == 200
        assert [each.slug for each in await accounts.list_orgs(somebody.ctx)] == [org.org]


async def test_agreeing_while_the_organisation_is_removed_leaves_nobody_in_it(
    place: Place, bo: Developer
) -> None:
    accounts = place.client.accounts
    for _ in range(5):
        ann = await place.sign_up()
        org = ann.ctx.with_org((await accounts.create_org(ann.ctx, f"org {ann.username}")).slug)
        token = await accounts.invite_to_org(org, bo.email)
        await asyncio.gather(accounts.remove_org(org), place.consent(token))
        assert await accounts.list_orgs(bo.ctx) == []
        assert (await place.consent(token)).status == 404


async def test_nothing_is_made_for_an_account_that_is_destroyed_meanwhile(place: Place) -> None:
    accounts, threads = place.client.accounts, place.client.threads
    for _ in range(5):
        ann = await place.sign_up()
        app = await accounts.create_key(ann.ctx, KeyType.USER)
        user = await place.user(app.context())
        ended, key, org, session, own, users = await settled(
            accounts.destroy_account(ann.ctx),
            accounts.create_key(ann.ctx),
            accounts.create_org(ann.ctx, f"org {ann.username}"),
            place.sign_in(ann.username),
            threads.new_db(ann.ctx),
            threads.new_db(user),
        )
        for each in (ended, key, org, session, own, users):
            assert each is None or not isinstance(each, BaseException) or isinstance(each, TextileError), each
        if isinstance(org, Org):
            # The organisation came first, so its owner had to stay.
            assert isinstance(ended, errors.FailedPrecondition)
            assert [each.slug for each in await accounts.list_orgs(ann.ctx)] == [org.slug]
            continue
        assert ended is None
        for ctx in [key.context()] if not isinstance(key, BaseException | None) else []:  # type: ignore[attr-defined]
            assert (await refusal(accounts.build_info(ctx)))[0] == "NOT_FOUND"
        if isinstance(session, Session):
            assert (await refusal(accounts.session_info(session.context())))[0] == "UNAUTHENTICATED"
        bo = await place.sign_up()
        others = await place.user((await accounts.create_key(bo.ctx, KeyType.USER)).context())
        for thread in (own, users):
            if isinstance(thread, ThreadID):
                assert not await exists(place, others, thread)
