"""The generated classes against the recorded description of every message, enum and method."""

from __future__ import annotations

from typing import Any

import betterproto2
import pytest
from grpclib.const import Cardinality

from tests.proto.generated import (
    SCHEMA,
    attribute,
    group,
    message_class,
    message_name,
    metadata,
    recorded,
    routes,
)

ENUMS: dict[str, dict[str, int]] = dict(recorded("enums"))
SERVICES = list(recorded("services"))
ENUM_FIELDS = [
    (message, field) for message, fields in SCHEMA.items() for field in fields if field["type"] == "enum"
]

#: Fields of ours that other peers skip, by message (docs/compatibility.md); no recording has them.
EXTENSIONS: dict[str, set[int]] = {
    "api.bucketsd.pb.ListPathResponse": {1000},
    "api.bucketsd.pb.PathItem": {1000},
    "api.bucketsd.pb.PullIpfsPathRequest": {1000, 1001},
    "api.bucketsd.pb.PullPathRequest": {1000, 1001},
    "api.bucketsd.pb.PushPathRequest": {1000},
    "api.bucketsd.pb.PushPathRequest.Header": {1000},
    "api.bucketsd.pb.PushPathsRequest.Chunk": {1000},
    "api.bucketsd.pb.PushPathsRequest.Header": {1000, 1001},
    "threads.pb.FindRequest": {1000, 1001},
    "threads.pb.FindReply": {1000, 1001},
    "threads.pb.ListenRequest": {1000},
    "threads.pb.ListenReply": {1000},
}

CARDINALITIES = {
    (False, False): Cardinality.UNARY_UNARY,
    (False, True): Cardinality.UNARY_STREAM,
    (True, False): Cardinality.STREAM_UNARY,
    (True, True): Cardinality.STREAM_STREAM,
}


@pytest.mark.parametrize("name", SCHEMA)
def test_a_message_has_exactly_the_recorded_fields_and_the_documented_extensions(name: str) -> None:
    kind = message_class(name)
    assert {describe(kind, field["number"]) for field in SCHEMA[name]} == {
        expected(field) for field in SCHEMA[name]
    }
    recorded_numbers = {field["number"] for field in SCHEMA[name]}
    assert metadata(kind).field_name_by_number.keys() == recorded_numbers | EXTENSIONS.get(name, set())


@pytest.mark.parametrize("name", SCHEMA)
def test_a_field_is_called_after_its_name_on_the_wire(name: str) -> None:
    kind = message_class(name)
    for field in SCHEMA[name]:
        assert attribute(kind, field).replace("_", "") == field["name"].replace("_", "").lower()


@pytest.mark.parametrize(("message", "field"), ENUM_FIELDS, ids=[f"{m}.{f['name']}" for m, f in ENUM_FIELDS])
def test_an_enum_has_exactly_the_recorded_values(message: str, field: dict[str, Any]) -> None:
    kind = message_class(message)
    key = attribute(kind, field) + (".value" if field["label"] == "map" else "")
    members: Any = metadata(kind).cls_by_field[key]
    assert {member.proto_name or member.name: member.value for member in members} == ENUMS[field["enum"]]


@pytest.mark.parametrize("service", SERVICES, ids=[service["path"] for service in SERVICES])
def test_a_method_takes_and_answers_what_was_recorded(service: dict[str, Any]) -> None:
    handler = routes()[service["path"]]
    assert handler.cardinality is CARDINALITIES[service["request_stream"], service["response_stream"]]
    assert message_name(handler.request_type) == service["request"]
    assert message_name(handler.reply_type) == service["response"]


def test_a_service_has_no_method_beyond_the_recorded_ones() -> None:
    known = {service["path"].rsplit("/", 1)[0] for service in SERVICES}
    served = {path for path in routes() if path.rsplit("/", 1)[0] in known}
    assert served == {service["path"] for service in SERVICES}


def test_health_is_the_standard_service() -> None:
    served = {
        path: handler.cardinality for path, handler in routes().items() if path.startswith("/grpc.health")
    }
    assert served == {
        "/grpc.health.v1.Health/Check": Cardinality.UNARY_UNARY,
        "/grpc.health.v1.Health/Watch": Cardinality.UNARY_STREAM,
    }
    kind = message_class("grpc.health.v1.HealthCheckResponse")
    assert bytes(kind.parse(b"\x08\x01")) == b"\x08\x01"
    states: Any = metadata(kind).cls_by_field["status"]
    assert [state.name for state in states] == ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"]


def expected(field: dict[str, Any]) -> tuple[object, ...]:
    """(number, label, type or the name of the message, key type of a map, oneof) as recorded."""
    label = "repeated" if field["label"] == "packed" else field["label"]
    return field["number"], label, field.get("message") or field["type"], field.get("key_type"), group(field)


def describe(kind: type[betterproto2.Message], number: int) -> tuple[object, ...]:
    """The same of a generated class."""
    meta = metadata(kind)
    name = meta.field_name_by_number[number]
    field = meta.meta_by_field_name[name]
    label = "map" if field.map_meta else "repeated" if field.repeated else "single"
    key_type, value = (
        (item.proto_type for item in field.map_meta) if field.map_meta else (None, field.proto_type)
    )
    if value == betterproto2.TYPE_MESSAGE:
        value = message_name(meta.cls_by_field[f"{name}.value" if field.map_meta else name])
    return number, label, value, key_type, field.group
