"""The application that a backend mounts, so that browsers and apps can sign in.

Owns who gets which answer over HTTP and websockets. The hub is reached, and the exchange held, in
``challenges``; what is said, ``messages`` knows.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from math import ceil
from types import TracebackType
from typing import Final, Self

from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from textile_aio.asgi import messages, sockets
from textile_aio.asgi.challenges import Challenges, TokenSource
from textile_aio.asgi.contexts import COOKIE, presented, to_cookie
from textile_aio.asgi.grants import Authorize, Grant, decide
from textile_aio.asgi.origins import check_origin, normal_origin
from textile_aio.asgi.rates import Places, Rates, client_of
from textile_aio.asgi.refusals import error_response
from textile_aio.auth import AuthContext, UserAuth, create_user_auth
from textile_aio.client import HubClient, connect
from textile_aio.errors import (
    BadSignature,
    ClosedError,
    InvalidInput,
    MessageTooLarge,
    PermissionDenied,
    QuotaExceeded,
    SignatureRequired,
    TextileError,
    Unavailable,
)
from textile_aio.identity import PublicKey

PATH: Final = "/userauth"
"""Where it answers, below the path that it is mounted at."""

_PRIVATE = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


class UserAuthApp:
    """An ASGI application that hands out user auth, to be mounted in a backend. The API secret stays here.

    ::

        def may_sign_in(connection: HTTPConnection, public: PublicKey | None) -> bool:
            return public is not None

        user_auth = UserAuthApp(hub, api_key.key, api_key.secret, authorize=may_sign_in)

        @asynccontextmanager
        async def lifespan(app: Starlette) -> AsyncIterator[None]:
            async with user_auth:
                yield

        app = Starlette(lifespan=lifespan, routes=[Mount("/api", user_auth), Mount("/ws", user_auth)])

    It answers at ``/userauth`` below its mount:

    * ``GET``, and ``POST`` with nothing: user auth without a token, ``{"key", "sig", "msg"}``. Whoever gets
      it can take any identity's token whose private key they have, by ``getToken`` of JavaScript's clients.
    * ``POST`` of ``{"type": "token", "pubkey"}``: a challenge, ``{"type": "challenge", "id", "value"}``; then
      ``POST`` of ``{"type": "challenge", "id", "sig"}``: user auth with the token.
    * A websocket: the same messages without ids, as in JavaScript's example ``hub-browser-auth-app``.
    * ``DELETE``: takes the cookie away.

    A challenge is answered once. Pages of other origins are refused, and so are clients that come too often.
    What goes wrong between here and the hub is logged under ``textile_aio.asgi``, without credentials; a
    browser hears no more than that.

    Enter it with ``async with`` for as long as it serves, again if need be; run by itself, an ASGI server's
    lifespan does. With several worker processes, the two requests of a sign-in over HTTP have to reach the
    same one; a websocket does by nature.
    """

    def __init__(
        self,
        hub: HubClient | str,
        key: str,
        secret: str,
        *,
        authorize: Authorize,
        lifetime: timedelta = timedelta(minutes=30),
        origins: Collection[str] = (),
        cookie: str | None = None,
        seconds: float = 30.0,
        rate: int = 60,
        most: int = 64,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """With an API key of a user group.

        Args:
            hub: The hub: a client, which somebody else enters, or a target as for
                :func:`textile_aio.connect`, to which it then has a connection of its own.
            key: The API key.
            secret: Its secret.
            authorize: Decides for each request. Gets the request or websocket, and the public key whose
                private key its sender has proven to have, None where nothing was proven. It returns whether
                the sender gets user auth, or a :class:`Grant`, or is awaited for one of these; anything else
                refuses. An error of this package that it raises is answered as :func:`error_response` does.
            lifetime: How long credentials last, where a grant does not say.
            origins: Origins of pages other than this server's own that may call, as
                ``https://HOST[:PORT]``. Over HTTP they need CORS headers too, which the backend's middleware
                sets.
            cookie: Name of a cookie that gets the user auth as well: scripts cannot read it, and other sites'
                pages do not send it. By default none is set.
            seconds: How long a sign-in may take, up to the 60 that hubs wait.
            rate: Requests a minute of one client: an address, or 64 bits of one in IPv6.
            most: How many sign-ins may be open at once; of one client, an eighth of them.
            clock: The present time in seconds since 1970.

        Raises:
            InvalidCredential: Key or secret are malformed.
            InvalidInput: Another argument is.
        """
        if isinstance(origins, str):
            raise InvalidInput("origins are a collection of texts, not one")
        if not callable(authorize):
            raise InvalidInput("authorize has to be something to call")
        if lifetime <= timedelta(0) or seconds <= 0 or rate < 1 or most < 1:
            raise InvalidInput("lifetime, seconds, rate and most have to be positive")
        self._given = hub
        self._hub: HubClient | None = None
        self._key = key
        self._secret = secret
        self._ctx = AuthContext(clock=clock).with_api_key(key, secret)
        self._authorize = authorize
        self._lifetime = lifetime
        self._origins = frozenset(map(normal_origin, origins))
        self._cookie = cookie
        self._seconds = seconds
        self._clock = clock
        self._rates = Rates(rate, time.monotonic)
        self._places = Places(most, each=ceil(most / 8))
        self._tokens = TokenSource(self._opened, self._ctx, seconds)
        self._challenges = Challenges(self._tokens, self._places)
        self._exits: AsyncExitStack | None = None
        methods = ["GET", "POST", "DELETE"]
        self._router = Router(
            [Route(PATH, self._http, methods=methods), WebSocketRoute(PATH, self._websocket)],
            lifespan=self._lifespan,
        )

    async def __aenter__(self) -> Self:
        if self._exits is not None:
            raise ClosedError("it is entered already")
        async with AsyncExitStack() as exits:
            given = self._given
            self._hub = await exits.enter_async_context(connect(given)) if isinstance(given, str) else given
            await exits.enter_async_context(self._challenges)
            self._exits = exits.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        exits, self._exits, self._hub = self._exits, None, None
        if exits is not None:
            await exits.__aexit__(kind, error, traceback)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, websocket or lifespan, as ASGI 3 says."""
        await self._router(scope, receive, send)

    def context_of(self, connection: HTTPConnection) -> AuthContext:
        """The context of a request by somebody who got user auth here; a dependency for FastAPI as well.

        As :func:`context_of`, with this application's cookie. Besides, credentials that were not signed with
        its secret, or whose time is over, are turned away without asking the hub. Whether the token is
        genuine, the hub says when it is called.

        Args:
            connection: A request or websocket of Starlette or FastAPI.

        Raises:
            Unauthenticated: The request brings no credentials.
            InvalidCredential: They are malformed.
            SignatureRequired: The key is there without a signature.
            BadSignature: The signature is not one of this application's.
            AuthExpired: Their time is over.
            InvalidThreadID: The thread is no thread id.
            PermissionDenied: They are for another API key; or in the cookie, and the page that sends it is
                another site's.
        """
        brought = presented(connection, self._cookie or COOKIE)
        if brought.key != self._key:
            raise PermissionDenied("the credentials are for another API key than this server's")
        if brought.signature is None:
            raise SignatureRequired("the API key is there without a signature")
        if not brought.signature.matches(self._secret):
            raise BadSignature("the signature is none of this server's")
        return brought.context(self._clock())

    def __repr__(self) -> str:
        return f"<UserAuthApp, {'entered' if self._exits else 'not entered'}>"

    @asynccontextmanager
    async def _lifespan(self, _: object) -> AsyncIterator[None]:
        async with self:
            yield

    def _opened(self) -> HubClient:
        hub = self._given if self._hub is None else self._hub
        if isinstance(hub, str):
            raise ClosedError("enter the UserAuthApp in the lifespan of the application it is mounted in")
        return hub

    async def _http(self, request: Request) -> Response:
        try:
            check_origin(request, self._origins)
            self._rates.count(_client(request))
            if request.method == "DELETE":
                return self._signed_out()
            said = await self._read(request)
            match messages.parse(said) if said else None:
                case None:
                    return self._signed_in(request, *await self._grant(request, None, None))
                case messages.TokenRequest(public):
                    id_, challenge = await self._challenges.ask(public, _client(request))
                    return JSONResponse(messages.challenge(challenge, id_), headers=_PRIVATE)
                case messages.Answer(signature, id_):
                    public, token = await self._challenges.answer(id_, signature)
                    return self._signed_in(request, *await self._grant(request, public, token))
        except TextileError as error:
            response = error_response(request, error)
            if isinstance(error, QuotaExceeded | Unavailable):
                response.headers["retry-after"] = str(ceil(self._rates.pause))
            return response

    async def _read(self, request: Request) -> bytes:
        body = bytearray()
        try:
            async with asyncio.timeout(self._seconds):
                async for piece in request.stream():
                    body += piece
                    if len(body) > messages.LARGEST:
                        raise MessageTooLarge(f"a message has at most {messages.LARGEST} bytes")
        except TimeoutError:
            raise InvalidInput("the message did not arrive in time") from None
        return bytes(body)

    def _signed_in(self, request: Request, auth: UserAuth, grant: Grant) -> Response:
        response = JSONResponse({**grant.members, **auth.to_json()}, headers=_PRIVATE)
        if self._cookie is not None:
            response.set_cookie(
                self._cookie,
                to_cookie(auth),
                max_age=int((grant.lifetime or self._lifetime).total_seconds()),
                secure=request.url.scheme == "https",
                httponly=True,
                samesite="strict",
            )
        return response

    def _signed_out(self) -> Response:
        response = Response(status_code=204, headers=_PRIVATE)
        if self._cookie is not None:
            response.delete_cookie(self._cookie, httponly=True, samesite="strict")
        return response

    async def _grant(
        self, connection: HTTPConnection, public: PublicKey | None, token: str | None
    ) -> tuple[UserAuth, Grant]:
        grant = await decide(self._authorize, connection, public)
        end = datetime.fromtimestamp(self._clock(), UTC) + (grant.lifetime or self._lifetime)
        return create_user_auth(self._key, self._secret, expires=end, token=token), grant

    async def _websocket(self, socket: WebSocket) -> None:
        try:
            check_origin(socket, self._origins)
        except TextileError:
            await socket.close(sockets.POLICY_VIOLATION)  # not accepted: an answer of HTTP with status 403
            return
        await socket.accept()
        async with sockets.answered(socket):
            self._rates.count(_client(socket))
            with self._places.one(_client(socket)):
                public, token = await sockets.sign_in(socket, self._tokens, self._seconds)
            auth, grant = await self._grant(socket, public, token)
            await socket.send_json(messages.token({**grant.members, **auth.to_json()}))
            await socket.close()


def _client(connection: HTTPConnection) -> str:
    return client_of(connection.client.host if connection.client else None)
