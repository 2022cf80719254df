"""One record as a class of each of the three kinds, and what it is in JSON."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, Any, Literal

import msgspec
import pydantic

from textile_aio.threads.typed.markers import Alias, Modified
from textile_aio.threads.values import Index


class Color(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True)
class Address:
    city: Annotated[str, Index()]
    zip_code: Annotated[str | None, Alias("zip")] = None


@dataclass(frozen=True, slots=True)
class Person:
    name: Annotated[str, Index(unique=True)]
    born: dt.datetime
    age: Annotated[int, Index()] = 0
    color: Annotated[Color, Index()] = Color.RED
    role: Literal["user", "admin"] = "user"
    address: Address | None = None
    tags: list[str] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)
    id: str = ""
    modified: Annotated[dt.datetime | None, Modified()] = None


class ModelAddress(pydantic.BaseModel):
    city: Annotated[str, Index()]
    zip_code: str | None = pydantic.Field(default=None, alias="zip")


class PersonModel(pydantic.BaseModel):
    name: Annotated[str, Index(unique=True)]
    born: dt.datetime
    age: Annotated[int, Index()] = 0
    color: Annotated[Color, Index()] = Color.RED
    role: Literal["user", "admin"] = "user"
    address: ModelAddress | None = None
    tags: list[str] = []
    extra: dict[str, Any] = {}
    id: str = ""
    modified: Annotated[dt.datetime | None, Modified()] = None


class StructAddress(msgspec.Struct, frozen=True):
    city: Annotated[str, Index()]
    zip_code: str | None = msgspec.field(default=None, name="zip")


class PersonStruct(msgspec.Struct, frozen=True):
    name: Annotated[str, Index(unique=True)]
    born: Annotated[dt.datetime, msgspec.Meta(tz=True)]  # without it, msgspec says no more than "text"
    age: Annotated[int, Index()] = 0
    color: Annotated[Color, Index()] = Color.RED
    role: Literal["user", "admin"] = "user"
    address: StructAddress | None = None
    tags: list[str] = []
    extra: dict[str, Any] = {}
    id: str = ""
    modified: Annotated[dt.datetime | None, Modified()] = None


BORN = dt.datetime(1990, 5, 17, 8, 30, 0, 123456, tzinfo=dt.UTC)

PEOPLE: dict[type, Any] = {
    Person: Person("Al", BORN, 31, Color.BLUE, "admin", Address("Bern", "3000"), ["a", "b"], {"x": [1, 2.5]}),
    PersonModel: PersonModel(
        name="Al",
        born=BORN,
        age=31,
        color=Color.BLUE,
        role="admin",
        address=ModelAddress(city="Bern", zip="3000"),
        tags=["a", "b"],
        extra={"x": [1, 2.5]},
    ),
    PersonStruct: PersonStruct(
        "Al", BORN, 31, Color.BLUE, "admin", StructAddress("Bern", "3000"), ["a", "b"], {"x": [1, 2.5]}
    ),
}
"""The same person as an object of each class."""

DOCUMENT: dict[str, Any] = {
    "_id": "",
    "name": "Al",
    "born": "1990-05-17T08:30:00.123456Z",
    "age": 31,
    "color": "blue",
    "role": "admin",
    "address": {"city": "Bern", "zip": "3000"},
    "tags": ["a", "b"],
    "extra": {"x": [1, 2.5]},
}
"""The same person as all of them are stored."""
