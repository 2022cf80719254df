"""Peer ids: the multihash of a host's public key (spec: identity-and-auth §3)."""

from __future__ import annotations

import builtins
import hashlib
from dataclasses import dataclass

from textile_aio._codec import multibase, multihash
from textile_aio._codec.cid import LIBP2P_KEY, Cid
from textile_aio.errors import InvalidEncoding

_LONGEST_INLINE_KEY = 42


@dataclass(frozen=True, slots=True)
class PeerID:
    """The id of a host in the peer-to-peer network. ``str`` gives base58: ``12D3KooW…`` for an Ed25519 key.

    Attributes:
        bytes: A multihash: of kind identity where the key is short, sha2-256 otherwise.
    """

    bytes: builtins.bytes

    def __post_init__(self) -> None:
        code, _ = multihash.decode(self.bytes)
        if code not in (multihash.IDENTITY, multihash.SHA2_256):
            raise InvalidEncoding(f"a peer id is an identity or sha2-256 multihash, got kind {code:#x}")

    @classmethod
    def from_public_key(cls, marshalled: builtins.bytes) -> PeerID:
        """The id of the host with this public key, given in its protobuf form."""
        if len(marshalled) <= _LONGEST_INLINE_KEY:
            return cls(multihash.encode(multihash.IDENTITY, marshalled))
        return cls(multihash.encode(multihash.SHA2_256, hashlib.sha256(marshalled).digest()))

    @classmethod
    def parse(cls, text: str) -> PeerID:
        """From base58 text (``12D3KooW…``, ``Qm…``) or a CID of a libp2p key (``bafzaa…``, any multibase).

        Raises:
            InvalidEncoding: The text is neither.
        """
        if text.startswith(("1", "Qm")):
            return cls(multibase.decode58(text))
        cid = Cid.parse(text)
        if cid.codec != LIBP2P_KEY:
            raise InvalidEncoding(f"a peer id's CID has codec {LIBP2P_KEY:#x}, got {cid.codec:#x}")
        return cls(cid.multihash)

    @property
    def cid(self) -> Cid:
        """The same id as a CID."""
        return Cid(1, LIBP2P_KEY, self.bytes)

    def __bytes__(self) -> builtins.bytes:
        return self.bytes

    def __str__(self) -> str:
        return multibase.encode58(self.bytes)
