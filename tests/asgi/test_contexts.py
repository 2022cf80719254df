"""On whose behalf a web request is made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

import fastapi
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import HTTPConnection

from tests.asgi.backend import Backend, Made, everybody
from textile_aio import (
    AuthContext,
    AuthExpired,
    BadSignature,
    HubClient,
    Identity,
    InvalidCredential,
    InvalidThreadID,
    PermissionDenied,
    SignatureRequired,
    TextileError,
    ThreadID,
    Unauthenticated,
    UserAuth,
    create_user_auth,
)
from textile_aio.asgi import UserAuthApp, context_of, error_response
from textile_aio.asgi.contexts import from_cookie, to_cookie

KEY, SECRET = "baaaqeayeaudaocajbifqydiob4", "baaaqeayeaudaocajbifqydiob4ibceqtcqkrmfy"
AUTH = create_user_auth(KEY, SECRET, token="a.b.c")
THREAD = ThreadID.random()
APP = UserAuthApp("127.0.0.1:1", KEY, SECRET, authorize=everybody, cookie="textile-auth")


def request(headers: Mapping[str, str], *, method: str = "GET", kind: str = "http") -> HTTPConnection:
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    return HTTPConnection({"type": kind, "method": method, "headers": raw})


def headers(auth: UserAuth = AUTH) -> dict[str, str]:
    return AuthContext.from_user_auth(auth).to_json()


def cookie(auth: UserAuth = AUTH) -> dict[str, str]:
    return {"cookie": f"other=1; textile-auth={to_cookie(auth)}"}


@pytest.mark.parametrize("of", [context_of, APP.context_of])
def test_what_a_javascript_context_sends_is_read(of: Any) -> None:
    ctx = AuthContext.from_user_auth(AUTH)
    assert of(request(headers())) == of(request(cookie())) == ctx
    assert of(request({**headers(), "x-textile-thread": str(THREAD)})) == ctx.with_thread(THREAD)
    assert of(request({**cookie(), "x-textile-thread": str(THREAD)})) == ctx.with_thread(THREAD)


def test_a_token_alone_and_a_key_alone_are_left_to_the_hub() -> None:
    assert context_of(request({"authorization": "Bearer x"})) == AuthContext().with_token("x")
    assert context_of(request({"x-textile-api-key": KEY})) == AuthContext().with_api_key(KEY)


def test_a_developers_credentials_are_not_taken_from_a_request() -> None:
    developer = {"x-textile-session": "s", "x-textile-org": "o", "x-textile-thread-name": "n", "x-other": "x"}
    assert context_of(request({**headers(), **developer})) == AuthContext.from_user_auth(AUTH)
    with pytest.raises(Unauthenticated):
        context_of(request(developer))


def test_headers_come_before_the_cookie() -> None:
    other = create_user_auth(KEY, SECRET, token="d.e.f")
    assert context_of(request({**headers(other), **cookie()})).token == "d.e.f"


@pytest.mark.parametrize(
    "brought", [{}, {"authorization": "Basic eDp5"}, {"authorization": "bearer "}, {"cookie": "a=b"}]
)
def test_a_request_without_credentials(brought: dict[str, str]) -> None:
    with pytest.raises(Unauthenticated, match="sign in"):
        context_of(request(brought))


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"x-textile-api-sig": ""}, InvalidCredential),
        ({"x-textile-api-sig-msg": ""}, InvalidCredential),
        ({"x-textile-api-sig-msg": "tomorrow"}, InvalidCredential),
        ({"x-textile-api-key": "\xfc"}, InvalidCredential),
        ({"authorization": "bearer \x7f"}, InvalidCredential),
        ({"x-textile-thread": "bafk"}, InvalidThreadID),
        ({"x-textile-api-sig-msg": "2020-01-01T00:00:00Z"}, AuthExpired),
    ],
)
def test_malformed_and_expired_headers_are_refused(change: dict[str, str], error: type[Exception]) -> None:
    with pytest.raises(error):
        context_of(request(headers() | change))


@pytest.mark.parametrize(
    "value", ["x", "e30", "W10", "bnVsbA", "!!!!", "\xfc", "A" * 5000, "W1tb" * 1000, to_cookie(AUTH)[:-9]]
)
def test_a_cookie_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(InvalidCredential):
        from_cookie(value)


@given(st.text(max_size=100))
def test_noise_in_the_cookie_is_refused(value: str) -> None:
    with pytest.raises(InvalidCredential):
        from_cookie(value)


@pytest.mark.parametrize(
    ("page", "method", "kind", "counts"),
    [
        ({}, "GET", "http", True),
        ({}, "HEAD", "http", True),
        ({}, "POST", "http", False),
        ({}, "GET", "websocket", False),
        ({"origin": "https://example.org"}, "POST", "http", True),
        ({"origin": "https://example.org"}, "GET", "websocket", True),
        ({"origin": "https://evil.net"}, "POST", "http", False),
        ({"origin": "https://evil.net"}, "GET", "http", False),
        ({"origin": "https://evil.net"}, "GET", "websocket", False),
        ({"origin": "null"}, "POST", "http", False),
        ({"sec-fetch-site": "same-origin"}, "POST", "http", True),
        ({"sec-fetch-site": "none"}, "GET", "http", True),
        ({"sec-fetch-site": "same-site"}, "GET", "http", False),
        ({"sec-fetch-site": "cross-site"}, "GET", "http", False),
        ({"sec-fetch-site": "same-origin", "origin": "https://evil.net"}, "POST", "http", False),
    ],
)
def test_a_cookie_counts_for_this_servers_own_pages(
    page: dict[str, str], method: str, kind: str, counts: bool
) -> None:
    sent = request({"host": "example.org", **cookie(), **page}, method=method, kind=kind)
    if counts:
        assert context_of(sent).token == "a.b.c"
    else:
        with pytest.raises(PermissionDenied):
            context_of(sent)


def test_the_application_turns_away_what_it_has_not_signed() -> None:
    forged = create_user_auth(KEY, "bvygwm3lpwq4pzn7w3kpcx3kh4e3w2yo5lhqtbiq", token="a.b.c")
    other = create_user_auth("baaaqeayeaudaocajbifqydiob5", SECRET, token="a.b.c")
    for brought in (headers, cookie):
        with pytest.raises(BadSignature):
            APP.context_of(request(brought(forged)))
        with pytest.raises(PermissionDenied):
            APP.context_of(request(brought(other)))
    with pytest.raises(SignatureRequired):
        APP.context_of(request({"x-textile-api-key": KEY, "authorization": "bearer a.b.c"}))
    with pytest.raises(PermissionDenied):
        APP.context_of(request({"authorization": "bearer a.b.c"}))


def test_credentials_end(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1_900_000_000.0]
    app = UserAuthApp("127.0.0.1:1", KEY, SECRET, authorize=everybody, clock=lambda: now[0])
    auth = create_user_auth(KEY, SECRET, clock=lambda: now[0])
    assert app.context_of(request({**headers(auth)})).api_key == KEY
    now[0] += 30 * 60
    with pytest.raises(AuthExpired):
        app.context_of(request(headers(auth)))


async def test_a_request_with_what_was_handed_out_reaches_the_hub(make: Made, serve: Any) -> None:
    backend: Backend = await serve(make(cookie="textile-auth"))
    auth = (await backend.sign_in(Identity.generate())).json()
    for path in ("/threads", "/unchecked"):
        assert (await backend.http.get(path)).json() == []  # with the cookie
        own = {"origin": f"http://{backend.address}"}
        assert (await backend.http.post(path, headers=own)).status_code == 200
        assert (await backend.http.post(path, headers={"origin": "https://evil.net"})).status_code == 403
        backend.http.cookies.clear()
        assert (await backend.http.get(path)).status_code == 401
        sent = AuthContext.from_user_auth(UserAuth.from_json(auth)).to_json(host=f"http://{backend.address}")
        del sent["host"]
        assert (await backend.http.post(path, headers=sent)).json() == []
        forged = sent | {"x-textile-api-sig": "b" + "a" * 52}
        assert (await backend.http.get(path, headers=forged)).status_code == 401
        await backend.sign_in(Identity.generate())


async def test_it_is_a_dependency_for_fastapi(make: Made, hub: HubClient) -> None:
    user_auth = make()
    app = fastapi.FastAPI()
    app.mount("/api", user_auth)
    app.add_exception_handler(TextileError, error_response)

    @app.get("/threads")
    async def threads(ctx: AuthContext = fastapi.Depends(user_auth.context_of)) -> list[str]:  # noqa: B008
        return [str(each.id) for each in await hub.users.list_threads(ctx)]

    @app.get("/token")
    async def token(ctx: Annotated[AuthContext, fastapi.Depends(context_of)]) -> bool:
        return bool(ctx.token)

    schema = app.openapi()
    assert [each.get("parameters", []) for path in schema["paths"].values() for each in path.values()] == [
        [],
        [],
    ]
    auth = create_user_auth(*_key(user_auth), token=await _token(hub, user_auth))
    sent = headers(auth) | {"host": "example.org"}
    transport = httpx.ASGITransport(app)
    async with user_auth, httpx.AsyncClient(transport=transport, base_url="http://example.org") as http:
        assert (await http.get("/threads", headers=sent)).json() == []
        assert (await http.get("/token", headers=sent)).json() is True
        refused = await http.get("/threads")
        assert (refused.status_code, refused.json()["error"]) == (401, "Unauthenticated")
        assert json.loads(refused.content)["message"] == "the request brings no credentials; sign in"


def _key(app: UserAuthApp) -> tuple[str, str]:
    return app._key, app._secret


async def _token(hub: HubClient, app: UserAuthApp) -> str:
    return await hub.threads.get_token(AuthContext().with_api_key(*_key(app)), Identity.generate())
