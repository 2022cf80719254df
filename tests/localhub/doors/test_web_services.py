"""Every service of the hub through gRPC-web, over a websocket and over POST, ends as it does through gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from urllib.parse import unquote

import pytest
from grpclib.const import Cardinality, Status

from tests.localhub.gateway.client import exchange, message
from tests.localhub.raw import METHODS, outcome
from tests.localhub.web import client
from tests.localhub.web.frames import Answer, framed
from textile_aio import AuthContext, Identity, connect
from textile_aio.localhub import HubSettings, LocalHub

UNARY = {path: kind for path, kind in METHODS.items() if kind.cardinality is Cardinality.UNARY_UNARY}
SERVICES = sorted({path.split("/")[1] for path in METHODS})
ONE_OF_EACH = {
    service: next(path for path in UNARY if path.startswith(f"/{service}/")) for service in SERVICES
}


@pytest.fixture
async def hub() -> AsyncIterator[LocalHub]:
    async with LocalHub.in_memory(HubSettings(web_port=0)) as opened:
        yield opened


async def headers_of_a_user(hub: LocalHub) -> Mapping[str, str]:
    key = await hub.create_key(await hub.create_account("owner"), secure=False)
    async with connect(hub.target) as hub_client:
        ctx = await hub_client.threads.authorize(AuthContext().with_api_key(key.key), Identity.generate())
    return await ctx.metadata()


async def by_post(target: str, path: str, headers: Mapping[str, str]) -> tuple[int, str]:
    body = framed(b"")
    fields = {"Content-Type": "application/grpc-web+proto", "Content-Length": str(len(body)), **headers}
    head, _, rest = (await exchange(target, message(path, method="POST", headers=fields) + body)).partition(
        b"\r\n\r\n"
    )
    lines = head.decode("latin-1").split("\r\n")
    assert lines[0].startswith("HTTP/1.1 200")
    said = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    if "grpc-status" in said:
        return int(said["grpc-status"]), unquote(said.get("grpc-message", ""))
    got = Answer(headers={})
    frames = _unchunked(rest) if said.get("transfer-encoding") == "chunked" else rest
    while frames:
        got.feed(frames)
        frames = b""
    if got.trailers is None:
        got.feed(b"")
    return got.status


def _unchunked(data: bytes) -> bytes:
    whole = b""
    while data:
        size, _, data = data.partition(b"\r\n")
        whole += data[: int(size, 16)]
        data = data[int(size, 16) + 2 :]
    return whole


def test_all_services_are_asked() -> None:
    assert len(SERVICES) == 8
    assert set(ONE_OF_EACH) == set(SERVICES)


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("who", ["nobody", "a user"])
async def test_a_service_is_served_by_every_door(hub: LocalHub, service: str, who: str) -> None:
    path = ONE_OF_EACH[service]
    headers = await headers_of_a_user(hub) if who == "a user" else {}
    expected = await outcome(hub.target, path, headers)
    code = Status[expected[0]].value
    assert hub.web_target is not None
    got = await client.call(hub.web_target, path, b"", metadata=headers)
    assert got.status[0] == code
    assert got.status[1] == expected[1]
    assert await by_post(hub.web_target, path, headers) == (code, expected[1])
