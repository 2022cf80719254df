r"""JSON values whose scalars keep the text they were sent with, for documents that must come back unchanged.

:func:`parse` reads a text into dicts and lists whose leaves are texts, so that ``1.0``, ``1e5``, integers of
any length, ``\/`` and ``\u0041`` survive; :func:`render` writes them out again, without white space. True,
False and None stand for themselves. Most texts need none of this: :func:`is_plain` tells when the ordinary
value says it all.

The work is done by the JSON scanner of the standard library, which would decode strings. It is therefore
shown no backslash: each is replaced by a surrogate, a character that no text can hold, and put back at the
end.

It takes only texts that :func:`textile_aio.threaddb.gojson.loads` has accepted, and does not know Go's rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from json import JSONDecoder
from json.encoder import encode_basestring
from typing import Any

import orjson

from textile_aio.threaddb.gojson import decoded

_SPACE = b" \t\r\n"
_DOUBLE, _QUOTE, _SINGLE = "\ud800", "\ud801", "\ud802"
"""Stand-ins for ``\\\\``, ``\\"`` and any other backslash."""


class Number(str):
    """A number, as it was written."""

    __slots__ = ()


class Verbatim(dict[str, Any]):
    """An object that a dict alone cannot repeat: a name occurs twice, or is escaped."""

    __slots__ = ("members",)

    def __init__(self, members: Sequence[tuple[str, Any]]) -> None:
        super().__init__([(_name(name), value) for name, value in members])
        self.members: Sequence[tuple[str, Any]] = members


def is_plain(value: Any, data: bytes) -> bool:
    """Whether orjson writes a value as the very text it was read from, but for white space.

    The two texts are compared without white space. If they are equal so is every token: names that occur
    twice would leave tokens out, numbers in another form differ, and where orjson writes an escape otherwise
    it writes fewer bytes, never more.
    """
    try:
        text = orjson.dumps(value)
    except TypeError:  # an integer beyond 64 bits
        return False
    return text == data or text.translate(None, _SPACE) == data.translate(None, _SPACE)


def parse(data: bytes) -> Any:
    """Read an accepted text.

    Objects become dicts from decoded names to values, of which nothing may be changed in place.
    """
    text = decoded(data)
    if "\\" not in text:
        return _UNESCAPED.decode(text)
    return _ESCAPED.decode(text.replace("\\\\", _DOUBLE).replace('\\"', _QUOTE).replace("\\", _SINGLE))


def render(value: Any) -> bytes:
    """Write what :func:`parse` read, or dicts and lists made of such values."""
    return _restored(_written(value)).encode()


def string(text: str) -> str:
    """The leaf for a string."""
    return encode_basestring(text)[1:-1]


def _written(value: Any) -> str:
    kind = type(value)
    if kind is str:
        return f'"{value}"'
    if kind is Number:
        return str(value)
    if kind is dict:
        return (
            "{"
            + ",".join([f"{encode_basestring(name)}:{_written(member)}" for name, member in value.items()])
            + "}"
        )
    if kind is Verbatim:
        return "{" + ",".join([f'"{name}":{_written(member)}' for name, member in value.members]) + "}"
    if kind is list:
        return "[" + ",".join([_written(element) for element in value]) + "]"
    if value is None:
        return "null"
    return "true" if value else "false"


def _restored(text: str) -> str:
    return text.replace(_SINGLE, "\\").replace(_QUOTE, '\\"').replace(_DOUBLE, "\\\\")


def _name(text: str) -> str:
    return str(_NAMES.decode(_restored(f'"{text}"'))) if _has_escape(text) else text


def _has_escape(text: str) -> bool:
    return _SINGLE in text or _QUOTE in text or _DOUBLE in text


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(members)
    return value if len(value) == len(members) else Verbatim(members)


def _object_with_escapes(members: list[tuple[str, Any]]) -> dict[str, Any]:
    if any(_has_escape(name) for name, _ in members):
        return Verbatim(members)
    return _object(members)


_NAMES = JSONDecoder()
_UNESCAPED = JSONDecoder(parse_int=Number, parse_float=Number, object_pairs_hook=_object)
_ESCAPED = JSONDecoder(parse_int=Number, parse_float=Number, object_pairs_hook=_object_with_escapes)
