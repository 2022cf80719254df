"""Signing up, in and out, names, and who one then is, on any hub that has accounts.

Judged by spec: hub-accounts §3 and §4.
"""

from __future__ import annotations

import asyncio
import re
import secrets

import pytest

from tests.localhub.raw import outcome
from tests.suite.developers import DAY, Clock, Developer, Place, own_place, refusal
from textile_aio import AuthContext, HubClient, Identity, KeyType, OrgName, errors
from textile_aio._proto.api.hubd import pb

pytestmark = pytest.mark.needs("accounts")

NOBODY = AuthContext()
NAME_RULE = (
    "username may only contain alphanumeric characters or single hyphens, "
    "and cannot begin or end with a hyphen"
)
BAD_NAMES = ["", "-", "-a", "a-", "f-o-o", "a--b", "a_b", "a b", "a.b", "é", "ａ", "a\n", "name'", "\x00"]
BAD_ADDRESSES = [
    "",
    "nobody",
    "a@",
    "@b.com",
    "a b@c.com",
    "a@b.com, c@d.com",
    "a@b.com c",
    "a@b.com\r\nBcc: c@d.com",
]


async def test_who_signed_up_is_who_calls(place: Place) -> None:
    ann = await place.sign_up("Ann-1", "Ann <ann@test.com>")
    info = await place.client.accounts.session_info(ann.ctx)
    assert (info.public_key, info.username, info.email) == (
        ann.session.public_key,
        "Ann-1",
        "Ann <ann@test.com>",
    )
    assert re.fullmatch("b[a-z2-7]{71}", ann.session.session)
    assert re.match("bbaarei[a-h]", str(info.public_key))


async def test_an_account_has_the_identity_that_its_key_is_of(place: Place, ann: Developer) -> None:
    identity = await place.client.accounts.identity(ann.ctx)
    assert identity.public == ann.session.public_key
    assert identity.to_string().startswith("bbaareq")


@pytest.mark.parametrize("name", BAD_NAMES)
async def test_a_name_that_breaks_the_rule_is_refused(place: Place, name: str) -> None:
    accounts = place.client.accounts
    expected = ("FAILED_PRECONDITION", NAME_RULE)
    assert await refusal(accounts.sign_up(NOBODY, name, "a@test.com")) == expected
    assert await refusal(accounts.is_username_available(NOBODY, name)) == expected
    with pytest.raises(errors.InvalidInput):
        await accounts.is_username_available(NOBODY, name)


@pytest.mark.parametrize("address", BAD_ADDRESSES)
async def test_an_address_that_is_none_is_refused(place: Place, ann: Developer, address: str) -> None:
    accounts = place.client.accounts
    expected = ("FAILED_PRECONDITION", "Email address in not valid")
    assert await refusal(accounts.sign_up(NOBODY, "free", address)) == expected
    org = ann.ctx.with_org((await accounts.create_org(ann.ctx, "Acme")).slug)
    assert await refusal(accounts.invite_to_org(org, address)) == expected


async def test_a_name_is_taken_in_every_case_but_looked_for_in_one(place: Place) -> None:
    name = f"Ann{secrets.token_hex(6)}"
    await place.sign_up(name)
    accounts = place.client.accounts
    assert await accounts.is_username_available(NOBODY, name) is False
    sent = pb.IsUsernameAvailableRequest(username=name)
    path = "/api.hubd.pb.APIService/IsUsernameAvailable"
    assert await outcome(place.client.target, path, {}, sent) == (
        "FAILED_PRECONDITION",
        f"username '{name}' is not available",
    )
    assert await accounts.is_username_available(NOBODY, name.upper()) is True
    for again in (name, name.upper(), name.lower()):
        signing = accounts.sign_up(NOBODY, again, f"{secrets.token_hex(6)}@test.com")
        assert await refusal(place.confirmed(signing)) == ("FAILED_PRECONDITION", "Account exists")


async def test_an_address_is_taken_exactly_as_it_was_given(place: Place, ann: Developer) -> None:
    accounts = place.client.accounts
    signing = accounts.sign_up(NOBODY, secrets.token_hex(8), ann.email)
    assert await refusal(place.confirmed(signing)) == ("FAILED_PRECONDITION", "Account exists")
    await place.sign_up(email=ann.email.upper())


async def test_names_of_organisations_and_developers_are_one_space(place: Place, ann: Developer) -> None:
    accounts = place.client.accounts
    name = f"org{secrets.token_hex(6)}"
    await accounts.create_org(ann.ctx, name)
    assert await accounts.is_username_available(NOBODY, name) is False
    with pytest.raises(errors.AlreadyExists, match="Account exists"):
        await place.sign_up(name.upper())
    taken = f"the name '{ann.username}' is already taken"
    available = accounts.is_org_name_available(ann.ctx, ann.username)
    assert await refusal(available) == ("FAILED_PRECONDITION", taken)
    code, text = await refusal(accounts.create_org(ann.ctx, ann.username.upper()))
    assert code == "UNKNOWN"
    assert "multiple write errors" in text
    assert "E11000 duplicate key error" in text


async def test_sessions_are_opened_by_name_or_address_and_end_one_by_one(
    place: Place, ann: Developer
) -> None:
    accounts = place.client.accounts
    by_name = await place.sign_in(ann.username)
    by_email = await place.sign_in(ann.email)
    assert len({ann.session.session, by_name.session, by_email.session}) == 3
    assert by_name.public_key == by_email.public_key == ann.session.public_key
    await accounts.sign_out(by_name.context())
    for call in (accounts.sign_out, accounts.session_info, accounts.list_keys):
        refused = await refusal(call(by_name.context()))
        assert refused == ("UNAUTHENTICATED", "Invalid session")
    for session in (ann.session, by_email):
        assert (await accounts.session_info(session.context())).username == ann.username


async def test_who_has_no_account_does_not_sign_in(place: Place, ann: Developer) -> None:
    accounts = place.client.accounts
    org = await accounts.create_org(ann.ctx, f"org {ann.username}")
    for name in (org.slug, ann.username.upper(), ann.email.upper(), f"{ann.username} ", "", "nobody"):
        assert await refusal(accounts.sign_in(NOBODY, name)) == ("NOT_FOUND", "User not found")


async def test_sign_up_waits_for_its_link(place: Place) -> None:
    accounts = place.client.accounts
    name = secrets.token_hex(8)
    with pytest.raises(errors.DeadlineExceeded):
        await accounts.sign_up(NOBODY, name, f"{name}@test.com", timeout=0.1)
    assert await refusal(accounts.sign_in(NOBODY, name)) == ("NOT_FOUND", "User not found")


async def test_who_does_not_follow_the_link_in_time_is_refused() -> None:
    async with own_place(confirmation_seconds=0.05) as place:
        accounts = place.client.accounts
        expected = ("UNAUTHENTICATED", "Could not verify email address")
        assert await refusal(accounts.sign_up(NOBODY, "ann", "ann@test.com")) == expected
        await place.sign_up("ann")
        assert await refusal(accounts.sign_in(NOBODY, "ann")) == expected
        with pytest.raises(errors.EmailNotConfirmed):
            await accounts.sign_in(NOBODY, "ann")


async def test_one_link_that_all_share_lets_all_in(place: Place) -> None:
    made = await asyncio.gather(*(place.sign_up() for _ in range(10)))
    assert len({each.session.public_key for each in made}) == 10


async def test_a_session_lasts_from_its_last_use(place: Place, ann: Developer, clock: Clock) -> None:
    accounts = place.client.accounts
    for _ in range(3):
        clock.now += 1259 * DAY
        await accounts.session_info(ann.ctx)
    clock.now += 1261 * DAY
    assert await refusal(accounts.session_info(ann.ctx)) == ("UNAUTHENTICATED", "Expired session")
    session = await place.sign_in(ann.username)
    assert (await accounts.session_info(session.context())).username == ann.username


@pytest.mark.parametrize(
    ("ctx", "refused"),
    [
        (NOBODY, ("UNAUTHENTICATED", "Session or API key required")),
        (NOBODY.with_org("acme"), ("UNAUTHENTICATED", "Session or API key required")),
        (NOBODY.with_session("bnone"), ("UNAUTHENTICATED", "Invalid session")),
        (NOBODY.with_api_key("bnone"), ("NOT_FOUND", "API key not found or is invalid")),
        (NOBODY.with_session("bnone").with_api_key("bnone"), ("UNAUTHENTICATED", "Invalid session")),
    ],
)
async def test_all_but_signing_up_and_in_needs_a_caller(
    place: Place, ctx: AuthContext, refused: tuple[str, str]
) -> None:
    accounts = place.client.accounts
    for call in (
        accounts.build_info(ctx),
        accounts.is_org_name_available(ctx, "free"),
        accounts.session_info(ctx),
        accounts.list_keys(ctx),
        accounts.setup_billing(ctx),
        accounts.sign_out(ctx),
    ):
        assert await refusal(call) == refused
    assert await accounts.is_username_available(ctx, "free")


async def test_the_hub_says_what_it_is_to_whoever_it_knows(place: Place, ann: Developer) -> None:
    accounts = place.client.accounts
    key = await accounts.create_key(ann.ctx, KeyType.USER)
    user = await place.user(key.context())
    assert await accounts.build_info(user) == await accounts.build_info(ann.ctx)
    assert (await accounts.build_info(ann.ctx)).version


async def test_users_have_no_part_in_accounts(place: Place, ann: Developer) -> None:
    accounts = place.client.accounts
    user = await place.user((await accounts.create_key(ann.ctx, KeyType.USER)).context())
    expected = ("INVALID_ARGUMENT", "account type not supported")
    for call in (
        accounts.session_info(user),
        accounts.identity(user),
        accounts.create_key(user),
        accounts.list_keys(user),
        accounts.invalidate_key(user, "bnone"),
        accounts.create_org(user, "x"),
        accounts.org(user),
        accounts.list_orgs(user),
        accounts.remove_org(user),
        accounts.invite_to_org(user, "a@test.com"),
        accounts.leave_org(user),
        accounts.destroy_account(user),
    ):
        assert await refusal(call) == expected
    found = await accounts.is_org_name_available(user, "My awesome org!")
    assert found.slug == "My-awesome-org"


async def test_a_hub_that_bills_nobody_says_so_to_everybody(place: Place, ann: Developer) -> None:
    accounts = place.client.accounts
    user = await place.user((await accounts.create_key(ann.ctx, KeyType.USER)).context())
    for ctx in (ann.ctx, user):
        for call in (
            accounts.setup_billing(ctx),
            accounts.billing_session(ctx),
            accounts.list_billing_users(ctx, offset=1, limit=2),
        ):
            with pytest.raises(errors.Unimplemented, match="^billing is not enabled") as caught:
                await call
            assert caught.value.code is errors.StatusCode.UNKNOWN


async def test_a_sessions_own_token_goes_before_the_one_that_is_sent(place: Place, ann: Developer) -> None:
    accounts = place.client.accounts
    user = await place.user((await accounts.create_key(ann.ctx, KeyType.USER)).context())
    assert user.token is not None
    assert (await accounts.session_info(ann.ctx.with_token(user.token))).username == ann.username
    assert (await accounts.session_info(ann.ctx.with_api_key("bnone"))).username == ann.username


SLUGS = {
    "My awesome org!": "My-awesome-org",
    "  R & D  ": "R-and-D",
    "R&D": "RandD",
    "me@home": "meathome",
    '"Ann\'s" ’org’': "Anns-org",
    "a ‒ b – c — d ― e": "a-b-c-d-e",
    "a_b.c/d": "a_b-c-d",
    "_-a-_b_-_": "a-_b",
    "Ünïcödé": "Unicode",
    "a\tb\nc": "a-b-c",
    "a" * 31: "a" * 31,
    "a" * 32: "a" * 32,
    "a" * 33: "a" * 32,
    "a" * 32 + " b": "a" * 32,
    "aaaaaaa " * 5: "aaaaaaa-aaaaaaa-aaaaaaa-aaaaaaa",
    "a" * 15 + " " + "b" * 17: "a" * 15 + "-" + "b" * 17,
    "a" * 15 + " " + "b" * 18: "a" * 15,
    "": "",
    "!?": "",
    "_": "",
    "-- --": "",
}


async def test_slugs_are_made_from_names(place: Place, ann: Developer) -> None:
    accounts = place.client.accounts
    found = {name: await accounts.is_org_name_available(ann.ctx, name) for name in SLUGS}
    assert {name: each.slug for name, each in found.items()} == SLUGS
    (host,) = {each.host for each in found.values()}
    assert host.startswith("http")
    if place.hub:
        assert host == f"http://{place.gateway}"


async def test_texts_are_no_markup(place: Place, ann: Developer) -> None:
    """Whatever a name contains, the answer is about it and nothing is broken."""
    accounts = place.client.accounts
    for name in ("<script>", "%s%n", "'; drop table accounts; --", "\u202e", "\x00", "x" * 5_000):
        assert isinstance(await accounts.is_org_name_available(ann.ctx, name), OrgName)


async def test_an_application_walks_from_sign_up_to_a_users_thread(client: HubClient, place: Place) -> None:
    ann = await place.sign_up()
    key = await place.client.accounts.create_key(ann.ctx, KeyType.USER)
    identity = Identity.generate()
    user = await place.client.threads.authorize(key.context(), identity)
    thread = await place.client.threads.new_db(user, name="photos")
    assert [each.id for each in await place.client.users.list_threads(user)] == [thread]
