"""Listening sockets, and who is let in by them.

Owns the sockets of one door: where they listen, how many connections there may be at once, the TLS of each
new one, and that none lingers once it has been closed. Refuses to know what is spoken on them: that is what
the protocol does which the factory makes.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
import ssl
import struct
from collections.abc import Callable, Sequence
from typing import Any

log = logging.getLogger(__name__)

#: The certificate and rules of a new connection; asked each time, so that they can change meanwhile.
TlsSource = Callable[[], ssl.SSLContext]

_BACKLOG = 1024
#: How often another free port is tried where a name stands for several addresses and one has it taken.
_TRIES = 8
#: Nothing can be accepted for now, and the next try would fail as well (accept(2)).
_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
#: Seconds until it is tried again.
_PAUSE = 1.0
#: Seconds that a peer gets to answer the end of a TLS connection.
_FAREWELL = 2.0
_AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: reset, so that the refused leave nothing behind here


class Listener:
    """Lets connections in, once it is started.

    A connection over the limit is reset before anything is read from it. One that has been closed here, and
    whose peer reads nothing of what is left for as long as `patience`, is reset as well.

    Args:
        factory: makes the protocol of a connection.
        connections: how many there may be at once, those that still shake hands included.
        patience: seconds for a TLS handshake.
        tls: None for plain text.
    """

    def __init__(
        self,
        factory: Callable[[], asyncio.BaseProtocol],
        *,
        connections: int,
        patience: float,
        tls: TlsSource | None = None,
    ) -> None:
        self._factory = factory
        self._limit = connections
        self._patience = patience
        self._tls = tls
        self._listening: list[_ListeningSocket] = []
        self._tasks: set[asyncio.Task[None]] = set()
        # The transport of each connection, None while it is being made. A transport closes the socket it
        # was given, which tells when a connection is gone whatever protocol it has by then.
        self._open: dict[socket.socket, asyncio.Transport | None] = {}
        self._leaving: dict[socket.socket, int] = {}  # bytes that were left to send
        self._full = False
        self._sweeping: asyncio.TimerHandle | None = None

    @property
    def port(self) -> int:
        """TCP port it listens on; 0 when it does not."""
        if not self._listening or self._listening[0].fileno() < 0:
            return 0
        return int(self._listening[0].getsockname()[1])

    @property
    def connected(self) -> int:
        """How many connections there are, those that still shake hands included."""
        self._forget_closed()
        return len(self._open)

    async def start(self, host: str, port: int) -> None:
        """Listen.

        Args:
            host: address or name; a name may stand for several addresses.
            port: 0 takes a free one.

        Raises:
            OSError: address or port cannot be had.
        """
        self._listening = await _listen(host, port)
        loop = asyncio.get_running_loop()
        for listening in self._listening:
            self._keep(loop.create_task(self._accept(listening)))
        self._sweeping = loop.call_later(self._patience, self._sweep)

    def close(self) -> None:
        """Stop listening; connections that are made go on, those that still shake hands do not."""
        if self._sweeping is not None:
            self._sweeping.cancel()
        for task in self._tasks:
            task.cancel()

    async def wait_closed(self) -> None:
        """Wait until nobody is being let in any more, after `close`."""
        if self._tasks:
            await asyncio.wait(self._tasks)
        for each in self._listening:
            each.close()

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, listening: _ListeningSocket) -> None:
        try:
            await self._accept_from(listening)
        finally:
            listening.close()

    async def _accept_from(self, listening: _ListeningSocket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(listening)
            except asyncio.CancelledError:
                listening.drop()
                raise
            except OSError as error:
                if error.errno in _EXHAUSTED:
                    log.error("no connection can be let in for now: %s", error)  # noqa: TRY400
                    await asyncio.sleep(_PAUSE)
            else:
                listening.accepted = None
                self._admit(connection)
            await asyncio.sleep(0)  # those who are in come first, however many are at the door

    def _admit(self, connection: socket.socket) -> None:
        if len(self._open) >= self._limit:
            self._forget_closed()
        if len(self._open) >= self._limit:
            if not self._full:
                log.warning("connections are refused: there are %d, the most this door lets in", self._limit)
            self._full = True
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            connection.close()
            return
        self._full = False
        self._open[connection] = None
        task = asyncio.get_running_loop().create_task(self._serve(connection))
        self._keep(task)
        # Cancelled before its first step, it has not handed the socket to anybody.
        task.add_done_callback(lambda done: connection.close() if done.cancelled() else None)

    async def _serve(self, connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        try:
            if self._tls is None:
                transport, _ = await loop.connect_accepted_socket(self._factory, connection)
            else:
                transport, _ = await loop.connect_accepted_socket(
                    self._factory,
                    connection,
                    ssl=self._tls(),
                    ssl_handshake_timeout=self._patience,
                    ssl_shutdown_timeout=_FAREWELL,
                )
        except OSError as error:  # a handshake that failed, took too long, or was given up
            log.debug("a connection could not be made: %s", error)
        else:
            if connection in self._open:
                self._open[connection] = transport

    def _forget_closed(self) -> None:
        self._open = {each: transport for each, transport in self._open.items() if each.fileno() >= 0}

    def _sweep(self) -> None:
        """Reset what was closed a while ago and has as much left to send as then: its peer does not read."""
        self._forget_closed()
        leaving: dict[socket.socket, int] = {}
        for each, transport in self._open.items():
            if transport is not None and transport.is_closing():
                leaving[each] = left = transport.get_write_buffer_size()
                if each in self._leaving and left >= self._leaving[each]:
                    transport.abort()
        self._leaving = leaving
        self._sweeping = asyncio.get_running_loop().call_later(self._patience, self._sweep)


class _ListeningSocket(socket.socket):
    """Remembers what it has accepted last, so that a wait that is cancelled just then loses nothing."""

    accepted: socket.socket | None = None

    def accept(self) -> tuple[socket.socket, Any]:
        connection, address = super().accept()
        self.accepted = connection
        return connection, address

    def drop(self) -> None:
        """Close it, if nobody has taken it."""
        if self.accepted is not None:
            self.accepted.close()


async def _listen(host: str, port: int) -> list[_ListeningSocket]:
    """Sockets on all addresses of a host that this machine has, on one port."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [(family, kind, protocol, str(address[0])) for family, kind, protocol, _, address in found]
    for left in reversed(range(1 if port else _TRIES)):
        try:
            return _listen_on(addresses, port)
        except OSError as error:
            if not left or error.errno != errno.EADDRINUSE:
                raise
    raise AssertionError("the last try returns or raises")


def _listen_on(addresses: Sequence[tuple[int, int, int, str]], port: int) -> list[_ListeningSocket]:
    listening: list[_ListeningSocket] = []
    failure: OSError | None = None
    for family, kind, protocol, address in addresses:
        if listening:
            port = listening[0].getsockname()[1]
        # Not `socket.create_server`, which leaves the protocol open: asyncio switches the delay of small
        # packets off for sockets only that say TCP, and a call would take 40 ms longer.
        each = _ListeningSocket(family, kind, protocol)
        try:
            each.setblocking(False)
            if os.name == "posix":  # elsewhere it would let two programs have one port
                each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                each.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            each.bind((address, port))
            each.listen(_BACKLOG)
        except OSError as error:
            each.close()
            failure = error
            if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                break
        else:
            listening.append(each)
    if failure is not None and (not listening or failure.errno == errno.EADDRINUSE):
        for each in listening:
            each.close()
        raise failure
    return listening
