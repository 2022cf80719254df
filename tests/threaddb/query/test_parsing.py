"""Query JSON is read as Go reads it. The texts in the tables were obtained from Go's encoding/json itself."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.recorded import cases, label
from tests.threaddb.query.strategies import documents, queries
from textile_aio.errors import InvalidQuery, StatusCode
from textile_aio.threaddb.query import Criterion, Operation, Query, Sort, decode, parsing

EQ = Operation.EQ
OPTIONS = {"limitTo": "limit", "skipNum": "skip", "seekID": "seek", "useIndex": "index"}
VALUELESS = "invalid query: value type should describe exactly one type"


@pytest.mark.parametrize("case", cases("query-json", "query"), ids=label)
def test_what_the_javascript_builder_writes_is_read_as_it_was_built(case: dict[str, Any]) -> None:
    assert decode(case["json"].encode()) == built(case["steps"])


def built(steps: list[list[Any]]) -> Query:
    """The query that the steps of a recorded case build."""
    operations = {"eq": 0, "ne": 1, "gt": 1, "lt": 3, "ge": 4, "le": 5}  # the builder's gt writes "not equal"
    fields: dict[str, Any] = {"ands": (), "ors": ()}
    path = ""
    for name, *arguments in steps:
        match name:
            case "Query.where" | "new Where" | "and":
                (path,) = arguments
            case "or":
                fields["ors"] += (built(arguments[0]),)
            case "orderBy" | "orderByDesc":
                fields["sort"] = Sort(arguments[0], name == "orderByDesc")
            case "orderByID" | "orderByIDDesc":
                fields["sort"] = Sort("_id", name == "orderByIDDesc")
            case _ if name in OPTIONS:
                fields[OPTIONS[name]] = arguments[0]
            case "new Query":
                pass
            case _:
                fields["ands"] += (Criterion(path, Operation(operations[name]), arguments[0]),)
    return Query(**fields)


@pytest.mark.parametrize("case", cases("query-json", "criterion"), ids=label)
def test_the_codes_of_operations_are_the_recorded_ones(case: dict[str, Any]) -> None:
    (criterion,) = decode(case["json"].encode()).ands
    assert criterion.operation.name == case["operation_name"].upper()
    assert criterion.operation == case["operation_code"]


@pytest.mark.parametrize(
    "case", [each for each in cases("query-json", "special_value") if each["accepted"]], ids=label
)
def test_a_number_that_javascript_writes_as_null_is_no_value(case: dict[str, Any]) -> None:
    _refused(case["json"].encode(), VALUELESS, StatusCode.UNKNOWN)


@pytest.mark.parametrize("text", [b"null", b"{}", b' {"ands":null,"ors":null} ', b'{"Ands":[],"Ors":[]}'])
def test_nothing_asked_for_is_everything(text: bytes) -> None:
    assert decode(text) == Query()


def test_go_and_javascript_spell_the_same_query() -> None:
    pascal = {
        "Ands": [{"FieldPath": "age", "Operation": 4, "Value": {"String": None, "Bool": None, "Float": 60}}],
        "Ors": [
            {"Ands": None, "Ors": None, "Sort": {"FieldPath": "", "Desc": False}, "Seek": "", "Limit": 0}
        ],
        "Sort": {"FieldPath": "_id", "Desc": True},
        "Seek": "s",
        "Limit": 5,
        "Skip": 1,
        "Index": "age",
    }
    camel = {
        "ands": [{"fieldPath": "age", "operation": 4, "value": {"float": 60}}],
        "ors": [{}],
        "sort": {"fieldPath": "_id", "desc": True},
        "seek": "s",
        "limit": 5,
        "skip": 1,
        "index": "age",
    }
    expected = Query((Criterion("age", Operation.GE, 60.0),), (Query(),), Sort("_id", True), "s", 5, 1, "age")
    assert decode(json.dumps(pascal).encode()) == decode(json.dumps(camel).encode()) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"LIMIT":3}', Query(limit=3)),
        ('{"\u017fkip":3}', Query(skip=3)),
        ('{"s\u212aip":3}', Query(skip=3)),
        ('{"\ufb01eldPath":1,"sort":{"\ufb01eldpath":1}}', Query()),
        ('{"limit":5,"Limit":7}', Query(limit=7)),
        ('{"limit":5,"Limit":null}', Query(limit=5)),
        ('{"sort":{"fieldPath":"a"},"Sort":{"desc":true}}', Query(sort=Sort("a", True))),
        ('{"ands":[{"value":{"bool":true}}],"Ands":null}', Query()),
        ('{"query":5,"nested":{"ands":[null]},"limit":1}', Query(limit=1)),
        ('{"skip":-3,"limit":-0}', Query(skip=-3)),
        (
            '{"ands":[{"value":{"string":"x","String":null,"float":-0}}]}',
            Query((Criterion("", Operation.EQ, -0.0),)),
        ),
        ('{"ands":[{"query":7,"value":{"bool":false}}]}', Query((Criterion("", EQ, False),))),
    ],
)
def test_names_and_nulls_are_taken_as_go_takes_them(text: str, expected: Query) -> None:
    assert decode(text.encode()) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "unexpected end of JSON input"),
        ("{} x", "invalid character 'x' after top-level value"),
        ("[]", "json: cannot unmarshal array into Go value of type db.Query"),
        ("5", "json: cannot unmarshal number into Go value of type db.Query"),
        ('{"ands":[{"operation":9}]}', VALUELESS),
        ('{"ands":[{"value":{"string":"x","float":1}}]}', VALUELESS),
        ('{"ands":[{"value":null}]}', VALUELESS),
        ('{"ands":[null,{"value":null}]}', VALUELESS),
        ('{"ors":[{"ors":[{"ands":[{"fieldPath":"a"}]}]}]}', VALUELESS),
    ],
)
def test_what_go_refuses_is_refused_with_its_text(text: str, message: str) -> None:
    _refused(text.encode(), message, StatusCode.UNKNOWN)


@pytest.mark.parametrize(
    ("text", "kind", "field", "wanted"),
    [
        ('{"limit":"5"}', "string", "Query.Limit", "int"),
        ('{"limit":5.5}', "number 5.5", "Query.Limit", "int"),
        ('{"limit":9223372036854775808}', "number 9223372036854775808", "Query.Limit", "int"),
        ('{"skip":true}', "bool", "Query.Skip", "int"),
        ('{"ands":{}}', "object", "Query.Ands", "[]*db.Criterion"),
        ('{"ands":[5]}', "number", "Query.Ands", "db.Criterion"),
        ('{"ors":5}', "number", "Query.Ors", "[]*db.Query"),
        ('{"ors":["x"]}', "string", "Query.Ors", "db.Query"),
        ('{"sort":[]}', "array", "Query.Sort", "db.Sort"),
        ('{"sort":{"fieldPath":5}}', "number", "Sort.Sort.FieldPath", "string"),
        ('{"sort":{"desc":"x"}}', "string", "Sort.Sort.Desc", "bool"),
        ('{"seek":5}', "number", "Query.Seek", "db.InstanceID"),
        ('{"index":5}', "number", "Query.Index", "string"),
        ('{"ands":[{"fieldPath":1}]}', "number", "Criterion.Ands.FieldPath", "string"),
        ('{"ands":[{"operation":1.5}]}', "number 1.5", "Criterion.Ands.Operation", "db.Operation"),
        ('{"ands":[{"value":5}]}', "number", "Criterion.Ands.Value", "db.Value"),
        ('{"ands":[{"value":{"string":5}}]}', "number", "Value.Ands.Value.String", "string"),
        ('{"ands":[{"value":{"bool":5}}]}', "number", "Value.Ands.Value.Bool", "bool"),
        ('{"ors":[{"ands":[{"value":{"float":true}}]}]}', "bool", "Value.Ors.Ands.Value.Float", "float64"),
        ('{"ors":[{"ors":[{"limit":"x"}]}]}', "string", "Query.Ors.Ors.Limit", "int"),
        ('{"limit":"5","ands":[null],"skip":true}', "string", "Query.Limit", "int"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_with_gos_text(
    text: str, kind: str, field: str, wanted: str
) -> None:
    message = f"json: cannot unmarshal {kind} into Go struct field {field} of type {wanted}"
    _refused(text.encode(), message, StatusCode.UNKNOWN)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"ands":[{"operation":6,"value":{"bool":true}}]}', "invalid query: unknown operation 6"),
        ('{"ands":[{"operation":-1,"value":{"bool":true}}]}', "invalid query: unknown operation -1"),
        ('{"ands":[null]}', "invalid query: null in Ands"),
        ('{"ors":[{"ors":[null]}]}', "invalid query: null in Ors"),
    ],
)
def test_what_upstream_crashes_at_is_an_invalid_argument(text: str, message: str) -> None:
    _refused(text.encode(), message, StatusCode.INVALID_ARGUMENT)


def test_a_query_has_a_bounded_number_of_terms() -> None:
    text = b'{"ors":[%s]}' % b",".join([b"{}"] * parsing.MAX_TERMS)
    assert len(decode(text).ors) == parsing.MAX_TERMS
    one_more = text.replace(b"{}", b'{"ands":[{"value":{"bool":true}}]}', 1)
    message = f"invalid query: more than {parsing.MAX_TERMS} criteria and alternatives"
    _refused(one_more, message, StatusCode.INVALID_ARGUMENT)


def test_a_query_has_a_bounded_depth() -> None:
    deep = b'{"ors":[' * 90 + b"]}" * 90
    assert set(decode(deep).alternatives) == {()}
    with pytest.raises(InvalidQuery) as caught:
        decode(b'{"ors":[' * 100_000 + b"]}" * 100_000)
    assert caught.value.code is StatusCode.UNKNOWN


@settings(deadline=None)
@given(st.data())
def test_every_query_of_a_go_client_is_read(data: st.DataObject) -> None:
    query = data.draw(queries(data.draw(documents())))
    assert _in_gos_spelling(decode(json.dumps(query).encode())) == _without_nulls(query)


def _in_gos_spelling(query: Query) -> dict[str, Any]:
    return {
        "Ands": [
            {"FieldPath": each.path, "Operation": each.operation, "Value": _value(each.value)}
            for each in query.ands
        ],
        "Ors": [_in_gos_spelling(each) for each in query.ors],
        "Sort": {"FieldPath": query.sort.path, "Desc": query.sort.descending},
        "Seek": query.seek,
        "Limit": query.limit,
        "Skip": query.skip,
        "Index": query.index,
    }


def _value(value: Any) -> dict[str, Any]:
    return {{str: "String", bool: "Bool"}.get(type(value), "Float"): value}


def _without_nulls(query: dict[str, Any]) -> dict[str, Any]:
    ands = [
        {**each, "Value": _value(float(value) if type(value) is int else value)}
        for each in query["Ands"] or []
        for value in each["Value"].values()
        if value is not None
    ]
    return {**query, "Ands": ands, "Ors": [_without_nulls(each) for each in query["Ors"] or []]}


NAMES = ["ands", "Ors", "sort", "limit", "fieldPath", "operation", "value", "Float", "string", "x"]
anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
)


@settings(deadline=None)
@given(st.binary(max_size=20) | anything.map(lambda value: json.dumps(value).encode()))
def test_anything_is_a_query_or_refused_as_one(text: bytes) -> None:
    with suppress(InvalidQuery):
        assert isinstance(decode(text), Query)


def _refused(text: bytes, message: str, code: StatusCode) -> None:
    with pytest.raises(InvalidQuery) as caught:
        decode(text)
    assert (caught.value.message, caught.value.code) == (message, code)
