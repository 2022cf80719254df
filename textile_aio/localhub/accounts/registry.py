"""Accounts, sessions, API keys and organisations, looked up from memory once read: every call asks for some.

Owns the caches, and what seals and names secrets. Whoever changes a row says so here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from textile_aio.identity import PublicKey
from textile_aio.localhub.accounts.vault import Vault
from textile_aio.localhub.cache import ReadThrough
from textile_aio.localhub.tokens import Tokens
from textile_aio.storage.changes import Batch
from textile_aio.storage.runner import StoreRunner
from textile_aio.storage.store import View
from textile_aio.storage.values import Account, AccountKind, ApiKey, KeyKind, Member, Role, Session


@dataclass(frozen=True, slots=True)
class KnownAccount:
    """An account with what it acts with.

    Attributes:
        row: As it is stored.
        identity: The text of its public key.
        token: Its identity's token, of this host.
    """

    row: Account
    identity: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class KnownKey:
    """An API key, opened.

    Attributes:
        id: What the store and the rows about threads call it.
        key: What callers send.
        secret: What they sign with.
        owner: Whose it is: a developer's or an organisation's public key.
        kind: Whom it stands for.
        secure: Whether calls must be signed.
        valid: Whether it may be used.
    """

    id: str
    key: str = field(repr=False)
    secret: str = field(repr=False)
    owner: bytes
    kind: KeyKind
    secure: bool
    valid: bool


@dataclass(frozen=True, slots=True)
class Organisation:
    """An organisation and who is in it, in the order they came."""

    account: Account
    members: tuple[Member, ...]

    def role(self, developer: bytes) -> Role | None:
        """What a developer is in it; None for a stranger."""
        for member in self.members:
            if member.account == developer:
                return member.role
        return None


class Registry:
    """Look-ups of one hub."""

    def __init__(self, store: StoreRunner, vault: Vault, tokens: Tokens, clock: Callable[[], int]) -> None:
        self.store: StoreRunner = store
        self.vault: Vault = vault
        self.tokens: Tokens = tokens
        self.clock: Callable[[], int] = clock
        self.closing: set[bytes] = set()
        """Accounts that are being taken away: nobody acts for them any more."""
        self._sessions: ReadThrough[str, Session] = ReadThrough(
            lambda id: store.read(lambda view: view.session(id))  # noqa: A006
        )
        self._accounts: ReadThrough[bytes, KnownAccount] = ReadThrough(self._load_account)
        self._api_keys: ReadThrough[str, KnownKey] = ReadThrough(self._load_key)
        self._organisations: ReadThrough[str, Organisation] = ReadThrough(self._load_organisation)

    async def session(self, text: str) -> Session | None:
        """The session that callers call by this text, expired or not."""
        return await self._sessions.get(self.vault.name(text))

    async def account(self, public_key: bytes) -> KnownAccount | None:
        """The account with that key."""
        found = await self._accounts.get(public_key)
        return None if found is None or public_key in self.closing else found

    async def api_key(self, text: str) -> KnownKey | None:
        """The API key that callers call by this text, valid or not."""
        found = await self._api_keys.get(self.vault.name(text))
        return None if found is None or found.owner in self.closing else found

    async def organisation(self, slug: str) -> Organisation | None:
        """The organisation with exactly this slug."""
        found = await self._organisations.get(slug)
        return None if found is None or found.account.public_key in self.closing else found

    def open_key(self, row: ApiKey) -> KnownKey:
        """An API key with its secrets."""
        key, _, secret = self.vault.open(row.sealed, row.key.encode()).decode().partition(" ")
        return KnownKey(row.key, key, secret, row.owner, row.kind, row.secure, row.valid)

    async def change(self, batch: Batch, then: Callable[[], object]) -> None:
        """Apply a batch, and then do what it makes necessary in memory, even if the caller is cancelled.

        Raises:
            StoreError: The batch was refused; nothing else was done.
        """
        try:
            await self.store.apply_to_end(batch)
        except asyncio.CancelledError:
            then()  # it was applied, most likely
            raise
        then()

    def forget_session(self, id: str) -> None:  # noqa: A002
        """A session was changed or deleted."""
        self._sessions.forget(id)

    def forget_key(self, id: str) -> None:  # noqa: A002
        """An API key was changed."""
        self._api_keys.forget(id)

    def forget_organisation(self, slug: str) -> None:
        """An organisation's members were changed."""
        self._organisations.forget(slug)

    def forget_all(self) -> None:
        """An account was taken away, and with it much that nobody can name."""
        for cache in (self._sessions, self._accounts, self._api_keys, self._organisations):
            cache.clear()

    async def _load_account(self, public_key: bytes) -> KnownAccount | None:
        row = await self.store.read(lambda view: view.account(public_key))
        if row is None:
            return None
        public = PublicKey.from_bytes(public_key)
        # Issued here and kept nowhere: it depends on nothing but the host's key.
        return KnownAccount(row, str(public), self.tokens.issue(public))

    async def _load_key(self, id: str) -> KnownKey | None:  # noqa: A002
        row = await self.store.read(lambda view: view.api_key(id))
        return None if row is None else self.open_key(row)

    async def _load_organisation(self, slug: str) -> Organisation | None:
        def look(view: View) -> Organisation | None:
            account = view.account_named(slug)
            if account is None or account.kind is not AccountKind.ORGANISATION or account.username != slug:
                return None
            return Organisation(account, tuple(view.members(account.public_key)))

        return await self.store.read(look)
