"""What an embedded hub hands out, and how secrets are drawn."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from textile_aio._codec import multibase


@dataclass(frozen=True, slots=True)
class AccountCredentials:
    """A new account of an embedded hub.

    Attributes:
        username: As given.
        public_key: The account's public key, libp2p protobuf bytes.
        session: The session to call with (``AuthContext().with_session``); it is a secret.
    """

    username: str
    public_key: bytes
    session: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ApiKeyCredentials:
    """A new API key of an embedded hub.

    Attributes:
        key: The key's name, sent with each call.
        secret: What signatures are made with; it never travels.
        secure: Whether the hub demands signatures.
        user_group: Whether the key stands for a group of users, each with a token of their own, or for
            the account.
    """

    key: str = field(repr=False)
    secret: str = field(repr=False)
    secure: bool
    user_group: bool


def make_token(size: int) -> str:
    """Multibase base32 of ``size`` random bytes: session ids, API keys and secrets are made so."""
    return multibase.encode(secrets.token_bytes(size))
