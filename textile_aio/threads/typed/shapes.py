"""What a type is in JSON, and the shapes of containers and alternatives.

Owns the notion of a shape, and how those of parts make one of a whole. What single values become is in
``scalars``, what a class with fields becomes in ``objects``.
"""

from __future__ import annotations

import collections.abc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Convert = Callable[[Any], Any]


class Misfit(Exception):
    """A value that does not fit its type; the path to it is collected on the way out, innermost first."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.path: list[str] = []

    def __str__(self) -> str:
        where = "".join(reversed(self.path)).lstrip(".")
        return f"{where[:200]}: {self.args[0]}" if where else str(self.args[0])


@dataclass(frozen=True, slots=True)
class Shape:
    """What a type is in JSON.

    Attributes:
        schema: As JSON Schema has it, in its newest draft.
        json: The kinds of JSON values: some of ``text``, ``number``, ``bool``, ``array``, ``object``.
        fits: Whether a value is one of the type, at a glance.
        dump: From a value to JSON; raises :class:`Misfit`.
        load: From JSON to a value; raises :class:`Misfit`.
    """

    schema: dict[str, Any]
    json: frozenset[str]
    fits: Callable[[Any], bool]
    dump: Convert
    load: Convert


def sequence(kind: type, element: Shape) -> Shape:
    """The shape of a list, tuple or set of like elements."""
    unordered = kind in (set, frozenset)
    schema: dict[str, Any] = {"type": "array", "items": element.schema}
    if unordered:
        schema["uniqueItems"] = True

    def dump(value: Any) -> list[Any]:
        elements = _each(value, element.dump)
        return sorted(elements, key=repr) if unordered else elements

    def load(value: Any) -> Any:
        return kind(_each(expect(value, list, "a list"), element.load))

    accepted = (set, frozenset) if unordered else (list, tuple)
    return Shape(schema, _ARRAY, lambda v: isinstance(v, accepted), guarded(accepted, dump), load)


def fixed(elements: list[Shape]) -> Shape:
    """The shape of a tuple whose places have types of their own."""
    count = len(elements)
    schema = {
        "type": "array",
        "prefixItems": [each.schema for each in elements],
        "minItems": count,
        "maxItems": count,
        "items": False,
    }

    def through(value: Any, converts: list[Convert]) -> list[Any]:
        if len(value) != count:
            raise Misfit(f"{count} elements are needed, not {len(value)}")
        return [
            _inside(f"[{at}]", convert, each)
            for at, (convert, each) in enumerate(zip(converts, value, strict=True))
        ]

    dumps, loads = [each.dump for each in elements], [each.load for each in elements]
    return Shape(
        schema,
        _ARRAY,
        lambda v: isinstance(v, tuple),
        guarded((tuple,), lambda v: through(v, dumps)),
        lambda v: tuple(through(expect(v, list, "a list"), loads)),
    )


def mapping(element: Shape) -> Shape:
    """The shape of a dictionary from text to like values."""

    def through(value: Mapping[Any, Any], convert: Convert) -> dict[str, Any]:
        return {
            expect(key, str, "text as key"): _inside(f".{key}", convert, each) for key, each in value.items()
        }

    return Shape(
        {"type": "object", "additionalProperties": element.schema},
        frozenset({"object"}),
        lambda v: isinstance(v, Mapping),
        guarded((Mapping,), lambda v: through(v, element.dump)),
        lambda v: through(expect(v, dict, "an object"), element.load),
    )


def optional(shape: Shape) -> Shape:
    """The shape of what may be None as well."""
    return Shape(
        {"anyOf": [shape.schema, {"type": "null"}]},
        shape.json,
        lambda v: v is None or shape.fits(v),
        lambda v: None if v is None else shape.dump(v),
        lambda v: None if v is None else shape.load(v),
    )


def alternatives(shapes: list[Shape]) -> Shape:
    """The shape of a value of one of several types, which JSON keeps apart by itself.

    Raises:
        Misfit: It does not.
    """
    by_kind: dict[str, Shape] = {}
    for shape in shapes:
        for kind in shape.json:
            if kind in by_kind:
                raise Misfit(
                    f"two of its types are {_ARTICLES[kind]} in JSON, so that it could not be read back"
                )
            by_kind[kind] = shape

    def dump(value: Any) -> Any:
        for shape in shapes:
            if shape.fits(value):
                return shape.dump(value)
        raise Misfit(f"{type(value).__name__} is none of its types")

    def load(value: Any) -> Any:
        shape = by_kind.get(kind_of(value))
        if shape is None:
            raise Misfit(f"{_named(value)} is none of its types")
        return shape.load(value)

    return Shape(
        {"anyOf": [each.schema for each in shapes]},
        frozenset(by_kind),
        lambda v: any(shape.fits(v) for shape in shapes),
        dump,
        load,
    )


def kind_of(value: Any) -> str:
    """The kind of a JSON value."""
    match value:
        case bool():
            return "bool"
        case int() | float():
            return "number"
        case str():
            return "text"
        case list():
            return "array"
        case dict():
            return "object"
        case _:
            return "null"


def without_null(value: Any) -> Any:
    """JSON without members that are null: hubs remove them from what is saved (spec: threads-api §5.3).

    Raises:
        Misfit: An element of a list is null: hubs would remove it, and the others would change places.
    """
    if isinstance(value, dict):
        return {
            name: _inside(f".{name}", without_null, each) for name, each in value.items() if each is not None
        }
    if isinstance(value, list):
        if None in value:
            raise Misfit("hubs drop null from lists; write the absence otherwise")
        return _each(value, without_null)
    return value


_ARTICLES = {"bool": "bools", "number": "numbers", "text": "text", "array": "lists", "object": "objects"}
_ARRAY = frozenset({"array"})


def _named(value: Any) -> str:
    return {"text": "text", "null": "null", "bool": "a bool"}.get(kind := kind_of(value), f"a {kind}")


def expect(value: Any, kind: type | tuple[type, ...], what: str) -> Any:
    """``value``, which has to be of a type; ``what`` is needed, for the error."""
    if not isinstance(value, kind):
        raise Misfit(f"{what} is needed, not {type(value).__name__}")
    return value


def guarded(kinds: tuple[type, ...], convert: Convert) -> Convert:
    """A conversion that refuses what is of none of the types."""

    def checked(value: Any) -> Any:
        if not isinstance(value, kinds):
            raise Misfit(
                f"{' or '.join(each.__name__ for each in kinds)} is needed, not {type(value).__name__}"
            )
        return convert(value)

    return checked


def _inside(step: str, convert: Convert, value: Any) -> Any:
    try:
        return convert(value)
    except Misfit as misfit:
        misfit.path.append(step)
        raise


def _each(values: Any, convert: Convert) -> list[Any]:
    return [_inside(f"[{at}]", convert, value) for at, value in enumerate(values)]


SEQUENCES: dict[Any, type] = {
    list: list,
    collections.abc.Sequence: list,
    collections.abc.Iterable: list,
    set: set,
    collections.abc.Set: set,
    frozenset: frozenset,
}
MAPPINGS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
