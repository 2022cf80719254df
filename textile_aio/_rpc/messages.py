"""gRPC messages out of the bytes of one stream, and into them.

Owns the five-byte prefix, the size limit (enforced before anything is allocated for the message), and how
much of what was received may be credited to the peer's windows. Refuses to know frames and connections: bytes
come by `add`, credit goes out by a callback.
"""

from __future__ import annotations

import asyncio
import struct
from collections import deque
from collections.abc import Callable

from grpclib.const import Status
from grpclib.exceptions import GRPCError

PREFIX_SIZE = 5
_PREFIX = struct.Struct(">BL")

#: Messages from this size on are handed out as views of the payload they came in, if they lie in one.
_VIEW_MIN = 16 * 1024
#: Bytes reserved at once for a message that comes in pieces; it gets more when these are full.
_RESERVE = 512 * 1024

Body = bytes | bytearray | memoryview


def prefix(size: int) -> bytes:
    """What stands before an uncompressed message of `size` bytes."""
    return _PREFIX.pack(0, size)


def check_prefix(
    compressed: int, size: int, *, limit: int, encoding: str | None, server: bool
) -> GRPCError | None:
    """The error that ends a call on receiving such a prefix, in grpc-go's codes and words (`rpc_util.go`)."""
    if compressed == 1:
        if encoding in (None, "", "identity"):
            return GRPCError(Status.INTERNAL, "grpc: compressed flag set with identity or empty encoding")
        status = Status.UNIMPLEMENTED if server else Status.INTERNAL
        return GRPCError(status, f'grpc: Decompressor is not installed for grpc-encoding "{encoding}"')
    if compressed:
        return GRPCError(Status.INTERNAL, f"grpc: received unexpected payload format {compressed}")
    if size > limit:
        return GRPCError(
            Status.RESOURCE_EXHAUSTED, f"grpc: received message larger than max ({size} vs. {limit})"
        )
    return None


class MessageBuffer:
    """Bytes received on one stream, cut into messages; stands where grpclib has its `Buffer`.

    What has been received but not read stays uncredited, so the peer's window bounds the memory held here. A
    reader that waits for the rest of a message has all its bytes credited as they come: a message may be
    larger than the window.

    Args:
        credit: called with a number of bytes to give back to the peer's windows.
        limit: bytes of the largest message accepted.
        server: which side's error codes to use.
    """

    __slots__ = (
        "_body",
        "_credit",
        "_eof",
        "_error",
        "_filled",
        "_head",
        "_limit",
        "_messages",
        "_owed",
        "_reader",
        "_server",
        "_size",
        "_taken",
        "encoding",
    )

    def __init__(self, credit: Callable[[int], None], *, limit: int, server: bool) -> None:
        self._credit = credit
        self._limit = limit
        self._server = server
        #: The peer's `grpc-encoding`, if it named one.
        self.encoding: str | None = None
        self._messages: deque[Body] = deque()
        self._head = b""  # part of a prefix
        self._body: bytearray | None = None  # a message that came in part
        self._size = 0  # bytes of that message when whole
        self._filled = 0  # bytes of it that are there
        self._owed = 0  # bytes received and not yet credited
        self._error: GRPCError | None = None
        self._eof = False
        self._reader: asyncio.Future[None] | None = None
        self._taken: Body | None = None

    def add(self, data: bytes | memoryview, ack_size: int, owned: bool = True) -> None:
        """Take the payload of one frame.

        Args:
            data: the payload without padding.
            ack_size: bytes it took from the windows, padding included.
            owned: the memory stays as it is; if false, it is overwritten after the call.
        """
        self._owed += ack_size
        if self._error is None and data:
            self._cut(memoryview(data), owned=owned)
        if self._error is not None or self._reader is not None:
            self._credit_all()
        elif ack_size > len(data):
            padding = min(self._owed, ack_size - len(data))
            self._owed -= padding
            self._credit(padding)
        if self._reader is not None and (self._messages or self._error is not None):
            self._wake()

    def eof(self) -> None:
        """The peer sends no more on this stream."""
        if not self._eof:
            self._eof = True
            if self._error is None and (self._head or self._body is not None):
                self._error = GRPCError(Status.INTERNAL, "unexpected EOF")
        self._wake()

    async def next_message(self) -> Body | None:
        """The next message, or None at the end. A cancelled wait loses nothing.

        Raises:
            GRPCError: a message is too large, compressed or cut short; again on each call.
        """
        while not self._messages:
            if self._error is not None:
                raise GRPCError(self._error.status, self._error.message)
            if self._eof:
                return None
            if self._reader is not None:
                raise RuntimeError("another task is already reading this stream")
            self._reader = asyncio.get_running_loop().create_future()
            self._credit_all()
            try:
                await self._reader
            finally:
                self._reader = None
        message = self._messages.popleft()
        credit = min(self._owed, len(message) + PREFIX_SIZE)
        if credit:
            self._owed -= credit
            self._credit(credit)
        return message

    async def read(self, size: int) -> Body:
        """Grpclib's way to read: a prefix, then its body. Only the first of the two waits."""
        if self._taken is None:
            message = await self.next_message()
            if message is None:
                return b""
            self._taken = message
            return prefix(len(message))
        message, self._taken = self._taken, None
        if len(message) != size:
            raise RuntimeError(f"asked for {size} bytes of a message of {len(message)}")
        return message

    def unacked_size(self) -> int:
        """Give up: bytes still to be credited, counted once."""
        owed, self._owed = self._owed, 0
        return owed

    def _credit_all(self) -> None:
        if self._owed:
            owed, self._owed = self._owed, 0
            self._credit(owed)

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def _cut(self, data: memoryview, *, owned: bool) -> None:
        position, end = 0, len(data)
        while position < end:
            if self._body is not None:
                position += self._fill(self._body, data[position:])
                continue
            if self._head or end - position < PREFIX_SIZE:
                lacking = PREFIX_SIZE - len(self._head)
                self._head += data[position : position + lacking]
                position = min(position + lacking, end)
                if len(self._head) < PREFIX_SIZE:
                    return
                compressed, size = _PREFIX.unpack(self._head)
                self._head = b""
            else:
                compressed, size = _PREFIX.unpack_from(data, position)
                position += PREFIX_SIZE
            if compressed or size > self._limit:
                self._error = check_prefix(
                    compressed, size, limit=self._limit, encoding=self.encoding, server=self._server
                )
                return
            stop = position + size
            if stop <= end:
                body = data[position:stop]
                self._messages.append(body if owned and size >= _VIEW_MIN else bytes(body))
                position = stop
            else:
                self._body = bytearray(min(size, _RESERVE))
                self._size, self._filled = size, 0

    def _fill(self, body: bytearray, data: memoryview) -> int:
        """Move what belongs to the message under way out of `data`; return how many bytes that was."""
        size = min(len(data), self._size - self._filled)
        filled = self._filled + size
        if filled > len(body):
            body += bytes(min(self._size, max(filled, 2 * len(body))) - len(body))
        body[self._filled : filled] = data[:size]
        self._filled = filled
        if filled == self._size:
            self._messages.append(body)
            self._body = None
        return size
