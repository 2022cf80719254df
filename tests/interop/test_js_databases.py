"""Unmodified JavaScript clients at our hub: identities, tokens and whole databases."""

from __future__ import annotations

import re

import pytest

from tests.interop.jsclients import CLIENT, CONTEXT, HUB, JsPair
from tests.interop.peer import PeerError
from textile_aio import AuthContext, Identity, NotThreadOwner, ThreadID, ThreadKey, ThreadNotFound

pytestmark = pytest.mark.timeout(180)


async def test_a_token_of_theirs_is_good_for_ours(js_pair: JsPair) -> None:
    thread = await js_pair.new_db("photos")
    info = await js_pair.ours.threads.get_db_info(js_pair.at(thread))
    assert info.name == "photos"


async def test_a_token_of_ours_is_good_for_theirs(js_pair: JsPair) -> None:
    ctx = await js_pair.ours.threads.authorize(
        AuthContext() if js_pair.key is None else js_pair.ctx, js_pair.identity
    )
    thread = await js_pair.ours.threads.new_db(ctx, name="photos")
    context = await js_pair.js.make(CONTEXT, "Context", js_pair.host)
    if js_pair.key is not None:
        context = await context.call("withKeyInfo", js_pair.key)
    context = await context.call("withToken", ctx.token)
    theirs = await js_pair.js.make(CLIENT, "Client", context)
    info = await theirs.call("getDBInfo", thread)
    assert ThreadKey.from_string(info["key"]).can_read


async def test_a_challenge_that_nobody_signs(js_pair: JsPair) -> None:
    challenged = js_pair.js.callback()  # it answers nothing
    with pytest.raises(PeerError, match="Signature is required|bad signature"):
        await js_pair.threads.call("getTokenChallenge", str(Identity.generate().public), challenged)
    (challenge,) = await challenged.calls.get()
    assert isinstance(challenge, bytes)
    assert len(challenge) == 32


async def test_a_challenge_that_somebody_else_signs(js_pair: JsPair) -> None:
    signature = Identity.generate().sign(b"something else")
    signs = js_pair.js.callback(answer=signature)
    with pytest.raises(PeerError, match="bad signature"):
        await js_pair.threads.call("getTokenChallenge", str(Identity.generate().public), signs)


async def test_a_public_key_that_is_none(js_pair: JsPair) -> None:
    with pytest.raises(PeerError, match=re.escape("selected encoding not supported")):
        await js_pair.threads.call("getTokenChallenge", "not a key", js_pair.js.callback())


async def test_a_token_that_is_none(js_pair: JsPair) -> None:
    context = await js_pair.js.make(CONTEXT, "Context", js_pair.host)
    if js_pair.key is not None:
        context = await context.call("withKeyInfo", js_pair.key)
    context = await context.call("withToken", "not a token")
    theirs = await js_pair.js.make(CLIENT, "Client", context)
    with pytest.raises(PeerError, match="Bad authorization|thread token not found"):
        await theirs.call("newDB", ThreadID.random())


async def test_a_database_is_the_same_to_both(js_pair: JsPair) -> None:
    thread = await js_pair.new_db("photos")
    told = await js_pair.threads.call("getDBInfo", thread)
    info = await js_pair.ours.threads.get_db_info(js_pair.at(thread))
    assert info.key is not None
    assert told == {"key": info.key.to_string(), "addrs": [str(address) for address in info.addrs]}
    assert str(thread) in told["addrs"][0]


async def test_databases_of_both_are_listed(js_pair: JsPair) -> None:
    theirs = await js_pair.new_db("theirs")
    ours = await js_pair.ours.threads.new_db(js_pair.ctx, name="ours")
    expected = {str(theirs): "theirs", str(ours): "ours"}
    if js_pair.key is None:
        listed = await js_pair.threads.call("listDBs")
    else:
        # Before their hub client is loaded, which puts another method in the place of this one.
        with pytest.raises(PeerError, match=r"^Method is not accessible$"):
            await js_pair.threads.call("listDBs")
        hub = await js_pair.with_key(HUB, "Client")
        listed = await hub.call("listThreads")
        assert await hub.call("listDBs") == listed
        assert await hub.call("getThread", "ours") == {"id": str(ours), "name": "ours"}
        with pytest.raises(PeerError, match=r"^Thread not found$"):
            await hub.call("getThread", "nobodys")
    assert {each["id"]: each["name"] for each in listed} == expected


async def test_a_database_that_is_deleted(js_pair: JsPair) -> None:
    thread = await js_pair.new_db()
    await js_pair.threads.call("deleteDB", thread)
    gone = ThreadNotFound if js_pair.key is None else NotThreadOwner
    with pytest.raises(gone):
        await js_pair.ours.threads.get_db_info(js_pair.at(thread))
    with pytest.raises(
        PeerError, match="thread not found" if js_pair.key is None else "User does not own thread"
    ):
        await js_pair.threads.call("getDBInfo", thread)
    await js_pair.threads.call("newDB", thread)


async def test_a_database_that_is_there_already(js_pair: JsPair) -> None:
    thread = await js_pair.new_db()
    # The words that the local database looks for when it is pushed again.
    with pytest.raises(
        PeerError, match="db already exists" if js_pair.key is None else "multiple write errors"
    ):
        await js_pair.threads.call("newDB", thread)


async def test_a_name_that_is_none(js_pair: JsPair) -> None:
    with pytest.raises(PeerError, match="name may only contain alphanumeric characters"):
        await js_pair.threads.call("newDB", ThreadID.random(), "not a name")


async def test_a_thread_that_is_not_there(js_pair: JsPair) -> None:
    with pytest.raises(
        PeerError, match="thread not found" if js_pair.key is None else "User does not own thread"
    ):
        await js_pair.threads.call("getDBInfo", ThreadID.random())


async def test_a_hub_that_is_not_there(js_pair: JsPair) -> None:
    context = await js_pair.js.make(CONTEXT, "Context", "http://127.0.0.1:1")
    theirs = await js_pair.js.make(CLIENT, "Client", context)
    with pytest.raises(PeerError):
        await theirs.call("newDB", ThreadID.random())
