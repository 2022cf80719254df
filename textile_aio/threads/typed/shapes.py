"""How values of Python's types become JSON and come back: scalars, times, enums, containers, alternatives.

Owns the table of types. What a class with fields becomes is in ``objects``. Nothing is guessed: a type whose
JSON would not lead back to the same value is refused, and the error says what to write instead.
"""

from __future__ import annotations

import base64
import binascii
import collections.abc
import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import Enum, Flag
from typing import Any, Literal, get_args, get_origin
from uuid import UUID

from textile_aio.identity import PublicKey
from textile_aio.ids import Cid, ThreadID

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


def rfc3339(moment: dt.datetime) -> str:
    """A moment as text: in UTC, with six digits after the point, such as ``2021-04-09T12:30:00.000000Z``.

    Fields of type ``datetime`` of dataclasses are stored so; all such texts are in the order of time, which
    is what comparisons need: ``where("created") >= rfc3339(start)``.

    Raises:
        ValueError: The moment has no time zone.
    """
    if moment.utcoffset() is None:
        raise ValueError("a moment needs a time zone; use datetime.now(UTC) and the like")
    return moment.astimezone(dt.UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def scalar(kind: Any) -> Shape | None:
    """The shape of a type that has no parts; None if it is not one that is known."""
    if kind in _SCALARS:
        return _SCALARS[kind]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _enum(kind)
    if get_origin(kind) is Literal:
        return _literal(get_args(kind))
    return None


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
        return kind(_each(_expect(value, list, "a list"), element.load))

    accepted = (set, frozenset) if unordered else (list, tuple)
    return Shape(schema, _ARRAY, lambda v: isinstance(v, accepted), _guarded(accepted, dump), load)


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
        _guarded((tuple,), lambda v: through(v, dumps)),
        lambda v: tuple(through(_expect(v, list, "a list"), loads)),
    )


def mapping(element: Shape) -> Shape:
    """The shape of a dictionary from text to like values."""

    def through(value: Mapping[Any, Any], convert: Convert) -> dict[str, Any]:
        return {
            _expect(key, str, "text as key"): _inside(f".{key}", convert, each) for key, each in value.items()
        }

    return Shape(
        {"type": "object", "additionalProperties": element.schema},
        frozenset({"object"}),
        lambda v: isinstance(v, Mapping),
        _guarded((Mapping,), lambda v: through(v, element.dump)),
        lambda v: through(_expect(v, dict, "an object"), element.load),
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


_ARTICLES = {"bool": "bools", "number": "numbers", "text": "text", "array": "lists", "object": "objects"}
_ARRAY = frozenset({"array"})
_TEXT = frozenset({"text"})
_NUMBER = frozenset({"number"})


def _named(value: Any) -> str:
    return {"text": "text", "null": "null", "bool": "a bool"}.get(kind := kind_of(value), f"a {kind}")


def _expect(value: Any, kind: type, what: str) -> Any:
    if not isinstance(value, kind):
        raise Misfit(f"{what} is needed, not {type(value).__name__}")
    return value


def _guarded(kinds: tuple[type, ...], convert: Convert) -> Convert:
    def guarded(value: Any) -> Any:
        if not isinstance(value, kinds):
            raise Misfit(
                f"{' or '.join(each.__name__ for each in kinds)} is needed, not {type(value).__name__}"
            )
        return convert(value)

    return guarded


def _inside(step: str, convert: Convert, value: Any) -> Any:
    try:
        return convert(value)
    except Misfit as misfit:
        misfit.path.append(step)
        raise


def _each(values: Any, convert: Convert) -> list[Any]:
    return [_inside(f"[{at}]", convert, value) for at, value in enumerate(values)]


def _integer(value: Any) -> int:
    if isinstance(value, bool):
        raise Misfit("a whole number is needed, not bool")
    if isinstance(value, float) and value.is_integer():
        return int(value)  # hubs of some kinds keep all numbers as floats
    return int(_expect(value, int, "a whole number"))


def _float(value: Any) -> float:
    if isinstance(value, bool):
        raise Misfit("a number is needed, not bool")
    return float(_expect(value, (int, float), "a number"))  # type: ignore[arg-type]


def _either_number(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Misfit(f"a number is needed, not {type(value).__name__}")
    return value


def _plain(schema_type: str, kind: str, check: Convert, fits: Callable[[Any], bool]) -> Shape:
    return Shape({"type": schema_type}, frozenset({kind}), fits, check, check)


def _as_text(kind: type, to: Convert, of: Callable[[str], Any], format_: str = "") -> Shape:
    """A type that is text in JSON."""

    def dump(value: Any) -> Any:
        try:
            return to(_expect(value, kind, kind.__name__))
        except ValueError as error:
            raise Misfit(str(error)) from error

    def load(value: Any) -> Any:
        text = _expect(value, str, "text")
        try:
            return of(text)
        except (ValueError, InvalidOperation) as error:
            raise Misfit(f"{text[:60]!r} is no {kind.__name__}") from error

    schema = {"type": "string"} | ({"format": format_} if format_ else {})
    return Shape(schema, _TEXT, lambda v: isinstance(v, kind), dump, load)


def _moment(text: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(text)
    if moment.utcoffset() is None:
        raise ValueError("no time zone")
    return moment


def _day(value: dt.date) -> str:
    if isinstance(value, dt.datetime):
        raise ValueError("a date is needed, not a datetime")  # noqa: TRY004  # Misfit by way of it
    return value.isoformat()


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("no base64") from error


def _decimal(value: Decimal) -> str:
    if not value.is_finite():
        raise ValueError(f"{value} is no number")
    return str(value)


def _enum(kind: type[Enum]) -> Shape:
    if issubclass(kind, Flag):
        return Shape(
            {"type": "integer"},
            _NUMBER,
            lambda v: isinstance(v, kind),
            lambda v: v.value,
            lambda v: _member_of(kind, _integer(v)),
        )
    values = [each.value for each in kind]
    return Shape(
        {"enum": values, "title": kind.__name__},
        _kinds(values, kind.__name__),
        lambda v: isinstance(v, kind),
        _guarded((kind,), lambda v: v.value),
        lambda v: _member_of(kind, v),
    )


def _member_of(kind: type[Enum], value: Any) -> Enum:
    for member in kind:
        if member.value == value and kind_of(member.value) == kind_of(value):
            return member
    try:
        return kind(value)
    except ValueError as error:
        raise Misfit(f"{value!r:.60} is no {kind.__name__}") from error


def _literal(values: tuple[Any, ...]) -> Shape:
    plain = [each.value if isinstance(each, Enum) else each for each in values]

    def find(choices: Any, value: Any) -> int:
        for at, choice in enumerate(choices):
            if choice == value and type(choice) is type(value):
                return at
        raise Misfit(f"{value!r:.60} is none of {', '.join(map(repr, plain))}")

    return Shape(
        {"enum": plain},
        _kinds(plain, "Literal"),
        lambda v: any(v == each and type(v) is type(each) for each in values),
        lambda v: plain[find(values, v)],
        lambda v: values[find(plain, v)],
    )


def _kinds(values: list[Any], name: str) -> frozenset[str]:
    kinds = frozenset(map(kind_of, values))
    if not kinds <= {"text", "number", "bool"}:
        raise Misfit(f"values of {name} are neither text nor numbers nor bools, and JSON cannot say them")
    return kinds


_SCALARS: dict[Any, Shape] = {
    str: _plain("string", "text", lambda v: _expect(v, str, "text"), lambda v: isinstance(v, str)),
    bool: _plain("boolean", "bool", lambda v: _expect(v, bool, "a bool"), lambda v: isinstance(v, bool)),
    int: _plain("integer", "number", _integer, lambda v: isinstance(v, int) and not isinstance(v, bool)),
    float: _plain(
        "number", "number", _float, lambda v: isinstance(v, int | float) and not isinstance(v, bool)
    ),
    dt.datetime: _as_text(dt.datetime, rfc3339, _moment, "date-time"),
    dt.date: _as_text(dt.date, _day, dt.date.fromisoformat, "date"),
    dt.time: _as_text(dt.time, dt.time.isoformat, dt.time.fromisoformat),
    UUID: _as_text(UUID, str, UUID, "uuid"),
    Decimal: _as_text(Decimal, _decimal, Decimal),
    bytes: _as_text(bytes, lambda v: base64.b64encode(v).decode(), _bytes),
    ThreadID: _as_text(ThreadID, str, ThreadID.parse),
    Cid: _as_text(Cid, str, Cid.parse),
    PublicKey: _as_text(PublicKey, str, PublicKey.from_string),
}

EITHER_NUMBER = _plain(
    "number", "number", _either_number, lambda v: isinstance(v, int | float) and not isinstance(v, bool)
)
"""``int | float``: JSON has one kind of number, and this keeps the value as it is."""

SEQUENCES: dict[Any, type] = {
    list: list,
    collections.abc.Sequence: list,
    collections.abc.Iterable: list,
    set: set,
    collections.abc.Set: set,
    frozenset: frozenset,
}
MAPPINGS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
