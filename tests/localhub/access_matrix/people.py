"""Everybody who may come to a hub, and a hub that knows them.

Made through the hub's own methods, so that each caller is what an application would send.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import itertools
import json
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from grpclib.client import Channel
from grpclib.exceptions import GRPCError

from tests.localhub.raw import OK, Outcome, call_on, opened
from textile_aio import AuthContext, Identity, connect
from textile_aio._codec import multibase
from textile_aio._proto.api.hubd import pb as hubd
from textile_aio.localhub import HubSettings, LocalHub
from textile_aio.localhub.accounts.credentials import AccountCredentials, ApiKeyCredentials
from textile_aio.localhub.tokens import Tokens

HUB = "/api.hubd.pb.APIService/"
DAY = 24 * 3600 * 10**9
NOW = 1_900_000_000 * 10**9
SOON = "2030-03-17T18:46:40Z"  # an hour after NOW
PAST = "2030-03-17T17:46:39Z"  # a second before it

Headers = dict[str, str]

ENDLESS = frozenset({"/threads.pb.API/Listen", "/grpc.health.v1.Health/Watch"})
"""These go on until somebody leaves."""


@dataclass(frozen=True)
class Member:
    """A developer in an organisation, or alone.

    Attributes:
        account: The developer's.
        org: The organisation's slug; empty for none.
    """

    account: AccountCredentials
    org: str = ""

    @property
    def headers(self) -> Headers:
        alone = {"x-textile-session": self.account.session}
        return {**alone, "x-textile-org": self.org} if self.org else alone


@dataclass
class World:
    """A hub and a channel to it. The clock stands still."""

    hub: LocalHub
    channel: Channel
    time: list[int]
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    async def call(self, path: str, headers: Headers, *messages: Any) -> Any:
        replies = await call_on(self.channel, path, headers, *messages)
        return replies[-1] if replies else None

    async def outcome(self, path: str, headers: Headers, *messages: Any) -> Outcome:
        try:
            await call_on(self.channel, path, headers, *messages, until_begun=path in ENDLESS)
        except GRPCError as error:
            return error.status.name, error.message or ""
        return OK

    def name(self) -> str:
        return f"dev{next(self.numbers)}"

    async def developer(self) -> Member:
        name = self.name()
        return Member(await self.hub.create_account(name, f"{name}@example.org"))

    async def founder(self) -> Member:
        alone = await self.developer()
        made = await self.call(HUB + "CreateOrg", alone.headers, hubd.CreateOrgRequest(name=self.name()))
        return Member(alone.account, made.org_info.slug)

    async def member(self, founder: Member) -> Member:
        """A developer who was invited and agreed."""
        alone = await self.developer()
        request = hubd.InviteToOrgRequest(email=f"{alone.account.username}@example.org")
        invited = await self.call(HUB + "InviteToOrg", founder.headers, request)
        await asyncio.to_thread(_visit, f"http://{self.hub.gateway_target}/consent/{invited.token}")
        return Member(alone.account, founder.org)

    async def key(self, by: Member, *, user_group: bool = False, secure: bool = False) -> ApiKeyCredentials:
        kind = hubd.KeyType.USER if user_group else hubd.KeyType.ACCOUNT
        made = await self.call(HUB + "CreateKey", by.headers, hubd.CreateKeyRequest(type=kind, secure=secure))
        return ApiKeyCredentials(
            made.key_info.key, made.key_info.secret, secure=secure, user_group=user_group
        )

    async def token(self, key: ApiKeyCredentials, identity: Identity | None = None) -> str:
        """A token of a user of a group, with the group's insecure key."""
        async with connect(self.hub.target) as client:
            return await client.threads.get_token(
                AuthContext().with_api_key(key.key), identity or Identity.generate()
            )


def _visit(url: str) -> None:
    with urllib.request.urlopen(url) as response:
        response.read()


@asynccontextmanager
async def opened_world() -> AsyncIterator[World]:
    time = [NOW - 1261 * DAY]
    settings = HubSettings(
        clock=lambda: time[0], gateway_port=0, web_port=0, max_threads=0, signs_each=None, refusals_each=None
    )
    async with LocalHub.in_memory(settings) as hub:
        channel = opened(hub.target)
        try:
            yield World(hub, channel, time)
        finally:
            channel.close()


def keyed(key: ApiKeyCredentials, token: str = "", **more: str) -> Headers:
    """An API key, with a user's token if given."""
    by_token = {"authorization": f"bearer {token}"} if token else {}
    return {"x-textile-api-key": key.key, **by_token, **more}


def signed(key: ApiKeyCredentials, token: str = "", message: str = SOON, secret: str = "") -> Headers:
    """A secure API key with a signature."""
    mac = hmac.new(multibase.decode(secret or key.secret), message.encode(), hashlib.sha256).digest()
    headers = {"x-textile-api-sig": multibase.encode(mac), "x-textile-api-sig-msg": message}
    return {**keyed(key, token), **headers}


def segment(part: object) -> str:
    data = part if isinstance(part, bytes) else json.dumps(part, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jws(header: object, claims: object, sign: Callable[[bytes], bytes]) -> str:
    """A token of any kind."""
    body = f"{segment(header)}.{segment(claims)}"
    return f"{body}.{segment(sign(body.encode()))}"


async def session(world: World) -> Headers:
    return (await world.developer()).headers


async def organisations_owner(world: World) -> Headers:
    return (await world.founder()).headers


async def organisations_member(world: World) -> Headers:
    return (await world.member(await world.founder())).headers


async def accounts_key(world: World) -> Headers:
    return keyed(await world.key(await world.developer()))


async def accounts_secure_key(world: World) -> Headers:
    return signed(await world.key(await world.developer(), secure=True))


async def accounts_key_and_token(world: World) -> Headers:
    developer = await world.developer()
    token = await world.token(await world.key(developer, user_group=True))
    return keyed(await world.key(developer), token)


async def organisations_key(world: World) -> Headers:
    return keyed(await world.key(await world.founder()))


async def organisations_secure_key(world: World) -> Headers:
    return signed(await world.key(await world.founder(), secure=True))


async def user(world: World) -> Headers:
    key = await world.key(await world.developer(), user_group=True)
    return keyed(key, await world.token(key))


async def organisations_user(world: World) -> Headers:
    key = await world.key(await world.founder(), user_group=True)
    return keyed(key, await world.token(key))


async def user_of_secure_group(world: World) -> Headers:
    developer = await world.developer()
    token = await world.token(await world.key(developer, user_group=True))
    return signed(await world.key(developer, user_group=True, secure=True), token)


async def user_with_needless_signature(world: World) -> Headers:
    return {**await user(world), "x-textile-api-sig": "?", "x-textile-api-sig-msg": "never"}


async def user_with_other_headers(world: World) -> Headers:
    headers = await user(world)
    return {
        **headers,
        "authorization": headers["authorization"].replace("bearer", "BEARER"),
        "x-textile-org": "nobodys",
        "x-textile-thread": "none",
        "host": "https://hub.example",
    }


async def session_beside_bad_key(world: World) -> Headers:
    return {**await session(world), "x-textile-api-key": "none", "x-textile-api-sig": "?"}


KINDS: dict[str, Callable[[World], Awaitable[Headers]]] = {
    "session": session,
    "session beside a bad key": session_beside_bad_key,
    "organisation's owner": organisations_owner,
    "organisation's member": organisations_member,
    "account's key": accounts_key,
    "account's secure key": accounts_secure_key,
    "account's key and a token": accounts_key_and_token,
    "organisation's key": organisations_key,
    "organisation's secure key": organisations_secure_key,
    "user": user,
    "organisation's user": organisations_user,
    "user of a secure group": user_of_secure_group,
    "user with a needless signature": user_with_needless_signature,
    "user with other headers": user_with_other_headers,
}
"""Callers whom the hub recognises, each made anew."""

NOBODY: Outcome = ("UNAUTHENTICATED", "Session or API key required")
NO_SESSION: Outcome = ("UNAUTHENTICATED", "Invalid session")
NO_KEY: Outcome = ("NOT_FOUND", "API key not found or is invalid")
NO_MEMBER: Outcome = ("PERMISSION_DENIED", "User is not an org member")
UNSIGNED: Outcome = ("UNAUTHENTICATED", "API key signature required")
BAD_SIGNATURE: Outcome = ("UNAUTHENTICATED", "Bad API key signature")
NO_TOKEN: Outcome = ("UNAUTHENTICATED", "Token required")
NO_JWT: Outcome = ("PERMISSION_DENIED", "Bad authorization")
BAD_TOKEN: Outcome = ("UNAUTHENTICATED", "invalid thread token")
NO_SCHEME: Outcome = ("UNAUTHENTICATED", "Bad authorization string")
OTHER_SCHEME: Outcome = ("UNAUTHENTICATED", "Request unauthenticated with bearer")

REFUSALS: dict[str, Outcome] = {
    "nobody": NOBODY,
    "token alone": NOBODY,
    "organisation alone": NOBODY,
    "empty headers": NOBODY,
    "unknown session": NO_SESSION,
    "ended session": NO_SESSION,
    "destroyed account's session": NO_SESSION,
    "removed organisation's session": NO_MEMBER,
    "bad session beside a good key": NO_SESSION,
    "expired session": ("UNAUTHENTICATED", "Expired session"),
    "session with a stranger's organisation": NO_MEMBER,
    "session with no organisation": NO_MEMBER,
    "session with an organisation in other letters": NO_MEMBER,
    "member who left": NO_MEMBER,
    "unknown key": NO_KEY,
    "account's invalidated key": NO_KEY,
    "organisation's invalidated key": NO_KEY,
    "invalidated group key": NO_KEY,
    "destroyed account's key": NO_KEY,
    "secure key unsigned": UNSIGNED,
    "account's secure key unsigned": UNSIGNED,
    "organisation's secure key unsigned": UNSIGNED,
    "secure key with a signature that is none": UNSIGNED,
    "secure key with a signature of nothing": UNSIGNED,
    "secure key with an expired signature": BAD_SIGNATURE,
    "account's secure key with an expired signature": BAD_SIGNATURE,
    "secure key with a wrong signature": BAD_SIGNATURE,
    "secure key with a signature of another message": BAD_SIGNATURE,
    "secure key with a signature of no time": BAD_SIGNATURE,
    "secure key with another key's signature": BAD_SIGNATURE,
    "session with a malformed token": NO_SCHEME,
    "account's key with another scheme": OTHER_SCHEME,
    "user with a malformed token": NO_SCHEME,
    "user with another scheme": OTHER_SCHEME,
    "user with a token that is none": NO_JWT,
    "user with a token without a signature": NO_JWT,
    "user with a token of the algorithm none": NO_JWT,
    "user with a token of the algorithm HS256": NO_JWT,
    "user with a token of the algorithm EdDSA": NO_JWT,
    "user with a token for no key": ("UNKNOWN", "selected encoding not supported"),
    "user without a token": NO_TOKEN,
    "user of a secure group without a token": NO_TOKEN,
    "user with another hub's token": BAD_TOKEN,
    "user with a token for somebody else": BAD_TOKEN,
    "user with a token from tomorrow": BAD_TOKEN,
}
"""Whom the hub does not recognise, and what it says (spec: identity-and-auth §10.2, hub-accounts §3)."""

NEWCOMERS = frozenset(
    {
        "user without a token",
        "user of a secure group without a token",
        "user with another hub's token",
        "user with a token for somebody else",
        "user with a token from tomorrow",
    }
)
"""They may get a token: whoever has none that is good (spec: identity-and-auth §7)."""


async def refused_callers(world: World) -> dict[str, Headers]:
    """The headers of everybody in :data:`REFUSALS`. Moves the clock to :data:`NOW`."""
    expired = await world.developer()
    world.time[0] = NOW
    developer, founder = await world.developer(), await world.founder()
    group = await world.key(developer, user_group=True)
    secure = await world.key(developer, user_group=True, secure=True)
    account_secure = await world.key(developer, secure=True)
    org_secure = await world.key(founder, secure=True)
    identity = Identity.generate()
    token = await world.token(group, identity)
    elsewhere = Identity.generate()
    forged = Tokens(elsewhere, lambda: NOW).issue(identity.public)
    header, claims, signature = token.split(".")
    stranger = {"sub": str(elsewhere.public), "iat": NOW // 10**9}
    mine = {"sub": str(identity.public), "iat": NOW // 10**9}

    ended = await world.developer()
    await world.call(HUB + "Signout", ended.headers)
    gone = await world.developer()
    gone_key = await world.key(gone)
    await world.call(HUB + "DestroyAccount", gone.headers)
    removed = await world.founder()
    await world.call(HUB + "RemoveOrg", removed.headers)
    left = await world.member(founder)
    await world.call(HUB + "LeaveOrg", left.headers)
    withdrawn = {}
    for name, maker, user_group in (
        ("account's", developer, False),
        ("organisation's", founder, False),
        ("group", developer, True),
    ):
        key = withdrawn[name] = await world.key(maker, user_group=user_group)
        await world.call(HUB + "InvalidateKey", maker.headers, hubd.InvalidateKeyRequest(key=key.key))

    def by(text: str) -> Headers:
        return keyed(group, text)

    def hs256(body: bytes) -> bytes:
        host = json.loads(base64.urlsafe_b64decode(claims + "=="))["iss"]
        return hmac.new(host.encode(), body, hashlib.sha256).digest()

    return {
        "nobody": {},
        "token alone": {"authorization": f"bearer {token}"},
        "organisation alone": {"x-textile-org": founder.org},
        "empty headers": {"x-textile-session": "", "x-textile-api-key": "", "authorization": ""},
        "unknown session": {"x-textile-session": multibase.encode(bytes(44))},
        "ended session": ended.headers,
        "destroyed account's session": gone.headers,
        "removed organisation's session": removed.headers,
        "bad session beside a good key": {**by(token), "x-textile-session": "none"},
        "expired session": expired.headers,
        "session with a stranger's organisation": {**developer.headers, "x-textile-org": founder.org},
        "session with no organisation": {**founder.headers, "x-textile-org": "nobodys"},
        "session with an organisation in other letters": {
            **founder.headers,
            "x-textile-org": founder.org.upper(),
        },
        "member who left": left.headers,
        "unknown key": {**by(token), "x-textile-api-key": multibase.encode(bytes(16))},
        "account's invalidated key": keyed(withdrawn["account's"]),
        "organisation's invalidated key": keyed(withdrawn["organisation's"]),
        "invalidated group key": keyed(withdrawn["group"], token),
        "destroyed account's key": keyed(gone_key),
        "secure key unsigned": keyed(secure, token),
        "account's secure key unsigned": keyed(account_secure),
        "organisation's secure key unsigned": keyed(org_secure),
        "secure key with a signature that is none": {**signed(secure, token), "x-textile-api-sig": "?"},
        "secure key with a signature of nothing": signed(secure, token, message=""),
        "secure key with an expired signature": signed(secure, token, message=PAST),
        "account's secure key with an expired signature": signed(account_secure, message=PAST),
        "secure key with a wrong signature": {**signed(secure, token), "x-textile-api-sig": "bmzxw6"},
        "secure key with a signature of another message": {
            **signed(secure, token),
            "x-textile-api-sig-msg": "2031-01-01T00:00:00Z",
        },
        "secure key with a signature of no time": signed(secure, token, message="tomorrow"),
        "secure key with another key's signature": signed(secure, token, secret=account_secure.secret),
        "session with a malformed token": {**developer.headers, "authorization": token},
        "account's key with another scheme": {**keyed(account_secure), "authorization": f"basic {token}"},
        "user with a malformed token": {**by(token), "authorization": token},
        "user with another scheme": {**by(token), "authorization": f"token {token}"},
        "user with a token that is none": by("none"),
        "user with a token without a signature": by(f"{header}.{claims}"),
        "user with a token of the algorithm none": by(jws({"alg": "none"}, mine, lambda _: b"")),
        "user with a token of the algorithm HS256": by(jws({"alg": "HS256", "typ": "JWT"}, mine, hs256)),
        "user with a token of the algorithm EdDSA": by(jws({"alg": "EdDSA"}, mine, elsewhere.sign)),
        "user with a token for no key": by(jws({"alg": "Ed25519"}, {"sub": "?none"}, elsewhere.sign)),
        "user without a token": keyed(group),
        "user of a secure group without a token": signed(secure),
        "user with another hub's token": by(forged),
        "user with a token for somebody else": by(f"{header}.{segment(stranger)}.{signature}"),
        "user with a token from tomorrow": by(
            jws({"alg": "Ed25519"}, {**mine, "nbf": NOW // 10**9 + 86400}, elsewhere.sign)
        ),
    }
