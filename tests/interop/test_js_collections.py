"""Unmodified JavaScript clients at our hub: collections, instances, queries, functions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.interop.jsclients import CLIENT, JsDatabase, JsPair
from tests.interop.peer import Function, PeerError, PeerObject, Query
from textile_aio import Identity

pytestmark = pytest.mark.timeout(180)

PERSON = {
    "$id": "https://example.com/person.schema.json",
    "$schema": "http://json-schema.org/draft-07/schema#",
    "title": "Person",
    "type": "object",
    "required": ["_id"],
    "properties": {
        "_id": {"type": "string"},
        "firstName": {"type": "string"},
        "lastName": {"type": "string"},
        "age": {"type": "integer", "minimum": 0},
    },
}
BROKEN = "instance doesn't correspond to schema"
AGE_INDEX = [{"path": "age", "unique": False}]


def person(**more: Any) -> dict[str, Any]:
    return {"_id": "", "firstName": "Adam", "lastName": "Doe", "age": 21, **more}


@pytest.fixture
async def db(js_db: JsDatabase) -> JsDatabase:
    await js_db.call("newCollection", {"name": "Person", "schema": PERSON})
    return js_db


def without_mod(instance: dict[str, Any]) -> dict[str, Any]:
    assert isinstance(instance["_mod"], int | float)
    return {name: value for name, value in instance.items() if name != "_mod"}


class TestCollections:
    async def test_what_is_kept_of_a_schema(self, db: JsDatabase) -> None:
        info = await db.call("getCollectionInfo", "Person")
        kept = {name: value for name, value in PERSON.items() if name != "$id"}
        kept["properties"] = {**PERSON["properties"], "age": {"type": "integer"}}  # type: ignore[dict-item]
        assert info == {
            "name": "Person", "schema": kept, "indexes": [], "writeValidator": "", "readFilter": "",
        }  # fmt: skip

    async def test_a_collection_without_a_schema(self, db: JsDatabase) -> None:
        await db.call("newCollection", {"name": "Anything"})
        info = await db.call("getCollectionInfo", "Anything")
        assert info["schema"] == {"properties": {"_id": {"type": "string"}}}
        await db.call("create", "Anything", [{"what": ["ever", {"nested": None}]}])

    async def test_a_collection_from_an_object(self, db: JsDatabase) -> None:
        dog = {"_id": "", "name": "Lucky", "comments": ["good", "boy"], "age": 3.5, "alive": True}
        await db.call("newCollectionFromObject", dog, {"name": "Dogs"})
        (id_,) = await db.call("create", "Dogs", [dog])
        found = await db.call("findByID", "Dogs", id_)
        assert without_mod(found) == {**dog, "_id": id_}
        with pytest.raises(PeerError, match=f"{BROKEN}: name: Invalid type"):
            await db.call("create", "Dogs", [{**dog, "name": 1}])

    async def test_collections_are_listed(self, db: JsDatabase) -> None:
        await db.call("newCollection", {"name": "Other", "schema": PERSON})
        listed = await db.call("listCollections")
        assert sorted(each["name"] for each in listed) == ["Other", "Person"]

    async def test_indexes_are_told(self, db: JsDatabase) -> None:
        indexes = [{"path": "lastName", "unique": True}, {"path": "age", "unique": False}]
        await db.call("newCollection", {"name": "Indexed", "schema": PERSON, "indexes": indexes})
        told = await db.call("getCollectionIndexes", "Indexed")
        assert sorted(told, key=str) == sorted(indexes, key=str)
        info = await db.call("getCollectionInfo", "Indexed")
        assert sorted(info["indexes"], key=str) == sorted(indexes, key=str)

    async def test_a_unique_index_refuses_a_second(self, db: JsDatabase) -> None:
        indexes = [{"path": "lastName", "unique": True}]
        await db.call("newCollection", {"name": "Indexed", "schema": PERSON, "indexes": indexes})
        await db.call("create", "Indexed", [person()])
        with pytest.raises(PeerError, match="unique constraint violation"):
            await db.call("create", "Indexed", [person(firstName="Eve")])
        assert len(await db.call("find", "Indexed", {})) == 1

    async def test_a_collection_is_updated(self, db: JsDatabase) -> None:
        config = {"name": "Person", "schema": PERSON, "indexes": AGE_INDEX}
        await db.call("updateCollection", config)
        told = await db.call("getCollectionIndexes", "Person")
        assert told == AGE_INDEX
        with pytest.raises(PeerError, match="collection not found"):
            await db.call("updateCollection", {"name": "Nope", "schema": PERSON})

    async def test_a_collection_is_deleted(self, db: JsDatabase) -> None:
        await db.call("deleteCollection", "Person")
        for method, *given in (
            ("getCollectionInfo", "Person"), ("find", "Person", {}), ("deleteCollection", "Person"),
        ):  # fmt: skip
            with pytest.raises(PeerError, match="collection not found"):
                await db.call(method, *given)

    @pytest.mark.parametrize(
        ("config", "text"),
        [
            ({"name": "Person", "schema": PERSON}, "collection already registered"),
            ({"name": "not a name", "schema": PERSON}, "name may only contain alphanumeric characters"),
            (
                {"name": "A", "schema": {"properties": {}}},
                "the collection schema _id property must be a string",
            ),
            ({"name": "A", "schema": {"type": ["string"]}}, "json: cannot unmarshal array"),
            (
                {"name": "A", "schema": PERSON, "indexes": [{"path": "nope", "unique": False}]},
                "collection schema does not contain path",
            ),
            (
                {"name": "A", "schema": PERSON, "indexes": [{"path": "_id", "unique": False}]},
                "cannot create custom index on _id",
            ),
        ],
    )
    async def test_a_collection_that_cannot_be(
        self, db: JsDatabase, config: dict[str, Any], text: str
    ) -> None:
        with pytest.raises(PeerError, match=text):
            await db.call("newCollection", config)


class TestInstances:
    async def test_an_instance_is_created_and_found(self, db: JsDatabase) -> None:
        ids = await db.call("create", "Person", [person(), person(age=5)])
        assert len(set(ids)) == 2
        found = await db.call("findByID", "Person", ids[1])
        assert without_mod(found) == {**person(age=5), "_id": ids[1]}
        ours = await db.pair.ours.threads.find_by_id(db.ctx, None, "Person", ids[0])
        assert without_mod(ours) == {**person(), "_id": ids[0]}

    async def test_an_instance_with_an_id(self, db: JsDatabase) -> None:
        assert await db.call("create", "Person", [person(_id="adam")]) == ["adam"]
        with pytest.raises(PeerError, match="existing instance"):
            await db.call("create", "Person", [person(_id="adam")])
        with pytest.raises(PeerError, match="already existent instance"):
            await db.call("create", "Person", [person(_id="eve"), person(_id="eve")])

    async def test_an_instance_that_breaks_the_schema(self, db: JsDatabase) -> None:
        with pytest.raises(PeerError, match=f"{BROKEN}: age: Invalid type. Expected: integer, given: string"):
            await db.call("create", "Person", [person(age="old")])
        with pytest.raises(PeerError, match=BROKEN):
            await db.call("verify", "Person", [person(_id="a", age="old")])

    async def test_an_instance_is_saved(self, db: JsDatabase) -> None:
        (id_,) = await db.call("create", "Person", [person()])
        await db.call("save", "Person", [person(_id=id_, age=30)])
        await db.call("save", "Person", [person(_id="new", age=31)])
        found = await db.call("find", "Person", {})
        assert {each["_id"]: each["age"] for each in found} == {id_: 30, "new": 31}

    async def test_a_saved_instance_without_an_id_gets_one(self, db: JsDatabase) -> None:
        given = person()
        del given["_id"]
        await db.call("save", "Person", [given])
        (found,) = await db.call("find", "Person", {})
        assert found["_id"]

    async def test_a_member_left_out_is_removed(self, db: JsDatabase) -> None:
        (id_,) = await db.call("create", "Person", [person()])
        await db.call("save", "Person", [{"_id": id_, "age": 30}])
        found = await db.call("findByID", "Person", id_)
        assert without_mod(found) == {"_id": id_, "age": 30}

    async def test_instances_are_there_or_not(self, db: JsDatabase) -> None:
        ids = await db.call("create", "Person", [person(), person()])
        assert await db.call("has", "Person", ids) is True
        assert await db.call("has", "Person", []) is True
        await db.call("delete", "Person", ids[:1])
        assert await db.call("has", "Person", ids) is False
        assert await db.call("has", "Person", ids[1:]) is True
        with pytest.raises(PeerError, match=r"^instance not found$"):
            await db.call("findByID", "Person", ids[0])

    async def test_text_of_all_kinds_comes_back(self, db: JsDatabase) -> None:
        texts = ["", "'\"\\\n\t", "<script>&amp;", "\u2028\u2029", "\U0001f680 \u00fc", "\x7f\x00"]
        given = [person(firstName=text, _id=f"{number}") for number, text in enumerate(texts)]
        await db.call("create", "Person", given)
        found = await db.call("find", "Person", {})
        assert [each["firstName"] for each in found] == texts
        ours = await db.pair.ours.threads.find(db.ctx, None, "Person")
        assert [each["firstName"] for each in ours] == texts

    async def test_a_message_over_the_limit_is_refused_with_a_reason(self, db: JsDatabase) -> None:
        with pytest.raises(PeerError, match="received message larger than max"):
            await db.call("create", "Person", [person(firstName="x" * 5_000_000)])

    @pytest.mark.parametrize(
        ("method", "given"),
        [
            ("create", ["Nope", [{}]]), ("save", ["Nope", [{"_id": "a"}]]), ("delete", ["Nope", ["a"]]),
            ("has", ["Nope", ["a"]]), ("find", ["Nope", {}]), ("findByID", ["Nope", "a"]),
            ("verify", ["Nope", [{"_id": "a"}]]), ("getCollectionIndexes", ["Nope"]),
        ],
    )  # fmt: skip
    async def test_a_collection_that_is_not_there(
        self, db: JsDatabase, method: str, given: list[Any]
    ) -> None:
        with pytest.raises(PeerError, match="collection not found"):
            await db.call(method, *given)


async def other_caller(pair: JsPair) -> tuple[PeerObject, str]:
    """Another user of the same key or hub."""
    identity = Identity.generate()
    if pair.key is None:
        context = await pair.js.make("@textile/context", "Context", pair.host)
        client = await pair.js.make(CLIENT, "Client", context)
    else:
        client = await pair.js.call(CLIENT, "Client.withKeyInfo", pair.key, pair.host)
    await client.call("getToken", identity)
    return client, str(identity.public)


class TestFunctions:
    async def test_a_write_validator_decides(self, db: JsDatabase) -> None:
        validator = Function(
            """(writer, event, instance) => {
                // comments are taken out by the client
                var type = event.patch.type
                var patch = event.patch.json_patch
                if (type === 'delete') return instance.firstName !== 'Lucy'
                return patch.age === undefined || patch.age > 20
            }"""
        )
        config = {"name": "Checked", "schema": PERSON, "writeValidator": validator}
        await db.call("newCollection", config)
        ids = await db.call("create", "Checked", [person(), person(firstName="Lucy")])
        with pytest.raises(PeerError, match=r"^app denied net record body$"):
            await db.call("create", "Checked", [person(age=10)])
        with pytest.raises(PeerError, match="app denied net record body"):
            await db.call("verify", "Checked", [person(_id=ids[0], age=10)])
        with pytest.raises(PeerError, match="app denied net record body"):
            await db.call("delete", "Checked", ids)
        await db.call("verify", "Checked", [person(_id=ids[0], age=40)])
        await db.call("delete", "Checked", ids[:1])
        info = await db.call("getCollectionInfo", "Checked")
        assert "event.patch.type" in info["writeValidator"]
        assert "comments" not in info["writeValidator"]

    async def test_a_validator_is_told_who_writes(self, db: JsDatabase) -> None:
        me = str(db.pair.identity.public)
        validator = Function(f"(writer) => {{ return writer === '{me}' }}")
        await db.call("newCollection", {"name": "Mine", "schema": PERSON, "writeValidator": validator})
        await db.call("create", "Mine", [person()])
        other, _ = await other_caller(db.pair)
        with pytest.raises(PeerError, match="app denied net record body"):
            await other.call("create", db.thread, "Mine", [person()])

    async def test_a_read_filter_decides(self, db: JsDatabase) -> None:
        read_filter = Function(
            """(reader, instance) => {
                if (instance.age > 50) return null
                instance.lastName = reader
                return instance
            }"""
        )
        await db.call("newCollection", {"name": "Filtered", "schema": PERSON, "readFilter": read_filter})
        ids = await db.call("create", "Filtered", [person(), person(age=60)])
        (found,) = await db.call("find", "Filtered", {})
        assert (found["_id"], found["lastName"]) == (ids[0], str(db.pair.identity.public))
        assert await db.call("has", "Filtered", ids) is False
        with pytest.raises(PeerError, match="instance not found"):
            await db.call("findByID", "Filtered", ids[1])
        other, key = await other_caller(db.pair)
        assert (await other.call("findByID", db.thread, "Filtered", ids[0]))["lastName"] == key

    async def test_a_function_that_does_not_compile(self, db: JsDatabase) -> None:
        config = {"name": "Broken", "schema": PERSON, "writeValidator": "{ return ) }"}
        with pytest.raises(PeerError, match="compiling js func"):
            await db.call("newCollection", config)


PEOPLE: list[dict[str, Any]] = [
    {"_id": f"{number}", "firstName": f"F{number % 3}", "lastName": f"L{number}", "age": 60 + number % 8,
     "alive": number % 2 == 0}
    for number in range(10, 30)
]  # fmt: skip


@pytest.fixture
async def people(db: JsDatabase) -> JsDatabase:
    schema = {**PERSON, "properties": {**PERSON["properties"], "alive": {"type": "boolean"}}}  # type: ignore[dict-item]
    config = {"name": "People", "schema": schema, "indexes": AGE_INDEX}
    await db.call("newCollection", config)
    await db.call("create", "People", PEOPLE)
    return db


def ids(rows: list[dict[str, Any]]) -> list[str]:
    return [row["_id"] for row in rows]


QUERIES: list[tuple[str, list[list[Any]], list[dict[str, Any]]]] = [
    ("everything", [], PEOPLE),
    ("eq", [["where", "firstName"], ["eq", "F1"]], [p for p in PEOPLE if p["firstName"] == "F1"]),
    ("eq number", [["where", "age"], ["eq", 61]], [p for p in PEOPLE if p["age"] == 61]),
    ("eq bool", [["where", "alive"], ["eq", True]], [p for p in PEOPLE if p["alive"]]),
    ("ne", [["where", "age"], ["ne", 61]], [p for p in PEOPLE if p["age"] != 61]),
    # The client writes "not equal" for gt.
    ("gt", [["where", "age"], ["gt", 61]], [p for p in PEOPLE if p["age"] != 61]),
    ("ge", [["where", "age"], ["ge", 66]], [p for p in PEOPLE if p["age"] >= 66]),
    ("lt", [["where", "age"], ["lt", 62]], [p for p in PEOPLE if p["age"] < 62]),
    ("le", [["where", "age"], ["le", 62]], [p for p in PEOPLE if p["age"] <= 62]),
    (
        "and",
        [["where", "age"], ["ge", 60], ["and", "age"], ["lt", 66], ["and", "firstName"], ["eq", "F0"]],
        [p for p in PEOPLE if 60 <= p["age"] < 66 and p["firstName"] == "F0"],
    ),
    (
        "or",
        [["where", "age"], ["ge", 60], ["and", "age"], ["lt", 61], ["or", [["where", "age"], ["eq", 67]]]],
        [p for p in PEOPLE if p["age"] in (60, 67)],
    ),
    ("by id", [["orderByID"]], PEOPLE),
    ("by id, descending", [["orderByIDDesc"]], PEOPLE[::-1]),
    (
        "by a member",
        [["where", "alive"], ["eq", True], ["orderBy", "lastName"]],
        sorted((p for p in PEOPLE if p["alive"]), key=lambda p: p["lastName"]),
    ),
    ("by a member, descending", [["orderByDesc", "lastName"]], PEOPLE[::-1]),
    ("seek", [["seekID", "20"]], PEOPLE[10:]),
    ("limit", [["orderByID"], ["limitTo", 3]], PEOPLE[:3]),
    ("skip", [["orderByID"], ["skipNum", 15]], PEOPLE[15:]),
    ("skip and limit", [["skipNum", 5], ["limitTo", 3]], PEOPLE[5:8]),
    ("seek, descending", [["orderByIDDesc"], ["seekID", "12"]], PEOPLE[2::-1]),
    (
        "by an index",
        [["where", "age"], ["eq", 61], ["useIndex", "age"]],
        [p for p in PEOPLE if p["age"] == 61],
    ),
    ("by an index that is none", [["where", "age"], ["eq", 61], ["useIndex", "lastName"]], []),
]


class TestQueries:
    @pytest.mark.parametrize(("steps", "expected"), [pytest.param(q, e, id=name) for name, q, e in QUERIES])
    async def test_a_query(
        self, people: JsDatabase, steps: list[list[Any]], expected: list[dict[str, Any]]
    ) -> None:
        found = await people.call("find", "People", Query(steps))
        assert [without_mod(each) for each in found] == expected

    @pytest.mark.parametrize("query", [{}, {"ands": []}, {"ands": None, "ors": None}])
    async def test_plain_objects_are_queries_too(self, people: JsDatabase, query: dict[str, Any]) -> None:
        assert len(await people.call("find", "People", query)) == len(PEOPLE)

    async def test_a_criterion_without_a_value(self, people: JsDatabase) -> None:
        query = {"ands": [{"fieldPath": "age", "operation": 0, "value": {}}]}
        with pytest.raises(PeerError, match="value type should describe exactly one type"):
            await people.call("find", "People", query)

    async def test_sorting_by_what_is_not_there(self, people: JsDatabase) -> None:
        with pytest.raises(PeerError, match="sorting field doesn't correspond to instance type"):
            await people.call("find", "People", Query([["orderBy", "nope"]]))
