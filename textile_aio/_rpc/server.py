"""The hub's end of HTTP/2 connections.

Owns which protocol the connections of a door speak, and how they end. Refuses to know services, and who is
let in: that is the listener's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any
from weakref import WeakSet

from grpclib.config import Configuration
from grpclib.encoding.base import CodecBase
from grpclib.protocol import H2Protocol
from grpclib.server import Server

from textile_aio._rpc.codec import MessageCodec
from textile_aio._rpc.handler import CallHandler
from textile_aio._rpc.limits import MAX_CONNECTIONS, Limits
from textile_aio._rpc.listening import Listener, TlsSource
from textile_aio._rpc.protocol import FastProtocol, StockProtocol
from textile_aio._rpc.switch import is_fast

#: The hub's own pings, as `buckd` sends them (spec: buckets-api §1). It answers its peers' as they come.
KEEPALIVE = Configuration(
    _keepalive_time=20.0,
    _keepalive_timeout=10.0,
    _http2_max_pings_without_data=0,
    _http2_min_sent_ping_interval_without_data=20.0,
)

#: Seconds that closed connections get to send what they hold.
_LINGER = 2.0


class GrpcServer(Server):
    """A grpclib server over our transport.

    Args:
        handlers: grpclib services.
        config: grpclib configuration; by default `KEEPALIVE`. Window sizes in it are for the stock transport.
        codec: by default `MessageCodec`.
        limits: what this end announces and enforces. The stock transport has none of them.
        connections: how many each listener lets in at once.
        fast: False for grpclib's own transport; None asks `TEXTILE_AIO_STOCK_HTTP2`.
    """

    #: What TLS calls the protocol that is spoken here.
    alpn = "h2"

    def __init__(
        self,
        handlers: Collection[Any],
        *,
        config: Configuration | None = None,
        codec: CodecBase | None = None,
        limits: Limits | None = None,
        connections: int = MAX_CONNECTIONS,
        fast: bool | None = None,
    ) -> None:
        super().__init__(handlers, config=config or KEEPALIVE, codec=codec or MessageCodec())
        self._limits = limits or Limits()
        self._connections = connections
        self._fast = is_fast(choice=fast)
        self._listeners: list[Listener] = []
        # Both live as long as their connections and calls do; a TLS handshake that fails leaves nothing.
        self._protocols: WeakSet[StockProtocol] = WeakSet()
        self._handlers: WeakSet[CallHandler] = WeakSet()  # type: ignore[assignment]

    @property
    def port(self) -> int:
        """TCP port of the first listener; the one the system chose if it was started with 0.

        Raises:
            RuntimeError: it has not been started, or has stopped.
        """
        if not self._listeners or not self._listeners[0].port:
            raise RuntimeError("the server does not listen")
        return self._listeners[0].port

    async def start(  # type: ignore[override]
        self, host: str, port: int, *, tls: TlsSource | None = None
    ) -> int:
        """Listen, also where it listens elsewhere already, and return the port.

        Args:
            host: address or name; a name may stand for several addresses.
            port: 0 takes a free one.
            tls: None for plain text.

        Raises:
            OSError: address or port cannot be had.
        """
        listener = Listener(
            self._protocol_factory,
            connections=self._connections,
            patience=self._limits.head_seconds,
            tls=tls,
        )
        await listener.start(host, port)
        self._listeners.append(listener)
        return listener.port

    def _protocol_factory(self) -> H2Protocol:
        handler = CallHandler(self._mapping, self._codec, self._status_details_codec, self.__dispatch__)
        self._handlers.add(handler)
        protocol: StockProtocol
        if self._fast:
            fast = FastProtocol(handler, self._config, self._h2_config, self._limits)
            fast.retiring = handler.drain
            handler.most = self._limits.streams
            handler.refused, handler.flooded = fast.control_frame, fast.refuse_flood
            protocol = fast
        else:
            protocol = StockProtocol(handler, self._config, self._h2_config)
        self._protocols.add(protocol)
        return protocol

    def __gc_collect__(self) -> None:
        """Nothing to do: the sets are weak."""

    async def shutdown(self, *, grace: float) -> None:
        """Stop listening, tell clients to go (GOAWAY), let their calls finish, then cancel what is left.

        Clients of the stock transport are not told: grpclib's would drop their calls on hearing it.

        Args:
            grace: seconds for calls in flight.
        """
        if not self._listeners:
            return
        self._stop_listening()
        for protocol in self._protocols:
            if isinstance(protocol.handler, CallHandler):
                protocol.handler.drain()
            if isinstance(protocol, FastProtocol):
                protocol.say_goodbye()
        running = [
            task
            for handler in self._handlers
            if isinstance(handler, CallHandler)
            for task in handler.running()
        ]
        try:
            if running and grace > 0:
                await asyncio.wait(running, timeout=grace)
        finally:
            self.close()
        await self.wait_closed()

    def close(self) -> None:
        """Stop listening, cancel all calls, close all connections."""
        self._stop_listening()
        for handler in self._handlers:
            handler.close()
        for protocol in self._protocols:
            protocol.close()

    async def wait_closed(self) -> None:
        """Wait until all calls have ended and all connections are closed; those that linger are cut off."""
        for listener in self._listeners:
            await listener.wait_closed()
        for handler in self._handlers:
            await handler.wait_closed()
        connected = [protocol for protocol in self._protocols if protocol.is_connected]
        try:
            async with asyncio.timeout(_LINGER):
                for protocol in connected:
                    await protocol.lost.wait()
        except TimeoutError:
            for protocol in connected:
                protocol.abort()

    def _stop_listening(self) -> None:
        for listener in self._listeners:
            listener.close()
