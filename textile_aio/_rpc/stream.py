"""A call with many messages, as an async context manager.

Owns the two directions of a stream and how it ends: by the peer's status, by its own source, by its caller
leaving, or by cancellation. In each case the source is closed, the peer knows, and nothing runs on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Generic, Self

from textile_aio._rpc.call import Call
from textile_aio._rpc.cancellation import Interrupt, reraise
from textile_aio._rpc.exchange import Exchange
from textile_aio._rpc.method import Rep, Req
from textile_aio.errors import ClosedError, InvalidInput, TextileError, Unavailable


class Stream(Generic[Req, Rep]):
    """Made by :meth:`Channel.stream <textile_aio._rpc.channel.Channel.stream>`; entered once.

    Entering it connects and sends the request headers. Iterating over it, or :meth:`recv` until it gives
    None, is the only way to learn the call's outcome: leaving earlier gives the call up, and the hub is told
    so.

    Opening it is repeated as the channel's policy says while the request has not left; with ``request=`` and
    a method that is safe to repeat also later, until the first reply has come.

    With ``source=`` one task of the stream's own task group sends what the source gives. It asks for a
    message only when the one before has been handed to the transport, so no more than one is held. If the
    source raises, the block is cancelled and the very exception of the source leaves ``async with``. The
    source is closed (``aclose``, where it has one) before the block is left.

    After the hub has answered in full, sending does nothing: :meth:`recv` has the outcome.
    """

    def __init__(
        self,
        call: Call[Req, Rep],
        *,
        source: AsyncIterable[Req] | None,
        request: Req | None,
    ) -> None:
        if source is not None and request is not None:
            raise InvalidInput("give source= or request=, not both", method=call.path, about=call.about)
        self._call = call
        self._source = source
        self._request = request
        self._repeatable = request is not None and call.method.safe  # until the first reply has come
        self._exchange: Exchange[Req, Rep] | None = None
        self._sender: tuple[asyncio.TaskGroup, asyncio.Task[None]] | None = None
        self._block = Interrupt()  # the caller's block, which ends when the source fails
        self._failure: Exception | None = None  # of the source
        self._entered = False

    async def __aenter__(self) -> Self:
        if self._entered:
            raise ClosedError("a stream is entered once", method=self._call.path, about=self._call.about)
        self._entered = True
        try:
            self._call.__enter__()
            with self._call.interrupt:
                self._exchange = await self._call.attempts(self._begin)
        except BaseException:
            self._call.__exit__(None, None, None)
            await self._close_source()
            raise
        if self._source is not None:
            group = await asyncio.TaskGroup().__aenter__()
            self._block.__enter__()
            pump = group.create_task(self._send_all(self._source, self._exchange))
            self._sender = (group, pump)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        exchange = self._running()
        self._exchange = None
        try:
            # The peer first, and without waiting: what follows may take as long as the source likes.
            exchange.release()
            if self._sender is not None:
                try:
                    self._block.__exit__(kind, error, traceback)
                finally:
                    await self._stop_sender(*self._sender)
        finally:
            self._call.__exit__(None, None, None)
        if self._failure is not None and error is None:
            reraise(self._failure)

    async def send(self, message: Req) -> None:
        """Send one message, when the peer's window and the socket have room for it.

        Cancelling it gives the whole call up, since part of the message may be out.

        Raises:
            TextileError: The call has failed; :meth:`recv` would say the same.
        """
        exchange = self._running()
        with self._call.interrupt, exchange.interrupt:
            await exchange.send(message)

    async def end(self) -> None:
        """Say that no more messages are coming. Doing it again does nothing.

        Raises:
            TextileError: The call has failed; :meth:`recv` would say the same.
        """
        exchange = self._running()
        with self._call.interrupt, exchange.interrupt:
            await exchange.end()

    async def headers(self) -> Mapping[str, str]:
        """The response headers, the first value of each, as soon as the hub has sent them.

        Many hubs send them with the first reply only. A cancelled wait harms nothing. If the call is refused
        these are the headers of the refusal; :meth:`recv` raises it.

        Raises:
            TextileError: The connection broke; :meth:`recv` would say the same.
        """
        exchange = self._running()
        with self._call.interrupt, exchange.interrupt:
            return await exchange.headers()

    async def recv(self) -> Rep | None:
        """The next reply; None, as often as asked, once the hub has ended the call with OK.

        Raises:
            TextileError: The call has failed; as :meth:`Channel.unary
                <textile_aio._rpc.channel.Channel.unary>`.
        """
        exchange = self._running()
        try:
            with self._call.interrupt, exchange.interrupt:
                reply = await exchange.receive()
        except Unavailable as failure:
            if not self._repeatable:
                raise
            exchange.release()
            with self._call.interrupt:
                await self._call.pause(failure)
                self._exchange, reply = await self._call.attempts(self._begin_and_receive)
        self._repeatable = False
        return reply

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Rep:
        reply = await self.recv()
        if reply is None:
            raise StopAsyncIteration
        return reply

    def _running(self) -> Exchange[Req, Rep]:
        if self._exchange is None:
            state = "was left already" if self._entered else "is not entered; use 'async with'"
            raise ClosedError(f"the stream {state}", method=self._call.path, about=self._call.about)
        return self._exchange

    async def _begin(self, exchange: Exchange[Req, Rep]) -> Exchange[Req, Rep]:
        await self._call.begin(exchange)
        if self._request is not None:
            await exchange.send(self._request, end=True)
        return exchange

    async def _begin_and_receive(self, exchange: Exchange[Req, Rep]) -> tuple[Exchange[Req, Rep], Rep | None]:
        return await self._begin(exchange), await exchange.receive()

    async def _send_all(self, source: AsyncIterable[Req], exchange: Exchange[Req, Rep]) -> None:
        # Failures do not leave through the task group: on 3.11 and 3.12 it loses count of cancellations when
        # a task fails while the group is being left.
        try:
            try:
                await self._send_each(source, exchange)
            finally:
                await self._close_source()
        except Exception as failure:  # noqa: BLE001 - raised again where the block is left
            self._failure = failure
            if self._exchange is not None:
                self._block.cancel(failure)

    async def _send_each(self, source: AsyncIterable[Req], exchange: Exchange[Req, Rep]) -> None:
        async for message in source:
            try:
                with self._call.interrupt, exchange.interrupt:
                    await exchange.send(message)
            except TextileError:
                return  # the receiving side gets the same error
            if exchange.answered:
                return
        with suppress(TextileError), self._call.interrupt, exchange.interrupt:
            await exchange.end()

    async def _stop_sender(self, group: asyncio.TaskGroup, pump: asyncio.Task[None]) -> None:
        pump.cancel()
        try:
            await group.__aexit__(None, None, None)
        finally:
            await self._close_source()  # a task that was cancelled before it ran has not done it

    async def _close_source(self) -> None:
        source, self._source = self._source, None
        close = getattr(source, "aclose", None)
        if close is not None:
            await close()
