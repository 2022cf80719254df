"""Collections and their instances, on any hub."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from textile_aio import AuthContext, HubClient, ThreadID, errors
from textile_aio.threads.query.builder import where
from textile_aio.threads.schemas import infer_schema
from textile_aio.threads.values import CollectionConfig, Index

PEOPLE = CollectionConfig(
    "people",
    schema={
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": {
            "_id": {"type": "string"},
            "name": {"type": "string"},
            "age": {"type": "integer"},
        },
        "required": ["name"],
    },
    indexes=(Index("name", unique=True), Index("age")),
)


@dataclass
class Person:
    name: str
    age: int = 0
    _id: str = ""


@pytest.fixture
async def people(client: HubClient, thread_ctx: AuthContext) -> AuthContext:
    """A context whose thread has the collection ``people``."""
    await client.threads.new_collection(thread_ctx, None, PEOPLE)
    return thread_ctx


async def test_a_collection_is_described_as_it_was_made(client: HubClient, people: AuthContext) -> None:
    info = await client.threads.get_collection_info(people, None, "people")
    assert (info.name, info.schema) == ("people", PEOPLE.schema)
    assert info.indexes == (Index("age"), Index("name", unique=True))
    assert (info.write_validator, info.read_filter) == ("", "")
    assert await client.threads.get_collection_indexes(people, None, "people") == info.indexes
    assert await client.threads.list_collections(people) == [info]


async def test_a_collection_without_a_schema_takes_any_object(
    client: HubClient, thread_ctx: AuthContext
) -> None:
    await client.threads.new_collection(thread_ctx, None, CollectionConfig("things"))
    (found,) = await client.threads.create(thread_ctx, None, "things", [{"any": ["thing", None, 1.5]}])
    stored = await client.threads.find_by_id(thread_ctx, None, "things", found)
    assert stored["any"] == ["thing", None, 1.5]
    assert stored["_id"] == found
    assert type(stored["_mod"]) is int


async def test_an_inferred_schema_takes_what_it_was_inferred_from(
    client: HubClient, thread_ctx: AuthContext
) -> None:
    example = {"name": "x", "age": 1, "tags": ["a"], "sub": {"k": 1.5}, "ok": True}
    config = CollectionConfig("things", schema=infer_schema(example))
    await client.threads.new_collection(thread_ctx, None, config)
    await client.threads.create(thread_ctx, None, "things", [example])
    with pytest.raises(errors.SchemaViolation):
        await client.threads.create(thread_ctx, None, "things", [{**example, "age": "one"}])


async def test_a_name_is_taken_once(client: HubClient, people: AuthContext) -> None:
    with pytest.raises(errors.AlreadyExists, match="collection already registered"):
        await client.threads.new_collection(people, None, PEOPLE)


@pytest.mark.parametrize(
    ("config", "match"),
    [
        (CollectionConfig("a_b"), "name may only contain alphanumeric characters"),
        (CollectionConfig("a", schema={"properties": {}}), "_id property must be a string"),
        (CollectionConfig("a", indexes=(Index("age"),)), "does not contain path"),
        (CollectionConfig("a", indexes=(Index("_id"),)), "cannot create custom index on _id"),
        (CollectionConfig("a", write_validator="return {"), "compiling js func"),
    ],
)
async def test_a_definition_that_is_not_acceptable_is_refused(
    client: HubClient, thread_ctx: AuthContext, config: CollectionConfig, match: str
) -> None:
    with pytest.raises(errors.InvalidInput, match=match):
        await client.threads.new_collection(thread_ctx, None, config)
    assert await client.threads.list_collections(thread_ctx) == []


async def test_a_definition_is_replaced_as_a_whole(client: HubClient, people: AuthContext) -> None:
    info = await client.threads.get_collection_info(people, None, "people")
    await client.threads.update_collection(people, None, replace(info.config(), indexes=()))
    after = await client.threads.get_collection_info(people, None, "people")
    assert after == replace(info, indexes=())
    with pytest.raises(errors.CollectionNotFound):
        await client.threads.update_collection(people, None, CollectionConfig("pets"))


async def test_a_deleted_collection_is_gone(client: HubClient, people: AuthContext) -> None:
    await client.threads.delete_collection(people, None, "people")
    assert await client.threads.list_collections(people) == []
    for call in (
        client.threads.get_collection_info(people, None, "people"),
        client.threads.delete_collection(people, None, "people"),
        client.threads.create(people, None, "people", [{"name": "x"}]),
        client.threads.find(people, None, "people"),
    ):
        with pytest.raises(errors.CollectionNotFound):
            await call


@pytest.mark.needs("purged-collections")
async def test_a_collection_made_again_is_empty(client: HubClient, people: AuthContext) -> None:
    await client.threads.create(people, None, "people", [{"name": "Ann"}])
    await client.threads.delete_collection(people, None, "people")
    await client.threads.new_collection(people, None, PEOPLE)
    assert await client.threads.find(people, None, "people") == []
    await client.threads.create(people, None, "people", [{"name": "Ann"}])


async def test_a_new_database_has_its_collections(client: HubClient, ctx: AuthContext) -> None:
    thread = await client.threads.new_db(ctx, collections=[PEOPLE, CollectionConfig("pets")])
    ours = ctx.with_thread(thread)
    assert [info.name for info in await client.threads.list_collections(ours)] == ["people", "pets"]


@pytest.mark.needs("atomic-new-db")
async def test_a_database_whose_collection_is_refused_is_not_made(
    client: HubClient, ctx: AuthContext
) -> None:
    thread = ThreadID.random()
    with pytest.raises(errors.InvalidInput):
        await client.threads.new_db(ctx, thread, collections=[PEOPLE, CollectionConfig("a_b")])
    assert await client.threads.new_db(ctx, thread, collections=[PEOPLE]) == thread


async def test_instances_are_created_found_saved_and_deleted(client: HubClient, people: AuthContext) -> None:
    threads = client.threads
    ann, bob = await threads.create(
        people, None, "people", [Person("Ann", 30), {"name": "Bob", "_id": "bob"}]
    )
    assert bob == "bob"
    assert len(ann) == 26
    found = await threads.find_by_id(people, None, "people", ann, as_=Person)
    assert found == Person("Ann", 30, ann)
    assert await threads.has(people, None, "people", [ann, bob])
    assert not await threads.has(people, None, "people", [ann, "nobody"])
    assert await threads.has(people, None, "people", [])
    await threads.save(people, None, "people", [replace(found, age=31), {"_id": "new", "name": "Cid"}])
    assert (await threads.find_by_id(people, None, "people", ann))["age"] == 31
    assert {each["name"] for each in await threads.find(people, None, "people")} == {"Ann", "Bob", "Cid"}
    await threads.delete(people, None, "people", [ann, "new"])
    assert [each["_id"] for each in await threads.find(people, None, "people")] == ["bob"]
    with pytest.raises(errors.InstanceNotFound):
        await threads.find_by_id(people, None, "people", ann)


async def test_saving_replaces_and_removes_members(client: HubClient, people: AuthContext) -> None:
    threads = client.threads
    await threads.create(people, None, "people", [{"_id": "a", "name": "Ann", "age": 3, "tags": ["x"]}])
    before = (await threads.find_by_id(people, None, "people", "a"))["_mod"]
    await threads.save(people, None, "people", [{"_id": "a", "name": "Anna"}])
    after = await threads.find_by_id(people, None, "people", "a")
    assert after.pop("_mod") > before
    assert after == {"_id": "a", "name": "Anna"}


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ({"age": 1}, errors.SchemaViolation),
        ({"name": 1}, errors.SchemaViolation),
        ({"_id": "ann", "name": "x"}, errors.AlreadyExists),
        ({"_id": 5, "name": "x"}, errors.InvalidInput),
        (b"[]", errors.InvalidInput),
        (b"{", errors.InvalidInput),
        ({"name": "Ann"}, errors.UniqueViolation),
    ],
)
async def test_of_a_refused_create_nothing_stays(
    client: HubClient, people: AuthContext, document: Any, kind: type[errors.TextileError]
) -> None:
    await client.threads.create(people, None, "people", [{"_id": "ann", "name": "Ann"}])
    with pytest.raises(kind):
        await client.threads.create(people, None, "people", [{"name": "Bob"}, document])
    assert len(await client.threads.find(people, None, "people")) == 1


async def test_saving_needs_an_id(client: HubClient, people: AuthContext) -> None:
    with pytest.raises(errors.InvalidInput):
        await client.threads.save(people, None, "people", [{"name": "Ann"}])


async def test_verifying_writes_nothing(client: HubClient, people: AuthContext) -> None:
    await client.threads.verify(people, None, "people", [{"_id": "a", "name": "Ann"}])
    with pytest.raises(errors.SchemaViolation):
        await client.threads.verify(people, None, "people", [{"_id": "a", "age": 1}])
    assert await client.threads.find(people, None, "people") == []


@pytest.mark.needs("whole-deletes")
async def test_deleting_passes_over_ids_that_are_not_there(client: HubClient, people: AuthContext) -> None:
    await client.threads.create(people, None, "people", [{"_id": "a", "name": "Ann"}])
    await client.threads.delete(people, None, "people", ["nobody", "a"])
    assert await client.threads.find(people, None, "people") == []


async def test_validators_and_filters_decide(client: HubClient, thread_ctx: AuthContext) -> None:
    await client.threads.new_collection(
        thread_ctx,
        None,
        CollectionConfig(
            "notes",
            write_validator="return event.patch.type !== 'delete' && writer !== undefined;",
            read_filter="if (instance.secret) { return null; } instance.seen = true; return instance;",
        ),
    )
    threads = client.threads
    await threads.create(thread_ctx, None, "notes", [{"_id": "a"}, {"_id": "b", "secret": True}])
    with pytest.raises(errors.WriteDenied, match="app denied net record body"):
        await threads.delete(thread_ctx, None, "notes", ["a"])
    assert [(each["_id"], each["seen"]) for each in await threads.find(thread_ctx, None, "notes")] == [
        ("a", True)
    ]
    assert not await threads.has(thread_ctx, None, "notes", ["b"])
    with pytest.raises(errors.InstanceNotFound):
        await threads.find_by_id(thread_ctx, None, "notes", "b")


async def test_a_database_that_is_not_there_has_no_collections(client: HubClient, ctx: AuthContext) -> None:
    nowhere = ThreadID.random()
    for call in (
        client.threads.list_collections(ctx, nowhere),
        client.threads.find(ctx, nowhere, "people", where("a") == 1),
        client.threads.create(ctx, nowhere, "people", [{}]),
    ):
        with pytest.raises((errors.ThreadNotFound, errors.NotThreadOwner)):
            await call
