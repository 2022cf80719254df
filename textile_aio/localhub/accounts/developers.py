"""Developers' accounts and their sessions (spec: hub-accounts §4.1, §4.4)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from textile_aio.errors import (
    AlreadyExists,
    FailedPrecondition,
    InvalidInput,
    InvalidSession,
    StatusCode,
)
from textile_aio.identity import Identity
from textile_aio.localhub.accounts.credentials import AccountCredentials, make_token
from textile_aio.localhub.accounts.registry import Registry
from textile_aio.localhub.live import LiveCalls
from textile_aio.storage.changes import (
    AddMember,
    Batch,
    CreateAccount,
    DeleteInvite,
    DeleteSession,
    Operation,
    PutSession,
)
from textile_aio.storage.store import Duplicate, Missing, View
from textile_aio.storage.values import Account, AccountKind, Member, Role, Session

NAME_RULE = (
    "username may only contain alphanumeric characters or single hyphens, "
    "and cannot begin or end with a hyphen"
)

_NAME = re.compile(r"[a-zA-Z0-9]+(?:-[a-zA-Z0-9]+)?", re.ASCII)
_NAME_BYTES = 1024
_DAY = 24 * 60 * 60 * 1_000_000_000
_SESSION_LIFE = 1260 * _DAY
_ATTEMPTS = 8


class Developers:
    """Makes developers' accounts, finds them, and keeps their sessions."""

    def __init__(self, registry: Registry, live: LiveCalls) -> None:
        self._registry = registry
        self._live = live

    async def create(self, username: str, email: str = "") -> AccountCredentials:
        """Make an account with a session. Organisations whose invitation was accepted have it as a member.

        Raises:
            InvalidInput: The name breaks the rule for names.
            AlreadyExists: Name or e-mail address are taken (names in any case).
        """
        check_name(username)
        registry = self._registry
        identity = Identity.generate()
        account = new_account(registry, identity, AccountKind.DEVELOPER, username=username, email=email)
        text, session = self._new_session(account.public_key)

        def founding(view: View) -> tuple[Operation, ...]:
            return (
                CreateAccount(account),
                PutSession(session),
                *_memberships(view, account, registry.clock()),
            )

        # In the address's turn: an invitation that is accepted meanwhile is seen, or sees the account.
        async with registry.store.turns.hold(("address", email or username)):
            await _apply(registry, founding, username)
        return AccountCredentials(username, account.public_key, text)

    async def is_taken(self, username: str) -> bool:
        """Whether somebody has exactly this name, a developer or an organisation."""
        found = await self._registry.store.read(lambda view: view.account_named(username))
        return found is not None and found.username == username

    async def find(self, name_or_email: str) -> Account | None:
        """The developer with exactly this name or e-mail address."""

        def look(view: View) -> Account | None:
            by_name = view.account_named(name_or_email)
            if by_name is not None and by_name.username == name_or_email:
                return by_name
            return view.account_by_email(name_or_email)

        found = await self._registry.store.read(look)
        return found if found is not None and found.kind is AccountKind.DEVELOPER else None

    async def begin_session(self, account: bytes) -> str:
        """A new session of an account; the text that callers send.

        Raises:
            InvalidSession: The account is gone.
        """
        text, session = self._new_session(account)
        async with self._registry.store.turns.hold(account):
            if await self._registry.account(account) is None:
                raise InvalidSession("the account is gone", code=StatusCode.UNAUTHENTICATED)
            await self._registry.store.apply_to_end(Batch((PutSession(session),)))
        return text

    async def end_session(self, id: str) -> None:  # noqa: A002
        """End a session, and the calls that came with it."""
        session = await self._registry.store.read(lambda view: view.session(id))
        if session is None:
            return
        # In the account's turn: nobody writes the session anew who has read it before.
        async with self._registry.store.turns.hold(session.account):
            await self._registry.change(Batch((DeleteSession(id),)), lambda: self._ended(id))

    async def extend(self, session: Session) -> None:
        """Move a session's expiry to its full life from now.

        Upstream writes this with every call. Written only once a day, nobody can tell the difference
        in 1260 days, and a call does not cost a disk write.
        """
        expires_at = self._registry.clock() + _SESSION_LIFE
        if expires_at - session.expires_at <= _DAY:
            return
        async with self._registry.store.turns.hold(session.account):
            # It may have ended since it was looked up, and must not come back.
            if await self._registry.store.read(lambda view: view.session(session.id)) is not None:
                later = replace(session, expires_at=expires_at)
                await self._registry.store.apply_to_end(Batch((PutSession(later),)))
                self._registry.forget_session(session.id)

    def identity(self, account: Account) -> bytes:
        """An account's private identity, libp2p protobuf bytes."""
        return self._registry.vault.open(account.private_key, account.public_key)

    def _ended(self, session: str) -> None:
        self._registry.forget_session(session)
        self._live.end(session)

    def _new_session(self, account: bytes) -> tuple[str, Session]:
        text = make_token(44)
        return text, Session(self._registry.vault.name(text), account, self._registry.clock() + _SESSION_LIFE)


def check_name(username: str) -> None:
    """See that a developer may have this name.

    Raises:
        InvalidInput: It breaks the rule (FAILED_PRECONDITION).
    """
    if len(username) > _NAME_BYTES or not _NAME.fullmatch(username):
        raise InvalidInput(NAME_RULE, code=StatusCode.FAILED_PRECONDITION, about=username)


def new_account(
    registry: Registry,
    identity: Identity,
    kind: AccountKind,
    *,
    username: str,
    email: str = "",
    name: str = "",
) -> Account:
    """The row of a new account."""
    public_key = bytes(identity.public)
    return Account(
        public_key=public_key,
        private_key=registry.vault.seal(identity.bytes, public_key),
        kind=kind,
        username=username,
        email=email,
        name=name,
        created_at=registry.clock(),
    )


def _memberships(view: View, account: Account, now: int) -> list[Operation]:
    """What becomes of invitations to whoever has the account's e-mail address."""
    operations: list[Operation] = []
    for invite in view.invites_to(account.email) if account.email else ():
        if invite.accepted:
            operations.append(AddMember(Member(invite.org, account.public_key, Role.MEMBER)))
        if invite.accepted or invite.expires_at < now:
            operations.append(DeleteInvite(invite.id))
    return operations


async def _apply(
    registry: Registry, founding: Callable[[View], tuple[Operation, ...]], username: str
) -> None:
    for _ in range(_ATTEMPTS):
        operations = await registry.store.read(founding)
        joins = any(isinstance(each, AddMember) for each in operations)
        try:
            await registry.change(Batch(operations), registry.forget_all if joins else _nothing)
        except Duplicate:
            break
        except Missing:
            continue  # an organisation that invited was removed meanwhile, and its invitation with it
        return
    else:
        raise FailedPrecondition(
            "organisations come and go too fast; try again", code=StatusCode.ABORTED, about=username
        )
    raise AlreadyExists("Account exists", code=StatusCode.FAILED_PRECONDITION, about=username)


def _nothing() -> None:
    """Nothing in memory is concerned."""
