"""A small gRPC service of bytes for the tests of calls, and what its handlers lived through."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from grpclib.const import Cardinality, Handler, Status
from grpclib.encoding.base import CodecBase
from grpclib.exceptions import GRPCError
from grpclib.server import Server, Stream

from textile_aio._rpc.channel import Channel
from textile_aio._rpc.connection import Link
from textile_aio._rpc.method import Method
from textile_aio._rpc.retry import RetryPolicy
from textile_aio._rpc.target import Target


class BytesCodec(CodecBase):
    """Messages are their bytes."""

    __content_subtype__ = "proto"

    def encode(self, message: Any, message_type: Any) -> bytes:
        return bytes(message)

    def decode(self, data: bytes, message_type: Any) -> bytes:
        if bytes(data) == b"undecodable":
            raise ValueError("not a message")
        return bytes(data)


def method(name: str, *, safe: bool = False) -> Method[bytes, bytes]:
    return Method(f"/test.Service/{name}", bytes, bytes, safe=safe)


ECHO = method("Echo", safe=True)
COUNT_UNSAFE = method("Count")
COUNT_SAFE = method("Count", safe=True)
REFUSE = method("Refuse")
HANG = method("Hang")
CHAT = method("Chat")
SUM = method("Sum")
RANGE = method("Range")
REFUSE_MIDWAY = method("RefuseMidway")
FINISH_EARLY = method("FinishEarly")
LISTEN = method("Listen")
MISSING = method("Missing")
GARBLE = method("Garble")


class Service:
    """Handlers, and what happened to them."""

    def __init__(self) -> None:
        self.calls = 0
        self.metadata: list[dict[str, Any]] = []
        self.deadlines: list[float | None] = []
        self.started = asyncio.Event()
        self.noticed = asyncio.Event()  # a handler was cancelled
        self.go_on = asyncio.Event()
        self.received: list[bytes] = []
        self.status = Status.UNAVAILABLE
        self.message = "not now"
        self.fail_first = 0

    def _seen(self, stream: Stream[bytes, bytes]) -> None:
        self.calls += 1
        self.metadata.append(dict(stream.metadata or {}))
        self.deadlines.append(stream.deadline.time_remaining() if stream.deadline else None)
        self.started.set()

    async def echo(self, stream: Stream[bytes, bytes]) -> None:
        self._seen(stream)
        message = await stream.recv_message()
        assert message is not None
        await stream.send_message(message)

    async def count(self, stream: Stream[bytes, bytes]) -> None:
        self._seen(stream)
        await stream.recv_message()
        if self.calls <= self.fail_first:
            raise GRPCError(self.status, self.message)
        await stream.send_message(str(self.calls).encode())

    async def garble(self, stream: Stream[bytes, bytes]) -> None:
        self._seen(stream)
        await stream.send_message(b"undecodable")

    async def refuse(self, stream: Stream[bytes, bytes]) -> None:
        self._seen(stream)
        raise GRPCError(self.status, self.message)

    async def hang(self, stream: Stream[bytes, bytes]) -> None:
        self._seen(stream)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.noticed.set()
            raise

    async def chat(self, stream: Stream[bytes, bytes]) -> None:
        self._seen(stream)
        try:
            async for message in stream:
                self.received.append(message)
                await stream.send_message(b"got " + message)
        except asyncio.CancelledError:
            self.noticed.set()
            raise

    async def sum(self, stream: Stream[bytes, bytes]) -> None:
        self._seen(stream)
        total = 0
        async for message in stream:
            total += len(message)
        await stream.send_message(str(total).encode())

    async def range(self, stream: Stream[bytes, bytes]) -> None:
        self._seen(stream)
        request = await stream.recv_message()
        assert request is not None
        for number in range(int(request)):
            await stream.send_message(str(number).encode())

    async def refuse_midway(self, stream: Stream[bytes, bytes]) -> None:
        self._seen(stream)
        await stream.recv_message()
        await stream.send_message(b"so far so good")
        await self.go_on.wait()
        raise GRPCError(Status.PERMISSION_DENIED, "enough")

    async def finish_early(self, stream: Stream[bytes, bytes]) -> None:
        self._seen(stream)
        await stream.recv_message()
        await stream.send_message(b"one")
        await stream.send_message(b"two")

    async def listen(self, stream: Stream[bytes, bytes]) -> None:
        self._seen(stream)
        await stream.recv_message()
        try:
            await stream.send_message(b"first")
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.noticed.set()
            raise

    def __mapping__(self) -> dict[str, Handler]:
        streaming = {"Chat", "Sum", "RefuseMidway", "FinishEarly"}
        handlers = {
            "Echo": self.echo,
            "Count": self.count,
            "Refuse": self.refuse,
            "Garble": self.garble,
            "Hang": self.hang,
            "Chat": self.chat,
            "Sum": self.sum,
            "Range": self.range,
            "RefuseMidway": self.refuse_midway,
            "FinishEarly": self.finish_early,
            "Listen": self.listen,
        }
        return {
            f"/test.Service/{name}": Handler(
                handler,
                Cardinality.STREAM_STREAM if name in streaming else Cardinality.UNARY_STREAM,
                bytes,
                bytes,
            )
            for name, handler in handlers.items()
        }


class Anonymous:
    """A context without credentials, or with given headers."""

    def __init__(self, **headers: str) -> None:
        self.headers = headers
        self.asked = 0

    async def metadata(self) -> dict[str, str]:
        self.asked += 1
        return dict(self.headers)


CTX = Anonymous()


def port_of(server: Server) -> int:
    """The port a server of grpclib listens on."""
    assert isinstance(server._server, asyncio.Server)
    port: int = server._server.sockets[0].getsockname()[1]
    return port


@asynccontextmanager
async def serving(service: Service, *, port: int = 0) -> AsyncIterator[int]:
    """The service on a loopback port, stopped with its connections at the end."""
    server = Server([service], codec=BytesCodec())
    await server.start("127.0.0.1", port)
    try:
        yield port_of(server)
    finally:
        server.close()
        await server.wait_closed()


def channel(port: int, **options: Any) -> Channel:
    """A channel to a loopback port that fails at once unless told to retry."""
    options.setdefault("retry", RetryPolicy.none())
    return Channel(Target("127.0.0.1", port), codec=BytesCodec(), **options)


def live_link(ch: Channel) -> Link:
    """The connection under a channel that has one."""
    assert ch._settings is not None
    link = ch._settings.connector.current()
    assert link is not None
    return link
