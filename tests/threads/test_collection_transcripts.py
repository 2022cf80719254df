"""Collections and instances: ours against what the JavaScript client sent and was answered."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.threads.test_transcripts import run
from tests.transcripts import Case, Replay, label, recorded
from textile_aio import DatabaseInfo, HubClient, Multiaddr, RemoteError, ThreadID, ThreadKey
from textile_aio._proto.threads import pb
from textile_aio._rpc.method import Method
from textile_aio.threads import _methods
from textile_aio.threads.query.builder import Query, where
from textile_aio.threads.schemas import infer_schema
from textile_aio.threads.transactions import ReadTransaction, WriteTransaction
from textile_aio.threads.values import CollectionConfig, Index

ALL = {"threads", "hub-threads"}

#: The query that was recorded, as ours is written.
FOUND: Query = (
    (((where("age") >= 21) & (where("name") != "x")) | (where("ok") == True))  # noqa: E712
    .order_by("age", descending=True)
    .limit(5)
    .skip(1)
)


#: What was created in the recorded transactions.
INSTANCES = next(case for case in recorded("create", clients=ALL))["args"][2]


def body(function: dict[str, str] | None) -> str:
    """The body of a recorded function, which is what goes over the wire."""
    source = (function or {}).get("function_source", "{}")
    return source[source.index("{") + 1 : source.rindex("}")]


def config(recorded_config: Case) -> CollectionConfig:
    return CollectionConfig(
        recorded_config["name"],
        schema=recorded_config.get("schema"),
        indexes=tuple(Index(i["path"], unique=i["unique"]) for i in recorded_config.get("indexes", ())),
        write_validator=body(recorded_config.get("writeValidator")),
        read_filter=body(recorded_config.get("readFilter")),
    )


def thread_of(case: Case) -> ThreadID:
    return ThreadID.parse(case["args"][0]["thread_id"])


@pytest.mark.parametrize("case", recorded("newCollection", "updateCollection", clients=ALL), ids=label)
async def test_a_definition_is_sent_alike(case: Case) -> None:
    replay = Replay(case)
    new = case["method"] == "newCollection"

    async def act(hub: HubClient) -> None:
        call = hub.threads.new_collection if new else hub.threads.update_collection
        await call(replay.context(), thread_of(case), config(case["args"][1]))

    await run(replay, act)
    method = _methods.NEW_COLLECTION if new else _methods.UPDATE_COLLECTION
    ours, theirs = replay.messages(method.path, method.request)
    assert ours == theirs
    replay.check_headers()


@pytest.mark.parametrize("case", recorded("newCollectionFromObject", clients=ALL), ids=label)
async def test_a_schema_is_inferred_alike(case: Case) -> None:
    replay = Replay(case)
    example, rest = case["args"][1:]
    inferred = replace(config(rest), schema=infer_schema(example))
    await run(replay, lambda hub: hub.threads.new_collection(replay.context(), thread_of(case), inferred))
    ours, theirs = replay.messages(_methods.NEW_COLLECTION.path, pb.NewCollectionRequest)
    assert ours == theirs


@pytest.mark.parametrize("case", recorded("deleteCollection", clients=ALL), ids=label)
async def test_delete_collection_sends_the_name(case: Case) -> None:
    replay = Replay(case)
    name = case["args"][1]
    await run(replay, lambda hub: hub.threads.delete_collection(replay.context(), thread_of(case), name))
    ours, theirs = replay.messages(_methods.DELETE_COLLECTION.path, pb.DeleteCollectionRequest)
    assert ours == theirs


@pytest.mark.parametrize("case", recorded("getCollectionInfo", clients=ALL), ids=label)
async def test_a_definition_is_understood(case: Case) -> None:
    replay = Replay(case)

    async def act(hub: HubClient) -> None:
        info = await hub.threads.get_collection_info(replay.context(), thread_of(case), case["args"][1])
        wanted = case["result"]
        assert (info.name, info.schema) == (wanted["name"], wanted["schema"])
        assert [(each.path, each.unique) for each in info.indexes] == [
            (each["path"], each["unique"]) for each in wanted["indexes"]
        ]
        assert (info.write_validator, info.read_filter) == (wanted["writeValidator"], wanted["readFilter"])
        assert info.config() == CollectionConfig(
            info.name,
            schema=info.schema,
            indexes=info.indexes,
            write_validator=info.write_validator,
            read_filter=info.read_filter,
        )

    await run(replay, act)
    ours, theirs = replay.messages(_methods.GET_COLLECTION_INFO.path, pb.GetCollectionInfoRequest)
    assert ours == theirs


@pytest.mark.parametrize("case", recorded("getCollectionIndexes", clients=ALL), ids=label)
async def test_indexes_are_understood(case: Case) -> None:
    replay = Replay(case)

    async def act(hub: HubClient) -> None:
        found = await hub.threads.get_collection_indexes(replay.context(), thread_of(case), case["args"][1])
        assert list(found) == [Index(each["path"], unique=each["unique"]) for each in case["result"]]

    await run(replay, act)
    ours, theirs = replay.messages(_methods.GET_COLLECTION_INDEXES.path, pb.GetCollectionIndexesRequest)
    assert ours == theirs


@pytest.mark.parametrize("case", recorded("listCollections", clients=ALL), ids=label)
async def test_collections_are_listed(case: Case) -> None:
    replay = Replay(case)

    async def act(hub: HubClient) -> None:
        listed = await hub.threads.list_collections(replay.context(), thread_of(case))
        assert [info.name for info in listed] == [each["name"] for each in case["result"]]

    await run(replay, act)
    ours, theirs = replay.messages(_methods.LIST_COLLECTIONS.path, pb.ListCollectionsRequest)
    assert ours == theirs


@pytest.mark.parametrize("case", recorded("newDBFromAddr", clients=ALL), ids=label)
async def test_joining_sends_address_key_and_collections(case: Case) -> None:
    replay = Replay(case)
    addr, key, *collections = case["args"]
    thread_key = (
        ThreadKey.from_string(key)
        if isinstance(key, str)
        else ThreadKey.from_bytes(bytes.fromhex(key["bytes_hex"]))
    )

    async def act(hub: HubClient) -> None:
        thread = await hub.threads.new_db_from_addr(
            replay.context(),
            Multiaddr.parse(addr),
            thread_key,
            collections=[config(each) for each in (collections or [[]])[0]],
        )
        assert str(thread) == case["result"]["thread_id"]

    await run(replay, act)
    ours, theirs = replay.messages(_methods.NEW_DB_FROM_ADDR.path, pb.NewDbFromAddrRequest)
    for each in (config for request in theirs for config in request.collections):
        if each.schema == b"{}":  # which hubs refuse; ours says what newCollection says then
            each.schema = b'{"properties":{"_id":{"type":"string"}}}'
    assert ours == theirs


@pytest.mark.parametrize("case", recorded("joinFromInfo", clients=ALL), ids=label)
async def test_joining_by_information_passes_over_local_addresses(case: Case) -> None:
    replay = Replay(case)
    given, *include_local = case["args"]

    async def act(hub: HubClient) -> None:
        addrs = tuple(map(Multiaddr.parse, given["addrs"]))
        info = DatabaseInfo(
            ThreadID.from_addr(addrs[0]), name="x", addrs=addrs, key=ThreadKey.from_string(given["key"])
        )
        thread = await hub.threads.join_from_info(
            replay.context(), info, include_local=bool(include_local and include_local[0])
        )
        assert str(thread) == case["result"]["thread_id"]

    await run(replay, act)
    ours, theirs = replay.messages(_methods.NEW_DB_FROM_ADDR.path, pb.NewDbFromAddrRequest)
    assert ours == theirs


WRITES: dict[str, Method[Any, Any]] = {
    "create": _methods.CREATE,
    "save": _methods.SAVE,
    "verify": _methods.VERIFY,
}


@pytest.mark.parametrize("case", recorded(*WRITES, clients=ALL), ids=label)
async def test_instances_are_sent_alike(case: Case) -> None:
    replay = Replay(case)
    method = WRITES[case["method"]]
    collection, instances = case["args"][1:]
    if case["method"] == "save":  # the peer adds what is missing; ours leaves documents alone
        instances = [each if "_id" in each else {**each, "_id": ""} for each in instances]

    async def act(hub: HubClient) -> None:
        call = getattr(hub.threads, case["method"])
        assert await call(replay.context(), thread_of(case), collection, instances) == case["result"]

    await run(replay, act)
    ours, theirs = replay.messages(method.path, method.request)
    assert ours == theirs
    replay.check_headers()


@pytest.mark.parametrize("case", recorded("delete", "has", clients=ALL), ids=label)
async def test_ids_are_sent_alike(case: Case) -> None:
    replay = Replay(case)
    method: Any = _methods.HAS if case["method"] == "has" else _methods.DELETE

    async def act(hub: HubClient) -> None:
        call = getattr(hub.threads, case["method"])
        assert (
            await call(replay.context(), thread_of(case), case["args"][1], case["args"][2]) == case["result"]
        )

    await run(replay, act)
    ours, theirs = replay.messages(method.path, method.request)
    assert ours == theirs


@pytest.mark.parametrize("case", recorded("find", clients=ALL), ids=label)
async def test_find_sends_the_query_and_reads_the_answer(case: Case) -> None:
    replay = Replay(case)
    asked = case["args"][2]

    async def act(hub: HubClient) -> None:
        query = FOUND if asked else None
        found = await hub.threads.find(replay.context(), thread_of(case), case["args"][1], query)
        assert found == case["result"]

    await run(replay, act)
    ours, theirs = replay.messages(_methods.FIND.path, pb.FindRequest)
    assert json.loads(ours[0].query_json) == (
        json.loads(asked["query_json"]) if asked else {"ands": [], "ors": []}
    )
    assert [(each.db_id, each.collection_name) for each in ours] == [
        (each.db_id, each.collection_name) for each in theirs
    ]


@pytest.mark.parametrize("case", recorded("findByID", clients=ALL), ids=label)
async def test_find_by_id_gives_the_instance_or_says_that_there_is_none(case: Case) -> None:
    replay = Replay(case)

    async def act(hub: HubClient) -> None:
        found = await hub.threads.find_by_id(
            replay.context(), thread_of(case), case["args"][1], case["args"][2]
        )
        assert found == case["result"]

    await run(replay, act)
    ours, theirs = replay.messages(_methods.FIND_BY_ID.path, pb.FindByIdRequest)
    assert ours == theirs


async def operate(txn: ReadTransaction | WriteTransaction, name: str, arguments: list[Any]) -> Any:
    """Do what a recorded step of a transaction did."""
    if name == "find":
        return await txn.find(FOUND)
    if name == "findByID":
        return await txn.find_by_id(arguments[0])
    if name == "save":
        arguments = [[each if "_id" in each else {**each, "_id": ""} for each in arguments[0]]]
    return await getattr(txn, name)(*[each for each in arguments if each is not None])


@pytest.mark.parametrize("case", recorded("readTransaction", "writeTransaction", clients=ALL), ids=label)
async def test_a_transaction_goes_the_same_way(case: Case) -> None:
    replay = Replay(case)
    collection = case["args"][1]
    writes = case["method"] == "writeTransaction"
    sent = pb.WriteTransactionRequest if writes else pb.ReadTransactionRequest
    path = case["calls"][0]["method"]

    async def act(hub: HubClient) -> None:
        begin = hub.threads.write_transaction if writes else hub.threads.read_transaction
        async with begin(replay.context(), thread_of(case), collection) as txn:
            for name, *arguments, result in case["result"]:
                assert await operate(txn, name, arguments) == result

    if "error" in case:
        with pytest.raises(RemoteError, match=case["error"]):
            async with replay.client() as hub:
                begin = hub.threads.write_transaction
                async with begin(replay.context(), thread_of(case), collection) as txn:
                    await txn.create(INSTANCES)
    else:
        await run(replay, act)
    ours, theirs = replay.messages(path, sent)
    assert list(map(readable, ours)) == list(map(readable, theirs))


def readable(message: Any) -> Any:
    """A message with its query as what it means: members come in any order."""
    if message.find_request is None:
        return message
    return json.loads(message.find_request.query_json)
