"""A mailer that keeps mails, and a hub that uses it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import textile_aio
from tests.localhub.gateway.client import Reply, get
from tests.suite.developers import Clock
from textile_aio import AuthContext, HubClient, Session
from textile_aio.localhub import HubSettings, LocalHub, Mail


class Postbox:
    """Takes mails in place of a mail server."""

    def __init__(self) -> None:
        self.mails: asyncio.Queue[Mail] = asyncio.Queue()
        self.fails: Exception | None = None

    async def send(self, mail: Mail) -> None:
        if self.fails is not None:
            raise self.fails
        await self.mails.put(mail)


@dataclass(frozen=True)
class Office:
    """A hub whose mails are in a postbox."""

    hub: LocalHub
    client: HubClient
    postbox: Postbox
    clock: Clock

    async def mail(self) -> tuple[Mail, str]:
        """The next mail, and the path of the link in it, which is at the gateway."""
        mail = await self.postbox.mails.get()
        (link,) = re.findall(r"https?://\S+", mail.text)
        prefix = f"http://{self.hub.gateway_target}"
        assert link.startswith(f"{prefix}/")
        return mail, link.removeprefix(prefix)

    async def follow(self, path: str, *, method: str = "GET") -> Reply:
        assert self.hub.gateway_target is not None
        return await get(self.hub.gateway_target, path, method=method)

    def signing_up(self, name: str, email: str = "") -> asyncio.Task[Session]:
        call = self.client.accounts.sign_up(AuthContext(), name, email or f"{name}@test.com")
        return asyncio.create_task(call)

    async def sign_up(self, name: str, email: str = "") -> Session:
        task = self.signing_up(name, email)
        _, path = await self.mail()
        assert (await self.follow(path)).status == 200
        return await task


@asynccontextmanager
async def office(**settings: Any) -> AsyncIterator[Office]:
    clock, postbox = Clock(), Postbox()
    given = HubSettings(gateway_port=0, mailer=postbox, fsync=False, clock=clock, **settings)
    async with LocalHub.in_memory(given) as hub, textile_aio.connect(hub.target) as client:
        yield Office(hub, client, postbox, clock)
