"""One shared key of 32 bytes and its cipher: thread keys are made of these."""

from __future__ import annotations

import builtins
import hmac
import os

from textile_aio import _sealing
from textile_aio.errors import InvalidKey

SIZE = 32


class SymmetricKey:
    """An AES-256-GCM key. Immutable, hashable, compared in constant time; ``repr`` shows nothing of it."""

    __slots__ = ("_raw",)

    def __init__(self, raw: builtins.bytes) -> None:
        """From its 32 bytes.

        Raises:
            InvalidKey: There are not 32 of them.
        """
        if len(raw) != SIZE:
            raise InvalidKey(f"invalid key: a symmetric key has {SIZE} bytes, got {len(raw)}")
        self._raw = builtins.bytes(raw)

    @classmethod
    def random(cls) -> SymmetricKey:
        """A new key from the system's random source."""
        return cls(os.urandom(SIZE))

    @property
    def bytes(self) -> builtins.bytes:
        """The key itself, 32 bytes."""
        return self._raw

    def seal(self, plaintext: builtins.bytes) -> builtins.bytes:
        """Encrypt and authenticate: nonce (12 bytes), ciphertext, tag (16 bytes); another result every time.

        Note:
            spec: identity-and-auth §5.
        """
        return _sealing.seal_symmetric(self._raw, plaintext)

    def open(self, sealed: builtins.bytes) -> builtins.bytes:
        """The plaintext of what :meth:`seal` made.

        Raises:
            DecryptionFailed: It was sealed with another key, was altered, or is too short.
        """
        return _sealing.open_symmetric(self._raw, sealed)

    def __bytes__(self) -> builtins.bytes:
        return self._raw

    def __repr__(self) -> str:
        return "<SymmetricKey>"

    def __eq__(self, other: object) -> bool:
        return (
            hmac.compare_digest(self._raw, other._raw) if isinstance(other, SymmetricKey) else NotImplemented
        )

    def __hash__(self) -> int:
        return hash(self._raw)

    def __reduce__(self) -> tuple[type[SymmetricKey], tuple[builtins.bytes]]:
        return SymmetricKey, (self._raw,)
