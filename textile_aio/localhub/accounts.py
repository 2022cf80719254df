"""Developer accounts, their sessions and their API keys (spec: hub-accounts §4 to §6).

Owns creation and look-up; look-ups come from memory once read, since every call makes some. Knows
nothing of headers and of who may do what.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from textile_aio._codec import multibase
from textile_aio.errors import AlreadyExists, InvalidInput, StatusCode
from textile_aio.identity import Identity
from textile_aio.localhub.cache import ReadThrough
from textile_aio.localhub.tokens import Tokens
from textile_aio.storage.changes import Batch, CreateAccount, PutApiKey, PutSession
from textile_aio.storage.runner import StoreRunner
from textile_aio.storage.store import Duplicate, View
from textile_aio.storage.values import Account, AccountKind, ApiKey, KeyKind, Session

_USERNAME = re.compile(r"[a-zA-Z0-9]+(?:-[a-zA-Z0-9]+)?", re.ASCII)
_DAY = 24 * 60 * 60 * 1_000_000_000
_SESSION_LIFE = 1260 * _DAY


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


class Accounts:
    """The accounts of one hub."""

    def __init__(self, store: StoreRunner, tokens: Tokens, clock: Callable[[], int]) -> None:
        self._store = store
        self._tokens = tokens
        self._clock = clock
        self._sessions: ReadThrough[str, Session] = ReadThrough(
            lambda id: store.read(lambda view: view.session(id))  # noqa: A006
        )
        self._accounts: ReadThrough[bytes, Account] = ReadThrough(
            lambda key: store.read(lambda view: view.account(key))
        )
        self._api_keys: ReadThrough[str, ApiKey] = ReadThrough(
            lambda key: store.read(lambda view: view.api_key(key))
        )

    async def session(self, id: str) -> Session | None:  # noqa: A002
        """The session, expired or not."""
        return await self._sessions.get(id)

    async def account(self, public_key: bytes) -> Account | None:
        """The account with that key."""
        return await self._accounts.get(public_key)

    async def api_key(self, key: str) -> ApiKey | None:
        """The API key, valid or not."""
        return await self._api_keys.get(key)

    async def create(self, username: str, email: str = "") -> AccountCredentials:
        """Make a developer account with a session.

        Raises:
            InvalidInput: The name breaks the rule for names.
            AlreadyExists: Name or e-mail address are taken (names in any case).
        """
        if not _USERNAME.fullmatch(username):
            raise InvalidInput(
                "username may only contain alphanumeric characters or single hyphens, "
                "and cannot begin or end with a hyphen",
                about=username,
            )
        identity = Identity.generate()
        now = self._clock()
        account = Account(
            public_key=bytes(identity.public),
            private_key=identity.bytes,
            kind=AccountKind.DEVELOPER,
            username=username,
            email=email,
            token=self._tokens.issue(identity.public),
            created_at=now,
        )
        session = Session(id=make_token(44), account=account.public_key, expires_at=now + _SESSION_LIFE)
        try:
            await self._store.apply(Batch((CreateAccount(account), PutSession(session))))
        except Duplicate:
            raise AlreadyExists(
                "Account exists", code=StatusCode.FAILED_PRECONDITION, about=username
            ) from None
        return AccountCredentials(username, account.public_key, session.id)

    async def create_key(self, owner: bytes, kind: KeyKind, *, secure: bool) -> ApiKey:
        """Make an API key for an account."""
        key = ApiKey(
            key=make_token(16),
            secret=make_token(24),
            owner=owner,
            kind=kind,
            secure=secure,
            valid=True,
            created_at=self._clock(),
        )
        await self._store.apply(Batch((PutApiKey(key),)))
        return key

    async def invalidate_key(self, key: str) -> None:
        """Make every further call with ``key`` fail. Unknown keys are no error."""

        def stored(view: View) -> ApiKey | None:
            return view.api_key(key)

        row = await self._store.read(stored)
        if row is not None:
            await self._store.apply(Batch((PutApiKey(replace(row, valid=False)),)))
            self._api_keys.forget(key)

    async def extend(self, session: Session) -> None:
        """Move a session's expiry to its full life from now.

        Upstream writes this with every call. Written only once a day, nobody can tell the difference
        in 1260 days, and a call does not cost a disk write.
        """
        expires_at = self._clock() + _SESSION_LIFE
        if expires_at - session.expires_at > _DAY:
            await self._store.apply(Batch((PutSession(replace(session, expires_at=expires_at)),)))
            self._sessions.forget(session.id)


def make_token(size: int) -> str:
    """Multibase base32 of ``size`` random bytes: session ids, API keys and secrets are made so."""
    return multibase.encode(secrets.token_bytes(size))
