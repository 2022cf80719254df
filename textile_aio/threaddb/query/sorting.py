"""Results in the order of a field (spec: threads-api §6.3).

Values are ordered by their order keys, false before true, and strings that begin alike beyond what a key
holds by the whole of them. Objects and arrays have no order of their own. Equals are ordered by id. A
descending order is the ascending one backwards, equals included.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from textile_aio.errors import InvalidQuery, StatusCode
from textile_aio.storage.values import Document
from textile_aio.threaddb.documents import load
from textile_aio.threaddb.query import ranges
from textile_aio.threaddb.query.candidates import candidates
from textile_aio.threaddb.query.keys import BEYOND, FALSE, TRUE, field, is_cut, order_key
from textile_aio.threaddb.query.matching import Predicate
from textile_aio.threaddb.query.model import Query
from textile_aio.threaddb.query.planner import Plan
from textile_aio.threaddb.query.ranges import after
from textile_aio.threaddb.query.source import Source, Visible

MOST_PAIRS = 65_536
"""How many pairs of sort key and id are held; about 10 MB of them, where they are numbers."""

FEWEST_TO_CUT = 1_024
"""Pairs that are not worth sorting to drop some."""

_Pair = tuple[bytes, bytes]
_key = itemgetter(0)


def by_index(query: Query, plan: Plan, source: Source) -> Iterator[bytes]:
    """The bodies of a plan's candidates in the order of its only way, each read when it is its turn."""
    (way,) = plan.ways
    intervals = reversed(way.intervals) if query.reverse else way.intervals
    ids = ranges.hull(plan.ids)
    for interval in intervals:
        entries = source.entries(way.path, low=interval.low, high=interval.high, reverse=query.reverse)
        wanted = (entry for entry in entries if entry[1] in ids)
        for id_ in _settled(wanted, query, source):
            body = source.document(id_)
            if body is not None:
                yield body


def by_field(
    query: Query, plan: Plan, source: Source, matches: Predicate, visible: Visible, *, most: int | None
) -> Iterator[bytes]:
    """The ids of the results, sorted.

    The first ones are picked in one pass over the candidates; if more are asked for than may be held, the
    next ones in another.

    Args:
        query: What is wanted.
        plan: Where candidates come from.
        source: The collection.
        matches: Whether a loaded document matches.
        visible: Documents that it hides do not count, nor can they spoil the order.
        most: How many will be asked for; None if that is not known.

    Raises:
        InvalidQuery: See :func:`~textile_aio.threaddb.query.runner.run`.
    """
    edge: _Pair | None = None
    while True:
        picked = _Picked(most, edge=edge, reverse=query.reverse)
        _pick(picked, query, candidates(source, plan, reverse=False), matches, visible)
        yield from _settled(picked.finish(), query, source)
        if picked.complete:
            return
        edge = picked.edge


class _Picked:
    """The pairs that come first, of those that come after an edge."""

    def __init__(self, most: int | None, *, edge: _Pair | None, reverse: bool) -> None:
        self.complete = True
        self.edge: _Pair | None = None
        self._pairs: list[_Pair] = []
        self._given = edge
        self._most = min(most or MOST_PAIRS, MOST_PAIRS)
        self._reverse = reverse
        self._room = max(2 * self._most, FEWEST_TO_CUT)

    def rules_out(self, pair: _Pair) -> bool:
        """Whether a pair was given already, or comes after enough others."""
        if self._given is not None and not self._before(self._given, pair):
            return True
        if self.edge is None or not self._before(self.edge, pair):
            return False
        self.complete = False
        return True

    def add(self, pair: _Pair) -> None:
        """Pick a pair that is not ruled out."""
        self._pairs.append(pair)
        if len(self._pairs) >= self._room:
            self._cut()
            self._room = max(2 * len(self._pairs), FEWEST_TO_CUT)

    def finish(self) -> Sequence[_Pair]:
        """Those that were picked, in order. Of the strings with one cut key all are among them, or none."""
        self._cut()
        return self._pairs

    def _before(self, one: _Pair, other: _Pair) -> bool:
        return one > other if self._reverse else one < other

    def _cut(self) -> None:
        pairs = self._pairs
        pairs.sort(reverse=self._reverse)
        end = self._most
        if len(pairs) < end:
            return
        edge = key, _ = pairs[end - 1]
        if is_cut(key):
            while end < len(pairs) and pairs[end][0] == key:
                end += 1
            edge = (key if self._reverse else after(key)), b""
        self.edge = edge
        if end < len(pairs):
            self.complete = False
            del pairs[end:]


def _pick(
    picked: _Picked, query: Query, documents: Iterable[Document], matches: Predicate, visible: Visible
) -> None:
    """Pick from all that match and are visible.

    Raises:
        InvalidQuery: There are several of them, and they cannot be compared with each other.
    """
    common: bytes | None = None
    rows = 0
    orderly = True
    for document in documents:
        loaded = load(document.body)
        if not matches(loaded):
            continue
        key, kind = _place(field(loaded, query.sort.path))
        pair = key, document.id
        comparable = kind is not None and common in {None, kind}
        if (comparable and picked.rules_out(pair)) or visible(document.body) is None:
            continue
        rows += 1
        common = kind
        orderly = orderly and comparable
        if rows > 1 and not orderly:
            text = "sorting field doesn't correspond to instance type"
            raise InvalidQuery(text, code=StatusCode.UNKNOWN, about=query.sort.path)
        picked.add(pair)


def _place(value: Any) -> tuple[bytes, bytes | None]:
    """A sort key, and a mark that it shares with all it can be compared with; None where there is nothing."""
    key = order_key(value)
    if key is None:
        return BEYOND, BEYOND if type(value) in {dict, list} else None
    return key, FALSE if key == TRUE else key[:1]


def _settled(entries: Iterable[_Pair], query: Query, source: Source) -> Iterator[bytes]:
    """The ids of sorted pairs, those of one cut key by the whole of their strings."""
    for key, equal in groupby(entries, key=_key):
        ids = (id_ for _, id_ in equal)
        yield from _by_whole_text(list(ids), query, source) if is_cut(key) else ids


def _by_whole_text(ids: list[bytes], query: Query, source: Source) -> Iterable[bytes]:
    if len(ids) == 1:
        return ids
    texts = []
    for id_ in ids:
        body = source.document(id_)
        text = None if body is None else field(load(body), query.sort.path)
        if type(text) is str:
            texts.append((text, id_))
    texts.sort(reverse=query.reverse)
    return [id_ for _, id_ in texts]
