"""Secrets at rest: sealed with one key of the hub's, and looked up without being kept.

What has to be given out again (private keys, API secrets) is sealed with AES-256-GCM, bound to the row it
belongs to. What is only ever recognised (sessions, invitations, API keys as names) is kept as a keyed hash.
"""

from __future__ import annotations

import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from textile_aio._codec import multibase
from textile_aio.errors import DirectoryInvalid, InvalidEncoding, InvalidInput
from textile_aio.storage.changes import Batch, PutSetting
from textile_aio.storage.runner import StoreRunner
from textile_aio.storage.store import View

KEY_BYTES = 32

_NONCE_BYTES = 12
_MARK = "secrets"
_MARK_TEXT = b"textile-aio secrets"


class Vault:
    """Seals and names secrets with one key of 32 bytes."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(hmac.digest(key, b"textile-aio seal", "sha256"))
        self._naming = hmac.digest(key, b"textile-aio name", "sha256")

    @classmethod
    def generate(cls) -> Vault:
        """With a key that nobody else will ever have."""
        return cls(os.urandom(KEY_BYTES))

    @classmethod
    def from_string(cls, text: str) -> Vault:
        """With a key given as multibase text.

        Raises:
            InvalidInput: It is not 32 bytes.
        """
        try:
            key = multibase.decode(text)
        except InvalidEncoding as error:
            raise InvalidInput(f"the hub's secrets key is malformed: {error.message}") from None
        if len(key) != KEY_BYTES:
            raise InvalidInput(f"the hub's secrets key has {len(key)} bytes, not {KEY_BYTES}")
        return cls(key)

    def name(self, text: str) -> str:
        """What a secret is known by: 64 hexadecimal digits, the same every time."""
        return hmac.digest(self._naming, text.encode("utf-8", "surrogateescape"), "sha256").hex()

    def seal(self, secret: bytes, about: bytes) -> bytes:
        """A secret of the row that ``about`` names."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret, about)

    def open(self, sealed: bytes, about: bytes) -> bytes:
        """What :meth:`seal` sealed.

        Raises:
            DirectoryInvalid: It was sealed with another key, for another row, or is damaged.
        """
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], about)
        except (InvalidTag, ValueError):
            raise DirectoryInvalid("a secret of the hub cannot be opened: it is damaged") from None

    async def check(self, store: StoreRunner) -> None:
        """See that this is the key of what is in the store; an empty one takes it for its own.

        Raises:
            DirectoryInvalid: It is another one.
        """
        mark, sealed, about = await store.read(_sealed)
        try:
            if sealed:
                self.open(sealed, about)
        except DirectoryInvalid:
            raise DirectoryInvalid(
                "the secrets key is not the one that the hub's secrets were sealed with; give that one, or "
                "restore its file from a backup"
            ) from None
        if mark is None:
            await store.apply(Batch((PutSetting(_MARK, self.seal(_MARK_TEXT, b"")),)))


def _sealed(view: View) -> tuple[bytes | None, bytes, bytes]:
    """The mark, and something sealed with what it is bound to: older formats had accounts and no mark."""
    mark = view.setting(_MARK)
    if mark is not None:
        return mark, mark, b""
    account = next(iter(view.accounts()), None)
    return (None, b"", b"") if account is None else (None, account.private_key, account.public_key)
