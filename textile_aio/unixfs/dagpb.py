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
from dataclasses import dataclass, field
from operator import attrgetter

from textile_aio._codec import protowire, varint
from textile_aio._codec.cid import Cid
from textile_aio.errors import IntegrityError, InvalidInput
from textile_aio.unixfs.block import BytesLike

MAX_SIZE = 2**63 - 1
"""Largest size that is believed: sizes travel as int64 in the bucket messages."""

_SHORT_LINK = 7
"""Tags and lengths in a link of less than 128 bytes."""

# Field number and wire type, as they stand before each field: of a node ...
LINK_TAG, DATA_TAG = 0x12, 0x0A
# ... and of a link.
HASH_TAG, NAME_TAG, TSIZE_TAG = 0x0A, 0x12, 0x18


@dataclass(frozen=True, slots=True)
class Link:
    """A named reference to a child.

    Attributes:
        name: The name as on the wire: usually UTF-8, but nothing promises it, and order is bytewise.
        cid: The child.
        tsize: Bytes of the child's block and of everything below it, repeats counted.
        written: The link as :func:`encode_link` writes it, where it was read in that form; else empty.
    """

    name: bytes
    cid: Cid
    tsize: int
    written: bytes = field(default=b"", repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Node:
    """A decoded node. ``data`` is None when the field is absent."""

    links: tuple[Link, ...] = ()
    data: bytes | None = None


def encode_link(link: Link) -> bytes:
    """One link as it stands in a node, tag and length included."""
    if link.written:
        return link.written
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
    buffer = bytes(block)
    links: list[Link] = []
    data: bytes | None = None
    complete = False
    at, end = 0, len(buffer)
    try:
        while at < end:
            tag, first = buffer[at], at
            start, at = _extent(buffer, at + 1, end)
            if tag == LINK_TAG and not complete:
                links.append(_decode_link(buffer, first, start, at))
            elif tag == DATA_TAG and data is None:
                data = buffer[start:at]
                complete = bool(links)
            else:
                raise IntegrityError("malformed dag-pb node: a field is unknown or out of place")
    except InvalidInput as error:
        raise IntegrityError(f"malformed dag-pb node: {error.message}") from error
    return Node(tuple(links), data)


def _decode_link(buffer: bytes, first: int, at: int, end: int) -> Link:
    name = b""
    tsize = 0
    written = b""
    is_short = at - first == 2
    if at == end or buffer[at] != HASH_TAG:
        raise IntegrityError("malformed dag-pb link: it does not begin with a hash")
    start, at = _extent(buffer, at + 1, end)
    cid = Cid.from_bytes(buffer[start:at])
    named = at - start
    if at < end and buffer[at] == NAME_TAG:
        start, at = _extent(buffer, at + 1, end)
        name = buffer[start:at]
    if at < end and buffer[at] == TSIZE_TAG:
        start = at + 1
        tsize, at = varint.decode(buffer, start, minimal=False)
        # As long as we write it, with lengths of one byte, and no zeros after the size: then as we write it.
        size = at - start
        usual = named + len(name) + size + _SHORT_LINK
        if is_short and end - first == usual and (size == 1 or buffer[at - 1]):
            written = buffer[first:end]
    if at != end:
        raise IntegrityError("malformed dag-pb link: a field is unknown, out of place or cut short")
    if tsize > MAX_SIZE:
        raise IntegrityError(f"malformed dag-pb link: a size of {tsize} bytes")
    return Link(name, cid, tsize, written)


def _extent(buffer: bytes, at: int, end: int) -> tuple[int, int]:
    """Where the bytes of a field are whose length stands at ``at``."""
    if at < end and buffer[at] < 0x80:
        size, start = buffer[at], at + 1
    else:
        size, start = varint.decode(buffer, at, minimal=False)
    if size > end - start:
        raise IntegrityError("malformed dag-pb node: a field is cut short")
    return start, start + size
