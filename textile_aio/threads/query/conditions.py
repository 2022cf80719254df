"""What a query asks of an instance, in the one form that the wire has, and the algebra that leads into it.

The wire's condition is "all of these criteria, or any of those conditions" (spec: threads-api §6.2), where no
criterion at all means yes. Everything that can be said with *and* and *or* is brought into that form here;
nothing else, and no option of a query, is known here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, time, timedelta
from enum import IntEnum
from itertools import chain
from typing import Any, TypeAlias

from textile_aio._arguments import text
from textile_aio.errors import InvalidQuery

Operand: TypeAlias = str | bool | int | float
"""What a field can be compared with."""

#: Alternatives that distributing *and* over *or* may end in.
MOST_ALTERNATIVES = 10_000
#: How deep alternatives stay inside one another as they were written; deeper ones are put side by side.
_DEEPEST = 16


class Operation(IntEnum):
    """The comparisons and their numbers on the wire."""

    EQ = 0
    NE = 1
    GT = 2
    LT = 3
    GE = 4
    LE = 5


@dataclass(frozen=True, slots=True)
class Criterion:
    """One comparison; made by :func:`criterion`, which checks it.

    Attributes:
        path: Names of object members, separated by dots.
        operation: How the field is compared.
        value: What it is compared with.
    """

    path: str
    operation: Operation
    value: Operand

    def wire(self) -> dict[str, Any]:
        """The criterion as the wire's JSON has it."""
        kind = {str: "string", bool: "bool"}.get(type(self.value), "float")
        return {"fieldPath": self.path, "operation": int(self.operation), "value": {kind: self.value}}


@dataclass(frozen=True, slots=True)
class Condition:
    """True when all of ``ands`` are, or any of ``ors`` is. There is at least one criterion in ``ands``."""

    ands: tuple[Criterion, ...]
    ors: tuple[Condition, ...] = ()

    def wire(self) -> dict[str, Any]:
        """The condition as the wire's JSON has it."""
        return {"ands": [each.wire() for each in self.ands], "ors": [each.wire() for each in self.ors]}

    def alternatives(self) -> Iterator[tuple[Criterion, ...]]:
        """The condition as groups of criteria of which one has to hold entirely."""
        yield self.ands
        for each in self.ors:
            yield from each.alternatives()

    @property
    def depth(self) -> int:
        """How many conditions are inside one another."""
        return 1 + max((each.depth for each in self.ors), default=0)


def criterion(path: object, operation: Operation, value: object) -> Condition:
    """The condition of a single comparison.

    Raises:
        InvalidQuery: The wire cannot say the value, and the text says what to do instead.
        InvalidInput: The path is not text.
    """
    name = text(path, "the path of a field")
    return Condition((Criterion(name, operation, _operand(value, name)),))


def none_at_all() -> Condition:
    """The condition that nothing meets: no text is smaller than the empty one."""
    return Condition((Criterion("_id", Operation.LT, ""),))


def either(conditions: Iterable[Condition]) -> Condition:
    """True when any of the conditions is; there has to be one."""
    first, *others = conditions
    flat = chain.from_iterable(
        (each,) if each.depth < _DEEPEST else map(Condition, each.alternatives()) for each in others
    )
    return Condition(first.ands, (*first.ors, *flat))


def both(left: Condition, right: Condition) -> Condition:
    """True when both conditions are: *and* is distributed over the alternatives of both sides.

    Raises:
        InvalidQuery: There would be too many alternatives.
    """
    if not left.ors and not right.ors:
        return Condition(left.ands + right.ands)
    lefts, rights = tuple(left.alternatives()), tuple(right.alternatives())
    if min(len(lefts), len(rights)) > 1 and len(lefts) * len(rights) > MOST_ALTERNATIVES:
        raise InvalidQuery(
            f"{len(lefts)} alternatives and {len(rights)} alternatives make more than {MOST_ALTERNATIVES:,} "
            "together, which is how hubs have to be asked; ask several queries, or filter the answer"
        )
    first, *others = (one + other for one in lefts for other in rights)
    return Condition(first, tuple(map(Condition, others)))


def _operand(value: object, path: str) -> Operand:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return text(str.__str__(value), f"what {path!r} is compared with")
    if isinstance(value, int):
        return _exact(int(value), path)
    if isinstance(value, float):
        if math.isfinite(value):
            return float(value)
        raise InvalidQuery(f"JSON has no {value}, so no instance has it", about=path)
    raise InvalidQuery(
        f"a field is compared with text, a number or a bool, not with {type(value).__name__}; "
        f"{_instead(value)}",
        about=path,
    )


def _exact(number: int, path: str) -> int:
    """Hubs read every number as a 64-bit float; one that has to be rounded for that would match others."""
    try:
        exact = int(float(number)) == number
    except OverflowError:
        exact = False
    if exact:
        return number
    raise InvalidQuery(
        f"hubs compare numbers as 64-bit floats, and {number!r:.40} is none; keep such numbers as text",
        about=path,
    )


def _instead(value: object) -> str:
    if value is None:
        return "an instance whose field is null or missing matches no comparison"
    if isinstance(value, list | tuple | set | frozenset):
        return "ask for one of several values with where(…).in_(values), or {'$in': values}"
    if isinstance(value, date | time | timedelta):
        return "store times as ISO 8601 text, or as numbers, and compare with those"
    if isinstance(value, dict):
        return "compare its members, by paths such as 'address.city'"
    if isinstance(value, bytes | bytearray | memoryview):
        return "store bytes as base64 text and compare with that"
    return "compare with what stands in the JSON of an instance, such as str(value)"
