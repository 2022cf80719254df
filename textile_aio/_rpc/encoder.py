"""betterproto2's messages as bytes, by functions that are put together once for each type.

betterproto2 asks anew for each value what kind of field it has, and takes several times as long: 300 µs
for a bucket's root. The bytes are those of ``bytes(message)``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeAlias

import betterproto2

from textile_aio._codec import varint
from textile_aio._rpc.wire import FORMATS, LENGTH, WIRE_TYPES, has_presence, is_packed

#: Adds a field with its tag.
_Write: TypeAlias = Callable[[list[bytes], Any], None]
#: A value without tag and length.
_Payload: TypeAlias = Callable[[Any], bytes]


def encode(message: Any) -> bytes:
    """The bytes of a message: its fields in the order of the type, then those that it did not know.

    Raises:
        ValueError: A number does not fit into its field.
    """
    pieces: list[bytes] = []
    for name, written_if_zero, write in _fields(message.__class__):
        value = getattr(message, name)
        # Whether a message is true is a costly question, and not the one to ask.
        if value is not None and (written_if_zero or value):
            write(pieces, value)
    pieces.append(message._unknown_fields)
    return b"".join(pieces)


@functools.cache
def _fields(message_type: Any) -> list[tuple[str, bool, _Write]]:
    shape = message_type._betterproto
    return [
        (name, has_presence(shape, name), _field(meta)) for name, meta in shape.meta_by_field_name.items()
    ]


def _field(meta: Any) -> _Write:
    if meta.map_meta:
        return _entries(meta.number, *map(_one, meta.map_meta))
    if is_packed(meta):
        return _delimited(meta.number, _packed(_payload(meta)))
    return _each(_one(meta)) if meta.repeated else _one(meta)


def _one(meta: Any) -> _Write:
    payload = _payload(meta)
    wire_type = WIRE_TYPES[meta.proto_type]
    if wire_type == LENGTH:
        return _delimited(meta.number, payload)
    tag = varint.encode(meta.number << 3 | wire_type)

    def write(pieces: list[bytes], value: Any) -> None:
        pieces += (tag, payload(value))

    return write


def _delimited(number: int, payload: _Payload) -> _Write:
    tag = varint.encode(number << 3 | LENGTH)

    def write(pieces: list[bytes], value: Any) -> None:
        content = payload(value)
        pieces += (tag, varint.encode(len(content)), content)

    return write


def _each(write_one: _Write) -> _Write:
    def write(pieces: list[bytes], values: Any) -> None:
        for value in values:
            write_one(pieces, value)

    return write


def _entries(number: int, write_key: _Write, write_value: _Write) -> _Write:
    def entry(item: tuple[Any, Any]) -> bytes:
        pieces: list[bytes] = []
        write_key(pieces, item[0])
        write_value(pieces, item[1])
        return b"".join(pieces)

    write_each = _each(_delimited(number, entry))

    def write(pieces: list[bytes], entries: Any) -> None:
        write_each(pieces, entries.items())

    return write


def _packed(payload: _Payload) -> _Payload:
    return lambda values: b"".join(map(payload, values))


def _payload(meta: Any) -> _Payload:
    kind = meta.proto_type
    if meta.unwrap is not None:
        raise TypeError("messages that stand for Python values have no way out here; see tools/protos.py")
    if kind == betterproto2.TYPE_STRING:
        return str.encode
    if kind == betterproto2.TYPE_BYTES:
        return _as_it_is
    if kind == betterproto2.TYPE_MESSAGE:
        return encode
    if kind in FORMATS:
        return FORMATS[kind].pack
    return _zigzag if kind in (betterproto2.TYPE_SINT32, betterproto2.TYPE_SINT64) else _number


def _as_it_is(value: bytes) -> bytes:
    return value


def _number(value: int) -> bytes:
    return varint.encode(value if value >= 0 else value + (1 << 64))


def _zigzag(value: int) -> bytes:
    return varint.encode(value << 1 if value >= 0 else ~(value << 1))
