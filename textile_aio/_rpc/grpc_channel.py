"""The client's end of one HTTP/2 connection.

Owns which protocol a grpclib channel speaks and how its streams move messages. Refuses to know metadata,
deadlines, retries and errors: the call layer above has them.
"""

from __future__ import annotations

import ssl as _ssl
import time
from typing import Any, cast
from weakref import WeakSet

from grpclib.client import Channel, Handler, Stream
from grpclib.config import Configuration
from grpclib.const import Cardinality
from grpclib.encoding.base import CodecBase
from grpclib.exceptions import ProtocolError
from grpclib.metadata import Deadline, _MetadataLike
from grpclib.protocol import H2Protocol
from multidict import MultiDict

from textile_aio._rpc import transfer
from textile_aio._rpc.codec import MessageCodec
from textile_aio._rpc.limits import Limits
from textile_aio._rpc.protocol import FastProtocol
from textile_aio._rpc.switch import is_fast

#: A ping after every 20 s in which calls are open, and 10 s for its answer (spec: client-surface A2; without
#: calls none, since hubd refuses those).
KEEPALIVE = Configuration(
    _keepalive_time=20.0,
    _keepalive_timeout=10.0,
    _http2_max_pings_without_data=0,
    _http2_min_sent_ping_interval_without_data=20.0,
)


class ClientStream(Stream[Any, Any]):
    """A grpclib call whose messages are limited in size and go the short way where there is one."""

    async def send_message(self, message: Any, *, end: bool = False) -> None:
        """Send one message; the request headers before the first, in the same write."""
        if not self._send_request_done:
            await self.send_request()
        end_stream = end or not self._cardinality.client_streaming
        if end_stream and not self._cardinality.client_streaming and self._send_message_done:
            raise ProtocolError("Message was already sent")
        if self._end_done:
            raise ProtocolError("Stream is ended")
        with self._wrapper:
            (message,) = await self._dispatch.send_message(message)
            await transfer.send(self._stream, self._codec, message, self._send_type, end=end_stream)
            self._send_message_done = True
            self._messages_sent += 1
            self._stream.connection.messages_sent += 1
            self._stream.connection.last_message_sent = time.monotonic()
            if end:
                self._end_done = True

    async def recv_message(self) -> Any:
        """The next message, or None at the end of the stream.

        Raises:
            grpclib.exceptions.GRPCError: it is too large, compressed, cut short, or not such a message.
        """
        if not self._recv_initial_metadata_done:
            await self.recv_initial_metadata()
        with self._wrapper:
            message = await transfer.receive(self._stream, self._codec, self._recv_type, server=False)
            if message is None:
                return None
            (message,) = await self._dispatch.recv_message(message)
            self._messages_received += 1
            self._stream.connection.messages_received += 1
            self._stream.connection.last_message_received = time.monotonic()
            return message


class GrpcChannel(Channel):
    """A grpclib channel over our transport.

    Args:
        host: name or address of the server.
        port: TCP port.
        path: Unix socket, instead of host and port.
        ssl: context for TLS (ALPN "h2"), or None for plain text.
        config: grpclib configuration; by default `KEEPALIVE`. Its window sizes count on the stock transport
            only.
        codec: by default `MessageCodec`.
        limits: what this end announces and enforces.
        fast: False for grpclib's own transport; None asks `TEXTILE_AIO_STOCK_HTTP2`.
    """

    def __init__(
        self,
        host: str | None = None,
        port: int | None = None,
        *,
        path: str | None = None,
        ssl: _ssl.SSLContext | None = None,
        config: Configuration | None = None,
        codec: CodecBase | None = None,
        limits: Limits | None = None,
        fast: bool | None = None,
    ) -> None:
        super().__init__(
            host, port, path=path, ssl=ssl, config=config or KEEPALIVE, codec=codec or MessageCodec()
        )
        self._limits = limits or Limits()
        self._fast = is_fast(choice=fast)
        self._protocols: WeakSet[FastProtocol] = WeakSet()

    def _protocol_factory(self) -> H2Protocol:
        if not self._fast:
            return super()._protocol_factory()
        protocol = FastProtocol(Handler(), self._config, self._h2_config, self._limits)
        self._protocols.add(protocol)
        return protocol

    def close(self) -> None:
        """Close the connection, and those that still drain after a GOAWAY."""
        super().close()
        for protocol in list(self._protocols):
            protocol.close()

    def request(
        self,
        name: str,
        cardinality: Cardinality,
        request_type: type[Any],
        reply_type: type[Any],
        *,
        timeout: float | None = None,
        deadline: Deadline | None = None,
        metadata: _MetadataLike | None = None,
    ) -> ClientStream:
        """A call that has not begun; grpclib's `Channel.request` with our stream."""
        if timeout is not None:
            own = Deadline.from_timeout(timeout)
            deadline = own if deadline is None else min(own, deadline)
        return ClientStream(
            self,
            name,
            cast("Any", MultiDict(metadata or ())),
            cardinality,
            request_type,
            reply_type,
            codec=self._codec,
            status_details_codec=self._status_details_codec,
            dispatch=self.__dispatch__,
            deadline=deadline,
        )
