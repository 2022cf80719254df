"""A block and its address.

This module owns the pair of bytes and CID, and the one check that they belong together. It refuses
to know what the bytes mean.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias, overload

from textile_aio._codec.cid import Cid
from textile_aio._codec.multihash import SHA2_256_PREFIX
from textile_aio.errors import IntegrityError

BytesLike: TypeAlias = bytes | bytearray | memoryview


class Addresses(Sequence[Cid]):
    """CIDs that are kept in binary form, and made when they are looked at: a directory has thousands."""

    __slots__ = ("binary",)

    def __init__(self, binary: tuple[bytes, ...]) -> None:
        self.binary: tuple[bytes, ...] = binary

    @overload
    def __getitem__(self, index: int) -> Cid: ...

    @overload
    def __getitem__(self, index: slice) -> Addresses: ...

    def __getitem__(self, index: int | slice) -> Cid | Addresses:
        if isinstance(index, slice):
            return Addresses(self.binary[index])
        return Cid.from_bytes(self.binary[index])

    def __iter__(self) -> Iterator[Cid]:
        return map(Cid.from_bytes, self.binary)

    def __len__(self) -> int:
        return len(self.binary)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))


@dataclass(frozen=True, slots=True)
class Block:
    """Bytes, their address, and the addresses they refer to.

    Attributes:
        cid: The address.
        data: The bytes. May be a view of a buffer that was fed to an importer: store the block
            before that buffer is used again.
        links: The children's addresses in the order of the node's links, so that a collector can
            walk without parsing.
    """

    cid: Cid
    data: BytesLike
    links: Sequence[Cid] = ()

    @property
    def addresses(self) -> tuple[bytes, ...]:
        """``links`` in binary form."""
        if isinstance(self.links, Addresses):
            return self.links.binary
        return tuple([link.bytes for link in self.links])

    @classmethod
    def of(cls, codec: int, data: BytesLike, *, cid_version: int = 1, links: Sequence[Cid] = ()) -> Block:
        """Hash ``data`` into a block. ``cid_version`` 0 is for dag-pb only."""
        return cls(Cid.sha256(codec, hashlib.sha256(data).digest(), cid_version), data, links)


def verify(cid: Cid, data: BytesLike) -> None:
    """Check that ``data`` hashes to ``cid``.

    Raises:
        IntegrityError: It does not, or ``cid`` uses a hash other than sha2-256.
    """
    if not cid.multihash.startswith(SHA2_256_PREFIX):
        raise IntegrityError(f"block {cid} cannot be checked: its hash is not sha2-256", about=str(cid))
    digest = hashlib.sha256(data).digest()
    if digest != cid.digest:
        actual = Cid.sha256(cid.codec, digest, cid.version)
        raise IntegrityError(f"block {cid} holds the bytes of {actual}", about=str(cid))
