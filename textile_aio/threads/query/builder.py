"""Queries as users write them: ``(where("age") >= 21) & (where("name") != "Al")``, ordered and limited.

Owns the notation and the options of a whole query. What a condition is, and how it gets into the wire's form,
is in ``conditions``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, replace
from typing import Any, ClassVar, NoReturn, TypeAlias

from textile_aio._arguments import one_of, text
from textile_aio.errors import InvalidQuery
from textile_aio.threads.query import filters
from textile_aio.threads.query.conditions import Condition, Operand, Operation, both, criterion, either

ID = "_id"


@dataclass(frozen=True, slots=True)
class Order:
    """What results are sorted by.

    Attributes:
        path: A field; ``_id`` is the order in which hubs keep instances.
        descending: The largest first.
    """

    path: str
    _: KW_ONLY
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """Which instances of a collection are meant, in which order. Immutable: every method returns a new one.

    ``Query()`` means all of them. Conditions come from :func:`where` and :meth:`matching`, and are combined
    with ``&`` and ``|`` in any nesting (with brackets: both bind tighter than comparisons). A hub knows only
    "all of these, or any of those", so *and* over *or* is distributed; a result of more than 10,000
    alternatives is refused with :class:`~textile_aio.InvalidQuery`. A comparison with a field that is
    missing, null, or of another type is false, ``!=`` included.

    ::

        (where("age") >= 21) & ((where("city") == "Bern") | (where("city") == "Basel"))
        Query.matching({"age": {"$gte": 21}, "city": {"$in": ["Bern", "Basel"]}}).order_by("name").limit(10)

    Attributes:
        condition: What is asked of an instance, None for nothing.
        order: What results are sorted by, None for the order of ids.
        first: The id to begin at, empty for the first of all.
        most: How many results there are at most, 0 for no limit.
        skipped: How many are left out at the beginning.
        index: The path of the index that is hinted at, empty for none.
    """

    condition: Condition | None = None
    _: KW_ONLY
    order: Order | None = None
    first: str = ""
    most: int = 0
    skipped: int = 0
    index: str = ""

    @classmethod
    def matching(cls, filter_: Mapping[str, object]) -> Query:
        """The query of a dictionary in the manner of MongoDB.

        Known are ``$eq``, ``$ne``, ``$gt``, ``$gte``, ``$lt``, ``$lte`` and ``$in`` for fields, ``$and`` and
        ``$or`` between conditions; fields are named by paths such as ``address.city``.

        Raises:
            InvalidQuery: Another operator is used, or a value that hubs cannot compare with.
        """
        return cls(filters.parse(filter_))

    def __and__(self, other: Query) -> Query:
        """What both queries mean."""
        if not isinstance(other, Query):
            return NotImplemented
        mine, theirs = _bare(self), _bare(other)
        if mine is None or theirs is None:
            return Query(theirs if mine is None else mine)
        return Query(both(mine, theirs))

    def __or__(self, other: Query) -> Query:
        """What any of the two queries means."""
        if not isinstance(other, Query):
            return NotImplemented
        mine, theirs = _bare(self), _bare(other)
        return Query() if mine is None or theirs is None else Query(either((mine, theirs)))

    def __bool__(self) -> NoReturn:
        raise InvalidQuery(
            "a query is neither true nor false; combine queries with & and | instead of 'and' and 'or', "
            "and write x <= field <= y as two comparisons"
        )

    def order_by(self, path: str, *, descending: bool = False) -> Query:
        """Sorted by a field; the last call counts.

        Texts are sorted by their UTF-8 bytes, false comes before true. An instance without the field, or with
        values of several types in it, makes the call fail.
        """
        order = Order(text(path, "the path to sort by"), descending=one_of(bool, descending, "descending"))
        return replace(self, order=order)

    def unsorted(self) -> Query:
        """In the order of ids."""
        return replace(self, order=None)

    def limit(self, count: int) -> Query:
        """With at most so many results.

        Raises:
            InvalidQuery: ``count`` is less than 1; to a hub 0 would mean all.
        """
        if _number(count, "a limit") < 1:
            raise InvalidQuery(f"the limit is {count}; it is at least 1, and left out for all")
        return replace(self, most=count)

    def skip(self, count: int) -> Query:
        """Without so many results at the beginning."""
        if _number(count, "a number to skip") < 0:
            raise InvalidQuery(f"{count} instances cannot be skipped")
        return replace(self, skipped=count)

    def seek(self, first: str) -> Query:
        """From an id on, itself included: those not smaller, or in descending order of ids not larger.

        There need not be such an instance. With another order, this is looked at before sorting.
        """
        return replace(self, first=text(first, "the id to seek"))

    def use_index(self, path: str) -> Query:
        """With a hint at an index; a collection without that index has no results then.

        Our hubs choose indexes themselves. Go hubs read only the criteria on that very path, and leave out
        instances that were there before the index was.
        """
        if not text(path, "the path of an index"):
            raise InvalidQuery("the hint names no index; leave it out")
        return replace(self, index=path)

    def to_json(self) -> bytes:
        """The query as hubs take it (spec: threads-api §6.1)."""
        members: dict[str, Any] = {"ands": [], "ors": []} if self.condition is None else self.condition.wire()
        if self.order is not None:
            members["sort"] = {"fieldPath": self.order.path, "desc": self.order.descending}
        options = {"index": self.index, "seek": self.first, "limit": self.most, "skip": self.skipped}
        members |= {name: value for name, value in options.items() if value}
        return json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode()


QueryLike: TypeAlias = Query | Mapping[str, object] | None
"""A query, a dictionary as :meth:`Query.matching` takes it, or None for everything."""


class Field:
    """A field of instances, to be compared; made by :func:`where`."""

    __slots__ = ("_path",)

    def __init__(self, path: str) -> None:
        self._path = text(path, "the path of a field")

    # What object promises of == and != does not hold here on purpose: a comparison is a query, not an answer.
    def __eq__(self, value: Operand) -> Query:  # type: ignore[override]
        return self._compared(Operation.EQ, value)

    def __ne__(self, value: Operand) -> Query:  # type: ignore[override]
        return self._compared(Operation.NE, value)

    # Things that are equal to nothing in particular have no hash.
    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __gt__(self, value: Operand) -> Query:
        return self._compared(Operation.GT, value)

    def __ge__(self, value: Operand) -> Query:
        return self._compared(Operation.GE, value)

    def __lt__(self, value: Operand) -> Query:
        return self._compared(Operation.LT, value)

    def __le__(self, value: Operand) -> Query:
        return self._compared(Operation.LE, value)

    def in_(self, values: Iterable[Operand]) -> Query:
        """The field has one of the values; with no values, no instance matches."""
        return Query(filters.one_of(self._path, values))

    def __repr__(self) -> str:
        return f"where({self._path!r})"

    def _compared(self, operation: Operation, value: object) -> Query:
        return Query(criterion(self._path, operation, value))


def where(path: str) -> Field:
    """A field, to be compared with ``==``, ``!=``, ``<``, ``<=``, ``>``, ``>=`` or :meth:`Field.in_`.

    Args:
        path: Names of object members separated by dots, such as ``address.city``. Elements of arrays, and
            members with a dot in their names, cannot be named.

    Raises:
        InvalidQuery: From the comparison, if hubs cannot compare with the value: they know text, bools, and
            numbers that are 64-bit floats.
    """
    return Field(path)


def query_of(value: QueryLike) -> Query:
    """The query that an argument stands for.

    Raises:
        InvalidQuery: It is none.
    """
    if value is None:
        return Query()
    if isinstance(value, Query):
        return value
    if isinstance(value, Mapping):
        return Query.matching(value)
    raise InvalidQuery(f"a query is a Query or a dictionary, not {type(value).__name__}")


def _bare(query: Query) -> Condition | None:
    if query != Query(query.condition):
        raise InvalidQuery(
            "order, limit, skip, seek and index belong to a whole query: combine conditions first, "
            "and call these on the result"
        )
    return query.condition


def _number(value: object, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidQuery(f"{what} is a whole number, not {type(value).__name__}")
    if value >= 1 << 63:
        raise InvalidQuery(f"{what} is less than 2^63")
    return value
