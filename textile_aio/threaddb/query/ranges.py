"""Intervals of keys, and which of them a criterion allows.

An interval holds every key that a matching value can have, and may hold others: what is found in it is still
checked against the document. Intervals that do not meet prove that nothing matches.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from textile_aio.threaddb.query.keys import (
    BEYOND,
    FALSE,
    NUMBER,
    STRING,
    TRUE,
    is_cut,
    order_key,
    text_bytes,
)
from textile_aio.threaddb.query.model import Criterion, Operation


@dataclass(frozen=True, slots=True)
class Interval:
    """Keys with ``low <= key < high``; ``high`` None is no bound."""

    low: bytes = b""
    high: bytes | None = None

    @property
    def empty(self) -> bool:
        """Whether no key is in it."""
        return self.high is not None and self.low >= self.high

    @property
    def single(self) -> bool:
        """Whether at most one key is in it."""
        return self.high is not None and self.high <= after(self.low)

    def __contains__(self, key: bytes) -> bool:
        return self.low <= key and (self.high is None or key < self.high)

    def __and__(self, other: Interval) -> Interval:
        if self.high is None or other.high is None:
            high = other.high if self.high is None else self.high
        else:
            high = min(self.high, other.high)
        return Interval(max(self.low, other.low), high)


EVERYTHING = Interval()
NOTHING = Interval(b"", b"")

BOOLEANS = Interval(FALSE, NUMBER)
NUMBERS = Interval(NUMBER, STRING)
STRINGS = Interval(STRING, BEYOND)


def after(key: bytes) -> bytes:
    """The least key that is greater."""
    return key + b"\0"


def exactly(key: bytes) -> Interval:
    """The interval of one key."""
    return Interval(key, after(key))


def of_type(value: str | bool | float) -> Interval:
    """The order keys of all values that can be compared with this one."""
    if isinstance(value, str):
        return STRINGS
    return BOOLEANS if isinstance(value, bool) else NUMBERS


def of_criterion(criterion: Criterion) -> Interval:
    """The order keys of the values that can fulfil a criterion; they are all of one type."""
    if isinstance(criterion.value, bool):
        return _of_boolean(criterion.operation, value=criterion.value)
    key = order_key(criterion.value)
    assert key is not None  # noqa: S101 - a criterion's value has a place in the order
    if criterion.operation is Operation.EQ:
        return exactly(key)
    return of_type(criterion.value) & _compared(criterion.operation, key, exact=not is_cut(key))


def of_id_criterion(criterion: Criterion) -> Interval:
    """The ids that can fulfil a criterion on ``_id``: ids are strings, and whole."""
    if not isinstance(criterion.value, str):
        return NOTHING
    return _compared(criterion.operation, text_bytes(criterion.value), exact=True)


def union(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """The same keys in ascending intervals that neither meet nor touch."""
    present = [interval for interval in intervals if not interval.empty]
    if len(present) < 2:
        return tuple(present)
    merged: list[Interval] = []
    for interval in sorted(present, key=_low):
        if not merged or (merged[-1].high is not None and merged[-1].high < interval.low):
            merged.append(interval)
        elif merged[-1].high is not None and (interval.high is None or interval.high > merged[-1].high):
            merged[-1] = Interval(merged[-1].low, interval.high)
    return tuple(merged)


def hull(intervals: Sequence[Interval]) -> Interval:
    """The least interval around some ascending ones."""
    return intervals[0] if len(intervals) == 1 else Interval(intervals[0].low, intervals[-1].high)


def _low(interval: Interval) -> bytes:
    return interval.low


def _compared(operation: Operation, key: bytes, *, exact: bool) -> Interval:
    """Keys that compare with one as wanted. If keys are not exact, its own is always among them."""
    match operation:
        case Operation.EQ:
            return exactly(key)
        case Operation.NE:
            return EVERYTHING
        case Operation.GT:
            return Interval(after(key) if exact else key)
        case Operation.GE:
            return Interval(key)
        case Operation.LT:
            return Interval(b"", key if exact else after(key))
        case Operation.LE:
            return Interval(b"", after(key))


def _of_boolean(operation: Operation, *, value: bool) -> Interval:
    match operation:
        case Operation.EQ | Operation.GE:
            return exactly(TRUE if value else FALSE)
        case Operation.NE | Operation.LT:
            return exactly(FALSE if value else TRUE)
        case Operation.GT:
            return NOTHING
        case Operation.LE:
            return BOOLEANS
