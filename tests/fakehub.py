"""A hub of handlers that a test writes: stock grpclib on a real socket, and our client connected to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from grpclib.const import Cardinality, Handler
from grpclib.encoding.base import CodecBase
from grpclib.server import Server, Stream

import textile_aio
from textile_aio import AuthContext, HubClient, ThreadID
from textile_aio._rpc.codec import MessageCodec
from textile_aio._rpc.method import Method
from textile_aio._rpc.retry import RetryPolicy

Handle = Callable[[Stream[Any, Any]], Awaitable[None]]

CTX = AuthContext().with_thread(ThreadID.random())


async def received(stream: Stream[Any, Any]) -> Any:
    """The next message of a call that has to have one."""
    message = await stream.recv_message()
    assert message is not None
    return message


class FakeHub:
    """Answers the calls it was given handlers for, and keeps the headers of each."""

    def __init__(self) -> None:
        self.handlers: dict[str, Handler] = {}
        self.metadata: list[dict[str, str]] = []
        self.called: list[str] = []

    def on(self, method: Method[Any, Any], handle: Handle) -> None:
        self.on_path(method.path, handle, method.request, method.reply)

    def on_path(self, path: str, handle: Handle, request: type[Any], reply: type[Any]) -> None:
        async def handler(stream: Stream[Any, Any]) -> None:
            self.called.append(path)
            self.metadata.append({name: str(value) for name, value in (stream.metadata or {}).items()})
            await handle(stream)

        # To the wire all calls are streams; with this cardinality a handler reads and writes as it likes.
        self.handlers[path] = Handler(handler, Cardinality.STREAM_STREAM, request, reply)

    def answer(self, method: Method[Any, Any], reply: object) -> list[Any]:
        """Answer a unary method; the list collects its requests."""
        requests: list[Any] = []

        async def handle(stream: Stream[Any, Any]) -> None:
            requests.append(await stream.recv_message())
            if isinstance(reply, Exception):
                raise reply
            await stream.send_message(reply)

        self.on(method, handle)
        return requests

    def __mapping__(self) -> dict[str, Handler]:
        return self.handlers


@asynccontextmanager
async def connected(fake: FakeHub, *, codec: CodecBase | None = None) -> AsyncIterator[HubClient]:
    """Serve, and connect a client that repeats nothing. Handlers have to be set before."""
    server = Server([fake], codec=codec or MessageCodec())
    await server.start("127.0.0.1", 0)
    assert server._server is not None
    port = server._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    try:
        async with textile_aio.connect(f"127.0.0.1:{port}", retry=RetryPolicy.none()) as hub:
            yield hub
    finally:
        server.close()
        await server.wait_closed()
