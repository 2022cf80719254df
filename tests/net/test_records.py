"""Records from a host are what they say, or are not given out."""

from __future__ import annotations

import os
from typing import Any

import pytest
from grpclib.server import Stream

from tests.fakehub import received
from tests.net.fakehost import AUTHOR, Host, Log, Thread, at, swapped
from tests.rpc.leaks import nothing_left
from textile_aio import (
    AuthContext,
    BadSignature,
    DecryptionFailed,
    Identity,
    IntegrityError,
    InvalidEncoding,
    InvalidInput,
    InvalidKey,
    NotFound,
    ProtocolError,
    TextileError,
    ThreadID,
    ThreadKey,
    ThreadNotFound,
)
from textile_aio._proto.threads.net import pb
from textile_aio.net import _methods as m
from textile_aio.records import dagcbor, events
from textile_aio.records.record import seal

ANON = AuthContext()
BODY = dagcbor.encode({"hello": "world"})


class Filled:
    """A host with one thread of two logs, of which the first has three records."""

    def __init__(self, *, key: ThreadKey | None = None) -> None:
        self.host = Host()
        self.thread: Thread = self.host.has(logs=2)
        self.key = self._whole()
        self.log, self.other = self.thread.logs
        self.records = [self.log.write(dagcbor.encode(number), self.key) for number in range(3)]
        self.ctx = ANON.with_thread(self.thread.id)

    def _whole(self) -> ThreadKey:
        assert self.thread.key is not None
        return self.thread.key


async def test_a_record_is_written_by_the_host_and_reads_back() -> None:
    it = Filled()
    value = {"list": [1, -1.5, None, True], "bytes": b"raw", "link": it.records[0].cid}
    async with nothing_left(), at(it.host) as net:
        made = await net.create_record(it.ctx, value)
        assert (made.thread, made.log, made.prev) == (it.thread.id, it.log.id, it.records[-1].cid)
        assert made.author == AUTHOR.public
        assert made.value() == value
        assert await net.get_record(it.ctx, made.cid) == made


async def test_bytes_are_sent_as_the_body_they_are() -> None:
    it = Filled()
    async with at(it.host) as net:
        made = await net.create_record(it.ctx, BODY)
        assert made.body == BODY
        with pytest.raises(InvalidEncoding):
            await net.create_record(it.ctx, b"\x18\x01")
        with pytest.raises(InvalidInput):
            await net.create_record(it.ctx, {1, 2})


async def test_a_log_made_for_the_first_record_is_known_by_its_id() -> None:
    host = Host()
    thread = host.has(logs=0)
    async with at(host) as net:
        made = await net.create_record(ANON, "first", thread.id)
    assert made.prev is None
    assert made.log == thread.logs[0].id


async def test_a_key_that_is_known_is_not_asked_for() -> None:
    it = Filled()
    async with at(it.host) as net:
        await net.create_record(it.ctx, 1, key=it.key)
        await net.get_record(it.ctx, it.records[0].cid, key=it.key, log=it.log.id)
        assert it.host.called == [m.CREATE_RECORD.path, m.GET_RECORD.path]
        await net.get_record(it.ctx, it.records[0].cid, key=it.key)
        await net.get_record(it.ctx, it.records[0].cid, log=it.log.id)
    assert it.host.called[2:] == [m.GET_THREAD.path, m.GET_RECORD.path] * 2


async def test_both_calls_share_one_timeout() -> None:
    it = Filled()
    left: list[float] = []

    def watched(handler: Any) -> Any:
        async def handle(stream: Stream[Any, Any]) -> None:
            assert stream.deadline is not None
            left.append(stream.deadline.time_remaining())
            await handler(stream)

        return handle

    for method in (m.GET_THREAD, m.CREATE_RECORD, m.GET_RECORD):
        it.host.on(method, watched(it.host.handlers[method.path].func))
    async with at(it.host) as net:
        await net.create_record(it.ctx, 1, timeout=60)
        await net.get_record(it.ctx, it.records[0].cid, timeout=60)
    for first, second in (left[:2], left[2:]):
        assert 0 < second < first <= 60


async def test_a_record_that_is_not_what_was_sent_is_not_taken_for_it() -> None:
    it = Filled()

    async def rewrite(stream: Stream[Any, Any]) -> None:
        await received(stream)
        record = it.log.write(dagcbor.encode("another"), it.key)
        await stream.send_message(it.host.announcement(it.thread, it.log, record))

    it.host.on(m.CREATE_RECORD, rewrite)
    async with at(it.host) as net:
        with pytest.raises(IntegrityError, match="another body"):
            await net.create_record(it.ctx, "mine")


async def test_a_record_made_here_is_added_and_adding_it_again_does_nothing() -> None:
    it = Filled()
    assert it.key.read is not None
    assert it.other.private is not None
    record = seal(
        BODY,
        author=AUTHOR.public,
        log=it.other.private,
        service_key=it.key.service.bytes,
        read_key=it.key.read.bytes,
        prev=None,
    )
    async with at(it.host) as net:
        for _ in range(2):
            await net.add_record(it.ctx, it.other.id, record)
        found = await net.get_record(it.ctx, record.cid)
    assert it.other.records == [record]
    assert (found.record, found.log, found.body) == (record, it.other.id, BODY)


async def test_a_record_of_another_log_is_not_sent() -> None:
    it, pair = Filled(), Identity.generate()
    stranger = Log(pair.public, pair)
    async with at(it.host) as net:
        with pytest.raises(BadSignature):
            await net.add_record(it.ctx, it.other.id, it.records[0])
        assert it.host.called == []
        with pytest.raises(TextileError, match="log not found"):
            await net.add_record(it.ctx, stranger.id, stranger.write(BODY, it.key))


def _other_body(it: Filled) -> pb.Record:
    return swapped(it.records[1], body=it.records[0].nodes.body)


def _other_header(it: Filled) -> pb.Record:
    return swapped(it.records[1], header=it.records[0].nodes.header)


def _other_event(it: Filled) -> pb.Record:
    return swapped(it.records[1], event=it.records[0].nodes.event)


def _another_record(it: Filled) -> pb.Record:
    return swapped(it.records[0])


@pytest.mark.parametrize("forge", [_other_body, _other_header, _other_event, _another_record])
async def test_blocks_of_another_record_are_refused(forge: Any) -> None:
    it = Filled()
    it.host.change = lambda _: forge(it)
    async with nothing_left(), at(it.host) as net:
        with pytest.raises(IntegrityError):
            await net.get_record(it.ctx, it.records[1].cid)


@pytest.mark.parametrize("forged", [None, pb.Record(), pb.Record(record_node=b"\x40")])
async def test_a_missing_or_malformed_record_is_the_hubs_fault(forged: pb.Record | None) -> None:
    it = Filled()
    it.host.change = lambda _: forged
    async with at(it.host) as net:
        with pytest.raises((ProtocolError, IntegrityError)):
            await net.get_record(it.ctx, it.records[1].cid)


async def test_a_record_that_no_log_of_the_thread_signed_is_refused() -> None:
    it = Filled()
    it.thread.logs.remove(it.log)

    async def hand_out(stream: Stream[Any, Any]) -> None:
        await received(stream)
        await stream.send_message(pb.GetRecordReply(record=swapped(it.records[0])))

    it.host.on(m.GET_RECORD, hand_out)
    async with at(it.host) as net:
        with pytest.raises(BadSignature, match="no log"):
            await net.get_record(it.ctx, it.records[0].cid)
        with pytest.raises(BadSignature):
            await net.get_record(it.ctx, it.records[0].cid, log=it.other.id)
        assert (await net.get_record(it.ctx, it.records[0].cid, log=it.log.id)).log == it.log.id


async def test_a_record_of_another_thread_does_not_open() -> None:
    it = Filled()
    async with at(it.host) as net:
        with pytest.raises(DecryptionFailed):
            await net.get_record(it.ctx, it.records[0].cid, key=ThreadKey.random())


async def test_without_the_read_key_a_record_can_be_checked_but_not_read() -> None:
    it = Filled()
    it.thread.key = it.key.service_only
    async with at(it.host) as net:
        found = await net.get_record(it.ctx, it.records[0].cid)
        assert (found.record, found.log) == (it.records[0], it.log.id)
        with pytest.raises(InvalidKey, match="read key"):
            found.value()
        whole = await net.get_record(it.ctx, it.records[0].cid, key=it.key)
    assert whole.value() == 0


async def test_a_host_without_the_threads_key_cannot_be_asked_for_it() -> None:
    it = Filled()
    it.thread.key = None
    async with at(it.host) as net:
        for call in (
            net.create_record(it.ctx, 1),
            net.get_record(it.ctx, it.records[0].cid),
            anext(net.log_records(it.ctx, it.log.id)),
        ):
            with pytest.raises(InvalidKey, match="does not hold"):
                await call
        assert (await net.get_record(it.ctx, it.records[0].cid, key=it.key)).value() == 0


async def test_the_record_of_a_database_says_what_changed() -> None:
    it = Filled()
    changes = (events.Event(5, "People", "ada", events.EventKind.CREATE, b'{"_id":"ada"}'),)
    async with at(it.host) as net:
        made = await net.create_record(it.ctx, events.encode_events(changes))
        assert made.events() == changes
        with pytest.raises(InvalidEncoding):
            (await net.get_record(it.ctx, it.records[0].cid)).events()


async def test_a_log_is_read_from_its_end_to_what_is_known() -> None:
    it = Filled()
    async with nothing_left(), at(it.host) as net:
        assert [each.value() async for each in net.log_records(it.ctx, it.log.id)] == [2, 1, 0]
        since = it.records[0].cid
        assert [each.value() async for each in net.log_records(it.ctx, it.log.id, since=since)] == [2, 1]
        newest = it.records[2].cid
        assert [each async for each in net.log_records(it.ctx, it.log.id, since=newest)] == []
        assert [each async for each in net.log_records(it.ctx, it.other.id)] == []


async def test_a_log_without_the_record_known_before_has_forked() -> None:
    it = Filled()
    before = it.records[2].cid
    it.log.records = it.records[:2]
    it.log.write(dagcbor.encode("instead"), it.key)
    seen = []
    async with at(it.host) as net:
        with pytest.raises(IntegrityError, match="known before"):
            async for each in net.log_records(it.ctx, it.log.id, since=before):
                seen.append(each.value())  # noqa: PERF401 - what came before the error is looked at
    assert seen == ["instead", 1, 0]


async def test_a_record_whose_content_does_not_open_keeps_nobody_from_the_next() -> None:
    it = Filled()
    it.log.write(BODY, it.key, read_key=os.urandom(32))
    it.log.write(b"\xff", it.key)
    it.log.write(BODY, it.key)
    outcomes: list[Any] = []
    async with at(it.host) as net:
        async for each in net.log_records(it.ctx, it.log.id, since=it.records[2].cid):
            try:
                outcomes.append(each.value())
            except (DecryptionFailed, InvalidEncoding) as error:
                outcomes.append(type(error))
    assert outcomes == [{"hello": "world"}, InvalidEncoding, DecryptionFailed]


async def test_a_log_or_a_thread_that_is_not_there_is_not_found() -> None:
    it = Filled()
    async with at(it.host) as net:
        with pytest.raises(NotFound, match="no such log"):
            await anext(net.log_records(it.ctx, Identity.generate().public.peer_id))
        with pytest.raises(ThreadNotFound):
            await net.get_record(ANON, it.records[0].cid, ThreadID.random())


async def test_a_hub_that_answers_for_another_thread_breaks_the_protocol() -> None:
    it = Filled()
    elsewhere = it.host.has(it.key)

    async def misdirect(stream: Stream[Any, Any]) -> None:
        await received(stream)
        log = elsewhere.logs[0]
        await stream.send_message(it.host.announcement(elsewhere, log, log.write(BODY, it.key)))

    it.host.on(m.CREATE_RECORD, misdirect)
    async with at(it.host) as net:
        with pytest.raises(ProtocolError, match="not asked for"):
            await net.create_record(it.ctx, BODY)
