"""All methods of ``threads.net.pb.API``. The host is alone: nobody to pull from, nobody to replicate to."""

from __future__ import annotations

from textile_aio._codec.multiaddr import Multiaddr
from textile_aio._proto.threads.net import pb
from textile_aio.errors import InvalidInput, StatusCode, Unimplemented
from textile_aio.ids import ThreadID
from textile_aio.localhub.access.claims import claimed
from textile_aio.localhub.access.ownership import Ownership
from textile_aio.localhub.call import Call, Exchange
from textile_aio.localhub.host import Host
from textile_aio.localhub.routes import Method, Service
from textile_aio.localhub.services.net import messages
from textile_aio.localhub.services.tokens import get_token
from textile_aio.storage.changes import UntrackThread
from textile_aio.threaddb.appending import Arrival
from textile_aio.threaddb.network import ThreadNetwork
from textile_aio.threaddb.threads import NewThread

_PREFIX = "/threads.net.pb.API/"


class NetService:
    """Threads, logs and records. ``ownership`` is None on a hub without accounts."""

    def __init__(self, network: ThreadNetwork, host: Host, ownership: Ownership | None) -> None:
        self._network = network
        self._host = host
        self._ownership = ownership

    def service(self) -> Service:
        """What is served."""
        handlers: dict[str, Method] = {
            "GetHostID": self.get_host_id,
            "GetToken": get_token(self._host, pb.GetTokenReply),
            "CreateThread": self.create_thread,
            "AddThread": self.add_thread,
            "GetThread": self.get_thread,
            "PullThread": self.pull_thread,
            "DeleteThread": self.delete_thread,
            "AddReplicator": self.add_replicator,
            "CreateRecord": self.create_record,
            "AddRecord": self.add_record,
            "GetRecord": self.get_record,
            "Subscribe": self.subscribe,
        }
        return Service(pb.ApiBase, {_PREFIX + name: handler for name, handler in handlers.items()})

    async def get_host_id(self, call: Call, request: pb.GetHostIdRequest) -> pb.GetHostIdReply:
        """The host's peer id."""
        return pb.GetHostIdReply(peer_id=bytes(self._host.peer))

    async def create_thread(self, call: Call, request: pb.CreateThreadRequest) -> pb.ThreadInfoReply:
        """Make a thread with a log for the caller, or a log in one that is there."""
        new = NewThread(messages.thread_id(request.thread_id), *messages.keys(request.keys))
        who = self._host.who(call)
        async with claimed(self._ownership, call.claim) as claim:
            return messages.details(await self._network.create(new, who=who, extra=claim), self._host)

    async def add_thread(self, call: Call, request: pb.AddThreadRequest) -> pb.ThreadInfoReply:
        """Add a log for the caller to a thread that is here; other hosts are not talked to."""
        address = messages.address(request.addr)
        keys = messages.keys(request.keys)
        who = self._host.who(call)
        new = NewThread(_thread_of(address), *keys)
        if _peer_of(address, "invalid p2p multiaddr") != str(self._host.peer):
            raise _alone("this hub does not fetch threads from other hosts")
        async with claimed(self._ownership, call.claim) as claim:
            return messages.details(await self._network.join(new, who=who, extra=claim), self._host)

    async def get_thread(self, call: Call, request: pb.GetThreadRequest) -> pb.ThreadInfoReply:
        """Keys, logs and addresses."""
        thread = messages.thread_id(request.thread_id)
        self._host.who(call)
        return messages.details(await self._network.details(thread), self._host)

    async def pull_thread(self, call: Call, request: pb.PullThreadRequest) -> pb.PullThreadReply:
        """Nothing, for a thread that is here: no log has another host."""
        thread = messages.thread_id(request.thread_id)
        self._host.who(call)
        await self._network.details(thread)
        return pb.PullThreadReply()

    async def delete_thread(self, call: Call, request: pb.DeleteThreadRequest) -> pb.DeleteThreadReply:
        """Delete a thread that has no database."""
        thread = messages.thread_id(request.thread_id)
        self._host.who(call)
        owner = call.caller.owner
        if self._ownership is None or owner is None:
            await self._network.delete(thread)
        else:
            await self._network.delete(thread, extra=(UntrackThread(owner, bytes(thread)),))
            self._ownership.forget(owner, bytes(thread))
        return pb.DeleteThreadReply()

    async def add_replicator(self, call: Call, request: pb.AddReplicatorRequest) -> pb.AddReplicatorReply:
        """Nothing for the host itself, which has the thread; other hosts are not talked to."""
        thread = messages.thread_id(request.thread_id)
        address = messages.address(request.addr)
        self._host.who(call)
        await self._network.details(thread)
        if _peer_of(address) != str(self._host.peer):
            raise _alone("this hub does not replicate threads to other hosts")
        return pb.AddReplicatorReply(peer_id=bytes(self._host.peer))

    async def create_record(self, call: Call, request: pb.CreateRecordRequest) -> pb.NewRecordReply:
        """Seal a body as the next record of the caller's log."""
        thread = messages.thread_id(request.thread_id)
        who = self._host.who(call)
        return messages.new_record(await self._network.create_record(thread, bytes(request.body), who=who))

    async def add_record(self, call: Call, request: pb.AddRecordRequest) -> pb.AddRecordReply:
        """Append a record that the client has built, and apply it to the thread's database."""
        thread = messages.thread_id(request.thread_id)
        self._host.who(call)
        await self._network.add_record(Arrival(thread, bytes(request.log_id), messages.nodes(request.record)))
        return pb.AddRecordReply()

    async def get_record(self, call: Call, request: pb.GetRecordRequest) -> pb.GetRecordReply:
        """The blocks of one record."""
        thread, cid = messages.thread_id(request.thread_id), messages.cid(request.record_id)
        self._host.who(call)
        return pb.GetRecordReply(record=messages.record(await self._network.record(thread, cid)))

    async def subscribe(self, call: Call, request: pb.SubscribeRequest, exchange: Exchange) -> None:
        """Tell every record from now on; the response headers say that it is now."""
        ids = [messages.thread_id(each) for each in request.thread_i_ds]
        self._host.who(call)
        with self._network.subscribe(ids) as subscription:
            await exchange.begin({})
            async for row in subscription:
                await exchange.send(messages.new_record(row))


def _thread_of(address: Multiaddr) -> ThreadID:
    try:
        return ThreadID.from_addr(address)
    except InvalidInput as error:
        raise type(error)(error.message, code=StatusCode.UNKNOWN) from None


def _peer_of(address: Multiaddr, refusal: str = "") -> str:
    """The host that an address names; one that names none is refused, in some words of its own."""
    try:
        return address.value("p2p")
    except InvalidInput as error:
        raise type(error)(refusal or error.message, code=StatusCode.UNKNOWN) from None


def _alone(text: str) -> Unimplemented:
    return Unimplemented(text, code=StatusCode.UNIMPLEMENTED)
