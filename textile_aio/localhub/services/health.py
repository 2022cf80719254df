"""``grpc.health.v1.Health``: whether the hub serves."""

from __future__ import annotations

from textile_aio._proto.grpc.health import v1 as pb
from textile_aio.errors import NotFound, StatusCode
from textile_aio.localhub.call import Call
from textile_aio.localhub.routes import Service


def service() -> Service:
    """The health service. Only ``Check`` of the whole server is known, as upstream has it."""
    return Service(pb.HealthBase, {"/grpc.health.v1.Health/Check": _check})


async def _check(call: Call, request: pb.HealthCheckRequest) -> pb.HealthCheckResponse:
    if request.service:
        raise NotFound("unknown service", code=StatusCode.NOT_FOUND, about=request.service)
    return pb.HealthCheckResponse(status=pb.HealthCheckResponseServingStatus.SERVING)
