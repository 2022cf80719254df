"""Schemas of collections: read, kept in one shape, and checked against (spec: threads-api §4.2, §4.3).

What is checked, and when, is known to whoever calls.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from textile_aio.errors import InvalidInput, SchemaViolation, StatusCode
from textile_aio.threaddb import gojson
from textile_aio.threaddb.documents import Incoming
from textile_aio.threaddb.schema.building import SchemaFault, build
from textile_aio.threaddb.schema.findings import Exhausted, Findings
from textile_aio.threaddb.schema.nodes import Node
from textile_aio.threaddb.schema.shape import Shape, shaped, written

__all__ = ["Schema"]

_PREFIX = "instance doesn't correspond to schema: "
_INDEXABLE = ("string", "number", "integer", "boolean")
_LEAST_STEPS = 100_000
_LONGEST_TEXT = 4_000
"""Of a refusal. It travels in a trailer, and those are short."""


class Schema:
    """A schema as upstream understands it: what it does not know is gone.

    Immutable but for the compiled form, which is made when it is first needed. Thread-safe.

    Attributes:
        text: The schema's JSON as it is stored and given out. Parsing it again gives the same.
    """

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self.text: bytes = written(shape).encode()

    @classmethod
    def parse(cls, raw: bytes) -> Schema:
        """Read a schema from JSON.

        Raises:
            InvalidInput: It is not JSON, or a keyword's value has the wrong type, in the words of Go's
                decoder. The error has no code, since calls differ in it.
        """
        try:
            value = gojson.loads(raw)
        except gojson.GoJSONError as error:
            raise InvalidInput(str(error)) from None
        return cls(shaped(value))

    def require_id(self) -> None:
        """Refuse a schema whose documents need not have text for ``_id``.

        Raises:
            InvalidInput: ``_id`` is not a property of type string.
        """
        found = self._properties(self._shape).get("_id")
        if found is None or found.get("type") != "string":
            text = "the collection schema _id property must be a string"
            raise InvalidInput(text, code=StatusCode.UNKNOWN)

    def require_indexable(self, path: str) -> None:
        """Refuse a path that no index can be on.

        Args:
            path: Names of properties from the outside in, with dots between them.

        Raises:
            InvalidInput: There is no such property, or its own ``type`` is none that can be compared.
        """
        found: Shape | None = self._shape
        for name in path.split("."):
            found = self._properties(found or {}).get(name)
            if found is None:
                text = "collection schema does not contain path"
                raise InvalidInput(text, code=StatusCode.UNKNOWN, about=path)
        if found is None or found.get("type") not in _INDEXABLE:
            raise InvalidInput("value not indexable", code=StatusCode.UNKNOWN, about=path)

    def check(self, incoming: Incoming | bytes) -> None:
        """Refuse a document that the schema does not allow.

        Time is bounded: a hundred thousand steps and one for each byte of the document.

        Raises:
            SchemaViolation: ``instance doesn't correspond to schema: `` and the faults, each as a place, a
                colon and what is wrong there; at most a hundred.
            InvalidInput: The document is not JSON; the schema itself is none, in the validator's own words;
                or the document is too large or deep for what the schema asks.
        """
        node = self._node
        if isinstance(incoming, bytes):
            value, size = _loaded(incoming), len(incoming)
        else:
            value, size = incoming.value, len(incoming.raw)
        found = Findings([_LEAST_STEPS + size])
        try:
            node.check(value, None, found)
        except (Exhausted, RecursionError):
            text = "the instance is too large or too deep to be checked against the schema"
            raise InvalidInput(text, code=StatusCode.UNKNOWN) from None
        if found.faults:
            raise SchemaViolation(_shortened(_PREFIX + "; ".join(found.faults)), code=StatusCode.UNKNOWN)

    @cached_property
    def _compiled(self) -> Node | str:
        """The nodes, or what is wrong with the schema."""
        try:
            return build(self._shape)
        except SchemaFault as fault:
            return str(fault)
        except RecursionError:
            return "the schema is nested too deep"

    @property
    def _node(self) -> Node:
        if isinstance(self._compiled, str):
            raise InvalidInput(_shortened(self._compiled), code=StatusCode.UNKNOWN)
        return self._compiled

    def _properties(self, shape: Shape) -> dict[str, Shape | None]:
        """The properties of a part of the schema; of what it refers to if it has a reference.

        As upstream does it: only the last part of a reference counts, among the definitions of the schema.
        """
        if "$ref" in shape:
            name = shape["$ref"].rpartition("/")[2]
            shape = self._shape.get("definitions", {}).get(name) or {}
        properties: dict[str, Shape | None] = shape.get("properties", {})
        return properties


def _loaded(raw: bytes) -> Any:
    try:
        return gojson.loads(raw)
    except gojson.GoJSONError as error:
        raise InvalidInput(str(error), code=StatusCode.UNKNOWN) from None


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 1]}…"
