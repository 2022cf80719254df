"""Refusals take their time: whoever sends wrong credentials by the thousand waits, and nobody else does.

Only refusals are held back, by the address they go to. Somebody with good credentials behind the same address
is served as ever.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable

_ADDRESSES = 10_000
_SHORTEST = 0.001


class RefusalThrottle:
    """So many refusals a second for each address, and some more at once after a quiet time.

    Args:
        rate: Refusals a second; None for as many as come.
        burst: How many at once.
        clock: Seconds, from any moment on.
        sleep: Waits for some seconds.
    """

    def __init__(
        self,
        rate: float | None,
        *,
        burst: int = 50,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._pause = 0.0 if rate is None else 1 / rate
        self._credit = burst * self._pause
        self._clock = clock
        self._sleep = sleep
        # When the last refusal that was promised to an address is due. Quiet addresses are forgotten.
        self._due: OrderedDict[str, float] = OrderedDict()

    async def hold_back(self, address: str) -> None:
        """Wait until an address may be told another refusal."""
        if not self._pause:
            return
        now = self._clock()
        due = max(self._due.pop(address, 0.0), now - self._credit) + self._pause
        self._due[address] = due
        if len(self._due) > _ADDRESSES:
            self._due.popitem(last=False)
        if due - now >= _SHORTEST:
            await self._sleep(due - now)
