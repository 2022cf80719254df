"""What a class becomes as the definition of a collection, and what its objects become on the way."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from dataclasses import dataclass, field
from typing import Annotated, Any, NewType

import msgspec
import pydantic
import pytest

from tests.threads.typed.classes import BORN, DOCUMENT, PEOPLE, Color, Person, PersonModel, PersonStruct
from textile_aio.errors import InvalidInput, ProtocolError, SchemaViolation
from textile_aio.threaddb.schema import Schema
from textile_aio.threads.typed.codec import codec_of
from textile_aio.threads.typed.markers import Id, Modified
from textile_aio.threads.values import Index

KINDS = pytest.mark.parametrize("kind", PEOPLE, ids=lambda kind: kind.__name__)

PROPERTIES = {
    "_id": {"type": "string"},
    "name": {"type": "string"},
    "born": {"type": "string", "format": "date-time"},
    "age": {"type": "integer"},
    "color": {"type": "string", "enum": ["blue", "red"]},
    "role": {"type": "string", "enum": ["admin", "user"]},
    "tags": {"type": "array", "items": {"type": "string"}},
}
ADDRESS = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "zip": {"type": "string"}},
    "required": ["city"],
}


def bare(schema: Any) -> Any:
    """A schema without what says nothing about documents, and with sets in order."""
    if isinstance(schema, list):
        return sorted(map(bare, schema), key=repr)
    if not isinstance(schema, dict):
        return schema
    return {key: bare(each) for key, each in schema.items() if key not in ("title", "default", "description")}


@KINDS
def test_the_three_kinds_of_classes_give_the_same_schema(kind: type[Any]) -> None:
    schema = codec_of(kind).schema
    assert schema["$schema"] == "http://json-schema.org/draft-04/schema#"
    assert schema["title"] == kind.__name__
    properties = bare(schema["properties"])
    reference = properties.pop("address")["$ref"].rpartition("/")[2]
    assert bare(schema["definitions"])[reference] == ADDRESS
    assert properties.pop("extra")["type"] == "object"
    assert properties == PROPERTIES
    assert sorted(schema["required"]) == ["born", "name"]


@KINDS
def test_indexes_come_from_annotations_also_of_parts(kind: type[Any]) -> None:
    assert codec_of(kind).indexes == (
        Index("address.city"),
        Index("age"),
        Index("color"),
        Index("name", unique=True),
    )


@KINDS
def test_a_hub_keeps_the_schema_to_the_letter(kind: type[Any]) -> None:
    codec = codec_of(kind)
    kept = Schema.parse(json.dumps(codec.schema).encode())
    assert json.loads(kept.text) == codec.schema
    kept.require_id()
    for index in codec.indexes:
        kept.require_indexable(index.path)


@KINDS
def test_objects_are_stored_alike_and_fit_their_schema(kind: type[Any]) -> None:
    codec = codec_of(kind)
    document = codec.dump(PEOPLE[kind])
    assert json.loads(document) == DOCUMENT
    Schema.parse(json.dumps(codec.schema).encode()).check(document)


@KINDS
def test_an_object_comes_back_equal(kind: type[Any]) -> None:
    codec = codec_of(kind)
    stored = {**DOCUMENT, "_id": "01f", "_mod": 1617981234567890123}
    found: Any = codec.load(json.dumps(stored).encode())
    assert type(found) is kind
    assert found.id == "01f"
    assert found.modified == dt.datetime(2021, 4, 9, 15, 13, 54, 567890, tzinfo=dt.UTC)
    assert json.loads(codec.dump(found)) == {**DOCUMENT, "_id": "01f"}


@KINDS
def test_an_id_is_given_to_a_copy(kind: type[Any]) -> None:
    codec = codec_of(kind)
    before = PEOPLE[kind]
    after = codec.with_id(before, "01f")
    assert (before.id, after.id) == ("", "01f")
    assert (after.name, after.born) == (before.name, before.born)
    assert codec.with_id(after, "01f") is after


@KINDS
def test_none_is_kept_by_leaving_the_member_out(kind: type[Any]) -> None:
    codec = codec_of(kind)
    stored = json.loads(codec.dump(kind(name="Al", born=BORN)))
    assert stored.keys() == DOCUMENT.keys() - {"address"}
    found: Any = codec.load(json.dumps(stored).encode())
    assert found.address is None


@KINDS
def test_members_that_the_class_does_not_know_are_not_read(kind: type[Any]) -> None:
    found: Any = codec_of(kind).load(json.dumps({**DOCUMENT, "of another": True}).encode())
    assert not hasattr(found, "of another")


@KINDS
@pytest.mark.parametrize(
    "change",
    [
        {"age": "old"},
        {"age": 1.5},
        {"age": None},
        {"name": None},
        {"color": "green"},
        {"role": "guest"},
        {"born": "yesterday"},
        {"address": "Bern"},
        {"address": {}},
        {"tags": "a"},
        {"tags": [1]},
    ],
    ids=str,
)
def test_a_document_that_does_not_fit_is_named(kind: type[Any], change: dict[str, Any]) -> None:
    stored = json.dumps({**DOCUMENT, "_id": "01f", **change}).encode()
    with pytest.raises(SchemaViolation, match=f"the document is no {kind.__name__}") as caught:
        codec_of(kind).load(stored)
    assert caught.value.about == "01f"
    assert next(iter(change)) in str(caught.value)


@KINDS
def test_what_is_no_document_is_told(kind: type[Any]) -> None:
    with pytest.raises(SchemaViolation):
        codec_of(kind).load(b"[]")
    with pytest.raises(ProtocolError):
        codec_of(kind).load(b"{")


def test_an_object_of_another_class_is_refused() -> None:
    @dataclass(frozen=True)
    class Employee(Person):
        pay: int = 0

    others: list[Any] = [Employee("Al", BORN), PEOPLE[PersonModel], {"name": "Al"}]
    for other in others:
        with pytest.raises(InvalidInput, match="the collection is one of Person"):
            codec_of(Person).dump(other)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"age": "old"}, "age: a whole number is needed, not str"),
        ({"age": True}, "age: a whole number is needed, not bool"),
        ({"born": dt.datetime(2020, 1, 1)}, "born: a moment needs a time zone"),  # noqa: DTZ001
        ({"color": "blue"}, "color: Color is needed, not str"),
        ({"role": "guest"}, "role: 'guest' is none of 'user', 'admin'"),
        ({"tags": ["a", 2]}, r"tags\[1\]: text is needed, not int"),
        ({"address": "Bern"}, "address: Address is needed, not str"),
        ({"extra": {"x": {1, 2}}}, "JSON has no set"),
        ({"extra": {"x": [None]}}, "extra.x: hubs drop null from lists"),
        ({"extra": {"x": float("nan")}}, "JSON has no nan"),
        ({"name": "\ud800"}, "not valid Unicode"),
    ],
    ids=str,
)
def test_a_dataclass_is_checked_when_it_is_sent(change: dict[str, Any], match: str) -> None:
    wrong = dataclasses.replace(PEOPLE[Person], **change)
    with pytest.raises(InvalidInput, match=match):
        codec_of(Person).dump(wrong)


def test_models_and_structs_are_checked_when_they_are_sent() -> None:
    with pytest.raises(InvalidInput, match="age"):
        codec_of(PersonModel).dump(PersonModel.model_construct(name="Al", born=BORN, age="old"))
    with pytest.raises(InvalidInput, match="age"):
        codec_of(PersonStruct).dump(PersonStruct("Al", BORN, "old"))  # type: ignore[arg-type]


PersonId = NewType("PersonId", str)


@dataclass
class Marked:
    code: Annotated[str, Id()]
    id: int = 0


@dataclass
class Underscored:
    name: str
    _id: str = ""
    _mod: int = 0


@dataclass
class Optionally:
    id: str | None = None


@dataclass
class Renamed:
    id: PersonId = PersonId("")


@dataclass
class Derived:
    name: str
    id: str = field(default="", init=False)


class AliasedModel(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    key: str = pydantic.Field(default="", alias="_id")


class RenamedStruct(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    the_key: Annotated[str, Id()] = ""
    last_written: Annotated[int, Modified()] = 0


@pydantic.dataclasses.dataclass(frozen=True)
class PydanticDataclass:
    name: str
    id: str = ""


@pytest.mark.parametrize(
    ("instance", "attribute"),
    [
        (Marked("ch", 7), "code"),
        (Underscored("a"), "_id"),
        (Optionally(), "id"),
        (Renamed(), "id"),
        (Derived("a"), "id"),
        (AliasedModel(), "key"),
        (RenamedStruct(), "the_key"),
        (PydanticDataclass("a"), "id"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_field_with_the_id_is_found(instance: Any, attribute: str) -> None:
    codec: Any = codec_of(type(instance))
    assert codec.schema["properties"]["_id"] == {"type": "string"}
    assert "_mod" not in codec.schema["properties"]
    assert attribute not in codec.schema["properties"].keys() - {"_id"}
    assert "_id" not in codec.schema.get("required", ())
    created = codec.with_id(instance, "ch" if attribute == "code" else "01f")
    assert getattr(created, attribute) == codec.id_of(created) != ""
    stored = json.loads(codec.dump(created))
    assert stored["_id"] == codec.id_of(created)
    assert "_mod" not in stored
    back = codec.load(json.dumps({**stored, "_mod": 5}).encode())
    assert codec.id_of(back) == codec.id_of(created)
    Schema.parse(json.dumps(codec.schema).encode()).check(codec.dump(back))


def test_the_time_of_the_last_write_is_a_number_or_a_moment() -> None:
    read: Any = codec_of(RenamedStruct).load(b'{"_id":"a","_mod":1617981234567890123}')
    assert read.last_written == 1617981234567890123
    plain = codec_of(Underscored).load(b'{"_id":"a","name":"b","_mod":7}')
    assert plain == Underscored("b", "a", 7)
    assert json.loads(codec_of(Underscored).dump(plain)) == {"_id": "a", "name": "b"}


@dataclass
class NoId:
    name: str


@dataclass
class NumberId:
    id: int = 0


@dataclass
class TwoIds:
    one: Annotated[str, Id()] = ""
    two: Annotated[str, Id()] = ""


@dataclass
class ModifiedText:
    id: str = ""
    modified: Annotated[str, Modified()] = ""


@dataclass
class ModifiedRequired:
    modified: Annotated[int, Modified()]
    id: str = ""


@dataclass
class MarkerClass:
    id: Annotated[str, Id] = ""


class Rooted(pydantic.RootModel[list[str]]):
    @property
    def id(self) -> str:
        return ""


class Arrayed(msgspec.Struct, array_like=True):
    id: str = ""


@pytest.mark.parametrize(
    ("kind", "match"),
    [
        (NoId, "NoId has no field for the id of an instance; add one"),
        (NumberId, "NumberId.id is the id of an instance, and ids are text"),
        (TwoIds, "several fields that are marked as the id"),
        (ModifiedText, "ModifiedText.modified shows the time of the last write"),
        (ModifiedRequired, "give it a default"),
        (MarkerClass, "MarkerClass.id is annotated with a class; write Id"),
        (Rooted, "has no field for the id"),
        (Arrayed, "no object in JSON"),
        (dict, "a typed collection is one of a dataclass"),
        (Person("a", BORN), "a typed collection is one of a dataclass"),
        (None, "a typed collection is one of a dataclass"),
        (Color, "a typed collection is one of a dataclass"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_class_that_cannot_be_that_of_a_collection_is_refused(kind: Any, match: str) -> None:
    with pytest.raises(InvalidInput, match=match):
        codec_of(kind)
