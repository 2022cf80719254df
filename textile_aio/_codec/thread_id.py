"""The binary form of a thread id: version, variant, random bytes. ``ids.ThreadID`` is built on it."""

from __future__ import annotations

from typing import Final

from textile_aio._codec import varint
from textile_aio.errors import InvalidEncoding, InvalidThreadID

VERSION: Final = 1
RAW: Final = 0x55
ACCESS_CONTROLLED: Final = 0x70
MIN_RANDOM: Final = 16
"""Fewest random bytes. JavaScript peers read no id with fewer; Go peers would take one byte."""


def check(data: bytes) -> int:
    """The variant of a well-formed id. Numbers may be longer than needed; peers keep them as they are.

    Raises:
        InvalidThreadID: With the text of a Go peer (spec: identity-and-auth §4), in its order of checking.
    """
    try:
        version, at = varint.decode(data, minimal=False)
        if version != VERSION:
            raise InvalidThreadID(f"expected {VERSION} as the id version number, got: {version}")
        variant, at = varint.decode(data, at, minimal=False)
    except InvalidEncoding as error:
        raise InvalidThreadID(f"reading varint: {error.message}") from None
    if variant not in (RAW, ACCESS_CONTROLLED):
        raise InvalidThreadID(f"expected Raw or AccessControlled as the id variant, got: {variant}")
    if at == len(data):
        raise InvalidThreadID("expected random id bytes but there are none")
    if len(data) - at < MIN_RANDOM:
        raise InvalidThreadID(f"random component too small: {len(data) - at} bytes, need {MIN_RANDOM}")
    return variant
