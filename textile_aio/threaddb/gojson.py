"""JSON as Go's ``encoding/json`` reads and writes it.

Whatever was JSON on the wire comes into this room through :func:`loads`: documents, schemas, queries and
patches. It is as strict as Go, speaks Go's error texts, and holds three lines where Go is lax or Python is
not safe:

- text that is not UTF-8 is refused (Go replaces the bytes and goes on);
- nesting beyond :data:`MAX_DEPTH` is refused (Go stops at 10,000), so whatever walks a value may recurse;
- a number that is no finite float64 is refused, as Go does when it decodes into ``interface{}``.

Half a surrogate pair, escaped, is read as U+FFFD, as Go reads it, so every string here can be encoded.

What a value means (an instance, a schema, a query) is not known here.
"""

from __future__ import annotations

import re
from decimal import Decimal
from itertools import accumulate
from json import JSONDecoder
from json.encoder import encode_basestring
from math import isfinite
from typing import Any, NoReturn

import orjson

from textile_aio.threaddb.gosyntax import complaint

MAX_DEPTH = 200
"""Arrays and objects inside one another; no document of a person's making comes near it."""

_SHALLOW = 2 * MAX_DEPTH + 1
"""A whole text of so many bytes cannot be too deep."""

_DIGITS = bytes(ord("0") if byte in b"-0123456789" else byte for byte in range(256))
_LONG_INTEGER = b"0" * 20
"""What an integer beyond 64 bits becomes under ``_DIGITS``; up to there orjson is exact."""

_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")
_NO_QUOTES_OR_BRACKETS = bytes(byte for byte in range(256) if byte not in b'[]{}"')
_PASSES = 8
"""Each takes away two levels at most."""

_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}

_HEX2 = "[0-9a-fA-F]{2}"
_ESCAPE = re.compile(
    rf"\\(?:u[dD][89abAB]{_HEX2}\\u[dD][c-fC-F]{_HEX2}|(u[dD][89a-fA-F]{_HEX2})|.)", re.DOTALL
)
"""One escape; the group holds half a surrogate pair."""

_MARKUP = tuple((character.encode(), f"\\u{ord(character):04x}".encode()) for character in "<>&\u2028\u2029")
_LONGEST_ECHO = 64


class GoJSONError(ValueError):
    """The text is not JSON, or not within the bounds of this module. ``str()`` of it is Go's text."""


def loads(data: bytes) -> Any:
    """The value of a JSON text: dict, list, str, bool, None, int or float.

    Integers are exact whatever their length. Of several members with one name the last counts. Time is linear
    in the length of the text, and no input leads to a ``RecursionError``.

    Raises:
        GoJSONError: Go's text, such as ``unexpected end of JSON input``; or one of this module's own bounds.
    """
    if (len(data) <= _SHALLOW or not _deep(data)) and _LONG_INTEGER not in data.translate(_DIGITS):
        try:
            return orjson.loads(data)
        except orjson.JSONDecodeError:
            pass  # a fault, or half a surrogate pair: the exact reader tells which
    if _deep(data):
        _refuse(data, "nesting too deep")
    try:
        return _DECODER.decode(decoded(data))
    except UnicodeDecodeError as error:
        _refuse(data, f"invalid UTF-8 in string literal at byte {error.start}")
    except ValueError as error:
        _refuse(data, str(error))


def decoded(data: bytes) -> str:
    """A text that :func:`loads` has accepted, halves of surrogate pairs replaced."""
    text = data.decode()
    if "\\ud" in text or "\\uD" in text:
        return _ESCAPE.sub(_whole_escape, text)
    return text


def dumps(value: Any) -> bytes:
    """A value as Go's ``json.Marshal`` writes what it decoded into ``interface{}``, integers exact.

    No white space, keys sorted at every level, fractions as float64 in their shortest form, and
    :func:`escape_markup`.

    Args:
        value: What :func:`loads` returned, or built from such values.
    """
    return escape_markup(_text(value).encode())


def escape_markup(data: bytes) -> bytes:
    """Escape in a JSON text what Go escapes for HTML's sake: ``<``, ``>``, ``&``, U+2028 and U+2029."""
    for character, escape in _MARKUP:
        if character in data:
            data = data.replace(character, escape)
    return data


def _number(value: float) -> str:
    """An integer as it is; a fraction as Go prints a float64: an exponent below 1e-6 and from 1e21 on."""
    if type(value) is int:
        return str(value)
    shortest = repr(value)
    if 1e-6 <= abs(value) < 1e21 or not value:
        if "e" in shortest:
            return f"{Decimal(shortest):f}"
        return shortest.removesuffix(".0")
    return shortest.replace("e-0", "e-")


def _text(value: Any) -> str:
    kind = type(value)
    if kind is str:
        return encode_basestring(value)
    if kind is dict:
        return (
            "{" + ",".join([f"{encode_basestring(key)}:{_text(value[key])}" for key in sorted(value)]) + "}"
        )
    if kind is list:
        return "[" + ",".join([_text(element) for element in value]) + "]"
    if value is None:
        return "null"
    if kind is bool:
        return "true" if value else "false"
    return _number(value)


def _deep(data: bytes) -> bool:
    """Whether a text is too deep to be read. In what is not JSON, right only up to the first fault."""
    if data.count(b"{") + data.count(b"[") <= MAX_DEPTH:
        return False
    if _clearly_shallow(data):
        return False
    brackets = _STRING.sub(b"", data).translate(None, _NO_BRACKETS)
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0) > MAX_DEPTH


def _clearly_shallow(data: bytes) -> bool:
    """A quick look at a long text: True if there is no escape, no bracket in a string, and little depth.

    Without anything but quotes and brackets, an even number of quotes stands before each bracket that is
    outside of strings, so all quotes vanish in pairs only if none is inside.
    """
    if b"\\" in data:
        return False
    brackets = data.translate(None, _NO_QUOTES_OR_BRACKETS).replace(b'""', b"")
    for _ in range(_PASSES):
        brackets = brackets.replace(b"{}", b"").replace(b"[]", b"")
    return not brackets


def _refuse(data: bytes, otherwise: str) -> NoReturn:
    """Raise what Go says, which looks at the syntax of the whole text before anything else."""
    raise GoJSONError(complaint(data, max_depth=MAX_DEPTH) or otherwise) from None


def _whole_escape(found: re.Match[str]) -> str:
    return "\\ufffd" if found[1] else found[0]


def _integer(text: str) -> int:
    if len(text) > 300:
        _real(text)
    return int(text)


def _real(text: str) -> float:
    value = float(text)
    if isfinite(value):
        return value
    shown = text if len(text) <= _LONGEST_ECHO else f"{text[:_LONGEST_ECHO]}…"
    raise GoJSONError(f"json: cannot unmarshal number {shown} into Go value of type float64")


def _constant(text: str) -> NoReturn:
    raise GoJSONError(f"{text} is not JSON")


_DECODER = JSONDecoder(parse_int=_integer, parse_float=_real, parse_constant=_constant)
