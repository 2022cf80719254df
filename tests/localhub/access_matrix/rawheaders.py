"""One call with headers of any bytes that HTTP/2 carries, which no client of ours would send."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)

Fields = Sequence[tuple[bytes, bytes]]


async def status_of(target: str, path: str, fields: Fields, message: bytes = b"") -> int | None:
    """The call's gRPC status; None where the hub ended stream or connection for what no HTTP/2 allows."""
    host, _, port = target.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        return await _ask(reader, writer, path, fields, message)
    except ConnectionError:
        return None
    finally:
        writer.close()


async def _ask(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, fields: Fields, message: bytes
) -> int | None:
    connection = H2Connection(
        H2Configuration(
            header_encoding=None, validate_outbound_headers=False, normalize_outbound_headers=False
        )
    )
    connection.initiate_connection()
    head: list[tuple[bytes, bytes]] = [
        (b":method", b"POST"),
        (b":scheme", b"http"),
        (b":path", path.encode()),
        (b":authority", b"hub"),
        (b"te", b"trailers"),
        (b"content-type", b"application/grpc"),
        *fields,
    ]
    connection.send_headers(1, head)
    connection.send_data(1, b"\0" + len(message).to_bytes(4, "big") + message, end_stream=True)
    writer.write(connection.data_to_send())
    while data := await reader.read(65536):
        for event in connection.receive_data(data):
            if isinstance(event, ResponseReceived | TrailersReceived):
                found = dict(event.headers or [])
                if b"grpc-status" in found:
                    return int(found[b"grpc-status"])
            elif isinstance(event, StreamReset | ConnectionTerminated | StreamEnded):
                return None
            elif isinstance(event, DataReceived):
                connection.acknowledge_received_data(event.flow_controlled_length, 1)
        writer.write(connection.data_to_send())
    return None
