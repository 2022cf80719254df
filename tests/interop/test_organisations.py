"""Unmodified clients of organisations at our hub, in JavaScript and in Go, as their own tests use them."""

from __future__ import annotations

import pytest

from tests.interop.people import ACCOUNT, Developer, JsPeers, Peers, email_of, new_name, refusal, sign_up
from textile_aio import Identity

pytestmark = pytest.mark.timeout(180)

NOBODY = ("UNAUTHENTICATED", "Session or API key required")
NO_MEMBER = ("PERMISSION_DENIED", "User is not an org member")


async def join(peers: Peers, owner: Developer, slug: str) -> Developer:
    """Somebody whom the owner invites, and who accepts."""
    dev = await sign_up(peers)
    token = await owner.admin.call("inviteToOrg", dev.email, slug)
    assert await peers.rig.follow(f"/consent/{token}") == 200
    return dev


async def test_an_organisation_is_made_and_shown(peers: Peers) -> None:
    dev, name = await sign_up(peers), new_name()
    made = await dev.admin.call("createOrg", name)
    assert made["key"].startswith("bbaarei")
    assert made["key"] != dev.key
    assert made == {
        "key": made["key"],
        "name": name,
        "slug": name,
        "host": peers.rig.gateway,
        "members": [{"key": dev.key, "username": dev.username, "role": "owner"}],
        "createdAt": made["createdAt"],
    }
    assert await dev.admin.call("getOrg", name) == made
    assert await refusal(dev.admin.call("getOrg", "bad")) == NO_MEMBER
    assert await refusal(dev.admin.call("getOrg", name.upper())) == NO_MEMBER
    nobody = await peers.admin()
    for method, *given in (("createOrg", new_name()), ("getOrg", name), ("listOrgs",), ("removeOrg", name)):
        assert await refusal(nobody.call(method, *given)) == NOBODY


async def test_nobody_signs_in_as_an_organisation(peers: Peers) -> None:
    dev = await sign_up(peers)
    slug = (await dev.admin.call("createOrg", new_name()))["slug"]
    nobody = await peers.admin()
    assert await refusal(nobody.call("signIn", slug)) == ("NOT_FOUND", "User not found")


async def test_organisations_are_listed_in_order(peers: Peers) -> None:
    dev = await sign_up(peers)
    assert await dev.admin.call("listOrgs") == []
    names = [f"org.{new_name()}", "My Org & 2", f"{new_name()}_c"]
    made = [await dev.admin.call("createOrg", name) for name in names]
    assert [each["name"] for each in made] == names
    assert [each["slug"] for each in made] == [names[0].replace(".", "-"), "My-Org-and-2", names[2]]
    assert await dev.admin.call("listOrgs") == made


async def test_names_that_no_organisation_can_have(peers: Peers) -> None:
    dev = await sign_up(peers)
    taken = await dev.admin.call("createOrg", new_name())
    for name in (taken["name"], taken["slug"].upper(), dev.username):
        code, text = await refusal(dev.admin.call("createOrg", name))
        assert code == "UNKNOWN"
        assert "E11000 duplicate key error" in text
    assert await refusal(dev.admin.call("createOrg", "!!!")) == ("UNKNOWN", "name '!!!' is not available")


async def test_what_belongs_to_an_organisation(peers: Peers) -> None:
    dev = await sign_up(peers)
    slug = (await dev.admin.call("createOrg", new_name()))["slug"]
    key = await dev.admin.call("createKey", ACCOUNT, True, slug)
    assert key["key"] not in {each["key"] for each in await dev.admin.call("listKeys", "")}
    assert await dev.admin.call("listKeys", slug) == [key]

    # With that key one acts as the organisation, and as no developer.
    org = await dev.admin.call("getOrg", slug)
    admin = await peers.admin(key=key)
    assert str(Identity.from_string(await admin.call("getIdentity")).public) == org["key"]
    developer_only = ("INVALID_ARGUMENT", "developer account required")
    for method, *given in (("getSessionInfo",), ("createOrg", "a"), ("listOrgs",), ("destroyAccount",)):
        assert await refusal(admin.call(method, *given)) == developer_only
    users = await peers.users(key)
    thread = await peers.new_db(users, "shared")
    assert (await users.call("getThread", "shared"))["id"] == thread
    own = await peers.users(session=dev.session)
    assert await own.call("listThreads") == []
    await dev.admin.call("invalidateKey", key["key"], slug)
    assert await refusal(users.call("listThreads")) == ("NOT_FOUND", "API key not found or is invalid")


async def test_somebody_is_invited_and_leaves(peers: Peers) -> None:
    owner = await sign_up(peers)
    slug = (await owner.admin.call("createOrg", new_name()))["slug"]
    assert await refusal(owner.admin.call("inviteToOrg", "jane", slug)) == (
        "FAILED_PRECONDITION",
        "Email address in not valid",
    )
    assert await refusal(owner.admin.call("leaveOrg", slug)) == (
        "UNKNOWN",
        "an org must have at least one owner",
    )
    dev = await sign_up(peers)
    for method in ("getOrg", "leaveOrg", "removeOrg"):
        assert await refusal(dev.admin.call(method, slug)) == NO_MEMBER
    assert await refusal(dev.admin.call("inviteToOrg", dev.email, slug)) == NO_MEMBER

    token = await owner.admin.call("inviteToOrg", dev.email, slug)
    assert len(token) == 72
    assert await peers.rig.follow(f"/consent/{token}") == 200
    assert await peers.rig.follow(f"/consent/{token}") == 404
    shown = await dev.admin.call("getOrg", slug)
    assert [(each["username"], each["role"]) for each in shown["members"]] == [
        (owner.username, "owner"),
        (dev.username, "member"),
    ]
    assert await dev.admin.call("listOrgs") == [shown]

    # Members invite, but they do not remove.
    assert await dev.admin.call("inviteToOrg", email_of(new_name()), slug)
    assert await refusal(dev.admin.call("removeOrg", slug)) == (
        "PERMISSION_DENIED",
        "User must be an org owner",
    )
    assert await dev.admin.call("leaveOrg", slug) is None
    assert await refusal(dev.admin.call("leaveOrg", slug)) == NO_MEMBER
    assert len((await owner.admin.call("getOrg", slug))["members"]) == 1


async def test_somebody_is_invited_before_signing_up(peers: Peers) -> None:
    owner = await sign_up(peers)
    slug = (await owner.admin.call("createOrg", new_name()))["slug"]
    email = email_of(new_name())
    token = await owner.admin.call("inviteToOrg", email, slug)
    assert await peers.rig.follow(f"/consent/{token}") == 200
    assert await peers.rig.follow(f"/consent/{token}") == 200
    dev = await sign_up(peers, email)
    (joined,) = await dev.admin.call("listOrgs")
    assert joined["slug"] == slug
    assert await peers.rig.follow(f"/consent/{token}") == 404
    assert await peers.rig.follow("/consent/nobody") == 404


async def test_an_invitation_of_somebody_who_left_lets_nobody_in(peers: Peers) -> None:
    owner = await sign_up(peers)
    slug = (await owner.admin.call("createOrg", new_name()))["slug"]
    member, late = await join(peers, owner, slug), await sign_up(peers)
    token = await member.admin.call("inviteToOrg", late.email, slug)
    await member.admin.call("leaveOrg", slug)
    assert await peers.rig.follow(f"/consent/{token}") == 404
    assert await late.admin.call("listOrgs") == []


async def test_an_organisation_is_removed(peers: Peers) -> None:
    owner = await sign_up(peers)
    slug = (await owner.admin.call("createOrg", new_name()))["slug"]
    member, late = await join(peers, owner, slug), await sign_up(peers)
    token = await owner.admin.call("inviteToOrg", late.email, slug)
    key = await owner.api_key(ACCOUNT, org=slug)
    users = await peers.users(key)
    await peers.new_db(users, "shared")

    assert await refusal(owner.admin.call("removeOrg", "bad")) == NO_MEMBER
    assert await owner.admin.call("removeOrg", slug) is None
    for dev in (owner, member):
        again = await peers.admin(dev.session)
        assert await refusal(again.call("getOrg", slug)) == NO_MEMBER
        # The client in JavaScript keeps the organisation that was named last.
        again = await peers.admin(dev.session)
        assert await again.call("listOrgs") == []
    assert await refusal(users.call("listThreads")) == ("NOT_FOUND", "API key not found or is invalid")
    assert await peers.rig.follow(f"/consent/{token}") == 404


async def test_the_javascript_client_stays_with_the_organisation_named_last(js_peers: JsPeers) -> None:
    """It writes it into the context that all its calls share; an empty name takes it out."""
    dev = await sign_up(js_peers)
    org = await dev.admin.call("createOrg", new_name())
    own = await dev.admin.call("getIdentity")
    await dev.admin.call("getOrg", org["slug"])
    theirs = await dev.admin.call("getIdentity")
    assert str(Identity.from_string(theirs).public) == org["key"]
    await dev.admin.call("listKeys", "")
    assert await dev.admin.call("getIdentity") == own
