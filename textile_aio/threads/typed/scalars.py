"""How single values become JSON and come back: numbers, text, times, bytes, enums, literals, ids.

Owns the table of types. Nothing is guessed: a type that is not in it is refused where it is met.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from enum import Enum, Flag
from typing import Any, Literal, get_args, get_origin
from uuid import UUID

from textile_aio.identity import PublicKey
from textile_aio.ids import Cid, ThreadID
from textile_aio.threads.typed.shapes import Convert, Misfit, Shape, expect, guarded, kind_of

_TEXT = frozenset({"text"})
_NUMBER = frozenset({"number"})


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
    if isinstance(kind, type):
        return _enum(kind) if issubclass(kind, Enum) else _SCALARS.get(kind)
    if get_origin(kind) is Literal:
        return _literal(get_args(kind))
    return None


def _plain(schema_type: str, kind: str, check: Convert, fits: Callable[[Any], bool]) -> Shape:
    return Shape({"type": schema_type}, frozenset({kind}), fits, check, check)


def _as_text(kind: type, to: Convert, of: Callable[[str], Any], format_: str = "") -> Shape:
    """A type that is text in JSON."""

    def dump(value: Any) -> Any:
        try:
            return to(expect(value, kind, kind.__name__))
        except ValueError as error:
            raise Misfit(str(error)) from error

    def load(value: Any) -> Any:
        text = expect(value, str, "text")
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
        guarded((kind,), lambda v: v.value),
        lambda v: _member_of(kind, v),
    )


def _member_of(kind: type[Enum], value: Any) -> Enum:
    try:
        member = kind(value)  # an enum may know more values than it lists
    except ValueError as error:
        raise Misfit(f"{value!r:.60} is no {kind.__name__}") from error
    if kind_of(member.value) != kind_of(value):  # to Python, True and 1 are the same
        raise Misfit(f"{value!r:.60} is no {kind.__name__}")
    return member


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


def _integer(value: Any) -> int:
    if isinstance(value, bool):
        raise Misfit("a whole number is needed, not bool")
    if isinstance(value, float) and value.is_integer():
        return int(value)  # hubs of some kinds keep all numbers as floats
    return int(expect(value, int, "a whole number"))


def _float(value: Any) -> float:
    if isinstance(value, bool):
        raise Misfit("a number is needed, not bool")
    return float(expect(value, (int, float), "a number"))


def _either_number(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Misfit(f"a number is needed, not {type(value).__name__}")
    return value


_SCALARS: dict[Any, Shape] = {
    str: _plain("string", "text", lambda v: expect(v, str, "text"), lambda v: isinstance(v, str)),
    bool: _plain("boolean", "bool", lambda v: expect(v, bool, "a bool"), lambda v: isinstance(v, bool)),
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
