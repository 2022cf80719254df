"""Queries: what the JavaScript client recorded, what the algebra promises, and what is refused."""

from __future__ import annotations

import json
import operator
import pickle
from collections.abc import Callable
from datetime import UTC, datetime
from functools import reduce
from typing import Any, assert_type

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.recorded import cases, label
from tests.threads.fakedb import matches
from textile_aio.errors import InvalidQuery
from textile_aio.threads.query.builder import Field, Query, query_of, where
from textile_aio.threads.query.conditions import MOST_ALTERNATIVES, Operation, criterion

COMPARE: dict[str, Callable[[Any, Any], Query]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
WHERE = {"Query.where", "new Where", "and"}


def rebuilt(steps: list[list[Any]]) -> Query:
    """The query that recorded steps stand for: criteria are joined first, then the alternatives."""
    alls: list[Query] = []
    anys: list[Query] = []
    field: Field | None = None
    for name, *arguments in steps:
        if name in WHERE:
            field = where(arguments[0])
        elif name in COMPARE:
            alls.append(COMPARE[name](field, arguments[0]))
        elif name == "or":
            anys.append(rebuilt(arguments[0]))
    query = reduce(operator.or_, anys, reduce(operator.and_, alls)) if alls else Query()
    for name, *arguments in steps:
        match name:
            case "orderBy" | "orderByDesc":
                query = query.order_by(arguments[0], descending=name.endswith("Desc"))
            case "orderByID" | "orderByIDDesc":
                query = query.order_by("_id", descending=name.endswith("Desc"))
            case "seekID":
                query = query.seek(arguments[0])
            case "limitTo":
                query = query.limit(arguments[0])
            case "skipNum":
                query = query.skip(arguments[0])
            case "useIndex":
                query = query.use_index(arguments[0])
    return query


def corrected(recorded: Any, steps: list[list[Any]]) -> Any:
    """The recorded JSON, with operation 2 where the peer means it and writes 1, and without zero options."""
    operations = iter(step[0] for step in flattened(steps) if step[0] in COMPARE)
    codes = {"eq": 0, "ne": 1, "gt": 2, "lt": 3, "ge": 4, "le": 5}

    def query(value: dict[str, Any]) -> dict[str, Any]:
        for each in value["ands"]:
            name = next(operations)
            assert each["operation"] == (1 if name == "gt" else codes[name])
            each["operation"] = codes[name]
        value["ors"] = [query(each) for each in value["ors"]]
        return {name: part for name, part in value.items() if part or name in ("ands", "ors")}

    return query(recorded)


def flattened(steps: list[list[Any]]) -> list[list[Any]]:
    """The steps in the order in which their criteria are written: alternatives come last."""
    inner = [each for step in steps if step[0] == "or" for each in flattened(step[1])]
    return [step for step in steps if step[0] != "or"] + inner


def refused_here(case: dict[str, Any]) -> bool:
    """What the peer takes and we refuse: a limit of 0 (all), and options inside an alternative (ignored)."""
    steps = case["steps"]
    options = {"orderBy", "limitTo", "skipNum", "seekID", "useIndex"}
    inside = [each for step in steps if step[0] == "or" for each in flattened(step[1])]
    return ["limitTo", 0] in steps or ["useIndex", ""] in steps or any(each[0] in options for each in inside)


@pytest.mark.parametrize("case", cases("query-json", "query"), ids=label)
def test_a_query_is_written_as_javascript_writes_it(case: dict[str, Any]) -> None:
    if refused_here(case):
        with pytest.raises(InvalidQuery):
            rebuilt(case["steps"])
        return
    assert json.loads(rebuilt(case["steps"]).to_json()) == corrected(json.loads(case["json"]), case["steps"])


@pytest.mark.parametrize("case", cases("query-json", "criterion"), ids=lambda case: case["operation_name"])
def test_every_comparison_has_the_wires_number(case: dict[str, Any]) -> None:
    ((_, value),) = case["value"].items()
    assert Operation[case["operation_name"].upper()] == case["operation_code"]
    compared = COMPARE[case["operation_name"].lower()](where(case["field"]), value)
    assert json.loads(compared.to_json()) == json.loads(case["json"])


SPECIAL: dict[str, Any] = {
    "NaN": float("nan"),
    "Infinity": float("inf"),
    "-Infinity": float("-inf"),
    "null": None,
    "object": {},
    "array": [],
    "bigint": 2**64 - 1,
}


@pytest.mark.parametrize("name", [c["value_name"] for c in cases("query-json", "special_value")])
def test_values_that_the_wire_cannot_say_are_refused(name: str) -> None:
    with pytest.raises(InvalidQuery):
        _ = where("name") == SPECIAL.get(name)


@pytest.mark.parametrize(
    ("value", "instead"),
    [
        (None, "matches no comparison"),
        ([1, 2], "in_"),
        (datetime(2024, 1, 1, tzinfo=UTC), "ISO 8601"),
        ({"city": "Bern"}, "address.city"),
        (b"x", "base64"),
        (2**53 + 1, "as text"),
        (-(10**400), "as text"),
        (1 + 2j, "str"),
        ("\ud800", "Unicode"),
    ],
)
def test_the_refusal_says_what_to_do_instead(value: Any, instead: str) -> None:
    with pytest.raises(ValueError, match=instead):
        _ = where("field") == value


@pytest.mark.parametrize("value", [0, -1, 2**53, 2**60, -(2**63), 10**21, 1.5, -0.0, True, "", "ż🐢\x00"])
def test_values_that_the_wire_can_say_go_out_unchanged(value: Any) -> None:
    ((sent,),) = [q["value"].values() for q in json.loads((where("f") == value).to_json())["ands"]]
    assert sent == value
    assert type(sent) is type(value)


NAMES = ("a", "b", "c", "d")

Expression = tuple[Query, Callable[[dict[str, bool]], bool]]


def leaf(name: str, value: bool) -> Expression:
    return where(name) == value, lambda document: document.get(name) is value


def joined(left: Expression, right: Expression, *, both: bool) -> Expression:
    if both:
        return left[0] & right[0], lambda document: left[1](document) and right[1](document)
    return left[0] | right[0], lambda document: left[1](document) or right[1](document)


EXPRESSIONS = st.recursive(
    st.builds(leaf, st.sampled_from(NAMES), st.booleans()),
    lambda inner: st.builds(lambda a, b, both: joined(a, b, both=both), inner, inner, st.booleans()),
    max_leaves=12,
)


@given(EXPRESSIONS, st.lists(st.dictionaries(st.sampled_from(NAMES), st.booleans()), max_size=8))
def test_and_and_or_mean_what_they_say_in_any_nesting(
    expression: Expression, documents: list[dict[str, bool]]
) -> None:
    query, meaning = expression
    wire = json.loads(query.to_json())
    for document in documents:
        assert matches(wire, document) == meaning(document)


@given(st.recursive(st.just(0), lambda inner: st.tuples(inner, inner), max_leaves=40))
def test_alternatives_stay_alternatives_however_they_are_nested(shape: Any) -> None:
    count = 0

    def build(part: Any) -> Query:
        nonlocal count
        if part == 0:
            count += 1
            return where("n") == count
        return build(part[0]) | build(part[1])

    wire = json.loads(build(shape).to_json())
    assert [n for n in range(count + 2) if matches(wire, {"n": n})] == list(range(1, count + 1))


def test_a_long_chain_of_alternatives_nests_no_deeper_than_json_allows() -> None:
    query = where("n") == 0
    for number in range(1, 3000):
        query = (where("n") == number) | query
    wire = json.loads(query.to_json())
    assert all(matches(wire, {"n": n}) for n in (0, 1, 1500, 2999))
    assert not matches(wire, {"n": 3000})


def test_distribution_is_bounded() -> None:
    many = where("a").in_(range(101)) & where("b").in_(range(99))
    assert len(json.loads(many.to_json())["ors"]) == 101 * 99 - 1
    with pytest.raises(InvalidQuery, match=f"{MOST_ALTERNATIVES:,}"):
        where("a").in_(range(101)) & where("b").in_(range(100))
    wide = where("a").in_(range(2 * MOST_ALTERNATIVES)) & (where("b") == 1)
    assert len(json.loads(wide.to_json())["ors"]) == 2 * MOST_ALTERNATIVES - 1


@pytest.mark.parametrize(
    ("filter_", "query"),
    [
        ({}, Query()),
        ({"age": 21}, where("age") == 21),
        ({"age": {"$eq": 21}}, where("age") == 21),
        ({"age": {"$gte": 21, "$lt": 65}}, (where("age") >= 21) & (where("age") < 65)),
        ({"a": {"$gt": 1}, "b": {"$ne": "x"}}, (where("a") > 1) & (where("b") != "x")),
        ({"a": {"$lte": 1}}, where("a") <= 1),
        ({"a": {"$in": [1, 2]}}, (where("a") == 1) | (where("a") == 2)),
        ({"a": {"$in": []}}, where("a").in_([])),
        ({"$or": [{"a": 1}, {"b": 2}]}, (where("a") == 1) | (where("b") == 2)),
        ({"$and": [{"a": 1}, {"b": 2}]}, (where("a") == 1) & (where("b") == 2)),
        ({"$or": [{"a": 1}, {}]}, Query()),
        ({"$and": [{"a": 1}, {}]}, where("a") == 1),
        (
            {"c": 3, "$or": [{"a": 1}, {"b": 2}]},
            ((where("c") == 3) & (where("a") == 1)) | ((where("c") == 3) & (where("b") == 2)),
        ),
    ],
)
def test_the_dictionary_form_means_the_same(filter_: dict[str, Any], query: Query) -> None:
    assert Query.matching(filter_).to_json() == query.to_json()
    assert query_of(filter_) == query


@pytest.mark.parametrize(
    "filter_",
    [
        {"$nor": [{"a": 1}]},
        {"a": {"$regex": "x"}},
        {"a": {}},
        {"a": {"city": "Bern"}},
        {"a": {"$in": "abc"}},
        {"a": {"$in": [None]}},
        {"$or": []},
        {"$or": {"a": 1}},
        {"$and": [1]},
        {1: 2},
        {"a": None},
        {"a": [1]},
    ],
    ids=str,
)
def test_what_the_dictionary_form_does_not_know_is_refused(filter_: dict[Any, Any]) -> None:
    with pytest.raises(InvalidQuery):
        Query.matching(filter_)


def test_a_filter_that_contains_itself_is_refused() -> None:
    filter_: dict[str, Any] = {}
    filter_["$and"] = [filter_]
    with pytest.raises(InvalidQuery, match="contains itself"):
        Query.matching(filter_)


def test_choosing_from_nothing_finds_nothing() -> None:
    wire = json.loads(where("a").in_([]).to_json())
    assert not any(matches(wire, {"_id": each, "a": 1}) for each in ("", "x", "01f"))


def test_everything_is_neutral_in_and_and_absorbs_in_or() -> None:
    some = where("a") == 1
    assert Query() & some == some & Query() == some
    assert Query() | some == some | Query() == Query()


def test_options_go_out_and_the_last_one_counts() -> None:
    query = (
        (where("a") > 1).order_by("b").order_by("c", descending=True).limit(3).limit(4).skip(5).seek("x")
    ).use_index("a")
    assert json.loads(query.to_json()) == {
        "ands": [{"fieldPath": "a", "operation": 2, "value": {"float": 1}}],
        "ors": [],
        "sort": {"fieldPath": "c", "desc": True},
        "limit": 4,
        "skip": 5,
        "seek": "x",
        "index": "a",
    }


def test_a_query_never_changes() -> None:
    query = where("a") == 1
    before = query.to_json()

    query.limit(1)
    query.order_by("x")
    assert query & (where("b") == 2) != query
    assert query.to_json() == before
    assert pickle.loads(pickle.dumps(query)) == query


@pytest.mark.parametrize(
    "option", [Query().limit(1), Query().skip(1), Query().order_by("x"), Query().seek("x")]
)
def test_options_inside_a_combination_are_refused(option: Query) -> None:
    plain = where("a") == 1
    for combine in (operator.and_, operator.or_):
        for pair in ((plain, option), (option, plain)):
            with pytest.raises(InvalidQuery, match="combine conditions first"):
                combine(*pair)


@pytest.mark.parametrize("count", [0, -1, True, 1.5, "1", None, 2**63])
def test_a_limit_is_a_number_of_instances(count: Any) -> None:
    with pytest.raises(InvalidQuery):
        Query().limit(count)


def test_a_query_has_no_truth() -> None:
    age = where("age")
    with pytest.raises(InvalidQuery, match="&"):
        _ = 18 <= age < 65
    with pytest.raises(InvalidQuery, match="&"):
        _ = (age > 1) and (age < 2)
    with pytest.raises(InvalidQuery, match="&"):
        _ = not (age > 1)


def test_a_comparison_works_from_both_sides() -> None:
    assert (21 <= where("age")) == (where("age") >= 21)  # noqa: SIM300
    assert_type(where("age") == 21, Query)
    assert_type((where("age") != 21) & (where("age") < 65) | where("age").in_([1, 2]), Query)


def test_what_is_no_query_is_refused() -> None:
    for value in ("age > 1", 1, [where("a") == 1]):
        with pytest.raises(InvalidQuery):
            query_of(value)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        (where("a") == 1) & {"b": 1}  # type: ignore[operator]


def test_a_field_is_named_by_text() -> None:
    with pytest.raises(ValueError, match="path"):
        where(1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="path"):
        criterion("\ud800", Operation.EQ, 1)
