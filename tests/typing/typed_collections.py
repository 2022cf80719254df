"""What type checkers know of typed collections. Nothing here is run: mypy and pyright read it.

A line that has to be wrong carries ``type: ignore``; checkers complain where it turns out to be right.
"""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, assert_type

import msgspec
import pydantic

from textile_aio import AuthContext, Gap, HubClient, Index, ThreadID, where
from textile_aio.threads.paging import Found
from textile_aio.threads.typed.collection import Collection
from textile_aio.threads.typed.listening import TypedChange, TypedListening
from textile_aio.threads.typed.transaction import TypedTransaction
from textile_aio.threads.typed.upkeep import Unfit


@dataclass(frozen=True)
class Person:
    name: Annotated[str, Index(unique=True)]
    age: Annotated[int, Index()] = 0
    id: str = ""


class Model(pydantic.BaseModel):
    name: str
    id: str = ""


class Struct(msgspec.Struct):
    name: str
    id: str = ""


async def a_collection_is_one_of_its_class(hub: HubClient, ctx: AuthContext, thread: ThreadID) -> None:
    assert_type(await hub.threads.collection(ctx, thread, Person), Collection[Person])
    assert_type(await hub.threads.collection(ctx, None, Model), Collection[Model])
    assert_type(await hub.threads.collection(ctx, None, Struct, name="structs"), Collection[Struct])
    await hub.threads.collection(ctx, None, Person("a"))  # type: ignore[arg-type]


async def one_gives_one_and_several_give_a_list(
    people: Collection[Person], models: Collection[Model]
) -> None:
    def some() -> Iterator[Person]:
        yield Person("a")

    assert_type(await people.create(Person("a")), Person)
    assert_type(await people.create([Person("a")]), list[Person])
    assert_type(await people.create(some()), list[Person])
    assert_type(await models.create(Model(name="a")), Model)
    assert_type(await models.create([Model(name="a")]), list[Model])
    await people.create(Model(name="a"))  # type: ignore[arg-type]
    await people.create([1])  # type: ignore[list-item]


async def writes_take_objects_and_ids(people: Collection[Person]) -> None:
    ann = Person("Ann", id="a")
    await people.save(ann)
    await people.save([ann])
    await people.save("a")  # type: ignore[arg-type]
    await people.delete(ann)
    await people.delete(["a", ann])
    await people.delete(1)  # type: ignore[arg-type]
    assert_type(await people.has({"a"}), bool)


async def reads_give_objects(people: Collection[Person]) -> None:
    assert_type(await people.get("a"), Person)
    assert_type(people.find(where("age") >= 21), Found[Person])
    async for person in people.find({"age": 21}):
        assert_type(person, Person)
    assert_type([each.age async for each in people.find()], list[int])
    assert_type(await people.find_one(), Person | None)
    assert_type(await people.count(), int)
    people.find("age >= 21")  # type: ignore[arg-type]
    people.find(where("age") >= None)  # type: ignore[operator]


async def transactions_know_the_class(people: Collection[Person]) -> None:
    assert_type(people.transaction(), TypedTransaction[Person])
    async with people.transaction() as txn:
        assert_type(txn, TypedTransaction[Person])
        assert_type(await txn.create(Person("a")), Person)
        assert_type(await txn.create([Person("a")]), list[Person])
        assert_type(await txn.get("a"), Person)
        assert_type(await txn.find_one(where("name") == "a"), Person | None)
        async for person in txn.find():
            assert_type(person, Person)
        await txn.save(1)  # type: ignore[arg-type]


async def changes_know_the_class(people: Collection[Person]) -> None:
    assert_type(people.listen(), TypedListening[Person])
    async with people.listen() as changes:
        async for change in changes:
            if isinstance(change, Gap):
                assert_type(change.reason, str)
            else:
                assert_type(change, TypedChange[Person])
                assert_type(change.instance, Person | None)


async def migrations_know_both_classes(people: Collection[Person]) -> None:
    def of_dictionaries(old: dict[str, Any]) -> dict[str, Any]:
        return old

    def of_objects(old: Struct) -> Person:
        return Person(old.name, id=old.id)

    def to_another(old: Struct) -> Struct:
        return old

    assert_type(await people.migrate(of_dictionaries), int)
    assert_type(await people.migrate(of_objects, source=Struct), int)
    await people.migrate(lambda old: Person(old["name"], id=old["_id"]))
    await people.migrate(lambda old: Person(old.name, id=old.id), source=Struct)
    await people.migrate(of_objects, source=Model)  # type: ignore[arg-type]
    await people.migrate(to_another, source=Struct)  # type: ignore[arg-type]
    assert_type(await people.check_schema(), list[Unfit])
