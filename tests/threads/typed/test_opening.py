"""Opening a typed collection: what is sent, and when nothing is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError

from tests.fakehub import CTX, FakeHub, connected
from textile_aio import ThreadID
from textile_aio._proto.threads import pb
from textile_aio.auth import AuthContext
from textile_aio.errors import InvalidInput, ThreadRequired
from textile_aio.threads._methods import GET_COLLECTION_INFO, NEW_COLLECTION, UPDATE_COLLECTION
from textile_aio.threads.typed.codec import codec_of
from textile_aio.threads.values import Index

MISSING = GRPCError(Status.NOT_FOUND, "collection not found")
TAKEN = GRPCError(Status.UNKNOWN, "collection already registered")


@dataclass
class Person:
    name: Annotated[str, Index(unique=True)]
    age: int = 0
    id: str = ""


def config(**changes: Any) -> pb.CollectionConfig:
    members: dict[str, Any] = {
        "name": "Person",
        "schema": json.dumps(codec_of(Person).schema, separators=(",", ":")).encode(),
        "indexes": [pb.Index(path="name", unique=True)],
    }
    return pb.CollectionConfig(**{**members, **changes})


class Hub:
    """Answers for a collection, which may not be there at first."""

    def __init__(self, *replies: pb.GetCollectionInfoReply | GRPCError, taken: bool = False) -> None:
        self.fake = FakeHub()
        self._replies = list(replies)
        self.fake.on(GET_COLLECTION_INFO, self._info)
        refusal: Any = TAKEN if taken else pb.NewCollectionReply()
        self.made = self.fake.answer(NEW_COLLECTION, refusal)
        self.updated = self.fake.answer(UPDATE_COLLECTION, pb.UpdateCollectionReply())

    async def _info(self, stream: Any) -> None:
        await stream.recv_message()
        reply = self._replies.pop(0)
        if isinstance(reply, GRPCError):
            raise reply
        await stream.send_message(reply)


def info(**changes: Any) -> pb.GetCollectionInfoReply:
    """The collection as the hub describes it."""
    given = config(**changes)
    return pb.GetCollectionInfoReply(
        name=given.name,
        schema=given.schema,
        indexes=given.indexes,
        write_validator=given.write_validator,
        read_filter=given.read_filter,
    )


async def open_at(hub: Hub, **arguments: Any) -> None:
    async with connected(hub.fake) as client:
        people = await client.threads.collection(CTX, None, Person, **arguments)
        assert people.kind is Person
        assert people.thread == CTX.thread


async def test_a_collection_that_is_not_there_is_made() -> None:
    hub = Hub(MISSING)
    await open_at(hub, write_validator="return true")
    assert [each.config for each in hub.made] == [config(write_validator="return true")]
    assert CTX.thread is not None
    assert hub.made[0].db_id == CTX.thread.bytes
    assert not hub.updated


async def test_one_that_is_as_it_should_be_is_left_alone() -> None:
    hub = Hub(info(write_validator="return true", read_filter="return instance"))
    await open_at(hub)
    assert (hub.made, hub.updated) == ([], [])


@pytest.mark.parametrize(
    "before",
    [
        {"schema": b'{"properties":{"_id":{"type":"string"}}}'},
        {"indexes": []},
        {"indexes": [pb.Index(path="name")]},
        {"indexes": [pb.Index(path="name", unique=True), pb.Index(path="age")]},
    ],
    ids=["schema", "no index", "not unique", "another index"],
)
async def test_one_that_is_defined_otherwise_is_brought_up_to_date(before: dict[str, Any]) -> None:
    hub = Hub(info(write_validator="return true", read_filter="return instance", **before))
    await open_at(hub)
    assert not hub.made
    wanted = config(write_validator="return true", read_filter="return instance")
    assert [each.config for each in hub.updated] == [wanted]


async def test_functions_are_replaced_only_where_they_are_given() -> None:
    hub = Hub(info(write_validator="return true", read_filter="return instance"))
    await open_at(hub, write_validator="")
    assert [each.config for each in hub.updated] == [config(read_filter="return instance")]


async def test_further_indexes_may_be_given() -> None:
    hub = Hub(MISSING)
    await open_at(hub, indexes=[Index("age")], name="people")
    ages = [pb.Index(path="age"), pb.Index(path="name", unique=True)]
    assert [each.config for each in hub.made] == [config(name="people", indexes=ages)]


async def test_two_programs_may_open_at_once() -> None:
    hub = Hub(MISSING, info(indexes=[]), taken=True)
    await open_at(hub)
    assert [each.config for each in hub.updated] == [config()]


@dataclass
class Under_Scored:  # noqa: N801
    id: str = ""


@pytest.mark.parametrize(
    ("kind", "arguments", "error", "match"),
    [
        (Under_Scored, {}, InvalidInput, "a collection cannot be called 'Under_Scored'.*name="),
        (Person, {"name": "a b"}, InvalidInput, "a collection cannot be called 'a b'"),
        (Person, {"name": 5}, InvalidInput, "the name has to be of type str"),
        (Person, {"indexes": [Index("height")]}, InvalidInput, "Person has no field at 'height'"),
        (Person, {"indexes": [Index("_id")]}, InvalidInput, "hubs keep an index of ids anyway"),
        (Person, {"write_validator": 5}, InvalidInput, "the body of a function has to be of type str"),
        (int, {}, InvalidInput, "a typed collection is one of a dataclass"),
    ],
)
async def test_what_no_hub_would_take_is_refused_before_anything_is_sent(
    kind: Any, arguments: dict[str, Any], error: type[Exception], match: str
) -> None:
    hub = Hub()
    async with connected(hub.fake) as client:
        with pytest.raises(error, match=match):
            await client.threads.collection(CTX, None, kind, **arguments)
        with pytest.raises(ThreadRequired):
            await client.threads.collection(AuthContext(), None, Person)
    assert hub.fake.called == []


async def test_the_context_may_be_another_for_the_same_collection() -> None:
    hub = Hub(info())
    thread = ThreadID.random()
    async with connected(hub.fake) as client:
        people = await client.threads.collection(AuthContext(), thread, Person)
        theirs = people.with_context(AuthContext().with_token("theirs"))
        assert (theirs.name, theirs.thread, theirs.kind) == (people.name, thread, Person)
        with pytest.raises(InvalidInput, match="the context has to be"):
            people.with_context(None)  # type: ignore[arg-type]
        with pytest.raises(Exception, match="Method not found"):
            await theirs.has("a")
    assert hub.fake.called == [GET_COLLECTION_INFO.path]
