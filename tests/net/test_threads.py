"""Threads as a whole, at a host of the thread network."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError
from grpclib.server import Stream

from tests.fakehub import CTX, FakeHub, received
from tests.net.fakehost import Host, at
from tests.rpc.leaks import nothing_left
from textile_aio import (
    AlreadyExists,
    AuthContext,
    BadSignature,
    Conflict,
    FailedPrecondition,
    Identity,
    InvalidEncoding,
    InvalidInput,
    Multiaddr,
    PeerID,
    ProtocolError,
    ThreadID,
    ThreadKey,
    ThreadNotFound,
    ThreadRequired,
)
from textile_aio._proto.threads.net import pb
from textile_aio.net import _methods as m
from textile_aio.net.client import NetClient

THREAD = ThreadID.random()
ANON = AuthContext()


async def test_the_host_says_its_id() -> None:
    host = Host()
    async with nothing_left(), at(host) as net:
        assert await net.get_host_id(ANON) == host.identity.public.peer_id


async def test_a_token_is_had_at_this_service_too() -> None:
    fake, identity = FakeHub(), Identity.generate()

    async def give(stream: Stream[Any, Any]) -> None:
        key = (await received(stream)).key
        await stream.send_message(pb.GetTokenReply(challenge=b"c" * 32))
        if not identity.public.verify(b"c" * 32, (await received(stream)).signature):
            raise GRPCError(Status.UNKNOWN, "bad signature")
        await stream.send_message(pb.GetTokenReply(token=f"token of {key}"))

    class Forger:
        public = identity.public

        async def sign(self, message: bytes) -> bytes:
            return bytes(64)

    fake.on(m.GET_TOKEN, give)
    async with nothing_left(), at(fake) as net:
        assert (await net.authorize(ANON, identity)).token == f"token of {identity.public}"
        with pytest.raises(BadSignature):
            await net.get_token(ANON, Forger())


async def test_a_new_thread_has_the_keys_given_and_a_log() -> None:
    host, key, log_key = Host(), ThreadKey.random(), Identity.generate()
    async with at(host) as net:
        made = await net.create_thread(ANON, THREAD, key=key, log_key=log_key)
    (log,) = made.logs
    assert (made.id, made.key) == (THREAD, key)
    assert (log.id, log.public_key, log.private_key) == (log_key.public.peer_id, log_key.public, log_key)
    assert (log.head, log.counter) == (None, 0)
    assert [str(addr) for addr in log.addrs] == [f"/p2p/{host.identity.public.peer_id}"]
    assert [ThreadID.from_addr(addr) for addr in made.addrs] == [THREAD]
    assert made.log(log.id) is log
    assert made.log(PeerID(Identity.generate().public.peer_id.bytes)) is None


async def test_a_host_that_shall_not_write_gets_public_halves_only() -> None:
    host, key, log_key = Host(), ThreadKey.random_service(), Identity.generate()
    async with at(host) as net:
        made = await net.create_thread(ANON, key=key, log_key=log_key.public)
    assert host.requests == [
        pb.CreateThreadRequest(
            thread_id=made.id.bytes, keys=pb.Keys(thread_key=key.bytes, log_key=log_key.public.bytes)
        )
    ]
    assert len(key.bytes) == 32
    assert made.logs[0].private_key is None


async def test_a_host_draws_what_is_not_given() -> None:
    async with at(Host()) as net:
        one, other = await net.create_thread(ANON), await net.create_thread(ANON)
    assert one.id != other.id
    assert one.key is not None
    assert one.key.can_read
    assert one.logs[0].private_key is not None


async def test_a_log_joins_a_thread_by_its_address() -> None:
    host = Host()
    thread = host.has()
    assert thread.key is not None
    self_addr = Multiaddr.parse(f"/p2p/{host.identity.public.peer_id}") / thread.id.to_addr()
    async with at(host) as net:
        joined = await net.add_thread(ANON, self_addr, thread.key, log_key=Identity.generate().public)
        with pytest.raises(AlreadyExists):
            await net.add_thread(ANON, self_addr, thread.key, log_key=joined.logs[-1].public_key)
    assert joined.id == thread.id
    assert len(joined.logs) == 2


async def test_the_contexts_thread_is_meant_where_none_is_given() -> None:
    host = Host()
    thread = host.has()
    async with at(host) as net:
        assert (await net.get_thread(ANON.with_thread(thread.id))).id == thread.id
        await net.pull_thread(ANON.with_thread(thread.id))
        await net.delete_thread(CTX, thread.id)
        for call in (net.get_thread, net.pull_thread, net.delete_thread):
            with pytest.raises(ThreadNotFound):
                await call(CTX)
            with pytest.raises(ThreadRequired, match="with_thread"):
                await call(ANON)
    assert host.threads == {}


async def test_another_host_is_made_to_keep_the_thread() -> None:
    host = Host()
    thread = host.has()
    other = Identity.generate().public.peer_id
    async with at(host) as net:
        addr = Multiaddr.parse(f"/ip4/127.0.0.1/tcp/4006/p2p/{other}")
        assert await net.add_replicator(ANON, addr, thread.id) == other
        with pytest.raises(InvalidEncoding):
            await net.add_replicator(ANON, Multiaddr.parse("/ip4/127.0.0.1/tcp/4006"), thread.id)
    assert host.called == [m.ADD_REPLICATOR.path]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("service-key mismatch", Conflict),
        ("log already exists", AlreadyExists),
        ("thread not found", ThreadNotFound),
        ("cannot delete thread: thread is in use", FailedPrecondition),
    ],
)
async def test_refusals_are_named_by_their_texts(text: str, kind: type[Exception]) -> None:
    fake = FakeHub()
    fake.answer(m.DELETE_THREAD, GRPCError(Status.UNKNOWN, text))
    async with at(fake) as net:
        with pytest.raises(kind):
            await net.delete_thread(CTX)


async def test_arguments_of_the_wrong_type_are_refused_before_anything_is_sent() -> None:
    host = Host()
    wrong: Any = object()
    text: Any = "/thread/x"
    calls: list[Callable[[NetClient], Awaitable[object]]] = [
        lambda net: net.get_host_id(wrong),
        lambda net: net.create_thread(ANON, wrong),
        lambda net: net.create_thread(ANON, key=wrong),
        lambda net: net.create_thread(ANON, log_key=wrong),
        lambda net: net.add_thread(ANON, text, ThreadKey.random()),
        lambda net: net.add_thread(ANON, THREAD.to_addr(), wrong),
        lambda net: net.add_thread(ANON, Multiaddr.parse("/ip4/127.0.0.1"), ThreadKey.random()),
        lambda net: net.get_thread(CTX, text),
        lambda net: net.add_replicator(CTX, text),
        lambda net: net.create_record(CTX, wrong),
        lambda net: net.create_record(CTX, b"\xff"),
        lambda net: net.add_record(CTX, wrong, wrong),
        lambda net: net.get_record(CTX, text),
    ]
    async with at(host) as net:
        for call in calls:
            with pytest.raises(InvalidInput):
                await call(net)
        with pytest.raises(InvalidInput):
            net.subscribe(CTX, [text])
    assert host.called == []


A, B = Identity.generate(), Identity.generate()


@pytest.mark.parametrize(
    "message",
    [
        pb.ThreadInfoReply(),
        pb.ThreadInfoReply(thread_id=ThreadID.random().bytes),
        pb.ThreadInfoReply(thread_id=THREAD.bytes, thread_key=bytes(31)),
        pb.ThreadInfoReply(thread_id=THREAD.bytes, addrs=[b"\xff"]),
        *(
            pb.ThreadInfoReply(thread_id=THREAD.bytes, logs=[log])
            for log in (
                pb.LogInfo(),
                pb.LogInfo(id=b"\x00"),
                pb.LogInfo(id=A.public.peer_id.bytes, pub_key=B.public.bytes),
                pb.LogInfo(id=A.public.peer_id.bytes, pub_key=A.public.bytes, priv_key=B.bytes),
                pb.LogInfo(id=A.public.peer_id.bytes, pub_key=b"key"),
                pb.LogInfo(id=A.public.peer_id.bytes, pub_key=A.public.bytes, priv_key=b"key"),
                pb.LogInfo(id=A.public.peer_id.bytes, pub_key=A.public.bytes, head=b"cid"),
                pb.LogInfo(id=A.public.peer_id.bytes, pub_key=A.public.bytes, counter=b"\xff"),
                pb.LogInfo(id=A.public.peer_id.bytes, pub_key=A.public.bytes, addrs=[b"x"]),
                pb.LogInfo(id=b"\x12\x20" + bytes(32)),
            )
        ),
    ],
)
async def test_malformed_information_is_the_hubs_fault(message: pb.ThreadInfoReply) -> None:
    fake = FakeHub()
    fake.answer(m.GET_THREAD, message)
    async with at(fake) as net:
        with pytest.raises(ProtocolError):
            await net.get_thread(ANON, THREAD)


async def test_a_logs_key_is_read_from_its_id_where_it_is_not_sent() -> None:
    fake = FakeHub()
    fake.answer(
        m.GET_THREAD,
        pb.ThreadInfoReply(thread_id=THREAD.bytes, logs=[pb.LogInfo(id=A.public.peer_id.bytes)]),
    )
    async with at(fake) as net:
        (log,) = (await net.get_thread(ANON, THREAD)).logs
    assert log.public_key == A.public
    assert (log.private_key, log.head, log.counter, log.addrs) == (None, None, 0, ())


async def test_nothing_printed_shows_a_key(capsys: pytest.CaptureFixture[str]) -> None:
    host = Host()
    thread = host.has()
    assert thread.key is not None
    async with at(host) as net:
        shown = repr(await net.get_thread(ANON, thread.id)) + repr(
            await net.create_record(ANON, 1, thread.id)
        )
    private = thread.logs[0].private
    assert private is not None
    for secret in (thread.key.bytes, thread.key.service.bytes, private.seed):
        assert repr(secret)[2:-1] not in shown
        assert secret.hex() not in shown
