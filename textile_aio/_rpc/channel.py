"""The only door to calls: a channel to one hub.

Owns the life of a channel and the shape of its two kinds of calls. How a call is made is in ``call`` and
``exchange``, how a stream is driven in ``stream``, how the connection is kept in ``connection``.
"""

from __future__ import annotations

import asyncio
import random as _random
import ssl
import time
from collections.abc import AsyncIterable, Awaitable, Callable, Mapping
from types import TracebackType
from typing import Self

from grpclib.config import Configuration
from grpclib.encoding.base import CodecBase

from textile_aio._rpc import status
from textile_aio._rpc.call import Call, Context, Settings
from textile_aio._rpc.codec import MessageCodec
from textile_aio._rpc.connection import Connector, Dialler, Keepalive
from textile_aio._rpc.exchange import Exchange
from textile_aio._rpc.method import Method, Rep, Req
from textile_aio._rpc.retry import RetryPolicy
from textile_aio._rpc.stream import Stream
from textile_aio._rpc.target import Target
from textile_aio.errors import ClosedError


class Channel:
    """Calls to one hub, over one connection that is made on the first call and again whenever it has broken.

    Use it as an async context manager, on one event loop. Any number of calls may be made at once. When it is
    left, calls under way end with :class:`~textile_aio.errors.ClosedError` and the socket is closed.

    Args:
        target: Where the hub is.
        ssl_context: What to check the hub's certificate with when the target says TLS; by default against the
            system's roots.
        codec: Turns messages into bytes and back.
        retry: Which failures are tried again.
        keepalive: How a silent connection is probed, None for never (a Go hub may hang up on frequent pings).
        connect_timeout: Seconds that making the connection may take, whatever a call's own deadline.
        clock: Gives seconds that never run backwards.
        sleep: Waits for some seconds, between attempts.
        random: Gives a number from 0 up to 1, for jitter.
    """

    def __init__(
        self,
        target: Target,
        *,
        ssl_context: ssl.SSLContext | None = None,
        codec: CodecBase | None = None,
        retry: RetryPolicy = RetryPolicy(),  # noqa: B008 - a frozen value
        keepalive: Keepalive | None = Keepalive(),  # noqa: B008 - a frozen value
        connect_timeout: float = 20.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        random: Callable[[], float] = _random.random,
    ) -> None:
        self._target = target
        self._ssl_context = ssl_context
        self._codec = codec or MessageCodec()
        self._retry = retry
        self._keepalive = keepalive
        self._connect_timeout = connect_timeout
        self._clock = clock
        self._sleep = sleep
        self._random = random
        self._loop: asyncio.AbstractEventLoop | None = None
        self._settings: Settings | None = None
        self._closed = False

    @property
    def target(self) -> Target:
        """Where the hub is."""
        return self._target

    def __repr__(self) -> str:
        state = "closed" if self._closed else "new" if self._loop is None else "open"
        return f"<Channel to {self._target}, {state}>"

    async def __aenter__(self) -> Self:
        if self._closed or self._loop is not None:
            raise ClosedError("a channel is entered once; make another one", about=str(self._target))
        self._loop = asyncio.get_running_loop()
        dialler = Dialler(
            self._target.host,
            self._target.port,
            ssl=(self._ssl_context or _default_ssl_context()) if self._target.tls else None,
            config=Configuration(),  # without grpclib's keepalive: Link has its own
            codec=self._codec,
        )
        self._settings = Settings(
            Connector(dialler, keepalive=self._keepalive, timeout=self._connect_timeout),
            self._codec,
            peer=self._target.authority,
            scheme="https" if self._target.tls else "http",
            retry=self._retry,
            clock=self._clock,
            sleep=self._sleep,
            random=self._random,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End all calls under way and close the socket. Doing it again does nothing.

        Raises:
            ClosedError: It is done from another event loop than the channel's.
        """
        settings = self._settings
        if settings is not None:
            self._check_loop()
        self._closed = True
        if settings is None:
            return
        for call in tuple(settings.running):
            call.close()
        await settings.connector.close()

    async def unary(
        self,
        method: Method[Req, Rep],
        request: Req,
        ctx: Context,
        *,
        timeout: float | None = None,
        about: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Rep:
        """Make a call with one message each way.

        It is repeated as the channel's policy says when the hub was unavailable and the method is safe to
        repeat, or when the request certainly never left. Cancelling it tells the hub.

        Args:
            method: What to call.
            request: The message.
            ctx: Who calls.
            timeout: Seconds the call may take, repetitions included; the hub is told.
            about: What the call concerns, for errors.
            headers: Further request headers.

        Raises:
            ClosedError: The channel is not open, not open on this loop, or was closed during the call.
            DeadlineExceeded: The time is up.
            Unavailable: The hub cannot be reached, or the connection broke.
            ProtocolError: What answers there is no gRPC server, or a broken one.
            InvalidCredential: A header cannot be sent.
            TextileError: Any other refusal of the hub.
        """
        settings = self._opened()
        with Call(settings, method, ctx, timeout=timeout, about=about, headers=headers) as call:

            async def attempt(exchange: Exchange[Req, Rep]) -> Rep:
                await call.begin(exchange)
                await exchange.send(request, end=True)
                reply = await exchange.receive()
                if reply is None:
                    raise status.malformed(call, "said OK without a reply")
                if await exchange.receive() is not None:
                    raise status.malformed(call, "sent more than one reply")
                exchange.release()
                return reply

            with call.interrupt:
                return await call.attempts(attempt)

    def stream(
        self,
        method: Method[Req, Rep],
        ctx: Context,
        *,
        timeout: float | None = None,
        about: str = "",
        headers: Mapping[str, str] | None = None,
        source: AsyncIterable[Req] | None = None,
        request: Req | None = None,
    ) -> Stream[Req, Rep]:
        """Prepare a call with many messages one way or both; it is made when the result is entered.

        Args:
            method: What to call.
            ctx: Who calls.
            timeout: Seconds from entering until the stream has to be over; the hub is told.
            about: What the call concerns, for errors.
            headers: Further request headers.
            source: Where requests come from; they are sent one at a time, and the source is closed.
            request: The only request. With neither, the caller sends and ends.

        Raises:
            ClosedError: The channel is not open, or not open on this loop.
            InvalidInput: Both ``source`` and ``request`` are given.
        """
        settings = self._opened()
        call = Call(settings, method, ctx, timeout=timeout, about=about, headers=headers)
        return Stream(call, source=source, request=request)

    async def back_off(self, policy: RetryPolicy, failures: int, *, remaining: float | None = None) -> bool:
        """Wait as a policy says after so many failures in a row; False if it says to give up.

        For callers who make a call again by themselves, and have so many seconds left.
        """
        settings = self._opened()
        delay = policy.delay(failures, remaining=remaining, random=settings.random)
        if delay is None:
            return False
        await settings.sleep(delay)
        return True

    def _opened(self) -> Settings:
        if self._closed:
            raise ClosedError("the channel is closed; open a new one", about=str(self._target))
        if self._settings is None:
            raise ClosedError(
                "the channel is not open yet; enter it with 'async with'", about=str(self._target)
            )
        self._check_loop()
        return self._settings

    def _check_loop(self) -> None:
        if asyncio.get_running_loop() is not self._loop:
            raise ClosedError(
                "the channel belongs to another event loop; open one on each loop", about=str(self._target)
            )


def _default_ssl_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # RFC 9113, section 9.2
    context.set_alpn_protocols(["h2"])
    return context
