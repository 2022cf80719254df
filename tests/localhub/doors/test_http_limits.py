"""Hostile peers at the doors that speak HTTP: gRPC-web and the gateway."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.localhub.gateway.client import exchange, message
from tests.localhub.web.client import answer, opened
from tests.localhub.web.frames import END, flagged, framed, header_text
from textile_aio import errors
from textile_aio.localhub import DoorLimits, HubSettings, LocalHub

CHECK = "/grpc.health.v1.Health/Check"
WATCH = "/grpc.health.v1.Health/Watch"
HEALTH = message("/health")
KEPT = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
QUICK = DoorLimits(head_seconds=0.05)

Door = Callable[[LocalHub], str | None]
DOORS: dict[str, Door] = {"web": lambda hub: hub.web_target, "gateway": lambda hub: hub.gateway_target}


@asynccontextmanager
async def serving(limits: DoorLimits, **more: Any) -> AsyncIterator[LocalHub]:
    settings = HubSettings(mode="buckd", web_port=0, gateway_port=0, limits=limits, **more)
    async with LocalHub.in_memory(settings) as hub:
        yield hub


def at(hub: LocalHub, door: str) -> str:
    target = DOORS[door](hub)
    assert target is not None
    return target


async def connected(target: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = target.rpartition(":")
    return await asyncio.open_connection(host, int(port))


async def rest(reader: asyncio.StreamReader) -> bytes:
    """What comes until the connection ends, in whatever way."""
    data = b""
    try:
        while piece := await reader.read(65_536):
            data += piece
    except ConnectionError:
        pass
    return data


async def trickle(writer: asyncio.StreamWriter, data: bytes) -> None:
    """A little more, as soon as others have had their turn."""
    writer.write(data)
    await asyncio.sleep(0)
    await writer.drain()


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    "data", [b"", b"GET", b"GET /health HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nA: b"]
)
async def test_a_head_that_does_not_come_to_its_end_is_cut_off(door: str, data: bytes) -> None:
    async with serving(QUICK) as hub:
        reader, writer = await connected(at(hub, door))
        writer.write(data)
        assert await rest(reader) == b""
        writer.close()
        assert (await exchange(at(hub, door), HEALTH)).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("door", DOORS)
async def test_a_head_that_trickles_gets_no_more_time(door: str) -> None:
    async with serving(QUICK) as hub:
        _, writer = await connected(at(hub, door))
        writer.write(b"GET /health HTTP/1.1\r\nHost: x\r\n")
        with pytest.raises(ConnectionError):
            while True:
                await trickle(writer, b"A: b\r\n")
        assert (await exchange(at(hub, door), HEALTH)).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("door", DOORS)
async def test_so_does_the_second_head_of_a_connection_and_the_rest_of_an_answered_request(door: str) -> None:
    unread = b"GET /health HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n"
    async with serving(QUICK) as hub:
        for begin, more in ((KEPT + b"GET", b"x"), (unread, b"x")):
            reader, writer = await connected(at(hub, door))
            writer.write(begin)
            assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 200")
            with pytest.raises(ConnectionError):
                while True:
                    await trickle(writer, more)


@pytest.mark.parametrize("door", DOORS)
async def test_a_connection_is_kept_for_so_long_and_used_again_until_then(door: str) -> None:
    async with serving(DoorLimits(idle_seconds=0.3)) as hub:
        reader, writer = await connected(at(hub, door))
        for _ in range(3):
            writer.write(KEPT)
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        assert b"HTTP" not in await rest(reader)
        writer.close()


@pytest.mark.parametrize("door", DOORS)
async def test_a_connection_may_be_kept_for_ever(door: str) -> None:
    async with serving(DoorLimits(idle_seconds=math.inf)) as hub:
        reader, writer = await connected(at(hub, door))
        for _ in range(2):
            writer.write(KEPT)
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        writer.close()


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("spread", [True, False])
async def test_heads_may_be_so_large(door: str, spread: bool) -> None:
    limit = 4096
    async with serving(DoorLimits(headers=limit)) as hub:
        for size, status in ((limit - 200, b"200"), (limit + 10, b"400"), (200_000, b"400")):
            data = message("/health", headers={"a": "b" * size})
            reader, writer = await connected(at(hub, door))
            step = 1000 if spread else len(data)
            try:
                for start in range(0, len(data), step):
                    writer.write(data[start : start + step])
                    await writer.drain()
                said = await reader.readuntil(b"\r\n")
            except (ConnectionError, asyncio.IncompleteReadError):
                assert status == b"400"
            else:
                assert said.split()[1] == status
            writer.close()


@pytest.mark.parametrize("door", DOORS)
async def test_a_connection_over_the_limit_is_reset_and_the_others_go_on(door: str) -> None:
    async with serving(DoorLimits(connections=3)) as hub:
        kept = [await connected(at(hub, door)) for _ in range(3)]
        for reader, writer in kept:
            writer.write(KEPT)
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        for _ in range(5):
            with pytest.raises(ConnectionError):
                assert not await exchange(at(hub, door), HEALTH)
                raise ConnectionResetError
        for reader, writer in kept:
            writer.write(KEPT)
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
            writer.close()
            await writer.wait_closed()
        while True:
            try:
                if (await exchange(at(hub, door), HEALTH)).startswith(b"HTTP/1.1 200"):
                    break
            except ConnectionError:
                continue


async def test_websockets_count_as_connections() -> None:
    async with serving(DoorLimits(connections=3)) as hub, AsyncExitStack() as stack:
        target = at(hub, "web")
        sockets = [await stack.enter_async_context(opened(target, WATCH)) for _ in range(3)]
        for websocket in sockets:
            for data in (header_text(), flagged(b""), END):
                await websocket.send(data)
            assert (await websocket.recv(decode=False))[0] == 0x80
        with pytest.raises(ConnectionError):
            assert not await exchange(target, HEALTH)
            raise ConnectionResetError


async def test_a_websocket_without_headers_is_told_so() -> None:
    async with serving(QUICK) as hub, opened(at(hub, "web"), CHECK) as websocket:
        got = await answer(websocket)
        assert got.status == (4, "no request headers within 0.05 s of its opening")


async def test_a_websocket_that_has_sent_its_headers_may_take_its_time() -> None:
    async with serving(QUICK) as hub, opened(at(hub, "web"), CHECK) as websocket:
        await websocket.send(header_text())
        # Others are cut off meanwhile, several times over.
        for _ in range(3):
            reader, writer = await connected(at(hub, "web"))
            assert await rest(reader) == b""
            writer.close()
        for data in (flagged(b""), END):
            await websocket.send(data)
        assert (await answer(websocket)).status == (0, "")


async def test_header_text_on_a_websocket_may_be_so_large() -> None:
    async with serving(DoorLimits(headers=4096)) as hub, opened(at(hub, "web"), CHECK) as websocket:
        await websocket.send(header_text({"a": "b" * 5000}))
        got = await answer(websocket)
        assert got.status[0] == 8
        assert "at most 4096 are read" in got.status[1]


async def test_messages_may_be_so_large() -> None:
    async with serving(DoorLimits(message=1000)) as hub:
        target = at(hub, "web")
        async with opened(target, CHECK) as websocket:
            for data in (header_text(), flagged(bytes(1001)), END):
                await websocket.send(data)
            got = await answer(websocket)
            assert got.status == (8, "grpc: received message larger than max (1001 vs. 1000)")
        async with opened(target, CHECK) as websocket:
            await websocket.send(header_text())
            with pytest.raises(ConnectionClosed):
                await websocket.send(flagged(bytes(5000)))
                await websocket.recv()
            assert websocket.close_code == 1009
        body = framed(bytes(1001))
        head = {"Content-Type": "application/grpc-web+proto", "Content-Length": str(len(body))}
        said = await exchange(target, message(CHECK, method="POST", headers=head) + body)
        assert b"grpc-status: 8" in said


async def test_pages_of_other_origins_may_not_read_the_gateway_where_only_some_may() -> None:
    async with serving(DoorLimits(), gateway_origins=("https://app.example",)) as hub:
        for origin, allowed in (("https://app.example", True), ("https://elsewhere.example", False)):
            data = message("/health", headers={"Origin": origin})
            head = (await exchange(at(hub, "gateway"), data)).lower()
            assert (f"access-control-allow-origin: {origin}".encode() in head) is allowed
    async with serving(DoorLimits()) as hub:
        data = message("/health", headers={"Origin": "https://elsewhere.example"})
        assert b"access-control-allow-origin: *" in (await exchange(at(hub, "gateway"), data)).lower()


@pytest.mark.parametrize("name", DoorLimits.__dataclass_fields__)
def test_limits_are_above_nothing(name: str) -> None:
    for number in (0, -1, math.nan):
        with pytest.raises(errors.InvalidInput, match=f"{name} is .*; it must be above 0"):
            replace(DoorLimits(), **{name: number})  # type: ignore[arg-type]


async def test_limits_of_the_grpc_door_are_announced() -> None:
    limits = DoorLimits(streams=7, headers=5000)
    async with serving(limits) as hub:
        reader, writer = await connected(hub.target)
        head = await reader.readexactly(9)
        payload = await reader.readexactly(int.from_bytes(head[:3], "big"))
        pairs = [payload[start : start + 6] for start in range(0, len(payload), 6)]
        values = {int.from_bytes(pair[:2], "big"): int.from_bytes(pair[2:], "big") for pair in pairs}
        assert (values[3], values[6]) == (7, 5000)
        writer.close()
