"""Records at the thread network: what is kept, and what is refused (spec: thread-net-and-records §4)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from tests.localhub.net.peers import Peer, Writer, blocks, peer
from tests.localhub.raw import OK, call
from textile_aio import BadSignature, Cid, FailedPrecondition, Identity, NotFound, ThreadID, ThreadKey
from textile_aio._proto.threads.net import pb
from textile_aio.localhub import HubSettings
from textile_aio.records import dagcbor

UNKNOWN, INVALID = "UNKNOWN", "INVALID_ARGUMENT"


@pytest.fixture
async def it() -> AsyncIterator[Peer]:
    async with peer() as made:
        yield made


@pytest.fixture
def writer() -> Writer:
    return Writer(ThreadKey.random())


@pytest.fixture
async def thread(it: Peer, writer: Writer) -> ThreadID:
    return await it.service_thread(writer)


async def test_a_chain_is_kept_byte_for_byte_by_a_hub_that_cannot_read_it(
    it: Peer, writer: Writer, thread: ThreadID
) -> None:
    records = [writer.seal(dagcbor.encode({"number": number})) for number in range(3)]
    await it.add(thread, writer, *records)
    assert await it.heads(thread) == {writer.id: (records[-1].cid, 3)}
    for record in records:
        request = pb.GetRecordRequest(thread_id=bytes(thread), record_id=bytes(record.cid))
        (reply,) = await call(
            it.hub.target, "/threads.net.pb.API/GetRecord", await it.ctx.metadata(), request
        )
        assert reply.record == blocks(record)
    found = [
        each.value() async for each in it.client.net.log_records(it.ctx, writer.id, thread, key=writer.key)
    ]
    assert found == [{"number": 2}, {"number": 1}, {"number": 0}]


async def test_a_known_record_changes_nothing(it: Peer, writer: Writer, thread: ThreadID) -> None:
    first, second = writer.seal(), writer.seal()
    await it.add(thread, writer, first, second)
    before = await it.heads(thread)
    for record in (first, second, first):
        assert await it.added(thread, writer.id, record) == OK
    assert await it.heads(thread) == before


async def test_the_same_record_from_many_callers_is_kept_once(
    it: Peer, writer: Writer, thread: ThreadID
) -> None:
    record = writer.seal()
    assert await asyncio.gather(*(it.added(thread, writer.id, record) for _ in range(8))) == [OK] * 8
    assert await it.heads(thread) == {writer.id: (record.cid, 1)}


async def test_the_checks_come_in_upstreams_order(it: Peer, writer: Writer, thread: ThreadID) -> None:
    record = writer.seal()
    forged = blocks(record, record_node=b"\x41x")
    stranger = Identity.generate().public.peer_id
    assert (await it.added(b"\x01\x01x", b"", None))[0] == INVALID
    assert await it.added(ThreadID.random(), b"no id", None) == (UNKNOWN, "thread not found")
    code, text = await it.added(thread, b"no id", forged)
    assert code == INVALID
    assert "log" not in text
    assert await it.added(thread, stranger, None) == (INVALID, "a record is required")
    assert await it.added(thread, stranger, forged) == (INVALID, "malformed cipher text")
    assert await it.added(thread, stranger, record) == (UNKNOWN, "log not found")
    await it.add(thread, writer, record)
    # A known one is known, whoever is said to have signed it.
    await it.client.net.create_thread(
        it.ctx, thread, key=writer.key.service_only, log_key=Identity.generate()
    )
    others = [log for log in await it.heads(thread) if log != writer.id]
    assert await it.added(thread, others[0], record) == OK


async def test_what_is_not_a_record_of_the_thread_is_refused(
    it: Peer, writer: Writer, thread: ThreadID
) -> None:
    record, other = writer.seal(), Writer(writer.key, writer.log).seal()
    flipped = bytearray(record.nodes.record)
    flipped[-1] ^= 1
    for bad in (
        blocks(record, record_node=bytes(flipped)),
        blocks(record, event_node=other.nodes.event),
        blocks(record, header_node=other.nodes.header),
        blocks(record, body_node=other.nodes.body),
        blocks(record, body_node=b""),
        blocks(record, event_node=b""),
        blocks(Writer(ThreadKey.random(), writer.log).seal()),
    ):
        code, text = await it.added(thread, writer.id, bad)
        assert code == INVALID
        assert text
    assert await it.heads(thread) == {writer.id: (None, 0)}
    assert await it.added(thread, writer.id, record) == OK


async def test_a_record_that_another_log_signed_is_refused(
    it: Peer, writer: Writer, thread: ThreadID
) -> None:
    foreign = Writer(writer.key)
    assert await it.added(thread, writer.id, foreign.seal()) == (UNKNOWN, "bad signature")
    await it.client.net.create_thread(it.ctx, thread, key=writer.key.service_only, log_key=foreign.log.public)
    assert await it.added(thread, writer.id, foreign.seal()) == (UNKNOWN, "bad signature")
    assert {head for head, _ in (await it.heads(thread)).values()} == {None}


async def test_a_record_of_another_thread_with_the_same_log_is_refused(
    it: Peer, writer: Writer, thread: ThreadID
) -> None:
    elsewhere = Writer(ThreadKey.random(), writer.log)
    other = await it.service_thread(elsewhere)
    record = elsewhere.seal()
    await it.add(other, elsewhere, record)
    assert (await it.added(thread, writer.id, record))[0] == INVALID
    request = pb.GetRecordRequest(thread_id=bytes(thread), record_id=bytes(record.cid))
    assert await it.outcome("GetRecord", request) == ("NOT_FOUND", "record not found")


async def test_a_log_is_filled_in_order_and_never_forked(it: Peer, writer: Writer, thread: ThreadID) -> None:
    first, second, third = writer.seal(), writer.seal(), writer.seal()
    gap = (
        "FAILED_PRECONDITION",
        "loading records failed: the record before it is not here; add a log's records in their order",
    )
    fork = (
        "FAILED_PRECONDITION",
        "loading records failed: it does not follow the newest record of its log; a log is never forked",
    )
    assert await it.added(thread, writer.id, second) == gap
    await it.add(thread, writer, first)
    assert await it.added(thread, writer.id, third) == gap
    await it.add(thread, writer, second, third)
    heads = await it.heads(thread)
    for prev in (None, first.cid, second.cid):
        assert await it.added(thread, writer.id, writer.seal(prev=prev, at_end=False)) == fork
    assert await it.heads(thread) == heads


async def test_of_two_records_with_one_predecessor_one_is_kept(
    it: Peer, writer: Writer, thread: ThreadID
) -> None:
    rivals = [writer.seal(prev=None, at_end=False) for _ in range(6)]
    said = await asyncio.gather(*(it.added(thread, writer.id, each) for each in rivals))
    (kept,) = [record for record, answer in zip(rivals, said, strict=True) if answer == OK]
    assert await it.heads(thread) == {writer.id: (kept.cid, 1)}


async def test_records_created_at_once_make_one_chain_for_each_caller(it: Peer) -> None:
    key = ThreadKey.random()
    made = await it.client.net.create_thread(it.ctx, key=key)
    other = await it.another()
    await asyncio.gather(
        *(
            it.client.net.create_record(caller.ctx, {"n": number}, made.id, key=key)
            for number in range(12)
            for caller in (it, other)
        )
    )
    found = (await it.client.net.get_thread(it.ctx, made.id)).logs
    assert [log.counter for log in found] == [12, 12]
    for log in found:
        chain = [each async for each in it.client.net.log_records(it.ctx, log.id, made.id, key=key)]
        assert sorted(each.value()["n"] for each in chain) == list(range(12))
        assert len({str(each.author) for each in chain}) == 1


async def test_a_callers_log_is_begun_by_the_first_record(it: Peer) -> None:
    key = ThreadKey.random()
    made = await it.client.net.create_thread(it.ctx, key=key)
    other = await it.another()
    record = await it.client.net.create_record(other.ctx, 1, made.id, key=key)
    assert record.author == other.identity.public
    assert record.log != made.logs[0].id
    again = await it.client.net.create_record(other.ctx, 2, made.id, key=key)
    assert (again.log, again.prev) == (record.log, record.cid)


async def test_without_a_token_the_host_writes_to_its_own_log(it: Peer) -> None:
    key = ThreadKey.random()
    made = await it.client.net.create_thread(it.ctx, key=key)
    nobody = it.ctx.with_token("")
    record = await it.client.net.create_record(nobody, 1, made.id, key=key)
    assert record.author.peer_id == await it.client.net.get_host_id(it.ctx)
    assert record.log != made.logs[0].id


async def test_a_body_is_brought_into_its_one_form(it: Peer) -> None:
    key = ThreadKey.random()
    made = await it.client.net.create_thread(it.ctx, key=key)
    loose = b"\xa2\x62bb\x18\x01\x61a\xfa\x3f\x00\x00\x00"  # long int, short float, longer key first
    request = pb.CreateRecordRequest(thread_id=bytes(made.id), body=loose)
    (reply,) = await call(it.hub.target, "/threads.net.pb.API/CreateRecord", await it.ctx.metadata(), request)
    (log,) = (await it.client.net.get_thread(it.ctx, made.id)).logs
    assert reply.log_id == bytes(log.id)
    assert log.head is not None
    record = await it.client.net.get_record(it.ctx, log.head, made.id, key=key)
    assert record.body == dagcbor.encode({"a": 0.5, "bb": 1})


async def test_a_body_that_is_not_cbor_is_refused(it: Peer) -> None:
    made = await it.client.net.create_thread(it.ctx)
    for body in (b"", b"\xff", b"\x01\x02", b"\xc1\x01", b"\xa1\x01\x02", b"\x9f\x01\xff"):
        code, text = await it.outcome(
            "CreateRecord", pb.CreateRecordRequest(thread_id=bytes(made.id), body=body)
        )
        assert (code, text.startswith("malformed DAG-CBOR")) == (INVALID, True)
    assert [log.head for log in (await it.client.net.get_thread(it.ctx, made.id)).logs] == [None]


async def test_creating_a_record_takes_all_keys(it: Peer, writer: Writer, thread: ThreadID) -> None:
    def request(of: ThreadID) -> pb.CreateRecordRequest:
        return pb.CreateRecordRequest(thread_id=bytes(of), body=b"\x01")

    private = (UNKNOWN, "a private-key is required to create records")
    assert await it.outcome("CreateRecord", request(thread)) == private
    other = await it.another()
    read = (UNKNOWN, "a read-key is required to create records")
    assert await other.outcome("CreateRecord", request(thread)) == read
    assert list(await it.heads(thread)) == [writer.id]
    nowhere = request(ThreadID.random())
    assert await it.outcome("CreateRecord", nowhere) == (
        UNKNOWN,
        "a service-key is required to create records",
    )
    nobody = Peer(it.hub, it.client, it.ctx.with_token(""), it.identity)
    assert await nobody.outcome("CreateRecord", nowhere) == (UNKNOWN, "thread not found")


async def test_the_client_knows_the_refusals(it: Peer, writer: Writer, thread: ThreadID) -> None:
    with pytest.raises(NotFound, match="log not found"):
        stranger = Writer(writer.key)
        await it.client.net.add_record(it.ctx, stranger.id, stranger.seal(), thread)
    with pytest.raises(FailedPrecondition, match="a private-key is required"):
        await it.client.net.create_record(it.ctx, 1, thread, key=writer.key)
    with pytest.raises(FailedPrecondition, match="the record before it"):
        writer.seal()
        await it.add(thread, writer, writer.seal())
    with pytest.raises(NotFound, match="record not found"):
        await it.client.net.get_record(it.ctx, writer.prev or Cid.parse(""), thread, key=writer.key)
    with pytest.raises(FailedPrecondition, match="a service-key is required to get records"):
        await it.client.net.get_record(
            it.ctx, writer.prev or Cid.parse(""), ThreadID.random(), key=writer.key, log=writer.id
        )


async def test_a_forged_record_cannot_be_sent_by_our_client(
    it: Peer, writer: Writer, thread: ThreadID
) -> None:
    with pytest.raises(BadSignature):
        await it.client.net.add_record(it.ctx, writer.id, Writer(writer.key).seal(), thread)


async def test_records_outlive_the_hub(tmp_path: Path, writer: Writer) -> None:
    settings = HubSettings(mode="buckd")
    async with peer(settings, path=tmp_path / "hub") as before:
        thread = await before.service_thread(writer)
        records = [writer.seal() for _ in range(3)]
        await before.add(thread, writer, *records)
        made = await before.client.net.create_thread(before.ctx)
        created = await before.client.net.create_record(before.ctx, 1, made.id)
    async with peer(settings, path=tmp_path / "hub") as after:
        assert await after.heads(thread) == {writer.id: (records[-1].cid, 3)}
        found = await after.client.net.get_record(after.ctx, created.cid, made.id)
        assert found.record == created.record
        next_ = await after.client.net.create_record(before.ctx, 2, made.id)
        assert (next_.log, next_.prev) == (created.log, created.cid)
        await after.add(thread, writer, writer.seal())


BLOCKS = ("record_node", "event_node", "header_node", "body_node")


async def test_whatever_is_sent_is_refused_in_good_order(it: Peer, writer: Writer, thread: ThreadID) -> None:
    bound = await it.client.threads.new_db(it.ctx, key=writer.key)
    other = await it.another()
    await it.client.net.create_thread(other.ctx, bound, key=writer.key, log_key=writer.log.public)
    random = Random(7)
    record = writer.seal()
    whole = {name: getattr(blocks(record), name) for name in BLOCKS}

    def broken(data: bytes) -> bytes:
        match random.randrange(5):
            case 0:
                return b""
            case 1:
                return data[: random.randrange(len(data))]
            case 2:
                return data + random.randbytes(random.randrange(1, 9))
            case 3:
                return random.randbytes(random.randrange(200))
            case _:
                at = random.randrange(len(data))
                return data[:at] + bytes((data[at] ^ (1 << random.randrange(8)),)) + data[at + 1 :]

    for number in range(200):
        name = BLOCKS[number % 4]
        message = pb.Record(**{**whole, name: broken(whole[name])})
        code, text = await it.added((thread, bound)[number % 2], writer.id, message)
        assert (code, bool(text)) == (INVALID, True)
    plain = [random.randbytes(random.randrange(40)) for _ in range(60)]
    for body in (*plain, *map(dagcbor.encode, ({}, [], {"patches": None}, {"patches": [{}]}))):
        writer.prev = None
        code, text = await it.added(bound, writer.id, writer.seal(body))
        assert (code, text.startswith(("handling record failed", "collection not found"))) in {
            ("UNKNOWN", True),
            ("OK", False),
        }
        if code == "OK":  # a record without any change
            break
    assert await it.added(thread, writer.id, record) == OK
