"""From a schema's JSON to the nodes that check documents.

Follows upstream's validator in what it reads, in which order, and in the words for a schema that is none.
Such a schema is kept all the same: it fails when a document is checked (spec: threads-api §4.2).

Only ``additionalProperties`` may hold what :mod:`~textile_aio.threaddb.schema.shape` has not looked at: there
keywords of later drafts are understood, as upstream understands them.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from fractions import Fraction
from typing import Any, NoReturn
from urllib.parse import unquote, urljoin

from textile_aio.threaddb import gojson
from textile_aio.threaddb.schema.formats import FORMATS
from textile_aio.threaddb.schema.nodes import Node
from textile_aio.threaddb.schema.patterns import Pattern, compiled

_TYPES = ("array", "boolean", "integer", "number", "null", "object", "string")
_INTEGERS = range(-(2**63), 2**63)
_ABOUT = {"title", "description", "default", "examples", "definitions", "media", "binaryEncoding", "$schema"}


class SchemaFault(Exception):
    """The schema is none. ``str()`` of it is upstream's text."""


class Draft(IntEnum):
    """Which edition a schema is read as; ``HYBRID`` where it does not say: all of them at once."""

    FOUR = 4
    SIX = 6
    SEVEN = 7
    HYBRID = 99


_DRAFTS = {
    "http://json-schema.org/draft-04/schema": Draft.FOUR,
    "http://json-schema.org/draft-06/schema": Draft.SIX,
    "http://json-schema.org/draft-07/schema": Draft.SEVEN,
}


def build(schema: Any) -> Node:
    """The nodes of a schema.

    Raises:
        SchemaFault: Some part of it, reached by a document or not, is no schema.
    """
    return _Builder(schema).node(schema, "")


class _Builder:
    def __init__(self, root: Any) -> None:
        named = root.get("$schema", "") if isinstance(root, dict) else ""
        self._draft = _DRAFTS.get(named.removesuffix("#"), Draft.HYBRID)
        self._root = root
        self._documents = dict(_identified(root, ""))
        self._nodes: dict[int, Node] = {}

    def node(self, schema: Any, base: str) -> Node:
        """The node of a schema object, or of true or false. Each object has one, so that cycles close."""
        known = self._nodes.get(id(schema))
        if known is not None and not isinstance(schema, bool):
            return known
        node = Node()
        if isinstance(schema, bool) and self._draft >= Draft.SIX:
            node.passes = schema
        elif isinstance(schema, dict):
            self._nodes[id(schema)] = node
            self._fill(node, schema, base)
        else:
            raise SchemaFault("Expected: valid schema, given: Invalid JSON")
        return node

    def _fill(self, node: Node, schema: dict[str, Any], base: str) -> None:
        base = self._base(schema, base)
        for definition in self._definitions(schema):
            self.node(definition, base)
        for keyword in ("title", "description", "$ref"):
            if not isinstance(schema.get(keyword, ""), str):
                _wrong_type("string", keyword)
        if "$ref" in schema:
            node.target = self._referred(schema["$ref"], base)
            return
        self._fill_types(node, schema)
        self._fill_properties(node, schema, base)
        self._fill_items(node, schema, base)
        self._fill_numbers(node, schema)
        self._fill_strings(node, schema)
        self._fill_sizes(node, schema)
        self._fill_values(node, schema)
        self._fill_combinations(node, schema, base)
        node.settle(only_types=schema.keys() <= _ABOUT | {"type"})

    def _base(self, schema: dict[str, Any], base: str) -> str:
        keyword = (
            _id_keyword(schema) if self._draft is Draft.HYBRID else "id" if self._draft < Draft.SIX else "$id"
        )
        if keyword not in schema:
            return base
        if not isinstance(schema[keyword], str):
            _wrong_type("string", keyword)
        return str(urljoin(base, schema[keyword]))

    def _definitions(self, schema: dict[str, Any]) -> Iterator[Any]:
        definitions = schema.get("definitions", {})
        if not isinstance(definitions, dict):
            _wrong_type("array of schemas", "definitions")
        for definition in definitions.values():
            if not isinstance(definition, (dict, bool)):
                _wrong_type("array of schemas", "definitions")
            yield definition

    def _referred(self, reference: str, base: str) -> Node:
        """What a reference points at. Nothing is ever fetched."""
        absolute = urljoin(base, reference) if base else reference
        document, _, fragment = absolute.partition("#")
        if absolute.removesuffix("#") in self._documents:
            target, base = self._documents[absolute.removesuffix("#")], document
        elif not document:
            target = _pointed(self._root, fragment)
        elif document in self._documents:
            target, base = _pointed(self._documents[document], fragment), document
        else:
            raise SchemaFault(f"Reference {absolute} must be canonical")
        if not isinstance(target, (dict, bool)):
            raise SchemaFault("valid schema must be of type object")
        return self.node(target, base)

    def _fill_types(self, node: Node, schema: dict[str, Any]) -> None:
        given = schema.get("type", [])
        for name in [given] if isinstance(given, str) else given if isinstance(given, list) else [None]:
            if not isinstance(name, str):
                _wrong_type("string/array of strings", "type")
            if name not in _TYPES:
                raise SchemaFault(
                    f"has a primitive type that is NOT VALID -- given: /{name}/ "
                    f"Expected valid values are:[{' '.join(_TYPES)}]"
                )
            if name in node.types:
                raise SchemaFault(f"{name} type is duplicated")
            node.types += (name,)

    def _fill_properties(self, node: Node, schema: dict[str, Any], base: str) -> None:
        properties = schema.get("properties", {})
        if not isinstance(properties, dict):
            raise SchemaFault("properties must be of type object")
        node.properties = {name: self.node(member, base) for name, member in properties.items()}
        if "additionalProperties" in schema:
            node.additional_properties = self._node_or_bool(schema, "additionalProperties", base)
        patterns = schema.get("patternProperties", {})
        if not isinstance(patterns, dict):
            _wrong_type("valid schema", "patternProperties")
        for text, member in patterns.items():
            pattern = _pattern(text, f"Invalid regex pattern '{text}'")
            node.pattern_properties.append((pattern, self.node(member, base)))
        if "propertyNames" in schema and self._draft >= Draft.SIX:
            if not isinstance(schema["propertyNames"], (dict, bool)):
                _wrong_type("valid schema", "patternProperties")
            node.property_names = self.node(schema["propertyNames"], base)
        dependencies = schema.get("dependencies", {})
        if not isinstance(dependencies, dict):
            raise SchemaFault("dependencies must be of type object")
        for name, needed in dependencies.items():
            node.dependencies[name] = self._dependency(needed, base)

    def _dependency(self, needed: Any, base: str) -> Node | list[str]:
        if isinstance(needed, (dict, bool)):
            return self.node(needed, base)
        if isinstance(needed, list) and all(isinstance(name, str) for name in needed):
            return needed
        raise SchemaFault("dependency must be of type schema or array of strings")

    def _fill_items(self, node: Node, schema: dict[str, Any], base: str) -> None:
        match schema.get("items", {}):
            case list() as members:
                if not all(isinstance(member, (dict, bool)) for member in members):
                    _wrong_type("valid schema/array of schemas", "items")
                node.items = [self.node(member, base) for member in members]
            case dict() | bool() as member:
                node.items = self.node(member, base) if "items" in schema else None
            case _:
                _wrong_type("valid schema/array of schemas", "items")
        if "additionalItems" in schema:
            node.additional_items = self._node_or_bool(schema, "additionalItems", base)

    def _node_or_bool(self, schema: dict[str, Any], keyword: str, base: str) -> Node | bool:
        member = schema[keyword]
        if not isinstance(member, (dict, bool)):
            _wrong_type("boolean/valid schema", keyword)
        return member if isinstance(member, bool) else self.node(member, base)

    def _fill_numbers(self, node: Node, schema: dict[str, Any]) -> None:
        if "multipleOf" in schema:
            if not _is_number(schema["multipleOf"]):
                _wrong_type("number", "multipleOf")
            if schema["multipleOf"] <= 0:
                raise SchemaFault("multipleOf must be strictly greater than 0")
            node.multiple_of = Fraction(repr(schema["multipleOf"]))
        node.minimum, node.exclusive_minimum = self._bounds(schema, "minimum", "exclusiveMinimum")
        node.maximum, node.exclusive_maximum = self._bounds(schema, "maximum", "exclusiveMaximum")

    def _bounds(
        self, schema: dict[str, Any], keyword: str, exclusive: str
    ) -> tuple[float | None, float | None]:
        """An inclusive and an exclusive bound. Draft 4 says of one that it is exclusive, later ones give two."""
        bound = schema.get(keyword)
        if keyword in schema and not _is_number(bound):
            raise SchemaFault(f"{keyword} must be of a number")
        if exclusive not in schema:
            return bound, None
        stated = schema[exclusive]
        if isinstance(stated, bool) and self._draft in (Draft.FOUR, Draft.HYBRID):
            if bound is None:
                raise SchemaFault(f"{exclusive} cannot be used without {keyword}")
            return (None, bound) if stated else (bound, None)
        if _is_number(stated) and self._draft is not Draft.FOUR:
            return bound, stated
        expected = {Draft.FOUR: "boolean", Draft.HYBRID: "boolean/number"}.get(self._draft, "number")
        _wrong_type(expected, exclusive)

    def _fill_strings(self, node: Node, schema: dict[str, Any]) -> None:
        node.min_length, node.max_length = _size(schema, "minLength"), _size(schema, "maxLength")
        _check_order(node.min_length, node.max_length, "minLength", "maxLength")
        if "pattern" in schema:
            if not isinstance(schema["pattern"], str):
                raise SchemaFault("pattern must be of a string")
            node.pattern = _pattern(schema["pattern"], "pattern must be a valid regex")
        if "format" in schema:
            if not isinstance(schema["format"], str):
                raise SchemaFault("format must be of type string")
            node.format_name = schema["format"]
            node.format = FORMATS.get(node.format_name)

    def _fill_sizes(self, node: Node, schema: dict[str, Any]) -> None:
        node.min_properties, node.max_properties = (
            _size(schema, "minProperties"),
            _size(schema, "maxProperties"),
        )
        _check_order(node.min_properties, node.max_properties, "minProperties", "maxProperties")
        required = _list(schema, "required")
        if not all(isinstance(name, str) for name in required):
            raise SchemaFault("required items must be string")
        if len(set(required)) < len(required):
            raise SchemaFault("required items must be unique")
        node.required = tuple(required)
        node.min_items, node.max_items = _size(schema, "minItems"), _size(schema, "maxItems")
        unique = schema.get("uniqueItems", False)
        if not isinstance(unique, bool):
            raise SchemaFault("uniqueItems must be of a boolean")
        node.unique_items = unique

    def _fill_values(self, node: Node, schema: dict[str, Any]) -> None:
        if "const" in schema and self._draft >= Draft.SIX:
            node.constant = gojson.dumps(schema["const"]).decode()
        node.enum = tuple(gojson.dumps(member).decode() for member in _list(schema, "enum"))
        if len(set(node.enum)) < len(node.enum):
            raise SchemaFault("enum items must be unique")

    def _fill_combinations(self, node: Node, schema: dict[str, Any], base: str) -> None:
        if "contains" in schema and self._draft >= Draft.SIX:
            node.contains = self.node(schema["contains"], base)
        node.one_of = [self.node(member, base) for member in _list(schema, "oneOf")]
        node.any_of = [self.node(member, base) for member in _list(schema, "anyOf")]
        node.all_of = [self.node(member, base) for member in _list(schema, "allOf", called="anyOf")]
        node.not_ = self._optional(schema, "not", base)
        if self._draft >= Draft.SEVEN:
            node.condition = self._optional(schema, "if", base)
            node.then = self._optional(schema, "then", base)
            node.otherwise = self._optional(schema, "else", base)

    def _optional(self, schema: dict[str, Any], keyword: str, base: str) -> Node | None:
        if keyword not in schema:
            return None
        if not isinstance(schema[keyword], (dict, bool)):
            raise SchemaFault(f"{keyword} must be of an object")
        return self.node(schema[keyword], base)


def _identified(schema: Any, base: str) -> Iterator[tuple[str, Any]]:
    """The schemas that have a name of their own, by that name."""
    match schema:
        case list():
            for member in schema:
                yield from _identified(member, base)
        case dict():
            name = schema.get(_id_keyword(schema))
            if isinstance(name, str):
                base = urljoin(base, name)
                yield base.removesuffix("#"), schema
            for keyword, member in schema.items():
                if keyword in ("properties", "dependencies", "patternProperties") and isinstance(
                    member, dict
                ):
                    for schema_of_name in member.values():
                        yield from _identified(schema_of_name, base)
                elif keyword not in ("const", "enum"):
                    yield from _identified(member, base)


def _id_keyword(schema: dict[str, Any]) -> str:
    return "id" if "id" in schema else "$id"


def _pointed(document: Any, pointer: str) -> Any:
    """What a JSON pointer, the fragment of a reference, points at."""
    if pointer and not pointer.startswith("/"):
        raise SchemaFault(f'Invalid JSON pointer "{pointer}": it is neither empty nor starts with "/"')
    for token in unquote(pointer).split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        match document:
            case dict() if name in document:
                document = document[name]
            case dict():
                raise SchemaFault(f"Object has no key '{name}'")
            case list() if name.isdecimal() and int(name) < len(document):
                document = document[int(name)]
            case list():
                raise SchemaFault(f"Out of bound array[0,{len(document)}] index '{name}'")
            case _:
                raise SchemaFault(f"Invalid token reference '{name}'")
    return document


def _pattern(text: str, otherwise: str) -> Pattern:
    try:
        return compiled(text)
    except ValueError:
        raise SchemaFault(otherwise) from None


def _size(schema: dict[str, Any], keyword: str) -> int | None:
    if keyword not in schema:
        return None
    size = schema[keyword]
    if not _is_number(size) or size != int(size) or int(size) not in _INTEGERS:
        raise SchemaFault(f"{keyword} must be of an integer")
    if size < 0:
        raise SchemaFault(f"{keyword} must be greater than or equal to 0")
    return int(size)


def _check_order(low: int | None, high: int | None, keyword: str, other: str) -> None:
    if low is not None and high is not None and low > high:
        raise SchemaFault(f"{keyword} cannot be greater than {other}")


def _list(schema: dict[str, Any], keyword: str, *, called: str = "") -> list[Any]:
    members = schema.get(keyword, [])
    if not isinstance(members, list):
        raise SchemaFault(f"{called or keyword} must be of an array")
    return members


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _wrong_type(expected: str, given: str) -> NoReturn:
    raise SchemaFault(f"Invalid type. Expected: {expected}, given: {given}")
