"""Values as Go holds what it reads from JSON."""

from __future__ import annotations

from typing import Any


def as_float64(value: Any) -> Any:
    """A value as Go holds it, which has no exact integers."""
    if isinstance(value, dict):
        return {key: as_float64(member) for key, member in value.items()}
    if isinstance(value, list):
        return [as_float64(element) for element in value]
    return float(value) if type(value) is int else value
