"""The two ways content is sealed: to a public key and with a shared key (spec: identity-and-auth §5, §12).

Bytes in, bytes out. Random bytes can be given only here, so that recorded cases can be repeated: with a nonce
used twice both ciphers break, and the public methods draw their own.
"""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from textile_aio.errors import DecryptionFailed, InvalidKey

_GCM_NONCE_SIZE = 12
_BOX_NONCE_SIZE = 24
_X25519_SIZE = 32
_BOX_HEAD_SIZE = _BOX_NONCE_SIZE + _X25519_SIZE

_PRIME = 2**255 - 19
_EDWARDS_D = -121665 * pow(121666, -1, _PRIME) % _PRIME


def seal_symmetric(key: bytes, plaintext: bytes, *, nonce: bytes | None = None) -> bytes:
    """AES-256-GCM: nonce (12 bytes), ciphertext, tag (16 bytes); no additional data."""
    nonce = os.urandom(_GCM_NONCE_SIZE) if nonce is None else nonce
    return nonce + AESGCM(key).encrypt(nonce, plaintext, None)


def open_symmetric(key: bytes, sealed: bytes) -> bytes:
    """The plaintext of :func:`seal_symmetric`.

    Raises:
        DecryptionFailed: The bytes are too few, were altered, or were sealed with another key.
    """
    if len(sealed) < _GCM_NONCE_SIZE:
        raise DecryptionFailed("malformed cipher text")
    try:
        return AESGCM(key).decrypt(sealed[:_GCM_NONCE_SIZE], sealed[_GCM_NONCE_SIZE:], None)
    except InvalidTag:
        raise DecryptionFailed("cannot decrypt: another key, or the cipher text was altered") from None


def seal_to_public(
    public: bytes, plaintext: bytes, *, ephemeral: bytes | None = None, nonce: bytes | None = None
) -> bytes:
    """A NaCl box to an Ed25519 public key: nonce (24 bytes), ephemeral X25519 public key (32 bytes), box.

    Raises:
        InvalidKey: The key is not a point of the curve, or one to which everybody could open the box.
    """
    from nacl import bindings, exceptions  # loaded by the first use: few programs seal anything

    recipient = _to_x25519(public)
    ephemeral = os.urandom(_X25519_SIZE) if ephemeral is None else ephemeral
    nonce = os.urandom(_BOX_NONCE_SIZE) if nonce is None else nonce
    try:
        box = bindings.crypto_box(plaintext, nonce, recipient, ephemeral)
    except exceptions.CryptoError:
        raise InvalidKey("cannot encrypt to this public key: it is a point of small order") from None
    return b"".join((nonce, bindings.crypto_scalarmult_base(ephemeral), box))


def open_with_seed(seed: bytes, sealed: bytes) -> bytes:
    """The plaintext of :func:`seal_to_public`, for the holder of the Ed25519 seed (32 bytes).

    Raises:
        DecryptionFailed: The bytes are too few, were altered, or were sealed to another key.
    """
    from nacl import bindings, exceptions

    if len(sealed) < _BOX_HEAD_SIZE:
        raise DecryptionFailed("malformed cipher text")
    nonce, sender, box = (
        sealed[:_BOX_NONCE_SIZE],
        sealed[_BOX_NONCE_SIZE:_BOX_HEAD_SIZE],
        sealed[_BOX_HEAD_SIZE:],
    )
    secret = hashlib.sha512(seed).digest()[:_X25519_SIZE]
    try:
        opened: bytes = bindings.crypto_box_open(box, nonce, sender, secret)
    except exceptions.CryptoError:
        raise DecryptionFailed("failed to decrypt curve25519") from None
    return opened


@lru_cache(1024)
def _to_x25519(public: bytes) -> bytes:
    """The Montgomery form u = (1 + y) / (1 - y) of an Edwards point given by y and the sign of x.

    Done here because libsodium's conversion refuses keys outside the prime-order group, which peers accept.
    """
    y = int.from_bytes(public, "little") & (1 << 255) - 1
    y %= _PRIME
    square = y * y
    # x² = (y² - 1) / (d·y² + 1) has to be a square; multiplying by the divisor squared keeps that.
    x_square = (square - 1) * (_EDWARDS_D * square + 1)
    if pow(x_square, (_PRIME - 1) // 2, _PRIME) not in (0, 1):
        raise InvalidKey("cannot encrypt to this public key: it is not a point of the curve")
    u = (1 + y) * pow(1 - y, _PRIME - 2, _PRIME) % _PRIME
    return u.to_bytes(_X25519_SIZE, "little")
