"""How each kind of field that betterproto2 knows is written (protobuf: programming guide, "Encoding")."""

from __future__ import annotations

import struct
from typing import Any

import betterproto2

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5

WIRE_TYPES: dict[str, int] = {
    **dict.fromkeys(betterproto2.WIRE_VARINT_TYPES, VARINT),
    **dict.fromkeys(betterproto2.WIRE_FIXED_64_TYPES, FIXED64),
    **dict.fromkeys(betterproto2.WIRE_FIXED_32_TYPES, FIXED32),
    **dict.fromkeys(betterproto2.WIRE_LEN_DELIM_TYPES, LENGTH),
}

FORMATS = {
    betterproto2.TYPE_DOUBLE: struct.Struct("<d"),
    betterproto2.TYPE_FLOAT: struct.Struct("<f"),
    betterproto2.TYPE_FIXED32: struct.Struct("<I"),
    betterproto2.TYPE_SFIXED32: struct.Struct("<i"),
    betterproto2.TYPE_FIXED64: struct.Struct("<Q"),
    betterproto2.TYPE_SFIXED64: struct.Struct("<q"),
}


def has_presence(shape: Any, name: str) -> bool:
    """Whether a field that is not set differs from one that holds zero or nothing."""
    return shape.default_gen[name] is type(None)


def is_packed(meta: Any) -> bool:
    """Whether the values of a repeated field are written one after the other, under one tag."""
    return bool(meta.repeated) and WIRE_TYPES[meta.proto_type] != LENGTH
