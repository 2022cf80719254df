"""What a server of go-threads and our hub answer alike, call by call."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from tests.interop.both import Both
from textile_aio import ThreadID
from textile_aio._proto.threads import pb
from textile_aio.threads import _methods as methods

pytestmark = pytest.mark.timeout(300)

ID = '"_id":{"type":"string"}'
PERSON = (
    b'{"properties":{"_id":{"type":"string"},"age":{"type":"integer"},"name":{"type":"string"},'
    b'"n":{"type":"integer"},"score":{"type":"number"},"ok":{"type":"boolean"},'
    b'"in":{"type":"object","properties":{"a":{"type":"integer"}}},'
    b'"l":{"type":"array","items":{"type":"string"}},"r":{"$ref":"#/definitions/q"}},'
    b'"definitions":{"q":{"type":"object","properties":{"z":{"type":"string"}}}}}'
)

NO_SCHEMAS = ["", "{", "[]", "null", "1", "true", "false", '"x"', '{"properties":[]}', '{"required":"a"}']
SCHEMAS = [
    "{}",
    '{"type":"object"}',
    '{"type":"objekt"}',
    '{"type":["object","null"]}',
    '{"enum":[]}',
    '{"additionalProperties":1}',
    ' { "b" : 1, "a":[ 1.0, 1e3 ] , "type":"object","properties":{"_id":{"type":"string"}}}',
    '{"properties":{"_id":{"type":"integer"}}}',
    '{"properties":{"name":{"type":"string"}}}',
    f'{{"properties":{{{ID},"age":{{"type":"integer","minimum":3}}}},"required":["age"]}}',
    '{"$ref":"#/definitions/p","definitions":{"p":{"properties":{"_id":{"type":"string"},"n":{"type":"number"}}}}}',
    (
        f'{{"properties":{{{ID},"e":{{"enum":["a",1,null]}},"p":{{"pattern":"^a+$"}},"f":{{"format":"email"}},'
        '"l":{"type":"array","items":{"type":"integer"},"minItems":1,"maxItems":2,"uniqueItems":true},'
        '"s":{"minLength":2,"maxLength":3},"m":{"multipleOf":2},"n":{"not":{"type":"string"}},'
        '"o":{"oneOf":[{"type":"string"},{"minLength":2}]},"y":{"anyOf":[{"type":"string"},{"type":"null"}]},'
        '"z":{"allOf":[{"type":"string"},{"minLength":2}]}}}'
    ),
    f'{{"properties":{{{ID},"m":{{"multipleOf":0.5}}}}}}',
    f'{{"properties":{{{ID},"x":{{"exclusiveMinimum":3}}}}}}',
    f'{{"properties":{{{ID},"x":{{"exclusiveMinimum":true,"minimum":3}}}}}}',
    f'{{"properties":{{{ID}}},"$schema":"http://json-schema.org/draft-04/schema#"}}',
    f'{{"properties":{{{ID}}},"minProperties":3,"maxProperties":1}}',
    f'{{"properties":{{{ID}}},"minProperties":3}}',
    f'{{"properties":{{{ID}}},"patternProperties":{{"^q":{{"type":"string"}}}}}}',
    f'{{"properties":{{{ID}}},"if":{{"required":["a"]}},"then":{{"required":["b"]}}}}',
    f'{{"properties":{{{ID},"ü<>&":{{"type":"string","description":"\\u2028"}}}}}}',
    f'{{"properties":{{{ID},"x":{{"pattern":"("}}}}}}',
    f'{{"properties":{{{ID},"x":{{"minLength":-1}}}}}}',
    f'{{"properties":{{{ID},"x":{{"$ref":"#/nowhere"}}}}}}',
    f'{{"big":12345678901234567890,"f":1.10,"e":1E5,"properties":{{{ID}}}}}',
    f'{{"properties":{{{ID},"d":{{"format":"date-time"}},"u":{{"format":"uri"}},"i":{{"format":"ipv4"}}}}}}',
]
FIELDS = [
    '"age":4', '"age":1', '"age":"x"', '"n":1,"z":2', '"e":"b"', '"p":"b"', '"f":"nope"', '"l":[]',
    '"l":[1,1,1]',
    '"l":["a"]', '"s":"a"', '"s":"abcd"', '"m":3', '"n":"s"', '"o":"ab"', '"o":5', '"y":5', '"z":"a"',
    '"x":3', '"x":2.5', '"a":1', '"q":1', '"d":"x"', '"d":"2020-01-01T00:00:00Z"',
    '"u":"x y"', '"i":"300.1.1.1"',
    '"c":1,"b":2,"a":0', '"_mod":"x"', '"_mod":7', '"a":1,"a":2', '"a":1e2,"b":1.50,"c":-0.0,"t":"\\u003c<"',
]  # fmt: skip
INDEXES = [
    [""], ["_id"], ["name", "name"], ["nope"], ["in"], ["in.a"], ["in.b"], ["l"], ["l.0"], ["r"], ["r.z"],
    ["name", "age"], ["_mod"], ["name.x"], ["."], ["in."], ["..a"], ["age", "_id"],
]  # fmt: skip


@pytest.mark.parametrize("schema", [*NO_SCHEMAS, *SCHEMAS])
async def test_schemas_are_kept_alike(both: Both, schema: str) -> None:
    await both.collection("c", schema.encode())
    await both.same(methods.GET_COLLECTION_INFO, pb.GetCollectionInfoRequest(db_id=bytes(both.db), name="c"))


async def test_instances_are_checked_alike(both: Both) -> None:
    for number, schema in enumerate(SCHEMAS):
        name = f"c{number}"
        if await both.collection(name, schema.encode()):
            continue
        for count, fields in enumerate(FIELDS):
            instance = f'{{"_id":"{count:02}",{fields}}}'.encode()
            await both.create(name, instance)
            await both.verify(name, instance)
        await both.save(name, b'{"_id":5}')
        await both.save(name, b"{}")
        await both.find(name)


@pytest.mark.parametrize("is_indexed", [False, True], ids=["plain", "indexed"])
@pytest.mark.parametrize("seed", range(3))
async def test_queries_find_the_same(both: Both, seed: int, *, is_indexed: bool) -> None:
    """Over documents that all have the same fields, for which the reference is right."""
    drawn = random.Random(seed)
    indexes = [pb.Index(path=path) for path in ("age", "name", "in.a", "score", "ok")]
    unique = [pb.Index(path="n", unique=True)]
    assert await both.collection("c", PERSON, indexes=indexes + unique if is_indexed else []) == {}
    documents = [
        {
            "_id": f"{number:02}",
            "n": number * 7 % 40,
            "name": drawn.choice(["ann", "bob", "Ann", "", "zoë", "b"]),
            "age": drawn.randrange(-3, 8),
            "score": drawn.choice([0.5, 1, -2.25, 1e10, 3, 0]),
            "ok": drawn.random() < 0.5,
            "in": {"a": drawn.randrange(4), "b": {"c": "x"}},
        }
        for number in range(40)
    ]
    await both.create("c", *(json.dumps(document).encode() for document in documents))
    for _ in range(150):
        query = random_query(drawn, 2)
        kind = drawn.random()
        if kind < 0.3:
            query["sort"] = {"fieldPath": "n", "desc": drawn.random() < 0.5}
        else:
            if kind < 0.5:
                query["sort"] = {"fieldPath": "_id"}
            if drawn.random() < 0.4:
                query["limit"] = drawn.randrange(1, 10)
                query["skip"] = drawn.randrange(10)
        if drawn.random() < 0.1:
            query["seek"] = f"{drawn.randrange(41):02}"
        await both.find("c", json.dumps(query).encode())


def random_query(drawn: random.Random, depth: int) -> dict[str, Any]:
    values: dict[str, Any] = {
        "_id": lambda: {"string": f"{drawn.randrange(42):02}"},
        "name": lambda: {"string": drawn.choice(["ann", "bob", "Ann", "", "zoë", "c"])},
        "age": lambda: {"float": drawn.choice([drawn.randrange(-3, 9), 2.5])},
        "in.a": lambda: {"float": drawn.randrange(5)},
        "n": lambda: {"float": drawn.randrange(40)},
        "score": lambda: {"float": drawn.choice([0.5, 1, -2.25, 1e10, 0.7])},
        "ok": lambda: {"bool": drawn.random() < 0.5},
        "in.b.c": lambda: {"string": drawn.choice("xy")},
    }
    query: dict[str, Any] = {"ands": []}
    for _ in range(drawn.randrange(0 if depth else 1, 3)):
        path = drawn.choice(list(values))
        operation = drawn.randrange(2 if path == "ok" else 6)
        query["ands"].append({"fieldPath": path, "operation": operation, "value": values[path]()})
    if depth and drawn.random() < 0.4:
        query["ors"] = [random_query(drawn, depth - 1) for _ in range(drawn.randrange(1, 3))]
    return query


@pytest.mark.parametrize(
    "query",
    [
        "", "{", "[]", "1", "null", '""', "{}x", '{"ands":1}', '{"ands":[1]}', '{"ands":[{}]}',
        '{"ands":null}',
        '{"ors":[{}]}', '{"sort":{}}', '{"sort":{"fieldPath":"nope"}}', '{"sort":1}', '{"index":"nope"}',
        '{"index":1}', '{"limit":-1}', '{"limit":1.5}', '{"limit":"1"}', '{"skip":-1}', '{"seek":1}',
        '{"seek":"zz"}', '{"bogus":1}', '{"Ands":[{"FieldPath":"n","Operation":0,"Value":{"Float":7}}]}',
        '{"ands":[{"fieldPath":"n","operation":"0"}]}',
        '{"ands":[{"fieldPath":"n","operation":0,"value":{}}]}',
        '{"ands":[{"fieldPath":"n","operation":0}]}', '{"ands":[{"fieldPath":"n","operation":0,"value":1}]}',
        '{"ands":[{"fieldPath":"n","operation":0,"value":{"float":7,"string":"x"}}]}',
        '{"ands":[{"fieldPath":"n","operation":0,"value":{"string":"x","bool":true}}]}',
        '{"ands":[{"fieldPath":"name","operation":0,"value":{"float":7}}]}',
        '{"ands":[{"fieldPath":"ok","operation":2,"value":{"bool":true}}]}',
        '{"ands":[{"fieldPath":"","operation":0,"value":{"string":"x"}}]}',
        '{"ands":[{"fieldPath":"in","operation":0,"value":{"string":"x"}}]}',
        '{"ands":[{"fieldPath":"in.z","operation":0,"value":{"string":"x"}}]}',
    ],
)  # fmt: skip
async def test_odd_queries_get_the_same_answer(both: Both, query: str) -> None:
    await both.collection("c", PERSON)
    for number in range(3):
        document = {"_id": f"{number}", "n": 7 * number, "name": "x", "ok": True, "in": {"a": 1}}
        await both.create("c", json.dumps(document).encode())
    await both.find("c", query.encode())


@pytest.mark.parametrize("read_filter", ["", "delete instance.a; return instance"])
async def test_saves_leave_the_same(both: Both, read_filter: str) -> None:
    drawn = random.Random(5)
    assert await both.collection("c", f'{{"properties":{{{ID}}}}}'.encode(), read_filter=read_filter) == {}
    for number in range(100):
        id_ = f"{number:03}"
        for turn in range(3):
            fields = {name: random_value(drawn, 2) for name in drawn.sample("abcde", drawn.randrange(6))}
            text = json.dumps({**fields, "_id": id_}, ensure_ascii=drawn.random() < 0.5).encode()
            await (both.save("c", text) if turn else both.create("c", text))
            await both.find_by_id("c", id_)
        await both.has("c", id_, "no")
    await both.find("c")


def random_value(drawn: random.Random, depth: int) -> Any:
    kind = drawn.random()
    if depth and kind < 0.3:
        return {drawn.choice("abcdé<"): random_value(drawn, depth - 1) for _ in range(drawn.randrange(4))}
    if depth and kind < 0.45:
        return [random_value(drawn, depth - 1) for _ in range(drawn.randrange(4))]
    # Without quotes, which upstream's filters cannot pass on.
    return drawn.choice([None, True, False, 0, 1, -1, 1.5, 1e21, 1e-7, 12345678, "", "x", "ü<&>", [], {}])


DOCUMENTS = [b'{"_id":"1","name":"x","age":1}', b'{"_id":"2","name":"y","age":3}', b'{"_id":"3"}']


@pytest.mark.parametrize(
    "body",
    [
        "return true", "return false", "", "return 'no'", "return undefined", "return", "return null",
        "return 0",
        "return 1", "return {}", "throw new Error('x')", "throw 'x'", "return writer",
        "return event.patch.type",
        "return event.collection_name + event.patch.instance_id",
        "return JSON.stringify(event.patch.json_patch)",
        "return JSON.stringify(instance)", "if (event.patch.type === 'delete') { return false }; return true",
        "return instance.name == 'x'", "return nope()", "syntax (", "return [1]", "return NaN", "return ''",
        "return -1", "return typeof instance", "return Object.keys(event).sort().join()",
    ],
)  # fmt: skip
async def test_validators_decide_alike(both: Both, body: str) -> None:
    if await both.collection("c", PERSON, write_validator=body):
        return
    for document in DOCUMENTS:
        await both.create("c", document)
        await both.verify("c", document)
        await both.save("c", document)
    await both.delete("c", "2", "nope")
    await both.find("c")
    for validator in ("", body):
        config = pb.CollectionConfig(name="c", schema=PERSON, write_validator=validator)
        update = pb.UpdateCollectionRequest(db_id=bytes(both.db), config=config)
        assert await both.same(methods.UPDATE_COLLECTION, update) == {}
        for document in DOCUMENTS:
            await both.save("c", document.replace(b"{", b'{"k":1,'))
    await both.delete("c", "1")
    await both.find("c")


@pytest.mark.parametrize(
    "body",
    [
        "return instance", "return null", "return undefined", "return false", "return true", "", "return 1",
        "return 'x'", "return {}", "return {_id: '9'}", "instance.name = 'zz'; return instance",
        "delete instance.name; return instance", "if (instance.age > 2) return null; return instance",
        "throw new Error('x')", "throw {}", "return [instance]", "return reader", "syntax (", "return nope",
        "instance.x = undefined; instance.z = null; return instance",
        "instance.f = 1.50; instance.g = 1e21; instance.q = {b: 1, a: 2}; return instance",
    ],
)  # fmt: skip
async def test_filters_show_the_same(both: Both, body: str) -> None:
    if await both.collection("c", PERSON, read_filter=body):
        return
    await both.create("c", *DOCUMENTS)
    for id_ in "123x":
        await both.find_by_id("c", id_)
        await both.has("c", id_)
    for query in (
        b"{}", b'{"limit":1}', b'{"limit":1,"skip":1}',
        b'{"ands":[{"fieldPath":"name","operation":0,"value":{"string":"zz"}}]}',
    ):  # fmt: skip
        await both.find("c", query)
    for document in DOCUMENTS:
        await both.verify("c", document)
        await both.save("c", document.replace(b"{", b'{"k":1,'))
    await both.find("c")


async def test_collections_have_the_same_rules(both: Both) -> None:
    for name in ("a", "A-b", "a b", "a_b", "-a", "a-", "é", "a" * 300, "a.b", "a/b", "0", "a", "a--b", "_a"):
        await both.collection(name, PERSON)
    for number, paths in enumerate(INDEXES):
        for is_unique in (False, True):
            name = f"i{number}{is_unique}"
            await both.collection(
                name, PERSON, indexes=[pb.Index(path=path, unique=is_unique) for path in paths]
            )
            await both.same(
                methods.GET_COLLECTION_INDEXES,
                pb.GetCollectionIndexesRequest(db_id=bytes(both.db), name=name),
            )
    for config in (
        pb.CollectionConfig(name="a", schema=PERSON, indexes=[pb.Index(path="name", unique=True)]),
        pb.CollectionConfig(name="a", schema=PERSON, indexes=[pb.Index(path="nope")]),
        pb.CollectionConfig(name="nope", schema=PERSON),
        pb.CollectionConfig(name="a", schema=b"{}"),
        pb.CollectionConfig(name="a", schema=PERSON, read_filter="("),
    ):
        await both.same(
            methods.UPDATE_COLLECTION, pb.UpdateCollectionRequest(db_id=bytes(both.db), config=config)
        )
    for name in ("nope", "a b", "A-b"):
        await both.same(
            methods.DELETE_COLLECTION, pb.DeleteCollectionRequest(db_id=bytes(both.db), name=name)
        )
        await both.find(name)
        await both.create(name, b"{}")
        await both.save(name, b"{}")
        await both.delete(name, "x")
        await both.has(name, "x")
        await both.find_by_id(name, "x")
        await both.transaction(name)


def item(id_: str, **fields: Any) -> bytes:
    return json.dumps({"_id": id_, **fields}).encode()


async def test_transactions_go_alike(both: Both) -> None:
    await both.collection("c", PERSON, indexes=[pb.Index(path="name", unique=True)])

    def create(*given: bytes) -> Any:
        return both.request(pb.CreateRequest, "c", instances=given)

    def save(*given: bytes) -> Any:
        return both.request(pb.SaveRequest, "c", instances=given)

    def delete(*ids: str) -> Any:
        return both.request(pb.DeleteRequest, "c", instance_i_ds=ids)

    def find(query: bytes = b"{}") -> Any:
        return both.request(pb.FindRequest, "c", query_json=query)

    has = both.request(pb.HasRequest, "c", instance_i_ds=("1",))
    get = both.request(pb.FindByIdRequest, "c", instance_id="1")
    discard = pb.DiscardRequest()
    for steps in (
        (),
        (create(), save(), delete()),
        (create(item("1", name="a")), has, find(), get),
        (create(item("1", name="q")),),
        (create(item("2", name="a")),),
        (create(item("2", name="b")), create(item("2", name="c"))),
        (save(item("1", name="a", age=5)), get, delete("1"), has),
        (delete("nope"), find(b"{"), find(b'{"index":"nope"}')),
        (create(b"{"), create(item("3", name="d"))),
        (create(item("4", name=5)), save(b"{}"), both.request(pb.VerifyRequest, "c", instances=(b"{}",))),
        (create(item("5", name="e")), discard),
        (discard, discard),
        (create(item("7", name="g")), delete("7")),
        (create(item("8", name="h")), save(item("8", name="i"))),
        (create(item("10", name="k"), item("10", name="l")),),
        (create(item("11", name="m"), item("12", name="m")),),
        (both.request(pb.CreateRequest, "other", instances=(item("z"),)),),
    ):
        await both.transaction("c", *steps)
        await both.find("c")


async def test_databases_and_ids_have_the_same_rules(both: Both) -> None:
    known = bytes(both.db)
    for id_ in (
        b"",
        b"\x00",
        b"\x01",
        b"\x01\x55",
        bytes(ThreadID.random()),
        b"\x02\x55" + known[2:],
        known[:20],
    ):
        await both.same(methods.GET_DB_INFO, pb.GetDbInfoRequest(db_id=id_))
        await both.same(methods.LIST_COLLECTIONS, pb.ListCollectionsRequest(db_id=id_))
        await both.same(methods.FIND, pb.FindRequest(db_id=id_))
        await both.same(methods.DELETE_DB, pb.DeleteDbRequest(db_id=id_))
    for id_ in (b"", b"\x01\x55", b"\x02\x55" + known[2:], known):
        await both.same(methods.NEW_DB, pb.NewDbRequest(db_id=id_))
    fields: list[dict[str, Any]] = [
        *({"key": key} for key in (b"x", bytes(32), bytes(44), b"a" * 64, b"a" * 88)),
        *({"log_key": key} for key in (b"x", b"a" * 32, b"a" * 36)),
        *({"name": name} for name in ("a b", "a_b", "é", "-")),
    ]
    for given in fields:
        await both.same(methods.NEW_DB, pb.NewDbRequest(db_id=bytes(ThreadID.random()), **given))
