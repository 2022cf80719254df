"""Candidates in the order of their ids, whichever way they are found.

An index knows its entries by key, results are wanted by id. Where one key is read, its entries are in the
order of ids as they are; otherwise the ids are gathered and sorted first, and only ids: the documents are
read one by one as they are asked for.

Gathering is a bet that the index narrows the search. It is hedged: after some entries, some documents are
read in the plain order of the collection, which are results already, then the double of both, and so on. So a
query with a limit is answered at once where matches are dense, an index that hardly narrows costs little more
than none, and memory stays bounded, because beyond :data:`MOST_IDS` the plain reading goes on to the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Protocol

from textile_aio.storage.values import Document
from textile_aio.threaddb.query import ranges
from textile_aio.threaddb.query.model import ID
from textile_aio.threaddb.query.planner import Plan, Way
from textile_aio.threaddb.query.ranges import Interval, after
from textile_aio.threaddb.query.source import Source

MOST_IDS = 65_536
"""How many ids are gathered; about 6 MB of them."""

FIRST_ENTRIES = 1_024
"""How many entries are read before the first document in plain order."""

ENTRIES_PER_DOCUMENT = 4
"""How many entries are read in about the time of reading, parsing and checking one document."""


def candidates(source: Source, plan: Plan, *, reverse: bool) -> Iterator[Document]:
    """The documents a plan proposes, by id, each once.

    Args:
        source: Where they are.
        plan: Which way to go. Its order of results does not matter here.
        reverse: The greatest id first.
    """
    plain = _plain(source, plan.ids, reverse=reverse)
    if not plan.ways:
        yield from plain
        return
    proposed = _proposed(source, plan.ways, reverse=reverse)
    bounds = ranges.hull(plan.ids)
    entries = FIRST_ENTRIES + sum(len(way.claims) for way in plan.ways)
    while not proposed.ready(entries, bounds):
        if proposed.overfull:
            yield from plain
            return
        last = None
        for last in islice(plain, entries // ENTRIES_PER_DOCUMENT):
            yield last
        if last is None:
            return
        bounds = Interval(bounds.low, last.id) if reverse else Interval(after(last.id), bounds.high)
        entries *= 2
    for id_ in proposed.within(bounds):
        body = source.document(id_)
        if body is not None:
            yield Document(id_, body)


def _plain(source: Source, ids: Sequence[Interval], *, reverse: bool) -> Iterator[Document]:
    """The documents with certain ids, without any index."""
    for interval in reversed(ids) if reverse else ids:
        if interval.single:
            body = source.document(interval.low)
            if body is not None:
                yield Document(interval.low, body)
        else:
            yield from source.scan(low=interval.low, high=interval.high, reverse=reverse)


class _Proposed(Protocol):
    """Ids that indexes propose."""

    @property
    def overfull(self) -> bool:
        """Whether more are known than may be held."""
        ...

    def ready(self, entries: int, bounds: Interval) -> bool:
        """Read so many entries at most. Whether the ids within the bounds can then be given in order."""
        ...

    def within(self, bounds: Interval) -> Iterator[bytes]:
        """The ids within the bounds, in order. To be asked when ready."""
        ...


class _Ordered:
    """Ids that come in order: those before the bounds are passed over, the rest is not read in advance."""

    def __init__(self, ids: Iterator[bytes]) -> None:
        self._ids = ids
        self._first: bytes | None = None

    @property
    def overfull(self) -> bool:
        return False

    def ready(self, entries: int, bounds: Interval) -> bool:
        read = 0
        for id_ in islice(self._ids, entries):
            read += 1
            if id_ in bounds:
                self._first = id_
                return True
        return read < entries

    def within(self, bounds: Interval) -> Iterator[bytes]:
        if self._first is not None:
            yield self._first
            for id_ in self._ids:
                if id_ not in bounds:
                    return
                yield id_


class _Gathered:
    """Ids that come in any order, and more than once: all have to be known."""

    def __init__(self, ids: Iterator[bytes], *, reverse: bool) -> None:
        self._ids = ids
        self._reverse = reverse
        self._gathered: set[bytes] = set()

    @property
    def overfull(self) -> bool:
        return len(self._gathered) > MOST_IDS

    def ready(self, entries: int, bounds: Interval) -> bool:
        read = 0
        for id_ in islice(self._ids, entries):
            read += 1
            if id_ in bounds:
                self._gathered.add(id_)
        return read < entries

    def within(self, bounds: Interval) -> Iterator[bytes]:
        ordered = sorted(self._gathered, reverse=self._reverse)
        return (id_ for id_ in ordered if id_ in bounds)


def _proposed(source: Source, ways: Sequence[Way], *, reverse: bool) -> _Proposed:
    (way, *others) = ways
    if not others and len(way.intervals) == 1 and not way.claims and way.intervals[0].single:
        (interval,) = way.intervals
        entries = source.entries(way.path, low=interval.low, high=interval.high, reverse=reverse)
        return _Ordered(id_ for _, id_ in entries)
    return _Gathered(_ids(source, ways), reverse=reverse)


def _ids(source: Source, ways: Sequence[Way]) -> Iterator[bytes]:
    """Everything that some ways propose, in no order."""
    for way in ways:
        for claim in way.claims:
            claimant = source.claimant(way.path, claim)
            if claimant is not None:
                yield claimant
        for interval in way.intervals:
            if way.path == ID:
                yield interval.low
            else:
                for _, id_ in source.entries(way.path, low=interval.low, high=interval.high):
                    yield id_
