"""Documents and queries that meet: values, paths and ids are drawn from small pools of awkward ones."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

PATHS = ("a", "b", "n.x", "n.y.z", "")
"""Where documents have values, and indexes may be."""

LONG = "z" * 255
TEXTS = (
    *("", "a", "b", "a\x00", "é", "\ud7ff", "\uffff", "😀", "1", "true"),
    *(LONG, f"{LONG}é", f"{LONG}z", f"{LONG}za", f"{LONG}zb", f"{LONG}z😀"),
)
NUMBERS = (
    *(0, -0.0, 1, 1.0, -1, 0.5, 1e-7, 5e-324, -5e-324, 1e308, -1e308),
    *(2**53, 2**53 + 1, -(2**53) - 1, 2**64, 10**30),
)
_LETTERS = "0aZé\uffff😀"
IDS = [first + second for first in _LETTERS for second in ("", *_LETTERS)]

scalars = st.one_of(st.sampled_from(TEXTS), st.sampled_from(NUMBERS), st.booleans())
numbers = st.one_of(st.sampled_from(NUMBERS), st.floats(allow_nan=False, allow_infinity=False))
values = st.one_of(
    scalars,
    scalars,
    numbers,
    st.text(max_size=3),
    st.sampled_from([None, {}, [], {"x": 1}, [1, "a"]]),
)
_POOLS = [values, st.sampled_from(TEXTS), st.sampled_from(TEXTS[-6:]), numbers, st.booleans()]


@st.composite
def documents(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Documents with different ids. At most paths, values are of one type, often without a gap."""
    pools = {path: draw(st.sampled_from(_POOLS)) for path in PATHS}
    complete = {path for path in PATHS if draw(st.booleans())}
    found = []
    number = draw(st.integers(0, 14))
    for id_ in draw(st.permutations(IDS))[:number]:
        document: dict[str, Any] = {"_id": id_}
        for path in PATHS:
            if path in complete or draw(st.integers(0, 4)):
                _put(document, path, draw(pools[path]))
        found.append(document)
    return found


def _put(document: dict[str, Any], path: str, value: Any) -> None:
    first, dot, rest = path.partition(".")
    if dot:
        _put(document.setdefault(first, {}), rest, value)
    else:
        document[first] = value


def _look(document: Any, path: str) -> Any:
    for name in path.split("."):
        document = document.get(name) if isinstance(document, dict) else None
    return document


def _criteria(stored: list[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Criteria on values that documents have, as a rule."""

    @st.composite
    def criteria(draw: st.DrawFn) -> dict[str, Any]:
        path = draw(st.sampled_from([*PATHS, *PATHS, *PATHS, "_id", "_id", "n"]))
        there = [value for value in (_look(each, path) for each in stored) if isinstance(value, _SCALARS)]
        usual = st.sampled_from(there) if there else scalars
        drawn = draw(st.one_of(usual, usual, usual, scalars))
        value: dict[str, Any] = {"String": None, "Bool": None, "Float": None}
        value[{str: "String", bool: "Bool"}.get(type(drawn), "Float")] = drawn
        return {
            "FieldPath": path,
            "Operation": draw(st.sampled_from([0, 0, 0, 1, 2, 3, 4, 5])),
            "Value": value,
        }

    return criteria()


_SCALARS = (str, bool, int, float)


def queries(stored: list[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Queries of such documents, in Go's spelling."""
    criteria = _criteria(stored)
    one = st.lists(criteria, min_size=1, max_size=1)
    ands = st.one_of(one, one, st.lists(criteria, min_size=2, max_size=3))

    def query(ands: st.SearchStrategy[Any], ors: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
        return st.fixed_dictionaries(
            {
                "Ands": ands,
                "Ors": ors,
                "Sort": st.fixed_dictionaries(
                    {"FieldPath": st.sampled_from(["", "", "_id", *PATHS]), "Desc": st.booleans()}
                ),
                "Seek": st.sampled_from([*[""] * 40, *IDS]),
                "Limit": st.sampled_from([0, 0, 0, -1, 1, 2, 3, 5]),
                "Skip": st.sampled_from([0, 0, 0, -1, 1, 2, 4]),
                "Index": st.sampled_from([""] * 12 + ["_id", "a", "missing"]),
            }
        )

    no_ors: st.SearchStrategy[Any] = st.sampled_from([None, []])
    leaves = query(ands, no_ors)
    branches = st.lists(st.one_of(leaves, leaves, query(ands, st.lists(leaves, max_size=2))), max_size=3)
    drawn = query(st.one_of(*[ands] * 8, no_ors), st.one_of(no_ors, no_ors, branches))
    return st.tuples(drawn, st.booleans()).map(_sorted_by_a_criterion)


def _sorted_by_a_criterion(drawn: tuple[dict[str, Any], bool]) -> dict[str, Any]:
    """The query, if wanted with the field of its first criterion as that of its order."""
    query, wanted = drawn
    if wanted and query["Ands"]:
        query["Sort"]["FieldPath"] = query["Ands"][0]["FieldPath"]
    return query
