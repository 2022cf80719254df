"""Messages to bytes and back: by the fields of their types, and a short way for the few hot types.

Owns the table of hot types; refuses to know which types are hot: a room registers its own with
`register_hot`. A short way knows its message to the letter and returns None for anything else, which then
goes the long way. What comes out is what betterproto2 would make of it, where it is a message at all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from grpclib.encoding.base import CodecBase

from textile_aio._rpc import decoder, encoder

M = TypeVar("M")
Buffer = bytes | bytearray | memoryview

#: The bytes of a message as consecutive pieces, or None for "not such a message".
HotEncode = Callable[[Any], "tuple[bytes, ...] | None"]
#: The message, or None. A field may be a view of the buffer.
HotDecode = Callable[[Buffer], "Any | None"]

_encoders: dict[type[Any], HotEncode] = {}
_decoders: dict[type[Any], HotDecode] = {}


def register_hot(
    message_type: type[M],
    *,
    encode: Callable[[M], tuple[bytes, ...] | None] | None = None,
    decode: Callable[[Buffer], M | None] | None = None,
) -> None:
    """Give `message_type` a short way out, in, or both.

    Args:
        message_type: the exact type; subclasses go the long way.
        encode: the same bytes as `bytes(message)`, in pieces, or None.
        decode: a message equal to `message_type.parse(data)`, or None.
    """
    if encode is not None:
        _encoders[message_type] = encode
    if decode is not None:
        _decoders[message_type] = decode


class MessageCodec(CodecBase):
    """grpclib codec for betterproto2 messages."""

    __content_subtype__ = "proto"

    def encode(self, message: Any, message_type: Any) -> bytes:
        """Serialise `message`, which has to be a `message_type`."""
        pieces = self.pieces(message, message_type)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def pieces(self, message: Any, message_type: Any) -> tuple[bytes, ...]:
        """As `encode`, without joining a large field to what stands before it.

        Raises:
            TypeError: `message` is of another type.
        """
        hot = _encoders.get(message.__class__)
        if hot is not None and message.__class__ is message_type:
            pieces = hot(message)
            if pieces is not None:
                return pieces
        if not isinstance(message, message_type):
            raise TypeError(f"message must be {message_type.__name__}, not {type(message).__name__}")
        return (encoder.encode(message),)

    def decode(self, data: Buffer, message_type: Any) -> Any:
        """Parse one `message_type` out of `data`.

        Raises:
            ValueError: it is none.
        """
        hot = _decoders.get(message_type)
        if hot is not None:
            message = hot(data)
            if message is not None:
                return message
        return decoder.decode(data if isinstance(data, bytes) else bytes(data), message_type)
