"""Queries name fields as the class does, and a field that there is not is an error at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec
import pydantic
import pytest

from tests.threads.typed.classes import Person, PersonModel, PersonStruct
from textile_aio.errors import InvalidQuery
from textile_aio.threads.query.builder import Query, where
from textile_aio.threads.typed.codec import codec_of
from textile_aio.threads.typed.markers import Alias, Id
from textile_aio.threads.typed.paths import stored_path, stored_query


@dataclass
class Inner:
    the_name: Annotated[str, Alias("theName")] = ""


@dataclass
class Outer:
    key: Annotated[str, Id()] = ""
    inner: Annotated[Inner, Alias("i")] = field(default_factory=Inner)
    table: dict[str, Inner] = field(default_factory=dict)
    either: Inner | str = ""
    any_thing: Any = None
    items: list[Inner] = field(default_factory=list)
    number: int = 0


class Open(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")

    id: str = ""


class Computed(pydantic.BaseModel):
    id: str = ""

    @pydantic.computed_field(alias="twice")  # type: ignore[prop-decorator]
    @property
    def double(self) -> str:
        return self.id * 2


class Tagged(msgspec.Struct, tag="t", tag_field="kind"):
    id: str = ""


@pytest.mark.parametrize("kind", [Person, PersonModel, PersonStruct], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize(
    ("path", "stored"),
    [
        ("name", "name"),
        ("id", "_id"),
        ("_id", "_id"),
        ("modified", "_mod"),
        ("_mod", "_mod"),
        ("address.city", "address.city"),
        ("address.zip_code", "address.zip"),
        ("address.zip", "address.zip"),
        ("extra.x.y", "extra.x.y"),
    ],
)
def test_names_of_the_class_become_those_that_are_stored(kind: type[Any], path: str, stored: str) -> None:
    assert stored_path(codec_of(kind), path) == stored


@pytest.mark.parametrize(
    ("kind", "path", "stored"),
    [
        (Outer, "key", "_id"),
        (Outer, "inner.the_name", "i.theName"),
        (Outer, "i.theName", "i.theName"),
        (Outer, "table.x.theName", "table.x.theName"),
        (Outer, "either.theName", "either.theName"),
        (Outer, "any_thing.at.all", "any_thing.at.all"),
        (Open, "whatever.there.is", "whatever.there.is"),
        (Computed, "twice", "twice"),
        (Tagged, "kind", "kind"),
    ],
)
def test_what_is_stored_beside_the_fields_may_be_named(kind: type[Any], path: str, stored: str) -> None:
    assert stored_path(codec_of(kind), path) == stored


@pytest.mark.parametrize(
    ("kind", "path", "match"),
    [
        (Person, "nmae", "Person has no field 'nmae'; it has name, born, age"),
        (Person, "address.town", "Address has no field 'town'; it has city, zip_code"),
        (Person, "age.years", "Person.age has no members that a query could name"),
        (Person, "tags.0", "nor can it name the elements of a list"),
        (Person, "id.x", "'id' has no members"),
        (Person, "", "Person has no field ''"),
        (Outer, "items.the_name", "nor can it name the elements of a list"),
        (Outer, "id", "Outer has no field 'id'"),
        (Computed, "triple", "Computed has no field 'triple'"),
        (Tagged, "sort", "Tagged has no field 'sort'"),
    ],
)
def test_a_name_that_the_class_has_not_got_is_refused(kind: type[Any], path: str, match: str) -> None:
    with pytest.raises(InvalidQuery, match=match) as caught:
        stored_path(codec_of(kind), path)
    assert caught.value.about == path


def test_every_part_of_a_query_is_translated() -> None:
    condition = (where("key") > "a") & ((where("inner.the_name") == "x") | (where("number") < 3))
    query = condition.order_by("inner.the_name", descending=True).use_index("inner.the_name").skip(1).limit(2)
    stored = (where("_id") > "a") & ((where("i.theName") == "x") | (where("number") < 3))
    expected = stored.order_by("i.theName", descending=True).use_index("i.theName").skip(1).limit(2)
    assert stored_query(codec_of(Outer), query) == expected
    assert stored_query(codec_of(Outer), Query()) == Query()
    for wrong in (Query().order_by("x"), Query().use_index("x"), (where("number") == 1) | (where("x") == 1)):
        with pytest.raises(InvalidQuery, match="Outer has no field 'x'"):
            stored_query(codec_of(Outer), wrong)
