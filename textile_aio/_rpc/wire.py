"""Whether bytes are a message of a type at all, before betterproto2 reads them.

betterproto2 takes a field that is cut short, a value of another wire type and two members of one oneof
without complaint, and what comes out is not what its types say. This walk refuses all of them. It owns
the check and nothing else: no value is decoded here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import betterproto2

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_FIXED = {_FIXED64: 8, _FIXED32: 4}
_MAX_DEPTH = 100  # as in other protobuf implementations

_WIRE_TYPES = {
    **dict.fromkeys(betterproto2.WIRE_VARINT_TYPES, _VARINT),
    **dict.fromkeys(betterproto2.WIRE_FIXED_64_TYPES, _FIXED64),
    **dict.fromkeys(betterproto2.WIRE_FIXED_32_TYPES, _FIXED32),
    **dict.fromkeys(betterproto2.WIRE_LEN_DELIM_TYPES, _LENGTH),
}


@dataclass(frozen=True, slots=True)
class _Field:
    wire_type: int
    packable: bool
    message: type[Any] | None
    is_text: bool
    group: str | None


def check(data: bytes | memoryview, message_type: type[Any]) -> None:
    """Refuse what is not a ``message_type``. Fields that it does not know may hold anything well-formed.

    Raises:
        ValueError: It is not; the text says why.
    """
    _check(data, 0, len(data), message_type, 0)


def _check(data: bytes | memoryview, position: int, end: int, message_type: type[Any], depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise ValueError("messages are nested too deeply")
    fields = _SHAPES.get(message_type) or _fields(message_type)
    members: dict[str, int] = {}
    while position < end:
        tag, position = _varint(data, position, end)
        number, wire_type = tag >> 3, tag & 7
        if not 0 < number < 1 << 29:
            raise ValueError("a field has no valid number")
        start = position
        if wire_type == _VARINT:
            _, position = _varint(data, position, end)
        elif wire_type == _LENGTH:
            size, start = _varint(data, position, end)
            position = start + size
        elif wire_type in _FIXED:
            position += _FIXED[wire_type]
        else:
            raise ValueError(f"field {number} has wire type {wire_type}")
        if position > end:
            raise ValueError(f"field {number} is cut short")
        field = fields.get(number)
        if field is None:
            continue
        if wire_type != field.wire_type and not (wire_type == _LENGTH and field.packable):
            raise ValueError(f"field {number} has wire type {wire_type} instead of {field.wire_type}")
        if field.message is not None:
            _check(data, start, position, field.message, depth + 1)
        elif field.is_text:
            str(data[start:position], "utf-8")
        if field.group is not None and members.setdefault(field.group, number) != number:
            raise ValueError(f"more than one member of {field.group} is set")


_SHAPES: dict[type[Any], dict[int, _Field]] = {}


def _fields(message_type: type[Any]) -> dict[int, _Field]:
    shape = message_type._betterproto
    fields = _SHAPES[message_type] = {}
    for name, meta in shape.meta_by_field_name.items():
        wire_type = _WIRE_TYPES[meta.proto_type]
        nested = meta.proto_type in (betterproto2.TYPE_MESSAGE, betterproto2.TYPE_MAP)
        fields[meta.number] = _Field(
            wire_type=wire_type,
            packable=bool(meta.repeated) and wire_type != _LENGTH,
            message=shape.cls_by_field[name] if nested else None,
            is_text=meta.proto_type == betterproto2.TYPE_STRING,
            group=meta.group,
        )
    return fields


def _varint(data: bytes | memoryview, position: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while position < end and shift < 70:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    raise ValueError("a varint is cut short or too long")
