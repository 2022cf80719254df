"""Answers that are known whole before they are sent, and what every answer's head has.

``content`` answers with files. Both leave the body of a HEAD request to the server, which sends none.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import formatdate
from functools import lru_cache

from starlette.types import Receive, Scope, Send

from textile_aio.localhub.gateway.ranges import matches

Header = tuple[bytes, bytes]

IMMUTABLE = "public, max-age=29030400, immutable"
"""For what a content address names: it can be nothing else for ever."""

REVALIDATED = "no-cache"
"""For what may change: kept, but asked for again each time, which costs a 304."""

PRIVATE = "private, no-cache"
"""For what only some may read: besides, not kept by anybody in between."""

UNKEPT = "no-store"

_ALWAYS: Sequence[Header] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),  # tokens are in URLs
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"vary", b"Origin, Authorization"),
)


@dataclass(frozen=True, slots=True)
class Validators:
    """What a request says it has already."""

    if_match: str | None = None
    if_none_match: str | None = None
    if_range: str | None = None
    range: str | None = None

    @classmethod
    def of(cls, scope: Scope) -> Validators:
        """Those of a request. Lists in several headers count as one (RFC 9110 §5.3)."""
        found: dict[bytes, str] = {}
        for name, value in scope["headers"]:
            if name in _VALIDATORS:
                text = value.decode("latin-1")
                found[name] = f"{found[name]}, {text}" if name in found else text
        return cls(*map(found.get, _VALIDATORS))

    def verdict(self, tag: str) -> int | None:
        """304 or 412 where that is the answer to a request for what has this tag; else None."""
        if self.if_match is not None and not matches(self.if_match, tag, weak=False):
            return 412
        if self.if_none_match is not None and matches(self.if_none_match, tag, weak=True):
            return 304
        return None

    def range_of(self, tag: str) -> str | None:
        """The range that is asked for, if what it continues is what is here (RFC 9110 §13.1.5)."""
        if self.if_range is not None and self.if_range.strip() != tag:
            return None
        return self.range


_VALIDATORS = (b"if-match", b"if-none-match", b"if-range", b"range")


def head(*headers: tuple[str, str]) -> list[Header]:
    """An answer's headers, and those that every one has. Values are ASCII."""
    pairs = [(name.encode("ascii"), value.encode("ascii")) for name, value in headers]
    return [(b"date", _date(int(time.time()))), *_ALWAYS, *pairs]


def tag_of(body: bytes) -> str:
    """The entity tag of a body."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


@dataclass(frozen=True, slots=True)
class Body:
    """An answer with a body. With status 200 it has a tag, and conditions are looked at.

    Attributes:
        body: All of it.
        media: Its type.
        status: Of HTTP.
        caching: The ``Cache-Control`` header.
        policy: The ``Content-Security-Policy`` header; empty for none.
        extra: More headers.
    """

    body: bytes = b""
    media: str = "text/plain; charset=utf-8"
    status: int = 200
    caching: str = UNKEPT
    policy: str = ""
    extra: tuple[tuple[str, str], ...] = ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        headers = [("cache-control", self.caching), *self.extra]
        status, body = self.status, self.body
        if status == 200:
            tag = tag_of(body)
            headers.append(("etag", tag))
            verdict = Validators.of(scope).verdict(tag)
            if verdict is not None:
                status, body = verdict, b""
        if status != 304:
            headers.append(("content-length", str(len(body))))
        if body:
            headers.append(("content-type", self.media))
        if self.policy:
            headers.append(("content-security-policy", self.policy))
        await send({"type": "http.response.start", "status": status, "headers": head(*headers)})
        await send({"type": "http.response.body", "body": body})


def redirect(location: str) -> Body:
    """To another place for good, by the same method. ``location`` is percent-encoded."""
    return Body(status=308, caching=REVALIDATED, extra=(("location", location),))


@lru_cache(maxsize=1)
def _date(second: int) -> bytes:
    return formatdate(second, usegmt=True).encode("ascii")
