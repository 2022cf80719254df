"""The dag-pb codec: a node is a list of named links and some bytes.

This module owns the wire form of nodes and nothing above it: what the data bytes mean is
``fsnode``'s business.

Written form (spec: buckets-api §6): links before data; links sorted bytewise by name, equal names in
the order given; in a link Hash, Name (also when empty), Tsize.

Read form, as strict as the current Go and JavaScript codecs: known fields only and each at most once;
a link has its fields in order and must have a hash; links are not interleaved with data. Data may stand
before the links, links may be unsorted, and a missing name or Tsize reads as empty or 0, because older
writers did that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter
from typing import NamedTuple

from textile_aio._codec import protowire, varint
from textile_aio._codec.cid import Cid
from textile_aio.errors import IntegrityError, InvalidInput
from textile_aio.unixfs.block import BytesLike

MAX_SIZE = 2**63 - 1
"""Largest size that is believed: sizes travel as int64 in the bucket messages."""

# Field number and wire type, as they stand before each field: of a node ...
LINK_TAG, DATA_TAG = 0x12, 0x0A
# ... and of a link.
HASH_TAG, NAME_TAG, TSIZE_TAG = 0x0A, 0x12, 0x18

_USUAL_HASHES = frozenset({b"\x0a\x24\x01\x55\x12\x20", b"\x0a\x24\x01\x70\x12\x20"})
"""How the hash field of a raw leaf begins, and that of a dag-pb node."""

_USUAL_HEAD = 42
"""Bytes of a link before its name: tag and length, the hash, the name's tag and length."""


@dataclass(frozen=True, slots=True)
class Link:
    """A named reference to a child.

    Attributes:
        name: The name as on the wire: usually UTF-8, but nothing promises it, and order is bytewise.
        cid: The child.
        tsize: Bytes of the child's block and of everything below it, repeats counted.
    """

    name: bytes
    cid: Cid
    tsize: int


@dataclass(frozen=True, slots=True)
class Node:
    """A decoded node. ``data`` is None when the field is absent."""

    links: tuple[Link, ...] = ()
    data: bytes | None = None


def encode_link(link: Link) -> bytes:
    """One link as it stands in a node, tag and length included."""
    hash_field = protowire.bytes_field(1, link.cid.bytes)
    body = hash_field + protowire.bytes_field(2, link.name) + protowire.varint_field(3, link.tsize)
    return protowire.bytes_field(2, body)


def encode_data(data: bytes) -> bytes:
    """The data field as it stands in a node, tag and length included."""
    return protowire.bytes_field(1, data)


def encode(links: Iterable[Link] = (), data: bytes | None = None) -> bytes:
    """Write a node in canonical form."""
    pieces = [encode_link(link) for link in sorted(links, key=attrgetter("name"))]
    if data is not None:
        pieces.append(encode_data(data))
    return b"".join(pieces)


def decode(block: BytesLike) -> Node:
    """Read a node.

    Memory is bounded by the block's length: nothing is allocated for a length that is only claimed.

    Raises:
        IntegrityError: The bytes are not a dag-pb node.
    """
    table = columns(block)
    return Node(tuple(map(Link, table.names, map(Cid.from_bytes, table.cids), table.tsizes)), table.data)


class Columns(NamedTuple):
    """A decoded node with its links as columns of equal length, for nodes that have thousands of them.

    Attributes:
        names: As :class:`Link` has them, as are ``tsizes``.
        cids: The children in binary form.
        tsizes: What the links declare.
        written: The links as :func:`encode_link` writes them.
        data: None when the field is absent.
    """

    names: list[bytes]
    cids: list[bytes]
    tsizes: list[int]
    written: list[bytes]
    data: bytes | None


def columns(block: BytesLike) -> Columns:
    """As :func:`decode`, at a fraction of the cost for each link."""
    buffer = bytes(block)
    names: list[bytes] = []
    cids: list[bytes] = []
    tsizes: list[int] = []
    written: list[bytes] = []
    data: bytes | None = None
    complete = False
    at, end = 0, len(buffer)
    try:
        while at < end:
            first = at
            tag = buffer[at]
            if tag == LINK_TAG and not complete:
                name = first + _USUAL_HEAD
                at = first + 2 + buffer[first + 1] if first + 1 < end else end
                # Nearly every link: lengths of one byte, a sha2-256 CIDv1, a size of one or two bytes.
                if (
                    name < at <= end
                    and buffer[first + 1] < 0x80
                    and buffer[first + 2 : first + 8] in _USUAL_HASHES
                    and buffer[first + 40] == NAME_TAG
                    and (size := name + buffer[name - 1]) < at - 1
                    and buffer[size] == TSIZE_TAG
                    and (tsize := _short_number(buffer, size + 1, at)) >= 0
                ):
                    names.append(buffer[name:size])
                    cids.append(buffer[first + 4 : first + 40])
                    tsizes.append(tsize)
                    written.append(buffer[first:at])
                    continue
                start, at = _extent(buffer, first + 1, end)
                link = _decode_link(buffer, start, at)
                names.append(link.name)
                cids.append(link.cid.bytes)
                tsizes.append(link.tsize)
                written.append(encode_link(link))
                continue
            start, at = _extent(buffer, first + 1, end)
            if tag == DATA_TAG and data is None:
                data = buffer[start:at]
                complete = bool(names)
            else:
                raise IntegrityError("malformed dag-pb node: a field is unknown or out of place")
    except InvalidInput as error:
        raise IntegrityError(f"malformed dag-pb node: {error.message}") from error
    return Columns(names, cids, tsizes, written, data)


def _short_number(buffer: bytes, start: int, end: int) -> int:
    """A number of one or two bytes in its shortest form; -1 for any other."""
    low = buffer[start]
    if end - start == 1:
        return low if low < 0x80 else -1
    if end - start == 2 and low >= 0x80 and 0 < buffer[start + 1] < 0x80:
        return low & 0x7F | buffer[start + 1] << 7
    return -1


def _decode_link(buffer: bytes, at: int, end: int) -> Link:
    name = b""
    tsize = 0
    if at == end or buffer[at] != HASH_TAG:
        raise IntegrityError("malformed dag-pb link: it does not begin with a hash")
    start, at = _extent(buffer, at + 1, end)
    cid = Cid.from_bytes(buffer[start:at])
    if at < end and buffer[at] == NAME_TAG:
        start, at = _extent(buffer, at + 1, end)
        name = buffer[start:at]
    if at < end and buffer[at] == TSIZE_TAG:
        tsize, at = varint.decode(buffer, at + 1, minimal=False)
    if at != end:
        raise IntegrityError("malformed dag-pb link: a field is unknown, out of place or cut short")
    if tsize > MAX_SIZE:
        raise IntegrityError(f"malformed dag-pb link: a size of {tsize} bytes")
    return Link(name, cid, tsize)


def _extent(buffer: bytes, at: int, end: int) -> tuple[int, int]:
    """Where the bytes of a field are whose length stands at ``at``."""
    if at < end and buffer[at] < 0x80:
        size, start = buffer[at], at + 1
    else:
        size, start = varint.decode(buffer, at, minimal=False)
    if size > end - start:
        raise IntegrityError("malformed dag-pb node: a field is cut short")
    return start, start + size
