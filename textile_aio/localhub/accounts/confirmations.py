"""Links that people follow to show that a mail reached them (spec: hub-accounts §5.1).

A link works once, while somebody waits for it. Nothing is kept beyond that: no link outlives its call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from textile_aio.errors import ResourceExhausted, StatusCode, Unauthenticated
from textile_aio.localhub.accounts.credentials import make_token

MOST = 10_000
"""How many may wait at once."""


class Waiting:
    """Somebody who waits.

    Attributes:
        secret: What the link ends with.
    """

    def __init__(self, secret: str) -> None:
        self.secret = secret
        self._confirmed = asyncio.Event()

    def confirm(self) -> None:
        """End the waiting."""
        self._confirmed.set()

    async def confirmed(self, seconds: float) -> None:
        """Wait for the link to be followed.

        Raises:
            Unauthenticated: It was not within the time.
        """
        try:
            async with asyncio.timeout(seconds):
                await self._confirmed.wait()
        except TimeoutError:
            raise Unauthenticated("Could not verify email address", code=StatusCode.UNAUTHENTICATED) from None


class Confirmations:
    """Everybody who waits for a link to be followed.

    Args:
        static: A secret that all links share, for test rigs; empty for one of their own each.
    """

    def __init__(self, static: str = "") -> None:
        self._static = static
        self._waiting: dict[str, set[Waiting]] = {}

    @contextmanager
    def waiting(self) -> Iterator[Waiting]:
        """Wait within the block.

        Raises:
            ResourceExhausted: Too many do.
        """
        if sum(map(len, self._waiting.values())) >= MOST if self._static else len(self._waiting) >= MOST:
            raise ResourceExhausted(
                "too many people wait for a mail to be confirmed; try again later",
                code=StatusCode.RESOURCE_EXHAUSTED,
            )
        waiting = Waiting(self._static or make_token(44))
        self._waiting.setdefault(waiting.secret, set()).add(waiting)
        try:
            yield waiting
        finally:
            others = self._waiting.get(waiting.secret)
            if others is not None:
                others.discard(waiting)
                if not others:
                    del self._waiting[waiting.secret]

    def confirm(self, secret: str) -> bool:
        """Follow a link; whether it was one. With a shared secret, everybody who waits goes on."""
        found = self._waiting.pop(secret, set())
        for waiting in found:
            waiting.confirm()
        return bool(found) or (bool(self._static) and secret == self._static)
