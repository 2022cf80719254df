"""Threads at the thread network, with the exact codes and texts (spec: thread-net-and-records §1.2, §1.4)."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.localhub.net.peers import Peer, Writer, peer
from tests.localhub.raw import OK
from textile_aio import (
    AlreadyExists,
    Conflict,
    Identity,
    Multiaddr,
    ThreadID,
    ThreadKey,
    ThreadNotFound,
    Unimplemented,
)
from textile_aio._proto.threads.net import pb

UNKNOWN, INVALID = "UNKNOWN", "INVALID_ARGUMENT"
NOT_FOUND = (UNKNOWN, "thread not found")
BAD_IDS = {
    b"": "expected random id bytes but there are none",
    b"\x02\x55" + bytes(32): "expected 1 as the id version number, got: 2",
    b"\x01\x01" + bytes(32): "expected Raw or AccessControlled as the id variant, got: 1",
    b"\x01\x55": "expected random id bytes but there are none",
}


@pytest.fixture
async def it() -> AsyncIterator[Peer]:
    async with peer() as made:
        yield made


async def test_the_host_has_the_same_id_everywhere(it: Peer) -> None:
    host = await it.client.net.get_host_id(it.ctx)
    made = await it.client.net.create_thread(it.ctx)
    assert {log.addrs for log in made.logs} == {(Multiaddr.parse(f"/p2p/{host}"),)}
    assert [str(addr) for addr in made.addrs] == [
        f"/ip4/127.0.0.1/tcp/{it.hub.target.rpartition(':')[2]}/p2p/{host}/thread/{made.id}"
    ]


async def test_a_token_of_one_service_is_good_for_the_other(it: Peer) -> None:
    thread = await it.client.threads.new_db(it.ctx)
    found = await it.client.net.get_thread(it.ctx, thread)
    assert found.key is not None
    assert found.key.can_read


async def test_what_is_not_given_is_drawn(it: Peer) -> None:
    made = await it.client.net.create_thread(it.ctx)
    assert made.key is not None
    assert made.key.can_read
    (log,) = made.logs
    assert log.private_key is not None
    assert log.private_key.public == log.public_key
    assert log.id == log.public_key.peer_id
    assert (log.head, log.counter) == (None, 0)
    assert await it.client.net.get_thread(it.ctx, made.id) == made


async def test_a_hub_keeps_no_more_of_the_keys_than_it_is_given(it: Peer) -> None:
    key, log = ThreadKey.random(), Identity.generate()
    made = await it.client.net.create_thread(it.ctx, key=key.service_only, log_key=log.public)
    assert made.key == key.service_only
    assert [(each.public_key, each.private_key) for each in made.logs] == [(log.public, None)]


async def test_a_log_key_may_be_the_private_one(it: Peer) -> None:
    log = Identity.generate()
    made = await it.client.net.create_thread(it.ctx, log_key=log)
    assert [each.private_key for each in made.logs] == [log]


async def test_a_second_log_comes_with_the_same_key(it: Peer) -> None:
    key = ThreadKey.random()
    first = await it.client.net.create_thread(it.ctx, key=key)
    log = Identity.generate()
    again = await it.client.net.create_thread(it.ctx, first.id, key=key, log_key=log.public)
    assert {each.id for each in again.logs} == {first.logs[0].id, log.public.peer_id}
    other = await it.another()
    third = await it.client.net.create_thread(other.ctx, first.id, key=key.service_only)
    assert len(third.logs) == 3
    assert third.key == key


async def test_a_read_key_that_comes_later_stays(it: Peer) -> None:
    key = ThreadKey.random()
    made = await it.client.net.create_thread(it.ctx, key=key.service_only)
    assert made.key == key.service_only
    joined = await it.client.net.create_thread(it.ctx, made.id, key=key, log_key=Identity.generate())
    assert joined.key == key
    other = ThreadKey(key.service, ThreadKey.random().read)
    with pytest.raises(Conflict, match="read-key mismatch"):
        await it.client.net.create_thread(it.ctx, made.id, key=other, log_key=Identity.generate())


async def test_logs_are_compared_before_keys(it: Peer) -> None:
    log = Identity.generate()
    made = await it.client.net.create_thread(it.ctx, log_key=log)
    for taken in (log, log.public, None):
        with pytest.raises(AlreadyExists, match="log already exists"):
            await it.client.net.create_thread(it.ctx, made.id, key=ThreadKey.random(), log_key=taken)
    for key in (ThreadKey.random(), None):
        with pytest.raises(Conflict, match="service-key mismatch"):
            await it.client.net.create_thread(it.ctx, made.id, key=key, log_key=Identity.generate())
    assert await it.client.net.get_thread(it.ctx, made.id) == made


async def test_the_callers_records_go_to_the_log_made_last(it: Peer) -> None:
    key, second = ThreadKey.random(), Identity.generate()
    made = await it.client.net.create_thread(it.ctx, key=key)
    await it.client.net.create_thread(it.ctx, made.id, key=key, log_key=second)
    record = await it.client.net.create_record(it.ctx, 1, made.id, key=key)
    assert record.log == second.public.peer_id


@pytest.mark.parametrize(
    "method", ["CreateThread", "GetThread", "PullThread", "DeleteThread", "AddReplicator"]
)
async def test_malformed_thread_ids_are_named_as_upstream_does(it: Peer, method: str) -> None:
    kind = getattr(pb, f"{method}Request")
    for data, text in BAD_IDS.items():
        if data:
            assert await it.outcome(method, kind(thread_id=data)) == (INVALID, text)
    code, _ = await it.outcome(method, kind())
    assert code == INVALID


async def test_malformed_keys_are_named(it: Peer) -> None:
    thread = bytes(ThreadID.random())
    for size in (1, 31, 33, 65):
        keys = pb.Keys(thread_key=bytes(size))
        said = (INVALID, "invalid thread-key: invalid key")
        assert await it.outcome("CreateThread", pb.CreateThreadRequest(thread_id=thread, keys=keys)) == said
    keys = pb.Keys(log_key=b"no key")
    assert await it.outcome("CreateThread", pb.CreateThreadRequest(thread_id=thread, keys=keys)) == (
        INVALID,
        "invalid log-key",
    )
    assert await it.outcome("GetThread", pb.GetThreadRequest(thread_id=thread)) == NOT_FOUND


async def test_a_thread_that_is_not_there(it: Peer) -> None:
    thread = bytes(ThreadID.random())
    addr = Multiaddr.parse(f"/p2p/{Identity.generate().public.peer_id}").bytes
    assert await it.outcome("GetThread", pb.GetThreadRequest(thread_id=thread)) == NOT_FOUND
    assert await it.outcome("PullThread", pb.PullThreadRequest(thread_id=thread)) == NOT_FOUND
    assert await it.outcome("DeleteThread", pb.DeleteThreadRequest(thread_id=thread)) == NOT_FOUND
    assert (
        await it.outcome("AddReplicator", pb.AddReplicatorRequest(thread_id=thread, addr=addr)) == NOT_FOUND
    )


async def test_the_hosts_own_address_adds_a_log(it: Peer) -> None:
    key = ThreadKey.random()
    made = await it.client.net.create_thread(it.ctx, key=key)
    other = await it.another()
    host = await it.client.net.get_host_id(it.ctx)
    log = Identity.generate()
    addr = Multiaddr.parse(f"/p2p/{host}") / made.id.to_addr()
    joined = await it.client.net.add_thread(other.ctx, addr, key.service_only, log_key=log.public)
    assert {each.id for each in joined.logs} == {made.logs[0].id, log.public.peer_id}
    with pytest.raises(AlreadyExists, match="log already exists"):
        await it.client.net.add_thread(other.ctx, made.addrs[0], key, log_key=log.public)
    with pytest.raises(Conflict, match="service-key mismatch"):
        await it.client.net.add_thread(
            other.ctx, made.addrs[0], ThreadKey.random(), log_key=Identity.generate()
        )


async def test_joining_with_a_service_key_alone_makes_no_log(it: Peer) -> None:
    key = ThreadKey.random()
    made = await it.client.net.create_thread(it.ctx, key=key)
    other = await it.another()
    joined = await it.client.net.add_thread(other.ctx, made.addrs[0], key.service_only)
    assert joined.logs == made.logs
    assert len((await it.client.net.add_thread(other.ctx, made.addrs[0], key)).logs) == 2


async def test_joining_needs_a_thread_that_is_here_and_a_key(it: Peer) -> None:
    made = await it.client.net.create_thread(it.ctx)
    host = await it.client.net.get_host_id(it.ctx)
    gone = Multiaddr.parse(f"/p2p/{host}") / ThreadID.random().to_addr()
    other = await it.another()
    with pytest.raises(ThreadNotFound, match="cannot retrieve thread from self: thread not found"):
        await it.client.net.add_thread(it.ctx, gone, ThreadKey.random())
    request = pb.AddThreadRequest(addr=made.addrs[0].bytes)
    assert await other.outcome("AddThread", request) == (UNKNOWN, "a service-key is required to add a thread")
    for addr, text in (
        (Multiaddr.parse(f"/p2p/{host}"), "protocol not found in multiaddr"),
        (made.id.to_addr(), "invalid p2p multiaddr"),
    ):
        request = pb.AddThreadRequest(addr=addr.bytes)
        assert await other.outcome("AddThread", request) == (UNKNOWN, text)
    assert (await it.outcome("AddThread", pb.AddThreadRequest()))[0] == INVALID


async def test_other_hosts_are_not_talked_to_and_nothing_stays_of_trying(it: Peer) -> None:
    key = ThreadKey.random()
    made = await it.client.net.create_thread(it.ctx, key=key)
    elsewhere = Multiaddr.parse(f"/ip4/127.0.0.1/tcp/4006/p2p/{Identity.generate().public.peer_id}")
    for thread in (made.id, ThreadID.random()):
        with pytest.raises(Unimplemented, match="does not fetch threads from other hosts"):
            await it.client.net.add_thread(
                it.ctx, elsewhere / thread.to_addr(), key, log_key=Identity.generate()
            )
    assert await it.client.net.get_thread(it.ctx, made.id) == made
    with pytest.raises(ThreadNotFound):
        await it.client.net.get_thread(it.ctx, thread)
    with pytest.raises(Unimplemented, match="does not replicate threads to other hosts"):
        await it.client.net.add_replicator(it.ctx, elsewhere, made.id)


async def test_the_host_replicates_its_threads_to_itself(it: Peer) -> None:
    made = await it.client.net.create_thread(it.ctx)
    host = await it.client.net.get_host_id(it.ctx)
    assert await it.client.net.add_replicator(it.ctx, Multiaddr.parse(f"/p2p/{host}"), made.id) == host
    assert await it.client.net.get_thread(it.ctx, made.id) == made


async def test_there_is_nobody_to_pull_from(it: Peer) -> None:
    made = await it.client.net.create_thread(it.ctx)
    await it.client.net.pull_thread(it.ctx, made.id)
    assert await it.client.net.get_thread(it.ctx, made.id) == made


async def test_a_deleted_thread_is_gone_with_its_records_and_can_be_made_again(it: Peer) -> None:
    writer = Writer(ThreadKey.random())
    thread = await it.service_thread(writer)
    record = writer.seal()
    await it.add(thread, writer, record)
    await it.client.net.delete_thread(it.ctx, thread)
    request = pb.GetRecordRequest(thread_id=bytes(thread), record_id=bytes(record.cid))
    assert await it.outcome("GetRecord", request) == (UNKNOWN, "a service-key is required to get records")
    made = await it.client.net.create_thread(
        it.ctx, thread, key=writer.key.service_only, log_key=writer.log.public
    )
    assert [log.head for log in made.logs] == [None]
    assert await it.outcome("GetRecord", request) == ("NOT_FOUND", "record not found")


async def test_a_thread_with_a_database_is_in_use(it: Peer) -> None:
    thread = await it.client.threads.new_db(it.ctx)
    request = pb.DeleteThreadRequest(thread_id=bytes(thread))
    assert await it.outcome("DeleteThread", request) == (UNKNOWN, "cannot delete thread: thread is in use")
    create = pb.CreateRecordRequest(thread_id=bytes(thread), body=b"\x01")
    assert await it.outcome("CreateRecord", create) == (UNKNOWN, "cannot create record: thread is in use")
    await it.client.threads.delete_db(it.ctx, thread)
    assert await it.outcome("DeleteThread", request) == NOT_FOUND
    await it.client.net.create_thread(it.ctx, thread)
    assert await it.outcome("DeleteThread", request) == OK
