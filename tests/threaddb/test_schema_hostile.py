"""Schemas and documents made to take long or to break the checker: an answer or a refusal, soon."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from textile_aio.errors import InvalidInput, SchemaViolation
from textile_aio.threaddb.schema import Schema

SOON = 5.0
"""Seconds. Each of these takes less than one on a machine that has nothing else to do."""

LIMIT = "the instance is too large or too deep to be checked against the schema"


def outcome(schema: bytes, document: bytes) -> str:
    started = time.perf_counter()
    try:
        Schema.parse(schema).check(document)
        told = ""
    except InvalidInput as refusal:
        told = refusal.message
    assert time.perf_counter() - started < SOON
    assert len(told) <= 4_000
    return told


def check(schema: Any, document: Any) -> str:
    return outcome(json.dumps(schema).encode(), json.dumps(document).encode())


@pytest.mark.parametrize("keyword", ["anyOf", "oneOf", "allOf"])
def test_alternatives_that_double_at_every_level_are_given_up(keyword: str) -> None:
    definitions: dict[str, Any] = {"d0": {"type": "integer"}}
    for level in range(1, 60):
        definitions[f"d{level}"] = {keyword: [{"$ref": f"#/definitions/d{level - 1}"}] * 2}
    schema = {"properties": {"a": {"$ref": "#/definitions/d59"}}, "definitions": definitions}
    assert check(schema, {"a": "x"}) == LIMIT
    assert check(schema, {}) == ""


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {
            "$ref": "#/definitions/a",
            "definitions": {"a": {"$ref": "#/definitions/b"}, "b": {"$ref": "#/definitions/a"}},
        },
        {"anyOf": [{"$ref": "#"}, {"$ref": "#"}]},
        {"allOf": [{"$ref": "#"}]},
        {"not": {"$ref": "#"}},
        {"dependencies": {"a": {"$ref": "#"}}},
    ],
)
def test_a_schema_that_leads_back_to_itself_is_given_up(schema: Any) -> None:
    assert check(schema, {"a": 1}) == LIMIT


def test_recursion_with_the_document_is_no_such_thing() -> None:
    schema = {"properties": {"kids": {"items": {"$ref": "#"}}, "v": {"type": "integer"}}}
    document: Any = {"v": "x"}
    for _ in range(40):
        document = {"v": 1, "kids": [document, {"v": 2}]}
    assert check(schema, document) == (
        f"instance doesn't correspond to schema: {'kids.0.' * 40}v: "
        "Invalid type. Expected: integer, given: string"
    )


def test_a_document_as_deep_as_they_get_is_checked() -> None:
    schema = {"properties": {"k": {"$ref": "#"}}, "additionalProperties": False}
    assert outcome(json.dumps(schema).encode(), b'{"k":' * 195 + b"1" + b"}" * 195) == ""


@pytest.mark.parametrize(
    ("opening", "closing"),
    [('{"not":', "}"), ('{"allOf":[', "]}"), ('{"properties":{"a":', "}}"), ('{"items":', "}")],
)
def test_a_schema_as_deep_as_they_get_is_kept(opening: str, closing: str) -> None:
    depth = 199 // len(closing)
    raw = (opening * depth + '{"type":"string"}' + closing * depth).encode()
    assert Schema.parse(raw).text == raw
    told = outcome(raw, b"1")
    violated = told.startswith("instance doesn't correspond to schema: (root): ")
    assert violated or told in ("", "the schema is nested too deep", LIMIT)


def test_text_beyond_any_depth_is_no_schema() -> None:
    assert "exceeded max depth" in outcome(b'{"not":' * 100_000 + b"{}" + b"}" * 100_000, b"{}")


@pytest.mark.parametrize(
    "pattern", ["^(a+)+$", "(a|a)*b$", "(a|b|ab)*c", "^(([a-z])+.)+[A-Z]([a-z])+$", "(.*)*x"]
)
def test_patterns_take_linear_time(pattern: str) -> None:
    told = check({"properties": {"a": {"pattern": pattern}}}, {"a": "a" * 1_000_000 + "!"})
    assert told == f"instance doesn't correspond to schema: a: Does not match pattern '{pattern}'"


def test_patterns_that_outgrow_their_memory_are_none() -> None:
    for pattern in ("((a{900}){9}){9}", "a" * 1_000_000, "(" * 10_000):
        assert check({"properties": {"a": {"pattern": pattern}}}, {}) == "pattern must be a valid regex"


def test_a_pattern_whose_automaton_outgrows_its_memory_still_answers() -> None:
    schema = {"properties": {"a": {"pattern": "[a-q][^u-z]{13}x"}}}
    assert check(schema, {"a": "abcdefghijklmnopq" * 3_000 + "x"}) == ""


def test_a_schema_of_too_many_parts_is_refused() -> None:
    assert check({"patternProperties": {f"x{n}": {} for n in range(20_000)}}, {}) == "more than 200 patterns"
    assert (
        check({"properties": {f"x{n}": {} for n in range(30_000)}}, {})
        == "more than 20000 schemas within a schema"
    )


def test_large_keywords_on_many_values_end() -> None:
    names = [f"v{number}" for number in range(50_000)]
    assert check({"items": {"required": names}}, [{}] * 50_000) == LIMIT
    assert check({"items": {"properties": {name: {} for name in names[:19_000]}}}, [{}] * 50_000) == LIMIT
    assert "a.0 must be one of the following" in check(
        {"properties": {"a": {"items": {"enum": names}}}}, {"a": ["x"] * 50_000}
    )


def test_comparing_at_every_level_ends() -> None:
    schema = {
        "$ref": "#/definitions/u",
        "definitions": {"u": {"uniqueItems": True, "items": {"$ref": "#/definitions/u"}}},
    }
    document = b"[" * 150 + b'"' + b"x" * 1_000_000 + b'"' + b"]" * 150
    assert outcome(json.dumps(schema).encode(), document) == LIMIT


def test_large_documents_are_checked() -> None:
    schema = {
        "properties": {
            "a": {"items": {"properties": {"x": {"type": "integer", "minimum": 1}}, "required": ["x"]}}
        }
    }
    assert check(schema, {"a": [{"x": 1}] * 200_000}) == ""
    told = check(schema, {"a": [{"x": 0}] * 200_000})
    assert told.startswith(
        "instance doesn't correspond to schema: a.0.x: Must be greater than or equal to 1; a.1.x: "
    )


def test_long_names_and_values_make_no_long_texts() -> None:
    told = check({"additionalProperties": False}, {"n" * 2_000_000: 1})
    assert told.startswith("instance doesn't correspond to schema: (root): Additional property nnnn")
    check({"properties": {"a": {"enum": ["v" * 1_000_000]}}}, {"a": 1})
    check({"properties": {"a": {"pattern": "^" + "v" * 3_000}}}, {"a": ""})
    check({"properties": {"a": {"type": "t" * 1_000_000}}}, {"a": ""})


FORMAT_TEXTS = {
    "uri": "http://" + "a" * 1_000_000 + "%",
    "uri-reference": "/" + "%41" * 300_000 + "%",
    "uri-template": "/" + "{" * 500_000,
    "email": "a." * 200_000 + "@",
    "idn-email": '"a" ' * 20_000 + "<x",
    "hostname": "a-" * 120 + ".",
    "json-pointer": "/" + "a" * 1_000_000 + "~",
    "relative-json-pointer": "1" * 1_000_000 + "x",
    "regex": "(" * 1_000_000,
    "date": "9" * 1_000_000,
    "date-time": "2020-01-01T" + "0" * 1_000_000,
    "time": "1:02:03." + "0" * 1_000_000 + "x",
    "ipv4": "1." * 500_000,
    "ipv6": "1:" * 500_000,
    "uuid": "a" * 1_000_000,
}


@pytest.mark.parametrize("name", FORMAT_TEXTS)
def test_formats_take_linear_time(name: str) -> None:
    for text in (
        FORMAT_TEXTS[name],
        "(" * 300_000,
        "a " * 300_000 + "<b>",
        "<" * 300_000 + ">",
        "a.a." * 100_000 + "<b>",
    ):
        told = check({"properties": {"a": {"format": name}}}, {"a": text})
        assert told in ("", f"instance doesn't correspond to schema: a: Does not match format '{name}'")
    assert check({"properties": {"a": {"format": name}}}, {"a": FORMAT_TEXTS[name]})


def test_numbers_at_the_ends_of_their_range_are_compared() -> None:
    schema = {"additionalProperties": {"multipleOf": 1e-300, "minimum": -1e308, "exclusiveMaximum": 1e307}}
    assert check(schema, {"a": 1e306, "b": -(10**308), "c": 0}) == ""
    assert "Must be less than 1e+307" in check(schema, {"a": 10**308})


def test_a_violation_is_told_apart_from_a_schema_that_is_none() -> None:
    with pytest.raises(SchemaViolation):
        Schema.parse(b'{"type":"string"}').check(b"1")
    with pytest.raises(InvalidInput) as refusal:
        Schema.parse(b'{"type":"str"}').check(b"1")
    assert type(refusal.value) is InvalidInput
