"""What a query means, said as plainly as possible: it shares nothing with the code under test.

Works on the query's JSON as it was parsed, in Go's spelling, and on the documents' JSON.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import cmp_to_key
from typing import Any

Json = dict[str, Any]

KINDS = {dict: "composite", list: "composite", int: "number", float: "number", bool: "bool", str: "str"}


class CannotSort(Exception):
    """The rows have no common order."""


def find(
    query: Json, documents: Iterable[Json], *, hidden: Collection[str] = (), paths: Collection[str]
) -> list[str]:
    """The ids of a query's results. ``paths`` are those of the indexes there are."""
    if query["Index"] and query["Index"] != "_id" and query["Index"] not in paths:
        return []
    sort = query["Sort"]["FieldPath"]
    descending = query["Sort"]["Desc"] and sort != ""
    rows = sorted(documents, key=lambda each: each["_id"].encode())
    if query["Seek"]:
        seek = query["Seek"].encode()
        backwards = descending and sort == "_id"
        rows = [
            row for row in rows if (row["_id"].encode() <= seek if backwards else row["_id"].encode() >= seek)
        ]
    rows = [row for row in rows if match(query, row) and row["_id"] not in hidden]
    if sort not in {"", "_id"}:
        rows = _sorted(rows, sort)
    if descending:
        rows.reverse()
    rows = rows[max(query["Skip"], 0) :]
    if query["Limit"] > 0:
        rows = rows[: query["Limit"]]
    return [row["_id"] for row in rows]


def match(query: Json, document: Json) -> bool:
    if all(_holds(criterion, document) for criterion in query["Ands"] or []):
        return True
    return any(match(other, document) for other in query["Ors"] or [])


def _holds(criterion: Json, document: Json) -> bool:
    there, value = _look(document, criterion["FieldPath"])
    if not there or value is None:
        return False
    (name, wanted), *others = [(n, v) for n, v in criterion["Value"].items() if v is not None]
    assert not others
    if name == "String":
        if not isinstance(value, str):
            return False
        comparison = _three_way(value.encode(), wanted.encode())
    elif name == "Bool":
        if not isinstance(value, bool):
            return False
        comparison = 0 if value == wanted else -1
    else:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return False
        comparison = _three_way(float(value), float(wanted))
    return [
        comparison == 0,
        comparison != 0,
        comparison > 0,
        comparison < 0,
        comparison >= 0,
        comparison <= 0,
    ][criterion["Operation"]]


def _look(document: Json, path: str) -> tuple[bool, Any]:
    first, dot, rest = path.partition(".")
    if not isinstance(document, dict) or first not in document:
        return False, None
    return _look(document[first], rest) if dot else (True, document[first])


def _sorted(rows: list[Json], path: str) -> list[Json]:
    if len(rows) < 2:
        return rows
    looked = [_look(row, path) for row in rows]
    if any(not there or value is None for there, value in looked):
        raise CannotSort
    kinds = {KINDS[type(value)] for _, value in looked}
    if len(kinds) > 1:
        raise CannotSort

    def compare(one: Json, other: Json) -> int:
        (_, left), (_, right) = _look(one, path), _look(other, path)
        if kinds == {"str"}:
            left, right = left.encode(), right.encode()
        elif kinds == {"number"}:
            left, right = float(left), float(right)
        elif kinds == {"composite"}:
            left = right = 0
        return _three_way(left, right) or _three_way(one["_id"].encode(), other["_id"].encode())

    return sorted(rows, key=cmp_to_key(compare))


def _three_way(left: Any, right: Any) -> int:
    return int(left > right) - int(left < right)
