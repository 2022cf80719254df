"""The web framework alone, configured as the gateway's: bytes from memory."""

from __future__ import annotations

import asyncio
import os

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.content import MIB
from benchmarks.process import obey
from textile_aio.localhub.http_server import HttpServer
from textile_aio.localhub.limits import DoorLimits

CONTENT = os.urandom(MIB)


async def whole(request: Request) -> Response:
    return Response(CONTENT)


async def small(request: Request) -> Response:
    return Response(CONTENT[:2000])


async def main() -> None:
    application = Starlette(routes=[Route("/", whole), Route("/small", small)])
    server = HttpServer(application, DoorLimits())
    port = await server.start("127.0.0.1", 0)
    await obey({}, target=f"127.0.0.1:{port}")


if __name__ == "__main__":
    asyncio.run(main())
