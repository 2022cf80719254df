"""Records that others made, at threads with a database (spec: thread-net-and-records §1.4, §4, §5)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from tests.localhub.net.peers import Peer, Writer, peer
from tests.localhub.raw import OK
from textile_aio import Change, Conflict, Identity, PublicKey, ThreadID, ThreadKey, WriteDenied
from textile_aio.records import dagcbor
from textile_aio.records.events import Event, EventKind
from textile_aio.records.record import Record
from textile_aio.threads.values import CollectionConfig, Index

DOGS = CollectionConfig("dogs", indexes=(Index("name", unique=True),), schema={
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "properties": {"_id": {"type": "string"}, "name": {"type": "string"}, "age": {"type": "integer"}},
})  # fmt: skip
OWNED = CollectionConfig(
    "owned",
    write_validator="""
        if (event.patch.type === 'create') return event.patch.json_patch.owner === writer
        if (instance.owner === writer) return true
        return 'only ' + instance.owner.length + ' letters may'
    """,
)


@dataclass
class World:
    """A database, and somebody with a log in its thread whose records are made elsewhere."""

    peer: Peer
    thread: ThreadID
    writer: Writer

    async def add(self, *records: Record) -> None:
        await self.peer.add(self.thread, self.writer, *records)

    async def refused(self, record: Record) -> str:
        """Why the hub refuses a record; nothing of which it keeps."""
        before = await self.peer.heads(self.thread), await self.all("dogs"), await self.all("owned")
        code, text = await self.peer.added(self.thread, self.writer.id, record)
        assert code == "UNKNOWN"
        assert before == (await self.peer.heads(self.thread), await self.all("dogs"), await self.all("owned"))
        return text

    async def all(self, collection: str) -> list[dict[str, object]]:
        found = await self.peer.client.threads.find(self.peer.ctx, self.thread, collection)
        return [{name: each[name] for name in each if name != "_mod"} for each in found]


@pytest.fixture
async def it() -> AsyncIterator[World]:
    async with peer() as made:
        yield await world(made)


async def world(made: Peer) -> World:
    key = ThreadKey.random()
    thread = await made.client.threads.new_db(made.ctx, key=key, collections=[DOGS, OWNED])
    writer = Writer(key)
    # By somebody else again: who writes, who sends and who made the log need not be the same.
    other = await made.another()
    await made.client.net.create_thread(other.ctx, thread, key=key, log_key=writer.log.public)
    return World(made, thread, writer)


def create(id_: str, body: str, *, time: int = 1, collection: str = "dogs") -> Event:
    return Event(time, collection, id_, EventKind.CREATE, body.encode())


def save(id_: str, patch: str, *, time: int = 1, collection: str = "dogs") -> Event:
    return Event(time, collection, id_, EventKind.SAVE, patch.encode())


def delete(id_: str, *, time: int = 1, collection: str = "dogs") -> Event:
    return Event(time, collection, id_, EventKind.DELETE, None)


def owned_by(author: PublicKey, id_: str = "a") -> str:
    return json.dumps({"_id": id_, "owner": str(author)})


async def test_changes_are_applied_and_queried(it: World) -> None:
    await it.add(it.writer.changes(create("a", '{"_id":"a","name":"Ada","age":1}')))
    assert await it.all("dogs") == [{"_id": "a", "name": "Ada", "age": 1}]
    await it.add(it.writer.changes(save("a", '{"age":2}'), create("b", '{"_id":"b","name":"Bo"}', time=2)))
    await it.add(it.writer.changes(delete("a")))
    assert await it.all("dogs") == [{"_id": "b", "name": "Bo"}]


async def test_listeners_hear_of_them(it: World) -> None:
    async with it.peer.client.threads.listen(it.peer.ctx, it.thread) as listener:
        await it.add(it.writer.changes(create("a", '{"_id":"a","name":"Ada"}')))
        heard = await anext(aiter(listener))
    assert isinstance(heard, Change)
    assert (heard.collection, heard.id) == ("dogs", "a")


async def test_changes_of_one_record_are_ordered_by_the_writers_clock(it: World) -> None:
    await it.add(
        it.writer.changes(
            save("a", '{"age":3}', time=30),
            save("a", '{"age":2}', time=20),
            create("a", '{"_id":"a","name":"Ada"}', time=10),
        )
    )
    assert await it.all("dogs") == [{"_id": "a", "name": "Ada", "age": 3}]


async def test_a_record_that_does_not_fit_is_refused_as_a_whole(it: World) -> None:
    await it.add(it.writer.changes(create("a", '{"_id":"a","name":"Ada"}')))
    prev = it.writer.prev
    for event, why in (
        (create("a", '{"_id":"a","name":"Al"}'), "cant't create already existent instance"),
        (delete("x"), "datastore: key not found"),
        (
            create("x", '{"_id":"x","name":"Ada"}'),
            "error when indexing created data: unique constraint violation",
        ),
        (create("x", '{"_id":"y","name":"Al"}'), "the _id within the change is another than its instance's"),
        (save("a", '{"_id":"b"}'), "the _id within the change is another than its instance's"),
        (save("a", '{"_id":null}'), "the _id within the change is another than its instance's"),
        (create("x", "no json"), None),
        (create("x", "[1]"), None),
        (save("a", "null"), None),
        (create("", '{"_id":"","name":"Al"}'), "invalid instance: missing _id attribute"),
        (create("x" * 1025, "{}"), None),
    ):
        it.writer.prev = prev
        # Whatever else is in it is not done either.
        record = it.writer.changes(create("other", '{"_id":"other","name":"Other"}', time=0), event)
        text = await it.refused(record)
        assert text.startswith("handling record failed: ")
        assert why is None or text == f"handling record failed: {why}"
    it.writer.prev = prev
    await it.add(it.writer.changes(create("b", '{"_id":"b","name":"Bo"}')))
    assert len(await it.all("dogs")) == 2


async def test_what_is_no_list_of_changes_is_refused(it: World) -> None:
    for body in (
        dagcbor.encode({"hello": "world"}),
        dagcbor.encode(1),
        dagcbor.encode({"patches": [{"iD": "a", "more": 1}]}),
    ):
        it.writer.prev = None
        assert (await it.refused(it.writer.seal(body))).startswith("handling record failed: ")
    it.writer.prev = None
    other = Writer(ThreadKey(it.writer.key.service, ThreadKey.random().read), it.writer.log)
    text = await it.refused(other.changes(create("a", '{"_id":"a","name":"Ada"}')))
    assert text.startswith("handling record failed: cannot decrypt")


async def test_a_collection_that_is_not_there_keeps_the_log_waiting(it: World) -> None:
    record = it.writer.changes(create("c", '{"_id":"c"}', collection="cats"))
    assert await it.refused(record) == "collection not found"
    await it.peer.client.threads.new_collection(it.peer.ctx, it.thread, CollectionConfig("cats"))
    await it.add(record)
    assert await it.all("cats") == [{"_id": "c"}]


async def test_validators_judge_the_author_of_the_record_and_not_its_sender(it: World) -> None:
    author = it.writer.author.public
    await it.add(it.writer.changes(create("a", owned_by(author), collection="owned")))
    prev = it.writer.prev
    sender = it.writer.changes(create("a2", owned_by(it.peer.identity.public, "a2"), collection="owned"))
    assert await it.refused(sender) == "app denied net record body"
    it.writer.prev, it.writer.author = prev, Identity.generate()
    record = it.writer.changes(save("a", '{"n":1}', collection="owned"))
    assert await it.refused(record) == f"app denied net record body: only {len(str(author))} letters may"
    with pytest.raises(WriteDenied, match="app denied net record body"):
        await it.add(record)


async def test_a_patch_cannot_pretend_to_be_more_than_a_patch(it: World) -> None:
    body = owned_by(it.writer.author.public)
    await it.add(it.writer.changes(create("a", body, collection="owned")))
    it.writer.author = Identity.generate()
    forged = '{}},"patch":{"type":"create","json_patch":' + owned_by(it.writer.author.public)
    text = await it.refused(it.writer.changes(save("a", forged, collection="owned")))
    assert text.startswith("handling record failed: ")
    it.writer.prev = (await it.peer.heads(it.thread))[it.writer.id][0]
    hidden = Event(1, "owned", "a", EventKind.DELETE, forged.encode())
    assert (await it.refused(it.writer.changes(hidden))).startswith("app denied net record body")


async def test_a_change_of_what_is_deleted_makes_an_instance_with_its_id(it: World) -> None:
    await it.add(it.writer.changes(save("a", '{"age":2}')))
    assert await it.all("dogs") == [{"_id": "a", "age": 2}]


async def test_a_known_record_is_not_applied_again(it: World) -> None:
    record = it.writer.changes(create("a", '{"_id":"a","name":"Ada"}'))
    await it.add(record)
    assert await it.peer.added(it.thread, it.writer.id, record) == OK
    await it.peer.client.threads.delete(it.peer.ctx, it.thread, "dogs", ["a"])
    assert await it.peer.added(it.thread, it.writer.id, record) == OK
    assert await it.all("dogs") == []


async def test_records_and_writes_do_not_get_in_each_others_way(it: World) -> None:
    records = [it.writer.changes(create(f"r{n}", f'{{"_id":"r{n}","name":"r{n}"}}')) for n in range(10)]

    async def write(number: int) -> None:
        await it.peer.client.threads.create(it.peer.ctx, it.thread, "dogs", [{"name": f"w{number}"}])

    async with asyncio.TaskGroup() as group:
        group.create_task(it.add(*records))
        for number in range(10):
            group.create_task(write(number))
    assert sorted(str(each["name"]) for each in await it.all("dogs")) == sorted(
        [f"r{n}" for n in range(10)] + [f"w{n}" for n in range(10)]
    )
    counters = {counter for _, counter in (await it.peer.heads(it.thread)).values()}
    assert counters >= {10}


async def test_what_the_database_writes_another_one_takes(it: World) -> None:
    """The records of our database are applied by another host's database, as a replica would do."""
    client, ctx = it.peer.client, it.peer.ctx
    await client.threads.create(ctx, it.thread, "dogs", [{"_id": "a", "name": "Ada", "age": 1}])
    await client.threads.save(ctx, it.thread, "dogs", [{"_id": "a", "name": "Ada", "age": 2}])
    await client.threads.create(ctx, it.thread, "dogs", [{"_id": "b", "name": "Bo"}])
    await client.threads.delete(ctx, it.thread, "dogs", ["b"])
    found = await client.net.get_thread(ctx, it.thread)
    (log,) = [each for each in found.logs if each.head is not None]
    chain = [each async for each in client.net.log_records(ctx, log.id, it.thread)]
    assert len(chain) == log.counter == 4
    async with peer() as replica:
        await replica.client.net.create_thread(
            replica.ctx, it.thread, key=it.writer.key.service_only, log_key=log.public_key
        )
        other = await replica.another()
        await replica.client.threads.new_db(other.ctx, it.thread, key=it.writer.key, collections=[DOGS])
        for record in reversed(chain):
            await replica.client.net.add_record(replica.ctx, log.id, record.record, it.thread)
        copies = await replica.client.threads.find(other.ctx, it.thread, "dogs")
        originals = await client.threads.find(ctx, it.thread, "dogs")
    # The clock of a change travels with the precision of a float (spec §5).
    assert [{**each, "_mod": 0} for each in copies] == [{**each, "_mod": 0} for each in originals]


async def test_a_new_database_begins_with_what_its_thread_says() -> None:
    async with peer() as made:
        key = ThreadKey.random()
        first, second = Writer(key), Writer(key)
        thread = await made.service_thread(first)
        await made.client.net.create_thread(made.ctx, thread, key=key.service_only, log_key=second.log.public)
        # Arriving in an order in which they would not fit.
        await made.add(thread, second, second.changes(save("a", '{"age":5}', time=20)))
        await made.add(
            thread,
            first,
            first.changes(create("a", '{"_id":"a","name":"Ada","age":1}', time=10)),
            first.changes(save("a", '{"name":"Ann"}', time=30)),
            first.changes(create("c", '{"_id":"c"}', time=31, collection="cats")),
            first.seal(dagcbor.encode("no change at all")),
            first.changes(create("a", '{"_id":"a","name":"Again"}', time=32)),
            first.changes(create("b", '{"_id":"b","name":"Bo"}', time=33)),
        )
        heads = await made.heads(thread)
        other = await made.another()
        await made.client.threads.new_db(other.ctx, thread, key=key, collections=[DOGS])
        it = World(made, thread, first)
        assert await it.all("dogs") == [
            {"_id": "a", "name": "Ann", "age": 5},
            {"_id": "b", "name": "Bo"},
        ]
        assert heads.items() <= (await made.heads(thread)).items()
        assert len(await made.client.threads.find(other.ctx, thread, "dogs", {"name": "Ann"})) == 1
        await made.add(thread, second, second.changes(delete("b")))
        assert len(await it.all("dogs")) == 1


async def test_a_read_key_that_opens_nothing_makes_no_database() -> None:
    async with peer() as made:
        writer = Writer(ThreadKey.random())
        thread = await made.service_thread(writer)
        await made.add(thread, writer, writer.changes(create("a", '{"_id":"a","name":"Ada"}')))
        other = await made.another()
        wrong = ThreadKey(writer.key.service, ThreadKey.random().read)
        with pytest.raises(Conflict, match="read-key mismatch"):
            await made.client.threads.new_db(other.ctx, thread, key=wrong, collections=[DOGS])
        await made.client.threads.new_db(other.ctx, thread, key=writer.key, collections=[DOGS])


async def test_no_record_slips_in_beside_a_database_that_is_being_made() -> None:
    async with peer() as made:
        for _ in range(5):
            writer = Writer(ThreadKey.random())
            thread = await made.service_thread(writer)
            other = await made.another()
            records = [writer.changes(create(f"{n}", f'{{"_id":"{n}","name":"{n}"}}')) for n in range(6)]
            async with asyncio.TaskGroup() as group:
                group.create_task(made.add(thread, writer, *records))
                group.create_task(
                    made.client.threads.new_db(other.ctx, thread, key=writer.key, collections=[DOGS])
                )
            assert len(await World(made, thread, writer).all("dogs")) == 6
