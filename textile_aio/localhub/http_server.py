"""A web server on the hub's loop: its listening sockets, and how it ends.

Refuses to know what it serves. Both doors that speak HTTP stand on it.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import uvicorn

COMMON: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "http": "h11",
        "lifespan": "off",
        "log_config": None,
        "access_log": False,
        "proxy_headers": False,
        "server_header": False,
        "date_header": False,
    }
)
"""What every configuration has: the process's logging and signals are the program's, not the server's."""

_LINGER = 2.0
_BACKLOG = 1024


class HttpServer:
    """A web server that listens once it is started.

    Args:
        config: Made with :data:`COMMON`.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        self._server = uvicorn.Server(config)
        self.port: int = 0
        """TCP port it listens on; 0 before it is started."""

    @property
    def connections(self) -> set[Any]:
        """The protocols of the connections that are open."""
        return self._server.server_state.connections

    async def start(self, host: str, port: int) -> None:
        """Listen.

        Args:
            host: Address or name; a name may stand for several addresses.
            port: 0 takes a free one.

        Raises:
            OSError: Address or port cannot be had.
        """
        listening = await _listen(host, port)
        self.port = listening[0].getsockname()[1]
        config = self._server.config
        config.load()
        self._server.lifespan = config.lifespan_class(config)
        # Not `serve`: it takes over the process's signals, and looks after its end ten times a second.
        await self._server.startup(sockets=listening)

    async def shutdown(self, drain: Callable[[], Awaitable[None]]) -> None:
        """Stop listening, have ``drain`` wait for what is in flight, then end what is left.

        Harmless where it was never started.
        """
        if not self._server.started:
            return
        for server in self._server.servers:
            server.close()
        state = self._server.server_state
        try:
            await drain()
            await self.wait_for_requests(_LINGER)
        finally:
            for task in state.tasks:
                task.cancel()
            for connection in list(state.connections):
                connection.transport.abort()
        if state.tasks:
            await asyncio.wait(state.tasks)
        for server in self._server.servers:
            await server.wait_closed()

    async def wait_for_requests(self, seconds: float) -> None:
        """Close connections without a request, and give requests some seconds to end."""
        state = self._server.server_state
        for connection in list(state.connections):
            connection.shutdown()
        if state.tasks:
            await asyncio.wait(state.tasks, timeout=seconds)


async def _listen(host: str, port: int) -> list[socket.socket]:
    """Sockets on all addresses of a host that this machine has, on one port."""
    loop = asyncio.get_running_loop()
    listening: list[socket.socket] = []
    failure: OSError | None = None
    for family, kind, protocol, _, address in await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        if listening:
            port = listening[0].getsockname()[1]
        # Not `socket.create_server`, which leaves the protocol open: asyncio switches the delay of small
        # packets off for sockets only that say TCP, and a call would take 40 ms longer.
        each = socket.socket(family, kind, protocol)
        try:
            if os.name == "posix":  # elsewhere it would let two programs have one port
                each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                each.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            each.bind((str(address[0]), port))
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
