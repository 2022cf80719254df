"""JSON schemas of collections: as text for the hub, as dictionaries from it, and inferred from an example."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from textile_aio._arguments import text
from textile_aio.errors import InvalidInput, ProtocolError
from textile_aio.threads.documents import Document, encode

ANYTHING: Mapping[str, Any] = {"properties": {"_id": {"type": "string"}}}
"""The schema of a collection that was given none: what the JavaScript client sends then."""

_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}


def to_text(schema: Mapping[str, Any] | str | None) -> bytes:
    """A schema as it is sent; of none, or an empty one, that of any object.

    Raises:
        InvalidInput: It is neither a dictionary that JSON can say, nor text.
    """
    if isinstance(schema, str):
        return text(schema, "the schema").encode() if schema.strip() else encode(ANYTHING)
    if schema is not None and not isinstance(schema, Mapping):
        raise InvalidInput(f"a schema is a dictionary or its JSON text, not {type(schema).__name__}")
    return encode(schema or ANYTHING)


def from_text(data: bytes, name: str) -> dict[str, Any]:
    """The schema that a hub sent.

    Raises:
        ProtocolError: It is no JSON object.
    """
    try:
        schema = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"the hub sent a schema that is no JSON: {error}", about=name) from error
    if not isinstance(schema, dict):
        raise ProtocolError("the hub sent a schema that is no object", about=name)
    return schema


def infer_schema(example: Document) -> dict[str, Any]:
    """The JSON schema of documents that look like an example, for :attr:`CollectionConfig.schema`.

    Members get the types that they have in the example, none is required, and ``_id`` is text in any case.
    Elements of an array are taken to be like its first one.

    Raises:
        InvalidInput: It is no document.
    """
    schema = _schema_of(json.loads(encode(example)))
    schema["properties"] = {"_id": {"type": "string"}} | schema["properties"]
    schema["properties"]["_id"] = {"type": "string"}
    return schema


def _schema_of(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return {"type": "object", "properties": {name: _schema_of(each) for name, each in value.items()}}
    if isinstance(value, list):
        return {"type": "array", "items": _schema_of(value[0])} if value else {"type": "array"}
    return {"type": _TYPES[type(value)]}
