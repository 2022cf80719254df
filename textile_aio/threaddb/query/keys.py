r"""How values of documents are ordered and told apart in indexes (the store knows keys as mere bytes).

An order key is a tag and the value in an order-preserving form; keys compare as values do::

    01             false
    02             true
    03 + 8 bytes   number: float64, big-endian, sign flipped (all bits of a negative one); -0 is 0
    04 + UTF-8     string, cut after 256 bytes

Strings that share 256 bytes share a key, and integers beyond 2^53 share that of their float64: a key finds
candidates, the document decides. A claim is another key: it is equal for values that a unique index takes for
the same.
"""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from hashlib import sha256
from math import inf
from struct import Struct
from typing import Any, Final

from textile_aio.threaddb.gojson import MAX_DEPTH

FALSE, TRUE, NUMBER, STRING, BEYOND = b"\x01", b"\x02", b"\x03", b"\x04", b"\x05"

STRING_BYTES = 256
"""How much of a string an order key holds."""

LARGEST_EXACT = 2.0**53
"""From here on different integers may be one float64."""

_FLOAT = Struct(">d")
_BITS = Struct(">Q")
_SIGN = 1 << 63
_ALL = (1 << 64) - 1


class Absent(Enum):
    """The type of :data:`ABSENT`."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT
"""What a document holds at a path that it has not got. JSON's null is something else: None."""


def field(document: dict[str, Any], path: str) -> Any:
    """The value at a path, or :data:`ABSENT`.

    Args:
        document: A loaded document.
        path: Object keys joined with dots; a key that contains a dot cannot be named, nor an element of an
            array (spec: threads-api §6.2).
    """
    value: Any = document
    for name in path.split(".", MAX_DEPTH):  # What is behind that is in no document.
        if type(value) is not dict:
            return ABSENT
        value = value.get(name, ABSENT)
    return value


def number(value: float) -> float:
    """A JSON number as the float64 that queries compare; one beyond its range is infinite."""
    try:
        return float(value)
    except OverflowError:
        return inf if value > 0 else -inf


def order_key(value: Any) -> bytes | None:
    """Where a value stands in an index; None for what has no place there: null, absent, object, array."""
    kind = type(value)
    if kind is str:
        return STRING + text_bytes(value)[:STRING_BYTES]
    if kind is bool:
        return TRUE if value else FALSE
    if kind is int or kind is float:
        (bits,) = _BITS.unpack(_FLOAT.pack(number(value) + 0.0))
        return NUMBER + _BITS.pack(bits ^ (_ALL if bits & _SIGN else _SIGN))
    return None


def is_cut(key: bytes) -> bool:
    """Whether different values may share this order key because only their beginnings are in it."""
    return len(key) > STRING_BYTES


def claim(value: Any) -> bytes | None:
    """What a document claims in a unique index: SHA-256 of the value's text; None if it claims nothing.

    As upstream does, texts are compared: 1, 1.0 and "1" are the same, and so are null and ""
    (spec: threads-api §4.3).
    """
    kind = type(value)
    if kind is str:
        text = value
    elif kind is bool:
        text = "true" if value else "false"
    elif kind is int:
        text = str(value)
    elif kind is float:
        text = _decimal(value)
    elif value is None:
        text = ""
    else:
        return None
    return sha256(text_bytes(text)).digest()


def text_bytes(text: str) -> bytes:
    """UTF-8, also of half a surrogate pair, so that any string has a place in the order."""
    return text.encode("utf-8", "surrogatepass")


def _decimal(value: float) -> str:
    """A float's shortest digits without an exponent; -0 as 0."""
    return f"{Decimal(repr(value + 0.0)):f}".removesuffix(".0")
