"""A web server on the hub's loop: its connections, and how it ends.

Refuses to know what it serves, and how connections are let in. Both doors that speak HTTP stand on it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.server import ServerState

from textile_aio._rpc.listening import Listener, TlsSource
from textile_aio.localhub.http_protocol import TimelyProtocol
from textile_aio.localhub.limits import DoorLimits

_COMMON: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "http": TimelyProtocol,
        "lifespan": "off",
        "log_config": None,
        "access_log": False,
        "proxy_headers": False,
        "server_header": False,
        "date_header": False,
    }
)
"""The process's logging and signals are the program's, not the server's."""

# At DEBUG uvicorn and websockets write all that comes in: headers of calls, and tokens in URLs.
for _name in ("uvicorn.error", "uvicorn.asgi"):
    logging.getLogger(_name).addFilter(lambda record: record.levelno > logging.DEBUG)

_LINGER = 2.0


class HttpServer:
    """A web server that listens once it is started.

    Args:
        application: What it serves.
        limits: What strangers may ask of it.
        websockets: Uvicorn's settings of websockets; none are served without.
    """

    def __init__(
        self, application: ASGIApp, limits: DoorLimits, *, websockets: Mapping[str, Any] | None = None
    ) -> None:
        self._config = uvicorn.Config(application, **(websockets or {"ws": "none"}), **_COMMON)
        self._limits = limits
        # Not `uvicorn.Server`: it takes over the process's signals, and looks for its end ten times a second.
        self._state = ServerState()
        self._listener: Listener | None = None

    @property
    def port(self) -> int:
        """TCP port it listens on; 0 before it is started."""
        return 0 if self._listener is None else self._listener.port

    @property
    def connections(self) -> set[Any]:
        """The protocols of the connections that are open."""
        return self._state.connections

    async def start(self, host: str, port: int, *, tls: TlsSource | None = None) -> int:
        """Listen, and return the port.

        Args:
            host: Address or name; a name may stand for several addresses.
            port: 0 takes a free one.
            tls: None for plain text.

        Raises:
            OSError: Address or port cannot be had.
        """
        self._config.load()
        listener = Listener(
            lambda: TimelyProtocol(self._config, self._state, self._limits),
            connections=self._limits.connections,
            patience=self._limits.head_seconds,
            tls=tls,
        )
        await listener.start(host, port)
        self._listener = listener
        return listener.port

    async def shutdown(self, drain: Callable[[], Awaitable[None]]) -> None:
        """Stop listening, have ``drain`` wait for what is in flight, then end what is left.

        Harmless where it was never started.
        """
        if self._listener is None:
            return
        self._listener.close()
        state = self._state
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
        await self._listener.wait_closed()

    async def wait_for_requests(self, seconds: float) -> None:
        """Close connections without a request, and give requests some seconds to end."""
        state = self._state
        for connection in list(state.connections):
            connection.shutdown()
        if state.tasks:
            await asyncio.wait(state.tasks, timeout=seconds)
