"""Instances as callers send them and documents as they are stored (spec: threads-api §5).

A document is stored as bytes: an object with its top-level names sorted, no white space, ``<``, ``>``, ``&``,
U+2028 and U+2029 escaped, ``_id`` and ``_mod`` set, and everything else with the text it was sent with. Most
documents are such that orjson writes them just so; the others take the exact way.

Half a surrogate pair is stored as U+FFFD, which is what Go reads there, and what every reader can read.

Not known here: schemas, collections, and whether a document is there already.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from textile_aio.errors import InvalidInput, StatusCode
from textile_aio.threaddb import gojson, rawjson

LONGEST_ID = 1_024
"""Bytes of UTF-8 that the store takes for an id."""

_ID, _MOD = "_id", "_mod"
_STRUCT = 'struct { ID *string "json:\\"_id\\"" }'
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_MOMENT_SHIFTS, _DRAWN_SHIFTS = tuple(range(40, -1, -10)), tuple(range(70, -1, -10))


@dataclass(frozen=True, slots=True)
class Incoming:
    """An instance as it was sent. ``id`` is empty when it is missing, null or empty."""

    raw: bytes
    value: dict[str, Any]
    id: str


def load(body: bytes) -> dict[str, Any]:
    """The value of an instance or a stored document: numbers are int or float, integers exact.

    Raises:
        InvalidInput: It is no JSON object (``unmarshaling json instance: …``, UNKNOWN).
    """
    try:
        value = gojson.loads(body)
    except gojson.GoJSONError as error:
        raise _malformed(str(error)) from None
    if type(value) is dict:
        return value
    if value is None:
        raise _malformed("null is not an object")
    raise _malformed(f"json: cannot unmarshal {_go_kind(value)} into Go value of type {_STRUCT}")


def read_instance(raw: bytes) -> Incoming:
    """Read an instance that is to be created, saved or verified.

    Raises:
        InvalidInput: It is no JSON object, or its ``_id`` is no string (``unmarshaling json instance: …``,
            UNKNOWN).
    """
    value = load(raw)
    id_ = value.get(_ID)
    if id_ is None:
        return Incoming(raw, value, "")
    if type(id_) is str:
        return Incoming(raw, value, id_)
    raise _malformed(f"json: cannot unmarshal {_go_kind(id_)} into Go struct field .{_ID} of type string")


def stored_form(incoming: Incoming, *, id: str, mod: int) -> bytes:  # noqa: A002 (the wire's word)
    """What is stored for a created instance (spec: threads-api §5.2, §5.3).

    Storing it again with the same ``id`` and ``mod`` changes nothing.

    Args:
        incoming: The instance.
        id: Its ``_id``, which may be a new one.
        mod: Its ``_mod``: the time of the change in Unix nanoseconds.
    """
    fields: dict[str, Any]
    if rawjson.is_plain(incoming.value, incoming.raw):
        fields = {**incoming.value, _ID: id, _MOD: mod}
        text = orjson.dumps({name: fields[name] for name in sorted(fields)})
    else:
        fields = {**rawjson.parse(incoming.raw), _ID: rawjson.string(id), _MOD: rawjson.Number(mod)}
        text = rawjson.render({name: fields[name] for name in sorted(fields)})
    return gojson.escape_markup(text)


def new_id(now_ns: int, random: Callable[[int], bytes] = os.urandom) -> str:
    """A ULID in lower case, 26 characters: milliseconds, then 80 random bits.

    Args:
        now_ns: The time, in Unix nanoseconds.
        random: Gives as many random bytes as it is asked for.
    """
    number = int.from_bytes(random(10))
    drawn = "".join([_PAIRS[number >> shift & 1023] for shift in _DRAWN_SHIFTS])
    return _moment(now_ns // 1_000_000 & 0xFFFFFFFFFFFF) + drawn


@lru_cache(64)
def _moment(milliseconds: int) -> str:
    """The first ten characters, which all ids drawn at once share."""
    return "".join([_PAIRS[milliseconds >> shift & 1023] for shift in _MOMENT_SHIFTS])


def check_id(id: str) -> None:  # noqa: A002 (the wire's word)
    """Refuse an id under which nothing can be stored. All others are taken as they are, ``/`` and ``..`` too.

    Raises:
        InvalidInput: It is empty, longer than :data:`LONGEST_ID` bytes, or no Unicode text (UNKNOWN).
    """
    if not id:
        raise InvalidInput("invalid instance: missing _id attribute", code=StatusCode.UNKNOWN)
    try:
        length = len(id.encode())
    except UnicodeEncodeError:
        raise InvalidInput("invalid instance: _id is not Unicode text", code=StatusCode.UNKNOWN) from None
    if length > LONGEST_ID:
        raise InvalidInput(
            f"invalid instance: _id is {length} bytes long; at most {LONGEST_ID} are allowed",
            code=StatusCode.UNKNOWN,
        )


def _go_kind(value: Any) -> str:
    """What Go calls a JSON value in its messages."""
    match value:
        case bool():
            return "bool"
        case str():
            return "string"
        case int() | float():
            return "number"
        case list():
            return "array"
        case _:
            return "object"


def _malformed(why: str) -> InvalidInput:
    return InvalidInput(f"unmarshaling json instance: {why}", code=StatusCode.UNKNOWN)
