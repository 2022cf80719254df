"""Why a text is not JSON, in the words of Go's ``encoding/json``, which peers and their tests match on.

It reads bytes one token at a time without recursion and builds no values; :mod:`textile_aio.threaddb.gojson`
asks it only after a parser has refused the text, so its speed matters little beyond being linear.
"""

from __future__ import annotations

import re
from typing import NoReturn

_SPACE = re.compile(rb"[ \t\r\n]*")
_PLAIN = re.compile(rb'[^"\\\x00-\x1f]*')
_NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*)?(?:(?<=[0-9])\.[0-9]*)?(?:(?<=[0-9])[eE][+-]?[0-9]*)?")
_WORDS = {ord("t"): b"true", ord("f"): b"false", ord("n"): b"null"}
_ESCAPES = b'bfnrt\\/"'
_HEX = b"0123456789abcdefABCDEF"
_CLOSING = {ord("{"): ord("}"), ord("["): ord("]")}
_NAMED = {7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r", 39: "\\'", 92: "\\\\"}


class Complaint(Exception):
    """The text is wrong; the message is Go's."""


def complaint(data: bytes, *, max_depth: int) -> str:
    """What Go says about a text, or an empty string if Go finds nothing wrong with its syntax.

    Like Go it looks at bytes, so it does not mind invalid UTF-8 inside strings.

    Args:
        data: The whole text.
        max_depth: How many arrays and objects may be inside one another; Go itself stops at 10,000.
    """
    try:
        _Reader(data, max_depth).read()
    except Complaint as found:
        return str(found)
    return ""


def quoted(byte: int) -> str:
    """A byte as Go names it in a message: the Latin-1 character, escaped where it does not print."""
    if byte in _NAMED:
        text = _NAMED[byte]
    elif byte < 0x20 or byte == 0x7F:
        text = f"\\x{byte:02x}"
    elif 0x80 <= byte <= 0xA0 or byte == 0xAD:
        text = f"\\u{byte:04x}"
    else:
        text = chr(byte)
    return f"'{text}'"


class _Reader:
    """One pass over one text."""

    def __init__(self, data: bytes, max_depth: int) -> None:
        self._data = data
        self._max_depth = max_depth
        self._at = 0

    def read(self) -> None:
        """Raise at the first byte that cannot be there, or when the text ends too early."""
        inside: list[int] = []  # the opening brackets around the present place
        while True:
            opened = self._value()
            if opened:
                inside.append(opened)
                if len(inside) > self._max_depth:
                    self._at -= 1
                    self._refuse(f"exceeded max depth ({self._max_depth})")
                if self._peek() != _CLOSING[opened]:
                    if opened == ord("{"):
                        self._key()
                    continue
                self._at += 1
                inside.pop()
            if not self._next_sibling(inside):
                return

    def _next_sibling(self, inside: list[int]) -> bool:
        """After a value: on to the next one, out of finished brackets; False when the text is complete."""
        while inside:
            byte = self._here()
            if byte == ord(","):
                self._at += 1
                if inside[-1] == ord("{"):
                    self._key()
                return True
            if byte != _CLOSING[inside[-1]]:
                self._refuse(
                    "after object key:value pair" if inside[-1] == ord("{") else "after array element"
                )
            self._at += 1
            inside.pop()
        if self._peek() is not None:
            self._refuse("after top-level value")
        return False

    def _value(self) -> int:
        """Read a scalar and return 0, or return the bracket that begins an array or object."""
        byte = self._here()
        if byte in _CLOSING:
            self._at += 1
            return byte
        if byte == ord('"'):
            self._string()
        elif byte in _WORDS:
            self._word(_WORDS[byte])
        elif byte == ord("-") or ord("0") <= byte <= ord("9"):
            self._number()
        else:
            self._refuse("looking for beginning of value")
        return 0

    def _key(self) -> None:
        if self._here() != ord('"'):
            self._refuse("looking for beginning of object key string")
        self._string()
        if self._here() != ord(":"):
            self._refuse("after object key")
        self._at += 1

    def _string(self) -> None:
        self._at += 1
        while True:
            self._skip(_PLAIN)
            self._not_at_end()
            byte = self._byte()
            if byte == ord('"'):
                self._at += 1
                return
            if byte != ord("\\"):
                self._refuse("in string literal")
            self._at += 1
            if self._byte() == ord("u"):
                for _ in range(4):
                    self._at += 1
                    if self._byte() not in _HEX:
                        self._refuse("in \\u hexadecimal character escape")
            elif self._byte() not in _ESCAPES:
                self._refuse("in string escape code")
            self._at += 1

    def _word(self, word: bytes) -> None:
        for expected in word:
            if self._byte() != expected:
                self._refuse(f"in literal {word.decode()} (expecting '{chr(expected)}')")
            self._at += 1

    def _number(self) -> None:
        begin = self._at
        self._skip(_NUMBER)
        last = self._data[self._at - 1]
        if ord("0") <= last <= ord("9"):
            return
        if self._at - begin == 1:
            self._refuse("in numeric literal")
        if last == ord("."):
            self._refuse("after decimal point in numeric literal")
        self._refuse("in exponent of numeric literal")

    def _skip(self, pattern: re.Pattern[bytes]) -> None:
        found = pattern.match(self._data, self._at)
        if found:
            self._at = found.end()

    def _peek(self) -> int | None:
        """The next byte that is not white space; None at the end."""
        self._skip(_SPACE)
        return self._data[self._at] if self._at < len(self._data) else None

    def _here(self) -> int:
        """The next byte that is not white space; there must be one."""
        self._skip(_SPACE)
        self._not_at_end()
        return self._byte()

    def _byte(self) -> int:
        """The byte at this place. At the end Go's scanner looks at a space, and so says its messages."""
        return self._data[self._at] if self._at < len(self._data) else ord(" ")

    def _not_at_end(self) -> None:
        if self._at == len(self._data):
            raise Complaint("unexpected end of JSON input")

    def _refuse(self, where: str) -> NoReturn:
        raise Complaint(f"invalid character {quoted(self._byte())} {where}")
