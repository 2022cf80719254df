"""``grpc.health.v1.Health``: whether the hub serves, as load balancers and supervisors ask it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress

from textile_aio._proto.grpc.health import v1 as pb
from textile_aio.errors import NotFound, StatusCode, Unavailable
from textile_aio.localhub.call import Call, Exchange
from textile_aio.localhub.routes import Service

_PREFIX = "/grpc.health.v1.Health/"
_SERVING = pb.HealthCheckResponseServingStatus.SERVING
_NOT_SERVING = pb.HealthCheckResponseServingStatus.NOT_SERVING
_FAREWELL = 0.2
"""Seconds that watchers get to hear that the hub is closing, before its doors do."""
_UNKNOWN = pb.HealthCheckResponseServingStatus.SERVICE_UNKNOWN


class Health:
    """The health of the hub and of each of its services, which is the same: it serves until it closes.

    Args:
        services: The other services. One that only says that it does nothing is not served.
    """

    def __init__(self, services: Iterable[Service]) -> None:
        self._closing = asyncio.Event()
        self._watchers = 0
        self._unwatched = asyncio.Event()
        self._unwatched.set()
        served = {service.name for service in services if service.handlers}
        self._names = served | {"", self.service().name}

    def service(self) -> Service:
        """The health service."""
        return Service(pb.HealthBase, {_PREFIX + "Check": self._check, _PREFIX + "Watch": self._watch})

    async def close(self) -> None:
        """The hub is closing: all who watch are told so, and watch no more."""
        self._closing.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(_FAREWELL):
                await self._unwatched.wait()

    async def _check(self, call: Call, request: pb.HealthCheckRequest) -> pb.HealthCheckResponse:
        if request.service not in self._names:
            raise NotFound("unknown service", code=StatusCode.NOT_FOUND, about=request.service)
        return self._status(request.service)

    async def _watch(self, call: Call, request: pb.HealthCheckRequest, exchange: Exchange) -> None:
        self._watchers += 1
        self._unwatched.clear()
        try:
            await exchange.send(self._status(request.service))
            if not self._closing.is_set():
                await self._closing.wait()
                if request.service in self._names:
                    await exchange.send(self._status(request.service))
        finally:
            self._watchers -= 1
            if not self._watchers:
                self._unwatched.set()
        # Watchers are not among the calls that a closing hub waits for.
        raise Unavailable("the hub is closing", code=StatusCode.UNAVAILABLE)

    def _status(self, name: str) -> pb.HealthCheckResponse:
        if name not in self._names:
            return pb.HealthCheckResponse(status=_UNKNOWN)
        return pb.HealthCheckResponse(status=_NOT_SERVING if self._closing.is_set() else _SERVING)
