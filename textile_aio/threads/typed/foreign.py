"""Classes of pydantic and msgspec: their own schemas and conversions, with errors of ours.

The libraries are taken from where the class comes from, never imported.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from sys import modules
from typing import Any

from textile_aio.errors import InvalidInput
from textile_aio.threads.typed.shapes import Convert, Misfit

Foreign = tuple[dict[str, Any], Convert, Convert]
"""A schema, its definitions under ``$defs``, and the ways to JSON and back."""


def model(kind: type) -> Foreign:
    """What pydantic makes of a model, or of a dataclass of its own.

    Raises:
        InvalidInput: There is no JSON schema of it, or values would not come back as they were.
    """
    pydantic = modules["pydantic"]
    try:
        adapter = pydantic.TypeAdapter(kind)
        schema = adapter.json_schema(mode="serialization", by_alias=True)
    except pydantic.errors.PydanticUserError as error:
        raise InvalidInput(f"pydantic has no JSON schema of {kind.__name__}: {error}") from error
    for format_, reason in _LOSSY.items():
        if where := _with_format(schema, format_):
            raise InvalidInput(f"{kind.__name__}: {where!r} {reason}")

    def dump(value: Any) -> Any:
        if type(value) is not kind:
            raise Misfit(f"{kind.__name__} is needed, not {type(value).__name__}")
        try:
            return adapter.dump_python(value, mode="json", by_alias=True, warnings="error")
        except (ValueError, TypeError) as error:
            raise Misfit(str(error)) from error

    def load(value: Any) -> Any:
        try:
            return adapter.validate_json(
                json.dumps(value)
            )  # as JSON, so that strict models take times as text
        except ValueError as error:
            raise Misfit(str(error)) from error

    return schema, dump, load


def struct(kind: type) -> Foreign:
    """What msgspec makes of a struct.

    Raises:
        InvalidInput: There is no JSON schema of it.
    """
    msgspec = modules["msgspec"]
    try:
        schema = msgspec.json.schema(kind)
    except (TypeError, NameError) as error:
        raise InvalidInput(f"msgspec has no JSON schema of {kind.__name__}: {error}") from error

    def dump(value: Any) -> Any:
        if type(value) is not kind:
            raise Misfit(f"{kind.__name__} is needed, not {type(value).__name__}")
        try:
            plain = msgspec.to_builtins(value, str_keys=True)
            msgspec.convert(plain, kind, str_keys=True)  # structs are not checked when they are made
        except (ValueError, TypeError) as error:
            raise Misfit(str(error)) from error
        return plain

    def load(value: Any) -> Any:
        try:
            return msgspec.convert(value, kind, str_keys=True)
        except ValueError as error:
            raise Misfit(str(error)) from error

    return schema, dump, load


_LOSSY = {
    "binary": "would be written as if its bytes were UTF-8; use pydantic.Base64Bytes, or the settings "
    "ser_json_bytes='base64' and val_json_bytes='base64'",
    "password": "would be written as asterisks; use plain text, or a serializer that gives the secret away",
}
"""What pydantic writes in a way that does not lead back, by its format in the schema."""


def _with_format(schema: Any, format_: str, where: str = "the model") -> str:
    """The name of the first property of a schema that is text of a format, empty if there is none."""
    if isinstance(schema, list):
        return next(filter(None, (_with_format(each, format_, where) for each in schema)), "")
    if not isinstance(schema, Mapping):
        return ""
    if schema.get("type") == "string" and schema.get("format") == format_:
        return where
    for key, each in schema.items():
        named = each.items() if key == "properties" else [(where, each)]
        if found := next(filter(None, (_with_format(part, format_, name) for name, part in named)), ""):
            return found
    return ""
