"""How many frames a peer may send that bring no call further.

Pings, settings, priorities, resets, window updates, empty data and unknown frames each cost work here, and
some an answer; in numbers they are attacks (CVE-2019-9512, -9514, -9515, -9518, CVE-2023-44487). Owns the
count. Refuses to know what such a frame says.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

#: Frames that a message, either way, pays for: pings that measure the line, window updates, a reset.
_PER_MESSAGE = 4
#: Bytes sent that pay for one: even peers with small frames update their windows less often.
_BYTES = 1024
#: How many times the limit can be saved up by calls.
_SAVINGS = 64


class Traffic(Protocol):
    """What a connection has carried so far."""

    data_sent: int
    messages_sent: int
    messages_received: int


class FrameBudget:
    """A bucket of tokens that time fills slowly and calls fill as they go.

    What calls have paid is looked up when a frame is to be paid for, so messages cost nothing here.

    Args:
        limit: frames at once; a hundredth of it comes back each second.
        clock: gives seconds.
    """

    __slots__ = ("_at", "_clock", "_limit", "_paid", "_tokens")

    def __init__(self, limit: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._tokens = float(limit)
        self._at = clock()
        self._paid = 0

    def spend(self, traffic: Traffic) -> bool:
        """Pay for one frame; False if it is one too many."""
        if self._tokens < 1:
            self._collect(traffic)
            if self._tokens < 1:
                return False
        self._tokens -= 1
        return True

    def strained(self, traffic: Traffic) -> bool:
        """Whether a tenth of the limit has been spent that neither time nor calls have paid for."""
        self._collect(traffic)
        return self._tokens < 0.9 * self._limit

    def _collect(self, traffic: Traffic) -> None:
        now = self._clock()
        by_time = self._tokens + (now - self._at) * self._limit / 100
        self._at = now
        messages = traffic.messages_sent + traffic.messages_received
        paid = messages * _PER_MESSAGE + traffic.data_sent // _BYTES
        tokens = max(self._tokens, min(by_time, self._limit)) + paid - self._paid
        self._paid = paid
        self._tokens = min(tokens, self._limit * _SAVINGS)
