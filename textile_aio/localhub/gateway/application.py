"""The way of a request: rate, method, target, answer; and an error page for whatever goes wrong."""

from __future__ import annotations

import logging
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from textile_aio.errors import TextileError
from textile_aio.localhub.gateway import pages
from textile_aio.localhub.gateway.answers import Body
from textile_aio.localhub.gateway.content import File, Files
from textile_aio.localhub.gateway.rate import RateLimit
from textile_aio.localhub.gateway.routes import Refused, Routes, Visit
from textile_aio.localhub.gateway.target import BadTarget, parse
from textile_aio.storage.blocks import Blocks, Reading
from textile_aio.storage.store import StoreError

_log = logging.getLogger(__name__)

_METHODS = "GET, HEAD, OPTIONS"


class Application:
    """The gateway as an ASGI application.

    Args:
        routes: Find answers.
        blocks: What is being read is pinned in.
        verify: From a token to the public key text of its identity; raises :class:`InvalidToken`.
        limit: Of requests; None for none.
    """

    def __init__(
        self, routes: Routes, blocks: Blocks, verify: Callable[[str], str], limit: RateLimit | None
    ) -> None:
        self._routes = routes
        self._blocks = blocks
        self._verify = verify
        self._limit = limit
        self._files = Files()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        answer: Body | File
        if self._limit is not None and not self._limit.admits():
            answer = Body(status=429, extra=(("retry-after", "1"),))
        elif scope["method"] == "OPTIONS":
            answer = Body(status=204, extra=(("allow", _METHODS),))
        elif scope["method"] not in ("GET", "HEAD"):
            answer = Body(status=405, extra=(("allow", _METHODS),))
        else:
            async with self._blocks.reading() as reading:
                await self._read(scope, receive, send, reading)
            return
        await answer(scope, receive, send)

    async def _read(self, scope: Scope, receive: Receive, send: Send, reading: Reading) -> None:
        try:
            answer = await self._routes.answer(self._visit(scope, reading))
            if isinstance(answer, File):
                await self._files.answer(answer, scope, receive, send)
                return
        except BadTarget as error:
            answer = pages.error(400, str(error))
        except Refused as refused:
            answer = pages.error(refused.status, refused.text) if refused.text else pages.not_found()
        except (TextileError, StoreError) as error:
            _log.error("a request failed: %s", error)
            answer = pages.error(500, "the hub could not read it")
        await answer(scope, receive, send)

    def _visit(self, scope: Scope, reading: Reading) -> Visit:
        headers = Headers(scope=scope)
        target = parse(scope["raw_path"], scope["query_string"], headers.get("host", ""))
        token = target.query.get("token", "")
        if not token:
            scheme, _, rest = headers.get("authorization", "").partition(" ")
            token = rest.strip() if scheme.lower() == "bearer" else ""
        return Visit(target, token, self._verify, reading, scope["method"])
