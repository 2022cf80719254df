"""Every recorded message, decoded and encoded by the generated classes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import betterproto2
import pytest

from tests.proto.generated import SCHEMA, attribute, group, message_class, metadata, recorded

# The recorded encoder wrote the fields of these in another order than that of their numbers.
UNORDERED = {"threads.pb.NewDBRequest", "threads.pb.NewDBFromAddrRequest"}

CASES = list(recorded("cases"))
IDS = [f"{case['message']}: {case['name']}" for case in CASES]


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_a_recorded_message_decodes_to_its_fields(case: dict[str, Any]) -> None:
    message = message_class(case["message"]).parse(bytes.fromhex(case["hex"]))
    assert_holds(message, case["message"], case["fields"])


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_fields_encode_to_the_recorded_bytes(case: dict[str, Any]) -> None:
    message = build(case["message"], case["fields"])
    encoded, expected = bytes(message), bytes.fromhex(case["hex"])
    assert type(message).parse(encoded) == message
    assert settled(case["message"], encoded) == settled(case["message"], expected)


def test_an_unknown_field_survives_being_read_and_written() -> None:
    kind = message_class("api.bucketsd.pb.RootRequest")
    assert bytes(kind.parse(b"\x0a\x01k\xfa\x01\x02hi")) == b"\x0a\x01k\xfa\x01\x02hi"


def test_an_unknown_enum_value_survives_being_read_and_written() -> None:
    kind = message_class("api.hubd.pb.CreateKeyRequest")
    assert bytes(kind.parse(b"\x08\x63")) == b"\x08\x63"


def assert_holds(message: betterproto2.Message, name: str, fields: dict[str, Any]) -> None:
    """``message`` has exactly these recorded fields, and defaults for the others."""
    kind = message_class(name)
    assert type(message) is kind
    for field in SCHEMA.get(name, []):
        held = getattr(message, attribute(kind, field))
        if field["name"] not in fields:
            assert held == default(field), field["name"]
        elif field["label"] == "map":
            entries = dict(fields[field["name"]]["map"])
            assert held.keys() == entries.keys()
            for key, value in entries.items():
                assert_value(held[key], field, value)
        elif field["label"] in {"repeated", "packed"}:
            assert len(held) == len(fields[field["name"]])
            for item, value in zip(held, fields[field["name"]], strict=True):
                assert_value(item, field, value)
        else:
            assert_value(held, field, fields[field["name"]])
            if oneof := group(field):
                assert betterproto2.which_one_of(message, oneof) == (attribute(kind, field), held)


def assert_value(held: Any, field: dict[str, Any], value: Any) -> None:
    if field["type"] == "message" and field["message"] in SCHEMA:
        assert_holds(held, field["message"], value)
    else:
        assert held == scalar(field, value)
        if field["type"] == "enum" and value["enum_name"] is not None:
            assert (held.proto_name or held.name) == value["enum_name"]


def build(name: str, fields: dict[str, Any]) -> betterproto2.Message:
    kind = message_class(name)
    by_name = {field["name"]: field for field in SCHEMA[name]}
    arguments: dict[str, Any] = {}
    for key, value in fields.items():
        field = by_name[key]
        if field["label"] == "map":
            built: Any = {each: one(field, item) for each, item in value["map"]}
        elif field["label"] in {"repeated", "packed"}:
            built = [one(field, item) for item in value]
        else:
            built = one(field, value)
        arguments[attribute(kind, field)] = built
    return kind(**arguments)


def one(field: dict[str, Any], value: Any) -> Any:
    if field["type"] == "message" and field["message"] in SCHEMA:
        return build(field["message"], value)
    return scalar(field, value)


def scalar(field: dict[str, Any], value: Any) -> Any:
    """The Python value of one recorded value, see README.md of the vectors."""
    if field["type"] == "message":  # google.protobuf.Timestamp, the one message outside the recorded schema
        kind = message_class(field["message"])
        return kind(
            **{name: part if isinstance(part, int) else int(part["int64"]) for name, part in value.items()}
        )
    if not isinstance(value, dict):
        return value
    if "bytes_hex" in value:
        return bytes.fromhex(value["bytes_hex"])
    return value["enum"] if "enum" in value else int(next(iter(value.values())))


def default(field: dict[str, Any]) -> Any:
    if field["label"] != "single":
        return {} if field["label"] == "map" else []
    if field["type"] == "message" or field.get("oneof"):
        return None
    return {"string": "", "bytes": b"", "bool": False}.get(field["type"], 0)


def settled(name: str, data: bytes) -> bytes:
    """``data`` with one order for what may have any: entries of maps, and fields of ``UNORDERED``."""
    return arranged(SCHEMA.get(name, []), data, order=sorted if name in UNORDERED else list)


def arranged(
    fields: list[dict[str, Any]], data: bytes, *, order: Callable[[Iterable[int]], list[int]]
) -> bytes:
    by_number = {field["number"]: field for field in fields}
    written: dict[int, list[bytes]] = {}
    for found in betterproto2.parse_fields(data):
        field, content = by_number.get(found.number, {}), b""
        if field.get("label") == "map":
            entry = [{**field, "number": 2, "label": "single"}]
            content = arranged(entry, found.value, order=list)
        elif field.get("type") == "message":
            content = settled(field["message"], found.value)
        start = found.raw[: len(found.raw) - len(content)]
        written.setdefault(found.number, []).append(start + content)
    for number, field in by_number.items():
        if field["label"] == "map" and number in written:
            written[number].sort()
    return b"".join(part for number in order(written) for part in written[number])


def test_only_entries_of_maps_may_change_places() -> None:
    two_roles = b"\x0a\x05\x0a\x01a\x10\x01\x0a\x05\x0a\x01b\x10\x02"
    swapped = two_roles[7:] + two_roles[:7]
    assert settled("api.bucketsd.pb.Metadata", swapped) == settled("api.bucketsd.pb.Metadata", two_roles)
    two_ids = b"\x0a\x01a\x0a\x01b"
    assert settled("threads.pb.CreateReply", two_ids[3:] + two_ids[:3]) != settled(
        "threads.pb.CreateReply", two_ids
    )


def test_a_timestamp_keeps_its_nanoseconds() -> None:
    kind = message_class("google.protobuf.Timestamp")
    assert metadata(kind).meta_by_field_name.keys() == {"seconds", "nanos"}
    assert bytes(kind.parse(b"\x08\x01\x10\x01")) == b"\x08\x01\x10\x01"
