"""Documents on their way out and in: what is taken, what is refused, and what comes of it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Annotated, Any, TypedDict

import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textile_aio.errors import InvalidInput, ProtocolError, SchemaViolation
from textile_aio.threads.decoding import decode, decode_as, reader
from textile_aio.threads.documents import encode, encode_all

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=4), inner, max_size=4)
    ),
    max_leaves=20,
)
OBJECTS = st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=4), JSON, max_size=5)


class Colour(Enum):
    RED = "red"


class Shape(StrEnum):
    ROUND = "round"


@dataclass
class Part:
    name: str
    weight: float = 1.0


@dataclass
class Thing:
    _id: str
    parts: list[Part]
    main: Part | None = None
    colour: Colour = Colour.RED
    by_name: dict[str, Part] = field(default_factory=dict)
    pair: tuple[int, str] = (1, "a")
    rated: Annotated[float, "stars"] = 0.0


class Model(pydantic.BaseModel):
    id: str = pydantic.Field("", alias="_id")
    at: datetime = datetime(2024, 1, 2, tzinfo=UTC)


class Struct(msgspec.Struct):
    id: str = msgspec.field(default="", name="_id")
    at: datetime = datetime(2024, 1, 2, tzinfo=UTC)
    counts: dict[int, int] = msgspec.field(default_factory=dict)


class Person(TypedDict):
    name: str


@given(OBJECTS)
def test_what_json_can_say_comes_back_as_it_was(document: dict[str, Any]) -> None:
    before = repr(document)
    sent = encode(document)
    assert decode(sent) == json.loads(sent) == document
    assert repr(document) == before


def test_the_text_is_compact_and_not_escaped() -> None:
    assert encode({"a": [1, 2.5, None, True], "ż": "<🐢>"}) == '{"a":[1,2.5,null,true],"ż":"<🐢>"}'.encode()


def test_bytes_are_sent_as_they_are() -> None:
    for data in (b'{ "a" : 1 }', bytearray(b"{}"), memoryview(b"no json")):
        assert encode(data) == bytes(data)


def test_dataclasses_models_and_structs_go_out_and_come_back() -> None:
    thing = Thing("x", [Part("p")], Part("q", 2.0), by_name={"r": Part("r")}, pair=(2, "b"), rated=4)
    for value in (thing, Model(_id="m"), Struct(id="s", counts={1: 2})):
        data = encode(value)
        assert decode_as(data, type(value)) == value
        assert "_id" in json.loads(data)
    assert json.loads(encode(Model(_id="m"))) == {"_id": "m", "at": "2024-01-02T00:00:00Z"}


def test_they_may_be_parts_of_one_another() -> None:
    document = {"thing": Thing("x", []), "model": Model(_id="m"), "struct": Struct(), "shape": Shape.ROUND}
    sent = json.loads(encode(document))
    assert (sent["thing"]["colour"], sent["model"]["_id"], sent["struct"]["_id"]) == ("red", "m", "")
    assert sent["shape"] == "round"


@pytest.mark.parametrize(
    ("document", "where", "reason"),
    [
        ({"a": float("nan")}, "a", "nan"),
        ({"a": [1, {"b": float("inf")}]}, "a[1].b", "inf"),
        ({"a": 2**64}, "a", "64 bits"),
        ({"a": -(2**63) - 1}, "a", "64 bits"),
        ({"a": {1: 2}}, "a", "key 1 is not text"),
        ({"a": {"b": datetime(2024, 1, 1, tzinfo=UTC)}}, "a.b", "isoformat"),
        ({"a": b"x"}, "a", "base64"),
        ({"a": {1, 2}}, "a", "use a list"),
        ({"a": (1, Decimal(1))}, "a[1]", "Decimal"),
        ({"a": "\ud800"}, "a", "Unicode"),
        ({"a": Part}, "a", "is a class"),
        ({"a": object()}, "a", "object"),
        (Thing("x", [Part("p", float("nan"))]), "parts[0].weight", "nan"),
        (Struct(id="\udfff"), "_id", "Unicode"),
    ],
)
def test_what_json_cannot_say_is_refused_with_its_path(document: Any, where: str, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason) as caught:
        encode(document)
    assert caught.value.about == where
    assert repr(where) in caught.value.message


def test_a_model_with_a_number_that_is_none_is_refused() -> None:
    class Measured(pydantic.BaseModel):
        value: float

    with pytest.raises(InvalidInput, match="nan"):
        encode(Measured(value=float("nan")))


def test_keys_that_are_no_text_are_refused_at_the_top_as_well() -> None:
    for document in ({1: 2}, {None: 1}, {"\ud800": 1}):
        with pytest.raises(InvalidInput):
            encode(document)


@pytest.mark.parametrize("value", ["{}", 1, None, [{}], Part, object()])
def test_what_is_no_document_is_refused(value: Any) -> None:
    with pytest.raises(InvalidInput):
        encode(value)


def test_a_document_that_contains_itself_is_refused() -> None:
    loop: dict[str, Any] = {}
    loop["a"] = [loop]
    with pytest.raises(InvalidInput, match="contains itself"):
        encode(loop)


@pytest.mark.parametrize("value", [{"a": 1}, b"{}", "{}", 5, None])
def test_a_single_document_is_not_taken_for_several(value: Any) -> None:
    with pytest.raises(InvalidInput, match="list"):
        encode_all(value)


def test_documents_come_from_any_iterable() -> None:
    assert encode_all({"n": n} for n in range(2)) == [b'{"n":0}', b'{"n":1}']


def test_members_that_a_type_does_not_know_are_left_out() -> None:
    data = b'{"_id":"x","name":"p","weight":3,"_mod":1617981234567890123}'
    assert decode_as(data, Part) == Part("p", 3.0)
    assert decode(data)["_mod"] == 1617981234567890123


def test_dictionaries_and_bytes_are_types_as_well() -> None:
    assert decode_as(b'{"name":1}', dict) == {"name": 1}
    assert decode_as(b'{"name": 1}', bytes) == b'{"name": 1}'
    assert decode_as(b'{"name":"x"}', Person) == {"name": "x"}


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b'{"weight":1}', Part),
        (b'{"_id":"x","parts":[1]}', Thing),
        (b'{"_id":"x","parts":[],"colour":"blue"}', Thing),
        (b'{"_id":"x","parts":[],"pair":[1,2,3]}', Thing),
        (b'{"_id":1}', Model),
        (b'{"_id":"x","at":"never"}', Struct),
        (b'"text"', Part),
        (b"[]", Struct),
    ],
)
def test_a_document_that_does_not_fit_the_type_is_named(data: bytes, kind: type[Any]) -> None:
    with pytest.raises(SchemaViolation, match=kind.__name__):
        decode_as(data, kind)


@pytest.mark.parametrize("kind", [int, list, list[Part], "Part", object])
def test_a_type_that_no_document_becomes_is_refused_before_anything_is_asked(kind: Any) -> None:
    with pytest.raises(InvalidInput, match="documents are given as"):
        reader(kind)


def test_what_is_no_json_is_the_hubs_fault() -> None:
    for data in (b"", b"{", b"\xff", b"[" * 100_000):
        with pytest.raises(ProtocolError):
            decode(data)


def test_no_library_of_types_is_needed() -> None:
    code = (
        "import sys; sys.modules.update(pydantic=None, msgspec=None)\n"
        "from dataclasses import make_dataclass\n"
        "from textile_aio.threads.decoding import decode_as\n"
        "from textile_aio.threads.documents import encode\n"
        "A = make_dataclass('A', [('a', 'int')]); print(decode_as(encode(A(1)), A))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "A(a=1)"
