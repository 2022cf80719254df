"""``grpc.health.v1`` as load balancers ask it: without credentials, of the hub and of each service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hpack import Encoder

from tests.localhub.raw import METHODS, OK, outcome
from tests.localhub.web.frames import framed
from tests.rpc import wire
from tests.rpc.service import CTX
from textile_aio import errors
from textile_aio._proto.grpc.health import v1 as pb
from textile_aio._rpc.channel import Channel
from textile_aio._rpc.method import Method
from textile_aio._rpc.target import Target
from textile_aio.localhub import HubSettings, LocalHub
from textile_aio.localhub.settings import Mode

CHECK, WATCH = "/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch"
WATCHED = Method(WATCH, pb.HealthCheckRequest, pb.HealthCheckResponse)
SERVING = pb.HealthCheckResponseServingStatus.SERVING
NOT_SERVING = pb.HealthCheckResponseServingStatus.NOT_SERVING
SERVICE_UNKNOWN = pb.HealthCheckResponseServingStatus.SERVICE_UNKNOWN

EVERYWHERE = [
    "",
    "grpc.health.v1.Health",
    "threads.pb.API",
    "threads.net.pb.API",
    "api.bucketsd.pb.APIService",
    "textile_aio.buckets.pb.Extensions",
]
ACCOUNTS = ["api.hubd.pb.APIService", "api.usersd.pb.APIService"]


def asked(service: str) -> pb.HealthCheckRequest:
    return pb.HealthCheckRequest(service=service)


async def watched(hub: LocalHub, service: str, heard: asyncio.Queue[Any]) -> None:
    """Put what a watcher hears into a queue, to the code that ends it."""
    async with Channel(Target.parse(hub.target)) as channel:
        try:
            async with channel.stream(WATCHED, CTX, request=asked(service)) as stream:
                async for reply in stream:
                    heard.put_nowait(reply.status)
        except errors.TextileError as error:
            heard.put_nowait(error.code)


@pytest.fixture(params=["hub", "buckd"])
async def hub(request: pytest.FixtureRequest) -> AsyncIterator[LocalHub]:
    mode: Mode = request.param
    async with LocalHub.in_memory(HubSettings(mode=mode)) as opened:
        yield opened


async def test_each_service_that_is_served_says_so_to_anybody(hub: LocalHub) -> None:
    for name in EVERYWHERE + (ACCOUNTS if hub.settings.mode == "hub" else []):
        for headers in ({}, {"authorization": "bearer nonsense", "x-textile-session": "wrong"}):
            assert await outcome(hub.target, CHECK, headers, asked(name)) == OK


async def test_what_is_not_served_is_not_found(hub: LocalHub) -> None:
    names = ["no.Such", "threads.pb", "threads.pb.API/Find", "\u00e9", "grpc.reflection.v1.ServerReflection"]
    for name in names + (ACCOUNTS if hub.settings.mode == "buckd" else []):
        assert await outcome(hub.target, CHECK, {}, asked(name)) == ("NOT_FOUND", "unknown service")


async def test_watchers_hear_at_once_and_when_the_hub_closes() -> None:
    heard: dict[str, asyncio.Queue[Any]] = {name: asyncio.Queue() for name in ("", "threads.pb.API", "x")}
    hub = await LocalHub.in_memory(HubSettings(mode="buckd", grace=60)).__aenter__()
    async with asyncio.TaskGroup() as group:
        for name, queue in heard.items():
            group.create_task(watched(hub, name, queue))
        assert [await queue.get() for queue in heard.values()] == [SERVING, SERVING, SERVICE_UNKNOWN]
        async with asyncio.timeout(30):  # long before the grace for calls in flight is over
            await hub.__aexit__(None, None, None)
    assert [await heard[name].get() for name in ("", "threads.pb.API")] == [NOT_SERVING, NOT_SERVING]
    assert [queue.get_nowait() for queue in heard.values()] == [errors.StatusCode.UNAVAILABLE] * 3


async def test_watchers_that_do_not_listen_do_not_keep_a_hub() -> None:
    hub = await LocalHub.in_memory(HubSettings(mode="buckd", grace=0)).__aenter__()
    _, writer = await asyncio.open_connection("127.0.0.1", int(hub.target.rpartition(":")[2]))
    head = wire.request(Encoder(), WATCH)
    writer.write(wire.PREFACE + wire.settings({4: 0}))  # no window for an answer
    writer.write(wire.frame(wire.HEADERS, wire.END_HEADERS, 1, head))
    writer.write(wire.frame(wire.DATA, wire.END_STREAM, 1, framed(b"")))
    assert await outcome(hub.target, CHECK, {}, asked("")) == OK
    async with asyncio.timeout(30):
        await hub.__aexit__(None, None, None)
    writer.close()


async def test_a_watcher_that_leaves_leaves_nothing(hub: LocalHub) -> None:
    async with Channel(Target.parse(hub.target)) as channel:
        for _ in range(20):
            async with channel.stream(WATCHED, CTX, request=asked("")) as stream:
                assert (await stream.recv()) == pb.HealthCheckResponse(status=SERVING)
    assert await outcome(hub.target, CHECK, {}, asked("")) == OK


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
async def test_nobody_is_told_what_services_there_are(hub: LocalHub, version: str) -> None:
    service = f"grpc.reflection.{version}.ServerReflection"
    method = Method(f"/{service}/ServerReflectionInfo", pb.HealthCheckRequest, pb.HealthCheckResponse)
    async with Channel(Target.parse(hub.target)) as channel:
        with pytest.raises(errors.Unimplemented, match=f"unknown service {service}"):
            async with channel.stream(method, CTX, request=asked("")) as stream:
                await stream.recv()


def test_reflection_is_not_among_the_services() -> None:
    assert not [path for path in METHODS if "eflection" in path]
