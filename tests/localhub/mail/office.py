"""Mailboxes over a store in memory or on disk, without a hub around them, and people who use them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from textile_aio.identity import Identity, PublicKey
from textile_aio.ids import ThreadID
from textile_aio.localhub.access.ownership import Ownership
from textile_aio.localhub.mail.boxes import INBOX, NAME, SENTBOX
from textile_aio.localhub.mail.mailboxes import Letter, Mailboxes, Sent
from textile_aio.localhub.mail.message import StoredMessage
from textile_aio.localhub.mail.page import Listing
from textile_aio.storage.memory import MemoryStore
from textile_aio.storage.runner import StoreRunner
from textile_aio.storage.sqlite import SqliteStore
from textile_aio.threaddb.engine import ThreadDatabases

START = 1_900_000_000 * 10**9


@dataclass
class Clock:
    """Time that goes on by a millisecond with every look, so that ids are in the order of sending."""

    now: int = START

    def __call__(self) -> int:
        """The present time in nanoseconds."""
        self.now += 1_000_003
        return self.now


def letter(sender: Identity, to: PublicKey, body: bytes) -> Letter:
    """A letter whose bodies are sealed in name only: mailboxes cannot tell."""
    for_recipient, for_sender = b"to:" + body, b"from:" + body
    return Letter(
        to=str(to),
        to_body=for_recipient,
        to_signature=sender.sign(for_recipient),
        from_body=for_sender,
        from_signature=sender.sign(for_sender),
    )


@dataclass
class Office:
    """Mailboxes, and shorthands."""

    store: StoreRunner
    engine: ThreadDatabases
    ownership: Ownership
    clock: Clock
    mailboxes: Mailboxes = field(init=False)

    def __post_init__(self) -> None:
        self.mailboxes = Mailboxes(self.store, self.engine, self.ownership, self.clock)

    async def person(self) -> Identity:
        """Somebody with a mailbox."""
        identity = Identity.generate()
        await self.mailboxes.set_up(bytes(identity.public), key="key")
        return identity

    async def send(self, sender: Identity, to: Identity, body: bytes = b"hello") -> Sent:
        """Send a message."""
        return await self.mailboxes.send(bytes(sender.public), letter(sender, to.public, body))

    async def inbox(self, of: Identity, **listing: Any) -> list[StoredMessage]:
        """A page of an inbox, oldest first unless said otherwise."""
        wanted = replace(Listing(ascending=True), **listing)
        return await self.mailboxes.list(bytes(of.public), INBOX, wanted)

    async def sentbox(self, of: Identity, **listing: Any) -> list[StoredMessage]:
        """A page of a sentbox, oldest first unless said otherwise."""
        wanted = replace(Listing(ascending=True), **listing)
        return await self.mailboxes.list(bytes(of.public), SENTBOX, wanted)

    async def thread(self, of: Identity) -> ThreadID:
        """The thread of a mailbox."""
        row = await self.store.read(lambda view: view.tracked_named(bytes(of.public), NAME))
        assert row is not None
        return ThreadID.from_bytes(row.thread)

    async def write(self, of: Identity, document: dict[str, Any], box: str = INBOX) -> None:
        """What somebody may write who has the thread."""
        await self.engine.create(await self.thread(of), box, [json.dumps(document).encode()], who="")


@asynccontextmanager
async def office(path: Path | None = None, *, max_threads: int = 100) -> AsyncIterator[Office]:
    """Over a store on disk, or in memory."""
    store = MemoryStore() if path is None else SqliteStore.open(path / "hub.db", fsync=False)
    clock = Clock()
    async with (
        StoreRunner(store) as runner,
        ThreadDatabases(runner, host=Identity.generate(), clock=clock) as engine,
    ):
        yield Office(runner, engine, Ownership(runner, clock, max_threads), clock)
