"""A server that does exactly what a test scripts: raw bytes, or HTTP/2 frames through h2."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ConnectionTerminated, DataReceived, RequestReceived, StreamReset

Script = Callable[["Peer", int], Awaitable[None] | None]
GRPC_HEADERS = [(":status", "200"), ("content-type", "application/grpc")]


def framed(body: bytes) -> bytes:
    return b"\0" + len(body).to_bytes(4, "big") + body


class Peer:
    """One connection of a scripted server."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.h2 = H2Connection(
            H2Configuration(client_side=False, header_encoding="latin-1", validate_outbound_headers=False)
        )
        self.resets: list[int] = []

    def headers(self, stream: int, *more: tuple[str, str], end: bool = False) -> None:
        self.h2.send_headers(stream, [*GRPC_HEADERS, *more], end_stream=end)
        self.flush()

    def data(self, stream: int, body: bytes, *, end: bool = False) -> None:
        self.h2.send_data(stream, body, end_stream=end)
        self.flush()

    def trailers(self, stream: int, *fields: tuple[str | bytes, str | bytes]) -> None:
        self.h2.send_headers(stream, list(fields), end_stream=True)
        self.flush()

    def answer(self, stream: int, body: bytes) -> None:
        self.headers(stream)
        self.data(stream, framed(body))
        self.trailers(stream, ("grpc-status", "0"))

    def reset(self, stream: int, code: int) -> None:
        self.h2.reset_stream(stream, error_code=code)
        self.flush()

    def raw(self, data: bytes) -> None:
        self.writer.write(data)

    def hang_up(self) -> None:
        self.writer.close()

    def flush(self) -> None:
        self.writer.write(self.h2.data_to_send())


@asynccontextmanager
async def scripted(script: Script, *, window_full: asyncio.Event | None = None) -> AsyncIterator[int]:
    """A loopback port where each request headers frame runs the script.

    With `window_full`, the client gets no credit for what it sends, and the event is set when its window is
    used up.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(writer)
        peer.h2.initiate_connection()
        peer.flush()
        while data := await reader.read(65536):
            for event in peer.h2.receive_data(data):
                if isinstance(event, RequestReceived):
                    assert event.stream_id is not None
                    result = script(peer, event.stream_id)
                    if inspect.isawaitable(result):
                        await result
                elif isinstance(event, DataReceived):
                    assert event.stream_id is not None
                    if window_full is not None:
                        if not peer.h2.remote_flow_control_window(event.stream_id):
                            window_full.set()
                    elif event.flow_controlled_length:
                        peer.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, StreamReset):
                    assert event.stream_id is not None
                    peer.resets.append(event.stream_id)
                elif isinstance(event, ConnectionTerminated):
                    break
            peer.flush()

    async with _listening(serve) as port:
        yield port


@asynccontextmanager
async def answering(answer: bytes, *, close: bool) -> AsyncIterator[int]:
    """A loopback port that sends the same bytes to everybody, and hangs up or not."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(answer)
        if not close:
            while await reader.read(65536):
                pass

    async with _listening(serve) as port:
        yield port


@asynccontextmanager
async def _listening(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[int]:
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await serve(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass  # the client went away, or the test is over
        finally:
            writer.transport.abort() if writer.transport.get_write_buffer_size() else writer.close()
            tasks.discard(task)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
