"""Which way a query goes through a collection: the ways there are, and the choice between them.

A way proposes candidates; whether they match is decided by their documents, so every choice gives the same
result, in the same order. There are no statistics: ways are ranked by how much a restriction of their kind
usually leaves, and if several indexes could serve, the first of their entries are counted. Where a choice may
still be far off, the runner hedges (``candidates.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from itertools import islice

from textile_aio.threaddb.query import ranges
from textile_aio.threaddb.query.keys import FALSE, LARGEST_EXACT, NUMBER, STRING, TRUE, claim, text_bytes
from textile_aio.threaddb.query.model import ID, Conjunction, Operation, Query
from textile_aio.threaddb.query.ranges import BOOLEANS, EVERYTHING, NUMBERS, STRINGS, Interval, after
from textile_aio.threaddb.query.source import Source


@dataclass(frozen=True, slots=True)
class IndexInfo:
    """An index of a collection. One that is not ``ready`` is being filled, and only its name is known."""

    path: str
    unique: bool = False
    ready: bool = True


class Kind(StrEnum):
    """What sort of way a plan takes."""

    NOTHING = "nothing"
    SCAN = "scan"
    RANGE = "range"
    EQUALITY = "equality"
    UNIQUE = "unique"
    UNION = "union"


class Order(StrEnum):
    """How results come into order: as the way gives them by id, as an index gives them, or sorted."""

    ID = "id"
    INDEX = "index"
    SORT = "sort"


class Rank(IntEnum):
    """How much a restriction leaves, the least first."""

    ONE = 0
    EQUAL = 1
    BETWEEN = 2
    BOOLEAN = 3
    HALF = 4
    TYPE = 5


@dataclass(frozen=True, slots=True)
class Way:
    """Candidates by the order of one path: those in some intervals of it, and the holders of some claims.

    The path ``_id`` stands for the order in which the collection itself is kept.
    """

    path: str
    rank: Rank
    intervals: tuple[Interval, ...]
    claims: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """How a query is run.

    Attributes:
        kind: What sort of way it takes.
        order: How the results come into order.
        ids: The ids that results can have, as ascending intervals.
        ways: Indexes that propose candidates, all of them together; none to read ``ids`` themselves.
    """

    kind: Kind
    order: Order
    ids: tuple[Interval, ...]
    ways: tuple[Way, ...] = ()

    def describe(self) -> dict[str, str | None]:
        """What ``explain`` tells: path of the index (several with commas, None for none), kind and order."""
        paths = [way.path for way in self.ways]
        if not paths and self.kind in {Kind.RANGE, Kind.UNIQUE, Kind.UNION}:
            paths = [ID]
        return {"index": ", ".join(paths) or None, "kind": self.kind.value, "order": self.order.value}


PROBES = (16, 128, 1_024, 16_384)
"""How many entries of competing indexes are counted, round by round, until one of them has no more.

The last round is for queries that look at all their candidates: they take longer than the round.
"""

MOST_PROBED = 8
"""Alternatives in a query whose indexes are probed; with more of them it would take its time."""


def plan(query: Query, indexes: Sequence[IndexInfo], source: Source | None = None) -> Plan:
    """Choose a way for a query.

    Args:
        query: What is wanted.
        indexes: The collection's indexes. The hint of a query is heeded where several would do as well, and
            is otherwise no more than a condition: without an index of that path the result is empty, as
            upstream answers (spec: threads-api §6.4).
        source: The collection, to count a few entries where indexes compete.
    """
    if query.index not in {"", ID} and all(index.path != query.index for index in indexes):
        return _NOTHING
    ready = {index.path: index for index in indexes if index.ready}
    alternatives = _possible(query)
    ids = within = ranges.union([alternative.ids for alternative in alternatives])
    if query.seek:
        sought = _sought(query)
        within = ranges.union([interval & sought for interval in ids])
    if not within:
        return _NOTHING
    order = Order.ID if query.by_id else Order.SORT
    ways = _best(alternatives, ready, _Choice(query, source if len(alternatives) <= MOST_PROBED else None))
    if order is Order.SORT and query.sort.path in ready:
        ordered = _ordered(alternatives, query.sort.path)
        if ordered is not None and (ways is None or _worth_walking(ordered, ways)):
            return Plan(_kind((ordered,)), Order.INDEX, within, (ordered,))
    if ways is None or all(way.path == ID for way in ways):
        kind = Kind.SCAN if ids == (EVERYTHING,) else _kind((Way(ID, Rank.ONE, within),))
        return Plan(kind, order, within)
    return Plan(_kind(ways), order, within, ways)


_NOTHING = Plan(Kind.NOTHING, Order.ID, ())


@dataclass(frozen=True, slots=True)
class _Alternative:
    """A conjunction as intervals: of ids, and of the order keys of every other field that it restricts."""

    criteria: Conjunction
    ids: Interval
    keys: dict[str, Interval]

    def ways(self, ready: dict[str, IndexInfo]) -> Iterator[Way]:
        """The ways that narrow the search."""
        if self.ids != EVERYTHING:
            yield Way(ID, _rank(self.ids, EVERYTHING), (self.ids,))
        for path, interval in self.keys.items():
            index = ready.get(path)
            if index is None:
                continue
            claimed = self._claim(path) if index.unique else None
            if claimed is not None:
                yield Way(path, Rank.ONE, (), (claimed,))
                continue
            rank = _rank(interval, _TYPES[interval.low[:1]])
            if rank < Rank.TYPE:
                yield Way(path, rank, (interval,))

    def _claim(self, path: str) -> bytes | None:
        """What a matching document must have claimed, if that is known.

        Large numbers do not tell: what a document claims is exact, and compared are float64.
        """
        for criterion in self.criteria:
            value = criterion.value
            if (
                criterion.path == path
                and criterion.operation is Operation.EQ
                and (isinstance(value, (str, bool)) or abs(value) < LARGEST_EXACT)
            ):
                return claim(value)
        return None


def _possible(query: Query) -> list[_Alternative]:
    """The alternatives of a query, without those that contradict themselves."""
    possible = []
    for criteria in query.alternatives:
        ids = EVERYTHING
        keys: dict[str, Interval] = {}
        for criterion in criteria:
            path = criterion.path
            if path == ID:
                ids &= ranges.of_id_criterion(criterion)
            else:
                interval = ranges.of_criterion(criterion)
                keys[path] = keys[path] & interval if path in keys else interval
        if not ids.empty and not any(interval.empty for interval in keys.values()):
            possible.append(_Alternative(criteria, ids, keys))
    return possible


def _sought(query: Query) -> Interval:
    """The ids from the seek on. Other orders than that of ids do not turn its direction."""
    seek = text_bytes(query.seek)
    return Interval(b"", after(seek)) if query.by_id and query.reverse else Interval(seek)


@dataclass(frozen=True, slots=True)
class _Choice:
    """Between ways that serve the same alternative."""

    query: Query
    source: Source | None

    def best(self, ways: Sequence[Way]) -> Way:
        """The one that leaves least, as far as can be told."""
        if len(ways) == 1:
            return ways[0]
        hinted = {self.query.index, ID}
        best, *others = sorted(ways, key=lambda way: (way.rank, way.path not in hinted))
        if self.source is None or best.rank is Rank.ONE or best.path == ID:
            return best
        rivals = [best, *(way for way in others if way.path != ID)]
        if len(rivals) == 1:
            return best
        some_will_do = self.query.limit > 0 and self.query.by_id
        for most in PROBES[:-1] if some_will_do else PROBES:
            counts = [_count(way, self.source, most + 1) for way in rivals]
            if min(counts) <= most:
                return rivals[counts.index(min(counts))]
        return best


def _count(way: Way, source: Source, most: int) -> int:
    """How many entries a way has, counting no further than ``most``."""
    (interval,) = way.intervals
    return sum(1 for _ in islice(source.entries(way.path, low=interval.low, high=interval.high), most))


def _best(
    alternatives: Sequence[_Alternative], ready: dict[str, IndexInfo], choice: _Choice
) -> tuple[Way, ...] | None:
    """The best way of each alternative, ways of one path joined; None if they are not all served.

    A stretch of ids cannot be joined with indexes: then it takes the alternative's second best way.
    """
    served = [list(each.ways(ready)) for each in alternatives]
    if not all(served):
        return None
    best = [choice.best(ways) for ways in served]
    if len(best) == 1:
        return tuple(best)
    if any(way.path != ID for way in best):
        served = [[way for way in ways if way.path != ID or way.rank is Rank.ONE] for ways in served]
        if not all(served):
            return None
        best = [choice.best(ways) for ways in served]
    return _joined(best)


def _joined(ways: Iterable[Way]) -> tuple[Way, ...]:
    """The same ways with those of one path as one."""
    by_path: dict[str, list[Way]] = {}
    for way in ways:
        by_path.setdefault(way.path, []).append(way)
    return tuple(
        Way(
            path,
            max(way.rank for way in same),
            ranges.union(interval for way in same for interval in way.intervals),
            tuple(dict.fromkeys(claimed for way in same for claimed in way.claims)),
        )
        for path, same in by_path.items()
    )


def _ordered(alternatives: Sequence[_Alternative], path: str) -> Way | None:
    """The way that gives all matching documents in the order of a field.

    There is one only if every alternative admits values of one and the same type, so that no matching
    document lacks the field or makes the order impossible: an index does not tell who is not in it.
    """
    intervals = [alternative.keys.get(path) for alternative in alternatives]
    present = [interval for interval in intervals if interval is not None]
    types = {_TYPES[interval.low[:1]] for interval in present}
    if len(present) < len(intervals) or len(types) > 1:
        return None
    (whole,) = types
    return Way(path, max(_rank(interval, whole) for interval in present), ranges.union(present))


def _worth_walking(ordered: Way, ways: Sequence[Way]) -> bool:
    """Whether to read in order rather than to sort what other ways propose: not if those are equalities."""
    return any(way.path == ordered.path or way.rank > Rank.EQUAL for way in ways)


def _rank(interval: Interval, whole: Interval) -> Rank:
    """How much an interval leaves of all keys of its type."""
    if interval.single:
        if whole is EVERYTHING:
            return Rank.ONE
        return Rank.BOOLEAN if whole is BOOLEANS else Rank.EQUAL
    bounds = (interval.low != whole.low) + (interval.high != whole.high)
    return (Rank.TYPE, Rank.HALF, Rank.BETWEEN)[bounds]


def _kind(ways: Sequence[Way]) -> Kind:
    way = ways[0]
    if len(ways) > 1 or len(way.intervals) + len(way.claims) > 1:
        return Kind.UNION
    if way.claims or (way.path == ID and way.intervals[0].single):
        return Kind.UNIQUE
    return Kind.EQUALITY if way.intervals[0].single else Kind.RANGE


_TYPES = {FALSE: BOOLEANS, TRUE: BOOLEANS, NUMBER: NUMBERS, STRING: STRINGS}
