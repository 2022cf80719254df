"""Clients of the thread network at a hub without accounts, with keys and logs of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.localhub.raw import Outcome, outcome
from textile_aio import AuthContext, HubClient, Identity, PeerID, ThreadID, ThreadKey, connect
from textile_aio._proto.threads.net import pb
from textile_aio.ids import Cid
from textile_aio.localhub import HubSettings, LocalHub
from textile_aio.records import dagcbor
from textile_aio.records.events import Event, encode_events
from textile_aio.records.record import Record, seal

NET = "/threads.net.pb.API/"


@dataclass
class Writer:
    """A log whose private key only the test has, and what was sealed for it."""

    key: ThreadKey
    log: Identity = field(default_factory=Identity.generate)
    author: Identity = field(default_factory=Identity.generate)
    prev: Cid | None = None

    @property
    def id(self) -> PeerID:
        return self.log.public.peer_id

    def seal(self, body: bytes | None = None, *, prev: Cid | None = None, at_end: bool = True) -> Record:
        """The next record; with ``at_end`` false one after ``prev``, which the log does not go on from."""
        assert self.key.read is not None
        record = seal(
            dagcbor.encode({"some": "thing"}) if body is None else body,
            author=self.author.public,
            log=self.log,
            service_key=self.key.service.bytes,
            read_key=self.key.read.bytes,
            prev=self.prev if at_end else prev,
        )
        if at_end:
            self.prev = record.cid
        return record

    def changes(self, *events: Event) -> Record:
        """The next record, of a database's changes."""
        return self.seal(encode_events(events))


@dataclass
class Peer:
    """A caller with a token."""

    hub: LocalHub
    client: HubClient
    ctx: AuthContext
    identity: Identity

    async def service_thread(self, writer: Writer) -> ThreadID:
        """A thread whose read key the hub does not have, with a log of the writer's."""
        thread = ThreadID.random()
        await self.client.net.create_thread(
            self.ctx, thread, key=writer.key.service_only, log_key=writer.log.public
        )
        return thread

    async def add(self, thread: ThreadID, writer: Writer, *records: Record) -> None:
        for record in records:
            await self.client.net.add_record(self.ctx, writer.id, record, thread)

    async def added(
        self, thread: ThreadID | bytes, log: PeerID | bytes, record: Record | pb.Record | None
    ) -> Outcome:
        """What the hub answers to a record, whatever it is."""
        message = blocks(record) if isinstance(record, Record) else record
        return await self.outcome(
            "AddRecord",
            pb.AddRecordRequest(thread_id=bytes(thread), log_id=bytes(log), record=message),
        )

    async def outcome(self, method: str, request: object) -> Outcome:
        headers = await self.ctx.metadata()
        return await outcome(self.hub.target, NET + method, headers, request)

    async def heads(self, thread: ThreadID) -> dict[PeerID, tuple[Cid | None, int]]:
        found = await self.client.net.get_thread(self.ctx, thread)
        return {log.id: (log.head, log.counter) for log in found.logs}

    async def another(self) -> Peer:
        """Somebody else at the same hub."""
        return await _peer(self.hub, self.client)


def blocks(record: Record, **instead: bytes) -> pb.Record:
    """A record as it is sent, perhaps with other blocks."""
    nodes = record.nodes
    given = {
        "record_node": nodes.record,
        "event_node": nodes.event,
        "header_node": nodes.header,
        "body_node": nodes.body,
    }
    return pb.Record(**{**given, **instead})


@asynccontextmanager
async def peer(settings: HubSettings | None = None, *, path: Path | None = None) -> AsyncIterator[Peer]:
    """A caller at a hub in memory, or in a folder."""
    settings = settings or HubSettings(mode="buckd")
    made = LocalHub.in_memory(settings) if path is None else LocalHub.open(path, settings)
    async with made as hub, connect(hub.target) as client:
        yield await _peer(hub, client)


async def _peer(hub: LocalHub, client: HubClient) -> Peer:
    identity = Identity.generate()
    return Peer(hub, client, await client.net.authorize(AuthContext(), identity), identity)
