"""What a query says, as values (spec: threads-api §6).

Knows neither the JSON it came in nor documents, indexes and stores.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

ID = "_id"
"""The path of a document's id, by which collections are kept in order."""

Conjunction = tuple["Criterion", ...]


class Operation(IntEnum):
    """How a field is compared with a criterion's value; the numbers are the wire's."""

    EQ = 0
    NE = 1
    GT = 2
    LT = 3
    GE = 4
    LE = 5


@dataclass(frozen=True, slots=True)
class Criterion:
    """A restriction on one field.

    Attributes:
        path: Object keys joined with dots.
        operation: How the field's value is compared.
        value: What it is compared with. Every number is a float: documents are compared as float64.
    """

    path: str
    operation: Operation
    value: str | bool | float


@dataclass(frozen=True, slots=True)
class Sort:
    """The order of results. An empty path is the default, ascending by id, whatever ``descending`` says."""

    path: str = ""
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """Which documents are wanted, in which order.

    A document matches if all ``ands`` are true, or any of ``ors`` matches: without ``ands`` everything does.
    Only ``ands`` and ``ors`` of the queries in ``ors`` count.

    Attributes:
        ands: Criteria that have to hold together.
        ors: Queries of which one is enough.
        sort: The order of the results.
        seek: The least id wanted, inclusive; the greatest one if sorted by id in descending order.
        limit: At most so many results; 0 or less for all of them.
        skip: How many of the results are left out at the beginning; negative counts as 0.
        index: Path of an index the caller would like to be used; the result is empty if there is none.
    """

    ands: tuple[Criterion, ...] = ()
    ors: tuple[Query, ...] = ()
    sort: Sort = Sort()
    seek: str = ""
    limit: int = 0
    skip: int = 0
    index: str = ""

    @property
    def by_id(self) -> bool:
        """Whether the results come in the order of ids, either way."""
        return self.sort.path in {"", ID}

    @property
    def reverse(self) -> bool:
        """Whether the results come in descending order."""
        return self.sort.descending and self.sort.path != ""

    @property
    def alternatives(self) -> tuple[Conjunction, ...]:
        """The same condition without nesting: it holds where any of these holds as a whole."""
        return tuple(_conjunctions(self))


def _conjunctions(query: Query) -> Iterator[Conjunction]:
    yield query.ands
    for other in query.ors:
        yield from _conjunctions(other)
