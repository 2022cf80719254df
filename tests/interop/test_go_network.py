"""The thread network of Textile's unmodified Go client: each side's records are opened by the other."""

from __future__ import annotations

from typing import Any

import pytest

from tests.interop.conftest import KINDS, Pair
from tests.interop.gopeer import OK, outcome
from textile_aio import Cid, PeerID, ThreadKey
from textile_aio.records.events import EventKind
from textile_aio.threads.values import CollectionConfig

pytestmark = pytest.mark.timeout(900)
as_everybody = pytest.mark.parametrize("pair", KINDS, indirect=True)
as_users = pytest.mark.parametrize("pair", ["user", "unsigned", "buckd"], indirect=True)


@as_everybody
async def test_the_go_client_makes_threads_and_records(pair: Pair) -> None:
    # As a user of its own, who does not own the thread that is there.
    told: dict[str, Any] = await pair.go.given(thread="", token="").run("network")
    assert told["host"] == str(await pair.ours.net.get_host_id(pair.ctx))
    drawn, whole, locked = told["threads"]
    assert ThreadKey.from_string(drawn["key"]).can_read
    assert [log["private"] for log in drawn["logs"]] == [True]
    assert not ThreadKey.from_string(locked["key"]).can_read
    assert [log["private"] for log in locked["logs"]] == [False]

    (log,) = whole["logs"]
    records = log["records"]
    assert [record["cid"] for record in records] == told["created"][::-1]
    assert (log["head"], log["counter"]) == (told["created"][-1], 3)
    assert [record["prev"] for record in records] == [*told["created"][1::-1], ""]
    assert [record["body"] for record in records] == [
        {"foo": "bar", "number": number} for number in (2, 1, 0)
    ]
    (author,) = {record["author"] for record in records}
    if told["identity"]:
        assert author == told["identity"]
    assert [address.rpartition("/thread/")[2] for address in whole["addresses"]] == [whole["id"]]

    said = {name: outcome(each) for name, each in told["outcomes"].items()}
    again = said.pop("the same log again")
    assert again[0] == "UNKNOWN"
    assert "log already exists" in again[1] or "E11000 duplicate key error" in again[1]
    gone = said.pop("a deleted thread")
    assert gone[1] == ("thread not found" if pair.kind == "buckd" else "User does not own thread")
    assert said == {
        "a record without the keys for it": ("UNKNOWN", "a private-key is required to create records"),
        "a pull": OK,
        "a deletion": OK,
    }


@as_everybody
async def test_go_opens_the_records_of_our_databases(pair: Pair) -> None:
    threads = pair.ours.threads
    await threads.new_collection(pair.ctx, None, CollectionConfig("dogs"))
    (rex,) = await threads.create(pair.ctx, None, "dogs", [{"name": "Rex", "age": 1, "text": "<ü\u2028>"}])
    await threads.save(pair.ctx, None, "dogs", [{"_id": rex, "name": "Max", "age": 1.5}])
    async with threads.write_transaction(pair.ctx, None, "dogs") as transaction:
        await transaction.create([{"_id": "a"}, {"_id": "b"}])
        await transaction.delete([rex])
    seen = await pair.go.run("walk")
    (log,) = [each for each in seen["logs"] if each["head"]]
    assert log["counter"] == len(log["records"]) == 3
    events = [record["events"] for record in reversed(log["records"])]
    assert [[event["patch"]["type"] for event in each] for each in events] == [
        ["create"],
        ["save"],
        ["create", "create", "delete"],
    ]
    assert [event["_id"] for each in events for event in each] == [rex, rex, "a", "b", rex]
    created, saved = events[0][0]["patch"]["json_patch"], events[1][0]["patch"]["json_patch"]
    assert {**created, "_mod": 0} == {"_id": rex, "_mod": 0, "name": "Rex", "age": 1, "text": "<ü\u2028>"}
    assert {**saved, "_mod": 0} == {"_mod": 0, "name": "Max", "age": 1.5, "text": None}
    assert {event["collection_name"] for each in events for event in each} == {"dogs"}
    ours = [each async for each in pair.ours.net.log_records(pair.ctx, PeerID.parse(log["id"]))]
    assert [str(each.cid) for each in ours] == [record["cid"] for record in log["records"]]
    assert [each.events()[0].kind for each in ours] == [EventKind.CREATE, EventKind.SAVE, EventKind.CREATE]


@as_users
async def test_records_that_go_builds_are_applied(pair: Pair) -> None:
    await pair.ours.threads.new_collection(pair.ctx, None, CollectionConfig("dogs"))
    info = await pair.ours.net.get_thread(pair.ctx)
    assert info.key is not None
    told = await pair.go.given(thread_key=info.key.to_string(), name="dogs").run("contribute")
    said = [outcome(each) for each in told["outcomes"]]
    assert said[:6] == [OK] * 6
    exists, missing, fork = said[6:]
    assert exists == ("UNKNOWN", "handling record failed: cant't create already existent instance")
    assert missing == ("UNKNOWN", "handling record failed: datastore: key not found")
    assert fork[0] == "FAILED_PRECONDITION"
    (dog,) = await pair.ours.threads.find(pair.ctx, None, "dogs")
    assert dog == {"_id": "rex", "age": 2, "name": "Rex", "tags": ["a", "b"]}
    kept = [str(each.cid) async for each in pair.ours.net.log_records(pair.ctx, PeerID.parse(told["log"]))]
    assert kept == [told["records"][4], told["records"][2], told["records"][0]]
    record = await pair.ours.net.get_record(pair.ctx, Cid.parse(kept[0]))
    assert str(record.author) == told["identity"]


@pytest.mark.parametrize("pair", ["buckd"], indirect=True)
async def test_the_go_client_subscribes(pair: Pair) -> None:
    told = await pair.go.run("subscribe")
    first = told["created"].index(told["told"][0])
    assert told["created"][first:][: len(told["told"])] == told["told"]
