"""Who may do what at the thread network of a hub with accounts (spec: thread-net-and-records §1.5)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.localhub.net.peers import NET, Writer, blocks
from tests.localhub.raw import OK, Outcome, call, outcome
from tests.localhub.test_access import LIST, World, token_for
from tests.localhub.test_access import world as world
from textile_aio import Identity, Multiaddr, ThreadID, ThreadKey
from textile_aio._proto.api.usersd import pb as users
from textile_aio._proto.threads import pb as threads
from textile_aio._proto.threads.net import pb
from textile_aio.localhub import HubSettings, LocalHub

FOREIGN = ("PERMISSION_DENIED", "User does not own thread")
Headers = dict[str, str]


class Callers:
    """Headers of every kind of caller, and a thread that the user made."""

    def __init__(self, world: World, other: str) -> None:
        self.target = world.target
        self.writer = Writer(ThreadKey.random())
        self.thread = ThreadID.random()
        self.user = world.user()
        self.same_key = world.user(authorization=f"bearer {other}")
        self.other_key = world.signed()
        self.session = {"x-textile-session": world.session}
        self.account = world.account
        self.no_token = world.insecure

    def create(self, thread: ThreadID, log: Identity | None = None) -> pb.CreateThreadRequest:
        keys = pb.Keys(thread_key=self.writer.key.bytes, log_key=(log or self.writer.log).public.bytes)
        return pb.CreateThreadRequest(thread_id=bytes(thread), keys=keys)

    async def do(self, method: str, headers: Headers, request: Any) -> Outcome:
        return await outcome(self.target, NET + method, headers, request)

    async def tracked(self, headers: Headers) -> list[bytes]:
        (reply,) = await call(self.target, LIST, headers, users.ListThreadsRequest())
        return [each.id for each in reply.list]


@pytest.fixture
async def it(world: World) -> Callers:
    made = Callers(world, await token_for(world, Identity.generate()))
    assert await made.do("CreateThread", made.user, made.create(made.thread)) == OK
    return made


def requests(thread: ThreadID, writer: Writer) -> dict[str, Any]:
    """A request for each method that names a thread, good ones but for AddReplicator's host."""
    id_ = bytes(thread)
    elsewhere = Multiaddr.parse(f"/p2p/{Identity.generate().public.peer_id}").bytes
    record = writer.seal()
    return {
        "GetThread": pb.GetThreadRequest(thread_id=id_),
        "PullThread": pb.PullThreadRequest(thread_id=id_),
        "AddReplicator": pb.AddReplicatorRequest(thread_id=id_, addr=elsewhere),
        "CreateRecord": pb.CreateRecordRequest(thread_id=id_, body=b"\x01"),
        "AddRecord": pb.AddRecordRequest(thread_id=id_, log_id=bytes(writer.id), record=blocks(record)),
        "GetRecord": pb.GetRecordRequest(thread_id=id_, record_id=bytes(record.cid)),
        "DeleteThread": pb.DeleteThreadRequest(thread_id=id_),
    }


async def test_the_owner_may_do_everything(it: Callers) -> None:
    said = {
        name: await it.do(name, it.user, request) for name, request in requests(it.thread, it.writer).items()
    }
    assert said == {
        **dict.fromkeys(said, OK),
        "AddReplicator": ("UNIMPLEMENTED", "this hub does not replicate threads to other hosts"),
        "CreateRecord": ("UNKNOWN", "a private-key is required to create records"),
    }


@pytest.mark.parametrize(
    ("who", "answer"),
    [
        ("same_key", FOREIGN),
        ("session", FOREIGN),
        ("account", FOREIGN),
        ("other_key", ("PERMISSION_DENIED", "Bad API key")),
        ("no_token", ("UNAUTHENTICATED", "Token required")),
        ("nobody", ("UNAUTHENTICATED", "Session or API key required")),
    ],
)
async def test_nobody_else_may_do_anything(it: Callers, who: str, answer: Outcome) -> None:
    headers = getattr(it, who, {})
    for name, request in requests(it.thread, it.writer).items():
        assert await it.do(name, headers, request) == answer, name
        absent = requests(ThreadID.random(), it.writer)[name]
        missing = FOREIGN if who == "other_key" else answer
        assert await it.do(name, headers, absent) == missing, f"{name}: as if it were another's"


@pytest.mark.parametrize("who", ["session", "account"])
async def test_sessions_and_account_keys_make_threads_for_the_account(it: Callers, who: str) -> None:
    thread = ThreadID.random()
    assert await it.do("CreateThread", getattr(it, who), it.create(thread)) == OK
    for headers in (it.session, it.account):
        assert await it.do("GetThread", headers, pb.GetThreadRequest(thread_id=bytes(thread))) == OK
        assert await it.tracked(headers) == [bytes(thread)]
    assert await it.do("GetThread", it.user, pb.GetThreadRequest(thread_id=bytes(thread))) == FOREIGN


async def test_an_owner_registers_once_and_another_owner_beside(it: Callers) -> None:
    code, text = await it.do("CreateThread", it.user, it.create(it.thread, Identity.generate()))
    assert code == "UNKNOWN"
    assert "E11000 duplicate key error" in text
    (info,) = await call(
        it.target, NET + "GetThread", it.user, pb.GetThreadRequest(thread_id=bytes(it.thread))
    )
    log = Identity.generate()
    join = pb.AddThreadRequest(
        addr=info.addrs[0], keys=pb.Keys(thread_key=it.writer.key.bytes, log_key=log.public.bytes)
    )
    assert await it.do("AddThread", it.same_key, join) == OK
    (seen,) = await call(
        it.target, NET + "GetThread", it.same_key, pb.GetThreadRequest(thread_id=bytes(it.thread))
    )
    assert {each.id for each in seen.logs} == {bytes(it.writer.id), bytes(log.public.peer_id)}
    code, text = await it.do("AddThread", it.same_key, join)
    assert "E11000 duplicate key error" in text


async def test_a_thread_that_could_not_be_made_is_not_tracked(it: Callers) -> None:
    other = it.same_key
    mismatch = pb.CreateThreadRequest(
        thread_id=bytes(it.thread), keys=pb.Keys(thread_key=ThreadKey.random().bytes)
    )
    assert await it.do("CreateThread", other, mismatch) == ("UNKNOWN", "service-key mismatch")
    elsewhere = Multiaddr.parse(f"/p2p/{Identity.generate().public.peer_id}") / ThreadID.random().to_addr()
    foreign = pb.AddThreadRequest(addr=elsewhere.bytes, keys=pb.Keys(thread_key=it.writer.key.bytes))
    assert (await it.do("AddThread", other, foreign))[0] == "UNIMPLEMENTED"
    assert await it.tracked(other) == []
    assert await it.do("GetThread", other, pb.GetThreadRequest(thread_id=bytes(it.thread))) == FOREIGN


async def test_a_deleted_thread_is_not_tracked_any_more(it: Callers) -> None:
    assert await it.tracked(it.user) == [bytes(it.thread)]
    assert await it.do("DeleteThread", it.user, pb.DeleteThreadRequest(thread_id=bytes(it.thread))) == OK
    assert await it.tracked(it.user) == []
    assert await it.do("GetThread", it.user, pb.GetThreadRequest(thread_id=bytes(it.thread))) == FOREIGN
    assert await it.do("CreateThread", it.same_key, it.create(it.thread)) == OK


async def test_a_database_protects_its_thread(it: Callers) -> None:
    thread = bytes(ThreadID.random())
    await call(it.target, "/threads.pb.API/NewDB", it.user, threads.NewDbRequest(db_id=thread))
    said = await it.do("DeleteThread", it.user, pb.DeleteThreadRequest(thread_id=thread))
    assert said == ("UNKNOWN", "cannot delete thread: thread is in use")
    assert thread in await it.tracked(it.user)


async def test_everybody_with_credentials_may_ask_for_the_host(it: Callers) -> None:
    for headers in (it.user, it.other_key, it.session, it.account):
        assert await it.do("GetHostID", headers, pb.GetHostIdRequest()) == OK
    assert await it.do("GetHostID", it.no_token, pb.GetHostIdRequest()) == (
        "UNAUTHENTICATED",
        "Token required",
    )


async def test_a_token_needs_no_token_but_a_key(it: Callers) -> None:
    request = pb.GetTokenRequest(key=str(Identity.generate().public))
    for headers in (it.no_token, it.user, it.session, it.account):
        code, text = await it.do("GetToken", headers, request)
        assert (code, text) == ("UNKNOWN", "EOF"), "the challenge was sent; only its answer is missing"
    assert await it.do("GetToken", {}, request) == ("UNAUTHENTICATED", "Session or API key required")


async def test_an_owner_makes_no_more_threads_than_allowed() -> None:
    async with LocalHub.in_memory(HubSettings(max_threads=1)) as hub:
        account = await hub.create_account("owner")
        headers = {"x-textile-session": account.session}
        for answer in (OK, ("UNKNOWN", "number of threads per owner exceeds quota")):
            request = pb.CreateThreadRequest(thread_id=bytes(ThreadID.random()))
            assert await outcome(hub.target, NET + "CreateThread", headers, request) == answer
