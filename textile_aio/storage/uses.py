"""Who needs blocks right now, beside roots: pushes and readers. A collector asks before it drops any.

In memory, since one process has the directory, and who needs blocks is gone with it. Only the epoch outlives
it: it counts collections, every block row bears that of the last batch that needed it, and a collector never
drops a row as young as the oldest batch that is open.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

EPOCH = "collector.epoch"
"""Name of the setting that holds it, in decimal digits."""


class Lease:
    """A batch that is open, or whose blocks are kept after it broke off.

    Attributes:
        epoch: The one in which it began.
        places: Where it writes bytes that no row may name yet.
    """

    __slots__ = ("ends", "epoch", "places")

    def __init__(self, epoch: int) -> None:
        self.epoch: int = epoch
        self.places: set[str] = set()
        self.ends: float | None = None


class Reading:
    """Somebody who reads blocks, and must find those below what they pin until they have done."""

    __slots__ = ("decided", "pinned")

    def __init__(self) -> None:
        self.pinned: set[bytes] = set()
        self.decided: asyncio.Event = asyncio.Event()

    def pin(self, *cids: bytes) -> None:
        """Keep blocks and everything below them. Once."""
        self.pinned.update(cids)
        self.decided.set()


class Uses:
    """All of them."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.epoch: int = 0
        self._clock = clock
        self._leases: set[Lease] = set()
        self._doubtful: set[str] = set()
        self._readings: set[Reading] = set()

    def lease(self) -> Lease:
        """A batch begins."""
        lease = Lease(self.epoch)
        self._leases.add(lease)
        return lease

    def end(self, lease: Lease, *, keep: float = 0.0) -> None:
        """It is over; what it left is spared for ``keep`` seconds more."""
        lease.places.clear()
        if keep > 0:
            lease.ends = self._clock() + keep
        else:
            self._leases.discard(lease)

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """Somebody reads within the block."""
        reading = Reading()
        self._readings.add(reading)
        try:
            yield reading
        finally:
            reading.decided.set()
            self._readings.discard(reading)

    def doubt(self, places: set[str]) -> None:
        """Places that rows may come to name after a crash: their commit failed, and nobody knows how far."""
        self._doubtful |= places

    def oldest(self, *, default: int) -> int:
        """The epoch of the oldest batch, or ``default`` if there is none."""
        now = self._clock()
        self._leases = {each for each in self._leases if each.ends is None or each.ends > now}
        return min((each.epoch for each in self._leases), default=default)

    def places(self) -> set[str]:
        """Places that may be without rows and are no garbage: bytes are being written, or a crash tells."""
        return self._doubtful.union(*(lease.places for lease in self._leases))

    async def pinned(self) -> set[bytes]:
        """What is being read. Waits for those who have not said yet what."""
        for reading in list(self._readings):
            await reading.decided.wait()
        return {cid for reading in self._readings for cid in reading.pinned}
