"""One call from its caller's point of view: metadata, deadline, repetition.

Owns what holds over all attempts of a call. An attempt is an :class:`~textile_aio._rpc.exchange.Exchange`;
this module decides whether there is another one.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from types import TracebackType
from typing import Any, Generic, Protocol, TypeVar

from grpclib.encoding.base import CodecBase

from textile_aio._rpc import status
from textile_aio._rpc.cancellation import Interrupt
from textile_aio._rpc.connection import Connector, Link
from textile_aio._rpc.exchange import USER_AGENT, Exchange
from textile_aio._rpc.method import Method, Rep, Req
from textile_aio._rpc.retry import RetryPolicy
from textile_aio.errors import InvalidCredential, InvalidInput, TextileError, Unavailable

T = TypeVar("T")

# gRPC: doc/PROTOCOL-HTTP2.md, "Custom-Metadata"
_NAME = re.compile(r"[0-9a-z_.-]+")
_VALUE = re.compile(r"[\x20-\x7e]+")
_RESERVED = frozenset({"te", "content-type", "user-agent"})


class Context(Protocol):
    """Who calls; in practice an ``AuthContext``."""

    async def metadata(self) -> Mapping[str, str]:
        """The headers to send, made afresh for each attempt."""
        ...


@dataclass(frozen=True, slots=True)
class Settings:
    """What all calls of a channel have in common.

    Attributes:
        connector: Gives the connection.
        codec: Turns messages into bytes and back.
        peer: Names the hub in errors, and in the ``:authority`` header.
        scheme: ``http`` or ``https``.
        retry: Which failures are tried again.
        clock: Gives seconds that never run backwards.
        sleep: Waits for some seconds.
        random: Gives a number from 0 up to 1.
        running: The calls that are under way.
    """

    connector: Connector
    codec: CodecBase
    _: KW_ONLY
    peer: str
    scheme: str
    retry: RetryPolicy
    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[object]]
    random: Callable[[], float]
    running: set[Call[Any, Any]] = field(default_factory=set)


class Call(Generic[Req, Rep]):
    """A call under way. Enter it for as long as its deadline and the channel's end shall apply to it.

    Args:
        settings: Those of the channel.
        method: What is called.
        context: Who calls.
        timeout: Seconds from now until the deadline, None for none.
        about: What the call concerns, for errors.
        headers: Further request headers; they win over the context's.

    Attributes:
        interrupt: The section that ends at the deadline and when the channel is closed.
    """

    __slots__ = (
        "_context",
        "_deadline",
        "_failures",
        "_headers",
        "_settings",
        "_timeout",
        "_timer",
        "about",
        "interrupt",
        "method",
        "path",
        "peer",
    )

    def __init__(
        self,
        settings: Settings,
        method: Method[Req, Rep],
        context: Context,
        *,
        timeout: float | None,
        about: str,
        headers: Mapping[str, str] | None,
    ) -> None:
        self._settings = settings
        self._context = context
        self._timeout = timeout
        self._deadline: float | None = None
        self._failures = 0
        self._timer: asyncio.TimerHandle | None = None
        self._headers = headers
        self.method: Method[Req, Rep] = method
        self.path: str = method.path
        self.about: str = about
        self.peer: str = settings.peer
        self.interrupt: Interrupt = Interrupt()

    def __enter__(self) -> Call[Req, Rep]:
        timeout = self._timeout
        if timeout is not None:
            if isinstance(timeout, bool) or not isinstance(timeout, int | float) or timeout != timeout:
                raise InvalidInput(
                    f"a timeout is a number of seconds, or None, not {timeout!r:.40}", about=self.about
                )
            if not timeout > 0:
                raise status.overdue(self, timeout)
            self._deadline = self._settings.clock() + timeout
            self._timer = asyncio.get_running_loop().call_later(timeout, self._expire, timeout)
        self._settings.running.add(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._settings.running.discard(self)

    async def attempts(self, attempt: Callable[[Exchange[Req, Rep]], Awaitable[T]]) -> T:
        """Do something on a fresh exchange, again and again as the policy allows, until it works.

        An exchange is released when its attempt has failed; after one that worked it is the caller's.

        Args:
            attempt: Begins the exchange, and does with it what may be repeated.
        """
        while True:
            exchange = Exchange(self, self.method, self._settings.codec)
            try:
                with exchange.interrupt:
                    return await attempt(exchange)
            except Unavailable:
                exchange.release()
                if exchange.carried and not self.method.safe:
                    raise
                delay = self._fail()
                if delay is None:
                    raise
            except BaseException:
                exchange.release()
                raise
            await self._settings.sleep(delay)

    async def pause(self, failure: Unavailable) -> None:
        """Count an attempt that failed later on, and wait before the next one.

        Raises:
            Unavailable: The very failure, when there shall be no next one.
        """
        delay = self._fail()
        if delay is None:
            raise failure
        await self._settings.sleep(delay)

    async def begin(self, exchange: Exchange[Req, Rep]) -> None:
        """Send the request headers over the channel's connection."""
        metadata = await self._context.metadata()
        link = self._settings.connector.current() or await self._connect()
        await exchange.begin(link, self._request(metadata))

    def close(self) -> None:
        """End the call because its channel is being closed."""
        self.interrupt.cancel(status.closed(self))

    async def _connect(self) -> Link:
        try:
            return await self._settings.connector.acquire()
        except (OSError, TextileError) as failure:
            raise status.unreachable(failure, self) from failure

    def _request(self, metadata: Mapping[str, str]) -> list[tuple[str, str]]:
        settings = self._settings
        request = [
            (":method", "POST"),
            (":scheme", settings.scheme),
            (":path", self.path),
            (":authority", self.peer),
            ("te", "trailers"),
            ("content-type", "application/grpc"),
            ("user-agent", USER_AGENT),
        ]
        remaining = self._remaining()
        if remaining is not None:
            request.append(("grpc-timeout", encode_timeout(remaining)))
        if self._headers:
            metadata = {**metadata, **self._headers}
        for name, value in metadata.items():
            if name in _RESERVED or name.startswith("grpc-") or not _NAME.fullmatch(name):
                raise InvalidCredential(
                    f"header name {name!r} is not allowed", method=self.path, about=self.about
                )
            if not _VALUE.fullmatch(value):
                raise InvalidCredential(
                    f"the value of header {name!r} is empty or not printable ASCII",
                    method=self.path,
                    about=self.about,
                )
            request.append((name, value))
        return request

    def _fail(self) -> float | None:
        self._failures += 1
        return self._settings.retry.delay(
            self._failures, remaining=self._remaining(), random=self._settings.random
        )

    def _remaining(self) -> float | None:
        return None if self._deadline is None else max(0.0, self._deadline - self._settings.clock())

    def _expire(self, timeout: float) -> None:
        self.interrupt.cancel(status.overdue(self, timeout))


def encode_timeout(seconds: float) -> str:
    """A ``grpc-timeout`` header: at most eight digits, as fine as they allow."""
    seconds = min(seconds, 10.0**8 - 1)
    for unit, scale in (("u", 10**6), ("m", 10**3)):
        number = int(seconds * scale)
        if number < 10**8:
            return f"{number}{unit}"
    return f"{int(seconds)}S"
