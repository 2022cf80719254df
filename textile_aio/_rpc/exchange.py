"""One HTTP/2 stream of one call: its headers, messages and outcome.

Owns the order of things inside a stream and what may be read from it after it was broken. It makes one
attempt and gives up at the first error: deadlines, repetition and connections are for others. It drives
grpclib's protocol-level stream itself, because grpclib's client stream loses replies when a finished stream
is reset, waits for ever when trailers never come, and costs a third of a unary call in hooks we do not use.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Generic, cast

import grpclib
from grpclib.encoding.base import CodecBase
from grpclib.exceptions import GRPCError
from grpclib.protocol import Buffer
from grpclib.protocol import Stream as WireStream
from h2.errors import ErrorCodes
from h2.exceptions import H2Error, TooManyStreamsError

from textile_aio._rpc import status, transfer
from textile_aio._rpc.cancellation import Interrupt
from textile_aio._rpc.connection import Link
from textile_aio._rpc.method import Method, Rep, Req
from textile_aio.errors import TextileError

USER_AGENT = f"textile-aio grpclib/{grpclib.__version__}"


class Exchange(Generic[Req, Rep]):
    """An attempt at a call. :meth:`release` it, whatever happened.

    Args:
        call: Names the call in errors.
        method: What is called.
        codec: Turns messages into bytes and back.

    Attributes:
        carried: True once the peer may have seen the request.
        interrupt: The section in which the stream must be used; it ends with the error when the stream
            breaks.
    """

    __slots__ = (
        "_call",
        "_checked",
        "_codec",
        "_ended",
        "_link",
        "_method",
        "_over",
        "_release",
        "_sending",
        "_stream",
        "carried",
        "interrupt",
    )

    def __init__(self, call: status.Origin, method: Method[Req, Rep], codec: CodecBase) -> None:
        self._call = call
        self._method = method
        self._codec = codec
        self._link: Link | None = None
        self._stream: WireStream | None = None
        self._release: Callable[[], None] | None = None
        self._sending: Interrupt | None = None
        self._checked = False  # the reply's headers are those of gRPC
        self._ended = False  # nothing more is to be sent
        self._over = False  # nothing more is to be received, and the status was OK
        self.carried: bool = False
        self.interrupt: Interrupt = Interrupt()

    async def begin(self, link: Link, headers: list[tuple[str, str]]) -> None:
        """Open the stream. What is sent before the event loop turns next goes out in the same packet.

        Args:
            link: The connection.
            headers: All request headers, in order.
        """
        self._link = link
        connection = link.protocol.connection
        h2 = connection._connection
        while True:
            if not connection.write_ready.is_set():
                await connection.write_ready.wait()
            if not link.alive:
                raise status.unsent(self._call)
            try:
                number = h2.get_next_available_stream_id()
                h2.send_headers(number, headers)
            except TooManyStreamsError:
                connection.stream_close_waiter.clear()
                await connection.stream_close_waiter.wait()
                continue
            except H2Error as failure:  # the peer said goodbye, or all stream numbers are used up
                link.abort("no further call can be made on it")
                raise status.unsent(self._call) from failure
            break
        # grpclib's streams want "wrapper" to have a method `cancel`, called when they break off.
        stream = connection.create_stream(wrapper=self)  # type: ignore[arg-type]
        stream.init_stream(number, connection)
        self._release = link.protocol.processor.register(stream)
        self._stream = stream
        self.carried = True
        stream._transport.write(h2.data_to_send())
        connection.headers_send_process()

    async def send(self, message: Req, *, end: bool = False) -> None:
        """Send a message, waiting for the peer's window and for the socket.

        Once the peer has answered in full, nothing is sent any more: :meth:`receive` has the outcome.
        """
        if self._ended or self.answered:
            return
        self._ended = end
        await self._push(transfer.send(self._opened(), self._codec, message, self._method.request, end=end))

    async def end(self) -> None:
        """Say that nothing more is coming. Doing it again changes nothing."""
        if self._ended or self.answered:
            return
        self._ended = True
        await self._push(self._opened().end())

    async def headers(self) -> dict[str, str]:
        """The response headers, the first value of each. A cancelled wait for them harms nothing."""
        found: dict[str, str] = {}
        for name, value in await self._opened().recv_headers():
            found.setdefault(name, value)
        return found

    async def receive(self) -> Rep | None:
        """The next reply, None when the peer has ended the call with OK.

        Raises:
            TextileError: The peer ended it with something else, or broke the protocol.
        """
        if self._over:
            return None
        stream = self._opened()
        if not self._checked:
            if error := status.misfit(await stream.recv_headers(), self._call):
                raise error
            self._checked = True
        try:
            reply = await transfer.receive(stream, self._codec, self._method.reply, server=False)
        except GRPCError as failure:
            if stream.trailers is not None and (error := status.refusal(stream.trailers, self._call)):
                raise error from failure  # the peer knows why its message is incomplete
            raise status.unreadable(failure, self._call) from failure
        if reply is None:
            self._finish(stream)
        return cast("Rep | None", reply)

    @property
    def answered(self) -> bool:
        """True once the peer has sent its status: what follows on the stream cannot change the outcome."""
        stream = self._stream
        if stream is None:
            return False
        if stream.trailers is not None:
            return True
        return stream.headers is not None and any(name == "grpc-status" for name, _ in stream.headers)

    def cancel(self, failure: Exception) -> None:
        """Called by grpclib when the stream, or the connection under it, breaks.

        Replies and status that have arrived already stay readable.
        """
        link, stream = self._link, self._stream
        if link is None or stream is None:
            return
        reason = str(failure)
        if status.was_refused(reason):
            self.carried = False
        cause = link.cause if link.cause is not None else failure
        error = status.terminated(link.reason or reason, self._call, cause=cause)
        if not self.answered:
            self.interrupt.cancel(error)
            return
        if link.connection_lost and type(stream.buffer) is Buffer:
            # There is no connection left to give window credit back to, and grpclib would fail trying.
            stream.buffer._ack_callback = _no_credit
        if self._sending is not None:
            self._sending.cancel(error)

    def release(self) -> None:
        """Give the stream back; the peer is told when it was not finished. Never waits, never fails."""
        link, stream, release = self._link, self._stream, self._release
        if link is None or stream is None or release is None:
            return
        self._release = None
        if stream.closable:
            stream.reset_nowait(ErrorCodes.CANCEL)
        stream.wrapper = None  # a cycle less for the garbage collector
        release()
        link.released()

    def _opened(self) -> WireStream:
        if self._stream is None:
            raise RuntimeError("the exchange has not begun")
        return self._stream

    async def _push(self, sending: Coroutine[None, None, None]) -> None:
        self._sending = Interrupt()
        try:
            with self._sending:
                await sending
        except asyncio.CancelledError:
            # Part of the message may be out already, and nothing can follow that.
            self.interrupt.cancel(status.torn(self._call))
            self.release()
            raise
        except H2Error:
            pass  # the stream was closed under us: the receiving side knows why
        except TextileError:
            if not self.answered:
                raise
        finally:
            self._sending = None

    def _finish(self, stream: WireStream) -> None:
        headers = stream.headers if stream.trailers is None else stream.trailers
        if error := status.refusal(headers or (), self._call):
            raise error
        self._over = True


def _no_credit(size: int) -> None:
    pass
