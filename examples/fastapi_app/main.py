"""Shelf: a small web application in which everybody has a bucket and a collection of their own.

    python examples/fastapi_app/main.py [--port 8000] [--data DIRECTORY]

Puts the parts together: a hub, the sign-in, the API, the pages. What users have on their shelves is in
``shelf``, the API over it in ``api``, the hub and the application's key in ``place``.
"""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from api import router
from fastapi import FastAPI, Response
from fastapi.staticfiles import StaticFiles
from place import opened
from starlette.requests import HTTPConnection
from starlette.types import Scope

import textile_aio
from textile_aio import PublicKey, TextileError
from textile_aio.asgi import UserAuthApp, error_response

HERE = Path(__file__).parent
POLICY = "default-src 'self'; img-src 'self' data: blob:; frame-ancestors 'none'; base-uri 'none'"


class Pages(StaticFiles):
    """The page and what belongs to it: no script runs there but its own."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update({"content-security-policy": POLICY, "cache-control": "no-cache"})
        return response


def create_app(data: Path = HERE / "data") -> FastAPI:
    """The application; what it needs is opened when it starts, and closed when it ends."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with (
            opened(data) as place,
            textile_aio.connect(place.target) as hub,
            UserAuthApp(hub, place.key, place.secret, authorize=may_sign_in, cookie="shelf") as user_auth,
        ):
            app.state.hub, app.state.user_auth = hub, user_auth
            app.mount("/auth", user_auth)
            app.mount("/", Pages(directory=HERE / "static", html=True))
            yield

    app = FastAPI(title="Shelf", lifespan=lifespan)
    app.add_exception_handler(TextileError, error_response)
    app.include_router(router)
    return app


def may_sign_in(connection: HTTPConnection, public: PublicKey | None) -> bool:
    """Everybody who has proven to have a key; here is where an invitation or a ban would be looked up."""
    return public is not None


def main() -> None:
    parser = argparse.ArgumentParser(description="Everybody has a shelf of their own: notes and files.")
    parser.add_argument("--port", type=int, default=8000, help="where to serve; 0 for a free one")
    parser.add_argument("--data", type=Path, default=HERE / "data", help="where the hub keeps everything")
    arguments = parser.parse_args()
    app = create_app(arguments.data)
    # Live updates last as long as their pages are open: the end does not wait for them.
    uvicorn.run(app, port=arguments.port, timeout_graceful_shutdown=1, access_log=False)


if __name__ == "__main__":
    main()
