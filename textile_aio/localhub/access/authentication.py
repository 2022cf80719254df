"""From headers to a caller (spec: identity-and-auth §10.2, §10.3; hub-accounts §3).

Sans I/O but for account look-ups. The order of the checks is the specification's: clients see the
first that fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from textile_aio.errors import (
    ApiKeyNotFound,
    InvalidInput,
    InvalidSession,
    InvalidToken,
    MethodBlocked,
    NotFound,
    PermissionDenied,
    StatusCode,
    TokenRequired,
    Unauthenticated,
)
from textile_aio.identity import PublicKey
from textile_aio.ids import ThreadID
from textile_aio.localhub import tokens
from textile_aio.localhub.access import methods
from textile_aio.localhub.access.caller import Caller, Credential
from textile_aio.localhub.access.signatures import Signatures
from textile_aio.localhub.accounts import Accounts
from textile_aio.localhub.accounts.registry import KnownAccount, KnownKey
from textile_aio.storage.values import AccountKind, KeyKind


class Authentication:
    """Recognises callers of a hub with accounts."""

    def __init__(self, accounts: Accounts, issued: tokens.Tokens, clock: Callable[[], int]) -> None:
        self._registry = accounts.registry
        self._developers = accounts.developers
        self._tokens = issued
        self._clock = clock
        self._signatures = Signatures(clock)

    async def recognise(self, method: str, headers: Mapping[str, str]) -> Caller:
        """Who calls ``method``.

        Raises:
            MethodBlocked: The method is not served on a hub.
            Unauthenticated: No or bad credentials (and its subclasses).
            NotFound: The account or API key is gone.
            PermissionDenied: Not a member of the organisation; a token that is none.
        """
        if method in methods.NO_AUTH:
            return Caller()
        if method in methods.BLOCKED:
            raise MethodBlocked("Method is not accessible", code=StatusCode.PERMISSION_DENIED)
        sent = read_common(headers)
        session = headers.get("x-textile-session", "")
        if session:
            return await self._by_session(session, headers.get("x-textile-org", ""), sent)
        key = headers.get("x-textile-api-key", "")
        if not key:
            raise Unauthenticated("Session or API key required", code=StatusCode.UNAUTHENTICATED)
        return await self._by_key(method, key, headers, sent)

    async def _by_session(self, text: str, slug: str, sent: Caller) -> Caller:
        session = await self._registry.session(text)
        if session is None:
            raise InvalidSession("Invalid session", code=StatusCode.UNAUTHENTICATED)
        if session.expires_at < self._clock():
            raise InvalidSession("Expired session", code=StatusCode.UNAUTHENTICATED)
        developer = await self._registry.account(session.account)
        if developer is None:
            raise NotFound("User not found", code=StatusCode.NOT_FOUND)
        acting = developer
        if slug:
            acting = await self._organisation(slug, session.account)
        await self._developers.extend(session)
        return replace(
            _acting_for(acting, sent, Credential.SESSION),
            account=session.account,
            org=slug,
            session=session.id,
        )

    async def _organisation(self, slug: str, developer: bytes) -> KnownAccount:
        organisation = await self._registry.organisation(slug)
        if organisation is None or organisation.role(developer) is None:
            raise PermissionDenied("User is not an org member", code=StatusCode.PERMISSION_DENIED)
        account = await self._registry.account(organisation.account.public_key)
        if account is None:
            raise NotFound("Org not found", code=StatusCode.NOT_FOUND)
        return account

    async def _by_key(self, method: str, text: str, headers: Mapping[str, str], sent: Caller) -> Caller:
        key = await self._registry.api_key(text)
        if key is None or not key.valid:
            raise ApiKeyNotFound("API key not found or is invalid", code=StatusCode.NOT_FOUND)
        if key.secure:
            self._signatures.check(key, headers)
        if key.kind is KeyKind.USER_GROUP:
            return self._by_user_token(method, key, sent)
        account = await self._registry.account(key.owner)
        if account is None:
            raise NotFound("Account not found", code=StatusCode.NOT_FOUND)
        is_developer = account.row.kind is AccountKind.DEVELOPER
        return replace(
            _acting_for(account, sent, Credential.ACCOUNT_KEY),
            account=key.owner if is_developer else None,
            api_key=key.id,
        )

    def _by_user_token(self, method: str, key: KnownKey, sent: Caller) -> Caller:
        optional = method in methods.TOKEN_OPTIONAL
        if not sent.sent_token:
            if not optional:
                raise TokenRequired("Token required", code=StatusCode.UNAUTHENTICATED)
            return replace(sent, credential=Credential.USER_KEY, api_key=key.id)
        subject = _claimed_subject(sent.sent_token) if optional else self._subject(sent.sent_token)
        return replace(
            sent,
            credential=Credential.USER_KEY,
            owner=bytes(subject),
            kind=AccountKind.USER,
            api_key=key.id,
            token=sent.sent_token,
            identity=str(subject),
        )

    def _subject(self, token: str) -> PublicKey:
        """Whom a token was issued to. Upstream believes the claim here, and verifies only at threads."""
        try:
            return self._tokens.subject(token)
        except (InvalidToken, InvalidInput) as error:
            _claimed_subject(token)  # what claims nothing is refused in other words
            raise InvalidToken(error.message, code=StatusCode.UNAUTHENTICATED) from None


def read_common(headers: Mapping[str, str]) -> Caller:
    """What every door reads: the thread and the token, without judging the token.

    Raises:
        Unauthenticated: The ``authorization`` header is malformed.
    """
    return Caller(
        thread=_thread(headers.get("x-textile-thread", "")),
        thread_name=headers.get("x-textile-thread-name", ""),
        sent_token=_bearer(headers.get("authorization", "")),
    )


def _thread(text: str) -> ThreadID | None:
    try:
        return ThreadID.parse(text) if text else None
    except InvalidInput:
        return None  # as upstream: malformed is absent


def _bearer(header: str) -> str:
    if not header:
        return ""
    scheme, space, token = header.partition(" ")
    if not space:
        raise Unauthenticated("Bad authorization string", code=StatusCode.UNAUTHENTICATED)
    if scheme.lower() != "bearer":
        raise Unauthenticated("Request unauthenticated with bearer", code=StatusCode.UNAUTHENTICATED)
    return token


def _acting_for(account: KnownAccount, sent: Caller, credential: Credential) -> Caller:
    """An account acts with its own token, whatever token was sent."""
    return replace(
        sent,
        credential=credential,
        owner=account.row.public_key,
        kind=account.row.kind,
        token=account.token,
        identity=account.identity,
    )


def _claimed_subject(token: str) -> PublicKey:
    try:
        claims = tokens.parse(token)
    except InvalidToken:
        raise PermissionDenied("Bad authorization", code=StatusCode.PERMISSION_DENIED) from None
    subject = claims.get("sub", "")
    if not isinstance(subject, str):
        raise PermissionDenied("Bad authorization", code=StatusCode.PERMISSION_DENIED)
    try:
        return PublicKey.from_string(subject)
    except InvalidInput as error:
        raise InvalidToken(error.message, code=StatusCode.UNKNOWN) from None
