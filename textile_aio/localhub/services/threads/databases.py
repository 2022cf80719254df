"""Databases as a whole (spec: threads-api §3)."""

from __future__ import annotations

from textile_aio._codec.multiaddr import Multiaddr
from textile_aio._proto.threads import pb
from textile_aio.errors import (
    FailedPrecondition,
    InvalidInput,
    InvalidKey,
    NotFound,
    StatusCode,
    Unimplemented,
)
from textile_aio.ids import ThreadID
from textile_aio.localhub.access.claims import claimed
from textile_aio.localhub.access.ownership import Ownership
from textile_aio.localhub.call import Call
from textile_aio.localhub.host import Host
from textile_aio.localhub.routes import Method
from textile_aio.localhub.services.threads import messages
from textile_aio.storage.changes import (
    Batch,
    DeleteNameKey,
    DeleteThread,
    Operation,
    UntrackThread,
)
from textile_aio.storage.runner import StoreRunner
from textile_aio.storage.store import View
from textile_aio.storage.transact import in_turn, transact
from textile_aio.storage.values import Database, Thread
from textile_aio.threaddb import databases
from textile_aio.threaddb.collections import CollectionConfig, check_schema
from textile_aio.threaddb.engine import ThreadDatabases
from textile_aio.threaddb.founding import plan_database
from textile_aio.threaddb.logs import LogKey


class DatabaseMethods:
    """Databases made, found and deleted. ``ownership`` is None on a hub without accounts."""

    def __init__(
        self, store: StoreRunner, engine: ThreadDatabases, host: Host, ownership: Ownership | None
    ) -> None:
        self._store = store
        self._engine = engine
        self._host = host
        self._ownership = ownership

    def handlers(self) -> dict[str, Method]:
        """Handlers by method name."""
        return {
            "NewDB": self.new_db,
            "NewDBFromAddr": self.new_db_from_addr,
            "ListDBs": self.list_dbs,
            "GetDBInfo": self.get_db_info,
            "DeleteDB": self.delete_db,
        }

    async def new_db(self, call: Call, request: pb.NewDbRequest) -> pb.NewDbReply:
        """Make a database with its collections, and its tracking row with it: all of it, or nothing."""
        id_ = messages.thread_id(request.db_id)
        configs = await self._configs(request.collections)
        new = databases.NewDatabase(
            id=id_,
            name=request.name,
            key=messages.thread_key(request.key),
            log=LogKey.from_bytes(request.log_key) if request.log_key else None,
        )
        await self._make(call, new, configs)
        return pb.NewDbReply()

    async def new_db_from_addr(self, call: Call, request: pb.NewDbFromAddrRequest) -> pb.NewDbReply:
        """Make a database of a thread that is at this hub already; this hub does not talk to other hosts."""
        address = _address(request.addr)
        key = messages.thread_key(request.key)
        if key is None:
            raise InvalidKey("invalid key", code=StatusCode.INVALID_ARGUMENT)
        configs = await self._configs(request.collections)
        self._host.who(call)
        new = databases.NewDatabase(
            id=_thread_of(address),
            name=request.name,
            key=key,
            log=LogKey.from_bytes(request.log_key) if request.log_key else None,
        )
        known = await self._store.read(lambda view: view.thread(bytes(new.id)))
        if known is None:
            if not key.can_read:
                raise InvalidKey("thread read key is required", code=StatusCode.UNKNOWN)
            if str(self._host.peer) in str(address).split("/"):
                raise NotFound("cannot retrieve thread from self: thread not found", code=StatusCode.UNKNOWN)
            raise Unimplemented(
                "this hub does not fetch threads from other hosts", code=StatusCode.UNIMPLEMENTED
            )
        await self._make(call, new, configs)
        return pb.NewDbReply()

    async def _make(self, call: Call, new: databases.NewDatabase, configs: list[CollectionConfig]) -> None:
        writer = self._host.writer(call)
        now = self._host.clock()

        async with claimed(self._ownership, call.claim) as claim:

            def prepare(view: View) -> tuple[Batch, None]:
                batch = plan_database(view, new, configs, writer, now, self._engine.scripts)
                return Batch((*claim, *batch.operations), batch.database, batch.expect), None

            # From the snapshot on, so that no record reaches the thread beside its database.
            await in_turn(self._store, bytes(new.id), prepare)

    async def list_dbs(self, call: Call, request: pb.ListDBsRequest) -> pb.ListDBsReply:
        """All databases of the host, whoever made them. A hub with accounts blocks this."""
        self._host.who(call)

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
        id_ = messages.thread_id(request.db_id)
        self._host.who(call)
        thread, database = await self._store.read(lambda view: databases.find(view, id_))
        return self._info(thread, database)

    async def delete_db(self, call: Call, request: pb.DeleteDbRequest) -> pb.DeleteDbReply:
        """Delete a database and its thread; refused while buckets live in it on a hub with accounts."""
        id_ = messages.thread_id(request.db_id)
        self._host.who(call)
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

    async def _configs(self, received: list[pb.CollectionConfig]) -> list[CollectionConfig]:
        """Configurations whose schemas can be read. A request may hold very many: a reader looks at them."""

        def read(_: View) -> list[CollectionConfig]:
            configs = [messages.config(each) for each in received]
            for each in configs:
                check_schema(each, StatusCode.INVALID_ARGUMENT)
            return configs

        return await self._store.read(read) if received else []

    def _info(self, thread: Thread, database: Database) -> pb.GetDbInfoReply:
        return pb.GetDbInfoReply(
            addrs=[bytes(self._host.thread_address(ThreadID.from_bytes(thread.id)))],
            key=thread.service_key + (thread.read_key or b""),
            name=database.name,
        )


def _address(data: bytes) -> Multiaddr:
    try:
        return Multiaddr.from_bytes(data)
    except InvalidInput as error:
        raise InvalidInput(error.message, code=StatusCode.INVALID_ARGUMENT) from None


def _thread_of(address: Multiaddr) -> ThreadID:
    try:
        return ThreadID.from_addr(address)
    except InvalidInput as error:
        raise InvalidInput(error.message, code=StatusCode.UNKNOWN) from None
