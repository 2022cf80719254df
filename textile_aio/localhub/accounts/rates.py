"""How often somebody may ask to be let in."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable

from textile_aio.errors import ResourceExhausted, StatusCode

_MINUTE = 60_000_000_000
_NAMES = 10_000


class Rates:
    """So many attempts a minute for each name, with as many saved up; None for as many as come.

    Names that were not seen lately are forgotten, at most 10,000 are remembered.
    """

    def __init__(self, each_minute: float | None, clock: Callable[[], int]) -> None:
        self._rate = each_minute
        self._clock = clock
        self._left: OrderedDict[Hashable, tuple[float, int]] = OrderedDict()

    def admit(self, name: Hashable) -> None:
        """Count an attempt.

        Raises:
            ResourceExhausted: There were too many.
        """
        if self._rate is None:
            return
        now = self._clock()
        burst = max(self._rate, 1.0)
        left, since = self._left.pop(name, (burst, now))
        left = min(burst, left + self._rate * max(now - since, 0) / _MINUTE)
        admitted = left >= 1
        self._left[name] = (left - admitted, now)
        if len(self._left) > _NAMES:
            self._left.popitem(last=False)
        if not admitted:
            seconds = (1 - left) / self._rate * 60
            raise ResourceExhausted(
                f"too many attempts; try again in {seconds:.0f} s", code=StatusCode.RESOURCE_EXHAUSTED
            )
