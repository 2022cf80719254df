"""Unmodified clients of accounts at our hub, in JavaScript and in Go, as their own tests use them."""

from __future__ import annotations

import asyncio

import pytest

from tests.interop.peer import PeerError
from tests.interop.people import ACCOUNT, USER, GoPeers, Peers, email_of, new_name, new_user, refusal, sign_up
from textile_aio import Identity
from textile_aio.localhub.accounts.developers import NAME_RULE

pytestmark = pytest.mark.timeout(180)

NOBODY = ("UNAUTHENTICATED", "Session or API key required")
GONE = ("UNAUTHENTICATED", "Invalid session")
NO_KEY = ("NOT_FOUND", "API key not found or is invalid")
NO_BILLING = ("UNKNOWN", "billing is not enabled")


async def test_somebody_signs_up_out_and_in(peers: Peers) -> None:
    dev = await sign_up(peers)
    assert dev.key.startswith("bbaarei")
    assert len(dev.session) == 72
    await dev.admin.call("signOut")
    assert await refusal(dev.admin.call("signOut")) == GONE
    assert await refusal(dev.admin.call("getSessionInfo")) == GONE

    nobody = await peers.admin()
    assert await refusal(nobody.call("signOut")) == NOBODY
    sessions = set()
    for name in (dev.username, dev.email, dev.username):
        entered = await peers.rig.confirmed(nobody.call("signIn", name))
        assert entered["key"] == dev.key
        sessions.add(entered["session"])
    assert len(sessions) == 3
    # Several at once are good; one that ends takes no other with it.
    first, *others = [await peers.admin(session) for session in sessions]
    await first.call("signOut")
    assert await refusal(first.call("getIdentity")) == GONE
    for other in others:
        assert (await other.call("getSessionInfo"))["username"] == dev.username


async def test_who_a_session_belongs_to(peers: Peers) -> None:
    dev = await sign_up(peers)
    info = await dev.admin.call("getSessionInfo")
    assert info == {"key": dev.key, "username": dev.username, "email": dev.email}
    identity = Identity.from_string(await dev.admin.call("getIdentity"))
    assert str(identity.public) == dev.key
    nobody = await peers.admin()
    for method in ("getSessionInfo", "getIdentity"):
        assert await refusal(nobody.call(method)) == NOBODY


async def test_sign_ups_that_are_refused(peers: Peers) -> None:
    dev = await sign_up(peers)
    nobody = await peers.admin()
    new = new_name()
    assert await refusal(nobody.call("signUp", "f-o-o", email_of(new))) == ("FAILED_PRECONDITION", NAME_RULE)
    assert await refusal(nobody.call("signUp", new, "jane")) == (
        "FAILED_PRECONDITION",
        "Email address in not valid",
    )
    # That a name or an address is taken is told only to whoever has confirmed the address.
    taken = ("FAILED_PRECONDITION", "Account exists")
    for name, email in (
        (dev.username, email_of(new)),
        (dev.username.upper(), email_of(new)),
        (new, dev.email),
    ):
        assert await refusal(peers.rig.confirmed(nobody.call("signUp", name, email))) == taken
    assert await refusal(nobody.call("signIn", new)) == ("NOT_FOUND", "User not found")


async def test_one_confirmation_lets_everybody_in_who_waits(peers: Peers) -> None:
    """As the shared secret of test rigs has it."""
    nobody = await peers.admin()
    names = [new_name() for _ in range(5)]
    waiting = (nobody.call("signUp", name, email_of(name)) for name in names)
    made = await peers.rig.confirmed(asyncio.gather(*waiting))
    assert len({each["key"] for each in made}) == 5


@pytest.mark.parametrize("secure", [True, False])
@pytest.mark.parametrize("kind", [ACCOUNT, USER])
async def test_keys(peers: Peers, kind: int, secure: bool) -> None:
    dev = await sign_up(peers)
    assert await dev.admin.call("listKeys") == []
    made = await dev.admin.call("createKey", kind, secure)
    assert (len(made["key"]), len(made["secret"])) == (27, 40)
    told = {name: made[name] for name in ("type", "valid", "threads", "secure")}
    assert told == {"type": kind, "valid": True, "threads": 0, "secure": secure}
    other = await dev.admin.call("createKey", kind, secure)
    assert await dev.admin.call("listKeys") == [made, other]

    # A key counts the threads that were made with it.
    key = {"key": made["key"], **({"secret": made["secret"]} if secure else {})}
    users = (await new_user(peers, key)).users if kind == USER else await peers.users(key)
    thread = await peers.new_db(users, "foo")
    assert [each["id"] for each in await users.call("listThreads")] == [thread]
    assert await dev.admin.call("listKeys") == [{**made, "threads": 1}, other]

    await dev.admin.call("invalidateKey", made["key"])
    await dev.admin.call("invalidateKey", made["key"])
    assert [each["valid"] for each in await dev.admin.call("listKeys")] == [False, True]
    assert await refusal(users.call("listThreads")) == NO_KEY


async def test_keys_that_are_refused(peers: Peers) -> None:
    dev, other = await sign_up(peers), await sign_up(peers)
    made = await dev.admin.call("createKey", 0, True)
    assert made["type"] == ACCOUNT
    assert await refusal(dev.admin.call("createKey", 3, True)) == ("INVALID_ARGUMENT", "invalid key type: 3")
    assert await refusal(other.admin.call("invalidateKey", made["key"])) == (
        "PERMISSION_DENIED",
        "User does not own key",
    )
    assert await refusal(other.admin.call("invalidateKey", "bnosuchkey")) == (
        "UNKNOWN",
        "mongo: no documents in result",
    )
    assert (await dev.admin.call("listKeys"))[0]["valid"]
    nobody = await peers.admin()
    for method, *given in (("createKey", 1, True), ("listKeys",), ("invalidateKey", made["key"])):
        assert await refusal(nobody.call(method, *given)) == NOBODY


async def test_what_an_account_key_may_do(peers: Peers) -> None:
    dev = await sign_up(peers)
    admin = await peers.admin(key=await dev.api_key(ACCOUNT))
    assert await admin.call("getSessionInfo") == await dev.admin.call("getSessionInfo")
    assert await admin.call("getIdentity") == await dev.admin.call("getIdentity")
    assert len(await admin.call("listKeys")) == 1
    assert await refusal(admin.call("signOut")) == ("NOT_FOUND", "session not found")


async def test_what_an_apps_user_may_not_do(peers: Peers) -> None:
    dev = await sign_up(peers)
    key = await dev.api_key(USER)
    admin = await peers.admin(key=key)
    needs_token = ("UNAUTHENTICATED", "Token required")
    for method, *given in (("getIdentity",), ("listKeys",), ("createOrg", "a"), ("destroyAccount",)):
        assert await refusal(admin.call(method, *given)) == needs_token


async def test_names_that_are_free(peers: Peers) -> None:
    dev = await sign_up(peers)
    nobody = await peers.admin()

    async def is_free(name: str) -> bool:
        try:
            return bool(await nobody.call("isUsernameAvailable", name))
        except PeerError:
            return False  # what Go returns, JavaScript keeps to itself

    assert await is_free(new_name())
    assert not await is_free(dev.username)
    assert not await is_free("no--name")

    name = "My awesome org!"
    free = await dev.admin.call("isOrgNameAvailable", name)
    assert free == {"slug": "My-awesome-org", "host": peers.rig.gateway}
    assert (await dev.admin.call("createOrg", name))["slug"] == free["slug"]
    taken = ("FAILED_PRECONDITION", f"the name '{name}' is already taken")
    assert await refusal(dev.admin.call("isOrgNameAvailable", name)) == taken
    assert await refusal(nobody.call("isOrgNameAvailable", name)) == NOBODY


async def test_billing_is_refused(peers: Peers) -> None:
    dev = await sign_up(peers)
    nobody = await peers.admin()
    for method in ("setupBilling", "getBillingSession", "listBillingUsers"):
        assert await refusal(dev.admin.call(method)) == NO_BILLING
        assert await refusal(nobody.call(method)) == NOBODY
    assert await refusal(dev.admin.call("listBillingUsers", 3, 7)) == NO_BILLING


async def test_an_account_is_destroyed_with_all_it_has(peers: Peers) -> None:
    dev = await sign_up(peers)
    key = await dev.api_key(USER)
    user = await new_user(peers, key)
    await peers.new_db(user.users, "foo")
    users = await peers.users(await dev.api_key(ACCOUNT))
    await peers.new_db(users, "bar")
    org = await dev.admin.call("createOrg", new_name())
    assert await refusal(dev.admin.call("destroyAccount")) == (
        "FAILED_PRECONDITION",
        "Account not empty (delete orgs first)",
    )
    await dev.admin.call("removeOrg", org["slug"])
    again = await peers.admin(dev.session)
    assert await again.call("destroyAccount") is None
    assert await refusal(again.call("getSessionInfo")) == GONE
    assert await refusal(users.call("listThreads")) == NO_KEY
    assert await refusal(user.users.call("listThreads")) == NO_KEY
    nobody = await peers.admin()
    assert await refusal(nobody.call("signIn", dev.username)) == ("NOT_FOUND", "User not found")
    assert await refusal(nobody.call("signIn", dev.email)) == ("NOT_FOUND", "User not found")


async def test_what_only_the_go_client_tells(go_peers: GoPeers) -> None:
    dev = await sign_up(go_peers)
    nobody = await go_peers.admin()
    assert await dev.admin.call("buildInfo")
    assert await refusal(nobody.call("buildInfo")) == NOBODY
    for name, text in (
        (dev.username, f"username '{dev.username}' is not available"),
        ("a b", NAME_RULE),
        ("f-o-o", NAME_RULE),
    ):
        assert await refusal(nobody.call("isUsernameAvailable", name)) == ("FAILED_PRECONDITION", text)
