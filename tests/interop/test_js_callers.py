"""Unmodified JavaScript clients at our hub: every kind of credentials, and calls over plain HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.interop.jsclients import CLIENT, CONTEXT, HUB, JsDatabase, JsPair, settings
from tests.interop.peer import Peer, PeerError, PeerObject, Query
from tests.interop.test_js_collections import PERSON, person
from textile_aio import Identity, ThreadID
from textile_aio.localhub import LocalHub

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
async def hub(js: Peer, tmp_path: Path) -> AsyncIterator[LocalHub]:
    """A hub with accounts."""
    async with LocalHub.open(tmp_path / "hub", settings("hub")) as opened:
        yield opened


async def key_of(hub: LocalHub, **kind: Any) -> dict[str, str]:
    made = await hub.create_key(await hub.create_account("owner"), **kind)
    return {"key": made.key, "secret": made.secret} if made.secret else {"key": made.key}


def host(hub: LocalHub) -> str:
    return f"http://{hub.web_target}"


async def works(client: PeerObject) -> None:
    """A database, an instance in it, and back."""
    thread = ThreadID.random()
    await client.call("newDB", thread)
    await client.call("newCollection", thread, {"name": "Person", "schema": PERSON})
    (id_,) = await client.call("create", thread, "Person", [person()])
    assert (await client.call("findByID", thread, "Person", id_))["firstName"] == "Adam"


async def test_a_user_group_key_with_a_token(hub: LocalHub, js: Peer) -> None:
    client = await js.call(HUB, "Client.withKeyInfo", await key_of(hub), host(hub))
    with pytest.raises(PeerError, match=r"^Token required$"):
        await client.call("newDB", ThreadID.random())
    await client.call("getToken", Identity.generate())
    await works(client)


async def test_a_key_that_does_not_sign(hub: LocalHub, js: Peer) -> None:
    client = await js.call(CLIENT, "Client.withKeyInfo", await key_of(hub, secure=False), host(hub))
    await client.call("getToken", Identity.generate())
    await works(client)


async def test_an_account_key_without_a_token(hub: LocalHub, js: Peer) -> None:
    client = await js.call(CLIENT, "Client.withKeyInfo", await key_of(hub, user_group=False), host(hub))
    await works(client)


async def test_user_auth_that_a_server_hands_out(hub: LocalHub, js: Peer) -> None:
    key = await key_of(hub)
    auth = await js.call(HUB, "createUserAuth", key["key"], key["secret"])
    client = await js.call(HUB, "Client.withUserAuth", auth, host(hub))
    token = await client.call("getToken", Identity.generate())
    await works(client)

    users = await js.call(HUB, "Users.withUserAuth", {**auth, "token": token}, {"host": host(hub)})
    (thread,) = await users.call("listThreads")
    assert thread["isDb"] is True


async def test_user_auth_that_is_renewed_when_it_expires(hub: LocalHub, js: Peer) -> None:
    key = await key_of(hub)
    auth = await js.call(HUB, "createUserAuth", key["key"], key["secret"])
    renew = js.callback(answer=auth)
    client = await js.call(HUB, "Client.withUserAuth", renew, host(hub))
    await client.call("getToken", Identity.generate())
    await works(client)
    assert not renew.calls.empty()


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"key": "bnosuchkey"}, "API key not found or is invalid"),
        ({"secret": "bvygwm3lpwq4pzn7w3kpcx3kh4e3w2yo5lhqtbiq"}, "Bad API key signature"),
        ({"secret": ""}, "API key signature required"),
    ],
)
async def test_a_key_that_is_none(hub: LocalHub, js: Peer, change: dict[str, str], text: str) -> None:
    key = {name: value for name, value in {**await key_of(hub), **change}.items() if value}
    client = await js.call(CLIENT, "Client.withKeyInfo", key, host(hub))
    with pytest.raises(PeerError, match=text):
        await client.call("getToken", Identity.generate())


async def test_a_signature_that_has_expired(hub: LocalHub, js: Peer) -> None:
    key = await key_of(hub)
    past = datetime.now(UTC) - timedelta(minutes=5)
    auth = await js.call(HUB, "createUserAuth", key["key"], key["secret"], past)
    client = await js.call(HUB, "Client.withUserAuth", auth, host(hub))
    with pytest.raises(PeerError, match="Auth expired"):  # theirs looks at the clock before it calls
        await client.call("newDB", ThreadID.random())
    context = await client.get("context")
    later = (datetime.now(UTC) + timedelta(minutes=5)).isoformat().replace("+00:00", "Z")
    await context.call("set", "x-textile-api-sig-msg", later)
    with pytest.raises(PeerError, match=r"^Bad API key signature$"):
        await client.call("newDB", ThreadID.random())


async def test_a_caller_without_credentials_is_turned_away(hub: LocalHub, js: Peer) -> None:
    client = await js.make(CLIENT, "Client", await js.make(CONTEXT, "Context", host(hub)))
    with pytest.raises(PeerError, match="Session or API key required"):
        await client.call("newDB", ThreadID.random())


async def test_another_user_of_the_same_key(js_db: JsDatabase) -> None:
    pair = js_db.pair
    if pair.key is None:
        pytest.skip("whose a thread is, only a hub with accounts knows")
    await js_db.call("newCollection", {"name": "Person", "schema": PERSON})
    other = await pair.js.call(CLIENT, "Client.withKeyInfo", pair.key, pair.host)
    await other.call("getToken", Identity.generate())
    for method, *given in (
        ("getDBInfo",), ("deleteDB",), ("newCollection", {"name": "A", "schema": PERSON}),
        ("deleteCollection", "Person"), ("listCollections",),
    ):  # fmt: skip
        with pytest.raises(PeerError, match=r"^User does not own thread$"):
            await other.call(method, js_db.thread, *given)
    # Instances have rules of their own: validators and filters.
    (id_,) = await other.call("create", js_db.thread, "Person", [person()])
    assert (await js_db.call("findByID", "Person", id_))["firstName"] == "Adam"


async def test_calls_over_http(js_pair: JsPair) -> None:
    """The transport of those who set one; it has no streams of the client's."""
    transport = await js_pair.js.call("@improbable-eng/grpc-web-node-http-transport", "NodeHttpTransport")
    options = await js_pair.threads.get("rpcOptions")
    await options.set("transport", transport)
    await works(js_pair.threads)
    thread = await js_pair.new_db("named")
    await js_pair.threads.call("newCollection", thread, {"name": "Person", "schema": PERSON})
    people = [person(firstName="\u00fc" * 1000, age=number) for number in range(100)]
    await js_pair.threads.call("create", thread, "Person", people)
    found = await js_pair.threads.call("find", thread, "Person", Query([["where", "age"], ["ge", 50]]))
    assert len(found) == 50
    for method, given, text in (
        ("findByID", ["Person", "nobody"], r"^instance not found$"),
        ("find", ["Nope", {}], "collection not found"),
        ("create", ["Person", [person(age="\u00fc")]], "instance doesn't correspond to schema"),
    ):
        with pytest.raises(PeerError, match=text):
            await js_pair.threads.call(method, thread, *given)
