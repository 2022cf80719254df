"""What a look at a value found, and what it may cost.

Schemas come from strangers, so a check has a budget of steps. It ends with an answer or with
:class:`Exhausted`. What costs how much is known to whoever looks.
"""

from __future__ import annotations

from typing import Any

Place = tuple[Any, str] | None
"""Where a value is: its name, and the place of what it is in; None for the document."""

_MOST_FAULTS = 100


class Exhausted(Exception):
    """The budget is used up: the schema is too costly for this document."""


class Findings:
    """What one look at a value found. Looks at the same document share a budget."""

    __slots__ = ("budget", "faults", "score")

    def __init__(self, budget: list[int]) -> None:
        self.budget: list[int] = budget
        self.faults: list[str] = []
        self.score: int = 0

    def spend(self, steps: int) -> None:
        """Take steps from the budget.

        Raises:
            Exhausted: There are not as many left.
        """
        self.budget[0] -= steps
        if self.budget[0] < 0:
            raise Exhausted

    def add(self, place: Place, text: str) -> None:
        """Note a fault; beyond a hundred only that there are more."""
        if len(self.faults) < _MOST_FAULTS:
            self.faults.append(f"{named(place)}: {text}")
        self.score -= 2

    def merge(self, other: Findings) -> None:
        """Take over what another look at the same value found."""
        self.faults += other.faults[: _MOST_FAULTS - len(self.faults)]
        self.score += other.score


def named(place: Place) -> str:
    """A place as texts name it: names from the outside in, with dots; ``(root)`` for the document."""
    if place is None:
        return "(root)"
    names = []
    while place is not None:
        place, name = place
        names.append(name)
    return ".".join(reversed(names))
