"""CARv1: blocks one after the other in a file, with the roots they belong to.

Owns the frame: a header in DAG-CBOR, then for each block its length, CID and bytes (the specification is at
ipld.io/specs/transport/car). The reader is given bytes as they come and verifies every block. Refuses to know
what blocks mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from textile_aio._codec import multihash, varint
from textile_aio._codec.cid import Cid
from textile_aio.errors import InvalidEncoding, InvalidInput
from textile_aio.unixfs.block import Block, BytesLike, verify

LARGEST_HEADER = 64 * 1024
LARGEST_BLOCK = 8 * 1024 * 1024
"""Bytes that a block may have: a directory of 150,000 entries has them, and go-car reads as much."""

_LONGEST_CID = 128
_LONGEST_VARINT = 9


def header(roots: Sequence[Cid]) -> bytes:
    """What a file begins with."""
    links = b"".join(b"\xd8\x2a" + _head(0x40, len(root.bytes) + 1) + b"\0" + root.bytes for root in roots)
    body = b"\xa2\x65roots" + _head(0x80, len(roots)) + links + b"\x67version\x01"
    return varint.encode(len(body)) + body


def section(cid: Cid, data: BytesLike) -> tuple[bytes, BytesLike]:
    """A block in a file, as two pieces."""
    name = cid.bytes
    return varint.encode(len(name) + len(data)) + name, data


class CarReader:
    """Reads a file from pieces of any size, and holds one block at most.

    Raises, from every method:
        InvalidInput: It is no CARv1 file.
        IntegrityError: A block is not what its CID says, or cannot be checked.
    """

    def __init__(self) -> None:
        self._held = bytearray()
        self._roots: tuple[Cid, ...] | None = None

    @property
    def roots(self) -> tuple[Cid, ...]:
        """The roots. InvalidInput before the header has come."""
        if self._roots is None:
            raise InvalidInput("the CAR file ends within its header")
        return self._roots

    def feed(self, data: BytesLike) -> Iterator[Block]:
        """Take the next bytes; gives the blocks that they complete, without their links."""
        self._held += data
        while True:
            if self._roots is None:
                frame = self._frame(LARGEST_HEADER)
                if frame is None:
                    return
                self._roots = _roots(frame)
            frame = self._frame(LARGEST_BLOCK + _LONGEST_CID)
            if frame is None:
                return
            yield _block(frame)

    def finish(self) -> None:
        """The file is at its end."""
        _ = self.roots
        if self._held:
            raise InvalidInput("the CAR file ends within a block")

    def _frame(self, limit: int) -> bytes | None:
        held = self._held
        end = next((at for at, byte in enumerate(held[:_LONGEST_VARINT]) if byte < 0x80), None)
        if end is None:
            if len(held) >= _LONGEST_VARINT:
                raise InvalidInput("the CAR file is malformed: a length without end")
            return None
        try:
            size, start = varint.decode(bytes(held[: end + 1]))
        except InvalidEncoding as error:
            raise InvalidInput(f"the CAR file is malformed: {error.message}") from None
        if not 0 < size <= limit:
            raise InvalidInput(f"the CAR file is malformed: a part of {size} bytes")
        if len(held) < start + size:
            return None
        frame = bytes(held[start : start + size])
        del held[: start + size]
        return frame


def _block(frame: bytes) -> Block:
    try:
        if frame.startswith(multihash.SHA2_256_PREFIX):
            end = 34
        else:
            _, at = varint.decode(frame)
            _, at = varint.decode(frame, at)
            _, _, end = multihash.read(frame, at)
        cid = Cid.from_bytes(frame[:end])
    except InvalidEncoding as error:
        raise InvalidInput(f"the CAR file is malformed: {error.message}") from None
    data = frame[end:]
    verify(cid, data)
    return Block(cid, data)


def _head(major: int, size: int) -> bytes:
    if size < 24:
        return bytes((major | size,))
    if size < 0x100:
        return bytes((major | 24, size))
    return bytes((major | 25,)) + size.to_bytes(2, "big")


class _Cbor:
    """The little of DAG-CBOR that headers are made of."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def head(self, major: int) -> int:
        byte = self.take(1)[0]
        if byte & 0xE0 != major:
            raise InvalidInput("the CAR file is malformed: its header is not what it should be")
        short = byte & 0x1F
        if short < 24:
            return short
        if short > 26:
            raise InvalidInput("the CAR file is malformed: its header is not what it should be")
        return int.from_bytes(self.take(1 << short - 24), "big")

    def take(self, size: int) -> bytes:
        taken = self._data[self._at : self._at + size]
        if len(taken) < size:
            raise InvalidInput("the CAR file is malformed: its header is cut short")
        self._at += size
        return taken

    def end(self) -> None:
        if self._at != len(self._data):
            raise InvalidInput("the CAR file is malformed: its header has more in it than it should")


def _roots(frame: bytes) -> tuple[Cid, ...]:
    cbor = _Cbor(frame)
    roots: tuple[Cid, ...] | None = None
    version: int | None = None
    for _ in range(cbor.head(0xA0)):
        name = cbor.take(cbor.head(0x60))
        if name == b"roots" and roots is None:
            roots = tuple(_link(cbor) for _ in range(cbor.head(0x80)))
        elif name == b"version" and version is None:
            version = cbor.head(0x00)
        else:
            raise InvalidInput("the CAR file is malformed: its header has more in it than it should")
    cbor.end()
    if version != 1:
        raise InvalidInput(f"a CAR file of version 1 is needed, this one has {version}")
    if not roots:
        raise InvalidInput("the CAR file names no root")
    return roots


def _link(cbor: _Cbor) -> Cid:
    if cbor.head(0xC0) != 42:
        raise InvalidInput("the CAR file is malformed: a root is no link")
    link = cbor.take(cbor.head(0x40))
    if not link.startswith(b"\0"):
        raise InvalidInput("the CAR file is malformed: a root is no link")
    try:
        return Cid.from_bytes(link[1:])
    except InvalidEncoding as error:
        raise InvalidInput(f"the CAR file is malformed: {error.message}") from None
