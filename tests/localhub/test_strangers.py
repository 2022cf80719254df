"""What a stranger, who may call the methods on instances, can do and learn (spec: threads-api §9)."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import pytest

from tests.localhub.raw import OK, Outcome, call, outcome
from tests.localhub.test_access import Headers, World, new_thread, token_for
from tests.localhub.test_access import world as world
from textile_aio import AuthContext, Identity, ThreadID, connect
from textile_aio._proto.threads import pb

DB = "/threads.pb.API/"
DENIED = ("UNKNOWN", "app denied net record body")

SCHEMA = {"properties": {name: {"type": "string"} for name in ("_id", "owner", "secret", "text")}}


@dataclass
class Scene:
    """A collection of the owner's, where all write their own and nobody sees what is others' but shared.

    Of an instance that is shared, others are not shown the secret.
    """

    world: World
    thread: ThreadID
    owner: Headers
    stranger: Headers
    stranger_token: str
    key: str

    async def ask(self, method: str, request: type[Any], by: Headers | None = None, **members: Any) -> Any:
        message = request(db_id=bytes(self.thread), collection_name="notes", **members)
        (reply,) = await call(self.world.target, DB + method, by or self.stranger, message)
        return reply

    async def try_to(self, method: str, request: type[Any], **members: Any) -> Outcome:
        message = request(db_id=bytes(self.thread), collection_name="notes", **members)
        return await outcome(self.world.target, DB + method, self.stranger, message)

    async def find(self, query: dict[str, Any], **how: Any) -> Any:
        return await self.ask("Find", pb.FindRequest, query_json=json.dumps(query).encode(), **how)


@pytest.fixture
async def scene(world: World) -> Scene:
    owner, key = world.user(), str(world.identity.public)
    stranger_token = await token_for(world, Identity.generate())
    thread = await new_thread(world, owner)
    config = pb.CollectionConfig(
        name="notes",
        schema=json.dumps(SCHEMA).encode(),
        indexes=[pb.Index(path="secret")],
        write_validator=f"return writer === {json.dumps(key)}",
        read_filter=(
            f"if (reader === {json.dumps(key)}) return instance;"
            "if (!instance.text) return null;"
            "delete instance.secret; return instance"
        ),
    )
    request = pb.NewCollectionRequest(db_id=bytes(thread), config=config)
    await call(world.target, DB + "NewCollection", owner, request)
    scene = Scene(
        world, thread, owner, world.user(authorization=f"bearer {stranger_token}"), stranger_token, key
    )
    notes = [
        {"_id": "hidden", "secret": "blue"},
        {"_id": "hidden-too", "secret": "blue"},
        {"_id": "shared", "secret": "blue", "text": "for all"},
        {"_id": "shared-too", "secret": "green", "text": "for all"},
    ]
    await scene.ask("Create", pb.CreateRequest, by=owner, instances=[json.dumps(n).encode() for n in notes])
    return scene


def secret(value: str) -> dict[str, Any]:
    return {"ands": [{"fieldPath": "secret", "operation": 0, "value": {"string": value}}]}


async def test_where_the_validator_forbids_it_no_way_of_writing_is_open(scene: Scene) -> None:
    new, old = b'{"text":"mine"}', b'{"_id":"shared","text":"mine"}'
    assert await scene.try_to("Create", pb.CreateRequest, instances=[new]) == DENIED
    assert await scene.try_to("Save", pb.SaveRequest, instances=[old]) == DENIED
    assert await scene.try_to("Verify", pb.VerifyRequest, instances=[old]) == DENIED
    assert await scene.try_to("Delete", pb.DeleteRequest, instance_i_ds=["shared"]) == DENIED
    assert await scene.try_to("Delete", pb.DeleteRequest, instance_i_ds=["hidden"]) == DENIED
    start = pb.StartTransactionRequest(db_id=bytes(scene.thread), collection_name="notes")
    for operation in (
        pb.WriteTransactionRequest(create_request=pb.CreateRequest(instances=[new])),
        pb.WriteTransactionRequest(save_request=pb.SaveRequest(instances=[old])),
        pb.WriteTransactionRequest(delete_request=pb.DeleteRequest(instance_i_ds=["shared"])),
    ):
        assert (
            await outcome(
                scene.world.target,
                DB + "WriteTransaction",
                scene.stranger,
                pb.WriteTransactionRequest(start_transaction_request=start),
                operation,
            )
            == DENIED
        )
    found = await scene.ask("Find", pb.FindRequest, by=scene.owner, query_json=b"{}")
    assert len(found.instances) == 4


async def test_accounts_without_a_token_write_as_the_host_and_read_as_nobody(scene: Scene) -> None:
    scene.stranger = scene.world.account
    assert await scene.try_to("Create", pb.CreateRequest, instances=[b'{"text":"mine"}']) == DENIED
    assert len((await scene.find({})).instances) == 2


async def test_what_is_hidden_is_not_there(scene: Scene) -> None:
    assert not (await scene.ask("Has", pb.HasRequest, instance_i_ds=["hidden"])).exists
    gone = ("UNKNOWN", "instance not found")
    assert await scene.try_to("FindByID", pb.FindByIdRequest, instance_id="hidden") == gone
    found = [json.loads(each) for each in (await scene.find({})).instances]
    assert [each["_id"] for each in found] == ["shared", "shared-too"]
    assert not any("secret" in each for each in found)


async def test_only_what_is_visible_is_counted(scene: Scene) -> None:
    assert (await scene.find({}, count=True)).counted == 2
    assert (await scene.find(secret("blue"), count=True)).counted == 1
    assert (await scene.find({"skip": 1}, count=True)).counted == 1


@pytest.mark.parametrize(
    ("query", "told"), [({}, (2, 2)), (secret("blue"), (1, 1)), (secret("red"), (0, 0))], ids=str
)
async def test_explaining_counts_only_what_is_visible(
    scene: Scene, query: dict[str, Any], told: tuple[int, int]
) -> None:
    explanation = json.loads((await scene.find(query, explain=True)).explanation)
    assert (explanation["read"], explanation["matched"]) == told


async def test_fields_that_a_filter_removes_can_be_asked_for_of_what_is_visible(scene: Scene) -> None:
    """Upstream's rule, kept: queries look at what is stored. What must stay secret has to be hidden whole."""
    found = [json.loads(each) for each in (await scene.find(secret("green"))).instances]
    assert [each["_id"] for each in found] == ["shared-too"]
    assert (await scene.find(secret("blue"), count=True)).counted == 1, "nothing of what is hidden"


async def test_a_stranger_listens_through_the_filter(scene: Scene) -> None:
    """A deleted instance is no more there to be filtered: its id is told to everybody, as upstream does."""
    async with connect(scene.world.target) as client:
        ctx = AuthContext().with_api_key(scene.world.insecure["x-textile-api-key"])
        listening = client.threads.listen(ctx.with_token(scene.stranger_token), scene.thread)
        async with listening as changes, asyncio.timeout(20):
            for note in ({"_id": "a", "secret": "x"}, {"_id": "b", "secret": "x", "text": "y"}):
                await scene.ask(
                    "Create", pb.CreateRequest, by=scene.owner, instances=[json.dumps(note).encode()]
                )
            first = await anext(changes)
            await scene.ask("Delete", pb.DeleteRequest, by=scene.owner, instance_i_ds=["a"])
            second = await anext(changes)
    assert "'b'" in repr(first)
    assert "secret" not in repr(first)
    assert "'a'" in repr(second)


async def test_a_position_says_nothing_in_another_database(scene: Scene) -> None:
    other = await new_thread(scene.world, scene.owner)
    positions = []
    for thread in (scene.thread, other):
        async with connect(scene.world.target) as client:
            ctx = AuthContext().with_api_key(scene.world.insecure["x-textile-api-key"])
            async with client.threads.listen(ctx.with_token(scene.stranger_token), thread) as changes:
                positions.append(str(changes.position))
    assert positions[0].split("-")[0] != positions[1].split("-")[0]
    request = pb.ListenRequest(db_id=bytes(other), since=positions[0])
    assert await outcome(scene.world.target, DB + "Listen", scene.stranger, request) == (
        "OUT_OF_RANGE",
        "the database was made anew since",
    )


async def test_read_transactions_see_no_more_than_calls(scene: Scene) -> None:
    start = pb.StartTransactionRequest(db_id=bytes(scene.thread), collection_name="notes")
    replies = await call(
        scene.world.target,
        DB + "ReadTransaction",
        scene.stranger,
        pb.ReadTransactionRequest(start_transaction_request=start),
        pb.ReadTransactionRequest(has_request=pb.HasRequest(instance_i_ds=["hidden"])),
        pb.ReadTransactionRequest(find_request=pb.FindRequest(query_json=b"{}")),
        pb.ReadTransactionRequest(find_by_id_request=pb.FindByIdRequest(instance_id="hidden")),
    )
    assert replies[0].has_reply.exists is False
    assert len(replies[1].find_reply.instances) == 2
    assert replies[2].find_by_id_reply.transaction_error == "instance not found"


async def test_ids_that_are_taken_are_known_to_whoever_may_write(world: World) -> None:
    """An id is there once, hidden or not; whoever may write learns that, as upstream."""
    thread = await new_thread(world, world.user())
    config = pb.CollectionConfig(name="notes", schema=json.dumps(SCHEMA).encode(), read_filter="return null")
    request = pb.NewCollectionRequest(db_id=bytes(thread), config=config)
    await call(world.target, DB + "NewCollection", world.user(), request)
    create = pb.CreateRequest(db_id=bytes(thread), collection_name="notes", instances=[b'{"_id":"a"}'])
    assert await outcome(world.target, DB + "Create", world.user(), create) == OK
    assert await outcome(world.target, DB + "Create", world.user(), create) == (
        "UNKNOWN",
        "can't create already existing instance",
    )
    save = pb.SaveRequest(db_id=bytes(thread), collection_name="notes", instances=[b'{"_id":"a"}'])
    assert await outcome(world.target, DB + "Save", world.user(), save) == (
        "UNKNOWN",
        "Invalid JSON Document",
    )
