"""Who acts: Ed25519 key pairs, their text and byte forms, and what can sign for one.

An :class:`Identity` holds a private key in this process. Where the key must stay elsewhere (a wallet, a key
service), anything with ``public`` and an awaitable ``sign`` is a :class:`Signer` and serves as well. A
private key leaves only through :meth:`Identity.to_string` and :meth:`Identity.bytes`; ``str`` and ``repr``
show the public half.

The forms are libp2p's key messages (spec: identity-and-auth §2). What is read follows Go peers, except that
the public half stored beside a seed is not believed but derived again, as JavaScript peers do.
"""

from __future__ import annotations

import builtins
import hmac
import os
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from textile_aio import _sealing
from textile_aio._codec import multibase, protowire
from textile_aio._codec.peer import PeerID
from textile_aio.errors import InvalidEncoding, InvalidKey

_ED25519 = 1
_KNOWN_TYPES = {0: "RSA", 2: "Secp256k1", 3: "ECDSA"}
_TYPE_FIELD, _DATA_FIELD = 1, 2
_SIZE = 32


class PublicKey:
    """An Ed25519 public key: names an identity, verifies its signatures, seals content for it.

    Immutable and hashable; equal when the key is. ``str`` is the text form used in tokens and roles
    (``bbaarei…``, 59 characters), ``bytes`` the protobuf form (36 bytes).
    """

    __slots__ = ("_key", "_raw", "_text")

    def __init__(self, raw: builtins.bytes) -> None:
        """From the 32 bytes of the key alone.

        Raises:
            InvalidKey: There are not 32 of them.
        """
        if len(raw) != _SIZE:
            raise InvalidKey(f"expect ed25519 public key data size to be {_SIZE}, got {len(raw)}")
        self._raw = builtins.bytes(raw)
        self._key: Ed25519PublicKey | None = None
        self._text = ""

    @classmethod
    def from_bytes(cls, marshalled: builtins.bytes) -> PublicKey:
        """From the protobuf form.

        Raises:
            InvalidKey: The message is malformed, of another key type, or its data has not 32 bytes.
        """
        return cls(_unmarshal(marshalled))

    @classmethod
    def from_string(cls, text: str) -> PublicKey:
        """From the text form, in any multibase.

        Raises:
            InvalidKey: As :meth:`from_bytes`, or the text is no multibase.
        """
        return cls.from_bytes(_decode_text(text))

    @property
    def raw(self) -> builtins.bytes:
        """The key alone, 32 bytes."""
        return self._raw

    @property
    def bytes(self) -> builtins.bytes:
        """The protobuf form, 36 bytes."""
        return _marshal(self._raw)

    @property
    def peer_id(self) -> PeerID:
        """The id of a host that has this key."""
        return PeerID.from_public_key(self.bytes)

    def verify(self, data: builtins.bytes, signature: builtins.bytes) -> bool:
        """Whether ``signature`` is this identity's over exactly ``data``; of a wrong length it never is."""
        if self._key is None:
            self._key = Ed25519PublicKey.from_public_bytes(self._raw)
        try:
            self._key.verify(signature, data)
        except InvalidSignature:
            return False
        return True

    def encrypt(self, plaintext: builtins.bytes) -> builtins.bytes:
        """Seal content so that only this identity can open it; 72 bytes longer, another result every time.

        Raises:
            InvalidKey: Nothing can be sealed to this key: it is no point of the curve, or everybody could
                open it.

        Note:
            Format of spec: identity-and-auth §12, the same in Go and JavaScript.
        """
        return _sealing.seal_to_public(self._raw, plaintext)

    def __bytes__(self) -> builtins.bytes:
        return self.bytes

    def __str__(self) -> str:
        if not self._text:
            self._text = multibase.encode(self.bytes)
        return self._text

    def __repr__(self) -> str:
        return f"PublicKey({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return self._raw == other._raw if isinstance(other, PublicKey) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._raw)

    def __reduce__(self) -> tuple[type[PublicKey], tuple[builtins.bytes]]:
        return PublicKey, (self._raw,)


class Signer(Protocol):
    """Something that signs for one identity, wherever its private key is."""

    @property
    def public(self) -> PublicKey:
        """The public key that verifies what :meth:`sign` returns."""
        ...

    async def sign(self, message: bytes) -> bytes:
        """An Ed25519 signature (64 bytes) over exactly ``message``."""
        ...


class Identity:
    """An Ed25519 key pair held in this process.

    Immutable and hashable; equal when the private key is, compared in constant time. Pickles carry the
    private key, so that worker processes can act for the same identity: treat them as the key itself.
    """

    __slots__ = ("_key", "_public", "_seed")

    def __init__(self, seed: builtins.bytes) -> None:
        """From the 32-byte seed; the same as :meth:`from_seed`.

        Raises:
            InvalidKey: The seed has not 32 bytes.
        """
        if len(seed) != _SIZE:
            raise InvalidKey(f"an ed25519 seed has {_SIZE} bytes, got {len(seed)}")
        self._seed = builtins.bytes(seed)
        self._key = Ed25519PrivateKey.from_private_bytes(self._seed)
        self._public = PublicKey(self._key.public_key().public_bytes_raw())

    @classmethod
    def generate(cls) -> Identity:
        """A new identity from the system's random source."""
        return cls(os.urandom(_SIZE))

    @classmethod
    def from_seed(cls, seed: builtins.bytes) -> Identity:
        """The identity of a 32-byte seed.

        Raises:
            InvalidKey: The seed has not 32 bytes.
        """
        return cls(seed)

    @classmethod
    def from_bytes(cls, marshalled: builtins.bytes) -> Identity:
        """From the protobuf form: seed and public key (64 bytes), or the older one with two public keys (96).

        Only the seed is believed. A public key's message is refused, although peers in JavaScript would take
        it for a seed.

        Raises:
            InvalidKey: The message is malformed, of another key type, or of neither form.
        """
        data = _unmarshal(marshalled)
        if len(data) == 3 * _SIZE:
            if data[_SIZE : 2 * _SIZE] != data[2 * _SIZE :]:
                raise InvalidKey("expected redundant ed25519 public key to be redundant")
        elif len(data) != 2 * _SIZE:
            raise InvalidKey(f"expected ed25519 data size to be {2 * _SIZE} or {3 * _SIZE}, got {len(data)}")
        return cls(data[:_SIZE])

    @classmethod
    def from_string(cls, text: str) -> Identity:
        """From the text form of the private key (``bbaareq…``), in any multibase.

        Raises:
            InvalidKey: As :meth:`from_bytes`, or the text is no multibase. The message never contains the
                text.
        """
        return cls.from_bytes(_decode_text(text))

    @property
    def public(self) -> PublicKey:
        """The public half."""
        return self._public

    @property
    def seed(self) -> builtins.bytes:
        """The private key's seed, 32 bytes."""
        return self._seed

    @property
    def bytes(self) -> builtins.bytes:
        """The private key in its protobuf form, 68 bytes."""
        return _marshal(self._seed + self._public.raw)

    def to_string(self) -> str:
        """The private key as text (``bbaareq…``, 110 characters), to be kept where secrets are kept."""
        return multibase.encode(self.bytes)

    def sign(self, message: builtins.bytes) -> builtins.bytes:
        """An Ed25519 signature (64 bytes) over exactly ``message``."""
        return self._key.sign(message)

    def decrypt(self, sealed: builtins.bytes) -> builtins.bytes:
        """Open what was sealed with :meth:`PublicKey.encrypt`, here or by a Go or JavaScript peer.

        Raises:
            DecryptionFailed: It was sealed to another identity, was altered, or is too short.
        """
        return _sealing.open_with_seed(self._seed, sealed)

    def __str__(self) -> str:
        return repr(self)

    def __repr__(self) -> str:
        return f"<Identity of {self._public}>"

    def __eq__(self, other: object) -> bool:
        return hmac.compare_digest(self._seed, other._seed) if isinstance(other, Identity) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._public)

    def __reduce__(self) -> tuple[type[Identity], tuple[builtins.bytes]]:
        return Identity, (self._seed,)


async def sign_with(signer: Identity | Signer, message: bytes) -> bytes:
    """The signature of an identity here, or of a signer elsewhere, over exactly ``message``."""
    if isinstance(signer, Identity):
        return signer.sign(message)
    return await signer.sign(message)


def _marshal(data: bytes) -> bytes:
    return protowire.varint_field(_TYPE_FIELD, _ED25519) + protowire.bytes_field(_DATA_FIELD, data)


def _unmarshal(marshalled: bytes) -> bytes:
    kind: int | bytes | None = None
    data: int | bytes | None = None
    try:
        for number, value in protowire.fields(marshalled):
            if number == _TYPE_FIELD:
                kind = value
            elif number == _DATA_FIELD:
                data = value
    except InvalidEncoding as error:
        raise InvalidKey(f"malformed key message: {error.message}") from None
    if not isinstance(kind, int) or not isinstance(data, bytes):
        raise InvalidKey("malformed key message: it needs a type and data")
    if kind in _KNOWN_TYPES:
        raise InvalidKey(f"keys of type {_KNOWN_TYPES[kind]} are not supported, only Ed25519")
    if kind != _ED25519:
        raise InvalidKey("invalid or unsupported key type")
    return data


def _decode_text(text: str) -> bytes:
    try:
        return multibase.decode(text)
    except InvalidEncoding as error:
        raise InvalidKey(error.message) from None
