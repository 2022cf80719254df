"""The port that gRPC-web comes in by.

Owns which calls are let in, and how those in flight end. Refuses to know services: they come as `Routes`,
the very object that gRPC serves.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from grpclib.const import Status
from grpclib.exceptions import GRPCError
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from textile_aio._rpc.listening import TlsSource
from textile_aio.localhub.http_server import HttpServer
from textile_aio.localhub.limits import DoorLimits
from textile_aio.localhub.routes import Routes
from textile_aio.localhub.tls import HTTP
from textile_aio.localhub.web.call import WebCall, Wire
from textile_aio.localhub.web.frames import RequestHeaders, trailers
from textile_aio.localhub.web.posts import PostWire
from textile_aio.localhub.web.sockets import SUBPROTOCOL, PatientProtocol, SocketWire

ROOM = 4
"""How many times the limit of a gRPC message a websocket message may be. Up to there, one over the limit is
refused with a status; beyond, its socket is closed."""

PING_INTERVAL = 20.0
"""Seconds between pings, which keep idle listeners' ways open, and for an answer to come."""

_EXPOSED = ("grpc-status", "grpc-message", "textile-aio-position")
_PREFLIGHT_SECONDS = 600
_LINGER = 2.0


class WebDoor:
    """A web server that listens once it is started.

    Args:
        routes: The services.
        origins: Web origins whose pages may call; None for all. Programs that are no browser send none, and
            may.
        limits: What strangers may ask of it.
        ping_interval: Seconds.
    """

    alpn = HTTP

    def __init__(
        self,
        routes: Routes,
        *,
        origins: Sequence[str] | None,
        limits: DoorLimits,
        ping_interval: float = PING_INTERVAL,
    ) -> None:
        self._routes = routes
        self._limits = limits
        self._origins = None if origins is None else frozenset(origins)
        self._calls: set[WebCall] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._draining = False
        application = CORSMiddleware(
            self._serve,
            allow_origins=["*"] if origins is None else origins,
            allow_methods=["POST"],
            allow_headers=["*"],
            allow_credentials=True,
            expose_headers=_EXPOSED,
            max_age=_PREFLIGHT_SECONDS,
        )
        self._server = HttpServer(
            application,
            limits,
            websockets={
                "ws": PatientProtocol,
                "ws_max_size": ROOM * limits.message,
                "ws_ping_interval": ping_interval,
                "ws_ping_timeout": ping_interval,
                "ws_per_message_deflate": False,
            },
        )

    @property
    def port(self) -> int:
        """TCP port it listens on; 0 before it is started."""
        return self._server.port

    async def start(self, host: str, port: int, *, tls: TlsSource | None = None) -> int:
        """Listen, and return the port. See :meth:`HttpServer.start`."""
        return await self._server.start(host, port, tls=tls)

    async def shutdown(self, *, grace: float) -> None:
        """Stop listening, let calls finish, then end what is left with UNAVAILABLE.

        Args:
            grace: Seconds for calls in flight.
        """
        self._draining = True

        async def drain() -> None:
            await self._idle_within(grace)
            for call in self._calls:
                call.stop(_closing())
            await self._idle_within(_LINGER)

        await self._server.shutdown(drain)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._socket(WebSocket(scope, receive, send))
        else:
            await self._post(scope, receive, send)

    async def _socket(self, socket: WebSocket) -> None:
        if not self._welcome(socket.headers.get("origin")):
            await socket.send_denial_response(PlainTextResponse("this origin may not call", 403))
            return
        offered = [each for each in socket.scope["subprotocols"] if each.lower() == SUBPROTOCOL]
        if not offered:
            await socket.send_denial_response(PlainTextResponse(f"the subprotocol is {SUBPROTOCOL}", 400))
            return
        await socket.accept(subprotocol=offered[0])
        wire = SocketWire(socket)
        try:
            headers = await self._headers(wire)
        except GRPCError as error:
            await wire.finish(trailers(error))
            return
        if headers is not None:
            await self._call(socket.url.path, headers, wire)

    async def _headers(self, wire: SocketWire) -> RequestHeaders | None:
        seconds = self._limits.head_seconds
        try:
            async with asyncio.timeout(seconds):
                return await wire.headers(self._limits.headers)
        except TimeoutError:
            raise GRPCError(
                Status.DEADLINE_EXCEEDED,
                f"no request headers within {seconds:g} s of its opening",
            ) from None

    async def _post(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not PostWire.fits(scope):
            await Response()(scope, receive, send)
            return
        wire = PostWire(scope, receive, send)
        if not self._welcome(dict(wire.pairs).get("origin")):
            await PlainTextResponse("this origin may not call", 403)(scope, receive, send)
            return
        try:
            headers = RequestHeaders.of(wire.pairs)
        except GRPCError as error:
            await wire.finish(trailers(error))
            return
        await self._call(scope["path"], headers, wire)

    async def _call(self, path: str, headers: RequestHeaders, wire: Wire) -> None:
        try:
            if self._draining:
                raise _closing()
            route = self._routes.find(path)
        except GRPCError as error:
            await wire.finish(trailers(error))
            return
        call = WebCall(self._routes, route, headers, wire, max_message=self._limits.message)
        self._calls.add(call)
        self._idle.clear()
        try:
            await call.serve()
        finally:
            self._calls.discard(call)
            if not self._calls:
                self._idle.set()

    async def _idle_within(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._idle.wait()

    def _welcome(self, origin: str | None) -> bool:
        return self._origins is None or origin is None or origin in self._origins


def _closing() -> GRPCError:
    return GRPCError(Status.UNAVAILABLE, "the hub is closing")
