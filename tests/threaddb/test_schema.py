"""Schemas are kept as upstream keeps them, and refuse documents in the words of its validator."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textile_aio.errors import InvalidInput, SchemaViolation, StatusCode
from textile_aio.threaddb.documents import read_instance
from textile_aio.threaddb.schema import Schema

OBSERVED: list[dict[str, Any]] = json.loads(
    Path(__file__).with_name("gojsonschema_observed.json").read_text("utf-8")
)["cases"]

PREFIX = "instance doesn't correspond to schema: "

OTHER_REFUSALS = {
    '{"minimum":1e2}': (
        "json: cannot unmarshal number 100 into Go struct field Schema.Type.minimum of type int"
    ),
    '{"minimum":1.0}': "json: cannot unmarshal number 1 into Go struct field Schema.Type.minimum of type int",
    '{"enum":[1,1.0,"a",null,1e400]}': "json: cannot unmarshal number 1e400 into Go value of type float64",
}
"""Where a number is quoted, ours is not spelled as it came."""

OTHER_TEXTS = {
    # Integers keep their digits, as they do in documents.
    '{"enum":[1,1.50,"<a>",null,{"b":1,"a":2},12345678901234567890]}': (
        r'{"enum":[1,1.5,"\u003ca\u003e",null,{"a":2,"b":1},12345678901234567890]}'
    ),
    # Of members whose names differ in case the last counts; upstream puts their members together.
    '{"properties":{"a":{"type":"x"}},"PROPERTIES":{"b":{}}}': '{"properties":{"b":{}}}',
    '{"definitions":{"a":{}},"DEFINITIONS":{"b":{}}}': '{"definitions":{"b":{}}}',
    '{"items":{"type":"x"},"items":{"title":"t"}}': '{"items":{"title":"t"}}',
}

OTHER_FAULTS = {
    "parse \"http://[bad\": missing ']' in host": 'parse "http://[bad": no URL',
}

OTHER_VERDICTS = {
    '{"v": "group: a@b;"}': ["v: Does not match format 'email'"],  # a group of one is no address here
}


def person(**changes: Any) -> bytes:
    schema = {
        "type": "object",
        "properties": {"_id": {"type": "string"}, "name": {"type": "string"}, "age": {"type": "integer"}},
        "required": ["_id", "name"],
    }
    return json.dumps({**schema, **changes}).encode()


@pytest.mark.parametrize("case", OBSERVED, ids=lambda case: case["schema"][:60])
def test_a_schema_does_what_upstream_was_seen_to_do(case: dict[str, Any]) -> None:
    raw = case["schema"]
    if "error" in case:
        with pytest.raises(InvalidInput) as refusal:
            Schema.parse(raw.encode())
        assert refusal.value.message == OTHER_REFUSALS.get(raw, case["error"])
        assert refusal.value.code is None
        return
    schema = Schema.parse(raw.encode())
    expected_text = OTHER_TEXTS.get(raw, case["text"])
    if "additionalProperties" not in expected_text:
        assert schema.text.decode() == expected_text
    assert json.loads(schema.text) == json.loads(expected_text)  # there numbers may be spelled otherwise
    for seen in case.get("documents", ()):
        assert verdict(schema, seen["document"]) == expected_verdict(seen)


def verdict(schema: Schema, document: str) -> str | list[str]:
    """The faults of a document, or what kept it from being checked."""
    try:
        schema.check(document.encode())
    except SchemaViolation as violation:
        return sorted(violation.message.removeprefix(PREFIX).split("; "))
    except InvalidInput as refusal:
        return refusal.message
    return []


def expected_verdict(seen: dict[str, Any]) -> str | list[str]:
    if "error" in seen:
        error: str = seen["error"]
        return OTHER_FAULTS.get(error, error)
    faults: list[str] = OTHER_VERDICTS.get(seen["document"], seen["errors"])
    return sorted("; ".join(faults).split("; ")) if faults else []


@pytest.mark.parametrize(
    "case", [case for case in OBSERVED if "error" not in case], ids=lambda c: c["schema"][:60]
)
def test_a_stored_schema_reads_as_itself(case: dict[str, Any]) -> None:
    once = Schema.parse(case["schema"].encode())
    assert Schema.parse(once.text).text == once.text


def test_a_schema_goes_round_as_the_specification_shows() -> None:
    sent = (
        b'{"$id":"u","$schema":"http://json-schema.org/draft-07/schema#","title":"P","type":"object",'
        b'"properties":{"_id":{"type":"string"},"age":{"type":"integer","minimum":0}}}'
    )
    assert Schema.parse(sent).text == (
        b'{"$schema":"http://json-schema.org/draft-07/schema#",'
        b'"properties":{"_id":{"type":"string"},"age":{"type":"integer"}},"type":"object","title":"P"}'
    )


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"_id": {"type": "string"}}},
        {"PROPERTIES": {"_id": {"Type": "string"}}},
        {"$ref": "#/definitions/P", "definitions": {"P": {"properties": {"_id": {"type": "string"}}}}},
        {"$ref": "P", "definitions": {"P": {"properties": {"_id": {"type": "string"}}}}},
    ],
)
def test_a_schema_with_text_as_id_is_accepted(schema: dict[str, Any]) -> None:
    Schema.parse(json.dumps(schema).encode()).require_id()


@pytest.mark.parametrize(
    "schema",
    [
        {},
        None,
        {"properties": {}},
        {"properties": {"_id": None}},
        {"properties": {"_id": {}}},
        {"properties": {"_id": {"type": "integer"}}},
        {"properties": {"_ID": {"type": "string"}}},
        {"properties": {"_id": {"$ref": "#/definitions/s"}}, "definitions": {"s": {"type": "string"}}},
        {"$ref": "#/definitions/Q", "properties": {"_id": {"type": "string"}}},
        {"$ref": "#/definitions/P", "definitions": {"P": None}},
        {"required": ["_id"]},
    ],
)
def test_a_schema_without_text_as_id_is_refused(schema: Any) -> None:
    with pytest.raises(InvalidInput, match="^the collection schema _id property must be a string") as refusal:
        Schema.parse(json.dumps(schema).encode()).require_id()
    assert refusal.value.code is StatusCode.UNKNOWN


INDEXED = Schema.parse(
    json.dumps(
        {
            "$ref": "#/definitions/Root",
            "definitions": {
                "Root": {
                    "properties": {
                        "name": {"type": "string"},
                        "age": {"type": "integer"},
                        "rate": {"type": "number"},
                        "ok": {"type": "boolean"},
                        "tags": {"type": "array", "items": {"type": "string"}},
                        "nothing": {"type": "null"},
                        "untyped": {},
                        "absent": None,
                        "named": {"$ref": "#/definitions/Text"},
                        "child": {"$ref": "#/definitions/Root"},
                        "inner": {"type": "object", "properties": {"x": {"type": "string"}}},
                        "loop": {"$ref": "#/definitions/Loop"},
                    }
                },
                "Text": {"type": "string"},
                "Loop": {"$ref": "#/definitions/Loop"},
            },
        }
    ).encode()
)


@pytest.mark.parametrize(
    "path", ["name", "age", "rate", "ok", "inner.x", "child.name", "child.child.child.inner.x"]
)
def test_a_path_to_a_comparable_value_can_have_an_index(path: str) -> None:
    INDEXED.require_indexable(path)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("missing", "collection schema does not contain path"),
        ("", "collection schema does not contain path"),
        (".", "collection schema does not contain path"),
        ("name.x", "collection schema does not contain path"),
        ("absent", "collection schema does not contain path"),
        ("loop.x", "collection schema does not contain path"),
        ("inner.", "collection schema does not contain path"),
        ("tags", "value not indexable"),
        ("inner", "value not indexable"),
        ("nothing", "value not indexable"),
        ("untyped", "value not indexable"),
        ("named", "value not indexable"),
        ("child", "value not indexable"),
    ],
)
def test_any_other_path_cannot(path: str, text: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        INDEXED.require_indexable(path)
    assert (refusal.value.message, refusal.value.code) == (text, StatusCode.UNKNOWN)


def test_an_instance_that_was_read_is_checked_as_it_is() -> None:
    schema = Schema.parse(person())
    schema.check(read_instance(b'{"_id":"a","name":"b","age":1.0}'))
    with pytest.raises(SchemaViolation) as violation:
        schema.check(read_instance(b'{"_id":"a","age":"x"}'))
    assert violation.value.message == (
        f"{PREFIX}(root): name is required; age: Invalid type. Expected: integer, given: string"
    )


def test_faults_of_the_document_itself_come_first() -> None:
    """Hubs look for this very beginning to bring a collection of their own up to date."""
    schema = Schema.parse(person(additionalProperties=False))
    with pytest.raises(SchemaViolation) as violation:
        schema.check(b'{"_id":"a","_mod":1,"age":"x","name":2}')
    assert violation.value.message.startswith(f"{PREFIX}(root): Additional property _mod is not allowed; ")


def test_a_schema_that_is_none_fails_each_check_in_the_same_words() -> None:
    schema = Schema.parse(person(type="foo"))
    schema.require_id()
    for _ in range(2):
        with pytest.raises(
            InvalidInput, match="has a primitive type that is NOT VALID -- given: /foo/ "
        ) as refusal:
            schema.check(b'{"_id":"a","name":"b"}')
        assert not isinstance(refusal.value, SchemaViolation)


def test_nothing_is_ever_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any) -> None:
        pytest.fail("a socket was made")

    monkeypatch.setattr("socket.socket.__init__", never)
    for reference in (
        "http://127.0.0.1:9/schema",
        "http://json-schema.org/draft-07/schema#",
        "file:///etc/hosts",
    ):
        schema = Schema.parse(person(properties={"x": {"$ref": reference}}))
        with pytest.raises(InvalidInput, match="is not within the schema, and nothing is fetched"):
            schema.check(b'{"_id":"a","name":"b"}')


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
keywords = st.sampled_from(
    [
        *(
            "type",
            "properties",
            "items",
            "required",
            "enum",
            "anyOf",
            "oneOf",
            "allOf",
            "not",
            "$ref",
            "definitions",
        ),
        *(
            "additionalProperties",
            "pattern",
            "format",
            "minimum",
            "maximum",
            "multipleOf",
            "minLength",
            "default",
        ),
        *("uniqueItems", "dependencies", "patternProperties", "if", "const", "contains", "$id"),
    ]
)
schemas = st.recursive(
    json_values,
    lambda inner: st.dictionaries(keywords, inner | st.lists(inner, max_size=3), max_size=5),
    max_leaves=20,
)


@given(schemas, json_values)
def test_any_json_is_a_schema_or_refused_and_checks_or_refuses_any_other(schema: Any, document: Any) -> None:
    try:
        read = Schema.parse(json.dumps(schema).encode())
    except InvalidInput:
        return
    assert Schema.parse(read.text).text == read.text
    try:
        read.check(json.dumps(document).encode())
    except InvalidInput as refusal:
        outcome = refusal
    else:
        return
    assert outcome.message
    assert outcome.code is StatusCode.UNKNOWN
