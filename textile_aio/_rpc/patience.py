"""How long a server waits for a peer on one connection.

Owns the times: for the peer's settings, for a header block that has begun, and for the next call. It looks
every now and then instead of being told, so that calls pay nothing for it; a limit is kept to within that
interval. Refuses to know frames and sockets.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from textile_aio._rpc.limits import Limits


class Watched(Protocol):
    """What is to be seen of a connection, and what can be done about it."""

    @property
    def greeted(self) -> bool:
        """Whether the peer has sent its settings, which come first (RFC 9113 §3.4)."""

    @property
    def header_block(self) -> int:
        """Number of the header block that has begun and not ended; 0 for none."""

    @property
    def calls(self) -> tuple[int, int]:
        """How many calls there are, and how many there have been."""

    def abort(self) -> None:
        """Reset it."""

    def retire(self) -> None:
        """Tell the peer to begin no more calls here."""

    def close(self) -> None:
        """Send what is left and close it."""


class Patience:
    """Watches one connection from `start` to `stop`.

    Args:
        connection: the connection.
        limits: `head_seconds` and `idle_seconds` are kept.
        clock: gives seconds.
    """

    __slots__ = (
        "_block",
        "_calls",
        "_clock",
        "_connection",
        "_idle",
        "_idle_since",
        "_interval",
        "_retired",
        "_timer",
    )

    def __init__(
        self, connection: Watched, limits: Limits, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._interval = min(limits.head_seconds, limits.idle_seconds)
        self._idle = limits.idle_seconds
        self._idle_since: float | None = None
        self._calls = 0  # there had been when we looked last
        self._block = 0  # that had begun when we looked last
        self._retired = False
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin."""
        self._timer = asyncio.get_running_loop().call_later(self._interval, self.look)

    def stop(self) -> None:
        """The connection is gone."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def look(self) -> None:
        """Do what is due, and look again after a while."""
        connection = self._connection
        block, (open_calls, all_calls) = connection.header_block, connection.calls
        if not connection.greeted or (block and block == self._block):
            connection.abort()
            return
        if self._retired and not open_calls:
            connection.close()
            return
        self._block = block
        now = self._clock()
        if open_calls or all_calls != self._calls:
            self._calls, self._idle_since = all_calls, None
        elif self._idle_since is None:
            self._idle_since = now
        elif now - self._idle_since >= self._idle and not self._retired:
            # Closed only at the next look: a call that is on its way meanwhile is refused in words that
            # make its client try elsewhere, where a reset would leave it in doubt.
            self._retired = True
            connection.retire()
        self.start()
