"""Calls on collections and instances beyond what was recorded: arguments, answers, and where they go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, assert_type

import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError
from grpclib.server import Stream

from tests.fakehub import CTX, FakeHub, connected, received
from textile_aio import (
    AlreadyExists,
    AuthContext,
    CollectionNotFound,
    DatabaseInfo,
    InvalidInput,
    InvalidKey,
    InvalidQuery,
    Multiaddr,
    PeerID,
    ProtocolError,
    RemoteError,
    ThreadID,
    ThreadKey,
    ThreadRequired,
    WriteDenied,
)
from textile_aio._proto.threads import pb
from textile_aio.threads import _methods
from textile_aio.threads.paging import Found
from textile_aio.threads.query.builder import where
from textile_aio.threads.schemas import infer_schema
from textile_aio.threads.values import CollectionConfig, Index

THREAD = ThreadID.random()


@dataclass
class Person:
    name: str
    _id: str = ""


async def test_documents_of_a_type_go_out_and_come_in() -> None:
    fake = FakeHub()
    created = fake.answer(_methods.CREATE, pb.CreateReply(instance_i_ds=["a", "b"]))
    stored = [b'{"_id":"a","_mod":1,"name":"Ann"}', b'{"_id":"b","_mod":2,"name":"Bob"}']
    fake.answer(_methods.FIND, pb.FindReply(instances=stored))
    fake.answer(_methods.FIND_BY_ID, pb.FindByIdReply(instance=stored[1]))
    async with connected(fake) as hub:
        threads = hub.threads
        assert await threads.create(CTX, THREAD, "people", [Person("Ann"), {"name": "Bob"}]) == ["a", "b"]
        people = await threads.find(CTX, THREAD, "people", where("name") > "A", as_=Person)
        bob = await threads.find_by_id(CTX, THREAD, "people", "b", as_=Person)
        assert_type(people, list[Person])
        assert_type(bob, Person)
        assert_type(await threads.find(CTX, THREAD, "people"), list[dict[str, Any]])
        assert_type(threads.find_iter(CTX, THREAD, "people", as_=Person), Found[Person])
        each = [person async for person in threads.find_iter(CTX, THREAD, "people", as_=Person)]
    assert created[0].instances == [b'{"name":"Ann","_id":""}', b'{"name":"Bob"}']
    assert people == each == [Person("Ann", "a"), Person("Bob", "b")]
    assert bob == Person("Bob", "b")


async def test_what_a_read_filter_makes_of_an_instance_is_given_as_it_is() -> None:
    fake = FakeHub()
    fake.answer(_methods.FIND, pb.FindReply(instances=[b"false", b'"***"']))
    async with connected(fake) as hub:
        assert await hub.threads.find(CTX, THREAD, "people") == [False, "***"]


async def test_the_contexts_thread_is_meant_where_none_is_given() -> None:
    fake = FakeHub()
    asked = fake.answer(_methods.HAS, pb.HasReply(exists=True))
    async with connected(fake) as hub:
        assert await hub.threads.has(CTX, None, "people", ["x"])
        with pytest.raises(ThreadRequired):
            await hub.threads.has(AuthContext(), None, "people", ["x"])
        with pytest.raises(ThreadRequired):
            hub.threads.find_iter(AuthContext(), None, "people")
    assert CTX.thread is not None
    assert [request.db_id for request in asked] == [CTX.thread.bytes]


async def test_arguments_that_cannot_be_meant_are_refused_before_anything_is_sent() -> None:
    fake = FakeHub()
    async with connected(fake) as hub:
        threads: Any = hub.threads
        for call in (
            threads.create(CTX, THREAD, "people", {"name": "Ann"}),
            threads.create(CTX, THREAD, "people", [1]),
            threads.create(CTX, THREAD, 5, []),
            threads.delete(CTX, THREAD, "people", "abc"),
            threads.has(CTX, THREAD, "people", [1]),
            threads.has(CTX, "thread", "people", []),
            threads.find(CTX, THREAD, "people", "age > 1"),
            threads.find(CTX, THREAD, "people", as_=int),
            threads.find_by_id(CTX, THREAD, "people", None),
            threads.new_collection(CTX, THREAD, "people"),
            threads.new_collection(CTX, THREAD, CollectionConfig("people", schema=[])),  # type: ignore[arg-type]
            threads.new_collection(CTX, THREAD, CollectionConfig("p", indexes=("name",))),  # type: ignore[arg-type]
            threads.new_collection(CTX, THREAD, CollectionConfig("p", schema={"a": {1: 2}})),
            threads.new_db(CTX, collections=[{"name": "people"}]),
        ):
            with pytest.raises(InvalidInput):
                await call
        with pytest.raises(InvalidQuery):
            threads.find_iter(CTX, THREAD, "people", {"age": {"$near": 1}})
    assert fake.called == []


async def test_as_many_ids_as_instances_have_to_come_back() -> None:
    fake = FakeHub()
    fake.answer(_methods.CREATE, pb.CreateReply(instance_i_ds=["a"]))
    async with connected(fake) as hub:
        with pytest.raises(ProtocolError, match="1 ids for 2 instances"):
            await hub.threads.create(CTX, THREAD, "people", [{}, {}])


async def test_refusals_name_the_collection_or_the_instance() -> None:
    fake = FakeHub()
    fake.answer(_methods.SAVE, GRPCError(Status.UNKNOWN, "app denied net record body"))
    fake.answer(_methods.FIND_BY_ID, GRPCError(Status.NOT_FOUND, "collection not found"))
    async with connected(fake) as hub:
        with pytest.raises(WriteDenied) as denied:
            await hub.threads.save(CTX, THREAD, "people", [{"_id": "x"}])
        with pytest.raises(CollectionNotFound) as missing:
            await hub.threads.find_by_id(CTX, THREAD, "people", "x")
    assert (denied.value.about, missing.value.about) == ("people", "x")


async def test_an_error_in_the_reply_of_a_call_counts_as_one() -> None:
    fake = FakeHub()
    fake.answer(_methods.SAVE, pb.SaveReply(transaction_error="app denied net record body"))
    async with connected(fake) as hub:
        with pytest.raises(WriteDenied):
            await hub.threads.save(CTX, THREAD, "people", [{"_id": "x"}])


async def test_a_new_database_has_its_collections_from_the_beginning() -> None:
    fake = FakeHub()
    asked = fake.answer(_methods.NEW_DB, pb.NewDbReply())
    people = CollectionConfig("people", schema='{"properties":{}}', indexes=(Index("name", unique=True),))
    async with connected(fake) as hub:
        await hub.threads.new_db(CTX, collections=[people, CollectionConfig("plain", schema=" ")])
    assert asked[0].collections == [
        pb.CollectionConfig(
            name="people", schema=b'{"properties":{}}', indexes=[pb.Index(path="name", unique=True)]
        ),
        pb.CollectionConfig(name="plain", schema=b'{"properties":{"_id":{"type":"string"}}}'),
    ]


async def test_collections_and_indexes_are_listed_in_order() -> None:
    fake = FakeHub()
    infos = [
        pb.GetCollectionInfoReply(name=name, schema=b"{}", indexes=[pb.Index(path="z"), pb.Index(path="a")])
        for name in ("pets", "cars")
    ]
    fake.answer(_methods.LIST_COLLECTIONS, pb.ListCollectionsReply(collections=infos))
    async with connected(fake) as hub:
        listed = await hub.threads.list_collections(CTX)
    assert [(info.name, info.indexes) for info in listed] == [
        ("cars", (Index("a"), Index("z"))),
        ("pets", (Index("a"), Index("z"))),
    ]


@pytest.mark.parametrize("schema", [b"", b"{", b"[]", b"\xff"])
async def test_a_schema_that_is_none_is_the_hubs_fault(schema: bytes) -> None:
    fake = FakeHub()
    fake.answer(_methods.GET_COLLECTION_INFO, pb.GetCollectionInfoReply(name="people", schema=schema))
    async with connected(fake) as hub:
        with pytest.raises(ProtocolError, match="schema"):
            await hub.threads.get_collection_info(CTX, THREAD, "people")


def test_a_schema_inferred_has_the_id_that_hubs_ask_for() -> None:
    assert infer_schema({"n": None, "list": []}) == {
        "type": "object",
        "properties": {"_id": {"type": "string"}, "n": {"type": "null"}, "list": {"type": "array"}},
    }
    assert infer_schema({"a": [{"b": 1.5}], "_id": None})["properties"] == {
        "a": {"type": "array", "items": {"type": "object", "properties": {"b": {"type": "number"}}}},
        "_id": {"type": "string"},
    }
    assert infer_schema(Person("x"))["properties"]["name"] == {"type": "string"}


PEER = PeerID.parse("12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB")


def information(*hosts: str, key: ThreadKey | None = None) -> DatabaseInfo:
    addrs = tuple(Multiaddr.parse(f"{host}/tcp/4006/p2p/{PEER}/thread/{THREAD}") for host in hosts)
    return DatabaseInfo(THREAD, name="x", addrs=addrs, key=key)


LOCAL = [
    "/ip4/127.0.0.1",
    "/ip4/10.1.2.3",
    "/ip4/172.16.0.1",
    "/ip4/192.168.4.4",
    "/ip4/169.254.1.1",
    "/ip4/0.0.0.0",
    "/ip6/::1",
    "/ip6/fe80::1",
    "/ip6/fd00::1",
    "/dns4/localhost",
    "/dns/box.local",
]
ELSEWHERE = ["/ip4/203.0.113.7", "/ip4/172.32.0.1", "/ip6/2001:db8::1", "/dns4/hub.example"]


async def test_joining_tries_every_address_that_may_lead_somewhere() -> None:
    fake = FakeHub()
    tried: list[str] = []

    async def fail(stream: Stream[Any, Any]) -> None:
        tried.append(str(Multiaddr.from_bytes((await received(stream)).addr)).partition("/tcp")[0])
        raise GRPCError(Status.UNKNOWN, f"dial {len(tried)} failed")

    fake.on(_methods.NEW_DB_FROM_ADDR, fail)
    info = information(*LOCAL, *ELSEWHERE, key=ThreadKey.random())
    async with connected(fake) as hub:
        with pytest.raises(RemoteError, match="dial 1 failed"):
            await hub.threads.join_from_info(CTX, info)
        assert tried == ELSEWHERE
        with pytest.raises(RemoteError):
            await hub.threads.join_from_info(CTX, info, include_local=True)
    assert tried[len(ELSEWHERE) :] == LOCAL + ELSEWHERE


async def test_the_first_address_that_works_is_enough() -> None:
    fake, answers = FakeHub(), iter([GRPCError(Status.UNKNOWN, "no route to host"), pb.NewDbReply()])

    async def answer(stream: Stream[Any, Any]) -> None:
        await received(stream)
        reply = next(answers)
        if isinstance(reply, Exception):
            raise reply
        await stream.send_message(reply)

    fake.on(_methods.NEW_DB_FROM_ADDR, answer)
    async with connected(fake) as hub:
        joined = await hub.threads.join_from_info(CTX, information(*ELSEWHERE, key=ThreadKey.random()))
    assert joined == THREAD
    assert len(fake.called) == 2


@pytest.mark.parametrize(
    ("texts", "kind", "match"),
    [
        (["db already exists"], AlreadyExists, "db already exists"),
        (["no route to host", "log already exists"], RemoteError, "no route"),
    ],
)
async def test_what_another_address_would_not_change_ends_the_attempts(
    texts: list[str], kind: type[Exception], match: str
) -> None:
    fake, said = FakeHub(), iter(texts)

    async def refuse(stream: Stream[Any, Any]) -> None:
        await received(stream)
        raise GRPCError(Status.UNKNOWN, next(said))

    fake.on(_methods.NEW_DB_FROM_ADDR, refuse)
    async with connected(fake) as hub:
        with pytest.raises(kind, match=match):
            await hub.threads.join_from_info(CTX, information(*ELSEWHERE, key=ThreadKey.random()))
    assert len(fake.called) == len(texts)


async def test_information_that_leads_nowhere_is_refused() -> None:
    fake = FakeHub()
    async with connected(fake) as hub:
        with pytest.raises(InvalidInput, match="No viable addresses for dialing"):
            await hub.threads.join_from_info(CTX, information(*LOCAL, key=ThreadKey.random()))
        with pytest.raises(InvalidKey):
            await hub.threads.join_from_info(CTX, information(*ELSEWHERE))
    assert fake.called == []
