"""Running a query: candidates are checked, shown through the reader's eyes, and counted.

Nothing is held beyond what a plan needs to know of documents not yet given: ids, and pairs of sort key and
id. The result is the same whichever plan is run.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import islice

from textile_aio.threaddb.documents import load
from textile_aio.threaddb.query.candidates import candidates
from textile_aio.threaddb.query.matching import Predicate, anything, compiled
from textile_aio.threaddb.query.model import Query
from textile_aio.threaddb.query.planner import Order, Plan
from textile_aio.threaddb.query.sorting import by_field, by_index
from textile_aio.threaddb.query.source import Source, Visible


def run(query: Query, plan: Plan, source: Source, visible: Visible) -> Iterator[bytes]:
    """The results of a query, as the reader sees them, in order.

    Matching and sorting look at the stored documents. Seek comes first, then what is hidden is left out, then
    the rest is sorted, and of that ``skip`` are passed over and ``limit`` given. Upstream sorts last, so that
    a limited query gives the first by id there, not the first by the sort field (spec: threads-api §14).

    Args:
        query: What is wanted.
        plan: What :func:`~textile_aio.threaddb.query.planner.plan` made of it.
        source: The collection. Read as the iterator is advanced.
        visible: Called for each document that matches, as far as needed; when results are sorted, for those
            that are given once more.

    Raises:
        InvalidQuery: The results cannot be sorted: there are several, and not all of them have, at the sort
            field, values of one type other than null.
    """
    first = max(query.skip, 0)
    end = min(first + query.limit, sys.maxsize) if query.limit > 0 else None
    matches = compiled(query)
    if plan.order is Order.SORT:
        ids = by_field(query, plan, source, matches, visible, most=end)
        return _shown(islice(ids, min(first, sys.maxsize), end), source, visible)
    if plan.order is Order.INDEX:
        documents = by_index(query, plan, source)
    else:
        documents = (document.body for document in candidates(source, plan, reverse=query.reverse))
    return islice(_matching(documents, matches, visible), min(first, sys.maxsize), end)


def _matching(documents: Iterator[bytes], matches: Predicate, visible: Visible) -> Iterator[bytes]:
    for body in documents:
        if matches is anything or matches(load(body)):
            seen = visible(body)
            if seen is not None:
                yield seen


def _shown(ids: Iterator[bytes], source: Source, visible: Visible) -> Iterator[bytes]:
    for id_ in ids:
        body = source.document(id_)
        seen = None if body is None else visible(body)
        if seen is not None:
            yield seen
