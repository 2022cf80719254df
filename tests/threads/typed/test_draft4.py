"""What hubs keep of a schema says what the schema said, or less and that aloud."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from textile_aio.errors import InvalidInput, SchemaViolation
from textile_aio.threaddb.schema import Schema
from textile_aio.threads.typed.draft4 import Draft4
from textile_aio.threads.typed.shapes import without_null


def converted(source: Any, definitions: dict[str, Any] | None = None) -> tuple[Any, list[str]]:
    """The schema of a member ``v``, and what was loosened."""
    conversion = Draft4(definitions or {})
    whole = conversion.document({"type": "object", "properties": {"v": source}, "required": ["v"]})
    kept = json.loads(Schema.parse(json.dumps(whole).encode()).text)
    assert kept == whole, "a hub would drop something"
    return whole["properties"]["v"], conversion.loosened


@pytest.mark.parametrize(
    ("source", "kept"),
    [
        ({"const": 3}, {"enum": [3], "type": "integer"}),
        ({"enum": ["a", None]}, {"enum": ["a"], "type": "string"}),
        ({"enum": ["a", 1]}, {"enum": ["a", 1]}),
        ({"type": ["integer", "null"]}, {"type": "integer"}),
        ({"type": ["integer", "string"]}, {"anyOf": [{"type": "integer"}, {"type": "string"}]}),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}], "title": "T"}, {"type": "integer", "title": "T"}),
        ({"type": "integer", "minimum": 0}, {"type": "integer", "minimum": -1, "exclusiveMinimum": True}),
        ({"type": "integer", "exclusiveMinimum": 0}, {"type": "integer", "minimum": 1}),
        ({"type": "integer", "maximum": 0}, {"type": "integer", "maximum": 1, "exclusiveMaximum": True}),
        ({"type": "integer", "minimum": 0.5}, {"type": "integer", "minimum": 1}),
        ({"type": "integer", "minimum": 2, "exclusiveMinimum": 2}, {"type": "integer", "minimum": 3}),
        (
            {"type": "number", "exclusiveMaximum": 5},
            {"type": "number", "maximum": 5, "exclusiveMaximum": True},
        ),
        ({"type": "number", "minimum": 1, "maximum": 9}, {"type": "number", "minimum": 1, "maximum": 9}),
        ({"type": "integer", "multipleOf": 5.0}, {"type": "integer", "multipleOf": 5}),
        ({"type": "string", "minLength": 0}, {"type": "string"}),
        ({"type": "string", "maxLength": 0}, {"type": "string", "allOf": [{"not": {"minLength": 1}}]}),
        ({"type": "string", "pattern": "^a+$"}, {"type": "string", "pattern": "^a+$"}),
        ({"type": "array", "items": True}, {"type": "array"}),
        ({"type": "array", "items": False}, {"type": "array", "allOf": [{"not": {"minItems": 1}}]}),
        (
            {"prefixItems": [{"type": "number"}] * 2, "items": False, "minItems": 2},
            {"minItems": 2, "maxItems": 2, "items": {"type": "number"}},
        ),
        ({"additionalProperties": True}, {}),
        (
            {"type": "object", "additionalProperties": False},
            {"type": "object", "additionalProperties": False},
        ),
        ({"not": {"const": 1}}, {"not": {"enum": [1], "type": "integer"}}),
        ({"anyOf": [True, {"type": "string"}]}, {"anyOf": [{}, {"type": "string"}]}),
        ({"allOf": [{"type": "string"}, False]}, {"allOf": [{"type": "string"}, {"not": {}}]}),
        ({"$ref": "#/$defs/Word", "title": "T"}, {"type": "string"}),
        ({"$ref": "#/$defs/Part", "description": "d"}, {"$ref": "#/definitions/Part"}),
        ({"$ref": "#/$defs/Maybe"}, {"type": "integer"}),
        (
            {"$ref": "#/$defs/Part", "minProperties": 1},
            {"allOf": [{"$ref": "#/definitions/Part"}, {"minProperties": 1}]},
        ),
        ({"type": "string", "contentEncoding": "base64", "x-mine": 1}, {"type": "string"}),
    ],
    ids=str,
)
def test_what_hubs_can_say_is_said(source: Any, kept: Any) -> None:
    definitions = {
        "Word": {"type": "string"},
        "Part": {"type": "object"},
        "Maybe": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
    }
    assert converted(source, definitions) == (kept, [])


@pytest.mark.parametrize(
    ("source", "kept", "note"),
    [
        ({"type": "number", "minimum": 0.5}, {"minimum": -1, "exclusiveMinimum": True}, "the minimum 0.5"),
        ({"type": "number", "minimum": 0}, {"minimum": -1, "exclusiveMinimum": True}, "the minimum 0"),
        ({"type": "number", "maximum": 2.5}, {"maximum": 3}, "the maximum 2.5"),
        ({"type": "number", "maximum": 1e300}, {}, "cannot keep the maximum 1e+300"),
        ({"type": "number", "multipleOf": 0.1}, {}, "multiples of 0.1"),
        ({"type": "string", "pattern": "(?=a)a"}, {}, "the pattern '(?=a)a'"),
        ({"type": "string", "pattern": r"(a)\1"}, {}, "the pattern"),
        ({"type": "string", "format": "time"}, {}, "any text is taken for a time of day"),
        ({"type": "array", "contains": {"type": "string"}}, {}, "'contains'"),
        ({"type": "object", "propertyNames": {"maxLength": 3}}, {}, "'propertyNames'"),
        ({"type": "object", "if": {}, "then": {}}, {}, "'if'"),
    ],
    ids=str,
)
def test_what_hubs_cannot_say_is_left_out_and_noted(source: Any, kept: Any, note: str) -> None:
    found, loosened = converted(source)
    assert found == {"type": source["type"], **kept}
    assert any(each.startswith("v: ") and note in each for each in loosened)


def test_elements_of_a_tuple_may_come_in_any_order() -> None:
    pair = {"prefixItems": [{"type": "string"}, {"type": "integer"}], "minItems": 2, "maxItems": 2}
    found, loosened = converted(pair)
    assert found == {
        "items": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
        "minItems": 2,
        "maxItems": 2,
    }
    note = "v: elements may come in any order: hubs keep no schema for each place"
    assert loosened == [note]
    assert converted({"prefixItems": [{"type": "string"}]}) == ({}, [note])  # anything may follow


@pytest.mark.parametrize(
    ("source", "match"),
    [
        ({"type": "null"}, "v can be nothing but None"),
        ({"items": {"type": ["string", "null"]}}, r"None is not possible in v\[\]"),
        ({"items": {"anyOf": [{"type": "string"}, {"type": "null"}]}}, r"None is not possible in v\[\]"),
        ({"additionalProperties": {"type": "null"}}, r"None is not possible in v\{\}"),
    ],
    ids=str,
)
def test_null_where_hubs_would_drop_it_is_refused(source: Any, match: str) -> None:
    with pytest.raises(InvalidInput, match=match):
        converted(source)


def test_definitions_refer_to_one_another_and_to_themselves() -> None:
    tree = {
        "type": "object",
        "properties": {"next": {"$ref": "#/$defs/Tree"}, "leaf": {"$ref": "#/$defs/Leaf"}},
    }
    conversion = Draft4({"Tree": tree, "Leaf": {"enum": [1, 2]}, "Unused": {}})
    assert conversion.document({"properties": {"v": {"$ref": "#/$defs/Tree"}}})["definitions"] == {
        "Tree": {
            "type": "object",
            "properties": {
                "next": {"$ref": "#/definitions/Tree"},
                "leaf": {"enum": [1, 2], "type": "integer"},
            },
        }
    }


NUMBERS = st.integers(-4, 4) | st.sampled_from([-1.5, -0.5, 0.5, 2.5])
SIZES = st.integers(0, 3)


def _some(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=members)


BOUNDS = _some(
    minimum=NUMBERS,
    maximum=NUMBERS,
    exclusiveMinimum=NUMBERS,
    exclusiveMaximum=NUMBERS,
    multipleOf=st.sampled_from([1, 2, 0.5]),
)
SCALARS = st.one_of(
    BOUNDS.map(lambda each: {"type": "integer", **each}),
    BOUNDS.map(lambda each: {"type": "number", **each}),
    _some(minLength=SIZES, maxLength=SIZES, pattern=st.sampled_from(["^a", "(?!b)a"])).map(
        lambda each: {"type": "string", **each}
    ),
    st.just({"type": "boolean"}),
    st.sampled_from([1, "a", True]).map(lambda each: {"const": each}),
    st.lists(st.sampled_from([1, 2, "a", "b"]), min_size=1, unique=True).map(lambda each: {"enum": each}),
    st.just({"$ref": "#/$defs/D"}),
)


def _wider(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    members = inner | inner.map(lambda each: {"anyOf": [each, {"type": "null"}]})
    return st.one_of(
        st.fixed_dictionaries(
            {"type": st.just("array"), "items": inner},
            optional={"minItems": SIZES, "maxItems": SIZES, "uniqueItems": st.booleans()},
        ),
        st.fixed_dictionaries(
            {"type": st.just("array"), "prefixItems": st.lists(inner, min_size=1, max_size=2)},
            optional={"items": st.just(False) | inner, "minItems": SIZES},
        ),
        st.fixed_dictionaries(
            {
                "type": st.just("object"),
                "properties": st.dictionaries(st.sampled_from("abc"), members, max_size=3),
            },
            optional={
                "required": st.lists(st.sampled_from("abc"), unique=True),
                "additionalProperties": st.booleans() | inner,
            },
        ),
        st.lists(inner, min_size=1, max_size=3).map(lambda each: {"anyOf": each}),
        st.lists(inner, min_size=1, max_size=2).map(lambda each: {"allOf": each}),
    )


SCHEMAS = st.recursive(SCALARS, _wider, max_leaves=6)
VALUES = st.recursive(
    st.integers(-5, 5) | st.sampled_from([-1.5, -0.5, 0.0, 0.5, 2.5, "", "a", "b", "aaaa", True, False]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner | st.none(), max_size=3)
    ),
    max_leaves=6,
)


@settings(deadline=None)  # a busy machine is no mistake
@given(SCHEMAS, SCALARS.filter(lambda each: "$ref" not in each), st.lists(VALUES, min_size=1, max_size=8))
def test_nothing_that_a_schema_allows_is_refused_and_all_else_only_where_noted(
    source: dict[str, Any], definition: dict[str, Any], values: list[Any]
) -> None:
    definitions = {"D": definition}
    whole = {"type": "object", "properties": {"v": source}, "required": ["v"], "$defs": definitions}
    _forget_required_null(whole)
    before = jsonschema_rs.Draft202012Validator(whole)
    conversion = Draft4(definitions)
    after = Schema.parse(
        json.dumps(conversion.document({k: v for k, v in whole.items() if k != "$defs"})).encode()
    )
    for value in values:
        document = {"v": value}
        try:
            after.check(json.dumps(without_null(document)).encode())
            accepted = True
        except SchemaViolation:
            accepted = False
        except InvalidInput as refusal:
            assume("cannot be greater than" not in refusal.message)  # bounds that contradict one another
            raise
        if before.is_valid(document):
            assert accepted
        elif before.is_valid(without_null(document)) or not conversion.loosened:
            assert accepted == before.is_valid(without_null(document))


def _forget_required_null(schema: Any) -> None:
    """Let no member be required that may be null: that it may be missing is what becomes of it."""
    if isinstance(schema, list):
        for each in schema:
            _forget_required_null(each)
    elif isinstance(schema, dict):
        described = schema.get("properties") or {}
        if isinstance(schema.get("required"), list):
            # One that nothing describes may be null like anything else.
            schema["required"] = [
                name
                for name in schema["required"]
                if name in described and {"type": "null"} not in described[name].get("anyOf", ())
            ]
        for each in schema.values():
            _forget_required_null(each)
