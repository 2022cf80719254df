r"""How a block lies in a place: entries that describe themselves, one behind the other.

An entry is a header of 24 bytes, the block's CID, its links and its bytes. Big-endian::

    4  magic "TXB\x01", the last byte being the format's version
    2  length of the CID
    2  zero
    4  length of the links (``links.join``)
    4  length of the block
    4  CRC-32 of the block
    4  CRC-32 of the 20 bytes above, the CID and the links

So the index of all blocks can be rebuilt from places alone, and a tail that was torn off, or zeros that a
file system left there, are never taken for entries: zeros have no magic. The checksums find damage; that the
bytes are those the CID names is for readers to verify.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from struct import Struct
from typing import BinaryIO

from textile_aio.storage.links import join, split
from textile_aio.storage.values import BlockRow

MAGIC = b"TXB\x01"
MAX_BLOCK_BYTES = 0xFFFF_FFFF

_FIXED = Struct(">4sHHIII")
_SUM = Struct(">I")
_HEADER_BYTES = _FIXED.size + _SUM.size
_PIECE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """A block found in a place. ``offset`` is that of its first byte; its last one is before ``end``.

    ``intact`` is false when the block's bytes are not those that were written.
    """

    cid: bytes
    links: tuple[bytes, ...]
    offset: int
    size: int
    intact: bool

    @property
    def end(self) -> int:
        """Where the next entry begins."""
        return self.offset + self.size

    def row(self, place: str) -> BlockRow:
        """The row of the index that this entry was written for."""
        return BlockRow(self.cid, self.size, self.links, place=place, offset=self.offset)


def header(cid: bytes, links: Sequence[bytes], data: bytes | bytearray | memoryview) -> bytes:
    """What goes into the place before the block's bytes.

    Raises:
        ValueError: The block, its CID or its links are too long.
    """
    joined = join(links)
    size = len(data)
    if len(cid) > 0xFFFF or size > MAX_BLOCK_BYTES:
        raise ValueError("the block or its CID is too long for a place")
    fixed = _FIXED.pack(MAGIC, len(cid), 0, len(joined), size, zlib.crc32(data))
    named = cid + joined
    return b"".join((fixed, _SUM.pack(zlib.crc32(named, zlib.crc32(fixed))), named))


def scan(source: bytes | BinaryIO) -> Iterator[Entry]:
    """Find the entries of a place, in order, up to the first thing that is none.

    What follows the last entry's ``end`` is a torn tail. A block whose bytes are damaged but all there is
    found, not ``intact``, and the scan goes on behind it. Reads at most one MiB at a time.
    """
    file = io.BytesIO(source) if isinstance(source, bytes) else source
    position = file.tell()
    while True:
        fixed = file.read(_HEADER_BYTES)
        if len(fixed) < _HEADER_BYTES:
            return
        magic, cid_size, zero, links_size, size, checksum = _FIXED.unpack_from(fixed)
        if magic != MAGIC or zero:
            return
        named = file.read(cid_size + links_size)
        (expected,) = _SUM.unpack_from(fixed, _FIXED.size)
        if (
            len(named) < cid_size + links_size
            or zlib.crc32(named, zlib.crc32(fixed[: _FIXED.size])) != expected
        ):
            return
        found = _checksum(file, size)
        if found is None:
            return
        offset = position + _HEADER_BYTES + len(named)
        yield Entry(named[:cid_size], split(named[cid_size:]), offset, size, found == checksum)
        position = offset + size


def _checksum(file: BinaryIO, size: int) -> int | None:
    """The checksum of the next ``size`` bytes, or None if the file ends before."""
    checksum = 0
    while size:
        piece = file.read(min(size, _PIECE_BYTES))
        if not piece:
            return None
        checksum = zlib.crc32(piece, checksum)
        size -= len(piece)
    return checksum
