"""The one shape that schemas are understood in (spec: threads-api §4.2).

Upstream decodes a schema into a struct of draft-04 keywords and works with what that holds; whatever does not
fit is refused in the words of Go's JSON decoder, or was never there. What keywords mean is not known here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

from textile_aio.errors import InvalidInput
from textile_aio.threaddb import gojson

Shape = dict[str, Any]
Trail = tuple[str, ...]

_INTEGERS = range(-(2**63), 2**63)
_KINDS = {dict: "object", list: "array", str: "string", bool: "bool", int: "number", float: "number"}
_ROOT_LAST = "definitions"
_VERBATIM = "additionalProperties"
_FOLDED = str.maketrans("\u017f\u212a", "sk")
"""The two letters beyond ASCII that Go takes for ASCII ones in the names of members."""


def shaped(value: Any) -> Shape:
    """A schema in its shape: known keywords in their order, maps sorted, what is empty left out.

    Args:
        value: The schema as it was read from JSON.

    Raises:
        InvalidInput: A keyword has a value of another type than its own.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        kind = _KINDS[type(value)]
        raise InvalidInput(f"json: cannot unmarshal {kind} into Go value of type jsonschema.Schema")
    shape = _read_schema(value, ())
    if _ROOT_LAST in shape:
        shape[_ROOT_LAST] = shape.pop(_ROOT_LAST)
    return shape


def written(shape: Shape) -> str:
    """The JSON text of a shape, its keywords in the order they have there."""
    members = [f'"{keyword}":{_KEYWORDS[keyword].write(shape[keyword])}' for keyword in shape]
    return "{" + ",".join(members) + "}"


def _read_schema(value: Any, trail: Trail) -> Shape:
    if not isinstance(value, dict):
        _refuse(value, trail, "jsonschema.Type")
    found: Shape = {}
    for name, member in value.items():
        keyword = name if name in _KEYWORDS else _SPELLINGS.get(name.translate(_FOLDED).lower())
        if keyword is None:
            continue
        if member is None and keyword != _VERBATIM:
            found.pop(keyword, None)
        else:
            found[keyword] = _KEYWORDS[keyword].read(member, (*trail, keyword))
    return {
        keyword: found[keyword]
        for keyword, rule in _KEYWORDS.items()
        if keyword in found and (rule.kept_empty or found[keyword])
    }


def _read_string(value: Any, trail: Trail) -> str:
    return value if isinstance(value, str) else _refuse(value, trail, "string")


def _read_boolean(value: Any, trail: Trail) -> bool:
    return value if isinstance(value, bool) else _refuse(value, trail, "bool")


def _read_integer(value: Any, trail: Trail) -> int:
    return value if type(value) is int and value in _INTEGERS else _refuse(value, trail, "int")


def _read_strings(value: Any, trail: Trail) -> list[str]:
    if not isinstance(value, list):
        _refuse(value, trail, "[]string")
    return ["" if member is None else _read_string(member, trail) for member in value]


def _read_values(value: Any, trail: Trail) -> list[Any]:
    return value if isinstance(value, list) else _refuse(value, trail, "[]interface {}")


def _read_anything(value: Any, trail: Trail) -> Any:
    return value


def _read_schemas(value: Any, trail: Trail) -> list[Shape | None]:
    if not isinstance(value, list):
        _refuse(value, trail, "[]*jsonschema.Type")
    return [None if member is None else _read_schema(member, trail) for member in value]


def _read_map(value: Any, trail: Trail) -> dict[str, Shape | None]:
    if not isinstance(value, dict):
        at_root = trail == (_ROOT_LAST,)
        _refuse(value, trail, "jsonschema.Definitions" if at_root else "map[string]*jsonschema.Type")
    return {name: None if value[name] is None else _read_schema(value[name], trail) for name in sorted(value)}


def _write_schema(shape: Shape | None) -> str:
    return "null" if shape is None else written(shape)


def _write_schemas(shapes: list[Shape | None]) -> str:
    return "[" + ",".join(map(_write_schema, shapes)) + "]"


def _write_map(shapes: dict[str, Shape | None]) -> str:
    members = [f"{_write_value(name)}:{_write_schema(shapes[name])}" for name in shapes]
    return "{" + ",".join(members) + "}"


def _write_integer(value: int) -> str:
    return str(value)


def _write_value(value: Any) -> str:
    return gojson.dumps(value).decode()


def _write_verbatim(value: Any) -> str:
    """In the order it came; upstream keeps the spelling of numbers too, which no reader can tell apart."""
    match value:
        case dict():
            members = [f"{_write_value(name)}:{_write_verbatim(value[name])}" for name in value]
            return "{" + ",".join(members) + "}"
        case list():
            return "[" + ",".join(map(_write_verbatim, value)) + "]"
        case int() if not isinstance(value, bool):
            return str(value)
        case _:
            return _write_value(value)


def _refuse(value: Any, trail: Trail, wanted: str) -> NoReturn:
    kind = _KINDS[type(value)]
    if kind == "number" and wanted == "int":
        kind = f"number {_write_verbatim(value)}"
    struct = "Schema" if len(trail) == 1 else "Type"
    embedded = "" if trail[0] == _ROOT_LAST else "Type."
    field = f"{struct}.{embedded}{'.'.join(trail)}"
    raise InvalidInput(f"json: cannot unmarshal {kind} into Go struct field {field} of type {wanted}")


class _Keyword(NamedTuple):
    read: Callable[[Any, Trail], Any]
    write: Callable[[Any], str]
    kept_empty: bool = False


_STRING = _Keyword(_read_string, _write_value)
_BOOLEAN = _Keyword(_read_boolean, _write_value)
_INTEGER = _Keyword(_read_integer, _write_integer)
_STRINGS = _Keyword(_read_strings, _write_value)
_VALUES = _Keyword(_read_values, _write_value)
_SCHEMA = _Keyword(_read_schema, _write_schema, kept_empty=True)
_SCHEMAS = _Keyword(_read_schemas, _write_schemas)
_MAP = _Keyword(_read_map, _write_map)

_KEYWORDS: dict[str, _Keyword] = {
    "$schema": _STRING,
    "$ref": _STRING,
    "multipleOf": _INTEGER,
    "maximum": _INTEGER,
    "exclusiveMaximum": _BOOLEAN,
    "minimum": _INTEGER,
    "exclusiveMinimum": _BOOLEAN,
    "maxLength": _INTEGER,
    "minLength": _INTEGER,
    "pattern": _STRING,
    "additionalItems": _SCHEMA,
    "items": _SCHEMA,
    "maxItems": _INTEGER,
    "minItems": _INTEGER,
    "uniqueItems": _BOOLEAN,
    "maxProperties": _INTEGER,
    "minProperties": _INTEGER,
    "required": _STRINGS,
    "properties": _MAP,
    "patternProperties": _MAP,
    _VERBATIM: _Keyword(_read_anything, _write_verbatim, kept_empty=True),
    "dependencies": _MAP,
    "enum": _VALUES,
    "type": _STRING,
    "allOf": _SCHEMAS,
    "anyOf": _SCHEMAS,
    "oneOf": _SCHEMAS,
    "not": _SCHEMA,
    "definitions": _MAP,
    "title": _STRING,
    "description": _STRING,
    "default": _Keyword(_read_anything, _write_value, kept_empty=True),
    "format": _STRING,
    "examples": _VALUES,
    "media": _SCHEMA,
    "binaryEncoding": _STRING,
}
"""In the order they are written."""

_SPELLINGS = {keyword.lower(): keyword for keyword in _KEYWORDS}
"""Names of members are matched without regard to case."""
