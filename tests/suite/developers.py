"""Developers at a hub with accounts, and the mails that nobody reads: their links are followed at once.

As upstream's own tests do, the hub is given a secret that the links of all mails end with (spec: hub-accounts
§5.3).
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest

import textile_aio
from tests.localhub.gateway.client import Reply, get
from textile_aio import AuthContext, HubClient, Identity, Session, errors
from textile_aio.localhub import HubSettings, LocalHub

SECRET = "hubsession"
DAY = 24 * 60 * 60 * 10**9

T = TypeVar("T")


class Clock:
    """The hub's time, which tests move."""

    def __init__(self) -> None:
        self.now = 1_700_000_000 * 10**9

    def __call__(self) -> int:
        return self.now


@dataclass(frozen=True)
class Developer:
    """Somebody who has signed up."""

    username: str
    email: str
    session: Session

    @property
    def ctx(self) -> AuthContext:
        return self.session.context()


@dataclass(frozen=True)
class Place:
    """A hub with accounts and its gateway. ``hub`` and ``clock`` are None where it is not ours."""

    client: HubClient
    gateway: str
    secret: str
    hub: LocalHub | None = None
    clock: Clock | None = None

    async def confirmed(self, call: Coroutine[Any, Any, T]) -> T:
        """The outcome of a sign-up or sign-in; its link is followed until that has had effect."""
        waiting = asyncio.ensure_future(call)
        try:
            while not waiting.done():
                assert (await get(self.gateway, f"/confirm/{self.secret}")).status == 200
        finally:
            waiting.cancel()
        return await waiting

    async def consent(self, token: str) -> Reply:
        return await get(self.gateway, f"/consent/{token}")

    async def sign_up(self, username: str = "", email: str = "") -> Developer:
        username = username or secrets.token_hex(8)
        email = email or f"{username}@test.com"
        session = await self.confirmed(self.client.accounts.sign_up(AuthContext(), username, email))
        return Developer(username, email, session)

    async def sign_in(self, username_or_email: str) -> Session:
        return await self.confirmed(self.client.accounts.sign_in(AuthContext(), username_or_email))

    async def member(self, org: AuthContext, **who: str) -> Developer:
        """Somebody new in an organisation, invited and agreed."""
        somebody = await self.sign_up(**who)
        token = await self.client.accounts.invite_to_org(org, somebody.email)
        assert (await self.consent(token)).status == 200
        return somebody

    async def user(self, app: AuthContext) -> AuthContext:
        """A user of an application, with a token."""
        return await self.client.threads.authorize(app, Identity.generate())


@asynccontextmanager
async def own_place(**settings: Any) -> AsyncIterator[Place]:
    """At a hub in memory."""
    clock = Clock()
    given = HubSettings(
        gateway_port=0, confirmation_secret=SECRET, signs_each=None, fsync=False, clock=clock, **settings
    )
    async with LocalHub.in_memory(given) as hub, textile_aio.connect(hub.target) as client:
        assert hub.gateway_target is not None
        yield Place(client, hub.gateway_target, SECRET, hub, clock)


Refusal = tuple[str, str]


async def refusal(call: Awaitable[object]) -> Refusal:
    """The code and the text that a call is refused with."""
    with pytest.raises(errors.TextileError) as caught:
        await call
    assert caught.value.code is not None, caught.value
    return caught.value.code.name, caught.value.message
