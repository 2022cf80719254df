"""One write for all that is written in one turn of the event loop.

Owns the order of bytes and nothing else. A call writes its headers, its message and its end separately: here
they become one write. Refuses to know what the bytes are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any

#: Bytes gathered before they are written without waiting for the turn to end.
_ENOUGH = 64 * 1024

Piece = bytes | bytearray | memoryview


class CorkedTransport:
    """Stands before a transport, in the place grpclib expects one.

    Writing never bypasses the transport underneath, which may be TLS; its back-pressure reaches the protocol
    as ever. What was gathered goes out when the loop has run what is ready now, or when there is enough of
    it.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._gathered: list[Piece] = []
        self._size = 0
        self._flushing: asyncio.Handle | None = None

    def write(self, data: bytes) -> None:
        """Gather `data`."""
        if data:
            self.write_all((data,), len(data))

    def write_all(self, pieces: Iterable[Piece], size: int) -> None:
        """Gather `pieces`, about `size` bytes together. They must not change until they are written."""
        self._gathered += pieces
        self._size += size
        if self._size >= _ENOUGH:
            self.flush()
        elif self._flushing is None:
            self._flushing = self._loop.call_soon(self.flush)

    def flush(self) -> None:
        """Write what has been gathered; nothing if the transport is closing.

        By `write`, since `writelines` of some selector transports (3.12.1, 3.13.0) neither pauses the
        protocol nor notices that the connection is lost.
        """
        gathered = self._gathered
        self._clear()
        if not self._transport.is_closing():
            for data in _joined(gathered):
                self._transport.write(data)

    def close(self) -> None:
        """Write what has been gathered and close."""
        self.flush()
        self._transport.close()

    def abort(self) -> None:
        """Close without writing."""
        self._clear()
        self._transport.abort()

    def is_closing(self) -> bool:
        """As the transport says."""
        return self._transport.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """As the transport says."""
        return self._transport.get_extra_info(name, default)

    def get_write_buffer_size(self) -> int:
        """Bytes that wait here and in the transport."""
        return self._size + self._transport.get_write_buffer_size()

    def _clear(self) -> None:
        self._gathered = []
        self._size = 0
        if self._flushing is not None:
            self._flushing.cancel()
            self._flushing = None


def _joined(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """The same bytes in few pieces: small ones joined, large ones as they are.

    To copy a chunk costs twice as much as another system call.
    """
    small: list[Piece] = []
    for piece in pieces:
        if len(piece) < _ENOUGH:
            small.append(piece)
            continue
        if small:
            yield b"".join(small)
            small = []
        yield piece
    if small:
        yield b"".join(small)
