"""Every method of both threads services, by every kind of caller, on every kind of thread.

The rules are identity-and-auth §10 and threads-api §2. Streams are checked as other calls are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from grpclib.client import Channel
from grpclib.exceptions import GRPCError

from tests.localhub.raw import METHODS, OK, Outcome, call, outcome
from tests.localhub.test_access import NOW, PAST, Headers, World, new_thread, token_for
from tests.localhub.test_access import world as world
from textile_aio import Identity, ThreadID, ThreadKey
from textile_aio._codec.multiaddr import Multiaddr
from textile_aio._proto.threads import pb
from textile_aio._proto.threads.net import pb as net
from textile_aio._rpc.codec import MessageCodec
from textile_aio.ids import Cid
from textile_aio.localhub.tokens import Tokens

DB = "/threads.pb.API/"
NET = "/threads.net.pb.API/"

BLOCKED = ("PERMISSION_DENIED", "Method is not accessible")
FOREIGN = ("PERMISSION_DENIED", "User does not own thread")
OTHER_KEY = ("PERMISSION_DENIED", "Bad API key")
NO_THREAD = ("NOT_FOUND", "thread not found")
TRACKED = (
    "UNKNOWN",
    "multiple write errors: [{write errors: [{E11000 duplicate key error collection: textile.threads}]}]",
)
DB_EXISTS = ("UNKNOWN", "db already exists")
MISMATCH = ("UNKNOWN", "service-key mismatch")
NOT_HERE = ("UNKNOWN", "cannot retrieve thread from self: thread not found")
NO_INSTANCE = ("UNKNOWN", "instance not found")
NO_RECORD = ("NOT_FOUND", "record not found")
EMPTY_RECORD = ("INVALID_ARGUMENT", "a record is required")
UNFINISHED = ("UNKNOWN", "EOF")


def in_use(what: str) -> Outcome:
    return ("UNKNOWN", f"cannot {what}: thread is in use")


# fmt: off
RIGHTS: Sequence[tuple[str, Outcome, Outcome, Outcome]] = (
    # method                       on one's own                on another's   on one that is not there
    (DB + "GetToken",              UNFINISHED,                 UNFINISHED,    UNFINISHED),
    (DB + "ListDBs",               BLOCKED,                    BLOCKED,       BLOCKED),
    (DB + "NewDB",                 TRACKED,                    DB_EXISTS,     OK),
    (DB + "NewDBFromAddr",         TRACKED,                    DB_EXISTS,     NOT_HERE),
    (DB + "GetDBInfo",             OK,                         FOREIGN,       FOREIGN),
    (DB + "NewCollection",         OK,                         FOREIGN,       FOREIGN),
    (DB + "UpdateCollection",      OK,                         FOREIGN,       FOREIGN),
    (DB + "GetCollectionInfo",     OK,                         FOREIGN,       FOREIGN),
    (DB + "GetCollectionIndexes",  OK,                         FOREIGN,       FOREIGN),
    (DB + "ListCollections",       OK,                         FOREIGN,       FOREIGN),
    (DB + "DeleteCollection",      OK,                         FOREIGN,       FOREIGN),
    (DB + "Create",                OK,                         OK,            NO_THREAD),
    (DB + "Verify",                OK,                         OK,            NO_THREAD),
    (DB + "Save",                  OK,                         OK,            NO_THREAD),
    (DB + "Delete",                OK,                         OK,            NO_THREAD),
    (DB + "Has",                   OK,                         OK,            NO_THREAD),
    (DB + "Find",                  OK,                         OK,            NO_THREAD),
    (DB + "FindByID",              NO_INSTANCE,                NO_INSTANCE,   NO_THREAD),
    (DB + "ReadTransaction",       OK,                         OK,            NO_THREAD),
    (DB + "WriteTransaction",      OK,                         OK,            NO_THREAD),
    (DB + "Listen",                OK,                         OK,            NO_THREAD),
    (NET + "GetHostID",            OK,                         OK,            OK),
    (NET + "GetToken",             UNFINISHED,                 UNFINISHED,    UNFINISHED),
    (NET + "Subscribe",            BLOCKED,                    BLOCKED,       BLOCKED),
    (NET + "CreateThread",         TRACKED,                    MISMATCH,      OK),
    (NET + "AddThread",            TRACKED,                    MISMATCH,      NOT_HERE),
    (NET + "GetThread",            OK,                         FOREIGN,       FOREIGN),
    (NET + "PullThread",           OK,                         FOREIGN,       FOREIGN),
    (NET + "AddReplicator",        OK,                         FOREIGN,       FOREIGN),
    (NET + "CreateRecord",         in_use("create record"),    FOREIGN,       FOREIGN),
    (NET + "AddRecord",            EMPTY_RECORD,               FOREIGN,       FOREIGN),
    (NET + "GetRecord",            NO_RECORD,                  FOREIGN,       FOREIGN),
    (NET + "DeleteThread",         in_use("delete thread"),    FOREIGN,       FOREIGN),
    (DB + "DeleteDB",              OK,                         FOREIGN,       FOREIGN),
)
# fmt: on

NO_THREAD_NEEDED = {DB + "GetToken", DB + "ListDBs", NET + "GetHostID", NET + "GetToken", NET + "Subscribe"}
"""What the rights to a thread say nothing about."""

CREATING = {DB + "NewDB", DB + "NewDBFromAddr", NET + "CreateThread", NET + "AddThread"}
BY_INSTANCE = {
    DB + name
    for name in (
        *("Create", "Verify", "Save", "Delete", "Has", "Find", "FindByID"),
        *("ReadTransaction", "WriteTransaction", "Listen"),
    )
}
"""What anybody may call who is let in: what is allowed there is for validators and filters to say."""


@dataclass
class Stage:
    """A hub with callers of all kinds who were let in, and a second account beside theirs."""

    world: World
    callers: dict[str, Headers]
    host: str

    async def outcome(self, method: str, caller: str, thread: ThreadID, **more: str) -> Outcome:
        headers = {**self.callers[caller], **more}
        if method == DB + "Listen":
            return await registered(self.world.target, headers, thread)
        messages = messages_for(method, thread, self.host)
        return await outcome(self.world.target, method, headers, *messages)

    async def new_thread(self, owner: str) -> ThreadID:
        thread = await new_thread(self.world, self.callers[owner])
        await call(
            self.world.target,
            DB + "NewCollection",
            self.callers[owner],
            pb.NewCollectionRequest(db_id=bytes(thread), config=collection("things")),
        )
        return thread


@pytest.fixture
async def stage(world: World) -> Stage:
    neighbour = await world.hub.create_account("neighbour")
    of_neighbour = await world.hub.create_key(neighbour, secure=False, user_group=False)
    group_of_neighbour = await world.hub.create_key(neighbour, secure=False)
    other = await token_for(world, Identity.generate())
    (host,) = await call(world.target, NET + "GetHostID", world.account)
    peer = Multiaddr.from_bytes(b"\xa5\x03" + bytes([len(host.peer_id)]) + host.peer_id)
    return Stage(
        world=world,
        callers={
            "a user": world.user(),
            "a user with a token in a secure group": world.signed(),
            "another user of the group": world.user(authorization=f"bearer {other}"),
            "the account's key": world.account,
            "the account's key, with a user's token": {
                **world.account,
                "authorization": f"bearer {world.token}",
            },
            "a session": {"x-textile-session": world.session},
            "another account's key": {"x-textile-api-key": of_neighbour.key},
            "another account's session": {"x-textile-session": neighbour.session},
            "the user, by another account's group key": {
                "x-textile-api-key": group_of_neighbour.key,
                "authorization": f"bearer {world.token}",
            },
        },
        host=str(peer),
    )


CALLERS = (
    "a user",
    "a user with a token in a secure group",
    "another user of the group",
    "the account's key",
    "the account's key, with a user's token",
    "a session",
    "another account's key",
    "another account's session",
    "the user, by another account's group key",
)

STRANGERS = (
    ("a user", "another user of the group"),
    ("a user", "the account's key"),
    ("a user", "the account's key, with a user's token"),
    ("a user", "a session"),
    ("a user", "another account's key"),
    ("a user", "another account's session"),
    ("a session", "a user"),
    ("a session", "another account's session"),
    ("the account's key", "another account's key"),
    ("the account's key", "a user"),
)
"""Whose thread it is, and who comes."""


def collection(name: str) -> pb.CollectionConfig:
    return pb.CollectionConfig(name=name, schema=b'{"properties":{"_id":{"type":"string"}}}')


def messages_for(method: str, thread: ThreadID, host: str) -> list[Any]:
    """A request that nothing is wrong with but who sends it, and which thread it names."""
    db: dict[str, Any] = {"db_id": bytes(thread)}
    things: dict[str, Any] = {**db, "collection_name": "things"}
    address = bytes(Multiaddr.parse(f"/ip4/127.0.0.1/tcp/4006{host}/thread/{thread}"))
    key = bytes(ThreadKey.random())
    keys = net.Keys(thread_key=key, log_key=Identity.generate().bytes)
    named: dict[str, Any] = {"thread_id": bytes(thread)}
    start = pb.StartTransactionRequest(**things)
    requests: dict[str, Callable[[], list[Any]]] = {
        DB + "GetToken": lambda: [pb.GetTokenRequest(key=str(Identity.generate().public))],
        DB + "ListDBs": lambda: [pb.ListDBsRequest()],
        DB + "NewDB": lambda: [pb.NewDbRequest(**db)],
        DB + "NewDBFromAddr": lambda: [pb.NewDbFromAddrRequest(addr=address, key=key)],
        DB + "GetDBInfo": lambda: [pb.GetDbInfoRequest(**db)],
        DB + "DeleteDB": lambda: [pb.DeleteDbRequest(**db)],
        DB + "NewCollection": lambda: [pb.NewCollectionRequest(**db, config=collection("new"))],
        DB + "UpdateCollection": lambda: [pb.UpdateCollectionRequest(**db, config=collection("new"))],
        DB + "DeleteCollection": lambda: [pb.DeleteCollectionRequest(**db, name="new")],
        DB + "GetCollectionInfo": lambda: [pb.GetCollectionInfoRequest(**db, name="things")],
        DB + "GetCollectionIndexes": lambda: [pb.GetCollectionIndexesRequest(**db, name="things")],
        DB + "ListCollections": lambda: [pb.ListCollectionsRequest(**db)],
        DB + "Create": lambda: [pb.CreateRequest(**things, instances=[b"{}"])],
        DB + "Verify": lambda: [pb.VerifyRequest(**things, instances=[b'{"_id":"a"}'])],
        DB + "Save": lambda: [pb.SaveRequest(**things, instances=[b'{"_id":"a"}'])],
        DB + "Delete": lambda: [pb.DeleteRequest(**things, instance_i_ds=["a"])],
        DB + "Has": lambda: [pb.HasRequest(**things, instance_i_ds=["a"])],
        DB + "Find": lambda: [pb.FindRequest(**things, query_json=b"{}")],
        DB + "FindByID": lambda: [pb.FindByIdRequest(**things, instance_id="none")],
        DB + "ReadTransaction": lambda: [pb.ReadTransactionRequest(start_transaction_request=start)],
        DB + "WriteTransaction": lambda: [pb.WriteTransactionRequest(start_transaction_request=start)],
        DB + "Listen": lambda: [pb.ListenRequest(**db)],
        NET + "GetHostID": lambda: [net.GetHostIdRequest()],
        NET + "GetToken": lambda: [net.GetTokenRequest(key=str(Identity.generate().public))],
        NET + "CreateThread": lambda: [net.CreateThreadRequest(**named, keys=keys)],
        NET + "AddThread": lambda: [net.AddThreadRequest(addr=address, keys=keys)],
        NET + "GetThread": lambda: [net.GetThreadRequest(**named)],
        NET + "PullThread": lambda: [net.PullThreadRequest(**named)],
        NET + "DeleteThread": lambda: [net.DeleteThreadRequest(**named)],
        NET + "AddReplicator": lambda: [net.AddReplicatorRequest(**named, addr=address)],
        NET + "CreateRecord": lambda: [net.CreateRecordRequest(**named, body=b"\xa0")],
        NET + "AddRecord": lambda: [
            net.AddRecordRequest(**named, log_id=bytes.fromhex("002408011220") + bytes(32))
        ],
        NET + "GetRecord": lambda: [
            net.GetRecordRequest(**named, record_id=bytes(Cid.sha256(0x71, bytes(32))))
        ],
        NET + "Subscribe": lambda: [net.SubscribeRequest(thread_i_ds=[bytes(thread)])],
    }
    return requests[method]()


async def registered(target: str, headers: Headers, thread: ThreadID) -> Outcome:
    """Whether a listener is let in; it leaves as soon as it knows."""
    handler = METHODS[DB + "Listen"]
    host, _, port = target.rpartition(":")
    channel = Channel(host, int(port), codec=MessageCodec())
    try:
        async with channel.request(
            DB + "Listen", handler.cardinality, handler.request_type, handler.reply_type, metadata=headers
        ) as stream:
            await stream.send_message(pb.ListenRequest(db_id=bytes(thread)), end=True)
            await stream.recv_initial_metadata()
            await stream.cancel()
    except GRPCError as error:
        return error.status.name, error.message or ""
    finally:
        channel.close()
    return OK


def test_the_table_is_complete() -> None:
    served = {path for path in METHODS if path.startswith((DB, NET))}
    assert {method for method, *_ in RIGHTS} == served


@pytest.mark.parametrize("caller", CALLERS)
async def test_what_callers_may_do_with_threads_of_their_own(stage: Stage, caller: str) -> None:
    thread = await stage.new_thread(caller)
    expected = {method: own for method, own, _, _ in RIGHTS}
    assert {method: await stage.outcome(method, caller, thread) for method in expected} == expected


@pytest.mark.parametrize(("owner", "caller"), STRANGERS)
async def test_what_callers_may_do_with_threads_of_others(stage: Stage, owner: str, caller: str) -> None:
    thread = await stage.new_thread(owner)
    expected = {method: others for method, _, others, _ in RIGHTS}
    assert {method: await stage.outcome(method, caller, thread) for method in expected} == expected


@pytest.mark.parametrize("caller", CALLERS)
async def test_what_callers_are_told_of_threads_that_are_not_there(stage: Stage, caller: str) -> None:
    expected = {method: unknown for method, _, _, unknown in RIGHTS}
    assert {method: await stage.outcome(method, caller, ThreadID.random()) for method in expected} == expected


@pytest.mark.parametrize(("owner", "caller"), STRANGERS)
async def test_the_thread_that_the_headers_name_is_checked_as_well(
    stage: Stage, owner: str, caller: str
) -> None:
    """The request names a thread of the caller's own, so what is refused is the header's."""
    thread = await stage.new_thread(owner)
    mine = await stage.new_thread(caller)
    checked = [each for each in RIGHTS if each[0] not in CREATING | NO_THREAD_NEEDED]
    expected = {method: own if method in BY_INSTANCE else FOREIGN for method, own, _, _ in checked}
    assert {
        method: await stage.outcome(method, caller, mine, **{"x-textile-thread": str(thread)})
        for method in expected
    } == expected


@pytest.mark.parametrize(
    ("made_by", "caller"),
    [
        ("a user", "a user with a token in a secure group"),
        ("a user with a token in a secure group", "a user"),
        ("a user", "the user, by another account's group key"),
    ],
)
async def test_a_user_with_another_key_than_the_threads_is_refused(
    stage: Stage, made_by: str, caller: str
) -> None:
    thread = await stage.new_thread(made_by)
    checked = [method for method, *_ in RIGHTS if method not in CREATING | NO_THREAD_NEEDED]
    in_thread = {"x-textile-thread": str(thread)}
    assert {
        method: await stage.outcome(method, caller, thread, **in_thread) for method in checked
    } == dict.fromkeys(checked, OTHER_KEY), "streams too"
    assert {
        await stage.outcome(method, caller, thread) for method in checked if method not in BY_INSTANCE
    } == {OTHER_KEY}, "without the header too"


def refused_callers(world: World) -> dict[str, tuple[Headers, Outcome]]:
    unsigned = world.signed()
    del unsigned["x-textile-api-sig"]
    forged = Tokens(Identity.generate(), lambda: NOW).issue(world.identity.public)
    nobody = ("UNAUTHENTICATED", "Session or API key required")
    no_key = ("NOT_FOUND", "API key not found or is invalid")
    no_signature = ("UNAUTHENTICATED", "API key signature required")
    bad_signature = ("UNAUTHENTICATED", "Bad API key signature")
    return {
        "nobody": ({}, nobody),
        "a token alone": ({"authorization": f"bearer {world.token}"}, nobody),
        "a session that is none": ({"x-textile-session": "none"}, ("UNAUTHENTICATED", "Invalid session")),
        "a bad session with a good key": (
            world.user(**{"x-textile-session": "none"}),
            ("UNAUTHENTICATED", "Invalid session"),
        ),
        "an organisation's stranger": (
            {"x-textile-session": world.session, "x-textile-org": "theirs"},
            ("PERMISSION_DENIED", "User is not an org member"),
        ),
        "a key that is none": (world.user(**{"x-textile-api-key": "none"}), no_key),
        "a secure key without a signature": (unsigned, no_signature),
        "a secure key with a signature that is none": (
            {**world.signed(), "x-textile-api-sig": "?"},
            no_signature,
        ),
        "a secure key with a wrong signature": (
            {**world.signed(), "x-textile-api-sig": "bmzxw6"},
            bad_signature,
        ),
        "a secure key with a signature that is over": (world.signed(PAST), bad_signature),
        "a user with a token that is none": (
            world.user(authorization="bearer none"),
            ("PERMISSION_DENIED", "Bad authorization"),
        ),
        "a malformed token": (
            world.user(authorization="none"),
            ("UNAUTHENTICATED", "Bad authorization string"),
        ),
        "a session with another scheme": (
            {"x-textile-session": world.session, "authorization": "basic none"},
            ("UNAUTHENTICATED", "Request unauthenticated with bearer"),
        ),
        "a group's key without a token": (world.insecure, ("UNAUTHENTICATED", "Token required")),
        "a user with another host's token": (
            world.user(authorization=f"bearer {forged}"),
            ("UNAUTHENTICATED", "invalid thread token"),
        ),
    }


RENEWING = ("a group's key without a token", "a user with another host's token")
"""Who may get a token: whoever has none that is good."""


@pytest.mark.parametrize(
    "caller",
    [
        *("nobody", "a token alone", "a session that is none", "a bad session with a good key"),
        *("an organisation's stranger", "a key that is none", "a secure key without a signature"),
        *("a secure key with a signature that is none", "a secure key with a wrong signature"),
        *("a secure key with a signature that is over", "a user with a token that is none"),
        *("a malformed token", "a session with another scheme", *RENEWING),
    ],
)
async def test_who_is_refused_at_the_door_is_refused_whatever_the_method(stage: Stage, caller: str) -> None:
    headers, refusal = refused_callers(stage.world)[caller]
    stage.callers[caller] = headers
    thread = await stage.new_thread("a user")
    expected = {method: refusal for method, *_ in RIGHTS}
    expected |= dict.fromkeys((DB + "ListDBs", NET + "Subscribe"), BLOCKED)
    if caller in RENEWING:
        expected |= dict.fromkeys((DB + "GetToken", NET + "GetToken"), UNFINISHED)
    assert {method: await stage.outcome(method, caller, thread) for method in expected} == expected


async def test_a_key_that_was_invalidated_opens_nothing_any_more(stage: Stage) -> None:
    thread = await stage.new_thread("a user")
    await stage.world.hub.invalidate_key(stage.world.insecure["x-textile-api-key"])
    await stage.world.hub.invalidate_key(stage.world.account["x-textile-api-key"])
    refusal = ("NOT_FOUND", "API key not found or is invalid")
    expected = {method: refusal for method, *_ in RIGHTS}
    expected |= dict.fromkeys((DB + "ListDBs", NET + "Subscribe"), BLOCKED)
    for caller in ("a user", "the account's key"):
        assert {method: await stage.outcome(method, caller, thread) for method in expected} == expected


async def test_a_session_that_is_over_opens_nothing_any_more(stage: Stage) -> None:
    thread = await stage.new_thread("a session")
    stage.world.time[0] += 1261 * 24 * 3600 * 10**9
    expected: dict[str, Outcome] = {method: ("UNAUTHENTICATED", "Expired session") for method, *_ in RIGHTS}
    expected |= dict.fromkeys((DB + "ListDBs", NET + "Subscribe"), BLOCKED)
    assert {method: await stage.outcome(method, "a session", thread) for method in expected} == expected


@pytest.mark.parametrize("caller", ["the account's key", "a session"])
async def test_an_account_with_a_token_of_another_host_is_stopped_where_threads_begin(
    stage: Stage, caller: str
) -> None:
    """Accounts are known without a token; but the threads services believe no token that is not theirs."""
    thread = await stage.new_thread(caller)
    forged = Tokens(Identity.generate(), lambda: NOW).issue(stage.world.identity.public)
    header = {"authorization": f"bearer {forged}"}
    refusal = ("UNKNOWN", "invalid thread token")
    expected = {
        method: refusal
        for method, *_ in RIGHTS
        if method not in NO_THREAD_NEEDED | {DB + "NewDB", DB + "NewDBFromAddr", *CREATING}
    }
    assert {method: await stage.outcome(method, caller, thread, **header) for method in expected} == expected
    for method in (DB + "NewDB", NET + "CreateThread"):
        assert await stage.outcome(method, caller, ThreadID.random(), **header) == refusal
