"""How many requests are let in: one bucket of tokens for all (spec: gateway-and-web §A2)."""

from __future__ import annotations

import time
from collections.abc import Callable

BURST = 20
"""Requests that may come at once after a pause."""


class RateLimit:
    """Lets ``rate`` requests a second through, and up to :data:`BURST` more after a pause."""

    def __init__(self, rate: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._tokens = float(BURST)
        self._at = clock()

    def admits(self) -> bool:
        """Whether one more request may come now."""
        now = self._clock()
        self._tokens = min(self._tokens + (now - self._at) * self._rate, BURST)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
