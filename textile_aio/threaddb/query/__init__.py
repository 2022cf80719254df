"""Queries over one collection: read from JSON, planned over its indexes, and run as a stream.

What a query means is decided in ``matching.py`` and ``sorting.py`` alone; indexes only propose which
documents to look at, so the result is the same with and without them. Knows nothing of where documents are
kept (``source.py`` says what it needs of a collection), nor what a reader may see, but for the function that
tells.
"""

from textile_aio.threaddb.query.matching import matches
from textile_aio.threaddb.query.model import Criterion, Operation, Query, Sort
from textile_aio.threaddb.query.parsing import decode
from textile_aio.threaddb.query.planner import IndexInfo, Plan, plan
from textile_aio.threaddb.query.runner import run
from textile_aio.threaddb.query.source import Source, Visible

__all__ = [
    "Criterion",
    "IndexInfo",
    "Operation",
    "Plan",
    "Query",
    "Sort",
    "Source",
    "Visible",
    "decode",
    "matches",
    "plan",
    "run",
]
