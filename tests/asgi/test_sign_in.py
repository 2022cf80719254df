"""Sign-in over HTTP and websockets, at a real hub."""

from __future__ import annotations

import json
import socket
from datetime import timedelta
from typing import Any

import pytest
from starlette.requests import HTTPConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.asgi.backend import Backend, Made, everybody, in_process, said, signed
from textile_aio import AuthContext, HubClient, Identity, PermissionDenied, PublicKey, UserAuth
from textile_aio.asgi import Grant, UserAuthApp
from textile_aio.localhub import ApiKeyCredentials, LocalHub


async def works(hub: HubClient, auth: dict[str, Any]) -> None:
    """Calls can be made with it."""
    ctx = AuthContext.from_user_auth(UserAuth.from_json(auth))
    thread = await hub.threads.new_db(ctx)
    assert [each.id for each in await hub.users.list_threads(ctx)] == [thread]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_user_auth_without_a_token_is_enough_to_get_one(
    backend: Backend, hub: HubClient, method: str
) -> None:
    answer = await backend.http.request(method, "/api/userauth")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    auth = answer.json()
    assert auth.keys() == {"key", "sig", "msg"}
    ctx = AuthContext.from_user_auth(UserAuth.from_json(auth))
    ctx = await hub.threads.authorize(ctx, Identity.generate())
    assert await hub.users.list_threads(ctx) == []


async def test_a_sign_in_over_http_gives_a_token(backend: Backend, hub: HubClient) -> None:
    answer = await backend.sign_in(Identity.generate())
    assert answer.status_code == 200
    assert answer.json().keys() == {"key", "sig", "msg", "token"}
    await works(hub, answer.json())


async def test_a_sign_in_over_a_websocket_gives_a_token(backend: Backend, hub: HubClient) -> None:
    identity = Identity.generate()
    async with backend.socket(origin=f"http://{backend.address}") as channel:
        await channel.send(json.dumps({"pubkey": str(identity.public), "type": "token"}))
        challenge = await said(channel)
        assert challenge.keys() == {"type", "value"}
        await channel.send(json.dumps(signed(challenge, identity)))
        token = await said(channel)
        assert token["type"] == "token"
        with pytest.raises(ConnectionClosed) as closed:  # JavaScript's example never closes it
            await channel.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1000
    await works(hub, token["value"])


async def test_the_secret_and_the_token_of_others_are_in_no_answer(
    backend: Backend, key: ApiKeyCredentials
) -> None:
    answers = [await backend.sign_in(Identity.generate()) for _ in range(2)]
    assert key.secret
    assert all(key.secret not in answer.text for answer in answers)
    assert answers[0].json()["token"] != answers[1].json()["token"]


async def test_the_backend_decides_by_the_key_that_was_proven(make: Made, serve: Any) -> None:
    friend, asked = Identity.generate(), list[PublicKey | None]()

    async def friends(connection: HTTPConnection, public: PublicKey | None) -> bool:
        asked.append(public)
        return public == friend.public

    backend: Backend = await serve(make(authorize=friends))
    assert (await backend.sign_in(friend)).status_code == 200
    stranger = Identity.generate()
    refused = await backend.sign_in(stranger)
    assert refused.status_code == 403
    assert refused.json()["error"] == "PermissionDenied"
    assert (await backend.http.get("/api/userauth")).status_code == 403
    assert asked == [friend.public, stranger.public, None]
    # Whoever claims to be a friend and cannot prove it is not asked about.
    forged = await backend.post(signed(await backend.challenge(friend), stranger))
    assert forged.status_code == 401
    assert len(asked) == 3
    async with backend.socket() as channel:
        await channel.send(json.dumps({"type": "token", "pubkey": str(stranger.public)}))
        await channel.send(json.dumps(signed(await said(channel), stranger)))
        assert await said(channel) == {"type": "error", "value": "this server gives no credentials for that"}


async def test_a_grant_says_how_long_and_what_else(make: Made, serve: Any) -> None:
    grant = Grant(lifetime=timedelta(minutes=5), members={"thread": "bafk"})
    backend: Backend = await serve(make(authorize=lambda *_: grant, clock=lambda: 1_900_000_000.0))
    auth = (await backend.http.get("/api/userauth")).json()
    assert auth["msg"] == "2030-03-17T17:51:40.000Z"
    assert auth["thread"] == "bafk"


@pytest.mark.parametrize("verdict", [None, 1, "yes", {"lifetime": 5}])
async def test_a_verdict_that_is_none_lets_nobody_in(
    make: Made, serve: Any, verdict: Any, caplog: pytest.LogCaptureFixture
) -> None:
    backend: Backend = await serve(make(authorize=lambda *_: verdict))
    assert (await backend.http.get("/api/userauth")).status_code == 403
    assert f"authorize gave a {type(verdict).__name__}" in caplog.text


async def test_an_error_of_the_backends_own_is_answered(make: Made, serve: Any) -> None:
    def banned(connection: HTTPConnection, public: PublicKey | None) -> bool:
        raise PermissionDenied("come back tomorrow")

    backend: Backend = await serve(make(authorize=banned))
    answer = await backend.http.get("/api/userauth")
    assert (answer.status_code, answer.json()["message"]) == (403, "come back tomorrow")


async def test_a_failure_of_the_backend_is_not_told(make: Made, serve: Any) -> None:
    def broken(connection: HTTPConnection, public: PublicKey | None) -> bool:
        raise RuntimeError("password hunter2")

    backend: Backend = await serve(make(authorize=broken))
    identity = Identity.generate()
    async with backend.socket() as channel:
        await channel.send(json.dumps({"type": "token", "pubkey": str(identity.public)}))
        await channel.send(json.dumps(signed(await said(channel), identity)))
        told = await said(channel)
        assert told["type"] == "error"
        assert "hunter2" not in told["value"]


async def test_a_cookie_is_set_for_pages_of_this_server(make: Made, serve: Any) -> None:
    backend: Backend = await serve(make(cookie="who"))
    await backend.sign_in(Identity.generate())
    (cookie,) = (await backend.sign_in(Identity.generate())).headers.get_list("set-cookie")
    assert cookie.startswith("who=")
    assert {"HttpOnly", "SameSite=strict", "Path=/", "Max-Age=1800"} <= set(cookie.split("; "))
    assert (await backend.http.delete("/api/userauth")).status_code == 204
    assert not backend.http.cookies


async def test_a_cookie_goes_over_tls_only_where_there_is_tls(make: Made) -> None:
    async with make(cookie="who") as app, in_process(app, "https") as http:
        assert "; Secure" in (await http.get("/userauth")).headers["set-cookie"]


async def test_it_serves_by_itself_and_connects_to_a_target(local: LocalHub, key: ApiKeyCredentials) -> None:
    assert key.secret
    app = UserAuthApp(local.target, key.key, key.secret, authorize=everybody)
    for _ in range(2):  # it may be entered again
        async with app, in_process(app) as http:
            identity = Identity.generate()
            first = await http.post("/userauth", json={"type": "token", "pubkey": str(identity.public)})
            done = await http.post("/userauth", json=signed(first.json(), identity))
            assert done.json()["token"]
    async with in_process(app) as http:
        refused = await http.post("/userauth", json={"type": "token", "pubkey": str(identity.public)})
        assert refused.status_code == 503


async def test_the_lifespan_of_a_server_enters_it(local: LocalHub, key: ApiKeyCredentials) -> None:
    assert key.secret
    app = UserAuthApp(local.target, key.key, key.secret, authorize=everybody)
    came = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    states = []

    async def receive() -> Any:
        return next(came)

    async def send(message: Any) -> None:
        states.append((message["type"], repr(app)))

    await app({"type": "lifespan", "state": {}}, receive, send)
    assert states == [
        ("lifespan.startup.complete", "<UserAuthApp, entered>"),
        ("lifespan.shutdown.complete", "<UserAuthApp, not entered>"),
    ]


async def test_a_hub_that_refuses_the_backend_is_not_the_browsers_affair(
    local: LocalHub, key: ApiKeyCredentials, backend: Backend, caplog: pytest.LogCaptureFixture
) -> None:
    assert key.secret
    await local.invalidate_key(key.key)
    answer = await backend.post({"type": "token", "pubkey": str(Identity.generate().public)})
    assert answer.status_code == 502
    assert "key" not in answer.text.lower().replace("remoteerror", "")
    assert "API key not found" in caplog.text
    assert key.key not in caplog.text
    assert key.secret not in caplog.text


async def test_a_hub_that_is_away_is_said_to_be(
    key: ApiKeyCredentials, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        target = f"127.0.0.1:{nobody.getsockname()[1]}"
    assert key.secret
    async with (
        UserAuthApp(target, key.key, key.secret, authorize=everybody, seconds=0.2) as app,
        in_process(app) as http,
    ):
        request = {"type": "token", "pubkey": str(Identity.generate().public)}
        answer = await http.post("/userauth", json=request)
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"
        assert target not in answer.text
        assert (await http.get("/userauth")).status_code == 200  # the hub is not needed for that
    assert "Unavailable" in caplog.text or "DeadlineExceeded" in caplog.text


async def test_pages_of_other_origins_are_refused(make: Made, serve: Any) -> None:
    backend: Backend = await serve(make(origins={"https://App.example.org:443"}))
    for origin in ("https://evil.example", "null", "http://app.example.org"):
        with pytest.raises(InvalidStatus) as refused:
            async with backend.socket(origin=origin):
                pass
        assert refused.value.response.status_code == 403
        answer = await backend.http.get("/api/userauth", headers={"origin": origin})
        assert answer.status_code == 403
    async with backend.socket(origin="https://app.example.org"):
        pass
    async with backend.socket(origin=f"http://{backend.address}"):
        pass
