"""The engine as a whole: what is written is there, once, with one record for each write."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.threaddb.engine_fixtures import PERSON, Bench, dump, person, running
from textile_aio.errors import (
    AlreadyExists,
    CollectionNotFound,
    FailedPrecondition,
    InstanceNotFound,
    InvalidInput,
    MessageTooLarge,
    NotFound,
    SchemaViolation,
    Unavailable,
    UniqueViolation,
    WriteDenied,
)
from textile_aio.identity import Identity, PublicKey
from textile_aio.ids import Cid
from textile_aio.records.events import EventKind, decode_events
from textile_aio.records.record import Nodes, Record, open_body, open_record, verify
from textile_aio.storage.store import View
from textile_aio.threaddb.collections import CollectionConfig, Index
from textile_aio.threaddb.engine import EngineSettings
from textile_aio.threaddb.notices import Action, Filter


@pytest.fixture(params=["memory", "sqlite"])
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    path = tmp_path / "hub.sqlite" if request.param == "sqlite" else None
    async with running(path) as bench:
        yield bench


def chain(view: View, bench: Bench, writer: PublicKey) -> list[Record]:
    """A writer's records, oldest first, each verified."""
    log = view.log_of(bytes(bench.db), bytes(writer))
    thread = view.thread(bytes(bench.db))
    assert log is not None
    assert thread is not None
    records = []
    cid = log.head
    while cid:
        row = view.record(bytes(bench.db), cid)
        assert row is not None
        record = open_record(Nodes(row.record, row.event, row.header, row.body), thread.service_key)
        verify(record, PublicKey.from_bytes(log.public_key))
        assert bytes(record.cid) == cid
        records.append(record)
        cid = bytes(record.prev) if record.prev else b""
    assert len(records) == log.counter
    return records[::-1]


async def records(bench: Bench, writer: PublicKey) -> list[Record]:
    return await bench.store.read(lambda view: chain(view, bench, writer))


async def test_what_is_created_is_found(bench: Bench) -> None:
    await bench.person()
    (id_,) = await bench.create({"name": "Ada", "age": 36})
    found = await bench.get(id_)
    assert found["name"] == "Ada"
    assert found["_id"] == id_
    assert found["_mod"] > 0
    assert await bench.find() == [found]
    assert await bench.engine.has(bench.db, "Person", [id_], who="")
    assert not await bench.engine.has(bench.db, "Person", [id_, "other"], who="")


async def test_each_write_makes_one_record_in_its_writers_log(bench: Bench) -> None:
    await bench.person()
    ada = Identity.generate()
    await bench.create({"_id": "a", "name": "A"}, {"_id": "b", "name": "B"}, who=str(ada.public))
    await bench.save({"_id": "a", "name": "AA"}, who=str(ada.public))
    await bench.engine.delete(bench.db, "Person", ["a", "nobody", "b"], who="")
    thread = await bench.store.read(lambda view: view.thread(bytes(bench.db)))
    assert thread is not None
    assert thread.read_key is not None
    hers = await bench.store.read(lambda view: chain(view, bench, ada.public))
    assert [record.author for record in hers] == [bytes(ada.public)] * 2
    events = [decode_events(open_body(record, thread.read_key)) for record in hers]
    assert [[(event.kind, event.id) for event in some] for some in events] == [
        [(EventKind.CREATE, "a"), (EventKind.CREATE, "b")],
        [(EventKind.SAVE, "a")],
    ]
    assert events[0][0].timestamp < events[0][1].timestamp
    (ours,) = await bench.store.read(lambda view: chain(view, bench, bench.host.public))
    assert [event.id for event in decode_events(open_body(ours, thread.read_key))] == ["a", "b"]


async def test_a_save_replaces_and_what_is_left_out_is_gone(bench: Bench) -> None:
    await bench.person()
    await bench.create({"_id": "a", "name": "A", "age": 1})
    await bench.save({"_id": "a", "name": "B"})
    found = await bench.get("a")
    assert (found["name"], "age" in found) == ("B", False)


async def test_a_save_is_refused_by_the_schema_before_its_id_is_looked_at(bench: Bench) -> None:
    await bench.person()
    for raw, text in [
        (b'{"_id":5,"name":"A"}', "_id: Invalid type. Expected: string, given: integer"),
        (b'{"age":"x"}', "age: Invalid type"),
    ]:
        with pytest.raises(SchemaViolation, match=text):
            await bench.engine.save(bench.db, "Person", [raw], who="")


async def test_a_save_with_an_empty_id_makes_a_new_instance(bench: Bench) -> None:
    await bench.person()
    (id_,) = await bench.save({"_id": "", "name": "A"})
    assert (await bench.get(id_))["name"] == "A"
    with pytest.raises(InvalidInput, match="missing _id"):
        await bench.save({"name": "A"})


async def test_a_call_that_fails_writes_nothing(bench: Bench) -> None:
    await bench.person()
    await bench.create({"_id": "a", "name": "A"})
    with pytest.raises(AlreadyExists, match="can't create already existing instance"):
        await bench.create({"_id": "b", "name": "B"}, {"_id": "a", "name": "A"})
    with pytest.raises(AlreadyExists, match="cant't create already existent instance"):
        await bench.create({"_id": "c", "name": "C"}, {"_id": "c", "name": "C"})
    with pytest.raises(SchemaViolation, match=r"\(root\): name is required"):
        await bench.create({"_id": "d", "name": "D"}, {"_id": "e"})
    assert [each["_id"] for each in await bench.find()] == ["a"]
    assert len(await bench.store.read(lambda view: chain(view, bench, bench.host.public))) == 1


async def test_what_is_not_there_has_an_error_of_its_own(bench: Bench) -> None:
    with pytest.raises(CollectionNotFound):
        await bench.create({"name": "A"})
    await bench.person()
    with pytest.raises(InstanceNotFound, match="instance not found"):
        await bench.get("a")


async def test_many_writers_at_once_share_commits_and_each_is_there(bench: Bench) -> None:
    await bench.person()
    writers = [Identity.generate() for _ in range(4)]
    async with asyncio.TaskGroup() as group:
        for number in range(100):
            who = str(writers[number % 4].public)
            group.create_task(bench.create({"_id": f"{number:03}", "name": "A"}, who=who))
    assert [each["_id"] for each in await bench.find()] == [f"{number:03}" for number in range(100)]
    for writer in writers:
        assert len(await records(bench, writer.public)) == 25
    sequence = await bench.store.read(lambda view: view.database(bytes(bench.db)))
    assert sequence is not None
    assert sequence.sequence < 60


async def test_one_that_fails_does_not_take_its_group_with_it(bench: Bench) -> None:
    await bench.person()
    calls = [bench.create({"_id": f"{number // 2}", "name": "A"}) for number in range(40)]
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(result, AlreadyExists) for result in results) == 20
    assert len(await bench.find()) == 20


async def test_unique_values_are_unique_within_a_call_a_group_and_the_collection(bench: Bench) -> None:
    await bench.person(*())
    await bench.engine.update_collection(bench.db, person(Index("email", unique=True)))
    await bench.create({"_id": "a", "name": "A", "email": "x"})
    with pytest.raises(UniqueViolation, match="unique constraint violation"):
        await bench.create({"_id": "b", "name": "B", "email": "x"})
    with pytest.raises(UniqueViolation):
        await bench.create({"_id": "c", "name": "C", "email": "y"}, {"_id": "d", "name": "D", "email": "y"})
    calls = [bench.create({"name": "N", "email": "z"}) for _ in range(10)]
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(result, UniqueViolation) for result in results) == 9
    await bench.save({"_id": "a", "name": "A", "email": "y"})
    await bench.create({"_id": "b", "name": "B", "email": "x"})
    with pytest.raises(UniqueViolation):
        await bench.save({"_id": "b", "name": "B", "email": "y"})
    await bench.engine.delete(bench.db, "Person", ["a"], who="")
    await bench.save({"_id": "b", "name": "B", "email": "y"})


async def test_a_new_index_is_filled_with_what_is_there(bench: Bench) -> None:
    await bench.person()
    await bench.create(*({"_id": f"{number:04}", "name": "A", "age": number} for number in range(2500)))
    await bench.engine.update_collection(bench.db, person(Index("age")))
    query = {"ands": [{"fieldPath": "age", "operation": 0, "value": {"float": 1234}}]}
    explained = await bench.engine.explain(bench.db, "Person", dump(query), who="")
    assert (explained["index"], explained["read"], explained["matched"]) == ("age", 1, 1)
    await bench.engine.update_collection(bench.db, person())
    explained = await bench.engine.explain(bench.db, "Person", dump(query), who="")
    assert (explained["index"], explained["read"], explained["matched"]) == (None, 2500, 1)


async def test_a_unique_index_is_refused_where_values_repeat_and_nothing_changes(bench: Bench) -> None:
    await bench.engine.new_collection(bench.db, person(Index("email")))
    await bench.create({"name": "A", "email": "x"}, {"name": "B", "email": "x"})
    with pytest.raises(UniqueViolation, match="duplicate instances exist"):
        await bench.engine.update_collection(bench.db, person(Index("email", unique=True), Index("age")))
    config = await bench.engine.collection(bench.db, "Person")
    assert config.indexes == (Index("email"),)
    query = {"ands": [{"fieldPath": "email", "operation": 0, "value": {"string": "x"}}]}
    explained = await bench.engine.explain(bench.db, "Person", dump(query), who="")
    assert (explained["index"], explained["matched"]) == ("email", 2)


async def test_a_deleted_collection_takes_its_instances_with_it(bench: Bench) -> None:
    await bench.engine.new_collection(bench.db, person(Index("email", unique=True)))
    await bench.create({"name": "A", "email": "x"})
    await bench.engine.delete_collection(bench.db, "Person")
    with pytest.raises(CollectionNotFound):
        await bench.find()
    await bench.engine.new_collection(bench.db, person(Index("email", unique=True)))
    assert await bench.find() == []
    await bench.create({"name": "A", "email": "x"})


async def test_a_result_over_the_limit_is_an_error_and_pages_are_not(tmp_path: Path) -> None:
    async with running(tmp_path / "a", settings=EngineSettings(result_bytes=10_000)) as bench:
        await bench.person()
        await bench.create(*({"_id": f"{number:03}", "name": "A" * 100} for number in range(100)))
        with pytest.raises(MessageTooLarge):
            await bench.find()
        assert len(await bench.find({"limit": 50})) == 50
        assert await bench.engine.count(bench.db, "Person", b"null", who="") == 100


async def test_validators_see_the_writer_and_refuse(bench: Bench) -> None:
    ada = Identity.generate()
    body = (
        f"return writer === '{ada.public}' && event.patch.type !== 'delete' ? true : 'no ' + event.patch.type"
    )
    await bench.person(validator=body)
    await bench.create({"_id": "a", "name": "A"}, who=str(ada.public))
    with pytest.raises(WriteDenied, match="app denied net record body: no create"):
        await bench.create({"_id": "b", "name": "B"})
    with pytest.raises(WriteDenied, match="no delete"):
        await bench.engine.delete(bench.db, "Person", ["a"], who=str(ada.public))
    await bench.engine.verify(bench.db, "Person", [dump({"_id": "b", "name": "B"})], who=str(ada.public))
    with pytest.raises(WriteDenied, match="no save"):
        await bench.engine.verify(bench.db, "Person", [dump({"_id": "b", "name": "B"})], who="")
    assert [each["_id"] for each in await bench.find()] == ["a"]


async def test_read_filters_hide_and_keep_what_they_hide(bench: Bench) -> None:
    body = "if (instance.name === 'secret') return null; delete instance.age; return instance"
    await bench.person(filter=body)
    await bench.create({"_id": "a", "name": "A", "age": 1}, {"_id": "b", "name": "secret"})
    assert [sorted(each) for each in await bench.find()] == [["_id", "_mod", "name"]]
    with pytest.raises(InstanceNotFound):
        await bench.get("b")
    await bench.save({"_id": "a", "name": "AA"})
    await bench.engine.update_collection(bench.db, person())
    assert (await bench.get("a"))["age"] == 1


async def test_a_transaction_is_one_record_and_reads_only_what_was_there_before(bench: Bench) -> None:
    await bench.person()
    await bench.create({"_id": "a", "name": "A"})
    async with bench.engine.write_transaction(bench.db, "Person", who="") as transaction:
        assert await transaction.create([dump({"_id": "b", "name": "B"})]) == ["b"]
        with pytest.raises(InstanceNotFound):
            await transaction.find_by_id("b")
        with pytest.raises(AlreadyExists):
            await transaction.create([dump({"_id": "c", "name": "C"}), dump({"_id": "a", "name": "A"})])
        await transaction.save([dump({"_id": "a", "name": "AA"})])
        await transaction.delete(["nobody"])
        await transaction.commit()
    assert {each["_id"]: each["name"] for each in await bench.find()} == {"a": "AA", "b": "B"}
    records = await bench.store.read(lambda view: chain(view, bench, bench.host.public))
    assert len(records) == 2


async def test_a_transaction_that_is_left_or_discarded_writes_nothing(bench: Bench) -> None:
    await bench.person()
    async with bench.engine.write_transaction(bench.db, "Person", who="") as transaction:
        await transaction.create([dump({"name": "A"})])
    async with bench.engine.write_transaction(bench.db, "Person", who="") as transaction:
        await transaction.create([dump({"name": "A"})])
        await transaction.discard()
        await transaction.save([dump({"_id": "x", "name": "A"})])
        await bench.create({"_id": "b", "name": "B"})  # The turn is free.
        with pytest.raises(FailedPrecondition, match="can't commit discarded/committed txn"):
            await transaction.verify([dump({"_id": "x", "name": "A"})])
        with pytest.raises(FailedPrecondition, match="can't commit discarded/committed txn"):
            await transaction.commit()
    assert [each["_id"] for each in await bench.find()] == ["b"]


async def test_writers_wait_for_a_transaction_and_readers_do_not(bench: Bench) -> None:
    await bench.person()
    async with bench.engine.write_transaction(bench.db, "Person", who="") as transaction:
        await transaction.create([dump({"_id": "a", "name": "A"})])
        waiting = asyncio.ensure_future(bench.create({"_id": "a", "name": "B"}))
        assert await bench.find() == []
        assert not waiting.done()
        await transaction.commit()
    with pytest.raises(AlreadyExists):
        await waiting


async def test_saves_of_one_transaction_leave_what_was_saved_last(bench: Bench) -> None:
    await bench.person()
    await bench.create({"_id": "a", "name": "A", "age": 1, "email": "x"})
    async with bench.engine.write_transaction(bench.db, "Person", who="") as transaction:
        await transaction.save([dump({"_id": "a", "name": "B"})])
        await transaction.save([dump({"_id": "a", "name": "B", "age": 1})])
        await transaction.create([dump({"_id": "n", "name": "N", "age": 1})])
        await transaction.save([dump({"_id": "n", "name": "M"})])
        await transaction.commit()
    found = {each.pop("_id"): each for each in await bench.find()}
    assert (found["a"].get("age"), found["a"].get("email")) == (1, None)
    assert (found["n"]["name"], found["n"].get("age")) == ("M", None)


async def test_deleting_twice_in_one_transaction_fails_as_a_whole(bench: Bench) -> None:
    await bench.person()
    await bench.create({"_id": "a", "name": "A"}, {"_id": "b", "name": "B"})
    async with bench.engine.write_transaction(bench.db, "Person", who="") as transaction:
        await transaction.delete(["a", "b"])
        await transaction.delete(["a"])
        with pytest.raises(NotFound, match="datastore: key not found"):
            await transaction.commit()
    assert len(await bench.find()) == 2


async def test_a_read_transaction_sees_one_state(bench: Bench) -> None:
    await bench.person()
    await bench.create({"_id": "a", "name": "A"})
    async with bench.engine.read_transaction(bench.db, "Person", who="") as transaction:
        await bench.create({"_id": "b", "name": "B"})
        assert len(await transaction.find(b"null")) == 1
        assert not await transaction.has(["b"])
    assert len(await bench.find()) == 2


async def test_a_listener_hears_everything_in_order(bench: Bench) -> None:
    await bench.person()
    async with bench.engine.listen(bench.db, [], who="") as listener:
        await bench.create({"_id": "a", "name": "A"}, {"_id": "b", "name": "B"})
        await bench.save({"_id": "a", "name": "AA"})
        await bench.engine.delete(bench.db, "Person", ["a"], who="")
        heard = [await anext(listener) for _ in range(4)]
    assert [(each.action, each.id) for each in heard] == [
        (Action.CREATE, "a"),
        (Action.CREATE, "b"),
        (Action.SAVE, "a"),
        (Action.DELETE, "a"),
    ]
    assert heard[3].instance == b""


async def test_filters_let_pass_what_matches_any_of_them(bench: Bench) -> None:
    await bench.person()
    filters = [Filter("Person", "a"), Filter(action=Action.DELETE), Filter("Other")]
    async with bench.engine.listen(bench.db, filters, who="") as listener:
        await bench.create({"_id": "a", "name": "A"}, {"_id": "b", "name": "B"})
        await bench.engine.delete(bench.db, "Person", ["b"], who="")
        heard = [await anext(listener) for _ in range(2)]
    assert [(each.action, each.id) for each in heard] == [(Action.CREATE, "a"), (Action.DELETE, "b")]


async def test_a_listener_that_resumes_misses_and_repeats_nothing(bench: Bench) -> None:
    await bench.person()
    async with bench.engine.listen(bench.db, [], who="") as listener:
        since = str(listener.position)
    heard = []
    for step in range(6):
        await bench.create(*({"_id": f"{step}-{number}", "name": "A"} for number in range(3)))
        async with bench.engine.listen(bench.db, [], who="", since=since) as listener:
            for _ in range(2):
                notice = await anext(listener)
                heard.append(notice.id)
                since = str(notice.position)
    async with bench.engine.listen(bench.db, [], who="", since=since) as listener:
        heard += [(await anext(listener)).id for _ in range(6)]
    assert heard == [f"{step}-{number}" for step in range(6) for number in range(3)]


async def test_listeners_that_come_while_writes_go_on_miss_nothing(bench: Bench) -> None:
    await bench.person()
    total = 60

    async def listen(first: int) -> list[str]:
        async with bench.engine.listen(bench.db, [], who="") as listener:
            await bench.create({"_id": f"mark-{first}", "name": "A"})
            heard = []
            async for notice in listener:
                heard.append(notice.id)
                if notice.id == "end":
                    return heard
        raise AssertionError

    async with asyncio.TaskGroup() as group:
        listeners = []
        for number in range(total):
            if number % 3 == 0:
                listeners.append(group.create_task(listen(number)))
            await bench.create({"_id": f"{number:03}", "name": "A"})
        await bench.create({"_id": "end", "name": "A"})
    order = [each["_id"] for each in sorted(await bench.find(), key=lambda each: each["_mod"])]
    assert len(order) == total + len(listeners) + 1
    for task in listeners:
        heard = task.result()
        assert len(set(heard)) == len(heard)
        first = int(next(id_ for id_ in heard if id_.startswith("mark")).removeprefix("mark-"))
        later = [f"{number:03}" for number in range(first + 1, total)]
        assert [id_ for id_ in heard if id_ in later] == later


async def test_a_slow_listener_is_ended_and_nobody_else_waits(bench: Bench) -> None:
    await bench.person()
    async with (
        bench.engine.listen(bench.db, [], who="") as slow,
        bench.engine.listen(bench.db, [], who="") as quick,
    ):
        for listener in (slow, quick):
            while not listener._attached:
                await listener._catch_up()
        for _ in range(3):
            await bench.create(*({"name": "A"} for _ in range(400)))
            for _ in range(400):
                await anext(quick)
        heard = 0
        with pytest.raises(Exception, match="too slow"):
            while True:
                await anext(slow)
                heard += 1
        assert 0 < heard < 1200


async def test_listeners_end_with_their_database_and_the_engine(bench: Bench) -> None:
    await bench.person()
    async with bench.engine.listen(bench.db, [], who="") as listener:
        await bench.create({"_id": "a", "name": "A"})
        await anext(listener)
        bench.engine.end_listeners()
        with pytest.raises(Unavailable, match="being closed"):
            await anext(listener)


async def test_forgotten_changes_are_told(tmp_path: Path) -> None:
    async with running(tmp_path / "a", settings=EngineSettings(history=20)) as bench:
        await bench.person()
        async with bench.engine.listen(bench.db, [], who="") as listener:
            since = str(listener.position)
        for number in range(60):
            await bench.create({"_id": f"{number}", "name": "A"})
        with pytest.raises(FailedPrecondition, match="the changes after this position are gone"):
            async with bench.engine.listen(bench.db, [], who="", since=since):
                pass
        database = await bench.store.read(lambda view: view.database(bytes(bench.db)))
        assert database is not None
        assert database.sequence - database.oldest < 30
        kept = await bench.store.read(lambda view: view.changes_after(bytes(bench.db), 0, limit=1000))
        assert kept[0].sequence == database.oldest + 1


async def test_all_of_it_is_there_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "a"
    async with running(path) as bench:
        await bench.engine.new_collection(bench.db, person(Index("email", unique=True)))
        await bench.create({"_id": "a", "name": "A", "email": "x"})
        async with bench.engine.listen(bench.db, [], who="") as listener:
            since = str(listener.position)
        await bench.create({"_id": "b", "name": "B", "email": "y"})
    async with running(path, db=bench.db, host=bench.host) as again:
        assert [each["_id"] for each in await again.find()] == ["a", "b"]
        with pytest.raises(UniqueViolation):
            await again.create({"name": "C", "email": "x"})
        async with again.engine.listen(again.db, [], who="", since=since) as listener:
            assert (await anext(listener)).id == "b"
        await again.create({"_id": "c", "name": "C"})
        records = await again.store.read(lambda view: chain(view, again, again.host.public))
        assert [bool(record.prev) for record in records] == [False, True, True]
        assert isinstance(records[0].cid, Cid)


async def test_long_searches_stand_in_nobodys_way(bench: Bench) -> None:
    await bench.person(filter="for (var i = 0; i < 15000; i++); return instance")
    await bench.create(*({"name": "A"} for _ in range(800)))
    await bench.engine.new_collection(bench.db, CollectionConfig("Other", dump(PERSON)))
    searches = [asyncio.ensure_future(bench.find()) for _ in range(4)]
    ids = await bench.engine.create(bench.db, "Other", [dump({"name": "B"})], who="")
    await bench.engine.find_by_id(bench.db, "Other", ids[0], who="")
    assert not any(search.done() for search in searches)
    await asyncio.gather(*searches)
