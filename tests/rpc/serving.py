"""A server of ours, and peers that speak to it frame by frame."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from h2.errors import ErrorCodes

from tests.rpc import wire
from tests.rpc.echo import Echo, Raw
from tests.rpc.wire import END_STREAM, GOAWAY, HEADERS, PREFACE
from textile_aio._rpc.grpc_channel import GrpcChannel
from textile_aio._rpc.limits import Limits
from textile_aio._rpc.listening import TlsSource
from textile_aio._rpc.server import GrpcServer


class Gate(Echo):
    """An echo that waits to be let through."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.open = asyncio.Event()
        self.cancelled = 0

    async def unary(self, stream: Any) -> None:
        message = await stream.recv_message()
        if message == b"wait":
            self.entered.set()
            try:
                await self.open.wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
        await stream.send_message(message)


@asynccontextmanager
async def serving(
    service: Any = None,
    *,
    limits: Limits | None = None,
    connections: int = 100,
    tls: TlsSource | None = None,
) -> AsyncIterator[GrpcServer]:
    server = GrpcServer([service or Gate()], codec=Raw(), limits=limits, connections=connections, fast=True)
    await server.start("127.0.0.1", 0, tls=tls)
    try:
        yield server
    finally:
        await server.shutdown(grace=0)


@asynccontextmanager
async def calling(server: GrpcServer) -> AsyncIterator[GrpcChannel]:
    channel = GrpcChannel("127.0.0.1", server.port, codec=Raw(), fast=True)
    try:
        yield channel
    finally:
        channel.close()


Frame = tuple[int, int, int, bytes]


async def answer(
    port: int, data: bytes, *, eof: bool = False, until: Callable[[list[Frame]], bool] = lambda frames: False
) -> list[Frame]:
    """All frames the server sends after `data`, until it closes or we have seen enough."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    if eof:
        writer.write_eof()
    frames: list[Frame] = []
    try:
        while not until(frames):
            head = await reader.readexactly(9)
            size, kind, flags = int.from_bytes(head[:3], "big"), head[3], head[4]
            frames.append((kind, flags, int.from_bytes(head[5:], "big"), await reader.readexactly(size)))
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()
    return frames


def ended(count: int) -> Callable[[list[Frame]], bool]:
    """Enough when `count` streams have ended."""
    return lambda frames: sum(flags & END_STREAM for kind, flags, _, _ in frames if kind == HEADERS) == count


def code_of(frames: list[Frame]) -> ErrorCodes | None:
    """The error code of the GOAWAY that ended a connection; None if there was none."""
    kind, _, _, payload = frames[-1]
    if kind != GOAWAY:
        return None
    return ErrorCodes(struct.unpack(">LL", payload[:8])[1])


def opening() -> bytes:
    return PREFACE + wire.settings()
