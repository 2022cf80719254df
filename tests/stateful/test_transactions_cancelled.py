"""A caller who is cancelled at any await leaves all of the write or nothing, and nobody waiting."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.faults.audit import Audit
from tests.faults.tasks import no_task_left
from tests.threaddb.engine_fixtures import Bench, dump, person, running
from textile_aio.errors import TextileError
from textile_aio.threaddb import management
from textile_aio.threaddb.collections import Index
from textile_aio.threaddb.notices import Filter

Scenario = Callable[[Bench], Awaitable[Any]]


class CancelAt:
    """Awaits something, and cancels the task just before it waits for the ``number``-th time."""

    def __init__(self, work: Awaitable[Any], number: int) -> None:
        self._work = work
        self._left = number

    @property
    def reached(self) -> bool:
        return self._left <= 0

    def __await__(self) -> Generator[Any, Any, Any]:
        steps = self._work.__await__()
        thrown: BaseException | None = None
        while True:
            try:
                future = steps.send(None) if thrown is None else steps.throw(thrown)
            except StopIteration as end:
                return end.value
            thrown = None
            self._left -= 1
            if self._left == 0:
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
            try:
                yield future
            except BaseException as error:  # noqa: BLE001 - it is thrown into what is awaited
                thrown = error


async def create(bench: Bench) -> None:
    await bench.create({"_id": "x", "name": "X", "email": "x"}, {"_id": "y", "name": "Y"})


async def save(bench: Bench) -> None:
    await bench.save({"_id": "x", "name": "X"}, {"_id": "a", "name": "Y", "email": "x"})


async def delete(bench: Bench) -> None:
    await bench.engine.delete(bench.db, "Person", ["a", "b"], who="")


async def transaction(bench: Bench) -> None:
    async with bench.engine.write_transaction(bench.db, "Person", who="") as held:
        await held.create([dump({"_id": "x", "name": "X"})])
        await held.save([dump({"_id": "a", "name": "AA"})])
        await held.delete(["b"])
        await held.commit()


async def discarded(bench: Bench) -> None:
    async with bench.engine.write_transaction(bench.db, "Person", who="") as held:
        await held.delete(["b"])
        await held.discard()
        await bench.create({"_id": "x", "name": "X"})


async def reading(bench: Bench) -> None:
    async with bench.engine.read_transaction(bench.db, "Person", who="") as held:
        await bench.create({"_id": "x", "name": "X"})
        assert not await held.has(["x"])


async def update(bench: Bench) -> None:
    await bench.engine.update_collection(bench.db, person(Index("age"), Index("email", unique=True)))


async def make(bench: Bench) -> None:
    await bench.engine.delete_collection(bench.db, "Person")
    await bench.person()


async def listening(bench: Bench) -> None:
    async with bench.engine.listen(bench.db, [Filter("Person")], who="") as listener:
        await bench.create({"_id": "x", "name": "X"})
        assert (await anext(listener)).id == "x"
        await bench.create({"_id": "y", "name": "Y"})
        assert (await anext(listener)).id == "y"


SCENARIOS: list[Scenario] = [
    create, save, delete, transaction, discarded, reading, update, make, listening
]  # fmt: skip


async def state(bench: Bench) -> tuple[Any, ...]:
    """Documents and indexes, without the times of writes."""
    try:
        found = await bench.find()
        indexes = (await bench.engine.collection(bench.db, "Person")).indexes
    except TextileError as error:
        return (type(error).__name__,)
    for document in found:
        del document["_mod"]
    return found, indexes


STEPS: dict[str, int] = {
    # How many states a scenario goes through, the first included, where it is not one write. An update that
    # makes an index anew leaves it out first.
    "discarded": 2, "reading": 2, "update": 3, "make": 3, "listening": 3
}  # fmt: skip


@pytest.mark.parametrize("contended", [False, True], ids=["alone", "in line"])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_cancelled_at_any_await(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, scenario: Scenario, contended: bool
) -> None:
    monkeypatch.setattr(management, "_CHUNK", 2)  # An update takes several batches.
    seen: list[tuple[Any, ...]] = []
    number = 0
    while True:
        number += 1
        path = tmp_path / f"{number}" if kind == "sqlite" else None
        async with running(path) as bench:
            await bench.engine.new_collection(bench.db, person(Index("email"), Index("name")))
            await bench.engine.new_collection(bench.db, replace(person(), name="Other"))
            await bench.create(
                {"_id": "a", "name": "A", "email": "a"}, {"_id": "b", "name": "B", "email": "b"},
                {"_id": "c", "name": "C", "age": 7}, {"_id": "d", "name": "D"}, {"_id": "e", "name": "E"},
            )  # fmt: skip
            before = await state(bench)
            work = CancelAt(scenario(bench), number)
            async with no_task_left(), asyncio.timeout(10):
                if contended:
                    await in_line(bench, work)
                else:
                    await alone(work)
                await other(bench)  # Everybody gets a turn, after what may be on its way.
                after = await state(bench)
                bench.engine.end_listeners()
            if scenario is not make:  # Records do not tell of a collection that was deleted.
                await bench.store.read(Audit(bench.db).check)
        if after not in seen:
            seen.append(after)
        if not work.reached:
            break
    assert number > 1
    assert len(seen) > 1 or scenario is reading
    assert before in seen
    assert len(seen) <= STEPS.get(scenario.__name__, 2)


async def alone(work: CancelAt) -> None:
    task = asyncio.ensure_future(_awaited(work))
    await asyncio.wait((task,))
    if work.reached:
        assert task.cancelled(), task
    else:
        task.result()


async def in_line(bench: Bench, work: CancelAt) -> None:
    """Somebody has the turn when it begins, and somebody else comes after it."""
    async with bench.engine.write_transaction(bench.db, "Person", who=""):
        task = asyncio.ensure_future(_awaited(work))
        await bench.find()
        next_one = asyncio.ensure_future(other(bench))
        await bench.find()
    await asyncio.wait((task,))
    await next_one
    if work.reached:
        assert task.cancelled(), task
    else:
        task.result()


async def other(bench: Bench) -> None:
    await bench.engine.create(bench.db, "Other", [dump({"name": "O"})], who="")


async def _awaited(work: CancelAt) -> Any:
    return await work


@pytest.mark.parametrize("seed", range(3))
async def test_pairs_stay_pairs(tmp_path: Path, seed: int) -> None:
    """Transactions write two documents alike; no reader ever sees them differ, whoever is cancelled when."""
    rng = random.Random(seed)
    async with running(tmp_path / "a") as bench:
        await bench.engine.new_collection(bench.db, person(Index("age")))
        pair = [{"_id": id_, "name": "P", "age": 0} for id_ in ("l", "r")]
        await bench.create(*pair)
        committed = 0

        async def add(own: random.Random) -> None:
            nonlocal committed
            async with bench.engine.write_transaction(bench.db, "Person", who="") as held:
                age = (await bench.get("l"))["age"] + 1
                for document in pair:
                    await held.save([dump({**document, "age": age})])
                if own.random() < 0.2:
                    await held.discard()
                    return
                await held.commit()
                committed += 1

        async def write(own: random.Random) -> None:
            for _ in range(12):
                task = asyncio.ensure_future(add(own))
                if own.random() < 0.5:
                    for _ in range(own.choice([0, 1, 2, 5, 10, 20])):
                        await asyncio.sleep(0)
                    await bench.find() if own.random() < 0.5 else None
                    task.cancel()
                await asyncio.wait((task,))
                if not task.cancelled():
                    task.result()

        async def read() -> None:
            for _ in range(30):
                left, right = await bench.find({"sort": {"fieldPath": "_id"}})
                assert left["age"] == right["age"]
                async with bench.engine.read_transaction(bench.db, "Person", who="") as held:
                    one, two = [json.loads(await held.find_by_id(id_)) for id_ in ("l", "r")]
                assert one["age"] == two["age"]

        async with no_task_left(), asyncio.TaskGroup() as group:
            for _ in range(5):
                group.create_task(write(random.Random(rng.getrandbits(32))))
            group.create_task(read())
        assert (await bench.get("l"))["age"] >= committed > 0
        await bench.store.read(Audit(bench.db).check)
