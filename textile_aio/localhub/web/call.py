"""The life of one call that came in through gRPC-web, from its headers to its trailers.

Owns who ends it: the handler, the client that goes away or breaks the rules, the deadline, or the hub that
closes. Whatever it is, the handler has ended before the trailers go out. Refuses to know what carries it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol

from grpclib.const import Status
from grpclib.exceptions import GRPCError, StreamTerminatedError

from textile_aio._rpc import transfer
from textile_aio._rpc.codec import MessageCodec
from textile_aio.localhub.routes import Route, Routes
from textile_aio.localhub.web.frames import RequestHeaders, message_frame, trailers
from textile_aio.localhub.web.inbound import Inbound

_CODEC = MessageCodec()


class Wire(Protocol):
    """What carries a call."""

    @property
    def address(self) -> str:
        """The client's, without a port; empty if it has none."""
        ...

    async def pump(self, inbound: Inbound) -> None:
        """Hand over what the client sends, as fast as it is read. Returns when the client has gone.

        Raises:
            GRPCError: The client broke the rules.
        """
        ...

    async def begin(self, headers: Mapping[str, str]) -> None:
        """Send the response headers. At most once."""
        ...

    async def send(self, frame: bytes) -> None:
        """Send a frame, the response headers before the first; waits for a client that is slow to read.

        Raises:
            StreamTerminatedError: The client has gone.
        """
        ...

    async def finish(self, fields: Mapping[str, str]) -> None:
        """Send the trailers, and end."""
        ...


class WebCall:
    """A call in progress."""

    def __init__(
        self, routes: Routes, route: Route, headers: RequestHeaders, wire: Wire, *, max_message: int
    ) -> None:
        self._routes = routes
        self._route = route
        self._headers = headers
        self._wire = wire
        self._inbound = Inbound(max_message)
        self._serving: asyncio.Task[None] | None = None
        self._gone = False
        # Only to be seen where a handler gives up by itself, as if it had been cancelled.
        self._verdict: GRPCError | None = GRPCError(Status.CANCELLED, "the call was cancelled")

    async def serve(self) -> None:
        """Serve it to its end."""
        async with asyncio.TaskGroup() as group:
            self._serving = group.create_task(self._dispatch())
            pumping = group.create_task(self._pump())
            await asyncio.wait((self._serving,))
            pumping.cancel()
        if not self._gone:
            await self._wire.finish(trailers(self._verdict))

    def stop(self, verdict: GRPCError | None) -> None:
        """Cancel the handler, if it still runs, and end the call with this; None: there is nobody to tell."""
        if self._serving is not None and not self._serving.done():
            self._gone = verdict is None
            self._verdict = verdict
            self._serving.cancel()

    async def _dispatch(self) -> None:
        exchange = WebExchange(self._route, self._inbound, self._wire)
        try:
            async with asyncio.timeout(self._headers.timeout):
                await self._routes.dispatch(self._route, self._headers.metadata, exchange)
        except TimeoutError:
            self._verdict = GRPCError(Status.DEADLINE_EXCEEDED, "context deadline exceeded")
        except GRPCError as error:
            self._verdict = error
        except StreamTerminatedError:
            self._gone = True
        else:
            self._verdict = None

    async def _pump(self) -> None:
        try:
            await self._wire.pump(self._inbound)
        except GRPCError as error:
            self.stop(error)
        else:
            self.stop(None)


class WebExchange:
    """The messages of a call. See :class:`~textile_aio.localhub.call.Exchange`."""

    __slots__ = ("_inbound", "_route", "_wire")

    def __init__(self, route: Route, inbound: Inbound, wire: Wire) -> None:
        self._route = route
        self._inbound = inbound
        self._wire = wire

    @property
    def address(self) -> str:
        """The client's."""
        return self._wire.address

    async def recv(self) -> Any | None:
        """The next message, or None."""
        body = await self._inbound.next_message()
        if body is None:
            return None
        return transfer.decode(_CODEC, body, self._route.request_type, server=True)

    async def begin(self, headers: Mapping[str, str]) -> None:
        """Send the response headers."""
        await self._wire.begin(headers)

    async def send(self, message: Any) -> None:
        """Send a message."""
        await self._wire.send(message_frame(_CODEC.pieces(message, self._route.reply_type)))
