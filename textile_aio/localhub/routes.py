"""From gRPC calls to service handlers: authentication, ownership, then the handler.

Owns the order of these steps and the way an error becomes a status. The services' names, messages and
kinds of call come from the generated base classes; what a service does not handle answers
UNIMPLEMENTED, after the same checks as everything else.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import grpclib
from grpclib.const import Cardinality, Handler, Status
from grpclib.server import Stream

from textile_aio.errors import StatusCode, TextileError, Unimplemented
from textile_aio.localhub.access.caller import Caller
from textile_aio.localhub.call import Call
from textile_aio.storage.blocks import BlockMissing
from textile_aio.storage.store import StoreFull
from textile_aio.storage.values import TrackedThread

log: logging.Logger = logging.getLogger("textile_aio.localhub")

Method = Callable[..., Awaitable[Any]]


class Gatekeeper(Protocol):
    """Decides who calls and whether the call may go on."""

    async def recognise(self, method: str, headers: Mapping[str, str]) -> Caller:
        """Who calls, by the headers alone."""
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


class Routes:
    """All services behind one gatekeeper, in the form that grpclib serves."""

    def __init__(self, services: Iterable[Service], gatekeeper: Gatekeeper) -> None:
        self._gatekeeper = gatekeeper
        self._mapping: dict[str, Handler] = {}
        for service in services:
            generated: dict[str, Handler] = service.base().__mapping__()
            unknown = set(service.handlers) - set(generated)
            if unknown:
                raise ValueError(f"{service.base.__name__} has no {sorted(unknown)}")
            for path, kind in generated.items():
                handler = service.handlers.get(path, _unimplemented)
                self._mapping[path] = kind._replace(func=self._bind(path, kind.cardinality, handler))

    def __mapping__(self) -> dict[str, Handler]:
        return self._mapping

    def _bind(
        self, path: str, cardinality: Cardinality, handler: Method
    ) -> Callable[[Stream[Any, Any]], Awaitable[None]]:
        async def serve(stream: Stream[Any, Any]) -> None:
            try:
                await self._serve(path, cardinality, handler, stream)
            except TextileError as error:
                raise grpclib.GRPCError(Status(error.code or StatusCode.UNKNOWN), error.message) from error
            except (grpclib.GRPCError, grpclib.exceptions.StreamTerminatedError):
                raise
            except StoreFull as error:
                log.error("%s failed: %s", path, error)  # noqa: TRY400
                raise grpclib.GRPCError(
                    Status.RESOURCE_EXHAUSTED, "the hub's disk is full; nothing was changed"
                ) from error
            except BlockMissing as error:
                log.error("%s failed: %s", path, error)  # noqa: TRY400
                raise grpclib.GRPCError(Status.DATA_LOSS, str(error)) from error
            except Exception as error:
                log.exception("%s failed", path)
                raise grpclib.GRPCError(
                    Status.INTERNAL, "internal error; the hub's log has the details"
                ) from error

        return serve

    async def _serve(
        self, path: str, cardinality: Cardinality, handler: Method, stream: Stream[Any, Any]
    ) -> None:
        headers = first_values(stream.metadata or {})
        caller = await self._gatekeeper.recognise(path, headers)
        if cardinality.client_streaming:
            await self._gatekeeper.check(path, caller, None)
            await handler(Call(path, headers, caller), GrpcExchange(stream))
            return
        request = await stream.recv_message()
        if request is None:
            raise grpclib.GRPCError(Status.INTERNAL, "the call carried no request message")
        if cardinality is Cardinality.UNARY_STREAM:
            await self._gatekeeper.check(path, caller, None)
            await handler(Call(path, headers, caller), request, GrpcExchange(stream))
            return
        claim = await self._gatekeeper.check(path, caller, request)
        await stream.send_message(await handler(Call(path, headers, caller, claim), request))


class GrpcExchange:
    """The messages of a streaming call that came in through gRPC."""

    __slots__ = ("_stream",)

    def __init__(self, stream: Stream[Any, Any]) -> None:
        self._stream = stream

    async def recv(self) -> Any | None:
        """See :class:`~textile_aio.localhub.call.Exchange`."""
        return await self._stream.recv_message()

    async def send(self, message: Any) -> None:
        """See :class:`~textile_aio.localhub.call.Exchange`."""
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
