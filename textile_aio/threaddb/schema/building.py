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

from textile_aio.threaddb.schema.formats import BAD_ESCAPE, FORMATS, SCHEME, path_of
from textile_aio.threaddb.schema.nodes import Node, canonical
from textile_aio.threaddb.schema.patterns import Pattern

_TYPES = ("array", "boolean", "integer", "number", "null", "object", "string")
_INTEGERS = range(-(2**63), 2**63)
_LONGEST_ECHO = 2_000
_ABOUT = {"title", "description", "default", "examples", "definitions", "media", "binaryEncoding", "$schema"}


MOST_PATTERNS = 200
MOST_NODES = 20_000
"""In one schema. Compiled they take much more memory than their text."""


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
        named = _reference(root.get("$schema", ""))
        self._draft = _DRAFTS.get(named.removesuffix("#"), Draft.HYBRID)
        self._root = root
        self._documents = dict(_identified(root, ""))
        self._nodes: dict[int, Node] = {}
        self._followed: set[str] = set()
        self._patterns = 0

    def node(self, schema: Any, base: str) -> Node:
        """The node of a schema object, or of true or false. Each object has one, so that cycles close."""
        known = self._nodes.get(id(schema))
        if known is not None and not isinstance(schema, bool):
            return known
        if len(self._nodes) >= MOST_NODES:
            raise SchemaFault(f"more than {MOST_NODES} schemas within a schema")
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
            absolute = _reference(urljoin(base, _reference(schema["$ref"])))
            first = absolute not in self._followed
            self._followed.add(absolute)
            node.target = self._referred(absolute, base)
            if first:  # what is beside a reference has no effect, and upstream looks at it from the second on
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
        return str(urljoin(base, _reference(schema[keyword])))

    def _definitions(self, schema: dict[str, Any]) -> Iterator[Any]:
        definitions = schema.get("definitions", {})
        if not isinstance(definitions, dict):
            _wrong_type("array of schemas", "definitions")
        for definition in definitions.values():
            if not isinstance(definition, (dict, bool)):
                _wrong_type("array of schemas", "definitions")
            yield definition

    def _referred(self, absolute: str, base: str) -> Node:
        """What a reference points at. Nothing is ever fetched."""
        document, _, fragment = absolute.partition("#")
        if absolute.removesuffix("#") in self._documents:
            target, base = self._documents[absolute.removesuffix("#")], document
        elif not document:
            target = _pointed(self._root, fragment)
        elif document in self._documents:
            target, base = _pointed(self._documents[document], fragment), document
        else:
            if SCHEME.match(absolute):
                raise SchemaFault(f"Reference {absolute} is not within the schema, and nothing is fetched")
            raise SchemaFault(f"Reference /{absolute.removeprefix('/')} must be canonical")
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
        if properties:
            node.properties = {name: self.node(member, base) for name, member in properties.items()}
        if "additionalProperties" in schema:
            node.additional_properties = self._node_or_bool(schema, "additionalProperties", base)
        patterns = schema.get("patternProperties", {})
        if not isinstance(patterns, dict):
            _wrong_type("valid schema", "patternProperties")
        for text, member in patterns.items():
            pattern = self._pattern(text, f"Invalid regex pattern '{text}'")
            node.pattern_properties += ((pattern, self.node(member, base)),)
        if "propertyNames" in schema and self._draft >= Draft.SIX:
            if not isinstance(schema["propertyNames"], (dict, bool)):
                _wrong_type("valid schema", "patternProperties")
            node.property_names = self.node(schema["propertyNames"], base)
        dependencies = schema.get("dependencies", {})
        if not isinstance(dependencies, dict):
            raise SchemaFault("dependencies must be of type object")
        if dependencies:
            node.dependencies = {
                name: self._dependency(member, base) for name, member in dependencies.items()
            }

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
        """An inclusive and an exclusive bound. In draft 4 the second is a word about the first."""
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
        if not _is_number(stated) or self._draft is Draft.FOUR:
            expected = {Draft.FOUR: "boolean", Draft.HYBRID: "boolean/number"}.get(self._draft, "number")
            _wrong_type(expected, exclusive)
        return bound, stated

    def _fill_strings(self, node: Node, schema: dict[str, Any]) -> None:
        node.min_length, node.max_length = _size(schema, "minLength"), _size(schema, "maxLength")
        _check_order(node.min_length, node.max_length, "minLength", "maxLength")
        if "pattern" in schema:
            if not isinstance(schema["pattern"], str):
                raise SchemaFault("pattern must be of a string")
            node.pattern = self._pattern(schema["pattern"], "pattern must be a valid regex")
        if "format" in schema:
            if not isinstance(schema["format"], str):
                raise SchemaFault("format must be of type string")
            node.format_name = schema["format"]
            node.format = FORMATS.get(node.format_name)

    def _pattern(self, text: str, otherwise: str) -> Pattern:
        self._patterns += 1
        if self._patterns > MOST_PATTERNS:
            raise SchemaFault(f"more than {MOST_PATTERNS} patterns")
        try:
            return Pattern(text)
        except ValueError:
            raise SchemaFault(otherwise) from None

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
            node.constant = canonical(schema["const"])
        allowed = [canonical(member) for member in _list(schema, "enum")]
        if allowed:
            node.enum = frozenset(allowed)
            node.enum_text = ", ".join(allowed)[:_LONGEST_ECHO]
            if len(node.enum) < len(allowed):
                raise SchemaFault("enum items must be unique")

    def _fill_combinations(self, node: Node, schema: dict[str, Any], base: str) -> None:
        if "contains" in schema and self._draft >= Draft.SIX:
            node.contains = self.node(schema["contains"], base)
        node.one_of = tuple(self.node(member, base) for member in _list(schema, "oneOf"))
        node.any_of = tuple(self.node(member, base) for member in _list(schema, "anyOf"))
        node.all_of = tuple(self.node(member, base) for member in _list(schema, "allOf", called="anyOf"))
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
    if not pointer.startswith("/"):
        return document
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


def _reference(text: str) -> str:
    """A URI reference that can be read."""
    if path_of(text) is None:
        escape = BAD_ESCAPE.search(text)
        why = f'invalid URL escape "{text[escape.start() : escape.start() + 3]}"' if escape else "no URL"
        raise SchemaFault(f'parse "{text}": {why}')
    return text


def _size(schema: dict[str, Any], keyword: str) -> int | None:
    if keyword not in schema:
        return None
    size = schema[keyword]
    if type(size) is not int or size not in _INTEGERS:
        raise SchemaFault(f"{keyword} must be of an integer")
    if size < 0:
        raise SchemaFault(f"{keyword} must be greater than or equal to 0")
    return size


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
