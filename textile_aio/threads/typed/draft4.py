"""JSON Schema as its newer drafts have it, brought into what hubs keep (spec: threads-api §4.2).

A hub keeps draft 4 with some holes: no lists of types, no ``const``, bounds that are whole numbers, and none
that is 0. What can be said otherwise is; what cannot is left out and noted, so that a schema here never
refuses what the type allows. Two things are refused, because instances would not come back as they went out:
nulls that hubs drop from arrays and objects when an instance is saved (spec: threads-api §5.3).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from textile_aio.errors import InvalidInput

Schema = dict[str, Any]

DRAFT = "http://json-schema.org/draft-04/schema#"
SCALARS = frozenset({"string", "number", "integer", "boolean"})

_KEPT = ("type", "title", "description", "default", "examples", "format", "enum")
_SIZES = ("Length", "Items", "Properties")
_LOST = frozenset(
    {
        "contains",
        "dependentRequired",
        "dependentSchemas",
        "else",
        "if",
        "maxContains",
        "minContains",
        "propertyNames",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
    }
)
_ANNOTATIONS = frozenset(
    {"title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly"}
)
# What Go's regular expressions have not got: look-around, atomic groups, possessive repeats, references back.
_NOT_GO = re.compile(r"\(\?(?:[=!>]|<[=!]|P=|\()|\\[1-9ZG]|[*+?}]\+")
_INT64 = 1 << 63


class Draft4:
    """One conversion.

    Args:
        definitions: What ``$ref`` refers to, by the last part of the reference.

    Attributes:
        definitions: Those of them that are referred to in the result, converted.
        loosened: What had to be left out, a sentence each.
    """

    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self._source = definitions
        self.definitions: Schema = {}
        self.loosened: list[str] = []

    def document(self, source: Schema) -> Schema:
        """The schema of a whole document.

        Raises:
            InvalidInput: Nulls would get lost.
        """
        converted = {"$schema": DRAFT, **self._schema(source, "")}
        if self.definitions:
            converted["definitions"] = dict(sorted(self.definitions.items()))
        return converted

    def _schema(self, source: Any, where: str) -> Schema:
        if isinstance(source, bool):
            return {} if source else {"not": {}}
        if "$ref" in source:
            return self._reference(source, where)
        if isinstance(source.get("type"), list):
            rest = {name: value for name, value in source.items() if name != "type"}
            return self._schema(rest | {"anyOf": [{"type": each} for each in source["type"]]}, where)
        if _is_null(source):
            raise InvalidInput(
                f"None is not possible in {where or 'the document'}: hubs drop null from arrays and objects "
                "when an instance is saved. Leave the element out, or write the absence otherwise"
            )
        out: Schema = {name: source[name] for name in _KEPT if source.get(name) is not None}
        if "const" in source:
            out["enum"] = [source["const"]]
        if source.get("uniqueItems"):
            out["uniqueItems"] = True
        if (
            "enum" in out
            and "type" not in out
            and len(types := {_type_of(each) for each in out["enum"]}) == 1
        ):
            out["type"] = types.pop()
        if out.get("format") == "time":
            del out["format"]
            self._loosen(
                where, "any text is taken for a time of day, since hubs ask for different forms of it"
            )
        self._pattern(source, out, where)
        self._bounds(source, out, where)
        also = _sizes(source, out)
        self._array(source, out, where)
        self._object(source, out, where)
        for name in ("allOf", "anyOf", "oneOf"):
            if name in source:
                out[name] = [self._schema(each, where) for each in source[name]]
        if "not" in source:
            out["not"] = self._schema(source["not"], where)
        if also:
            out["allOf"] = [*out.get("allOf", ()), *also]
        for name in sorted(_LOST & source.keys()):
            self._loosen(where, f"hubs do not know {name!r}")
        return out

    def _reference(self, source: Schema, where: str) -> Schema:
        name = source["$ref"].rpartition("/")[2]
        target = self._source[name]
        rest = {key: value for key, value in source.items() if key != "$ref" and key not in _ANNOTATIONS}
        if "enum" in target or "const" in target or target.get("type") in SCALARS:
            found = self._schema(target, where)  # an index needs a type on the spot
        else:
            if name not in self.definitions:
                self.definitions[name] = {}
                self.definitions[name] = self._schema(target, name)
            found = {"$ref": f"#/definitions/{name}"}  # draft 4 looks at nothing beside it
        return {"allOf": [found, self._schema(rest, where)]} if rest else found

    def _member(self, source: Any, where: str) -> tuple[Schema, bool]:
        """The schema of a member, and whether it may be missing because it may be null."""
        solid, nullable = self._without_null(source)
        if solid is None:
            raise InvalidInput(f"{where} can be nothing but None; leave it out")
        return self._schema(solid, where), nullable

    def _without_null(self, source: Any) -> tuple[Any, bool]:
        """What is left of a schema without null, None if that is nothing; and whether null was in it."""
        if isinstance(source, bool) or not source.keys() - _ANNOTATIONS:
            return source, source is not False
        if _is_null(source):
            return None, True
        if isinstance(types := source.get("type"), list) and "null" in types:
            left = [each for each in types if each != "null"]
            return source | {"type": left[0] if len(left) == 1 else left}, True
        if isinstance(values := source.get("enum"), list) and None in values:
            return source | {"enum": [each for each in values if each is not None]}, True
        if "$ref" in source:
            inner, nullable = self._without_null(self._source[source["$ref"].rpartition("/")[2]])
            return (inner, True) if nullable else (source, False)
        for name in ("anyOf", "oneOf"):
            if name in source:
                pairs = [self._without_null(each) for each in source[name]]
                if any(nullable for _, nullable in pairs):
                    left = [solid for solid, _ in pairs if solid is not None]
                    beside = {key: value for key, value in source.items() if key != name}
                    merged = {**beside, **left[0]} if len(left) == 1 else {**beside, name: left}
                    return (merged if left else None), True
        return source, False

    def _pattern(self, source: Schema, out: Schema, where: str) -> None:
        if "pattern" not in source:
            return
        if _NOT_GO.search(source["pattern"]):
            self._loosen(where, f"hubs do not understand the pattern {source['pattern']!r:.80}")
        else:
            out["pattern"] = source["pattern"]

    def _bounds(self, source: Schema, out: Schema, where: str) -> None:
        whole = source.get("type") == "integer"
        for name, sign in (("minimum", 1), ("maximum", -1)):
            bound, exclusive = _tighter(source, name, sign)
            if bound is None:
                continue
            number, exclusive, exact = _sayable(bound * sign, exclusive=exclusive, whole=whole)
            if abs(number) >= _INT64:
                self._loosen(where, f"hubs cannot keep the {name} {bound}")
                continue
            if not exact:
                self._loosen(where, f"hubs cannot keep the {name} {bound}; they check a wider one")
            out[name] = number * sign
            if exclusive:
                out[f"exclusive{name.capitalize()}"] = True
        step = source.get("multipleOf")
        if step is not None:
            if float(step).is_integer():
                out["multipleOf"] = int(step)
            else:
                self._loosen(
                    where, f"hubs do not check for multiples of {step}, only for those of whole numbers"
                )

    def _array(self, source: Schema, out: Schema, where: str) -> None:
        inside = f"{where}[]"
        first = source.get("prefixItems", ())
        items = source.get("items", True)
        if first:
            kinds = [self._schema(each, inside) for each in first]
            if isinstance(items, Mapping):
                kinds.append(self._schema(items, inside))
            elif items is False:
                out["maxItems"] = min(len(first), source.get("maxItems", len(first)))
            elif source.get("maxItems", len(first) + 1) > len(first):
                kinds.append({})  # anything may follow
            different = [each for at, each in enumerate(kinds) if each not in kinds[:at]]
            if len(different) > 1:
                self._loosen(where, "elements may come in any order: hubs keep no schema for each place")
            if {} not in different:
                out["items"] = different[0] if len(different) == 1 else {"anyOf": different}
        elif isinstance(items, Mapping):
            out["items"] = self._schema(items, inside)
        elif items is False:
            out["allOf"] = [*out.get("allOf", ()), {"not": {"minItems": 1}}]

    def _object(self, source: Schema, out: Schema, where: str) -> None:
        prefix = f"{where}." if where else ""
        required = list(source.get("required", ()))
        if properties := source.get("properties"):
            out["properties"] = {}
            for name, each in properties.items():
                out["properties"][name], nullable = self._member(each, f"{prefix}{name}")
                computed = isinstance(each, Mapping) and each.get("readOnly")
                if (nullable or computed) and name in required:
                    required.remove(name)
        if required:
            out["required"] = required
        else:
            out.pop("required", None)
        if patterns := source.get("patternProperties"):
            out["patternProperties"] = {
                key: self._schema(each, f"{where}{{}}") for key, each in patterns.items()
            }
        rest = source.get("additionalProperties", True)
        if rest is False:
            out["additionalProperties"] = False
        elif isinstance(rest, Mapping):
            out["additionalProperties"] = self._schema(rest, f"{where}{{}}")

    def _loosen(self, where: str, what: str) -> None:
        note = f"{where or 'the document'}: {what}"
        if note not in self.loosened:
            self.loosened.append(note)


def type_at(schema: Schema, path: str) -> str | None:
    """The type that a converted schema gives the field at a path; None if it gives none.

    Raises:
        KeyError: There is no such field.
    """
    node = schema
    for name in path.split("."):
        while "$ref" in node:
            node = schema["definitions"][node["$ref"].rpartition("/")[2]]
        node = node["properties"][name]
    found = node.get("type")
    return found if isinstance(found, str) else None


def _is_null(source: Any) -> bool:
    if not isinstance(source, Mapping):
        return False
    if source.get("type") == "null" or source.get("enum") == [None]:
        return True
    return "const" in source and source["const"] is None


def _type_of(value: object) -> str:
    match value:
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case _:
            return "string"


def _sizes(source: Schema, out: Schema) -> list[Schema]:
    """Copy the limits of lengths; those that hubs drop, as conditions instead."""
    also: list[Schema] = []
    for size in _SIZES:
        if source.get(f"min{size}"):
            out[f"min{size}"] = source[f"min{size}"]
        most = source.get(f"max{size}")
        if most == 0:
            also.append({"not": {f"min{size}": 1}})
        elif most is not None:
            out[f"max{size}"] = most
    return also


def _tighter(source: Schema, name: str, sign: int) -> tuple[float | None, bool]:
    """The tighter of an inclusive and an exclusive bound, and whether it is exclusive."""
    closed, opened = source.get(name), source.get(f"exclusive{name.capitalize()}")
    if isinstance(opened, bool):
        return closed, opened
    if closed is None or opened is None:
        return (closed, False) if opened is None else (opened, True)
    return (opened, True) if opened * sign >= closed * sign else (closed, False)


def _sayable(bound: float, *, exclusive: bool, whole: bool) -> tuple[int, bool, bool]:
    """A lower bound as a whole number but 0, whether it is exclusive, and whether it says the same."""
    if whole:
        least = math.floor(bound) + 1 if exclusive else math.ceil(bound)
        return (least, False, True) if least else (-1, True, True)
    number = math.floor(bound)
    exact = number == bound
    if number:
        return number, exclusive and exact, exact
    return -1, True, False
