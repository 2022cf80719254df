"""Forged, late, replayed, oversized, malformed and too many: each is refused, and nothing is left of it."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.asgi.backend import Backend, Made, in_process, said, signed
from textile_aio import Identity, PublicKey
from textile_aio.asgi import UserAuthApp
from textile_aio.localhub import ApiKeyCredentials


async def ended(app: UserAuthApp) -> None:
    """Wait until no exchange is open."""
    while app._challenges._tasks:
        await asyncio.wait(set(app._challenges._tasks))
    assert not app._challenges._open


def request(identity: Identity) -> dict[str, str]:
    return {"type": "token", "pubkey": str(identity.public)}


async def test_a_forged_signature_over_http(backend: Backend) -> None:
    identity = Identity.generate()
    challenge = await backend.challenge(identity)
    answer = await backend.post(signed(challenge, Identity.generate()))
    assert (answer.status_code, answer.json()["error"]) == (401, "BadSignature")
    # It was the one attempt.
    again = await backend.post(signed(challenge, identity))
    assert (again.status_code, again.json()["error"]) == (401, "Unauthenticated")
    await ended(backend.app)


async def test_a_forged_signature_over_a_websocket(backend: Backend) -> None:
    identity = Identity.generate()
    async with backend.socket() as socket:
        await socket.send(json.dumps(request(identity)))
        await socket.send(json.dumps(signed(await said(socket), Identity.generate())))
        assert (await said(socket))["value"].startswith("the signature does not verify")
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008
    assert backend.app._places.taken == 0


async def test_a_replayed_answer(backend: Backend) -> None:
    identity = Identity.generate()
    answer = signed(await backend.challenge(identity), identity)
    at_once = await asyncio.gather(*(backend.post(answer) for _ in range(5)))
    assert sorted(each.status_code for each in at_once) == [200, 401, 401, 401, 401]
    assert (await backend.post(answer)).status_code == 401
    await ended(backend.app)


async def test_an_answer_to_another_challenge(backend: Backend) -> None:
    identity = Identity.generate()
    first, second = await backend.challenge(identity), await backend.challenge(identity)
    assert first["value"] != second["value"]
    crossed = {**signed(first, identity), "id": second["id"]}
    assert (await backend.post(crossed)).json()["error"] == "BadSignature"
    assert (await backend.post(signed(first, identity))).status_code == 200


@pytest.mark.parametrize("id_", ["", "x", "A" * 22, None])
async def test_an_answer_to_no_challenge(backend: Backend, id_: str | None) -> None:
    answer: dict[str, Any] = {"type": "challenge", "sig": [0] * 64, "id": id_}
    if id_ is None:
        del answer["id"]
    assert (await backend.post(answer)).status_code in (400, 401)


async def test_an_answer_that_comes_too_late(make: Made, serve: Any) -> None:
    backend: Backend = await serve(make(seconds=1.5))
    identity = Identity.generate()

    async def over_http() -> None:
        challenge = await backend.challenge(identity)
        await ended(backend.app)
        late = await backend.post(signed(challenge, identity))
        assert (late.status_code, late.json()["error"]) == (401, "Unauthenticated")

    async def over_a_websocket() -> None:
        async with backend.socket() as socket:
            await socket.send(json.dumps(request(identity)))
            await said(socket)
            assert (await said(socket))["value"].startswith("the challenge was not answered in time")

    async def without_a_word() -> None:
        async with backend.socket() as socket:
            assert (await said(socket))["value"] == "nobody said who is signing in"

    async with asyncio.TaskGroup() as group:
        for act in (over_http, over_a_websocket, without_a_word):
            group.create_task(act())
    assert backend.app._places.taken == 0


@pytest.mark.parametrize("size", [4097, 100_000])
async def test_an_oversized_message(backend: Backend, size: int) -> None:
    answer = await backend.http.post("/api/userauth", content=b" " * size)
    assert answer.status_code == 413
    async with backend.socket() as socket:
        await socket.send("x" * size)
        assert (await said(socket))["value"] == "a message has at most 4096 bytes"


@pytest.mark.parametrize("noise", ["", "{", "[]", "\x00", '{"type": "token"}', "[" * 4000])
async def test_noise(backend: Backend, noise: str) -> None:
    answer = await backend.http.post("/api/userauth", content=noise.encode() or b"\n")
    assert answer.status_code == 400
    for message in (noise, noise.encode()):
        async with backend.socket() as socket:
            await socket.send(message)
            assert (await said(socket))["type"] == "error"


async def test_messages_out_of_turn(backend: Backend) -> None:
    identity = Identity.generate()
    async with backend.socket() as socket:
        await socket.send(json.dumps({"type": "challenge", "sig": [0] * 64}))
        assert (await said(socket))["value"] == "the first message has the type 'token'"
    async with backend.socket() as socket:
        await socket.send(json.dumps(request(identity)))
        await said(socket)
        await socket.send(json.dumps(request(identity)))
        assert (await said(socket))["value"] == "the answer to a challenge has the type 'challenge'"
    assert (await backend.http.put("/api/userauth")).status_code == 405
    assert (await backend.http.get("/api/elsewhere")).status_code == 404


async def test_a_browser_that_leaves_in_the_middle(
    make: Made, serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = asyncio.Event()
    app = make()
    get = app._tokens.get

    async def observed(public: PublicKey, ask: Any) -> str:
        try:
            return await get(public, ask)
        finally:
            gone.set()

    monkeypatch.setattr(app._tokens, "get", observed)
    backend: Backend = await serve(app)
    async with backend.socket() as socket:
        await socket.send(json.dumps(request(Identity.generate())))
        await said(socket)
        assert app._places.taken == 1
    await gone.wait()
    await asyncio.sleep(0)
    assert app._places.taken == 0


async def test_a_flood_of_one_client_is_cut_off(make: Made, serve: Any) -> None:
    app = make(rate=20)
    app._rates._clock = lambda: 0.0
    backend: Backend = await serve(app)
    answers = await asyncio.gather(*(backend.http.get("/api/userauth") for _ in range(60)))
    statuses = [each.status_code for each in answers]
    assert (statuses.count(200), statuses.count(429)) == (20, 40)
    assert answers[-1].headers["retry-after"] == "3"
    async with backend.socket() as socket:
        assert (await said(socket))["value"] == "at most 20 requests a minute are answered"


async def test_those_who_never_answer_take_few_places(make: Made, serve: Any) -> None:
    backend: Backend = await serve(make(most=16, rate=1000))
    identity = Identity.generate()
    opened = [await backend.post(request(identity)) for _ in range(4)]
    assert [each.status_code for each in opened] == [200, 200, 429, 429]
    async with backend.socket() as socket:
        assert (await said(socket))["value"] == "at most 2 challenges wait for one client's answers"
    done = await backend.post(signed(opened[0].json(), identity))
    assert done.status_code == 200
    assert (await backend.post(request(identity))).status_code == 200


async def test_all_together_take_a_limited_number_of_places(make: Made) -> None:
    async with make(most=3) as app:
        statuses = []
        for number in range(5):
            scope_host = f"192.0.2.{number}"
            async with in_process(app, client=scope_host) as http:
                statuses.append((await http.post("/userauth", json=request(Identity.generate()))).status_code)
        assert statuses == [200, 200, 200, 503, 503]
    assert app._places.taken == 0  # leaving it ends them


async def test_leaving_answers_those_who_wait(make: Made) -> None:
    async with make() as app, in_process(app) as http:
        identity = Identity.generate()
        first = await http.post("/userauth", json=request(identity))
        assert first.status_code == 200
        exchange = app._challenges._open[first.json()["id"]]
        await app.__aexit__(None, None, None)
        assert (await exchange.outcome).__class__.__name__ == "ClosedError"
        assert (await http.post("/userauth", json=signed(first.json(), identity))).status_code == 401


async def test_no_credential_is_in_a_log_or_a_repr(
    make: Made, serve: Any, key: ApiKeyCredentials, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "textile_aio")
    identity = Identity.generate()
    backend: Backend = await serve(make(cookie="who"))
    auth = (await backend.sign_in(identity)).json()
    await backend.post(signed(await backend.challenge(identity), Identity.generate()))
    await backend.http.get("/threads", headers={"x-textile-api-key": key.key, "x-textile-api-sig": "b"})
    async with backend.socket() as socket:
        await socket.send(json.dumps(request(identity)))
        await socket.send(json.dumps(signed(await said(socket), identity)))
        other = (await said(socket))["value"]
    told = "\n".join(f"{each.name} {each.getMessage()}" for each in caplog.records)
    ours = "\n".join(line for line in told.splitlines() if line.startswith(("textile_aio", "uvicorn")))
    ours += repr(backend.app)
    for secret in (key.secret, key.key, auth["token"], auth["sig"], other["token"]):
        assert secret
        assert secret not in ours
