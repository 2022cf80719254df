"""The times that writes carry: each later than all before it, so that records tell the order of the writes.

Peers and replays order the events of several logs by time, and clients ask for what was written since some
time; both go wrong where a write that came later carries an earlier time.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock


class Moments:
    """A clock that never gives a time twice, not even if it is put back while this is in use. Thread-safe."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._next = 0
        self._lock = Lock()

    def draw(self, count: int = 1) -> int:
        """The first of ``count`` moments in a row, in UTC nanoseconds; none of them is given again.

        For writes: to be called when the writer has its turn, so that no other write comes in between.
        """
        with self._lock:
            first = max(self._clock(), self._next)
            self._next = first + max(count, 1)
            return first
