"""gRPC-web over HTTP POST, binary or as base64 text (spec: gateway-and-web §B4).

Owns the order of things in a request and its response. Refuses to know services.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping

from starlette.types import Receive, Scope, Send

from textile_aio.localhub.web.frames import CONTENT_TYPE, TextDecoder, header_frame
from textile_aio.localhub.web.inbound import Inbound

_BINARY = "application/grpc-web"
_TEXT = "application/grpc-web-text"
_TYPE = re.compile(r"[a-z0-9+./-]+")


class PostWire:
    """One POST request."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._pairs: list[tuple[str, str]] = [
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]
        ]
        asked = dict(self._pairs).get("content-type", "")
        # The response has the type of the request, as far as that is one.
        self._content_type: str = asked if _TYPE.fullmatch(asked) else CONTENT_TYPE
        self._text = TextDecoder() if asked.startswith(_TEXT) else None
        self._begun = False
        client = scope.get("client")
        self.address: str = client[0] if client else ""

    @staticmethod
    def fits(scope: Scope) -> bool:
        """Whether a request is one of gRPC-web."""
        content_type: bytes = dict(scope["headers"]).get(b"content-type", b"")
        return scope["method"] == "POST" and content_type.startswith(_BINARY.encode())

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The request's headers."""
        return self._pairs

    async def pump(self, inbound: Inbound) -> None:
        """See :class:`~textile_aio.localhub.web.call.Wire`."""
        while True:
            event = await self._receive()
            if event["type"] == "http.disconnect":
                return
            body: bytes = event.get("body", b"")
            inbound.add(body if self._text is None else self._text.feed(body))
            if not event.get("more_body", False):
                if self._text is not None:
                    self._text.end()
                inbound.end()
            await inbound.room()

    async def begin(self, headers: Mapping[str, str]) -> None:
        """See :class:`~textile_aio.localhub.web.call.Wire`."""
        self._begun = True
        pairs = [("content-type", self._content_type), *headers.items()]
        await self._send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(name.encode("ascii"), value.encode("ascii")) for name, value in pairs],
            }
        )

    async def send(self, frame: bytes) -> None:
        """See :class:`~textile_aio.localhub.web.call.Wire`."""
        if not self._begun:
            await self.begin({})
        await self._body(frame, more=True)

    async def finish(self, fields: Mapping[str, str]) -> None:
        """See :class:`~textile_aio.localhub.web.call.Wire`. Without a body the trailers are headers."""
        if self._begun:
            await self._body(header_frame(fields), more=False)
            return
        await self.begin(fields)
        await self._body(b"", more=False)

    async def _body(self, data: bytes, *, more: bool) -> None:
        if self._text is not None:
            data = base64.b64encode(data)
        await self._send({"type": "http.response.body", "body": data, "more_body": more})
