"""gRPC-web over websockets, one socket a call (spec: gateway-and-web §B3).

Owns the order of things on a socket: header text, flagged pieces of the request, frames of the response, and
the close that tells a client its call is over. Refuses to know services.
"""

from __future__ import annotations

from asyncio import TimerHandle
from collections.abc import Mapping

from grpclib.const import Status
from grpclib.exceptions import GRPCError, StreamTerminatedError
from starlette.websockets import WebSocket, WebSocketDisconnect
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

from textile_aio.localhub.web.frames import CONTENT_TYPE, RequestHeaders, header_frame
from textile_aio.localhub.web.inbound import Inbound

SUBPROTOCOL = "grpc-websockets"

MAX_FRAGMENTS = 65_536
"""Fragments of one websocket message."""

_DATA = 0x00
_END = b"\x01"
_CONTENT_TYPE = {"content-type": CONTENT_TYPE}


class PatientProtocol(WebSocketsSansIOProtocol):
    """Uvicorn's websockets, more patient with slow peers and less with hostile ones.

    An answer to a ping may lie behind bytes that we leave unread because the handler does, or the ping behind
    bytes that the client is still reading: only a connection on which nothing has moved is given up.
    """

    _moved = False

    def data_received(self, data: bytes) -> None:
        """The client has sent something."""
        self._moved = True
        super().data_received(data)

    def resume_writing(self) -> None:
        """The client has read something."""
        self._moved = True
        super().resume_writing()

    def keepalive_timeout(self) -> None:
        """No answer to a ping has come in time."""
        if not self._moved and not self.read_paused:
            super().keepalive_timeout()
            return
        self._moved = False
        self.pong_timer: TimerHandle | None = None
        self.schedule_ping()

    def handle_ping(self) -> None:
        """Answer, except to a client that sends pings and reads nothing: its answers would pile up here."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()

    def handle_cont(self, event: Frame) -> None:
        """Take a fragment. Empty ones do not count in the limit of bytes, so their number has one."""
        if len(self.frames) < MAX_FRAGMENTS:
            super().handle_cont(event)
            return
        self.conn.fail(1009, "too many fragments")
        self.handle_parser_exception()


class SocketWire:
    """One accepted websocket."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._begun = False
        self.address: str = socket.client.host if socket.client else ""

    async def headers(self, limit: int) -> RequestHeaders | None:
        """What the client sends first, at most ``limit`` bytes of it; None if it goes away instead.

        Raises:
            GRPCError: It is something else.
        """
        while (data := await self._receive()) == b"":
            pass
        return None if data is None else RequestHeaders.parse(data, limit)

    async def pump(self, inbound: Inbound) -> None:
        """See :class:`~textile_aio.localhub.web.call.Wire`."""
        ended = False
        while (data := await self._receive()) is not None:
            if not data:
                continue
            if ended:
                raise GRPCError(Status.INTERNAL, "the client had said that it sends no more, and sent more")
            if data[0] == _DATA:
                inbound.add(memoryview(data)[1:])
                await inbound.room()
            elif data == _END:
                ended = True
                inbound.end()
            else:
                raise GRPCError(
                    Status.INTERNAL, f"a websocket message of {len(data)} bytes begins with {data[0]}, "
                    "which is neither data (0) nor, alone, the end (1)"
                )  # fmt: skip

    async def begin(self, headers: Mapping[str, str]) -> None:
        """See :class:`~textile_aio.localhub.web.call.Wire`.

        Clients read no further in a websocket message that has a header frame, so it is alone in its own.
        """
        self._begun = True
        await self._send(header_frame({**_CONTENT_TYPE, **headers}))

    async def send(self, frame: bytes) -> None:
        """See :class:`~textile_aio.localhub.web.call.Wire`."""
        if not self._begun:
            await self.begin({})
        await self._send(frame)

    async def finish(self, fields: Mapping[str, str]) -> None:
        """See :class:`~textile_aio.localhub.web.call.Wire`. Clients wait for the close."""
        try:
            await self._send(header_frame(fields if self._begun else {**_CONTENT_TYPE, **fields}))
            await self._socket.close(1000)
        except (StreamTerminatedError, WebSocketDisconnect):
            pass  # nobody is left to hear it

    async def _receive(self) -> bytes | None:
        event = await self._socket.receive()
        if event["type"] == "websocket.disconnect":
            return None
        data: bytes | None = event.get("bytes")
        if data is None:
            raise GRPCError(Status.INTERNAL, "a websocket message of text; gRPC-web sends binary ones")
        return data

    async def _send(self, data: bytes) -> None:
        try:
            await self._socket.send_bytes(data)
        except WebSocketDisconnect:
            raise StreamTerminatedError("the client closed its websocket") from None
