"""A raw gRPC-web client over one websocket."""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.localhub.web.frames import END, Answer, flagged, header_text

PROTOCOL = "grpc-websockets"


@asynccontextmanager
async def opened(
    target: str,
    path: str,
    *,
    receive_buffer: int | None = None,
    secure: ssl.SSLContext | None = None,
    **options: Any,
) -> AsyncIterator[ClientConnection]:
    """A websocket on which nothing has been sent."""
    options = {"subprotocols": [PROTOCOL], "compression": None, "max_size": None, **options}
    if receive_buffer is not None:
        host, _, port = target.rpartition(":")
        options["sock"] = sock = socket.create_connection((host, int(port)))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    if secure is not None:
        options["ssl"] = secure
    scheme = "ws" if secure is None else "wss"
    async with connect(f"{scheme}://{target}{path}", **options) as websocket:
        yield websocket


async def answer(websocket: ClientConnection) -> Answer:
    """Everything until the close, which has to be a clean one."""
    got = Answer()
    try:
        while True:
            data = await websocket.recv(decode=False)
            got.feed(data)
    except ConnectionClosed:
        assert websocket.close_code == 1000, (websocket.close_code, websocket.close_reason)
    return got.end()


async def call(target: str, path: str, *messages: bytes, metadata: Mapping[str, str] | None = None) -> Answer:
    """Headers, messages, the end; then whatever comes back."""
    async with opened(target, path) as websocket:
        await websocket.send(header_text(metadata))
        for message in messages:
            await websocket.send(flagged(message))
        await websocket.send(END)
        return await answer(websocket)
