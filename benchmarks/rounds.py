"""Rounds: everything that is compared is measured once in each, so that all meet the same weather."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.content import MIB


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is done. Sizes in bytes."""

    rounds: int = 5
    transfer: int = 256 * MIB
    files: int = 5_000
    memory: int = 1024 * MIB
    calls: int = 500
    starts: int = 15
    documents: int = 1_000_000
    listeners: int = 1_000
    seconds: float = 10
    databases: int = 1_000
    results: int = 10_000
    blocks: int = 200_000
    pushes: int = 400
    accounts: int = 10_000
    users: int = 100_000
    messages: int = 1_000_000


QUICK = Scale(
    rounds=1,
    transfer=16 * MIB,
    files=200,
    memory=64 * MIB,
    calls=50,
    starts=3,
    documents=10_000,
    listeners=20,
    seconds=1,
    databases=20,
    results=2_000,
    blocks=4_000,
    pushes=50,
    accounts=100,
    users=200,
    messages=4_000,
)
"""Whether everything runs; the figures mean little."""


class Rounds:
    """Times by name, as amounts a second. The first of several rounds warms up and does not count.

    Args:
        amount: What is done in one measurement, in the unit of the figure, unless the measurement says.
    """

    def __init__(self, amount: float = 1) -> None:
        self._amount = amount
        self._measured: dict[str, list[float]] = defaultdict(list)

    def of(self, count: int) -> Iterator[int]:
        """Numbers of the rounds."""
        for number in range(count + (count > 1)):
            if number == 1:
                self._measured.clear()
            yield number

    def add(self, name: str, seconds: float, *, amount: float | None = None) -> None:
        """Note one measurement."""
        self._measured[name].append((self._amount if amount is None else amount) / seconds)

    def __getitem__(self, name: str) -> list[float]:
        return self._measured[name]
