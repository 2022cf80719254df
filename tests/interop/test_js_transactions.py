"""Unmodified JavaScript clients at our hub: transactions and listeners, streams through the gRPC-web door."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from tests.interop.jsclients import JsDatabase
from tests.interop.peer import PeerError, PeerObject, Query
from tests.interop.test_js_collections import PERSON, person, without_mod

pytestmark = pytest.mark.timeout(180)

# In a transaction, findByID of theirs rejects with the error that came, and then parses what did not come.
THEIR_FAULT = "Unexpected end of JSON input"


@pytest.fixture
async def db(js_db: JsDatabase) -> JsDatabase:
    await js_db.call("newCollection", {"name": "Person", "schema": PERSON})
    return js_db


async def begin(db: JsDatabase, kind: str = "writeTransaction", name: str = "Person") -> PeerObject:
    transaction = await db.call(kind, name)
    await transaction.call("start")
    assert isinstance(transaction, PeerObject)
    return transaction


async def ages(db: JsDatabase) -> list[int]:
    return sorted(each["age"] for each in await db.call("find", "Person", {}))


class TestWriting:
    async def test_everything_is_there_at_the_end(self, db: JsDatabase) -> None:
        (kept,) = await db.call("create", "Person", [person(age=1)])
        transaction = await begin(db)
        created = await transaction.call("create", [person(age=2), person(age=3)])
        assert len(created) == 2
        await transaction.call("verify", [person(_id=kept, age=4)])
        await transaction.call("save", [person(_id=kept, age=4)])
        await transaction.call("delete", ["nobody"])
        # Reads see what was committed before.
        assert await transaction.call("has", [kept]) is True
        assert await transaction.call("has", created) is False
        assert (await transaction.call("findByID", kept))["age"] == 1
        assert [each["age"] for each in await transaction.call("find", Query([]))] == [1]
        db.pair.js.tolerated.append(THEIR_FAULT)
        with pytest.raises(PeerError, match="instance not found"):
            await transaction.call("findByID", created[0])
        await transaction.call("end")
        assert await ages(db) == [2, 3, 4]

    async def test_a_refused_operation_does_not_end_it(self, db: JsDatabase) -> None:
        transaction = await begin(db)
        with pytest.raises(PeerError, match="instance doesn't correspond to schema"):
            await transaction.call("create", [person(age="old")])
        await transaction.call("create", [person(age=5)])
        await transaction.call("end")
        assert await ages(db) == [5]

    async def test_a_discarded_one_leaves_nothing(self, db: JsDatabase) -> None:
        transaction = await begin(db)
        (id_,) = await transaction.call("create", [person()])
        await transaction.call("discard")
        # As their tests have it: this is taken, and the end tells that it was in vain.
        await transaction.call("save", [person(_id=id_)])
        with pytest.raises(PeerError, match="discarded/committed txn"):
            await transaction.call("end")
        assert await ages(db) == []

    async def test_the_lock_is_free_after_a_discard(self, db: JsDatabase) -> None:
        transaction = await begin(db)
        await transaction.call("create", [person()])
        await transaction.call("discard")
        # As the local database's push leaves it: the stream stays open.
        await db.call("create", "Person", [person(age=9)])
        assert await ages(db) == [9]

    async def test_a_refusal_at_the_end(self, db: JsDatabase) -> None:
        transaction = await begin(db)
        await transaction.call("create", [person(_id="same")])
        await transaction.call("create", [person(_id="same")])
        with pytest.raises(PeerError, match="already existent instance"):
            await transaction.call("end")
        assert await ages(db) == []

    async def test_a_collection_that_is_not_there(self, db: JsDatabase) -> None:
        transaction = await begin(db, name="Nope")
        with pytest.raises(PeerError, match="collection not found"):
            await transaction.call("create", [person()])

    async def test_two_writers_take_turns(self, db: JsDatabase) -> None:
        first = await begin(db)
        await first.call("create", [person(age=1)])
        second = await begin(db)
        await first.call("end")
        await second.call("create", [person(age=2)])
        await second.call("end")
        assert await ages(db) == [1, 2]


class TestReading:
    async def test_a_read_transaction(self, db: JsDatabase) -> None:
        ids = await db.call("create", "Person", [person(age=1), person(age=2)])
        transaction = await begin(db, "readTransaction")
        assert await transaction.call("has", ids) is True
        found = await transaction.call("find", Query([["where", "age"], ["eq", 2]]))
        assert [each["_id"] for each in found] == ids[1:]
        assert without_mod(await transaction.call("findByID", ids[0])) == person(_id=ids[0], age=1)
        db.pair.js.tolerated.append(THEIR_FAULT)
        with pytest.raises(PeerError, match="instance not found"):
            await transaction.call("findByID", "nobody")
        await transaction.call("end")


class Events:
    """What a listener of theirs is told."""

    def __init__(self, db: JsDatabase) -> None:
        self._db = db
        self._told = db.pair.js.callback()

    async def listen(self, *filters: dict[str, Any]) -> PeerObject:
        """Return once the listener hears. It has no way to say so, so something is written until it does."""
        await self._db.call("newCollection", {"name": "Mark"})
        given = [*filters, {"collectionName": "Mark"}]
        listener = await self._db.call("listen", given, self._told)
        assert isinstance(listener, PeerObject)
        while self._told.calls.empty():
            await self._db.call("create", "Mark", [{}])
            with suppress(TimeoutError):
                async with asyncio.timeout(0.1):
                    first = await self._told.calls.get()
                    assert first[0]["collectionName"] == "Mark"
                    return listener
        return listener

    async def next(self) -> Any:
        """The next event that is no mark; None at the end."""
        while True:
            event, *error = await self._told.calls.get() or [None]
            if error:
                raise error[0]
            if event is None or event["collectionName"] != "Mark":
                return event


class TestListening:
    async def test_changes_are_told_in_order(self, db: JsDatabase) -> None:
        events = Events(db)
        await events.listen({"collectionName": "Person"})
        (id_,) = await db.call("create", "Person", [person()])
        created = await events.next()
        assert without_mod(created.pop("instance")) == person(_id=id_)
        assert created == {"collectionName": "Person", "instanceID": id_, "action": "CREATE"}
        await db.pair.ours.threads.save(db.ctx, None, "Person", [person(_id=id_, age=22)])
        saved = await events.next()
        assert (saved["action"], saved["instance"]["age"]) == ("SAVE", 22)
        await db.call("delete", "Person", [id_])
        deleted = await events.next()
        assert deleted == {"collectionName": "Person", "instanceID": id_, "action": "DELETE"}

    async def test_many_changes_at_once_are_all_told(self, db: JsDatabase) -> None:
        events = Events(db)
        await events.listen({"collectionName": "Person"})
        people = [person(_id=f"{number:04}", age=number) for number in range(500)]
        await db.call("create", "Person", people)
        assert [(await events.next())["instanceID"] for _ in people] == [each["_id"] for each in people]

    async def test_filters(self, db: JsDatabase) -> None:
        await db.call("create", "Person", [person(_id=name) for name in ("adam", "eve")])
        events = Events(db)
        await events.listen({"instanceID": "adam"}, {"collectionName": "Person", "actionTypes": ["DELETE"]})
        await db.call("save", "Person", [person(_id="eve", age=1), person(_id="adam", age=2)])
        await db.call("create", "Person", [person(_id="abel")])
        await db.call("delete", "Person", ["eve"])
        await db.call("delete", "Person", ["adam"])
        told = [await events.next() for _ in range(3)]
        assert [(each["instanceID"], each["action"]) for each in told] == [
            ("adam", "SAVE"), ("eve", "DELETE"), ("adam", "DELETE"),
        ]  # fmt: skip

    async def test_a_transaction_is_told_at_its_end(self, db: JsDatabase) -> None:
        events = Events(db)
        await events.listen({"collectionName": "Person"})
        transaction = await begin(db)
        created = await transaction.call("create", [person(age=1), person(age=2)])
        await transaction.call("end")
        assert [(await events.next())["instanceID"] for _ in created] == created

    async def test_what_was_discarded_is_not_told(self, db: JsDatabase) -> None:
        events = Events(db)
        await events.listen({"collectionName": "Person"})
        transaction = await begin(db)
        await transaction.call("create", [person(_id="never")])
        await transaction.call("discard")
        with pytest.raises(PeerError):
            await transaction.call("end")
        await db.call("create", "Person", [person(_id="then")])
        assert (await events.next())["instanceID"] == "then"

    async def test_a_database_that_is_deleted_ends_its_listeners(self, db: JsDatabase) -> None:
        events = Events(db)
        await events.listen({"collectionName": "Person"})
        await db.call("deleteDB")
        assert await events.next() is None
