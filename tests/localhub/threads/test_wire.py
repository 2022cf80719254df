"""Statuses and texts of ``threads.pb.API`` as they are on the wire (spec: threads-api)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.localhub.raw import call, outcome
from textile_aio._codec.multiaddr import Multiaddr
from textile_aio._codec.peer import PeerID
from textile_aio._proto.threads import pb
from textile_aio.identity import Identity
from textile_aio.ids import ThreadID, ThreadKey
from textile_aio.localhub import HubSettings, LocalHub

SCHEMA = (
    b'{"properties":{"_id":{"type":"string"},"name":{"type":"string"},"age":{"type":"number"}},'
    b'"required":["name"]}'
)
NAME_RULE = (
    "name may only contain alphanumeric characters or non-consecutive hyphens, "
    "and cannot begin or end with a hyphen"
)
API = "/threads.pb.API/"


@dataclass
class Place:
    """A daemon with a database and the collection ``Person`` in it."""

    target: str
    db: bytes

    async def ask(self, method: str, *messages: Any, headers: dict[str, str] | None = None) -> list[Any]:
        return await call(self.target, API + method, headers or {}, *messages)

    async def fails(
        self, method: str, *messages: Any, headers: dict[str, str] | None = None
    ) -> tuple[str, str]:
        return await outcome(self.target, API + method, headers or {}, *messages)

    async def create(self, *documents: Any) -> list[str]:
        (reply,) = await self.ask(
            "Create",
            pb.CreateRequest(
                db_id=self.db,
                collection_name="Person",
                instances=[json.dumps(each).encode() for each in documents],
            ),
        )
        return list(reply.instance_i_ds)


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    async with LocalHub.in_memory(HubSettings(mode="buckd", transaction_idle=0.2)) as hub:
        place = Place(hub.target, bytes(ThreadID.random()))
        await place.ask(
            "NewDB",
            pb.NewDbRequest(db_id=place.db, collections=[pb.CollectionConfig(name="Person", schema=SCHEMA)]),
        )
        yield place


def of_a_database(place: Place, db: bytes) -> dict[str, Any]:
    config = pb.CollectionConfig(name="Other", schema=SCHEMA)
    return {
        "GetDBInfo": pb.GetDbInfoRequest(db_id=db),
        "DeleteDB": pb.DeleteDbRequest(db_id=db),
        "NewCollection": pb.NewCollectionRequest(db_id=db, config=config),
        "UpdateCollection": pb.UpdateCollectionRequest(db_id=db, config=config),
        "DeleteCollection": pb.DeleteCollectionRequest(db_id=db, name="Person"),
        "GetCollectionInfo": pb.GetCollectionInfoRequest(db_id=db, name="Person"),
        "GetCollectionIndexes": pb.GetCollectionIndexesRequest(db_id=db, name="Person"),
        "ListCollections": pb.ListCollectionsRequest(db_id=db),
        "Create": pb.CreateRequest(db_id=db, collection_name="Person"),
        "Save": pb.SaveRequest(db_id=db, collection_name="Person"),
        "Verify": pb.VerifyRequest(db_id=db, collection_name="Person"),
        "Delete": pb.DeleteRequest(db_id=db, collection_name="Person"),
        "Has": pb.HasRequest(db_id=db, collection_name="Person"),
        "Find": pb.FindRequest(db_id=db, collection_name="Person", query_json=b"null"),
        "FindByID": pb.FindByIdRequest(db_id=db, collection_name="Person", instance_id="a"),
        "ReadTransaction": pb.ReadTransactionRequest(
            start_transaction_request=pb.StartTransactionRequest(db_id=db, collection_name="Person")
        ),
        "WriteTransaction": pb.WriteTransactionRequest(
            start_transaction_request=pb.StartTransactionRequest(db_id=db, collection_name="Person")
        ),
        "Listen": pb.ListenRequest(db_id=db),
    }


METHODS = tuple(of_a_database(Place("", b""), b""))


@pytest.mark.parametrize("method", METHODS)
async def test_a_malformed_id_is_an_invalid_argument(place: Place, method: str) -> None:
    status, message = await place.fails(method, of_a_database(place, b"")[method])
    assert (status, message) == ("INVALID_ARGUMENT", "reading varint: buffer too small")


@pytest.mark.parametrize("method", METHODS)
async def test_an_unknown_thread_is_not_found(place: Place, method: str) -> None:
    request = of_a_database(place, bytes(ThreadID.random()))[method]
    assert await place.fails(method, request) == ("NOT_FOUND", "thread not found")


@pytest.mark.parametrize("method", METHODS)
async def test_a_token_of_somebody_else_is_refused(place: Place, method: str) -> None:
    headers = {"authorization": "bearer e30.e30.e30"}
    status, message = await place.fails(method, of_a_database(place, place.db)[method], headers=headers)
    assert (status, message) in (
        ("UNKNOWN", "invalid thread token"),
        ("UNAUTHENTICATED", "invalid thread token"),
    )


@pytest.mark.parametrize("method", METHODS)
async def test_a_malformed_authorization_is_unauthenticated(place: Place, method: str) -> None:
    for header, message in (
        ("nonsense", "Bad authorization string"),
        ("basic x", "Request unauthenticated with bearer"),
    ):
        found = await place.fails(
            method, of_a_database(place, place.db)[method], headers={"authorization": header}
        )
        assert found == ("UNAUTHENTICATED", message)


def elsewhere(request: Any, name: str) -> Any:
    for member in ("collection_name", "name"):
        if hasattr(request, member):
            setattr(request, member, name)
    start = getattr(request, "start_transaction_request", None)
    if start is not None:
        start.collection_name = name
    return request


@pytest.mark.parametrize(
    ("method", "status"),
    [
        *(
            (method, "NOT_FOUND")
            for method in ("Create", "Save", "Verify", "Delete", "Has", "Find", "FindByID")
        ),
        *((method, "NOT_FOUND") for method in ("GetCollectionInfo", "GetCollectionIndexes")),
        *((method, "NOT_FOUND") for method in ("ReadTransaction", "WriteTransaction")),
        ("DeleteCollection", "UNKNOWN"),
        ("UpdateCollection", "UNKNOWN"),
    ],
)
async def test_a_collection_that_is_not_there(place: Place, method: str, status: str) -> None:
    request = elsewhere(of_a_database(place, place.db)[method], "Nothing")
    assert await place.fails(method, request) == (status, "collection not found")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (pb.CollectionConfig(name="Person", schema=SCHEMA), "collection already registered"),
        (pb.CollectionConfig(name="", schema=SCHEMA), NAME_RULE),
        (pb.CollectionConfig(name="a_b", schema=SCHEMA), NAME_RULE),
        (pb.CollectionConfig(name="a--b", schema=SCHEMA), NAME_RULE),
        (pb.CollectionConfig(name="x", schema=b""), "unexpected end of JSON input"),
        (pb.CollectionConfig(name="x", schema=b"{}"), "the collection schema _id property must be a string"),
        (
            pb.CollectionConfig(name="x", schema=SCHEMA, indexes=[pb.Index(path="_id")]),
            "cannot create custom index on _id",
        ),
        (
            pb.CollectionConfig(name="x", schema=SCHEMA, indexes=[pb.Index(path="b")]),
            "collection schema does not contain path",
        ),
    ],
)
async def test_collections_that_are_refused(place: Place, config: Any, message: str) -> None:
    request = pb.NewCollectionRequest(db_id=place.db, config=config)
    assert await place.fails("NewCollection", request) == ("UNKNOWN", message)


async def test_a_collection_without_a_configuration_is_an_invalid_argument(place: Place) -> None:
    for method, request in (
        ("NewCollection", pb.NewCollectionRequest(db_id=place.db)),
        ("UpdateCollection", pb.UpdateCollectionRequest(db_id=place.db)),
    ):
        status, _ = await place.fails(method, request)
        assert status == "INVALID_ARGUMENT"


@pytest.mark.parametrize("schema", [b"", b"{", b'{"type":["string"]}'])
async def test_a_schema_of_a_new_database_is_an_invalid_argument(place: Place, schema: bytes) -> None:
    config = pb.CollectionConfig(name="x", schema=schema)
    request = pb.NewDbRequest(db_id=bytes(ThreadID.random()), collections=[config])
    status, message = await place.fails("NewDB", request)
    assert status == "INVALID_ARGUMENT"
    assert message
    status, _ = await place.fails("GetDBInfo", pb.GetDbInfoRequest(db_id=request.db_id))
    assert status == "NOT_FOUND"


async def test_a_collection_that_is_named_twice_refuses_the_database(place: Place) -> None:
    config = pb.CollectionConfig(name="x", schema=SCHEMA)
    request = pb.NewDbRequest(db_id=bytes(ThreadID.random()), collections=[config, config])
    assert await place.fails("NewDB", request) == ("UNKNOWN", "collection already registered")
    status, _ = await place.fails("GetDBInfo", pb.GetDbInfoRequest(db_id=request.db_id))
    assert status == "NOT_FOUND"


async def test_a_schema_comes_back_as_it_is_understood(place: Place) -> None:
    sent = (
        b'{"$id":"u","$schema":"http://json-schema.org/draft-07/schema#","title":"P","type":"object","properties":'
        b'{"_id":{"type":"string"},"age":{"type":"integer","minimum":0}}}'
    )
    config = pb.CollectionConfig(name="P", schema=sent, indexes=[pb.Index(path="age", unique=True)])
    await place.ask("NewCollection", pb.NewCollectionRequest(db_id=place.db, config=config))
    (info,) = await place.ask("GetCollectionInfo", pb.GetCollectionInfoRequest(db_id=place.db, name="P"))
    assert info.schema == (
        b'{"$schema":"http://json-schema.org/draft-07/schema#","properties":{"_id":{"type":"string"},'
        b'"age":{"type":"integer"}},"type":"object","title":"P"}'
    )
    assert info.indexes == [pb.Index(path="age", unique=True)]
    (listed,) = await place.ask("ListCollections", pb.ListCollectionsRequest(db_id=place.db))
    assert [each.name for each in listed.collections] == ["P", "Person"]


@pytest.mark.parametrize(
    ("method", "request_of", "message"),
    [
        (
            "Create",
            lambda db: pb.CreateRequest(
                db_id=db, collection_name="Person", instances=[b'{"_id":"a","name":"A"}']
            ),
            "can't create already existing instance",
        ),
        (
            "Create",
            lambda db: pb.CreateRequest(
                db_id=db,
                collection_name="Person",
                instances=[b'{"_id":"b","name":"A"}', b'{"_id":"b","name":"A"}'],
            ),
            "cant't create already existent instance",
        ),
        (
            "Create",
            lambda db: pb.CreateRequest(db_id=db, collection_name="Person", instances=[b'{"age":1}']),
            "instance doesn't correspond to schema: (root): name is required",
        ),
        (
            "Save",
            lambda db: pb.SaveRequest(db_id=db, collection_name="Person", instances=[b'{"name":"A"}']),
            "invalid instance: missing _id attribute",
        ),
        (
            "FindByID",
            lambda db: pb.FindByIdRequest(db_id=db, collection_name="Person", instance_id="b"),
            "instance not found",
        ),
        (
            "Find",
            lambda db: pb.FindRequest(db_id=db, collection_name="Person"),
            "unexpected end of JSON input",
        ),
        (
            "Find",
            lambda db: pb.FindRequest(
                db_id=db, collection_name="Person", query_json=b'{"Ands":[{"FieldPath":"age","Value":{}}]}'
            ),
            "invalid query: value type should describe exactly one type",
        ),
    ],
)
async def test_instances_that_are_refused(
    place: Place, method: str, request_of: Callable[[bytes], Any], message: str
) -> None:
    await place.create({"_id": "a", "name": "A"})
    assert await place.fails(method, request_of(place.db)) == ("UNKNOWN", message)


async def test_an_unknown_action_of_a_filter_is_an_invalid_argument(place: Place) -> None:
    request = pb.ListenRequest(db_id=place.db, filters=[pb.ListenRequestFilter(action=9)])  # type: ignore[arg-type]
    assert await place.fails("Listen", request) == ("INVALID_ARGUMENT", "invalid filter action 9")


def start(place: Place, kind: type[Any]) -> Any:
    return kind(
        start_transaction_request=pb.StartTransactionRequest(db_id=place.db, collection_name="Person")
    )


@pytest.mark.parametrize(
    ("kind", "request_type"), [("Read", pb.ReadTransactionRequest), ("Write", pb.WriteTransactionRequest)]
)
async def test_messages_in_the_wrong_place(place: Place, kind: str, request_type: type[Any]) -> None:
    method = f"{kind}Transaction"
    nothing = ("UNKNOWN", f"no {kind}TransactionRequest type set")
    has = request_type(has_request=pb.HasRequest())
    unexpected = f"{kind}TransactionRequest.Option has unexpected type *threads_pb.{kind}TransactionRequest_"
    assert await place.fails(method, request_type()) == nothing
    assert await place.fails(method, has) == ("UNKNOWN", unexpected + "HasRequest")
    find = request_type(find_by_id_request=pb.FindByIdRequest())
    assert await place.fails(method, find) == ("UNKNOWN", unexpected + "FindByIDRequest")
    begin = start(place, request_type)
    assert await place.fails(method, begin, request_type()) == nothing
    again = ("UNKNOWN", unexpected + "StartTransactionRequest")
    assert await place.fails(method, begin, begin) == again
    assert await place.ask(method) == []


async def test_the_worked_example_of_a_transaction(place: Place) -> None:
    write = pb.WriteTransactionRequest
    replies = await place.ask(
        "WriteTransaction",
        start(place, write),
        write(create_request=pb.CreateRequest(instances=[b'{"_id":"a","name":"A"}'])),
        write(find_by_id_request=pb.FindByIdRequest(instance_id="a")),
        write(save_request=pb.SaveRequest(instances=[b'{"_id":"b"}'])),
        write(has_request=pb.HasRequest(instance_i_ds=["a"])),
        write(find_request=pb.FindRequest(query_json=b"null")),
        write(verify_request=pb.VerifyRequest(instances=[b'{"_id":"c","name":"C"}'])),
        write(delete_request=pb.DeleteRequest(instance_i_ds=["a", "b"])),
    )
    assert replies[0].create_reply == pb.CreateReply(instance_i_ds=["a"])
    assert replies[1].find_by_id_reply == pb.FindByIdReply(transaction_error="instance not found")
    text = "instance doesn't correspond to schema: (root): name is required"
    assert replies[2].save_reply == pb.SaveReply(transaction_error=text)
    assert replies[3].has_reply == pb.HasReply(exists=False)
    assert replies[4].find_reply == pb.FindReply()
    assert replies[5].verify_reply == pb.VerifyReply()
    assert replies[6].delete_reply == pb.DeleteReply()
    (found,) = await place.ask(
        "FindByID", pb.FindByIdRequest(db_id=place.db, collection_name="Person", instance_id="a")
    )
    assert json.loads(found.instance)["name"] == "A"


async def test_discard_answers_and_the_end_is_an_error(place: Place) -> None:
    write = pb.WriteTransactionRequest
    found = await place.fails(
        "WriteTransaction",
        start(place, write),
        write(discard_request=pb.DiscardRequest()),
        write(save_request=pb.SaveRequest(instances=[b'{"_id":"b","name":"B"}'])),
    )
    assert found == ("UNKNOWN", "can't commit discarded/committed txn")
    (has,) = await place.ask(
        "Has", pb.HasRequest(db_id=place.db, collection_name="Person", instance_i_ds=["b"])
    )
    assert not has.exists


async def test_a_silent_transaction_is_aborted(place: Place) -> None:
    write = pb.WriteTransactionRequest
    status, message = await outcome(
        place.target,
        API + "WriteTransaction",
        {},
        start(place, write),
        write(create_request=pb.CreateRequest(instances=[b'{"_id":"a","name":"A"}'])),
        half_close=False,
    )
    assert status == "ABORTED"
    assert "idle" in message
    assert len(await place.create({"_id": "a", "name": "A"})) == 1


async def test_a_database_of_a_thread_that_is_here_already(place: Place) -> None:
    (info,) = await place.ask("GetDBInfo", pb.GetDbInfoRequest(db_id=place.db))
    join = pb.NewDbFromAddrRequest(addr=info.addrs[0], key=info.key)
    assert await place.fails("NewDBFromAddr", join) == ("UNKNOWN", "db already exists")
    for addr, key, expected in (
        (b"", info.key, ("INVALID_ARGUMENT", "empty multiaddr")),
        (info.addrs[0], b"", ("INVALID_ARGUMENT", "invalid key")),
        (info.addrs[0], b"k" * 31, ("INVALID_ARGUMENT", "invalid key")),
        (info.addrs[0], b"k" * 32, ("UNKNOWN", "db already exists")),
    ):
        request = pb.NewDbFromAddrRequest(addr=addr, key=key)
        assert await place.fails("NewDBFromAddr", request) == expected


async def test_threads_of_nobody_and_of_other_hosts_are_not_fetched(place: Place) -> None:
    (info,) = await place.ask("GetDBInfo", pb.GetDbInfoRequest(db_id=place.db))
    await place.ask("DeleteDB", pb.DeleteDbRequest(db_id=place.db))
    join = pb.NewDbFromAddrRequest(addr=info.addrs[0], key=info.key)
    assert await place.fails("NewDBFromAddr", join) == (
        "UNKNOWN",
        "cannot retrieve thread from self: thread not found",
    )
    other = bytes(ThreadID.random())
    peer = PeerID.from_public_key(bytes(Identity.generate().public))
    addr = Multiaddr.parse(f"/ip4/127.0.0.1/tcp/4006/p2p/{peer}/thread/{ThreadID.from_bytes(other)}")
    request = pb.NewDbFromAddrRequest(addr=bytes(addr), key=bytes(ThreadKey.random()))
    status, _ = await place.fails("NewDBFromAddr", request)
    assert status == "UNIMPLEMENTED"
    status, _ = await place.fails("GetDBInfo", pb.GetDbInfoRequest(db_id=other))
    assert status == "NOT_FOUND"
