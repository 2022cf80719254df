"""One HTTP connection: how long its requests may take to arrive, and how large their heads may be.

Owns what uvicorn has no limit for: the time until a request is there, and what comes in after it was
answered. Refuses to know what is asked and answered.
"""

from __future__ import annotations

import asyncio
import logging

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from textile_aio.localhub.limits import DoorLimits

_log = logging.getLogger(__name__)
# Uvicorn's warnings say what peers do wrong, one line each time: they would fill a disk.
_log.addFilter(lambda record: record.levelno != logging.WARNING)


class TimelyProtocol(H11Protocol):
    """Uvicorn's HTTP, for peers that take their time and those that never come to the point.

    From its first byte to its last a head has ``head_seconds``; so has the rest of a request that was
    answered before it was there. The first head's time begins with the connection.
    """

    def __init__(self, config: uvicorn.Config, state: ServerState, limits: DoorLimits) -> None:
        super().__init__(config=config, server_state=state, app_state={})
        self.conn: h11.Connection = h11.Connection(h11.SERVER, limits.headers)
        self.logger: logging.Logger = _log
        self.timeout_keep_alive: float = limits.idle_seconds  # type: ignore[assignment]
        self._limits = limits
        self._hurry: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The peer may begin."""
        super().connection_made(transport)
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self._stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what has come.

        H11 minds the size of a head only while it is incomplete, so it is given no more at once than would
        show that it is too large.
        """
        if self.conn.their_state is h11.IDLE:
            room = self._limits.headers + 1 - len(self.conn.trailing_data[0])
            if 0 < room < len(data):
                super().data_received(data[:room])
                data = data[room:]
        if not self._over():
            super().data_received(data)
        self._look()

    def _over(self) -> bool:
        """Whether nothing more is for us: the connection closes, or is a websocket now."""
        return self.transport.is_closing() or self.transport.get_protocol() is not self

    def _look(self) -> None:
        """Give the peer its time while it owes us something, and no longer."""
        answering = self.cycle is not None and not self.cycle.response_complete
        if answering or self._over():
            self._stop()
        elif self._hurry is None:
            self._hurry = self.loop.call_later(self._limits.head_seconds, self.transport.abort)

    def _stop(self) -> None:
        if self._hurry is not None:
            self._hurry.cancel()
            self._hurry = None
