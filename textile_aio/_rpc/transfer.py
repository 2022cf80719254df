"""One message over one stream, whichever transport carries it.

Owns the meeting of codec, prefix and stream, for both ends. Refuses to know calls and services.
"""

from __future__ import annotations

from typing import Any

from grpclib.const import Status
from grpclib.encoding.base import CodecBase
from grpclib.exceptions import GRPCError
from grpclib.protocol import Stream

from textile_aio._rpc.codec import MessageCodec
from textile_aio._rpc.limits import MAX_MESSAGE
from textile_aio._rpc.messages import PREFIX_SIZE, Body, check_prefix, prefix
from textile_aio._rpc.protocol import FastStream


async def send(stream: Stream, codec: CodecBase, message: Any, message_type: Any, *, end: bool) -> None:
    """Send one message, as soon as windows and transport allow."""
    if isinstance(codec, MessageCodec):
        pieces = codec.pieces(message, message_type)
    else:
        pieces = (codec.encode(message, message_type),)
    size = sum(map(len, pieces))
    head = prefix(size)
    if isinstance(stream, FastStream):
        await stream.send_pieces((head, *pieces), PREFIX_SIZE + size, end_stream=end)
    else:
        await stream.send_data(b"".join((head, *pieces)), end_stream=end)


async def receive(stream: Stream, codec: CodecBase, message_type: Any, *, server: bool) -> Any:
    """The next message, or None at the end.

    Raises:
        GRPCError: it is too large, compressed, cut short, or not such a message.
    """
    if isinstance(stream, FastStream):
        body = await stream.buffer.next_message()
    else:
        body = await _receive_stock(stream, server=server)
    return None if body is None else decode(codec, body, message_type, server=server)


def decode(codec: CodecBase, body: Body, message_type: Any, *, server: bool) -> Any:
    """One message out of its bytes.

    Raises:
        GRPCError: it is not such a message.
    """
    try:
        return codec.decode(body, message_type)  # type: ignore[arg-type]
    except Exception as error:  # whatever a decoder raises on foreign bytes
        what = "error unmarshalling request" if server else "failed to unmarshal the received message"
        raise GRPCError(Status.INTERNAL, f"grpc: {what}: {error}") from error


async def _receive_stock(stream: Stream, *, server: bool) -> Body | None:
    try:
        head = await stream.recv_data(PREFIX_SIZE)
        if not head:
            return None
        size = int.from_bytes(head[1:], "big")
        error = check_prefix(head[0], size, limit=MAX_MESSAGE, encoding=None, server=server)
        if error is not None:
            raise error
        body = await stream.recv_data(size)
    except AssertionError as short:
        raise GRPCError(Status.INTERNAL, "unexpected EOF") from short
    if len(body) != size:
        raise GRPCError(Status.INTERNAL, "unexpected EOF")
    return body
