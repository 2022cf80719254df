"""``threads.pb.API`` as far as the hub serves it: tokens and whole databases (spec: threads-api §2, §3)."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass

from textile_aio._codec.multiaddr import Multiaddr
from textile_aio._codec.peer import PeerID
from textile_aio._proto.threads import pb
from textile_aio.errors import (
    BadSignature,
    CancelledByPeer,
    DeadlineExceeded,
    FailedPrecondition,
    InvalidInput,
    InvalidKey,
    StatusCode,
    Unimplemented,
)
from textile_aio.identity import Identity, PublicKey
from textile_aio.ids import ThreadID, ThreadKey
from textile_aio.localhub.access.ownership import Ownership, duplicate
from textile_aio.localhub.call import Call, Exchange
from textile_aio.localhub.routes import Service
from textile_aio.localhub.tokens import Tokens
from textile_aio.storage.changes import (
    Batch,
    DeleteNameKey,
    DeleteThread,
    Operation,
    TrackThread,
    UntrackThread,
)
from textile_aio.storage.runner import StoreRunner
from textile_aio.storage.store import Duplicate, View
from textile_aio.storage.transact import transact
from textile_aio.storage.values import Database, Thread, TrackedThread
from textile_aio.threaddb import databases

_PREFIX = "/threads.pb.API/"


@dataclass(frozen=True, slots=True)
class Host:
    """What the services need to know of the hub itself.

    Attributes:
        identity: The host key.
        tokens: Issues and verifies with it.
        clock: UTC nanoseconds.
        address: The base of database addresses, without ``/p2p``. Known once the hub listens.
        challenge_timeout: Seconds a client may take to sign its challenge.
    """

    identity: Identity
    tokens: Tokens
    clock: Callable[[], int]
    address: Callable[[], Multiaddr]
    challenge_timeout: float


class ThreadsService:
    """Tokens and databases. ``ownership`` is None on a hub without accounts."""

    def __init__(self, store: StoreRunner, host: Host, ownership: Ownership | None) -> None:
        self._store = store
        self._host = host
        self._ownership = ownership

    def service(self) -> Service:
        """What is served."""
        return Service(
            pb.ApiBase,
            {
                _PREFIX + "GetToken": self.get_token,
                _PREFIX + "NewDB": self.new_db,
                _PREFIX + "ListDBs": self.list_dbs,
                _PREFIX + "GetDBInfo": self.get_db_info,
                _PREFIX + "DeleteDB": self.delete_db,
            },
        )

    async def get_token(self, call: Call, exchange: Exchange) -> None:
        """Key, challenge, signature, token (spec: identity-and-auth §7)."""
        request = await exchange.recv()
        if request is None:
            raise CancelledByPeer("EOF", code=StatusCode.UNKNOWN)
        if not request.key:
            raise InvalidInput("Key is required", code=StatusCode.INVALID_ARGUMENT)
        try:
            key = PublicKey.from_string(request.key)
        except InvalidInput as error:
            raise InvalidKey(error.message, code=StatusCode.UNKNOWN) from None
        challenge = secrets.token_bytes(32)
        await exchange.send(pb.GetTokenReply(challenge=challenge))
        try:
            async with asyncio.timeout(self._host.challenge_timeout):
                answer = await exchange.recv()
        except TimeoutError:
            raise DeadlineExceeded("Challenge deadline exceeded", code=StatusCode.DEADLINE_EXCEEDED) from None
        if answer is None:
            raise CancelledByPeer("EOF", code=StatusCode.UNKNOWN)
        if answer.signature is None:
            raise InvalidInput("Signature is required", code=StatusCode.INVALID_ARGUMENT)
        if not key.verify(challenge, answer.signature):
            raise BadSignature("bad signature", code=StatusCode.UNKNOWN)
        await exchange.send(pb.GetTokenReply(token=self._host.tokens.issue(key)))

    async def new_db(self, call: Call, request: pb.NewDbRequest) -> pb.NewDbReply:
        """Make a database, and its tracking row with it."""
        id_ = _thread_id(request.db_id)
        if request.collections:
            raise Unimplemented(
                "databases cannot be made with collections yet", code=StatusCode.UNIMPLEMENTED, about=str(id_)
            )
        new = databases.NewDatabase(
            id=id_,
            name=request.name,
            key=_thread_key(request.key),
            log=databases.LogKey.from_bytes(request.log_key) if request.log_key else None,
        )
        writer = self._writer(call)
        now = self._host.clock()

        def prepare(view: View) -> tuple[Batch, None]:
            batch = databases.plan_new(view, new, writer, now)
            if call.claim is None:
                return batch, None
            return Batch((TrackThread(call.claim), *batch.operations), batch.database, batch.expect), None

        async with self._claiming(call.claim):
            try:
                await transact(self._store, prepare)
            except Duplicate as error:
                if error.what.startswith("tracked"):  # by a claim whose caller went away meanwhile
                    raise duplicate() from None
                # Somebody made the same thread between the snapshot and the write.
                await self._store.read(lambda view: databases.plan_new(view, new, writer, now))
                raise
        return pb.NewDbReply()

    async def list_dbs(self, call: Call, request: pb.ListDBsRequest) -> pb.ListDBsReply:
        """All databases of the host, whoever made them. A hub with accounts blocks this."""
        self._writer(call)

        def listed(view: View) -> list[tuple[Thread, Database]]:
            pairs = []
            for database in view.databases():
                thread = view.thread(database.thread)
                if thread is not None:
                    pairs.append((thread, database))
            return pairs

        return pb.ListDBsReply(
            dbs=[
                pb.ListDBsReplyDb(db_id=thread.id, info=self._info(thread, database))
                for thread, database in await self._store.read(listed)
            ]
        )

    async def get_db_info(self, call: Call, request: pb.GetDbInfoRequest) -> pb.GetDbInfoReply:
        """Addresses, key and name."""
        id_ = _thread_id(request.db_id)
        self._writer(call)
        thread, database = await self._store.read(lambda view: databases.find(view, id_))
        return self._info(thread, database)

    async def delete_db(self, call: Call, request: pb.DeleteDbRequest) -> pb.DeleteDbReply:
        """Delete a database and its thread; refused while buckets live in it on a hub with accounts."""
        id_ = _thread_id(request.db_id)
        self._writer(call)
        owner = call.caller.owner

        def prepare(view: View) -> tuple[Batch, None]:
            buckets = view.name_keys(bytes(id_))
            if self._ownership is not None and buckets:
                raise FailedPrecondition(
                    "DB not empty (delete buckets first)", code=StatusCode.FAILED_PRECONDITION
                )
            _, database = databases.find(view, id_)
            operations: list[Operation] = [DeleteThread(bytes(id_))]
            operations += [DeleteNameKey(bucket.cid) for bucket in buckets]
            if owner is not None:
                operations.append(UntrackThread(owner, bytes(id_)))
            return Batch(tuple(operations), database.thread, database.sequence), None

        await transact(self._store, prepare)
        if self._ownership is not None and owner is not None:
            self._ownership.forget(owner, bytes(id_))
        return pb.DeleteDbReply()

    def _claiming(self, claim: TrackedThread | None) -> AbstractAsyncContextManager[None]:
        if claim is None or self._ownership is None:
            return nullcontext()
        return self._ownership.claiming(claim)

    def _writer(self, call: Call) -> PublicKey:
        """Who writes: the identity of the token sent, or the host where there is none."""
        token = call.caller.sent_token
        return PublicKey.from_string(self._host.tokens.verify(token)) if token else self._host.identity.public

    def _info(self, thread: Thread, database: Database) -> pb.GetDbInfoReply:
        peer = PeerID.from_public_key(bytes(self._host.identity.public))
        id_ = ThreadID.from_bytes(thread.id)
        address = self._host.address() / Multiaddr.parse(f"/p2p/{peer}/thread/{id_}")
        return pb.GetDbInfoReply(
            addrs=[bytes(address)],
            key=thread.service_key + (thread.read_key or b""),
            name=database.name,
        )


def _thread_id(data: bytes) -> ThreadID:
    try:
        return ThreadID.from_bytes(data)
    except InvalidInput as error:
        raise InvalidInput(error.message, code=StatusCode.INVALID_ARGUMENT) from None


def _thread_key(data: bytes) -> ThreadKey | None:
    try:
        return ThreadKey.from_bytes(data) if data else None
    except InvalidInput:
        raise InvalidKey("invalid key", code=StatusCode.INVALID_ARGUMENT) from None
