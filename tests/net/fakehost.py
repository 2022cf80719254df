"""A host of the thread network in memory: what a test's client talks to. It checks little, on purpose."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from grpclib.const import Status
from grpclib.exceptions import GRPCError
from grpclib.server import Stream

from tests.fakehub import FakeHub, connected, received
from textile_aio import Cid, Identity, Multiaddr, PeerID, PublicKey, ThreadID, ThreadKey
from textile_aio._proto.threads.net import pb
from textile_aio._rpc.method import Method
from textile_aio.net import _methods as m
from textile_aio.net.client import NetClient
from textile_aio.records import counters
from textile_aio.records.record import Nodes, Record, open_record, seal

AUTHOR = Identity.generate()


@dataclass
class Log:
    public: PublicKey
    private: Identity | None
    records: list[Record] = field(default_factory=list)

    @property
    def id(self) -> PeerID:
        return self.public.peer_id

    def write(self, body: bytes, key: ThreadKey, *, read_key: bytes | None = None) -> Record:
        """A new record at the end."""
        assert self.private is not None
        assert key.read is not None
        record = seal(
            body,
            author=AUTHOR.public,
            log=self.private,
            service_key=key.service.bytes,
            read_key=read_key or key.read.bytes,
            prev=self.records[-1].cid if self.records else None,
        )
        self.records.append(record)
        return record


@dataclass
class Thread:
    id: ThreadID
    key: ThreadKey | None
    logs: list[Log] = field(default_factory=list)


class Host(FakeHub):
    """Answers every call of the service; ``change`` alters each record on its way out."""

    def __init__(self) -> None:
        super().__init__()
        self.identity = Identity.generate()
        self.threads: dict[bytes, Thread] = {}
        self.change: Callable[[pb.Record], pb.Record | None] = lambda record: record
        self.subscribers: list[asyncio.Queue[pb.NewRecordReply | GRPCError | None]] = []
        self.subscribed = asyncio.Event()
        self.left = asyncio.Event()
        self.requests: list[Any] = []
        self._serve(m.GET_HOST_ID, lambda _: pb.GetHostIdReply(peer_id=self.identity.public.peer_id.bytes))
        self._serve(m.CREATE_THREAD, self._create_thread)
        self._serve(m.ADD_THREAD, self._add_thread)
        self._serve(m.GET_THREAD, lambda request: self._info(self._thread(request)))
        self._serve(m.PULL_THREAD, lambda request: self._thread(request) and pb.PullThreadReply())
        self._serve(m.DELETE_THREAD, self._delete_thread)
        self._serve(m.ADD_REPLICATOR, self._add_replicator)
        self._serve(m.CREATE_RECORD, self._create_record)
        self._serve(m.ADD_RECORD, self._add_record)
        self._serve(m.GET_RECORD, self._get_record)
        self.on(m.SUBSCRIBE, self._subscribe)

    def has(self, key: ThreadKey | None = None, *, logs: int = 1) -> Thread:
        """A thread that is there from the start."""
        thread = Thread(ThreadID.random(), key or ThreadKey.random())
        for _ in range(logs):
            pair = Identity.generate()
            thread.logs.append(Log(pair.public, pair))
        self.threads[thread.id.bytes] = thread
        return thread

    def announce(self, thread: Thread, log: Log, record: Record) -> None:
        """Tell those who have subscribed."""
        for queue in self.subscribers:
            queue.put_nowait(self.announcement(thread, log, record))

    def announcement(self, thread: Thread, log: Log, record: Record) -> pb.NewRecordReply:
        return pb.NewRecordReply(thread_id=thread.id.bytes, log_id=log.id.bytes, record=self._out(record))

    def _serve(self, method: Method[Any, Any], answer: Callable[[Any], Any]) -> None:
        async def handle(stream: Stream[Any, Any]) -> None:
            request = await received(stream)
            self.requests.append(request)
            await stream.send_message(answer(request))

        self.on(method, handle)

    def _thread(self, request: Any) -> Thread:
        found = self.threads.get(bytes(request.thread_id))
        if found is None:
            raise GRPCError(Status.UNKNOWN, "thread not found")
        return found

    def _info(self, thread: Thread) -> pb.ThreadInfoReply:
        host = Multiaddr.parse(f"/p2p/{self.identity.public.peer_id}")
        return pb.ThreadInfoReply(
            thread_id=thread.id.bytes,
            thread_key=thread.key.bytes if thread.key else b"",
            addrs=[(Multiaddr.parse("/ip4/127.0.0.1/tcp/4006") / host / thread.id.to_addr()).bytes],
            logs=[
                pb.LogInfo(
                    id=log.id.bytes,
                    pub_key=log.public.bytes,
                    priv_key=log.private.bytes if log.private else b"",
                    addrs=[host.bytes],
                    head=log.records[-1].cid.bytes if log.records else b"",
                    counter=counters.encode(len(log.records)),
                )
                for log in thread.logs
            ],
        )

    def _create_thread(self, request: pb.CreateThreadRequest) -> pb.ThreadInfoReply:
        return self._join(ThreadID.from_bytes(request.thread_id), request.keys)

    def _add_thread(self, request: pb.AddThreadRequest) -> pb.ThreadInfoReply:
        return self._join(ThreadID.from_addr(Multiaddr.from_bytes(request.addr)), request.keys)

    def _join(self, thread_id: ThreadID, keys: pb.Keys | None) -> pb.ThreadInfoReply:
        keys = keys or pb.Keys()
        key = ThreadKey.from_bytes(keys.thread_key) if keys.thread_key else ThreadKey.random()
        private = None
        if not keys.log_key:
            private = Identity.generate()
        elif len(keys.log_key) > 36:
            private = Identity.from_bytes(keys.log_key)
        public = private.public if private else PublicKey.from_bytes(keys.log_key)
        thread = self.threads.setdefault(thread_id.bytes, Thread(thread_id, key))
        if any(log.public == public for log in thread.logs):
            raise GRPCError(Status.UNKNOWN, "log already exists")
        thread.logs.append(Log(public, private))
        return self._info(thread)

    def _delete_thread(self, request: pb.DeleteThreadRequest) -> pb.DeleteThreadReply:
        del self.threads[self._thread(request).id.bytes]
        return pb.DeleteThreadReply()

    def _add_replicator(self, request: pb.AddReplicatorRequest) -> pb.AddReplicatorReply:
        self._thread(request)
        return pb.AddReplicatorReply(
            peer_id=PeerID.parse(Multiaddr.from_bytes(request.addr).value("p2p")).bytes
        )

    def _create_record(self, request: pb.CreateRecordRequest) -> pb.NewRecordReply:
        thread = self._thread(request)
        if not thread.logs:
            pair = Identity.generate()
            thread.logs.append(Log(pair.public, pair))
        log = thread.logs[0]
        assert thread.key is not None
        record = log.write(bytes(request.body), thread.key)
        self.announce(thread, log, record)
        return self.announcement(thread, log, record)

    def _add_record(self, request: pb.AddRecordRequest) -> pb.AddRecordReply:
        thread = self._thread(request)
        log = next((log for log in thread.logs if log.id.bytes == request.log_id), None)
        if log is None:
            raise GRPCError(Status.UNKNOWN, "log not found")
        assert thread.key is not None
        assert request.record is not None
        record = open_record(_nodes(request.record), thread.key.service.bytes)
        if record.cid not in (known.cid for known in log.records):
            log.records.append(record)
            self.announce(thread, log, record)
        return pb.AddRecordReply()

    def _get_record(self, request: pb.GetRecordRequest) -> pb.GetRecordReply:
        wanted = Cid.from_bytes(request.record_id)
        for log in self._thread(request).logs:
            for record in log.records:
                if record.cid == wanted:
                    return pb.GetRecordReply(record=self._out(record))
        raise GRPCError(Status.DEADLINE_EXCEEDED, "context deadline exceeded")

    def _out(self, record: Record) -> pb.Record | None:
        nodes = record.nodes
        return self.change(
            pb.Record(
                record_node=nodes.record,
                event_node=nodes.event,
                header_node=nodes.header,
                body_node=nodes.body,
            )
        )

    async def _subscribe(self, stream: Stream[Any, Any]) -> None:
        self.requests.append(await received(stream))
        queue: asyncio.Queue[pb.NewRecordReply | GRPCError | None] = asyncio.Queue()
        self.subscribers.append(queue)
        self.subscribed.set()
        try:
            while (item := await queue.get()) is not None:
                if isinstance(item, GRPCError):
                    raise item
                await stream.send_message(item)
        finally:
            self.subscribers.remove(queue)
            self.left.set()


def _nodes(message: pb.Record) -> Nodes:
    return Nodes(
        record=message.record_node,
        event=message.event_node,
        header=message.header_node,
        body=message.body_node,
    )


def swapped(record: Record, **blocks: bytes) -> pb.Record:
    """A record's message with other blocks in it."""
    nodes = dataclasses.replace(record.nodes, **blocks)
    return pb.Record(
        record_node=nodes.record, event_node=nodes.event, header_node=nodes.header, body_node=nodes.body
    )


@asynccontextmanager
async def at(host: FakeHub) -> AsyncIterator[NetClient]:
    async with connected(host) as hub:
        yield NetClient(hub._opened())
