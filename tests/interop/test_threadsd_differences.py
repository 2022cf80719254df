"""What our hub answers otherwise than go-threads, on purpose: rows of ``docs/compatibility.md``."""

from __future__ import annotations

import pytest

from tests.interop.both import Answer, Both
from textile_aio._proto.threads import pb
from textile_aio.threads import _methods as methods

pytestmark = pytest.mark.timeout(300)

SCHEMA = b'{"properties":{"_id":{"type":"string"},"name":{"type":"string"}}}'


async def created(both: Both, id_: str) -> tuple[Answer, Answer]:
    instance = f'{{"_id":"{id_}"}}'.encode()
    return await both.answers(methods.CREATE, both.request(pb.CreateRequest, "c", instances=(instance,)))


async def made(both: Both, name: str, **fields: str) -> tuple[Answer, Answer]:
    config = pb.CollectionConfig(name=name, schema=SCHEMA, **fields)  # type: ignore[arg-type]
    request = pb.NewCollectionRequest(db_id=bytes(both.db), config=config)
    return await both.answers(methods.NEW_COLLECTION, request)


async def test_ids_that_are_no_paths(both: Both) -> None:
    await both.collection("c", SCHEMA)
    assert await both.create("c", b'{"_id":"a/b"}')
    for id_ in ("a//b", "/a/b", "a/b/."):
        theirs, ours = await created(both, id_)
        assert theirs == ("UNKNOWN", "can't create already existing instance")
        assert ours == {"instance_i_ds": [id_]}
    get = both.request(pb.FindByIdRequest, "c", instance_id="/a/b")
    theirs, ours = await both.answers(methods.FIND_BY_ID, get)
    assert theirs == {"instance": b'{"_id":"a/b","_mod":0}'}
    assert ours == {"instance": b'{"_id":"/a/b","_mod":0}'}


@pytest.mark.parametrize(
    ("instance", "told"),
    [(b"", "EOF"), (b"{", "unexpected EOF"), (b"1", "invalid instance: missing _id attribute")],
)
async def test_what_is_no_instance_is_refused(both: Both, instance: bytes, told: str) -> None:
    await both.collection("c", SCHEMA)
    _, text = await both.create("c", instance)
    for method, kind in ((methods.SAVE, pb.SaveRequest), (methods.VERIFY, pb.VerifyRequest)):
        theirs, ours = await both.answers(method, both.request(kind, "c", instances=(instance,)))
        assert theirs == ("UNKNOWN", told)
        assert ours == ("UNKNOWN", text)
        assert text.startswith("unmarshaling json instance: ")


async def test_faults_of_additional_properties_come_in_order(both: Both) -> None:
    schema = b'{"properties":{"_id":{"type":"string"}},"additionalProperties":false}'
    await both.collection("c", schema)
    request = both.request(pb.CreateRequest, "c", instances=(b'{"_id":"1","c":1,"a":2,"d":3,"b":4}',))
    theirs, ours = await both.answers(methods.CREATE, request)
    prefix = "instance doesn't correspond to schema: "
    faults = [f"(root): Additional property {name} is not allowed" for name in "cadb"]
    assert ours == ("UNKNOWN", prefix + "; ".join(faults))
    assert sorted(theirs[1].removeprefix(prefix).split("; ")) == sorted(faults)


async def test_a_collection_without_a_name(both: Both) -> None:
    theirs, ours = await made(both, "")
    assert theirs == {}
    assert ours[0] == "UNKNOWN"
    assert ours[1].startswith("name may only contain")


@pytest.mark.parametrize(
    ("body", "is_ours"),
    [
        ("return true; }; function x() {", False),
        ("const a = [1]; return a.length === 1", True),
        ("return `a`", True),
    ],
)
async def test_scripts_that_only_one_of_both_takes(both: Both, body: str, *, is_ours: bool) -> None:
    for kind in ("write_validator", "read_filter"):
        theirs, ours = await made(both, f"c{kind[:4]}", **{kind: body})
        refused = theirs if is_ours else ours
        assert (ours if is_ours else theirs) == {}
        assert refused == ("UNKNOWN", "compiling js func")


@pytest.mark.parametrize(
    "query",
    [
        b'{"ands":[null]}',
        b'{"ands":[{"fieldPath":"name","operation":0,"value":{"string":"x"}}],"ors":[null]}',
        b'{"ands":[{"fieldPath":"name","operation":9,"value":{"string":"x"}}]}',
    ],
)
async def test_queries_that_end_the_process_of_go(both_mortal: Both, query: bytes) -> None:
    both = both_mortal
    await both.collection("c", SCHEMA)
    await both.create("c", b'{"_id":"1","name":"x"}', b'{"_id":"2","name":"y"}')
    theirs, ours = await both.answers(methods.FIND, both.request(pb.FindRequest, "c", query_json=query))
    assert "broke during the call" in theirs[1]
    assert ours[0] == "INVALID_ARGUMENT"
    theirs, ours = await both.answers(methods.HAS, both.request(pb.HasRequest, "c", instance_i_ds=("1",)))
    assert "cannot connect" in theirs[1]
    assert ours == {"exists": True}
