"""The room of accounts without a hub around it: a store in memory, a clock that is set by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from textile_aio.identity import Identity
from textile_aio.localhub.accounts import Accounts
from textile_aio.localhub.accounts.entrance import EntranceRules
from textile_aio.localhub.accounts.mailer import Mail
from textile_aio.localhub.accounts.registry import Registry
from textile_aio.localhub.accounts.vault import Vault
from textile_aio.localhub.live import LiveCalls
from textile_aio.localhub.tokens import Tokens
from textile_aio.storage.memory import MemoryStore
from textile_aio.storage.runner import StoreRunner
from textile_aio.storage.store import Store

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
DAY = 24 * 60 * MINUTE


@dataclass
class Clock:
    """Now, in UTC nanoseconds, as long as nobody moves it."""

    now: int = 1_700_000_000 * SECOND

    def __call__(self) -> int:
        return self.now


@dataclass
class Postbox:
    """A mailer that keeps what it is given."""

    mails: list[Mail] = field(default_factory=list)
    error: Exception | None = None
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, mail: Mail) -> None:
        if self.error is not None:
            raise self.error
        self.mails.append(mail)
        self.arrived.set()

    def secret(self) -> str:
        """What the link of the last mail ends with."""
        (link,) = [line for line in self.mails[-1].text.splitlines() if line.startswith("http://hub/")]
        return link.rpartition("/")[2]


@dataclass
class Room:
    accounts: Accounts
    store: StoreRunner
    live: LiveCalls
    clock: Clock

    async def developer(self, name: str, email: str = "") -> bytes:
        return (await self.accounts.developers.create(name, email)).public_key


@asynccontextmanager
async def room(
    rules: EntranceRules | None = None, *, store: Store | None = None, clock: Clock | None = None
) -> AsyncIterator[Room]:
    clock = clock or Clock()
    async with StoreRunner(store or MemoryStore()) as runner:
        live = LiveCalls()
        registry = Registry(runner, Vault.generate(), Tokens(Identity.generate(), clock), clock)
        accounts = Accounts(
            registry,
            live,
            rules or EntranceRules(each_minute=None),
            url=lambda: "http://hub",
            closed=lambda: None,
        )
        yield Room(accounts, runner, live, clock)
