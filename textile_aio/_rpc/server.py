"""The hub's end of HTTP/2 connections."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

from grpclib.config import Configuration
from grpclib.encoding.base import CodecBase
from grpclib.server import Server

from textile_aio._rpc.codec import MessageCodec


class GrpcServer(Server):
    """A grpclib server with our message codec and a graceful end."""

    def __init__(
        self,
        handlers: Collection[Any],
        *,
        config: Configuration | None = None,
        codec: CodecBase | None = None,
        fast: bool | None = None,
    ) -> None:
        super().__init__(handlers, config=config, codec=codec or MessageCodec())

    @property
    def port(self) -> int:
        """TCP port the server listens on; the one the system chose if it was started with 0."""
        if self._server is None:
            raise RuntimeError("the server has not been started")
        return int(self._server.sockets[0].getsockname()[1])  # type: ignore[attr-defined]

    async def shutdown(self, *, grace: float) -> None:
        """Stop listening, let calls in flight finish for at most `grace` seconds, then cancel the rest."""
        if self._server is None:
            return
        self._server.close()
        tasks = [task for handler in self._handlers for task in handler._tasks.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=grace)
        self.close()
        await self.wait_closed()
