"""The core of it: whatever indexes there are, a query's result is what the naive evaluator says."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

from hypothesis import event, given, settings
from hypothesis import strategies as st

from tests.threaddb.query import naive
from tests.threaddb.query.collection import Collection
from tests.threaddb.query.strategies import PATHS, documents, queries
from textile_aio.errors import InvalidQuery, StatusCode
from textile_aio.threaddb.documents import load
from textile_aio.threaddb.query import Query, candidates, decode, matches, plan, sorting
from textile_aio.threaddb.query.keys import claim, field

SMALL: list[tuple[Any, str, int, int]] = [
    (candidates, "FIRST_ENTRIES", 2, 8),
    (candidates, "ENTRIES_PER_DOCUMENT", 1, 2),
    (candidates, "MOST_IDS", 1, 12),
    (sorting, "MOST_PAIRS", 1, 6),
    (sorting, "FEWEST_TO_CUT", 1, 4),
]
"""Budgets with the least and the most they are set to here, so that a dozen documents are many."""


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_the_result_is_the_same_with_and_without_indexes(data: st.DataObject) -> None:
    stored = data.draw(documents())
    query = data.draw(queries(stored))
    some = {path for path in PATHS if data.draw(st.booleans(), f"index on {path!r}")}
    hidden = {each["_id"] for each in stored if data.draw(st.integers(0, 6), "hidden") == 0}
    decoded = decode(json.dumps(query).encode())
    with ExitStack() as budgets:
        for module, name, least, most in SMALL:
            budgets.enter_context(patch.object(module, name, data.draw(st.integers(least, most), name)))
        for indexed in (set(), some, set(PATHS)):
            unique = {path for path in indexed if _claims_differ(stored, path)}
            collection = Collection(stored, *indexed, unique=unique)
            chosen = plan(decoded, collection.indexes, collection).describe()
            found = _found(collection, decoded, hidden)
            assert found == _expected(stored, query, hidden, indexed), chosen
    event(f"{chosen['kind']}, order by {chosen['order']}")
    event(found if isinstance(found, str) else "results" if found else "no results")


@settings(deadline=None)
@given(st.data())
def test_a_document_matches_as_the_naive_evaluator_says(data: st.DataObject) -> None:
    stored = data.draw(documents())
    query = data.draw(queries(stored))
    decoded = decode(json.dumps(query).encode())
    for document in stored:
        loaded = load(json.dumps(document).encode())
        assert matches(decoded, loaded) is naive.match(query, document)


def _claims_differ(stored: list[dict[str, Any]], path: str) -> bool:
    claims = Counter(claim(field(document, path)) for document in stored)
    return all(number == 1 for claimed, number in claims.items() if claimed is not None)


def _found(collection: Collection, query: Query, hidden: set[str]) -> list[str] | str:
    try:
        return collection.find(query, hidden=hidden)
    except InvalidQuery as error:
        return f"{error.code}: {error.message}"


def _expected(
    stored: list[dict[str, Any]], query: dict[str, Any], hidden: set[str], indexed: set[str]
) -> list[str] | str:
    try:
        return naive.find(query, stored, hidden=hidden, paths=indexed)
    except naive.CannotSort:
        return f"{StatusCode.UNKNOWN}: sorting field doesn't correspond to instance type"
