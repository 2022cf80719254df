"""Typed collections, on any hub."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
import pydantic
import pytest

from textile_aio import AuthContext, ChangeAction, HubClient, Identity, Index, errors, where
from textile_aio.threads.typed.collection import Collection
from textile_aio.threads.typed.listening import TypedChange
from textile_aio.threads.typed.markers import Alias, Modified
from textile_aio.threads.typed.scalars import rfc3339

SEVEN = UUID(int=7)


class Color(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Address:
    city: Annotated[str, Index()]
    zip_code: Annotated[str | None, Alias("zip")] = None


@dataclass(frozen=True)
class Person:
    name: Annotated[str, Index(unique=True)]
    age: Annotated[int, Index()] = 0
    address: Address | None = None
    id: str = ""
    modified: Annotated[dt.datetime | None, Modified()] = None


@dataclass(frozen=True)
class Everything:
    text: str = "ä'\"\\<&>\n"
    number: float = 1.5
    whole: int = 2**53
    truth: bool = True
    color: Color = Color.BLUE
    role: Literal["user", "admin"] = "admin"
    moment: dt.datetime = dt.datetime(2021, 4, 9, 12, 30, 0, 5, tzinfo=dt.UTC)
    day: dt.date = dt.date(2021, 4, 9)
    clock: dt.time = dt.time(12, 30)
    uuid: UUID = SEVEN
    price: Decimal = Decimal("1.50")
    raw: bytes = b"\x00\xff"
    numbers: list[int] = field(default_factory=lambda: [3, 1, 2])
    pair: tuple[int, str] = (1, "a")
    words: frozenset[str] = frozenset({"a", "b"})
    table: dict[str, Address] = field(default_factory=lambda: {"home": Address("Bern", "3000")})
    anything: dict[str, Any] = field(default_factory=lambda: {"a": [1, {"b": "c"}]})
    address: Address | None = None
    id: str = ""


class ModelAddress(pydantic.BaseModel):
    city: Annotated[str, Index()]
    zip_code: str | None = pydantic.Field(default=None, alias="zip")


class Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")

    name: Annotated[str, Index(unique=True), pydantic.Field(min_length=1)]
    age: Annotated[pydantic.NonNegativeInt, Index()] = 0
    price: Annotated[float, pydantic.Field(gt=0.5)] = 1.0
    color: Color | None = None
    moment: dt.datetime = dt.datetime(2021, 4, 9, 12, 30, tzinfo=dt.UTC)
    address: ModelAddress | None = None
    clock: dt.time = dt.time(12, 30)
    raw: pydantic.Base64Bytes = b""
    children: list[Model] = []
    id: str = ""


class StructAddress(msgspec.Struct, frozen=True):
    city: Annotated[str, Index()]


class Struct(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, tag=True):
    full_name: Annotated[str, Index(unique=True)]
    age: Annotated[int, msgspec.Meta(ge=0), Index()] = 0
    price: Decimal = Decimal("1.50")
    color: Color | None = None
    raw: bytes = b"\x00\xff"
    address: StructAddress | None = None
    id: str = ""
    modified: Annotated[int, Modified()] = 0


INSTANCES: list[Any] = [
    Everything(),
    Everything(address=Address("Basel")),
    Model(name="Al", raw=b"AP8=", address=ModelAddress(city="Bern", zip="3000"), children=[Model(name="Bo")]),
    Struct("Al", color=Color.RED, address=StructAddress("Bern")),
]


@pytest.fixture
async def people(client: HubClient, thread_ctx: AuthContext) -> Collection[Person]:
    return await client.threads.collection(thread_ctx, None, Person)


def without_time(person: Person) -> Person:
    """A person as it was before the hub had it."""
    assert person.modified is not None
    assert person.modified.utcoffset() == dt.timedelta(0)
    return replace(person, modified=None)


@pytest.mark.parametrize("instance", INSTANCES, ids=lambda value: type(value).__name__)
async def test_an_object_of_any_kind_is_created_read_and_saved(
    client: HubClient, thread_ctx: AuthContext, instance: Any
) -> None:
    things = await client.threads.collection(thread_ctx, None, type(instance))
    created = await things.create(instance)
    assert created.id
    assert instance.id == ""
    first = await things.get(created.id)
    assert {**_plain(first), "modified": None} == {**_plain(created), "modified": None}
    await things.save(first)
    second = await things.get(created.id)
    assert {**_plain(second), "modified": None} == {**_plain(created), "modified": None}
    assert await things.check_schema() == []


def _plain(instance: Any) -> dict[str, Any]:
    names = getattr(instance, "__struct_fields__", None) or vars(instance)
    return {name: getattr(instance, name) for name in names}


@pytest.mark.parametrize("instance", INSTANCES, ids=lambda value: type(value).__name__)
async def test_a_hub_keeps_the_definition_as_it_was_sent(
    client: HubClient, thread_ctx: AuthContext, instance: Any
) -> None:
    things = await client.threads.collection(thread_ctx, None, type(instance))
    info = await client.threads.get_collection_info(thread_ctx, None, type(instance).__name__)
    assert info.schema == things.schema
    assert info.indexes == things.indexes


async def test_one_is_given_back_for_one_and_a_list_for_several(people: Collection[Person]) -> None:
    ann = await people.create(Person("Ann"))
    others = await people.create([Person("Bo"), Person("Cy", id="cy")])
    assert [each.name for each in others] == ["Bo", "Cy"]
    assert others[1].id == "cy"
    assert len({ann.id, *(each.id for each in others)}) == 3
    assert await people.create([]) == []
    assert without_time(await people.get(ann.id)) == ann


async def test_the_time_of_the_last_write_is_read(people: Collection[Person]) -> None:
    ann = await people.create(Person("Ann"))
    assert ann.modified is None
    first = await people.get(ann.id)
    await people.save(first)
    second = await people.get(ann.id)
    assert first.modified is not None
    assert second.modified is not None
    assert first.modified <= second.modified


async def test_instances_are_saved_deleted_and_looked_for(people: Collection[Person]) -> None:
    ann, bo, cy = await people.create([Person("Ann"), Person("Bo"), Person("Cy")])
    await people.save(replace(ann, age=40))
    await people.save([replace(bo, age=41), Person("Di", id="di")])
    assert {each.name: each.age async for each in people.find()} == {"Ann": 40, "Bo": 41, "Cy": 0, "Di": 0}
    assert await people.has(ann)
    assert await people.has([ann, bo.id, "di"])
    await people.delete(ann)
    await people.delete([bo, "di"])
    assert not await people.has([cy, bo])
    assert [each.name async for each in people.find()] == ["Cy"]
    with pytest.raises(errors.InstanceNotFound):
        await people.get(ann.id)


async def test_what_cannot_be_meant_is_refused(people: Collection[Person]) -> None:
    with pytest.raises(errors.InvalidInput, match="has no id yet"):
        await people.save(Person("Ann"))
    with pytest.raises(errors.InvalidInput, match="has no id yet"):
        await people.delete([Person("Ann")])
    with pytest.raises(errors.InvalidInput, match="give one, or a list of them, not dict"):
        await people.create({"name": "Ann"})  # type: ignore[dict-item]
    with pytest.raises(errors.InvalidInput, match="give one, or a list of them, not str"):
        await people.create("Ann")  # type: ignore[arg-type]
    with pytest.raises(errors.InvalidInput, match="this is int"):
        await people.save([1])  # type: ignore[list-item]
    with pytest.raises(errors.InvalidInput, match="give one, or a list of them, not int"):
        await people.has(5)  # type: ignore[arg-type]
    assert await people.count() == 0


async def test_refusals_of_the_hub_are_told(people: Collection[Person]) -> None:
    ann = await people.create(Person("Ann"))
    with pytest.raises(errors.AlreadyExists):
        await people.create(ann)
    with pytest.raises(errors.UniqueViolation):
        await people.create(Person("Ann"))
    assert await people.count() == 1


@pytest.fixture
async def many(people: Collection[Person]) -> Collection[Person]:
    """Three hundred people of ages 0 to 99, three of each, in five towns."""
    await people.create([Person(f"p{n:03}", n % 100, Address(f"town{n % 5}", str(n))) for n in range(300)])
    return people


async def test_objects_are_found_in_pages(many: Collection[Person]) -> None:
    found = [each async for each in many.find()]
    assert sorted(each.name for each in found) == [f"p{n:03}" for n in range(300)]
    assert [each.id for each in found] == sorted(each.id for each in found)
    async for first in many.find():
        assert first == found[0]
        break


async def test_fields_are_named_as_in_the_class(many: Collection[Person]) -> None:
    query = (where("age") >= 98) & (where("address.city") == "town4")
    assert sorted([each.age async for each in many.find(query)]) == [99, 99, 99]
    assert [each.name async for each in many.find({"address.zip_code": "17"})] == ["p017"]
    one = await many.find_one(where("name") == "p123")
    assert one is not None
    assert one.address == Address("town3", "123")
    assert await many.find_one(where("id") == one.id) == one
    assert await many.find_one(where("name") == "nobody") is None
    ordered = [each.name async for each in many.find((where("age") == 5).order_by("name", descending=True))]
    assert ordered == ["p205", "p105", "p005"]
    assert one.modified is not None
    with pytest.raises(errors.InvalidQuery, match="Person has no field 'town'"):
        many.find(where("town") == "town1")


async def test_objects_are_counted(many: Collection[Person]) -> None:
    assert await many.count() == 300
    assert await many.count({"age": {"$lt": 10}}) == 30


@pytest.mark.needs("explain")
async def test_it_is_told_which_index_is_used(many: Collection[Person]) -> None:
    one = await many.explain(where("name") == "p123")
    assert (one.index, one.matched) == ("name", 1)
    assert one.read <= 2
    town = await many.explain(where("address.city") == "town1")
    assert (town.index, town.matched) == ("address.city", 60)
    assert (await many.explain(where("address.zip_code") == "7")).index is None


async def test_times_are_compared_by_their_texts(client: HubClient, thread_ctx: AuthContext) -> None:
    things = await client.threads.collection(thread_ctx, None, Everything)
    early = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    await things.create([Everything(moment=early + dt.timedelta(microseconds=n)) for n in range(5)])
    later = where("moment") > rfc3339(early + dt.timedelta(microseconds=2))
    assert await things.count(later) == 2


async def test_changes_are_told_with_objects(people: Collection[Person], client: HubClient) -> None:
    async with people.listen() as changes:
        ann = await people.create(Person("Ann"))
        created = await anext(changes)
        assert isinstance(created, TypedChange)
        assert (created.id, created.action) == (ann.id, ChangeAction.CREATE)
        assert created.instance is not None
        assert without_time(created.instance) == ann
        await people.delete(ann)
        deleted = await anext(changes)
        assert isinstance(deleted, TypedChange)
        assert (deleted.id, deleted.action, deleted.instance) == (ann.id, ChangeAction.DELETE, None)
        await changes.aclose()
        with pytest.raises(StopAsyncIteration):
            await anext(changes)


@pytest.mark.needs("positions")
async def test_listening_begins_where_it_was_left_and_can_be_narrowed(people: Collection[Person]) -> None:
    async with people.listen(id="bo", action=ChangeAction.SAVE) as changes:
        await people.create([Person("Ann", id="ann"), Person("Bo", id="bo")])
        await people.save([Person("Ann", 1, id="ann"), Person("Bo", 2, id="bo")])
        first = await anext(changes)
        assert isinstance(first, TypedChange)
        assert first.instance is not None
        assert first.instance.age == 2
        assert first.position == changes.position
    await people.save(Person("Bo", 3, id="bo"))
    async with people.listen(since=changes.position) as changes:
        second = await anext(changes)
        assert isinstance(second, TypedChange)
        assert second.instance is not None
        assert second.instance.age == 3
        assert not second.is_repeat


async def test_a_change_that_does_not_fit_the_class_does_not_end_listening(
    people: Collection[Person], client: HubClient
) -> None:
    raw = await client.threads.collection(people.context, people.thread, NewPerson, name="Person")
    async with people.listen() as changes:
        await raw.create(NewPerson("Ann", "old", id="ann"))
        with pytest.raises(errors.SchemaViolation, match="the document is no Person: age") as caught:
            await anext(changes)
        assert caught.value.about == "ann"
        await raw.delete("ann")
        last = await anext(changes)
        assert isinstance(last, TypedChange)
        assert last.action is ChangeAction.DELETE


async def test_a_transaction_takes_effect_as_a_whole(people: Collection[Person]) -> None:
    ann, bo = await people.create([Person("Ann"), Person("Bo")])
    async with people.transaction() as txn:
        cy = await txn.create(Person("Cy"))
        (di,) = await txn.create([Person("Di")])
        await txn.save(replace(await txn.get(ann.id), age=40))
        await txn.delete(bo)
        assert await txn.has([ann, bo])
        assert not await txn.has(cy)
        assert await txn.count() == 2
        assert await txn.count(where("name").in_(["Ann", "Cy"])) == 1
        found = await txn.find_one(where("name") == "Ann")
        assert found is not None
        assert found.age == 0  # as it was before the transaction
        assert sorted([each.name async for each in txn.find()]) == ["Ann", "Bo"]
    after = {each.name: each async for each in people.find()}
    assert after.keys() == {"Ann", "Cy", "Di"}
    assert after["Ann"].age == 40
    assert (after["Cy"].id, after["Di"].id) == (cy.id, di.id)


async def test_a_transaction_that_fails_changes_nothing(people: Collection[Person]) -> None:
    with pytest.raises(RuntimeError, match="on the way"):
        async with people.transaction() as txn:
            await txn.create(Person("Ann"))
            raise RuntimeError("on the way")
    with pytest.raises(errors.InvalidInput, match="no id yet"):
        async with people.transaction() as txn:
            await txn.create(Person("Ann"))
            await txn.save(Person("Bo"))
    async with people.transaction() as txn:
        await txn.create(Person("Ann"))
        await txn.discard()
    assert await people.count() == 0


async def test_an_unknown_id_keeps_a_transaction_from_being_committed_unless_told(
    people: Collection[Person],
) -> None:
    with pytest.raises(errors.FailedPrecondition):
        async with people.transaction() as txn:
            await txn.create(Person("Ann"))
            with pytest.raises(errors.InstanceNotFound):
                await txn.get("nobody")
    assert await people.count() == 0
    async with people.transaction() as txn:
        await txn.create(Person("Ann"))
        with pytest.raises(errors.InstanceNotFound):
            await txn.get("nobody")
        txn.proceed()
    assert await people.count() == 1


@dataclass(frozen=True)
class OldPerson:
    full_name: Annotated[str, Alias("name")]
    age: int = 0
    id: str = ""


@dataclass(frozen=True)
class NewPerson:
    name: str
    age: str
    id: str = ""


@pytest.fixture
async def changed(many: Collection[Person], client: HubClient) -> Collection[NewPerson]:
    """The collection of :func:`many`, after the class has changed."""
    return await client.threads.collection(many.context, many.thread, NewPerson, name="Person")


async def test_instances_that_do_not_fit_the_class_are_named(
    changed: Collection[NewPerson], many: Collection[Person]
) -> None:
    # All are of the old kind, but one.
    fits = await changed.create(NewPerson("x", "1", id="x"))
    found = await changed.check_schema(limit=1_000)
    assert sorted(each.id for each in found) == sorted(
        [each.id async for each in many.find(where("id") != "x")]
    )
    assert fits.id not in {each.id for each in found}
    assert "age: Invalid type. Expected: string, given: integer" in found[0].reason
    assert await changed.check_schema(limit=3) == found[:3]
    with pytest.raises(errors.InvalidInput, match="at least 1"):
        await changed.check_schema(limit=0)


async def test_what_only_the_class_objects_to_is_named_as_well(
    client: HubClient, thread_ctx: AuthContext
) -> None:
    models = await client.threads.collection(thread_ctx, None, Model)
    await client.threads.create(thread_ctx, None, "Model", [{"_id": "cheap", "name": "Al", "price": 0.25}])
    assert any("price" in each for each in models.loosened)
    (unfit,) = await models.check_schema()
    assert unfit.id == "cheap"
    assert "the document is no Model" in unfit.reason
    with pytest.raises(errors.SchemaViolation, match="cheap"):
        await models.get("cheap")


async def test_a_write_validator_is_no_matter_of_the_schema(
    people: Collection[Person], client: HubClient
) -> None:
    await people.create([Person("Ann"), Person("Bo")])
    await client.threads.collection(people.context, people.thread, Person, write_validator="return false")
    assert await people.check_schema() == []


async def test_a_collection_is_rewritten_by_a_function_of_dictionaries(
    changed: Collection[NewPerson],
) -> None:
    seen: list[dict[str, Any]] = []

    def change(old: dict[str, Any]) -> dict[str, Any]:
        seen.append(dict(old))
        old["age"] = str(old["age"])
        return old

    assert await changed.migrate(change) == 300
    assert all("_id" in each and "_mod" not in each for each in seen)
    assert await changed.check_schema() == []
    assert sorted([each.age async for each in changed.find()]) == sorted([str(n % 100) for n in range(300)])
    assert await changed.migrate(lambda old: old) == 0


async def test_a_collection_is_rewritten_by_a_function_of_objects(changed: Collection[NewPerson]) -> None:
    def change(old: OldPerson) -> NewPerson:
        return NewPerson(old.full_name.upper(), str(old.age), id=old.id)

    assert await changed.migrate(change, source=OldPerson) == 300
    assert await changed.count(where("name") == "P007") == 1


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        (
            lambda old: {**old, "age": str(old["age"]), "_id": "other"},
            errors.InvalidInput,
            "another id, 'other'",
        ),
        (lambda old: {"name": "x", "age": "1"}, errors.InvalidInput, "another id, None"),
        (lambda old: NewPerson("x", "1"), errors.InvalidInput, "another id, ''"),
        (lambda old: None, errors.InvalidInput, "has to return a NewPerson or a dictionary"),
        (lambda old: {**old, "age": 1.5}, errors.SchemaViolation, "the document is no NewPerson"),
        (lambda old: 1 // 0, ZeroDivisionError, ""),
        (
            lambda old: {**old, "age": str(old["age"])} if old["name"] < "p250" else 1 // 0,
            ZeroDivisionError,
            "",
        ),
    ],
)
async def test_a_migration_that_fails_changes_nothing(
    changed: Collection[NewPerson], many: Collection[Person], change: Any, error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match or None):
        await changed.migrate(change)
    assert sorted([each.age async for each in many.find()]) == sorted(n % 100 for n in range(300))


async def test_a_migration_names_the_instance_that_the_hub_refuses(
    client: HubClient, thread_ctx: AuthContext
) -> None:
    people = await client.threads.collection(thread_ctx, None, Person)
    await people.create([Person(f"p{n}", n, id=f"id{n}") for n in range(5)])
    info = await client.threads.get_collection_info(thread_ctx, None, "Person")
    schema = json.loads(json.dumps(info.schema))
    schema["properties"]["age"]["maximum"] = 12
    await client.threads.update_collection(thread_ctx, None, replace(info.config(), schema=schema))
    with pytest.raises(errors.SchemaViolation, match="Must be less than or equal to 12") as caught:
        await people.migrate(lambda old: {**old, "age": old["age"] + 10})
    assert caught.value.about == "id3"
    assert [each.age async for each in people.find()] == [0, 1, 2, 3, 4]


async def test_a_migration_that_is_cancelled_changes_nothing(
    changed: Collection[NewPerson], many: Collection[Person]
) -> None:
    task: asyncio.Task[int]

    def change(old: dict[str, Any]) -> dict[str, Any]:
        task.cancel()
        return {**old, "age": "1"}

    task = asyncio.create_task(changed.migrate(change))
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await many.count(where("age") >= 0) == 300


@dataclass(frozen=True)
class Switch:
    on: int
    id: str = ""


@dataclass(frozen=True)
class TrueSwitch:
    on: bool
    id: str = ""


async def test_values_that_python_holds_to_be_equal_are_told_apart(
    client: HubClient, thread_ctx: AuthContext
) -> None:
    before = await client.threads.collection(thread_ctx, None, Switch)
    await before.create([Switch(0), Switch(1)])
    after = await client.threads.collection(thread_ctx, None, TrueSwitch, name="Switch")
    assert await after.migrate(lambda old: {**old, "on": bool(old["on"])}) == 2
    assert sorted([each.on async for each in after.find()]) == [False, True]


async def test_an_open_collection_can_be_opened_again_and_again(
    client: HubClient, thread_ctx: AuthContext
) -> None:
    opened = await asyncio.gather(*(client.threads.collection(thread_ctx, None, Person) for _ in range(8)))
    ann = await opened[0].create(Person("Ann"))
    assert await opened[7].has(ann)


async def test_calls_are_made_on_behalf_of_the_context(
    client: HubClient, thread_ctx: AuthContext, key_ctx: AuthContext
) -> None:
    mine = "return writer === undefined || instance === undefined || true"
    people = await client.threads.collection(thread_ctx, None, Person, write_validator=mine)
    ann = await people.create(Person("Ann"))
    other = await client.threads.authorize(key_ctx, Identity.generate())
    theirs = people.with_context(other.with_thread(people.thread))
    assert without_time(await theirs.get(ann.id)) == ann
    assert repr(theirs) == repr(people) == f"<Collection Person of Person in {people.thread}>"
