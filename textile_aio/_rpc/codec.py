"""Messages to bytes and back: betterproto2's own way, with hand-written ways for the few hot types.

Owns the table of hot types; refuses to know which types are hot: a room registers its own with `register_hot`.
"""

from __future__ import annotations

from typing import Any

from grpclib.encoding.base import CodecBase



class MessageCodec(CodecBase):
    """grpclib codec for betterproto2 messages."""

    __content_subtype__ = "proto"

    def encode(self, message: Any, message_type: Any) -> bytes:
        """Serialise `message`, which has to be a `message_type`."""
        if not isinstance(message, message_type):
            raise TypeError(f"message must be {message_type.__name__}, not {type(message).__name__}")
        return bytes(message)

    def decode(self, data: bytes, message_type: Any) -> Any:
        """Parse one `message_type` out of `data`."""
        return message_type.parse(bytes(data))
