"""The IPNS key that gives a bucket its name (spec: buckets-api §5).

Upstream draws an RSA key, which takes a tenth of a second. An ECDSA key is as good: it is a libp2p key
type that IPNS knows, its protobuf is longer than 42 bytes too, so the name is a SHA-256 multihash and
looks exactly like upstream's, and it takes 20 µs.
"""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from textile_aio._codec import protowire
from textile_aio._codec.cid import LIBP2P_KEY, Cid
from textile_aio.storage.values import NameKey

_ECDSA = 3


def generate_name_key(thread: bytes, path: str, now: int) -> NameKey:
    """A new key; its CID is the bucket's key."""
    private = ec.generate_private_key(ec.SECP256R1())
    public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    secret = private.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    digest = hashlib.sha256(_marshal(public)).digest()
    return NameKey(
        cid=str(Cid.sha256(LIBP2P_KEY, digest)),
        private_key=_marshal(secret),
        thread=thread,
        path=path,
        created_at=now,
    )


def _marshal(data: bytes) -> bytes:
    """A libp2p key message: type, then data."""
    return protowire.varint_field(1, _ECDSA) + protowire.bytes_field(2, data)
