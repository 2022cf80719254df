"""Multibase: bytes as text, the first character naming the base.

This package writes base32 (``b``) and, for old content addresses and peer ids, bare base58; it reads every
base that Go and JavaScript peers read (spec: identity-and-auth §1). Text that is not exactly what an encoder
would have written, letter case aside, is refused: no stray characters, no left-over bits, padding as the base
says. Error texts give a position, never the text: it may be a secret.
"""

from __future__ import annotations

import base64
from typing import NamedTuple

from textile_aio.errors import InvalidEncoding


class _Base(NamedTuple):
    prefix: str
    digits: bytes
    bits: int = 0  # bits a digit; 0 for a positional base, where the whole is one number
    upper: bool = False
    padded: bool = False
    folds: bool = True  # upper and lower case mean the same


_STANDARD32 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_STANDARD64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_URL64 = _STANDARD64[:62] + b"-_"
_DIGITS36 = b"0123456789abcdefghijklmnopqrstuvwxyz"
_LOWER32 = _STANDARD32.lower()
_ZOOKO32 = b"ybndrfg8ejkmcpqxot1uwisza345h769"
_BITCOIN58 = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_FLICKR58 = b"123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ"

_BASES = {
    "base2": _Base("0", _DIGITS36[:2], 1),
    "base8": _Base("7", _DIGITS36[:8], 3),
    "base10": _Base("9", _DIGITS36[:10]),
    "base16": _Base("f", _DIGITS36[:16], 4),
    "base16upper": _Base("F", _DIGITS36[:16], 4, upper=True),
    "base32": _Base("b", _LOWER32, 5),
    "base32upper": _Base("B", _LOWER32, 5, upper=True),
    "base32pad": _Base("c", _LOWER32, 5, padded=True),
    "base32padupper": _Base("C", _LOWER32, 5, upper=True, padded=True),
    "base32hex": _Base("v", _DIGITS36[:32], 5),
    "base32hexupper": _Base("V", _DIGITS36[:32], 5, upper=True),
    "base32hexpad": _Base("t", _DIGITS36[:32], 5, padded=True),
    "base32hexpadupper": _Base("T", _DIGITS36[:32], 5, upper=True, padded=True),
    "base32z": _Base("h", _ZOOKO32, 5),
    "base36": _Base("k", _DIGITS36),
    "base36upper": _Base("K", _DIGITS36, upper=True),
    "base58btc": _Base("z", _BITCOIN58, folds=False),
    "base58flickr": _Base("Z", _FLICKR58, folds=False),
    "base64": _Base("m", _STANDARD64, 6, folds=False),
    "base64pad": _Base("M", _STANDARD64, 6, padded=True, folds=False),
    "base64url": _Base("u", _URL64, 6, folds=False),
    "base64urlpad": _Base("U", _URL64, 6, padded=True, folds=False),
}
_BY_PREFIX = {base.prefix: (name, base) for name, base in _BASES.items()}
_IDENTITY = "\x00"

_FORMATS = {1: "b", 3: "o", 4: "x"}
"""How ``format`` writes digits of 1, 3 and 4 bits."""

_QUADRATIC_LIMIT = 4096
"""Characters read in a positional base: their cost grows with the square, and no real id or key has 400."""


def encode(data: bytes, base: str = "base32") -> str:
    """``data`` with the prefix of ``base``, a name of the multibase table such as ``base58btc``.

    Raises:
        ValueError: There is no such base: a mistake of the calling code.
    """
    if base == "base32":  # every content address: without the detours below
        return "b" + base64.b32encode(data).rstrip(b"=").decode("ascii").lower()
    if base == "identity":
        return _IDENTITY + data.decode("latin-1")
    entry = _BASES.get(base)
    if entry is None:
        raise ValueError(f"no base named {base!r}")
    body = _write_bits(data, entry) if entry.bits else _write_number(data, entry.digits)
    return entry.prefix + (body.upper() if entry.upper else body)


def decode(text: str) -> bytes:
    """The bytes that ``text`` stands for.

    Raises:
        InvalidEncoding: The text is empty, its prefix is unknown, or the rest is not of that base.
    """
    if not text:
        raise InvalidEncoding("cannot decode multibase for zero length string")
    if text[0] == _IDENTITY:
        return _bytes_of(text[1:], "identity", "latin-1", 0x100)
    name, base = _BY_PREFIX.get(text[0], ("", None))
    if base is None:
        raise InvalidEncoding("selected encoding not supported")
    return _read(text[1:], name.removesuffix("upper").removesuffix("pad"), base)


def encode58(data: bytes) -> str:
    """Bitcoin's base58 without a prefix, as in ``Qm…`` and peer ids."""
    return _write_number(data, _BITCOIN58)


def decode58(text: str) -> bytes:
    """The bytes of bare base58 text.

    Raises:
        InvalidEncoding: A character is not of that base, or the text is longer than any id.
    """
    return _read(text, "base58", _BASES["base58btc"])


def _write_bits(data: bytes, base: _Base) -> str:
    if base.bits >= 5:
        raw, standard = (
            (base64.b32encode(data), _STANDARD32) if base.bits == 5 else (base64.b64encode(data), _STANDARD64)
        )
        body = raw.translate(bytes.maketrans(standard, base.digits))
        return (body if base.padded else body.rstrip(b"=")).decode("ascii")
    count = -(-len(data) * 8 // base.bits)
    number = int.from_bytes(data) << (count * base.bits - len(data) * 8)
    return format(number, f"0{count}{_FORMATS[base.bits]}") if count else ""


def _write_number(data: bytes, digits: bytes) -> str:
    zeros = len(data) - len(data.lstrip(b"\x00"))
    number = int.from_bytes(data)
    out = bytearray()
    while number:
        number, digit = divmod(number, len(digits))
        out.append(digits[digit])
    return (digits[:1] * zeros + out[::-1]).decode("ascii")


def _read(text: str, name: str, base: _Base) -> bytes:
    body = _bytes_of(text, name, "ascii", 0x80)
    if base.folds:
        body = body.lower()
    if base.padded:
        body = _without_padding(body, name, base.bits)
    if stray := body.translate(None, base.digits):
        raise _illegal(name, body.index(stray[:1]))
    return _read_bits(body, name, base) if base.bits else _read_number(body, name, base.digits)


def _read_bits(body: bytes, name: str, base: _Base) -> bytes:
    spare = len(body) * base.bits % 8
    if spare and (spare >= base.bits or base.digits.index(body[-1]) & (1 << spare) - 1):
        raise _illegal(name, len(body))
    if base.bits == 6:
        return base64.b64decode(
            body.translate(bytes.maketrans(base.digits, _STANDARD64)) + b"=" * (-len(body) % 4)
        )
    # Four times as fast as base64.b32decode, which is written in Python.
    number = int(
        body.translate(bytes.maketrans(base.digits, _DIGITS36[: 1 << base.bits])) or b"0", 1 << base.bits
    )
    return (number >> spare).to_bytes(len(body) * base.bits // 8)


def _read_number(body: bytes, name: str, digits: bytes) -> bytes:
    if len(body) > _QUADRATIC_LIMIT:
        raise InvalidEncoding(f"{name} text is longer than {_QUADRATIC_LIMIT} characters")
    number = 0
    for character in body:
        number = number * len(digits) + digits.index(character)
    zeros = len(body) - len(body.lstrip(digits[:1]))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8)


def _without_padding(body: bytes, name: str, bits: int) -> bytes:
    group = 8 if bits == 5 else 4
    bare = body.rstrip(b"=")
    if len(body) != -(-len(bare) // group) * group:
        raise _illegal(name, len(bare))
    return bare


def _bytes_of(text: str, name: str, charset: str, size: int) -> bytes:
    # Looked for beforehand: the error of ``encode`` would carry the whole text along as its object.
    for at, character in enumerate(text if not text.isascii() else ""):
        if ord(character) >= size:
            raise _illegal(name, at)
    return text.encode(charset)


def _illegal(name: str, at: int) -> InvalidEncoding:
    return InvalidEncoding(f"illegal {name} data at input byte {at}")
