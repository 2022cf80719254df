"""A backend on a real socket, and a browser's side of a sign-in in Python."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route
from websockets.asyncio.client import ClientConnection, connect

from tests.webserver import served
from textile_aio import HubClient, Identity, PublicKey, TextileError
from textile_aio.asgi import UserAuthApp, context_of, error_response

Made = Callable[..., UserAuthApp]


def everybody(connection: HTTPConnection, public: PublicKey | None) -> bool:
    """Decides as JavaScript's example does."""
    return True


@dataclass(frozen=True)
class Backend:
    """A backend that serves.

    Attributes:
        address: ``HOST:PORT``.
        http: A client of it, with its address as base; the application is mounted at ``/api`` and ``/ws``.
        app: The application.
    """

    address: str
    http: httpx.AsyncClient
    app: UserAuthApp

    @asynccontextmanager
    async def socket(self, **options: Any) -> AsyncIterator[ClientConnection]:
        """A websocket where JavaScript's example looks for one."""
        async with connect(f"ws://{self.address}/ws/userauth", **options) as socket:
            yield socket

    async def post(self, message: Mapping[str, Any], **options: Any) -> httpx.Response:
        """A message over HTTP."""
        return await self.http.post("/api/userauth", json=message, **options)

    async def challenge(self, identity: Identity) -> dict[str, Any]:
        """The first half of a sign-in over HTTP."""
        answer = await self.post({"type": "token", "pubkey": str(identity.public)})
        assert answer.status_code == 200, answer.text
        challenge: dict[str, Any] = answer.json()
        return challenge

    async def sign_in(self, identity: Identity) -> httpx.Response:
        """All of it."""
        return await self.post(signed(await self.challenge(identity), identity))


def signed(challenge: Mapping[str, Any], identity: Identity) -> dict[str, Any]:
    """A challenge's answer, of HTTP or a websocket."""
    data = list(identity.sign(bytes(challenge["value"]["data"])))
    answer = {"type": "challenge", "sig": {"type": "Buffer", "data": data}}
    return answer | {"id": challenge["id"]} if "id" in challenge else answer


async def said(socket: ClientConnection) -> dict[str, Any]:
    """The next message."""
    message: dict[str, Any] = json.loads(await socket.recv())
    return message


@asynccontextmanager
async def serving(app: UserAuthApp, hub: HubClient) -> AsyncIterator[Backend]:
    """A backend with the application in it, entered, and a page that lists the caller's threads."""

    async def threads(request: Request) -> JSONResponse:
        ctx = app.context_of(request) if request.url.path == "/threads" else context_of(request)
        return JSONResponse([str(each.id) for each in await hub.users.list_threads(ctx)])

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with app:
            yield

    every = ["GET", "POST"]
    backend = Starlette(
        lifespan=lifespan,
        routes=[
            Mount("/api", app),
            Mount("/ws", app),
            Route("/threads", threads, methods=every),
            Route("/unchecked", threads, methods=every),
        ],
        exception_handlers={TextileError: error_response},
    )
    async with served(backend) as address, httpx.AsyncClient(base_url=f"http://{address}") as http:
        yield Backend(address, http, app)


@asynccontextmanager
async def in_process(
    app: UserAuthApp, scheme: str = "http", client: str = "192.0.2.1"
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application alone, without a socket."""
    transport = httpx.ASGITransport(app, client=(client, 1))
    async with httpx.AsyncClient(transport=transport, base_url=f"{scheme}://example.org") as http:
        yield http
