"""Bytes to betterproto2's messages, by functions that are put together once for each type, and strictly.

betterproto2's own way takes several times as long, and takes without complaint a field that is cut short, a
value of another wire type and two members of one oneof, out of which come messages that are not what their
types say. All of them are refused here; what is read is what ``parse`` would read.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import betterproto2

from textile_aio._rpc.wire import FIXED32, FIXED64, FORMATS, LENGTH, VARINT, WIRE_TYPES, is_packed

_FIXED_SIZES = {FIXED64: 8, FIXED32: 4}
_MAX_DEPTH = 100  # as in other protobuf implementations
_MAX_FIELDS = 200_000  # at one level: reading them takes the loop half a second; a full message has more room

#: The value of a field, out of its bytes, or out of its number if it is a varint, at a depth of nesting.
_Read: TypeAlias = Callable[[Any, int], Any]
#: Puts a value where the message keeps it.
_Keep: TypeAlias = Callable[[dict[str, Any], str, Any], None]


class _Field(NamedTuple):
    name: str
    group: str | None
    read: _Read
    keep: _Keep


def decode(data: bytes, message_type: type[Any]) -> Any:
    """The message that bytes are. Fields that its type does not know are kept, and may hold anything.

    Raises:
        ValueError: They are no such message; the text says why.
    """
    return _message(data, message_type, 0)


def _message(data: bytes, message_type: type[Any], depth: int) -> Any:
    values, unknown = _parse(data, message_type, depth)
    message = message_type(**values)
    if unknown:
        message._unknown_fields = unknown
    return message


def _parse(data: bytes, message_type: Any, depth: int) -> tuple[dict[str, Any], bytes]:
    if depth > _MAX_DEPTH:
        raise ValueError("messages are nested too deeply")
    fields = _fields(message_type)
    values: dict[str, Any] = {}
    members: dict[str, str] = {}
    unknown = bytearray()
    position, end = 0, len(data)
    count = 0
    content: Any
    while position < end:
        start = position
        count += 1
        if count > _MAX_FIELDS:
            raise ValueError(f"more than {_MAX_FIELDS} fields are set")
        tag, position = _varint(data, position)
        wire_type = tag & 7
        if wire_type == LENGTH:
            size, first = _varint(data, position)
            position = first + size
            content = data[first:position]
        elif wire_type == VARINT:
            content, position = _varint(data, position)
        elif wire_type in _FIXED_SIZES:
            first, position = position, position + _FIXED_SIZES[wire_type]
            content = data[first:position]
        else:
            raise ValueError(f"field {tag >> 3} has wire type {wire_type}")
        if position > end:
            raise ValueError(f"field {tag >> 3} is cut short")
        field = fields.get(tag)
        if field is None:
            _check_unknown(message_type, tag)
            unknown += data[start:position]
            continue
        name, group, read, keep = field
        if group is not None and members.setdefault(group, name) != name:
            raise ValueError(f"more than one member of {group} is set")
        keep(values, name, read(content, depth))
    return values, bytes(unknown)


def _varint(data: bytes, position: int) -> tuple[int, int]:
    if position < len(data) and (byte := data[position]) < 0x80:  # as most are
        return byte, position + 1
    number = shift = 0
    for byte in data[position : position + 10]:
        position += 1
        if byte < 0x80:
            return number | byte << shift, position
        number |= (byte & 0x7F) << shift
        shift += 7
    raise ValueError("a varint is cut short or too long")


def _check_unknown(message_type: Any, tag: int) -> None:
    """Refuse a tag that no field can have, or that a known field has not got."""
    number, wire_type = tag >> 3, tag & 7
    if not 0 < number < 1 << 29:
        raise ValueError("a field has no valid number")
    shape = message_type._betterproto
    name = shape.field_name_by_number.get(number)
    if name is not None:
        expected = WIRE_TYPES[shape.meta_by_field_name[name].proto_type]
        raise ValueError(f"field {number} has wire type {wire_type} instead of {expected}")


@functools.cache
def _fields(message_type: Any) -> dict[int, _Field]:
    """The fields of a type by all tags that they may come under."""
    shape = message_type._betterproto
    fields: dict[int, _Field] = {}
    for name, meta in shape.meta_by_field_name.items():
        read = _reader(meta, shape, name)
        keep = _keep_entry if meta.map_meta else _keep_each if meta.repeated else _keep_last
        fields[meta.number << 3 | WIRE_TYPES[meta.proto_type]] = _Field(name, meta.group, read, keep)
        if is_packed(meta):
            packed = _packed_reader(meta.proto_type, read)
            fields[meta.number << 3 | LENGTH] = _Field(name, meta.group, packed, _keep_all)
    return fields


def _keep_last(values: dict[str, Any], name: str, value: Any) -> None:
    values[name] = value


def _keep_each(values: dict[str, Any], name: str, value: Any) -> None:
    values.setdefault(name, []).append(value)


def _keep_all(values: dict[str, Any], name: str, several: list[Any]) -> None:
    values.setdefault(name, []).extend(several)


def _keep_entry(values: dict[str, Any], name: str, entry: tuple[Any, Any]) -> None:
    values.setdefault(name, {})[entry[0]] = entry[1]


def _reader(meta: Any, shape: Any, name: str) -> _Read:
    kind = meta.proto_type
    if kind == betterproto2.TYPE_STRING:
        return lambda content, _: str(content, "utf-8")
    if kind == betterproto2.TYPE_BYTES:
        return lambda content, _: content
    if kind == betterproto2.TYPE_MESSAGE:
        nested = shape.cls_by_field[name]
        return lambda content, depth: _message(content, nested, depth + 1)
    if kind == betterproto2.TYPE_MAP:
        return _entry_reader(shape.cls_by_field[name])
    if kind in FORMATS:
        unpack = FORMATS[kind].unpack
        return lambda content, _: unpack(content)[0]
    return _number_reader(kind, shape, name)


def _entry_reader(entry_type: Any) -> _Read:
    make = entry_type._betterproto.default_gen

    def read(content: bytes, depth: int) -> tuple[Any, Any]:
        values, _ = _parse(content, entry_type, depth + 1)
        return (
            values["key"] if "key" in values else make["key"](),
            values["value"] if "value" in values else make["value"](),
        )

    return read


def _packed_reader(kind: str, read: _Read) -> _Read:
    if kind in FORMATS:
        return _packed_fixed_reader(FORMATS[kind])

    def read_all(content: bytes, depth: int) -> list[Any]:
        values = []
        position = 0
        while position < len(content):
            value, position = _varint(content, position)
            values.append(read(value, depth))
        return values

    return read_all


def _packed_fixed_reader(form: struct.Struct) -> _Read:
    def read_all(content: bytes, _: int) -> list[Any]:
        if len(content) % form.size:
            raise ValueError("a packed field is cut short")
        return [value for (value,) in form.iter_unpack(content)]

    return read_all


def _number_reader(kind: str, shape: Any, name: str) -> _Read:
    """Numbers of more bits than a field has lose the highest ones, as in other implementations."""
    if kind == betterproto2.TYPE_BOOL:
        return lambda number, _: number > 0
    if kind == betterproto2.TYPE_ENUM:
        enum = shape.cls_by_field[name]
        return lambda number, _: enum(_signed(number, 64))
    bits = 32 if kind.endswith("32") else 64
    if kind.startswith("u"):
        return lambda number, _: number & (1 << bits) - 1
    if kind.startswith("s"):
        return lambda number, _: _unzigzag(number & (1 << bits) - 1)
    return lambda number, _: _signed(number, bits)


def _signed(number: int, bits: int) -> int:
    sign = 1 << (bits - 1)
    return ((number & (1 << bits) - 1) ^ sign) - sign


def _unzigzag(number: int) -> int:
    return number >> 1 ^ -(number & 1)
