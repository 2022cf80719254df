"""The encrypted container of private buckets, with a 64-byte key (spec: buckets-api §7).

Owns its bytes: a version, an initial counter block, AES-256-CTR, and at the end an HMAC-SHA512 over all but
the version. Because the check stands at the end, whoever opens a large one reads it twice: a
:class:`Verifier` first, and only then a :class:`Decrypter`, which may begin anywhere. Refuses to know files,
blocks and buckets.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from typing import TypeAlias

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.constant_time import bytes_eq
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.hmac import HMAC

from textile_aio.errors import DecryptionFailed, InvalidKey, StatusCode

BytesLike: TypeAlias = bytes | bytearray | memoryview

KEY_SIZE = 64
"""32 bytes for AES, then 32 for the HMAC."""

VERSION = bytes(4)
IV_SIZE = 16
HEADER_SIZE = len(VERSION) + IV_SIZE
TAG_SIZE = 64
OVERHEAD = HEADER_SIZE + TAG_SIZE
"""By how many bytes a container is longer than what is in it."""

CORRUPT = "message corrupt or incorrect password"


def generate_key() -> bytes:
    """A new random key."""
    return secrets.token_bytes(KEY_SIZE)


def key_text(key: bytes) -> str:
    """A key as documents and messages carry it: base64 with padding."""
    return base64.b64encode(key).decode("ascii")


def parse_key(text: str) -> bytes:
    """The key in its text form.

    Raises:
        InvalidKey: It is not base64, or not of 64 bytes (``expected key with length 64, got N``).
    """
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidKey("a container's key is not base64", code=StatusCode.UNKNOWN) from None
    _check_key(key)
    return key


class Encrypter:
    """Makes one container, piece by piece.

    What :meth:`begin`, every :meth:`update` and :meth:`finish` return is the container, in this order. Memory
    does not grow with it. Not for two threads at once; the work releases the GIL.

    Args:
        key: 64 bytes.
        iv: The initial counter block; random unless tests want to know it. Two containers under one key must
            never share it.

    Raises:
        InvalidKey: The key has another length.
    """

    def __init__(self, key: bytes, iv: bytes | None = None) -> None:
        _check_key(key)
        self._iv = secrets.token_bytes(IV_SIZE) if iv is None else iv
        self._cipher = Cipher(AES256(key[:32]), CTR(self._iv)).encryptor()
        self._mac = HMAC(key[32:], SHA512())

    def begin(self) -> bytes:
        """The header."""
        self._mac.update(self._iv)
        return VERSION + self._iv

    def update(self, data: BytesLike) -> bytes:
        """The next bytes, encrypted: as many as were given."""
        sealed = self._cipher.update(data)
        self._mac.update(sealed)
        return sealed

    def finish(self) -> bytes:
        """What closes the container."""
        return self._mac.finalize()


class Verifier:
    """Checks one container, piece by piece, without letting out what is in it.

    Args:
        key: 64 bytes.
        size: Bytes of the whole container.

    Attributes:
        header: Its first bytes, once they were given.

    Raises:
        InvalidKey: The key has another length.
        DecryptionFailed: It is too short to be a container.
    """

    def __init__(self, key: bytes, size: int) -> None:
        _check_key(key)
        if size < OVERHEAD:
            raise corrupt()
        self.header: bytes = b""
        self._mac = HMAC(key[32:], SHA512())
        self._sealed = size - OVERHEAD
        self._tag = bytearray()

    def update(self, data: BytesLike) -> None:
        """Take the next bytes."""
        view = memoryview(data)
        if len(self.header) < HEADER_SIZE:
            taken = HEADER_SIZE - len(self.header)
            self.header += bytes(view[:taken])
            view = view[taken:]
            if len(self.header) == HEADER_SIZE:
                check_version(self.header)
                self._mac.update(self.header[len(VERSION) :])
        body = view[: self._sealed]
        if body:
            self._mac.update(body)
            self._sealed -= len(body)
        self._tag += view[len(body) :]

    def finish(self) -> None:
        """All bytes were given.

        Raises:
            DecryptionFailed: It was made with another key, or altered (``message corrupt or incorrect
                password``).
        """
        if self._sealed or not bytes_eq(bytes(self._tag), self._mac.finalize()):
            raise corrupt()


class Decrypter:
    """Opens the content of a container that was verified, from any byte on.

    Args:
        key: 64 bytes.
        header: The container's first 20 bytes.
        offset: The first byte of the content that will be given.

    Raises:
        DecryptionFailed: The header is of another version.
    """

    def __init__(self, key: bytes, header: bytes, *, offset: int = 0) -> None:
        _check_key(key)
        check_version(header)
        block, skipped = divmod(offset, IV_SIZE)
        counter = (int.from_bytes(header[len(VERSION) : HEADER_SIZE], "big") + block) % (1 << 128)
        self._cipher = Cipher(AES256(key[:32]), CTR(counter.to_bytes(IV_SIZE, "big"))).decryptor()
        self._cipher.update(bytes(skipped))

    def update(self, data: BytesLike) -> bytes:
        """The next bytes in clear."""
        return self._cipher.update(data)


def encrypt(key: bytes, data: BytesLike, iv: bytes | None = None) -> bytes:
    """A container of some bytes. Raises as :class:`Encrypter`."""
    encrypter = Encrypter(key, iv)
    return encrypter.begin() + encrypter.update(data) + encrypter.finish()


def decrypt(key: bytes, container: BytesLike) -> bytes:
    """What is in a container. Raises as :class:`Verifier` and its methods."""
    verifier = Verifier(key, len(container))
    verifier.update(container)
    verifier.finish()
    content = memoryview(container)[HEADER_SIZE : len(container) - TAG_SIZE]
    return Decrypter(key, verifier.header).update(content)


def check_version(header: bytes) -> None:
    """Refuse a container that was made otherwise (``unknown decrypter for version(N)``)."""
    if header[: len(VERSION)] != VERSION:
        number = int.from_bytes(header[: len(VERSION)], "little")
        raise DecryptionFailed(f"unknown decrypter for version({number})", code=StatusCode.UNKNOWN)


def corrupt() -> DecryptionFailed:
    """The refusal of a container that does not fit its key."""
    return DecryptionFailed(CORRUPT, code=StatusCode.UNKNOWN)


def _check_key(key: bytes) -> None:
    if len(key) != KEY_SIZE:
        raise InvalidKey(f"expected key with length {KEY_SIZE}, got {len(key)}", code=StatusCode.UNKNOWN)
