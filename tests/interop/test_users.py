"""Unmodified clients of users at our hub, in JavaScript and in Go: threads, usage, archives, refusals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.interop.jsclients import HUB
from tests.interop.peer import Bound
from tests.interop.people import (
    ACCOUNT,
    USER,
    GoPeers,
    JsPeers,
    Peers,
    new_user,
    refusal,
    sign_up,
)
from textile_aio import Identity

pytestmark = pytest.mark.timeout(180)

NO_THREAD = ("NOT_FOUND", "Thread not found")
NO_FILECOIN = ("UNKNOWN", "no powergate info associated with account")

CID = "bafybeihykld7uyxzogax6vgyvag42y7464eywpf55gxi5qpoisibh3c5wa"

CALLS = [("getThread", "foo"), ("listThreads",), ("setupMailbox",), ("listInboxMessages",), ("getUsage",)]


async def test_callers_who_are_refused(peers: Peers) -> None:
    dev = await sign_up(peers)
    account, user = await dev.api_key(ACCOUNT), await dev.api_key(USER)
    nobody = await peers.users()
    unsigned = await peers.users({"key": account["key"]})
    unknown = await peers.users({**account, "key": "bnosuchkey"})
    foreign = await peers.users({**account, "secret": user["secret"]})
    without_token = await peers.users(user)
    for method, *given in CALLS:
        assert await refusal(nobody.call(method, *given)) == (
            "UNAUTHENTICATED",
            "Session or API key required",
        )
        assert await refusal(unsigned.call(method, *given)) == (
            "UNAUTHENTICATED",
            "API key signature required",
        )
        assert await refusal(unknown.call(method, *given)) == ("NOT_FOUND", "API key not found or is invalid")
        assert await refusal(foreign.call(method, *given)) == ("UNAUTHENTICATED", "Bad API key signature")
        assert await refusal(without_token.call(method, *given)) == ("UNAUTHENTICATED", "Token required")


async def test_signatures_that_have_expired(go_peers: GoPeers, js_peers: JsPeers) -> None:
    dev = await sign_up(go_peers)
    key = await dev.api_key(ACCOUNT)
    users = await go_peers.users({**key, "expires": -60})
    assert await refusal(users.call("listThreads")) == ("UNAUTHENTICATED", "Bad API key signature")
    # The client in JavaScript looks at the clock itself.
    past = datetime.now(UTC) - timedelta(minutes=1)
    auth = await js_peers.js.call(HUB, "createUserAuth", key["key"], key["secret"], past)
    users = await js_peers.js.call(HUB, "Users.withUserAuth", auth, {"host": js_peers.rig.host})
    assert (await refusal(users.call("listThreads")))[1].startswith("Auth expired.")


@pytest.mark.parametrize("secure", [True, False])
@pytest.mark.parametrize("kind", [ACCOUNT, USER])
async def test_threads_by_name(peers: Peers, kind: int, secure: bool) -> None:
    dev = await sign_up(peers)
    key = await dev.api_key(kind, secure=secure)
    users = (await new_user(peers, key)).users if kind == USER else await peers.users(key)
    assert await refusal(users.call("getThread", "foo")) == NO_THREAD
    assert await users.call("listThreads") == []
    made = await peers.new_db(users, "foo")
    found = await users.call("getThread", "foo")
    assert (found["id"], found["name"]) == (made, "foo")
    second = await peers.new_db(users, "bar")
    assert await users.call("listThreads") == [
        {"id": made, "name": "foo", "isDb": True},
        {"id": second, "name": "bar", "isDb": True},
    ]
    assert await refusal(users.call("getThread", "Foo")) == NO_THREAD
    assert await refusal(users.call("getThread", "")) == NO_THREAD


async def test_all_keys_of_an_account_see_its_threads_and_no_users_do(peers: Peers) -> None:
    dev, key = (dev := await sign_up(peers)), await dev.api_key(USER)
    first = await peers.users(await dev.api_key(ACCOUNT))
    made = await peers.new_db(first, "foo")
    for caller in (
        await peers.users(await dev.api_key(ACCOUNT, secure=False)),
        await peers.users(session=dev.session),
    ):
        assert [each["id"] for each in await caller.call("listThreads")] == [made]
    one, two = await new_user(peers, key), await new_user(peers, key)
    assert await one.users.call("listThreads") == []
    await peers.new_db(one.users, "foo")
    assert await two.users.call("listThreads") == []
    assert await refusal(two.users.call("getThread", "foo")) == NO_THREAD


async def test_a_user_is_the_same_with_every_key_of_the_hub(peers: Peers) -> None:
    dev, other = await sign_up(peers), await sign_up(peers)
    user = await new_user(peers, await dev.api_key(USER))
    made = await peers.new_db(user.users, "foo")
    again = await peers.users(await other.api_key(USER))
    await again.call("getToken", user.identity)
    assert [each["id"] for each in await again.call("listThreads")] == [made]


async def test_what_is_stored_for_a_user(peers: Peers) -> None:
    dev, stranger = await sign_up(peers), await sign_up(peers)
    user = await new_user(peers, await dev.api_key(USER))
    await user.users.call("setupMailbox")
    await user.users.call("sendMessage", user.identity, user.identity.public, bytes(10_000))
    own = await user.users.call("getUsage")
    of_user = str(user.identity.public)
    assert (own["customer"]["key"], own["customer"]["accountType"]) == (of_user, 2)
    assert own["customer"]["parentKey"] == dev.key
    stored = _stored(peers, own)
    assert stored > 20_000

    session = await peers.users(session=dev.session)
    told = await session.call("getUsage", {"dependentUserKey": of_user})
    assert (told["customer"]["key"], _stored(peers, told)) == (of_user, stored)
    mine = await session.call("getUsage")
    assert (mine["customer"]["key"], mine["customer"]["email"]) == (dev.key, dev.email)
    assert mine["customer"]["accountType"] == 0
    nobody = str(Identity.generate().public)
    other = await peers.users(session=stranger.session)
    for caller, key in ((session, nobody), (other, of_user)):
        given = {"dependentUserKey": key}
        assert await refusal(caller.call("getUsage", given)) == ("NOT_FOUND", "User not found")
    assert await refusal(session.call("getUsage", {"dependentUserKey": "x"})) == (
        "FAILED_PRECONDITION",
        "Invalid public key",
    )


def _stored(peers: Peers, told: dict[str, Any]) -> int:
    usage = told["usage"]
    if peers.kind == "js":
        usage = {name: each["total"] for name, each in usage["usageMap"]}
    return int(usage["stored_data"])


async def test_archives_of_a_hub_that_makes_none(go_peers: GoPeers) -> None:
    dev = await sign_up(go_peers)
    users = (await new_user(go_peers, await dev.api_key(USER))).users
    assert await refusal(users.call("archivesLs")) == NO_FILECOIN
    assert await refusal(users.call("archivesImport", CID, 7)) == NO_FILECOIN
    assert await users.call("archiveRetrievalLs") == 0
    assert await refusal(users.call("archiveRetrievalLogs", "job")) == NO_FILECOIN


@pytest.mark.parametrize("kind", [ACCOUNT, USER])
async def test_filecoin_of_a_hub_that_has_none(peers: Peers, kind: int) -> None:
    dev = await sign_up(peers)
    key = await dev.api_key(kind)
    users = (await new_user(peers, key)).users if kind == USER else await peers.users(key)
    filecoin, nobodys = await peers.filecoin(users), await peers.filecoin(await peers.users())
    calls: list[tuple[Any, ...]] = [
        ("addresses",), ("balance", "t1"), ("cidInfo", CID), ("storageDealRecords", {}),
        ("retrievalDealRecords", {}),
        *([("cidSummary", CID)] if peers.kind == "js" else [("signMessage", "t1"), ("verifyMessage", "t1")]),
    ]  # fmt: skip
    for method, *given in calls:
        assert await refusal(filecoin.call(method, *given)) == ("INTERNAL", "Powergate isn't enabled in Hub")
        assert await refusal(nobodys.call(method, *given)) == (
            "UNAUTHENTICATED",
            "Session or API key required",
        )


async def test_ways_to_a_token_in_javascript(js_peers: JsPeers) -> None:
    dev = await sign_up(js_peers)
    key = await dev.api_key(USER)
    identity = Identity.generate()
    person = await js_peers.person(identity)
    users = await js_peers.users(key)
    token = await users.call("getTokenChallenge", str(identity.public), Bound(person, "sign"))
    mailbox = await users.call("setupMailbox")

    others = await js_peers.users(key)
    await others.call("setToken", token)
    assert await others.call("getMailboxID") == mailbox
    copied = await js_peers.js.call(HUB, "Users.copyAuth", others)
    assert await copied.call("getMailboxID") == mailbox
    buckets = await js_peers.js.call(HUB, "Buckets.copyAuth", others)
    assert (await buckets.call("getOrCreate", "things"))["root"]["name"] == "things"
    assert len(await users.call("listThreads")) == 2
    again = await js_peers.js.call(HUB, "Users.copyAuth", buckets)
    assert await again.call("getMailboxID") == mailbox
