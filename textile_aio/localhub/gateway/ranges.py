"""Conditions and ranges of requests (RFC 9110 §13, §14): header texts in, a decision out."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TAG = re.compile(r'\s*((?:W/)?"[\x21\x23-\x7e\x80-\xff]*")\s*(?:,|$)')
_RANGE = re.compile(r"\s*([0-9]*)\s*-\s*([0-9]*)\s*", re.ASCII)
_DIGITS = 19
"""Digits of the largest size that a file can have."""


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes from ``start`` up to ``stop``, which is not one of them."""

    start: int
    stop: int


class Unsatisfiable(Exception):
    """None of the bytes that were asked for exist."""


def matches(header: str, tag: str, *, weak: bool) -> bool:
    """Whether a list of entity tags, or ``*``, names ``tag``.

    Args:
        header: As it was sent; what is malformed in it matches nothing.
        tag: A strong tag with its quotes.
        weak: Whether a weak tag is as good, as for ``If-None-Match``.
    """
    if header.strip() == "*":
        return True
    at = 0
    while found := _TAG.match(header, at):
        each = found[1]
        if each == tag or (weak and each == f"W/{tag}"):
            return True
        at = found.end()
    return False


def span(header: str, size: int) -> Span | None:
    """The range that a ``Range`` header asks for; None for everything.

    Headers that are malformed, of another unit, or of several ranges are passed over, which RFC 9110 §14.2
    allows and clients have to expect.

    Raises:
        Unsatisfiable: It begins behind the end, or asks for none of the last bytes.
    """
    unit, equals, text = header.partition("=")
    found = _RANGE.fullmatch(text)
    if not equals or unit.strip().lower() != "bytes" or found is None:
        return None
    # More digits than any size has are as good as one more, and cost nothing to read.
    first, last = (each if len(each) <= _DIGITS else f"{10**_DIGITS}" for each in found.groups())
    if not first:
        if not last:
            return None
        count = min(int(last), size)
        if not count:
            raise Unsatisfiable
        return Span(size - count, size)
    start = int(first)
    if last and int(last) < start:
        return None
    if start >= size:
        raise Unsatisfiable
    return Span(start, min(int(last) + 1, size) if last else size)
