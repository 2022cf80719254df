"""On whose behalf a web request is made: what the browser presents of its user auth.

Owns where that stands in a request. Taken are the API key, its signature, the identity's token and the
thread, and nothing else that an :class:`~textile_aio.AuthContext` may have: a session and an organisation are
a developer's, and have no place in the requests of users.

Credentials in headers are put there by a page's own script. A cookie is sent by the browser itself, whatever
page caused the request, so it counts only where that page is this server's.
"""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import HTTPConnection

from textile_aio.asgi.origins import is_own_origin
from textile_aio.auth import ApiSig, AuthContext, UserAuth
from textile_aio.errors import AuthExpired, InvalidCredential, PermissionDenied, Unauthenticated

COOKIE: Final = "textile-auth"
"""The cookie's name unless another one is given."""

_SAFE = frozenset({"GET", "HEAD"})
_LONGEST_COOKIE = 4096


def context_of(connection: HTTPConnection) -> AuthContext:
    """The context of a web request, from what the browser sends with it. A dependency for FastAPI as well.

    ::

        @app.get("/threads")
        async def threads(ctx: Annotated[AuthContext, Depends(context_of)]) -> int:
            return len(await hub.users.list_threads(ctx))

    Looked for in the headers that JavaScript contexts give with ``toJSON`` (``x-textile-api-key``,
    ``x-textile-api-sig``, ``x-textile-api-sig-msg``, ``x-textile-thread``, ``authorization: bearer``), then
    in the cookie ``textile-auth`` that :class:`UserAuthApp` sets. The hub judges them when a call is made;
    :meth:`UserAuthApp.context_of` checks the key and its signature here as well.

    A body is not looked at: what came in one as JSON, ``AuthContext.from_user_auth(UserAuth.from_json(…))``
    makes a context of.

    Args:
        connection: A request or websocket of Starlette or FastAPI.

    Raises:
        Unauthenticated: The request brings no credentials.
        InvalidCredential: They are malformed.
        AuthExpired: Their time is over.
        InvalidThreadID: The thread is no thread id.
        PermissionDenied: They are in the cookie, and the page that sends it is another site's.
    """
    return presented(connection, COOKIE).context(time.time())


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """What a request brings, none of it checked by anyone yet."""

    key: str | None
    signature: ApiSig | None
    token: str | None
    thread: str | None = None

    def context(self, now: float) -> AuthContext:
        """The context that all of it makes at ``now``, in seconds since 1970.

        Raises:
            AuthExpired: The signature's time is over.
            InvalidCredential: A value cannot be a header.
            InvalidThreadID: The thread is no thread id.
        """
        if self.signature is not None and self.signature.has_expired(now):
            raise AuthExpired(f"the credentials expired at {self.signature.msg}; sign in again")
        context = AuthContext()
        if self.key is not None:
            context = context.with_api_key(self.key)
        if self.signature is not None:
            context = context.with_signature(self.signature)
        if self.token is not None:
            context = context.with_token(self.token)
        return context if self.thread is None else context.with_thread(self.thread)


def presented(connection: HTTPConnection, cookie: str) -> Presented:
    """What the request brings, in its headers or else in the cookie.

    Raises:
        Unauthenticated: Nothing.
        InvalidCredential: It is malformed.
        PermissionDenied: It is in the cookie, and the page that sends it is another site's.
    """
    headers = connection.headers
    thread = headers.get("x-textile-thread") or None
    key = headers.get("x-textile-api-key") or None
    token = _bearer(headers.get("authorization", ""))
    if key is not None or token is not None:
        return Presented(key=key, signature=_signature(headers), token=token, thread=thread)
    if value := connection.cookies.get(cookie):
        _check_page(connection)
        auth = from_cookie(value)
        return Presented(key=auth.key, signature=auth.signature, token=auth.token, thread=thread)
    raise Unauthenticated("the request brings no credentials; sign in")


def to_cookie(auth: UserAuth) -> str:
    """User auth as the value of a cookie."""
    return base64.urlsafe_b64encode(json.dumps(auth.to_json()).encode()).decode().rstrip("=")


def from_cookie(value: str) -> UserAuth:
    """The user auth in a cookie.

    Raises:
        InvalidCredential: There is none.
    """
    try:
        if len(value) > _LONGEST_COOKIE:
            raise ValueError
        padded = (value + "=" * (-len(value) % 4)).encode("ascii")
        parts: Any = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, RecursionError):
        parts = None
    if not isinstance(parts, dict):
        raise InvalidCredential("the cookie holds no user auth")
    return UserAuth.from_json(parts)


def _signature(headers: Any) -> ApiSig | None:
    signature, message = headers.get("x-textile-api-sig"), headers.get("x-textile-api-sig-msg")
    if not signature and not message:
        return None
    if not signature or not message:
        raise InvalidCredential("x-textile-api-sig and x-textile-api-sig-msg go together")
    return ApiSig(signature, message)


def _bearer(authorization: str) -> str | None:
    scheme, _, token = authorization.partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def _check_page(connection: HTTPConnection) -> None:
    """Refuse what another site's page may have caused.

    Browsers say where a request comes from in ``Sec-Fetch-Site``, older ones only in ``Origin``. Without
    either, reading is allowed: the cookie is not sent across sites, and no page reads another's response.
    """
    site = connection.headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        raise PermissionDenied("the cookie counts only in requests of this server's own pages")
    if connection.headers.get("origin") is not None:
        if not is_own_origin(connection):
            raise PermissionDenied("the cookie counts only in requests of this server's own pages")
    elif site is None and (connection.scope["type"] != "http" or connection.scope["method"] not in _SAFE):
        raise PermissionDenied("a request that changes something says which page it comes from")
