"""When a failed call is made again, and how long to wait before it.

A policy is a value and its rules are arithmetic: no clock, no sleeping, no network. The channel does the
waiting.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from textile_aio.errors import InvalidInput


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Capped exponential back-off with jitter.

    A call is repeated after it found the hub unavailable and it is safe to repeat, or when its request
    certainly never left. Whatever the policy says, nothing is waited for beyond the call's deadline.

    Attributes:
        attempts: How often a call is made at most, the first time included; at least 1.
        initial: Seconds before the first repetition.
        maximum: Seconds that no wait exceeds.
        multiplier: What each wait is longer by than the one before; at least 1.
        jitter: The part of a wait that is left to chance, 0 to 1: a wait of ``d`` seconds lasts between
            ``d * (1 - jitter)`` and ``d``, so that clients which failed together do not return together.

    Raises:
        InvalidInput: A value is out of its range.
    """

    attempts: int = 4
    initial: float = 0.1
    maximum: float = 2.0
    multiplier: float = 2.0
    jitter: float = 0.5

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise InvalidInput(f"attempts is {self.attempts}; a call is made at least once")
        if not 0 <= self.initial <= self.maximum:
            raise InvalidInput(
                f"initial is {self.initial}; it has to lie between 0 and maximum ({self.maximum})"
            )
        if not self.multiplier >= 1:
            raise InvalidInput(f"multiplier is {self.multiplier}; waits do not get shorter")
        if not 0 <= self.jitter <= 1:
            raise InvalidInput(f"jitter is {self.jitter}; it is a part, from 0 to 1")

    @classmethod
    def none(cls) -> RetryPolicy:
        """The policy that never repeats a call."""
        return cls(attempts=1)

    def delay(self, failures: int, *, remaining: float | None, random: Callable[[], float]) -> float | None:
        """How long to wait before the next attempt.

        Args:
            failures: Attempts that failed so far, at least 1.
            remaining: Seconds until the call's deadline, None without one.
            random: Gives a number from 0 up to 1.

        Returns:
            Seconds, or None when the call has failed for good: no attempts are left, or no time.
        """
        if failures >= self.attempts:
            return None
        try:
            growth = self.multiplier ** (failures - 1)
        except OverflowError:
            growth = inf
        longest = min(self.initial * growth, self.maximum) if self.initial else 0.0
        wait = longest * (1 - self.jitter * random())
        return None if remaining is not None and wait >= remaining else wait
