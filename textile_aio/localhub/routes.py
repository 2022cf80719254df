"""From calls to service handlers: authentication, ownership, then the handler.

Owns the order of these steps and the way an error becomes a status. The services' names, messages and
kinds of call come from the generated base classes; what a service does not handle answers
UNIMPLEMENTED, after the same checks as everything else.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import grpclib
from grpclib.const import Cardinality, Handler, Status
from grpclib.server import Stream

from textile_aio._rpc.handler import unknown_method
from textile_aio.errors import StatusCode, TextileError, Unimplemented
from textile_aio.localhub.access.caller import Caller
from textile_aio.localhub.call import Call, Exchange
from textile_aio.storage.blocks import BlockMissing
from textile_aio.storage.store import StoreFull
from textile_aio.storage.values import TrackedThread

log: logging.Logger = logging.getLogger("textile_aio.localhub")

Method = Callable[..., Awaitable[Any]]


class Gatekeeper(Protocol):
    """Decides who calls and whether the call may go on."""

    async def recognise(self, method: str, headers: Mapping[str, str], address: str) -> Caller:
        """Who calls ``method`` from an address, by the headers alone."""
        ...

    def during(self, caller: Caller) -> AbstractAsyncContextManager[None]:
        """Ends the call early, with a refusal, when its caller may not go on."""
        ...

    async def check(self, method: str, caller: Caller, request: Any | None) -> TrackedThread | None:
        """Whether the call may go on, once a unary request has been read."""
        ...


@dataclass(frozen=True, slots=True)
class Service:
    """A generated service and what we do for it.

    Attributes:
        base: The generated base class, the source of names and messages.
        handlers: Handlers by full method name. A unary one is called with ``(call, request)`` and
            returns the reply; one that streams replies with ``(call, request, exchange)``; one that
            streams both ways with ``(call, exchange)``.
    """

    base: type
    handlers: Mapping[str, Method]

    @property
    def name(self) -> str:
        """Full name, ``package.Service``."""
        path = next(iter(self.base().__mapping__()))
        return str(path).split("/")[1]


@dataclass(frozen=True, slots=True)
class Route:
    """One method, as both doors serve it.

    Attributes:
        path: Full name, ``/package.Service/Method``.
        cardinality: Which sides stream.
        request_type: Class of the client's messages.
        reply_type: Class of the hub's messages.
        handler: What answers; see :class:`Service`.
    """

    path: str
    cardinality: Cardinality
    request_type: type[Any]
    reply_type: type[Any]
    handler: Method


class Routes:
    """All services behind one gatekeeper, for every door of the hub."""

    def __init__(self, services: Iterable[Service], gatekeeper: Gatekeeper) -> None:
        self._gatekeeper = gatekeeper
        self._routes: dict[str, Route] = {}
        for service in services:
            generated: dict[str, Handler] = service.base().__mapping__()
            unknown = set(service.handlers) - set(generated)
            if unknown:
                raise ValueError(f"{service.base.__name__} has no {sorted(unknown)}")
            for path, kind in generated.items():
                handler = service.handlers.get(path, _unimplemented)
                self._routes[path] = Route(
                    path, kind.cardinality, kind.request_type, kind.reply_type, handler
                )

    def __mapping__(self) -> dict[str, Handler]:
        """The form that grpclib serves."""
        return {
            route.path: Handler(
                self._through_grpc(route), route.cardinality, route.request_type, route.reply_type
            )
            for route in self._routes.values()
        }

    def find(self, path: str) -> Route:
        """The method that a path names.

        Raises:
            grpclib.GRPCError: None, with what grpc-go says then (UNIMPLEMENTED).
        """
        route = self._routes.get(path)
        if route is None:
            raise grpclib.GRPCError(Status.UNIMPLEMENTED, unknown_method(path, self._routes))
        return route

    async def dispatch(self, route: Route, headers: Mapping[str, str], exchange: Exchange) -> None:
        """Serve one call, whichever door it came through, up to its trailers.

        Args:
            route: What :meth:`find` returned.
            headers: Request metadata: lower-case names, first values only, nothing binary.
            exchange: The call's messages. What its methods raise as ``StreamTerminatedError`` is the
                client's doing and is passed on without a word.

        Raises:
            grpclib.GRPCError: The status to end the call with, unless that is OK.
        """
        try:
            await self._serve(route, headers, exchange)
        except TextileError as error:
            raise grpclib.GRPCError(Status(error.code or StatusCode.UNKNOWN), error.message) from error
        except (grpclib.GRPCError, grpclib.exceptions.StreamTerminatedError):
            raise
        except StoreFull as error:
            log.error("%s failed: %s", route.path, error)  # noqa: TRY400
            raise grpclib.GRPCError(
                Status.RESOURCE_EXHAUSTED, "the hub's disk is full; nothing was changed"
            ) from error
        except BlockMissing as error:
            log.error("%s failed: %s", route.path, error)  # noqa: TRY400
            raise grpclib.GRPCError(Status.DATA_LOSS, str(error)) from error
        except Exception as error:
            log.exception("%s failed", route.path)
            raise grpclib.GRPCError(
                Status.INTERNAL, "internal error; the hub's log has the details"
            ) from error

    async def _serve(self, route: Route, headers: Mapping[str, str], exchange: Exchange) -> None:
        path = route.path
        caller = await self._gatekeeper.recognise(path, headers, exchange.address)
        async with self._gatekeeper.during(caller):
            await self._let_in(route, headers, caller, exchange)

    async def _let_in(
        self, route: Route, headers: Mapping[str, str], caller: Caller, exchange: Exchange
    ) -> None:
        path = route.path
        if route.cardinality.client_streaming:
            await self._gatekeeper.check(path, caller, None)
            await route.handler(Call(path, headers, caller), exchange)
            return
        request = await exchange.recv()
        if request is None:
            raise grpclib.GRPCError(Status.INTERNAL, "the call carried no request message")
        if route.cardinality is Cardinality.UNARY_STREAM:
            await self._gatekeeper.check(path, caller, None)
            await route.handler(Call(path, headers, caller), request, exchange)
            return
        claim = await self._gatekeeper.check(path, caller, request)
        await exchange.send(await route.handler(Call(path, headers, caller, claim), request))

    def _through_grpc(self, route: Route) -> Callable[[Stream[Any, Any]], Awaitable[None]]:
        async def serve(stream: Stream[Any, Any]) -> None:
            await self.dispatch(route, first_values(stream.metadata or {}), GrpcExchange(stream))

        return serve


class GrpcExchange:
    """The messages of a call that came in through gRPC. See :class:`~textile_aio.localhub.call.Exchange`."""

    __slots__ = ("_stream",)

    def __init__(self, stream: Stream[Any, Any]) -> None:
        self._stream = stream

    @property
    def address(self) -> str:
        """The client's."""
        peer = self._stream.peer
        address = None if peer is None else peer.addr()
        return str(address[0]) if isinstance(address, tuple) else ""

    async def recv(self) -> Any | None:
        """The next message, or None."""
        return await self._stream.recv_message()

    async def begin(self, headers: Mapping[str, str]) -> None:
        """Send the response headers."""
        await self._stream.send_initial_metadata(metadata=headers)

    async def send(self, message: Any) -> None:
        """Send a message."""
        await self._stream.send_message(message)


def first_values(metadata: Any) -> dict[str, str]:
    """The first value of each header; binary headers are none of ours."""
    headers: dict[str, str] = {}
    for name, value in metadata.items():
        if isinstance(value, str):
            headers.setdefault(name, value)
    return headers


async def _unimplemented(call: Call, *_: Any) -> None:
    raise Unimplemented(f"{call.method} is not served by this hub yet", code=StatusCode.UNIMPLEMENTED)
