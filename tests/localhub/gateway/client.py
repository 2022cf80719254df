"""A raw HTTP client: what is sent is exactly what the test says."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


def message(
    path: str | bytes,
    *,
    method: str = "GET",
    host: str = "127.0.0.1",
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """A request that closes its connection. Nothing is quoted or checked."""
    raw = path.encode() if isinstance(path, str) else path
    lines = [f"Host: {host}", "Connection: close", *(f"{a}: {b}" for a, b in (headers or {}).items())]
    return (
        method.encode() + b" " + raw + b" HTTP/1.1\r\n" + "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
    )


async def exchange(target: str, data: bytes) -> bytes:
    """Send bytes, and return all that comes back until the server closes."""
    host, _, port = target.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(data)
        return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()


async def get(
    target: str,
    path: str | bytes,
    *,
    method: str = "GET",
    host: str = "127.0.0.1",
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """One request on a connection of its own."""
    return parse(await exchange(target, message(path, method=method, host=host, headers=headers)))


def parse(data: bytes) -> Reply:
    """A reply whose body ends with the connection; its length has to be what its head says."""
    head, separator, body = data.partition(b"\r\n\r\n")
    assert separator, data
    first, *lines = head.decode("latin-1").split("\r\n")
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        assert name.lower() not in headers, f"{name} comes twice"
        headers[name.lower()] = value
    status = int(first.split()[1])
    return Reply(status, headers, body)
