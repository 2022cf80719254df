"""A UnixFS directory in one block, editable at the cost of its own bytes.

This module owns names, their order and the directory's encoding. It refuses to know paths, and the
blocks its entries point at: a child is a CID and a size. Directories in several blocks (HAMT) are
read by ``hamt``.

Links are kept encoded and sorted, so that an edit is a bisection and an encoding is one join. States of the
hash are kept along the way, so that an address costs only what follows the last edit: a push that adds file
after file to one folder wants it after each of them.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from textile_aio._codec.cid import DAG_PB, Cid
from textile_aio.errors import (
    IntegrityError,
    InvalidInput,
    InvalidPath,
    NotADirectory,
    PathNotFound,
    Unimplemented,
)
from textile_aio.unixfs import dagpb, fsnode
from textile_aio.unixfs.block import Addresses, Block, BytesLike
from textile_aio.unixfs.dagpb import Columns, Link
from textile_aio.unixfs.fsnode import NodeType

NOT_A_DIRECTORY = "expected protobuf dag node"
NO_SUCH_LINK = "no link by that name"

_STRIDE = 128
"""Pieces, of some 55 bytes, from one state of the hash to the next."""


class Entry(NamedTuple):
    """One entry of a directory. A tuple, because listings make thousands.

    Attributes:
        name: Its name. Bytes of a foreign name that are not UTF-8 appear as lone surrogates
            (``surrogateescape``), so that they survive an edit.
        cid: What it points at.
        tsize: Cumulative size of that, as the link declares it.
    """

    name: str
    cid: Cid
    tsize: int


def encode_name(name: str) -> bytes:
    """A name as it stands in a link.

    Raises:
        InvalidPath: It is empty, ``.`` or ``..``, contains ``/``, or is not text.
    """
    if name in {"", ".", ".."} or "/" in name:
        raise InvalidPath(f"{name!r} cannot be the name of a directory entry", about=name)
    key = lookup_key(name)
    if decode_name(key) != name:
        raise InvalidPath(f"{name!r} is not valid text", about=ascii(name))
    return key


def lookup_key(name: str) -> bytes:
    """A name to look for: any text may be asked for, whether or not an entry may be called so."""
    try:
        key = name.encode("utf-8", "surrogateescape")
        if decode_name(key) == name:
            return key
    except UnicodeEncodeError:
        pass
    # Not how any name reads: a key that no such text leads to.
    return name.encode("utf-8", "surrogatepass")


def decode_name(name: bytes) -> str:
    """A link's name as text; see :class:`Entry`."""
    return name.decode("utf-8", "surrogateescape")


class Directory:
    """The entries of one directory, sorted bytewise by name.

    A fresh one is empty. One that was decoded keeps what its block said beyond names and links (mode
    and times), and entries whose names this class would refuse, until they are removed.
    """

    __slots__ = ("_cids", "_hashes", "_names", "_pieces", "_size", "_tsizes", "_tsum")

    def __init__(self) -> None:
        self._start(fsnode.DIRECTORY_DATA)

    def _start(self, message: bytes) -> None:
        data = dagpb.encode_data(message)
        self._names: list[bytes] = []
        self._cids: list[bytes] = []
        self._tsizes: list[int] = []
        # The encoded links in order, and after them the encoded data field.
        self._pieces: list[bytes] = [data]
        # The hash of nothing, of the first _STRIDE pieces, of twice as many, as far as they were needed.
        self._hashes = [hashlib.sha256()]
        self._size = len(data)
        self._tsum = 0

    @classmethod
    def decode(cls, block: BytesLike) -> Directory:
        """Read a directory's block.

        Raises:
            NotADirectory: It is a node of another type: ``expected protobuf dag node``, which is what Go
                says of a raw leaf there (spec: buckets-api §6).
            Unimplemented: It is a directory in several blocks (HAMT).
            IntegrityError: The bytes are not a UnixFS node.
        """
        return cls.from_columns(dagpb.columns(block))

    @classmethod
    def from_columns(cls, node: Columns) -> Directory:
        """Take over a decoded node, whose lists it may keep. Raises as :meth:`decode`."""
        kind = fsnode.of(node).type
        if kind is NodeType.HAMT_SHARD:
            raise Unimplemented("a sharded (HAMT) directory can be read, but not changed")
        if kind is not NodeType.DIRECTORY or node.data is None:
            raise NotADirectory(NOT_A_DIRECTORY)
        directory = cls()
        directory._start(node.data)
        names, cids, tsizes, pieces = _sorted(node)
        directory._size += sum(map(len, pieces))
        directory._names, directory._cids, directory._tsizes = names, cids, tsizes
        directory._pieces[:0] = pieces
        directory._tsum = sum(tsizes)
        if directory.cumulative_size > dagpb.MAX_SIZE:
            raise IntegrityError(f"a directory cannot hold {directory.cumulative_size} bytes")
        return directory

    def set(self, name: str, cid: Cid, tsize: int) -> None:
        """Add an entry, or replace whatever has that name.

        Args:
            name: Neither empty, ``.`` nor ``..``, and without ``/``.
            cid: What it points at.
            tsize: Cumulative size of that, in bytes.

        Raises:
            InvalidPath: The name is refused.
            InvalidInput: ``tsize`` is negative, or the directory would be larger than 2^63-1 bytes.
        """
        key = encode_name(name)
        start, stop = self._span(key)
        replaced = sum(self._tsizes[start:stop])
        if not 0 <= tsize <= dagpb.MAX_SIZE - self.cumulative_size + replaced:
            raise InvalidInput(f"{tsize} is no size for an entry of this directory", about=name)
        self._delete(start, stop)
        piece = dagpb.encode_link(Link(key, cid, tsize))
        self._names.insert(start, key)
        self._cids.insert(start, cid.bytes)
        self._tsizes.insert(start, tsize)
        self._pieces.insert(start, piece)
        self._unhash(start)
        self._size += len(piece)
        self._tsum += tsize

    def remove(self, name: str) -> None:
        """Remove an entry.

        Raises:
            PathNotFound: There is none: ``no link by that name`` (spec: buckets-api §2).
        """
        start, stop = self._span(lookup_key(name))
        if start == stop:
            raise PathNotFound(NO_SUCH_LINK, about=name)
        self._delete(start, stop)

    def _span(self, key: bytes) -> tuple[int, int]:
        """Where the entries called ``key`` are: at most one, unless a foreign block has several."""
        return bisect_left(self._names, key), bisect_right(self._names, key)

    def _delete(self, start: int, stop: int) -> None:
        self._size -= sum(map(len, self._pieces[start:stop]))
        self._tsum -= sum(self._tsizes[start:stop])
        for column in (self._names, self._cids, self._tsizes, self._pieces):
            del column[start:stop]
        self._unhash(start)

    def _unhash(self, start: int) -> None:
        """Forget the states that hold the piece at ``start``."""
        del self._hashes[start // _STRIDE + 1 :]

    def get(self, name: str) -> Entry | None:
        """The entry of that name, or None; the first if a foreign block has several."""
        start, stop = self._span(lookup_key(name))
        if start == stop:
            return None
        return Entry(name, Cid.from_bytes(self._cids[start]), self._tsizes[start])

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries())

    def entries(self) -> list[Entry]:
        """All entries, sorted bytewise by name."""
        return list(map(Entry, map(decode_name, self._names), map(Cid.from_bytes, self._cids), self._tsizes))

    @property
    def cumulative_size(self) -> int:
        """Bytes of the directory's own block and of everything below: the Tsize of a link to it."""
        return self._size + self._tsum

    def address(self, cid_version: int = 1) -> Cid:
        """The address of the directory's block."""
        pieces, hashes = self._pieces, self._hashes
        start = (len(hashes) - 1) * _STRIDE
        while start + _STRIDE <= len(pieces):
            hashes.append(_hash_on(hashes[-1], pieces[start : start + _STRIDE]))
            start += _STRIDE
        return Cid.sha256(DAG_PB, _hash_on(hashes[-1], pieces[start:]).digest(), cid_version)

    def encode(self, cid_version: int = 1) -> Block:
        """The directory's block. Entries keep the versions of their own CIDs."""
        return Block(self.address(cid_version), b"".join(self._pieces), Addresses(tuple(self._cids)))


def entries(node: Columns) -> list[Entry]:
    """The entries of a node that is known to be a directory, sorted bytewise by name."""
    names, cids, tsizes, _ = _sorted(node)
    return list(map(Entry, map(decode_name, names), map(Cid.from_bytes, cids), tsizes))


def _sorted(node: Columns) -> tuple[list[bytes], list[bytes], list[int], list[bytes]]:
    """The columns of a node's links by name. Go sorts when it writes: equal names keep their order."""
    names = sorted(node.names)
    if names == node.names:
        return node.names, node.cids, node.tsizes, node.written
    order = sorted(range(len(names)), key=node.names.__getitem__)
    return (
        names,
        [node.cids[at] for at in order],
        [node.tsizes[at] for at in order],
        [node.written[at] for at in order],
    )


def _hash_on(state: hashlib._Hash, pieces: list[bytes]) -> hashlib._Hash:
    state = state.copy()
    state.update(b"".join(pieces))
    return state
