"""Organisations, their members and invitations, on any hub that has accounts.

Judged by spec: hub-accounts §4.6 and §5.2.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

import pytest

from tests.suite.developers import DAY, Clock, Developer, Place, refusal
from textile_aio import AuthContext, KeyType, Org, OrgRole, errors

pytestmark = pytest.mark.needs("accounts")

NOT_A_MEMBER = ("PERMISSION_DENIED", "User is not an org member")


@pytest.fixture
async def acme(place: Place, ann: Developer) -> Org:
    return await place.client.accounts.create_org(ann.ctx, f"Acme & {secrets.token_hex(6)}")


@pytest.fixture
def org(ann: Developer, acme: Org) -> AuthContext:
    """Its owner, acting for it."""
    return ann.ctx.with_org(acme.slug)


def roles(org: Org) -> dict[str, OrgRole]:
    return {member.username: member.role for member in org.members}


async def test_who_makes_an_organisation_owns_it(
    place: Place, ann: Developer, acme: Org, org: AuthContext
) -> None:
    accounts = place.client.accounts
    assert acme.slug == acme.name.replace("&", "and").replace(" ", "-")
    (owner,) = acme.members
    assert (owner.public_key, owner.username, owner.role) == (
        ann.session.public_key,
        ann.username,
        OrgRole.OWNER,
    )
    assert acme.public_key != ann.session.public_key
    assert acme.host == (await accounts.is_org_name_available(ann.ctx, "free")).host
    now = datetime.fromtimestamp(place.clock.now / 10**9, UTC) if place.clock else datetime.now(UTC)
    assert abs((acme.created_at - now).total_seconds()) < 60
    assert await accounts.org(org) == acme
    assert await accounts.list_orgs(ann.ctx) == [acme]
    assert (await accounts.identity(org)).public == acme.public_key
    assert (await accounts.session_info(org)).username == ann.username


async def test_names_without_a_slug_and_names_that_are_taken_are_refused(
    place: Place, ann: Developer, acme: Org
) -> None:
    accounts = place.client.accounts
    for name in ("", "!?", "__"):
        refused = await refusal(accounts.create_org(ann.ctx, name))
        assert refused == ("UNKNOWN", f"name '{name}' is not available")
        with pytest.raises(errors.InvalidInput):
            await accounts.create_org(ann.ctx, name)
    for name in (acme.name, acme.slug, acme.slug.upper()):
        code, text = await refusal(accounts.create_org(ann.ctx, name))
        assert code == "UNKNOWN"
        assert "multiple write errors" in text
        assert "E11000 duplicate key error" in text
    taken = await refusal(accounts.is_org_name_available(ann.ctx, acme.name))
    assert taken == ("FAILED_PRECONDITION", f"the name '{acme.name}' is already taken")
    assert (await accounts.is_org_name_available(ann.ctx, acme.slug.upper())).slug == acme.slug.upper()


async def test_calls_about_an_organisation_need_one(place: Place, ann: Developer) -> None:
    accounts = place.client.accounts
    key = await accounts.create_key(ann.ctx)
    for ctx in (ann.ctx, key.context()):
        required = ("FAILED_PRECONDITION", "organization account required")
        assert await refusal(accounts.org(ctx)) == required
        for call in (
            accounts.remove_org(ctx),
            accounts.invite_to_org(ctx, "a@test.com"),
            accounts.leave_org(ctx),
        ):
            assert await refusal(call) == ("INVALID_ARGUMENT", "organization account required")
        with pytest.raises(errors.OrgRequired, match="with_org"):
            await accounts.org(ctx)


async def test_nobody_acts_for_an_organisation_they_are_not_in(
    place: Place, ann: Developer, bo: Developer, acme: Org
) -> None:
    accounts = place.client.accounts
    outside = [
        bo.ctx.with_org(acme.slug),
        ann.ctx.with_org(acme.slug.upper()),
        ann.ctx.with_org("none"),
        ann.ctx.with_org(ann.username),
    ]
    for ctx in outside:
        for call in (
            accounts.org(ctx),
            accounts.list_keys(ctx),
            accounts.identity(ctx),
            accounts.remove_org(ctx),
            accounts.build_info(ctx),
            place.client.users.list_threads(ctx),
        ):
            assert await refusal(call) == NOT_A_MEMBER


async def test_who_is_invited_and_has_an_account_is_a_member_at_once(
    place: Place, ann: Developer, bo: Developer, acme: Org, org: AuthContext
) -> None:
    accounts = place.client.accounts
    token = await accounts.invite_to_org(org, bo.email)
    assert token.startswith("b")
    assert len(token) == 72
    assert await accounts.list_orgs(bo.ctx) == []
    assert (await place.consent(token)).status == 200
    theirs = bo.ctx.with_org(acme.slug)
    assert roles(await accounts.org(theirs)) == {ann.username: OrgRole.OWNER, bo.username: OrgRole.MEMBER}
    assert [each.slug for each in await accounts.list_orgs(bo.ctx)] == [acme.slug]
    assert (await place.consent(token)).status == 404


async def test_who_is_invited_and_has_no_account_is_a_member_on_sign_up(
    place: Place, acme: Org, org: AuthContext
) -> None:
    accounts = place.client.accounts
    name = secrets.token_hex(8)
    email = f"{name}@test.com"
    agreed, open_ = [await accounts.invite_to_org(org, email) for _ in range(2)]
    for _ in range(2):
        assert (await place.consent(agreed)).status == 200
    somebody = await place.sign_up(name, email)
    assert [each.slug for each in await accounts.list_orgs(somebody.ctx)] == [acme.slug]
    assert (await place.consent(agreed)).status == 404
    assert (await place.consent(open_)).status == 200
    members = (await accounts.org(org)).members
    assert [each.username for each in members].count(name) == 1


async def test_an_invitation_is_for_exactly_one_address(place: Place, org: AuthContext) -> None:
    accounts = place.client.accounts
    name = secrets.token_hex(8)
    token = await accounts.invite_to_org(org, f"{name}@test.com")
    assert (await place.consent(token)).status == 200
    other = await place.sign_up(f"o{name}", f"{name.upper()}@test.com")
    assert await accounts.list_orgs(other.ctx) == []


async def test_who_did_not_agree_is_no_member(place: Place, org: AuthContext) -> None:
    accounts = place.client.accounts
    name = secrets.token_hex(8)
    await accounts.invite_to_org(org, f"{name}@test.com")
    somebody = await place.sign_up(name, f"{name}@test.com")
    assert await accounts.list_orgs(somebody.ctx) == []


async def test_an_owner_who_follows_an_invitation_stays_one(
    place: Place, ann: Developer, org: AuthContext
) -> None:
    accounts = place.client.accounts
    token = await accounts.invite_to_org(org, ann.email)
    assert (await place.consent(token)).status == 200
    assert roles(await accounts.org(org)) == {ann.username: OrgRole.OWNER}


async def test_tokens_that_were_not_given_out_lead_nowhere(place: Place, org: AuthContext) -> None:
    token = await place.client.accounts.invite_to_org(org, "somebody@test.com")
    for wrong in ("bnone", token[:-1], token + "a", token.upper()):
        assert (await place.consent(wrong)).status == 404


async def test_an_invitation_ends_after_210_days(place: Place, org: AuthContext, clock: Clock) -> None:
    accounts = place.client.accounts
    email = f"{secrets.token_hex(8)}@test.com"
    late, agreed = [await accounts.invite_to_org(org, email) for _ in range(2)]
    clock.now += 209 * DAY
    assert (await place.consent(agreed)).status == 200
    clock.now += 2 * DAY
    page = await place.consent(late)
    assert page.status == 412
    assert "invitation has expired" in page.text
    assert (await place.consent(late)).status == 404


async def test_members_invite_and_leave_and_their_invitations_leave_with_them(
    place: Place, bo: Developer, acme: Org, org: AuthContext
) -> None:
    accounts = place.client.accounts
    member = await place.member(org)
    theirs = member.ctx.with_org(acme.slug)
    pending = await accounts.invite_to_org(theirs, bo.email)
    owners = await accounts.invite_to_org(org, bo.email)
    await accounts.leave_org(theirs)
    for call in (accounts.org(theirs), accounts.leave_org(theirs), accounts.list_keys(theirs)):
        assert await refusal(call) == NOT_A_MEMBER
    assert await accounts.list_orgs(member.ctx) == []
    assert (await place.consent(pending)).status == 404
    assert (await place.consent(owners)).status == 200


async def test_owners_do_not_leave_and_members_do_not_remove(
    place: Place, acme: Org, org: AuthContext
) -> None:
    accounts = place.client.accounts
    member = await place.member(org)
    assert await refusal(accounts.leave_org(org)) == ("UNKNOWN", "an org must have at least one owner")
    with pytest.raises(errors.FailedPrecondition):
        await accounts.leave_org(org)
    theirs = member.ctx.with_org(acme.slug)
    denied = ("PERMISSION_DENIED", "User must be an org owner")
    assert await refusal(accounts.remove_org(theirs)) == denied
    assert len((await accounts.org(org)).members) == 2


async def test_a_removed_organisation_takes_everything_along(
    place: Place, ann: Developer, bo: Developer, acme: Org, org: AuthContext
) -> None:
    accounts, threads = place.client.accounts, place.client.threads
    member = await place.member(org)
    token = await accounts.invite_to_org(org, bo.email)
    account_key = await accounts.create_key(org)
    app = await accounts.create_key(org, KeyType.USER)
    user = await place.user(app.context())
    await threads.new_db(user)
    await threads.new_db(org)
    await accounts.remove_org(org)
    for ctx in (org, member.ctx.with_org(acme.slug)):
        assert await refusal(accounts.org(ctx)) == NOT_A_MEMBER
    for ctx in (account_key.context(), user):
        refused = await refusal(accounts.build_info(ctx))
        assert refused == ("NOT_FOUND", "API key not found or is invalid")
    assert (await place.consent(token)).status == 404
    for developer in (ann, member):
        assert await accounts.list_orgs(developer.ctx) == []
    again = await accounts.create_org(bo.ctx, acme.name)
    assert again.slug == acme.slug
    assert roles(await accounts.org(bo.ctx.with_org(again.slug))) == {bo.username: OrgRole.OWNER}
    assert await accounts.list_keys(bo.ctx.with_org(again.slug)) == []


async def test_what_an_organisation_owns_all_its_members_use(
    place: Place, acme: Org, org: AuthContext
) -> None:
    threads, buckets = place.client.threads, place.client.buckets
    member = await place.member(org)
    theirs = member.ctx.with_org(acme.slug)
    thread = await threads.new_db(org)
    bucket = await buckets.create(org.with_thread(thread), "shared")
    await buckets.push_path(theirs.with_thread(thread), bucket.key, "a", b"from a member")
    assert [each.id for each in await place.client.users.list_threads(theirs)] == [thread]
    assert await place.client.users.list_threads(member.ctx) == []
    with pytest.raises(errors.NotThreadOwner):
        await buckets.list(member.ctx.with_thread(thread))
