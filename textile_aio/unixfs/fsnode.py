"""The UnixFS message that stands in a dag-pb node's data: what kind of thing the node is.

This module owns that message's wire form and the sums inside it. It refuses to know links.

Fields this version does not know (mode and mtime of UnixFS 1.5 among them) are skipped on reading;
whoever changes a node keeps its message as bytes, so that they survive.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from textile_aio._codec import protowire, varint
from textile_aio.errors import IntegrityError, InvalidInput
from textile_aio.unixfs.dagpb import MAX_SIZE, Columns, Node


class NodeType(IntEnum):
    """What a node is (UnixFS ``Data.DataType``)."""

    RAW = 0
    DIRECTORY = 1
    FILE = 2
    METADATA = 3
    SYMLINK = 4
    HAMT_SHARD = 5


TYPES = frozenset(NodeType)


@dataclass(frozen=True, slots=True)
class FSNode:
    """A UnixFS message.

    Attributes:
        type: What the node is.
        data: Content held in the node itself, a symlink's target, or a shard's bit field.
        filesize: Content bytes of the node and everything below it; None if not written.
        blocksizes: Content bytes below each link, in the order of the links.
        hash_type: Multicodec of a shard's hash function.
        fanout: Buckets of a shard.
    """

    type: NodeType
    data: bytes | None = None
    filesize: int | None = None
    blocksizes: tuple[int, ...] = ()
    hash_type: int | None = None
    fanout: int | None = None


DIRECTORY_DATA = b"\x08\x01"
"""The message of every directory this package makes (spec: buckets-api §6)."""


def encode(node: FSNode) -> bytes:
    """Write a message, fields by ascending number."""
    pieces = [protowire.varint_field(1, node.type)]
    if node.data is not None:
        pieces.append(protowire.bytes_field(2, node.data))
    if node.filesize is not None:
        pieces.append(protowire.varint_field(3, node.filesize))
    pieces += [protowire.varint_field(4, size) for size in node.blocksizes]
    if node.hash_type is not None:
        pieces.append(protowire.varint_field(5, node.hash_type))
    if node.fanout is not None:
        pieces.append(protowire.varint_field(6, node.fanout))
    return b"".join(pieces)


def decode(message: bytes) -> FSNode:
    """Read a message. A field written twice counts as last written; block sizes may be packed.

    Raises:
        IntegrityError: The bytes are no UnixFS message, or a number in them is beyond 2^63-1.
    """
    data: bytes | None = None
    numbers: dict[int, int] = {}
    blocksizes: list[int] = []
    try:
        for number, value in protowire.fields(message):
            if number == 2 and isinstance(value, bytes):
                data = value
            elif number == 4:
                blocksizes += [value] if isinstance(value, int) else _packed(value)
            elif number in {1, 3, 5, 6} and isinstance(value, int):
                numbers[number] = value
            elif number <= 6:
                raise IntegrityError(f"malformed UnixFS node: field {number} is of the wrong kind")
    except InvalidInput as error:
        raise IntegrityError(f"malformed UnixFS node: {error.message}") from error
    if max([*numbers.values(), *blocksizes], default=0) > MAX_SIZE:
        raise IntegrityError(f"malformed UnixFS node: a number beyond {MAX_SIZE}")
    if numbers.get(1) not in TYPES:
        raise IntegrityError("malformed UnixFS node: no type, or an unknown one")
    return FSNode(
        NodeType(numbers[1]), data, numbers.get(3), tuple(blocksizes), numbers.get(5), numbers.get(6)
    )


def of(node: Node | Columns) -> FSNode:
    """The message of a dag-pb node.

    Raises:
        IntegrityError: The node carries none, or a malformed one.
    """
    if node.data is None:
        raise IntegrityError("not a UnixFS node: it has no data")
    return decode(node.data)


def content_size(fs: FSNode, links: int) -> int:
    """Content bytes of a file node with that many ``links``, after checking that its sums agree.

    Raises:
        IntegrityError: One block size per link is not given, or the sizes do not add up to ``filesize``.
    """
    if len(fs.blocksizes) != links:
        raise IntegrityError(f"malformed UnixFS file: {len(fs.blocksizes)} block sizes for {links} links")
    total = sum(fs.blocksizes) + (0 if fs.data is None else len(fs.data))
    if total > MAX_SIZE or (fs.filesize is not None and fs.filesize != total):
        raise IntegrityError(f"malformed UnixFS file: declares {fs.filesize} bytes, its blocks {total}")
    return total


def _packed(value: bytes) -> list[int]:
    sizes: list[int] = []
    at = 0
    while at < len(value):
        size, at = varint.decode(value, at, minimal=False)
        sizes.append(size)
    return sizes
