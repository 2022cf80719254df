"""Making, sharing, watching and ending the HTTP/2 connection under a channel.

Owns when a connection is made, by whom, how it is found to be dead and how it is closed for good. It knows
nothing of calls: it hands out a :class:`Link`, on which others open streams.
"""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass
from typing import cast

from grpclib.client import Handler
from grpclib.protocol import H2Protocol
from h2.connection import ConnectionState
from h2.events import ConnectionTerminated, PingAckReceived

from textile_aio._rpc.grpc_channel import GrpcChannel
from textile_aio._rpc.status import REFUSED
from textile_aio.errors import ClosedError, ProtocolError, Unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class Keepalive:
    """How a silent connection is probed, whether calls are open or not.

    Attributes:
        interval: Seconds from one answered ping to the next (Go clients of Textile: 20).
        timeout: Seconds the peer has to answer before the connection counts as dead (Go clients: 10).
    """

    interval: float = 20.0
    timeout: float = 10.0


class Link(Handler):
    """One connection: grpclib's protocol, and what happened to it.

    Attributes:
        protocol: Where streams are opened.
        reason: Why the connection ended, as far as this side knows; empty while it lives.
    """

    protocol: H2Protocol
    _transport: asyncio.Transport

    def __init__(self) -> None:
        self.reason: str = ""
        self.cause: BaseException | None = None
        self._answered = asyncio.Event()
        self._gone = asyncio.Event()
        self._leaving = False
        self._hung_up = False  # the peer ended the connection, not this side
        self._keepalive: Keepalive | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def alive(self) -> bool:
        """False once no further stream can be opened."""
        return not (self.connection_lost or self._leaving or self._transport.is_closing())

    @property
    def gone(self) -> bool:
        """True once its socket is closed."""
        return self._gone.is_set()

    def adopt(self, transport: asyncio.Transport) -> None:
        """Take over the connection whose handler this is, right after it was made."""
        protocol = self.protocol
        self._transport = transport
        if not self.connection_lost:
            protocol.processor.processors[PingAckReceived] = self._pong
            protocol.processor.processors[ConnectionTerminated] = self._goodbye
        lost = protocol.connection_lost

        def connection_lost(failure: BaseException | None) -> None:
            self.cause = self.cause or failure
            self._hung_up = not self.connection_lost
            lost(failure)
            self._gone.set()

        # grpclib tells the handler that a connection is of no more use, but not when its socket is closed.
        protocol.connection_lost = connection_lost  # type: ignore[method-assign, assignment]

    async def greet(self) -> None:
        """Wait for the answer to a ping: the peer speaks HTTP/2 and has sent its settings.

        Raises:
            ProtocolError: It answered with something else.
            Unavailable: It closed the connection instead.
        """
        if not self.connection_lost:
            self._ping()
        await self._answered.wait()
        if self.connection_lost:
            if self._hung_up:
                raise Unavailable("it closed the connection instead of answering") from self.cause
            raise ProtocolError("it does not speak HTTP/2; is it a gRPC port, and is TLS chosen rightly?")

    def watch(self, keepalive: Keepalive | None) -> None:
        """Probe the connection from now on; None for never."""
        self._keepalive = keepalive
        self._schedule()

    def close(self) -> None:
        """Called by grpclib when the connection is of no more use: wakes whoever waits for it."""
        super().close()
        self._stop_timer()
        self._answered.set()
        # grpclib wakes the streams that are open; calls that wait for their turn to open one would wait for
        # ever.
        self.protocol.connection.write_ready.set()
        self.protocol.connection.stream_close_waiter.set()

    def abort(self, reason: str) -> None:
        """End the connection at once, and every stream on it; what was not sent yet is dropped."""
        self.reason = self.reason or reason
        self._stop_timer()
        if not self.connection_lost:
            self.protocol.processor.close(reason)
        # A plain close would wait until a peer that no longer reads has taken everything.
        self._transport.abort()

    async def until_gone(self) -> None:
        """Wait until the socket is closed, after the connection was aborted or lost."""
        await self._gone.wait()

    def released(self) -> None:
        """A call has ended. The last one on a connection that the peer wants closed closes it."""
        if self._leaving and not self.protocol.processor.streams:
            self.abort("the peer is going away")

    def _goodbye(self, event: ConnectionTerminated) -> None:
        """GOAWAY: later calls were not looked at, earlier ones may finish if it is a friendly one."""
        processor = self.protocol.processor
        last = event.last_stream_id
        for number, stream in tuple(processor.streams.items()):
            if last is not None and number > last:
                stream.__terminated__(REFUSED)
        if self.protocol.connection._connection.state_machine.state is ConnectionState.CLOSED:
            processor.process_connection_terminated(event)
        else:
            self._leaving = True

    def _ping(self) -> None:
        self.protocol.connection._connection.ping(struct.pack("!Q", 0))
        self.protocol.connection.flush()

    def _pong(self, _: PingAckReceived) -> None:
        self._answered.set()
        self._schedule()

    def _schedule(self) -> None:
        self._stop_timer()
        if self._keepalive is not None and not self.connection_lost:
            self._timer = asyncio.get_running_loop().call_later(
                self._keepalive.interval, self._probe, self._keepalive.timeout
            )

    def _probe(self, timeout: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(
            timeout, self.abort, f"no answer to a ping within {timeout:g} s"
        )
        self._ping()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class _Attempt:
    """A connection being made by one task, for all that need it."""

    def __init__(self) -> None:
        self.over = asyncio.Event()
        self.failure: Exception | None = None


class Connector:
    """Keeps one connection, made when it is first needed and again when it has broken.

    Whoever needs it first makes it; others wait and share the outcome, failure included. If the maker is
    cancelled, one of those who wait takes over. There is no background task.

    Args:
        dialler: grpclib's channel, used to open sockets only.
        keepalive: How connections are probed.
        timeout: Seconds a connection may take, TLS and first answer included.
    """

    def __init__(self, dialler: Dialler, *, keepalive: Keepalive | None, timeout: float) -> None:
        self._dialler = dialler
        self._keepalive = keepalive
        self._timeout = timeout
        self._link: Link | None = None
        self._links: set[Link] = set()  # with those that only finish their calls
        self._attempt: _Attempt | None = None
        self._closed = False

    def current(self) -> Link | None:
        """The live connection, if there is one."""
        link = self._link
        return link if link is not None and link.alive else None

    async def acquire(self) -> Link:
        """The live connection, made if need be.

        Raises:
            OSError: There is nobody at the address (``TimeoutError`` when it did not answer in time).
            Unavailable: The peer hung up at once.
            ProtocolError: The peer does not speak HTTP/2.
        """
        while (link := self.current()) is None:
            if self._closed:
                raise ClosedError("the channel is closed")
            attempt = self._attempt
            if attempt is None:
                return await self._lead()
            await attempt.over.wait()
            if attempt.failure is not None:
                raise attempt.failure
        return link

    async def close(self) -> None:
        """Close the connection and wait until its socket is closed."""
        self._closed = True
        self._link = None
        links, self._links = self._links, set()
        for link in links:
            link.abort("the channel was closed")
        for link in links:
            await link.until_gone()

    async def _lead(self) -> Link:
        self._attempt = attempt = _Attempt()
        try:
            link = await self._dial()
        except Exception as failure:
            attempt.failure = failure
            raise
        else:
            self._link = link
            self._links = {known for known in self._links if not known.gone} | {link}
            return link
        finally:
            self._attempt = None
            attempt.over.set()

    async def _dial(self) -> Link:
        link: Link | None = None
        try:
            async with asyncio.timeout(self._timeout):
                link = await self._dialler.dial()
                await link.greet()
        except BaseException as failure:
            if link is not None:
                link.abort("the connection was given up")
            if isinstance(failure, TimeoutError) and not str(failure):
                raise TimeoutError(f"no answer within {self._timeout:g} s") from failure
            raise
        link.watch(self._keepalive)
        return link


class Dialler(GrpcChannel):
    """grpclib's channel with a :class:`Link` as the handler of each connection."""

    async def dial(self) -> Link:
        """Open a socket and start HTTP/2 on it."""
        transport, protocol = await asyncio.get_running_loop().create_connection(
            self._protocol_factory, self._host, self._port, ssl=self._ssl
        )
        link = cast("Link", protocol.handler)
        link.adopt(transport)
        return link

    def _protocol_factory(self) -> H2Protocol:
        # A byte beyond ASCII in a header must not cost the connection; `status` decodes what is UTF-8.
        self._h2_config.header_encoding = "latin-1"
        protocol = super()._protocol_factory()
        protocol.handler = link = Link()
        link.protocol = protocol
        return protocol
