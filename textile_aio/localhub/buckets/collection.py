"""The collection that holds a thread's buckets, as every peer of the thread has it (spec: buckets-api §4)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from textile_aio.threaddb.collections import CollectionConfig, Index
from textile_aio.threaddb.schema import Schema

COLLECTION = "buckets"

_STRING = {"type": "string"}
_INTEGER = {"type": "integer"}


def _object(properties: dict[str, Any], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "required": [name for name in properties if name not in optional],
        "properties": properties,
        "additionalProperties": False,
        "type": "object",
    }


def _map(item: Any) -> dict[str, Any]:
    return {"patternProperties": {".*": item}, "type": "object"}


def _reference(name: str) -> dict[str, Any]:
    return {"$schema": "http://json-schema.org/draft-04/schema#", "$ref": f"#/definitions/{name}"}


SCHEMA: dict[str, Any] = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    **_object(
        {
            "_id": _STRING,
            "owner": _STRING,
            "name": _STRING,
            "version": _INTEGER,
            "key": _STRING,
            "path": _STRING,
            "metadata": _map(_reference("Metadata")),
            "archives": _reference("Archives"),
            "created_at": _INTEGER,
            "updated_at": _INTEGER,
        },
        optional=("key",),
    ),
    "definitions": {
        "Archive": _object({"cid": _STRING, "deals": {"items": _reference("Deal"), "type": "array"}}),
        "Archives": _object(
            {"current": _reference("Archive"), "history": {"items": _reference("Archive"), "type": "array"}}
        ),
        "Deal": _object({"proposal_cid": _STRING, "miner": _STRING}),
        "Metadata": _object(
            {"key": _STRING, "roles": _map(_INTEGER), "updated_at": _INTEGER}, optional=("key",)
        ),
    },
}
"""The collection's JSON schema."""


def _body(file: str) -> str:
    return Path(__file__).with_name(file).read_text("utf-8")


CONFIG = CollectionConfig(
    COLLECTION,
    Schema.parse(json.dumps(SCHEMA).encode()).text,
    (Index("path"),),
    write_validator=_body("write_validator.js"),
    read_filter=_body("read_filter.js"),
)
"""The collection's configuration. Its functions say what ``rules`` says."""
