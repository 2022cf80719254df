"""What the threads client does that no recording shows."""

from __future__ import annotations

import asyncio
import traceback
from typing import Any

import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError
from grpclib.server import Stream
from hypothesis import given
from hypothesis import strategies as st

from tests.fakehub import CTX, FakeHub, connected, received
from tests.rpc.leaks import nothing_left
from textile_aio import (
    AuthContext,
    BadSignature,
    DeadlineExceeded,
    Identity,
    InvalidInput,
    MethodBlocked,
    Multiaddr,
    ProtocolError,
    ThreadID,
    ThreadKey,
    ThreadRequired,
)
from textile_aio._proto.threads import pb
from textile_aio.threads import _convert
from textile_aio.threads._methods import (
    DELETE_DB,
    GET_DB_INFO,
    GET_TOKEN,
    LIST_DBS,
    NEW_DB,
    NEW_DB_FROM_ADDR,
)

THREAD = ThreadID.random()


async def test_a_token_is_had_from_a_hub_that_ends_right_after_it() -> None:
    fake, identity = FakeHub(), Identity.generate()

    async def hasty(stream: Stream[Any, Any]) -> None:
        key = (await received(stream)).key
        await stream.send_message(pb.GetTokenReply(challenge=b"c" * 32))
        assert identity.public.verify(b"c" * 32, (await received(stream)).signature)
        await stream.send_message(pb.GetTokenReply(token=f"token of {key}"))

    fake.on(GET_TOKEN, hasty)
    async with nothing_left(), connected(fake) as hub:
        token = await hub.threads.get_token(AuthContext(), identity)
    assert token == f"token of {identity.public}"


async def test_authorizing_leaves_the_context_as_it_was() -> None:
    fake, before = FakeHub(), AuthContext().with_token("old")

    async def give(stream: Stream[Any, Any]) -> None:
        await stream.recv_message()
        await stream.send_message(pb.GetTokenReply(challenge=b"c"))
        await stream.recv_message()
        await stream.send_message(pb.GetTokenReply(token="new"))
        assert await stream.recv_message() is None

    fake.on(GET_TOKEN, give)
    async with connected(fake) as hub:
        after = await hub.threads.authorize(before, Identity.generate())
    assert (before.token, after.token) == ("old", "new")


async def test_a_signature_that_is_refused_is_so_named() -> None:
    fake = FakeHub()

    async def refuse(stream: Stream[Any, Any]) -> None:
        await stream.recv_message()
        await stream.send_message(pb.GetTokenReply(challenge=b"c"))
        await stream.recv_message()
        raise GRPCError(Status.UNKNOWN, "bad signature")

    fake.on(GET_TOKEN, refuse)
    async with nothing_left(), connected(fake) as hub:
        with pytest.raises(BadSignature):
            await hub.threads.authorize(AuthContext(), Identity.generate())


@pytest.mark.parametrize(
    "replies",
    [
        [],
        [pb.GetTokenReply(token="too soon")],
        [pb.GetTokenReply(challenge=b"")],
        [pb.GetTokenReply(challenge=b"c")],
        [pb.GetTokenReply(challenge=b"c"), pb.GetTokenReply(challenge=b"d")],
        [pb.GetTokenReply(challenge=b"c"), pb.GetTokenReply(token="t"), pb.GetTokenReply(token="u")],
    ],
    ids=["nothing", "token first", "empty challenge", "no token", "two challenges", "two tokens"],
)
async def test_a_hub_that_departs_from_the_challenge_breaks_the_protocol(replies: list[Any]) -> None:
    fake = FakeHub()

    async def depart(stream: Stream[Any, Any]) -> None:
        for reply in replies:
            await stream.recv_message()
            await stream.send_message(reply)

    fake.on(GET_TOKEN, depart)
    async with nothing_left(), connected(fake) as hub:
        with pytest.raises(ProtocolError):
            await hub.threads.authorize(AuthContext(), Identity.generate())


async def test_what_a_signer_raises_reaches_the_caller() -> None:
    fake = FakeHub()

    async def ask(stream: Stream[Any, Any]) -> None:
        await stream.recv_message()
        await stream.send_message(pb.GetTokenReply(challenge=b"c"))
        await stream.recv_message()

    class Locked:
        public = Identity.generate().public

        async def sign(self, message: bytes) -> bytes:
            raise KeyError("locked")

    fake.on(GET_TOKEN, ask)
    async with nothing_left(), connected(fake) as hub:
        with pytest.raises(KeyError, match="locked"):
            await hub.threads.authorize(AuthContext(), Locked())


@pytest.mark.parametrize("error", [None, TimeoutError("of the wallet")], ids=["never signs", "gives up"])
async def test_a_signers_time_counts_and_its_own_timeouts_are_its_own(error: Exception | None) -> None:
    fake = FakeHub()

    async def ask(stream: Stream[Any, Any]) -> None:
        await stream.recv_message()
        await stream.send_message(pb.GetTokenReply(challenge=b"c"))
        await stream.recv_message()

    class Slow:
        public = Identity.generate().public

        async def sign(self, message: bytes) -> bytes:
            if error is not None:
                raise error
            await asyncio.Event().wait()
            raise AssertionError

    fake.on(GET_TOKEN, ask)
    async with nothing_left(), connected(fake) as hub:
        with pytest.raises(TimeoutError) as caught:
            await hub.threads.get_token(AuthContext(), Slow(), timeout=0.2)
    assert (caught.value is error) if error else isinstance(caught.value, DeadlineExceeded)


async def test_a_new_database_is_named_twice_unless_the_context_names_the_thread() -> None:
    fake = FakeHub()
    requests = fake.answer(NEW_DB, pb.NewDbReply())
    key, log_key = ThreadKey.random(), Identity.generate()
    async with connected(fake) as hub:
        made = await hub.threads.new_db(AuthContext(), name="notes", key=key, log_key=log_key)
        await hub.threads.new_db(AuthContext().with_thread_name("own"), THREAD, name="notes")
        await hub.threads.new_db(AuthContext(), THREAD, log_key=log_key.public)
    assert requests == [
        pb.NewDbRequest(db_id=made.bytes, name="notes", key=key.bytes, log_key=log_key.bytes),
        pb.NewDbRequest(db_id=THREAD.bytes, name="notes"),
        pb.NewDbRequest(db_id=THREAD.bytes, log_key=log_key.public.bytes),
    ]
    assert [headers.get("x-textile-thread-name") for headers in fake.metadata] == ["notes", "own", None]


async def test_a_name_no_header_can_carry_is_refused_before_anything_is_sent() -> None:
    fake = FakeHub()
    async with connected(fake) as hub:
        with pytest.raises(InvalidInput):
            await hub.threads.new_db(AuthContext(), name="ä")
    assert fake.called == []


async def test_joining_takes_the_thread_from_the_address() -> None:
    fake, key = FakeHub(), ThreadKey.random()
    requests = fake.answer(NEW_DB_FROM_ADDR, pb.NewDbReply())
    addr = Multiaddr.parse(f"/ip4/127.0.0.1/tcp/4006/thread/{THREAD}")
    async with connected(fake) as hub:
        assert await hub.threads.new_db_from_addr(AuthContext(), addr, key, backfill=True) == THREAD
    assert requests == [pb.NewDbFromAddrRequest(addr=addr.bytes, key=key.bytes, block=True)]


async def test_the_contexts_thread_is_meant_where_none_is_given() -> None:
    fake = FakeHub()
    info = fake.answer(GET_DB_INFO, pb.GetDbInfoReply(name="x", key=ThreadKey.random().bytes))
    deleted = fake.answer(DELETE_DB, pb.DeleteDbReply())
    assert CTX.thread is not None
    async with connected(fake) as hub:
        assert (await hub.threads.get_db_info(CTX)).id == CTX.thread
        await hub.threads.delete_db(CTX, THREAD)
        for call in (hub.threads.get_db_info, hub.threads.delete_db):
            with pytest.raises(ThreadRequired, match="with_thread"):
                await call(AuthContext())
    assert [request.db_id for request in info] == [CTX.thread.bytes]
    assert [request.db_id for request in deleted] == [THREAD.bytes]


async def test_where_listing_is_blocked_the_error_says_what_to_do_instead() -> None:
    fake = FakeHub()
    fake.answer(LIST_DBS, GRPCError(Status.PERMISSION_DENIED, "Method is not accessible"))
    async with connected(fake) as hub:
        with pytest.raises(MethodBlocked) as caught:
            await hub.threads.list_dbs(CTX)
    assert "hub.users.list_threads" in "".join(traceback.format_exception(caught.value))


@given(st.text(max_size=9), st.sampled_from([b"", bytes(32), bytes(64)]), st.integers(0, 3))
def test_information_on_a_database_loses_nothing(name: str, key: bytes, addrs: int) -> None:
    addr = Multiaddr.parse(f"/ip4/127.0.0.1/tcp/4006/thread/{THREAD}")
    message = pb.GetDbInfoReply(name=name, key=key, addrs=[addr.bytes] * addrs)
    info = _convert.listed(pb.ListDBsReplyDb(db_id=THREAD.bytes, info=message))
    assert (info.id, info.name, info.addrs) == (THREAD, name, (addr,) * addrs)
    assert (info.key.bytes if info.key else b"") == key


@pytest.mark.parametrize(
    "message",
    [
        pb.ListDBsReplyDb(db_id=b""),
        pb.ListDBsReplyDb(db_id=THREAD.bytes, info=pb.GetDbInfoReply(key=b"short")),
        pb.ListDBsReplyDb(db_id=THREAD.bytes, info=pb.GetDbInfoReply(addrs=[b"\xff"])),
    ],
)
def test_malformed_information_is_the_hubs_fault(message: pb.ListDBsReplyDb) -> None:
    with pytest.raises(ProtocolError):
        _convert.listed(message)
