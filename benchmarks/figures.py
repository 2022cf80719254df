"""What was measured, as values, and how they are judged, shown and kept.

A figure that has a limit is judged by the median of its ratios to the limit, round by round, since both were
measured within seconds of each other; absolute values come and go with the machine.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table.

    Attributes:
        name: What was done.
        unit: Of the values.
        values: Ours, one a round.
        limit: What the limits are of; empty if there are none.
        limits: Measured in the same rounds.
        reach: What the ratio, or without a limit the value, has to reach. None: for information.
        lower: Whether less is better.
    """

    name: str
    unit: str
    values: Sequence[float]
    limit: str = ""
    limits: Sequence[float] = ()
    reach: float | None = None
    lower: bool = False

    @property
    def ratios(self) -> list[float]:
        pairs = zip(self.values, self.limits, strict=True) if self.limits else ()
        return [value / limit for value, limit in pairs]

    @property
    def judged(self) -> Sequence[float]:
        return self.ratios if self.limits else self.values

    @property
    def reached(self) -> bool | None:
        if self.reach is None:
            return None
        got = median(self.judged)
        return got <= self.reach if self.lower else got >= self.reach


def table(figures: Sequence[Figure]) -> str:
    """All figures as text: medians, with the smallest and the largest in brackets."""
    rows = [("figure", "ours", "limit", "ratio", "reach", ""), *map(_row, figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _row(figure: Figure) -> tuple[str, ...]:
    return (
        figure.name,
        f"{_spread(figure.values)} {figure.unit}",
        f"{figure.limit} {median(figure.limits):.4g}" if figure.limits else "",
        _spread(figure.ratios) if figure.limits else "",
        "" if figure.reach is None else f"{'≤' if figure.lower else '≥'} {figure.reach:g}",
        {None: "", True: "reached", False: "MISSED"}[figure.reached],
    )


def document(figures: Sequence[Figure]) -> dict[str, Any]:
    """All figures, each value of each round, and the machine, to be kept as JSON."""
    return {
        "machine": machine(),
        "figures": [
            asdict(figure) | {"ratios": figure.ratios, "reached": figure.reached} for figure in figures
        ],
    }


def machine() -> dict[str, Any]:
    """Where the figures come from. The load is what others did meanwhile, and we."""
    return {
        "python": platform.python_version(),
        "system": f"{sys.platform} {platform.machine()}",
        "processors": os.cpu_count(),
        "load": os.getloadavg() if hasattr(os, "getloadavg") else None,
        **{name: version(name) for name in ("grpclib", "h2", "betterproto2")},
    }


def _spread(values: Sequence[float]) -> str:
    middle = f"{median(values):.4g}"
    return middle if len(values) == 1 else f"{middle} ({min(values):.3g}…{max(values):.3g})"
