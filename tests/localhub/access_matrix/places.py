"""What callers want to reach: a thread with a collection and a bucket; and requests about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.localhub.access_matrix.people import Headers, World
from textile_aio import Identity, ThreadID, ThreadKey
from textile_aio._codec.multiaddr import Multiaddr
from textile_aio._proto.api.bucketsd import pb as bucketsd
from textile_aio._proto.api.hubd import pb as hubd
from textile_aio._proto.api.usersd import pb as usersd
from textile_aio._proto.textile_aio.buckets import pb as extensions
from textile_aio._proto.threads import pb as threads
from textile_aio._proto.threads.net import pb as net
from textile_aio.ids import Cid
from textile_aio.unixfs import Block, Directory, car

DB = "/threads.pb.API/"
NET = "/threads.net.pb.API/"
BUCKETS = "/api.bucketsd.pb.APIService/"
EXTENSIONS = "/textile_aio.buckets.pb.Extensions/"
USERS = "/api.usersd.pb.APIService/"
HUB = "/api.hubd.pb.APIService/"
POWERGATE = "/powergate.user.v1.UserService/"
HEALTH = "/grpc.health.v1.Health/"


@dataclass(frozen=True)
class Place:
    """A thread that somebody has.

    Attributes:
        thread: With a database, and a collection ``things`` in it.
        bucket: Key of a bucket in it, with a file ``f``; empty for none.
        root: The bucket's content address.
    """

    thread: ThreadID
    bucket: str = ""
    root: str = ""

    @property
    def headers(self) -> Headers:
        return {"x-textile-thread": str(self.thread)}


async def furnish(world: World, owner: Headers, *, bucket: bool) -> Place:
    """Make a place for somebody."""
    thread = ThreadID.random()
    request = threads.NewDbRequest(db_id=bytes(thread), collections=[_collection("things")])
    await world.call(DB + "NewDB", owner, request)
    if not bucket:
        return Place(thread)
    headers = {**owner, "x-textile-thread": str(thread)}
    created = await world.call(BUCKETS + "Create", headers, bucketsd.CreateRequest(name="b"))
    key = created.root.key
    pushed = await world.call(BUCKETS + "PushPath", headers, *_push(key, "f"))
    return Place(thread, key, pushed.event.root.path)


def requests(method: str, place: Place, world: World, host: bytes) -> list[Any]:
    """Requests that nothing is wrong with but who sends them, and which thread they name.

    Args:
        method: Full name.
        place: What they are about; for a method that makes a thread, the thread to be made.
        world: Gives names that nobody has yet.
        host: Peer id of the hub.
    """
    if method.startswith((DB, NET)):
        return _about_threads(method, place, host)
    if method.startswith((BUCKETS, EXTENSIONS)):
        return _about_buckets(method, place)
    name = world.name()
    made: dict[str, Any] = {
        USERS + "GetThread": usersd.GetThreadRequest(name="none"),
        USERS + "ReadInboxMessage": usersd.ReadInboxMessageRequest(id="none"),
        USERS + "DeleteInboxMessage": usersd.DeleteInboxMessageRequest(id="none"),
        USERS + "DeleteSentboxMessage": usersd.DeleteSentboxMessageRequest(id="none"),
        HUB + "Signup": hubd.SignupRequest(username=name, email=f"{name}@example.org"),
        HUB + "Signin": hubd.SigninRequest(username_or_email="resident"),
        HUB + "IsUsernameAvailable": hubd.IsUsernameAvailableRequest(username=name),
        HUB + "IsOrgNameAvailable": hubd.IsOrgNameAvailableRequest(name=name),
        HUB + "CreateOrg": hubd.CreateOrgRequest(name=name),
        HUB + "InvalidateKey": hubd.InvalidateKeyRequest(key="none"),
        HUB + "InviteToOrg": hubd.InviteToOrgRequest(email=f"{name}@example.org"),
    }
    return [made[method]] if method in made else []


def _collection(name: str) -> threads.CollectionConfig:
    return threads.CollectionConfig(name=name, schema=b'{"properties":{"_id":{"type":"string"}}}')


def _about_threads(method: str, place: Place, host: bytes) -> list[Any]:
    id_ = bytes(place.thread)
    peer = str(Multiaddr.from_bytes(b"\xa5\x03" + bytes([len(host)]) + host))
    address = bytes(Multiaddr.parse(f"/ip4/127.0.0.1/tcp/4006{peer}/thread/{place.thread}"))
    key = bytes(ThreadKey.random())
    keys = net.Keys(thread_key=key, log_key=Identity.generate().bytes)
    things: dict[str, Any] = {"db_id": id_, "collection_name": "things"}
    start = threads.StartTransactionRequest(**things)
    made: dict[str, Any] = {
        DB + "GetToken": threads.GetTokenRequest(key=str(Identity.generate().public)),
        DB + "ListDBs": threads.ListDBsRequest(),
        DB + "NewDB": threads.NewDbRequest(db_id=id_),
        DB + "NewDBFromAddr": threads.NewDbFromAddrRequest(addr=address, key=key),
        DB + "GetDBInfo": threads.GetDbInfoRequest(db_id=id_),
        DB + "DeleteDB": threads.DeleteDbRequest(db_id=id_),
        DB + "NewCollection": threads.NewCollectionRequest(db_id=id_, config=_collection("new")),
        DB + "UpdateCollection": threads.UpdateCollectionRequest(db_id=id_, config=_collection("things")),
        DB + "DeleteCollection": threads.DeleteCollectionRequest(db_id=id_, name="things"),
        DB + "GetCollectionInfo": threads.GetCollectionInfoRequest(db_id=id_, name="things"),
        DB + "GetCollectionIndexes": threads.GetCollectionIndexesRequest(db_id=id_, name="things"),
        DB + "ListCollections": threads.ListCollectionsRequest(db_id=id_),
        DB + "Create": threads.CreateRequest(**things, instances=[b"{}"]),
        DB + "Verify": threads.VerifyRequest(**things, instances=[b'{"_id":"a"}']),
        DB + "Save": threads.SaveRequest(**things, instances=[b'{"_id":"a"}']),
        DB + "Delete": threads.DeleteRequest(**things, instance_i_ds=["a"]),
        DB + "Has": threads.HasRequest(**things, instance_i_ds=["a"]),
        DB + "Find": threads.FindRequest(**things, query_json=b"{}"),
        DB + "FindByID": threads.FindByIdRequest(**things, instance_id="none"),
        DB + "ReadTransaction": threads.ReadTransactionRequest(start_transaction_request=start),
        DB + "WriteTransaction": threads.WriteTransactionRequest(start_transaction_request=start),
        DB + "Listen": threads.ListenRequest(db_id=id_),
        NET + "GetHostID": net.GetHostIdRequest(),
        NET + "GetToken": net.GetTokenRequest(key=str(Identity.generate().public)),
        NET + "CreateThread": net.CreateThreadRequest(thread_id=id_, keys=keys),
        NET + "AddThread": net.AddThreadRequest(addr=address, keys=keys),
        NET + "GetThread": net.GetThreadRequest(thread_id=id_),
        NET + "PullThread": net.PullThreadRequest(thread_id=id_),
        NET + "DeleteThread": net.DeleteThreadRequest(thread_id=id_),
        NET + "AddReplicator": net.AddReplicatorRequest(thread_id=id_, addr=address),
        NET + "CreateRecord": net.CreateRecordRequest(thread_id=id_, body=b"\xa0"),
        NET + "AddRecord": net.AddRecordRequest(
            thread_id=id_, log_id=bytes.fromhex("002408011220") + bytes(32)
        ),
        NET + "GetRecord": net.GetRecordRequest(thread_id=id_, record_id=bytes(Cid.sha256(0x71, bytes(32)))),
        NET + "Subscribe": net.SubscribeRequest(thread_i_ds=[id_]),
    }
    return [made[method]]


def _about_buckets(method: str, place: Place) -> list[Any]:
    key, cid = place.bucket, place.root.removeprefix("/ipfs/")
    name = method.rpartition("/")[2]
    if method == EXTENSIONS + "ImportCar":
        root = Directory().encode(1)
        file = car.header([root.cid]) + b"".join(map(bytes, car.section(root.cid, root.data)))
        header = extensions.ImportCarRequestHeader(name="new")
        return [extensions.ImportCarRequest(header=header), extensions.ImportCarRequest(chunk=file)]
    if name == "PushPath":
        return _push(key, "g")
    if name == "PushPaths":
        begin = bucketsd.PushPathsRequest(header=bucketsd.PushPathsRequestHeader(key=key))
        chunks = (
            bucketsd.PushPathsRequestChunk(path="g", data=b"new"),
            bucketsd.PushPathsRequestChunk(path="g"),
        )
        return [begin, *(bucketsd.PushPathsRequest(chunk=each) for each in chunks)]
    made: dict[str, Any] = {
        "List": bucketsd.ListRequest(),
        "Create": bucketsd.CreateRequest(name="new"),
        "Root": bucketsd.RootRequest(key=key),
        "Links": bucketsd.LinksRequest(key=key, path="f"),
        "ListPath": bucketsd.ListPathRequest(key=key),
        "ListIpfsPath": bucketsd.ListIpfsPathRequest(path=f"/ipfs/{cid}"),
        "PullPath": bucketsd.PullPathRequest(key=key, path="f"),
        "PullIpfsPath": bucketsd.PullIpfsPathRequest(path=f"/ipfs/{cid}/f"),
        "SetPath": bucketsd.SetPathRequest(key=key, path="g", cid=cid),
        "MovePath": bucketsd.MovePathRequest(key=key, from_path="f", to_path="g"),
        "Remove": bucketsd.RemoveRequest(key=key),
        "RemovePath": bucketsd.RemovePathRequest(key=key, path="f"),
        "PushPathAccessRoles": bucketsd.PushPathAccessRolesRequest(
            key=key, path="f", roles={"*": bucketsd.PathAccessRole.READER}
        ),
        "PullPathAccessRoles": bucketsd.PullPathAccessRolesRequest(key=key, path="f"),
        "Archive": bucketsd.ArchiveRequest(key=key),
        "Archives": bucketsd.ArchivesRequest(key=key),
        "ArchiveWatch": bucketsd.ArchiveWatchRequest(key=key),
        "DefaultArchiveConfig": bucketsd.DefaultArchiveConfigRequest(key=key),
        "SetDefaultArchiveConfig": bucketsd.SetDefaultArchiveConfigRequest(key=key),
        "ListTree": extensions.ListTreeRequest(key=key, path="f"),
        "HasBlocks": extensions.HasBlocksRequest(key=key, cids=[Block.of(0x55, b"content").cid.bytes]),
        "CopyPath": extensions.CopyPathRequest(key=key, from_path="f", to_path="g"),
        "ExportCar": extensions.ExportCarRequest(key=key, path="f"),
    }
    return [made[name]]


def _push(key: str, path: str) -> list[Any]:
    header = bucketsd.PushPathRequestHeader(key=key, path=path)
    return [bucketsd.PushPathRequest(header=header), bucketsd.PushPathRequest(chunk=b"content")]
