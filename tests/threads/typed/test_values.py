"""Types of fields: what each becomes in JSON, that it comes back the same, and which are refused."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, make_dataclass
from decimal import Decimal
from enum import Enum, IntEnum, IntFlag, StrEnum
from ipaddress import IPv4Address
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple, NewType, Optional, TypedDict, Union
from uuid import UUID

import msgspec
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textile_aio.errors import InvalidInput, SchemaViolation
from textile_aio.identity import Identity, PublicKey
from textile_aio.ids import Cid, ThreadID
from textile_aio.threaddb.schema import Schema
from textile_aio.threads.typed.codec import Codec, codec_of
from textile_aio.threads.typed.markers import Alias
from textile_aio.threads.typed.scalars import rfc3339
from textile_aio.threads.values import Index


class Plain(Enum):
    A = "a"
    TWO = 2
    YES = True


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Word(StrEnum):
    UP = "up"


class Typed(TypedDict):
    a: int


class Flags(IntFlag):
    R = 1
    W = 2


@dataclass(frozen=True)
class Point:
    x: int
    y: Annotated[float, Alias("Y")] = 0.0


@dataclass(frozen=True)
class Circle:
    kind: Literal["circle"]
    r: float


@dataclass(frozen=True)
class Square:
    kind: Literal["square", "box"]
    side: float


@dataclass(frozen=True)
class Tree:
    name: str
    children: tuple[Tree, ...] = ()


class Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True)

    when: dt.datetime | None = None
    nested: list[Model] = []


class Struct(msgspec.Struct, frozen=True):
    day: dt.date
    raw: bytes = b""


Name = NewType("Name", str)
Nothing: Any = object()
ZONE = dt.timezone(dt.timedelta(hours=2))
KEY = Identity.from_seed(bytes(32)).public
THREAD = ThreadID.from_bytes(b"\x01\x55" + bytes(32))
CID = Cid.sha256(0x55, bytes(32))


def holding(hint: Any) -> Codec[Any]:
    """The codec of a class with a field ``value`` of a type."""
    return codec_of(make_dataclass("Holder", [("value", hint), ("id", str, "")], frozen=True))


def stored(codec: Codec[Any], value: Any) -> Any:
    """What a value is in JSON; the document has to fit the schema, and give the value back."""
    instance = codec.kind(value)
    document = codec.dump(instance)
    Schema.parse(json.dumps(codec.schema).encode()).check(document)
    assert codec.load(document) == instance
    return json.loads(document).get("value", Nothing)


def _name(value: object) -> str:
    """The same in every process, so that tests can be shared out."""
    if isinstance(value, set | frozenset):
        return str(sorted(value, key=str))
    return "object" if type(value) is object else str(value)


@pytest.mark.parametrize(
    ("hint", "value", "plain"),
    [
        (str, "ä\n", "ä\n"),
        (Name, Name("x"), "x"),
        (int, 2**63, 2**63),
        (float, 1.5, 1.5),
        (bool, True, True),
        (int | float, 3, 3),
        (int | float, 3.5, 3.5),
        (int | str, "3", "3"),
        (bool | int | str, True, True),
        (bool | int | str, 1, 1),
        (Union[int, None], None, Nothing),  # noqa: UP007  # older code has it so
        (Optional[int], 1, 1),  # noqa: UP045
        (int | None, 0, 0),
        (Final[int], 3, 3),
        (dt.datetime, dt.datetime(2021, 4, 9, 14, 30, tzinfo=ZONE), "2021-04-09T12:30:00.000000Z"),
        (dt.datetime, dt.datetime(1, 1, 1, tzinfo=dt.UTC), "0001-01-01T00:00:00.000000Z"),
        (dt.date, dt.date(2021, 4, 9), "2021-04-09"),
        (dt.time, dt.time(12, 30, 0, 5), "12:30:00.000005"),
        (dt.time, dt.time(12, 30, tzinfo=ZONE), "12:30:00+02:00"),
        (UUID, UUID(int=7), "00000000-0000-0000-0000-000000000007"),
        (Decimal, Decimal("1.50"), "1.50"),
        (bytes, b"\x00\xff", "AP8="),
        (ThreadID, THREAD, str(THREAD)),
        (Cid, CID, str(CID)),
        (PublicKey, KEY, str(KEY)),
        (Plain, Plain.TWO, 2),
        (Plain, Plain.YES, True),
        (Level, Level.HIGH, 2),
        (Word, Word.UP, "up"),
        (Flags, Flags.R | Flags.W, 3),
        (Literal["a", 1, True], 1, 1),
        (Literal["a", 1, True], True, True),
        (Literal["a", None], None, Nothing),  # noqa: PYI061  # people do write it so
        (Literal[Word.UP], Word.UP, "up"),
        (list[int], [1, 2], [1, 2]),
        (list, ["a", 1], ["a", 1]),
        (Sequence[int], [1, 2], [1, 2]),
        (tuple[int, ...], (1, 2), [1, 2]),
        (tuple[int, str], (1, "a"), [1, "a"]),
        (tuple[float, float], (1.0, 2.0), [1.0, 2.0]),
        (set[str], {"b", "a"}, ["a", "b"]),
        (frozenset[int], frozenset({2, 1}), [1, 2]),
        (dict[str, int], {"a": 1}, {"a": 1}),
        (Mapping[str, Point], {"a": Point(1)}, {"a": {"x": 1, "Y": 0.0}}),
        (dict[str, Any], {"a": [1, {"b": "c"}]}, {"a": [1, {"b": "c"}]}),
        (Any, {"a": 1}, {"a": 1}),
        (Any, None, Nothing),
        (Point, Point(1, 2.5), {"x": 1, "Y": 2.5}),
        (list[Point], [Point(1), Point(2)], [{"x": 1, "Y": 0.0}, {"x": 2, "Y": 0.0}]),
        (Point | str, "a", "a"),
        (Circle | Square, Square("box", 2.0), {"kind": "box", "side": 2.0}),
        (Circle | Square | None, Circle("circle", 1.0), {"kind": "circle", "r": 1.0}),
        (list[Circle | Square], [Circle("circle", 1.0)], [{"kind": "circle", "r": 1.0}]),
        (Tree, Tree("a", (Tree("b"),)), {"name": "a", "children": [{"name": "b", "children": []}]}),
        (Model, Model(nested=[Model()]), {"nested": [{"nested": []}]}),
        (Struct, Struct(dt.date(2021, 4, 9), b"\xff"), {"day": "2021-04-09", "raw": "/w=="}),
    ],
    ids=_name,
)
def test_a_value_is_stored_so_and_comes_back(hint: Any, value: Any, plain: Any) -> None:
    found = stored(holding(hint), value)
    assert found == plain
    assert type(found) is type(plain)


def test_whole_numbers_that_a_hub_keeps_as_floats_are_read() -> None:
    assert holding(int).load(b'{"_id":"a","value":3.0}').value == 3
    assert type(holding(float).load(b'{"_id":"a","value":3}').value) is float


@pytest.mark.parametrize(
    ("hint", "value"),
    [
        (int, 3.5),
        (bool, 1),
        (dt.datetime, "2021-04-09T12:30:00"),
        (dt.date, "9.4.2021"),
        (UUID, "7"),
        (Decimal, "ten"),
        (bytes, "?"),
        (ThreadID, "x"),
        (Cid, "x"),
        (PublicKey, "x"),
        (Level, 3),
        (Level, True),
        (Plain, 1),
        (Literal[1], True),
        (tuple[int, str], [1]),
        (Circle | Square, {"kind": "oval"}),
        (Circle | Square, "circle"),
        (int | str, None),
        (int | str, [1]),
        (dict[str, int], [["a", 1]]),
    ],
    ids=_name,
)
def test_what_does_not_fit_is_refused_on_the_way_in(hint: Any, value: Any) -> None:
    with pytest.raises(SchemaViolation, match="value: "):
        holding(hint).load(json.dumps({"_id": "a", "value": value}).encode())


@pytest.mark.parametrize(
    ("hint", "match"),
    [
        (dt.timedelta, "keep seconds as a number"),
        (complex, "keep two numbers"),
        (IPv4Address, "keep it as text"),
        (Path, "keep it as text"),
        (Typed, "make it a dataclass"),
        (NamedTuple("Pair", [("a", int)]), "make it a dataclass"),
        (object(), "has no JSON form here"),
        (dict[int, str], "the keys of objects are text"),
        (str | dt.date, "two of its types are text in JSON"),
        (Level | int, "two of its types are numbers in JSON"),
        (list[int] | set[int], "two of its types are lists in JSON"),
        (Point | dict[str, int], "two of its types are objects in JSON"),
        (Point | Tree, "look alike; give each a field such as kind"),
        (Literal[b"a"], "values of Literal are neither text nor numbers nor bools"),
        (Enum("Odd", {"A": (1, 2)}), "values of Odd are neither"),
        (list[int | None], r"None is not possible in value\[\]: hubs drop null"),
        (dict[str, int | None], r"None is not possible in value\{\}: hubs drop null"),
        (None, "NoneType has no JSON form here"),
        (list[Annotated[int, Index()]], "there is an index inside of Holder.value"),
        (Annotated[list[int], Index()], "hubs keep indexes of text, numbers and bools"),
        (Annotated[Point, Index("z")], "Holder has no field at 'value.z'"),
        (Annotated[Point, Index()], "has none of these at 'value'"),
    ],
    ids=_name,
)
def test_a_type_that_would_not_come_back_is_refused(hint: Any, match: str) -> None:
    with pytest.raises(InvalidInput, match=match):
        holding(hint)


@dataclass(frozen=True)
class City:
    name: Annotated[str, Index()] = ""
    near: tuple[City, ...] = ()


def test_an_index_in_a_class_counts_where_there_is_one_of_it_and_is_passed_over_aloud_elsewhere() -> None:
    kind: Any = make_dataclass("Trip", [("start", City), ("stops", list[City]), ("id", str, "")])
    codec = codec_of(kind)
    assert codec.indexes == (Index("start.name"),)
    (note,) = codec.loosened
    assert note == (
        "stops: there is no index of name in City here: hubs index no elements of lists, members of "
        "dictionaries or alternatives"
    )


def test_an_index_may_name_a_member_of_the_field() -> None:
    assert holding(Annotated[Point, Index("x", unique=True)]).indexes == (Index("value.x", unique=True),)
    assert holding(Annotated[Point | None, Index("Y")]).indexes == (Index("value.Y"),)
    assert holding(Annotated[Level | None, Index()]).indexes == (Index("value"),)


@dataclass
class Late:
    id: str = ""
    other: Unknown = None  # type: ignore[name-defined]  # noqa: F821


@dataclass
class WithDefault:
    id: str = ""
    nick: str | None = "x"


class ModelWithDefault(pydantic.BaseModel):
    id: str = ""
    nick: str | None = "x"


class ModelWithout(pydantic.BaseModel):
    id: str = ""
    nick: str | None


class StructWithout(msgspec.Struct):
    nick: str | None
    id: str = ""


class ModelOpen(pydantic.BaseModel):
    id: str = ""
    anything: Any


class TwoNames(pydantic.BaseModel):
    id: str = ""
    nick: str = pydantic.Field(serialization_alias="nickname")


class Holding(pydantic.BaseModel):
    id: str = ""
    inner: list[TwoNames] = []


class Computing(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")

    id: str = ""

    @pydantic.computed_field  # type: ignore[prop-decorator]
    @property
    def double(self) -> str:
        return self.id * 2


class Unwritten(pydantic.BaseModel):
    id: str = ""
    secret: str = pydantic.Field(exclude=True)


class RawBytes(pydantic.BaseModel):
    id: str = ""
    raw: list[bytes] = []


class Secretive(pydantic.BaseModel):
    id: str = ""
    word: pydantic.SecretStr | None = None


class NoSchema(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(arbitrary_types_allowed=True)

    id: str = ""
    it: Cid | None = None


class AliasedModel(pydantic.BaseModel):
    id: str = ""
    nick: Annotated[str, Alias("n")] = ""


class OnlyNull(msgspec.Struct):
    id: str = ""
    nothing: None = None


class NullInStruct(msgspec.Struct):
    id: str = ""
    numbers: list[int | None] = []


@dataclass
class Twice:
    id: str = ""
    a: Annotated[str, Alias("x")] = ""
    b: Annotated[str, Alias("x")] = ""


@pytest.mark.parametrize(
    ("kind", "match"),
    [
        (Late, "an annotation of Late cannot be resolved"),
        (WithDefault, "WithDefault.nick may be None and has another default"),
        (ModelWithDefault, "ModelWithDefault.nick may be None and has another default"),
        (ModelWithout, "ModelWithout.nick may be None and has no default"),
        (StructWithout, "StructWithout.nick may be None and has no default"),
        (ModelOpen, "ModelOpen.anything may be None and has no default"),
        (TwoNames, "written as 'nickname' and read as nick"),
        (Holding, "TwoNames.nick is written as 'nickname'"),
        (Computing, "Computing computes fields and forbids"),
        (Unwritten, "Unwritten.secret is never written"),
        (RawBytes, "RawBytes: 'raw' would be written as if its bytes were UTF-8"),
        (Secretive, "Secretive: 'word' would be written as asterisks"),
        (NoSchema, "pydantic has no JSON schema of NoSchema"),
        (AliasedModel, "AliasedModel.nick has an Alias, which is for dataclasses"),
        (NullInStruct, r"None is not possible in numbers\[\]"),
        (OnlyNull, "nothing can be nothing but None"),
        (Twice, "Twice.b and .a are both stored as 'x'"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_class_whose_objects_would_not_come_back_is_refused(kind: Any, match: str) -> None:
    with pytest.raises(InvalidInput, match=match):
        codec_of(kind)


@dataclass
class Checked:
    id: str = ""
    low: int = 0
    high: int = 1
    width: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.high < self.low:
            raise ValueError("high is below low")
        self.width = self.high - self.low


def test_a_dataclass_checks_itself_when_it_is_read() -> None:
    codec = codec_of(Checked)
    assert codec.load(codec.dump(Checked("a", 1, 3))) == Checked("a", 1, 3)
    with pytest.raises(SchemaViolation, match="high is below low"):
        codec.load(b'{"_id":"a","low":3,"high":1}')


def test_members_with_a_default_may_be_missing_and_others_not() -> None:
    assert holding(Point).load(b'{"_id":"a","value":{"x":1}}').value == Point(1, 0.0)
    with pytest.raises(SchemaViolation, match="value: 'x' is missing"):
        holding(Point).load(b'{"_id":"a","value":{}}')


def test_two_classes_of_one_name_keep_their_own_schemas() -> None:
    def other() -> Any:
        @dataclass(frozen=True)
        class Point:
            z: str

        return Point

    second = other()
    kind: Any = make_dataclass("Both", [("one", Point), ("two", second), ("id", str, "")])
    codec = codec_of(kind)
    assert len(codec.schema["definitions"]) == 2
    document = codec.dump(kind(Point(1), second("a")))
    Schema.parse(json.dumps(codec.schema).encode()).check(document)


@given(st.datetimes(timezones=st.just(dt.UTC)), st.datetimes(timezones=st.just(dt.UTC)))
def test_moments_are_in_the_order_of_their_texts(one: dt.datetime, other: dt.datetime) -> None:
    assert (rfc3339(one) < rfc3339(other)) == (one < other)
    assert dt.datetime.fromisoformat(rfc3339(one)) == one


def test_a_moment_without_a_zone_has_no_text() -> None:
    with pytest.raises(ValueError, match="a moment needs a time zone"):
        rfc3339(dt.datetime(2021, 4, 9))  # noqa: DTZ001


SIMPLE = st.recursive(
    st.sampled_from([str, int, bool, float, dt.date, UUID, bytes, Decimal, Level]),
    lambda inner: st.one_of(
        inner.map(lambda each: list[each]),  # type: ignore[valid-type]
        inner.map(lambda each: dict[str, each]),  # type: ignore[valid-type]
        inner.map(lambda each: tuple[each, ...]),  # type: ignore[valid-type]
        st.tuples(inner, inner).map(lambda pair: tuple[pair]),  # type: ignore[valid-type]
        inner.map(lambda each: make_dataclass("Inner", [("a", each), ("b", each | None, None)])),
    ),
    max_leaves=4,
)


@settings(deadline=None)  # a busy machine is no mistake
@given(st.data())
def test_whatever_its_type_a_value_comes_back_and_fits_the_schema(data: st.DataObject) -> None:
    hint = data.draw(SIMPLE)
    st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))
    st.register_type_strategy(int, st.integers(-(2**53), 2**53))
    st.register_type_strategy(Decimal, st.decimals(allow_nan=False, allow_infinity=False))
    st.register_type_strategy(str, st.text(st.characters(exclude_categories=["Cs"])))
    stored(holding(hint), data.draw(st.from_type(hint)))
