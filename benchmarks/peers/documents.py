"""Our client and databases: ``python -m benchmarks.peers.documents TARGET KEY SECRET TOKEN THREAD``."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from itertools import count as counting
from time import perf_counter
from typing import Any

import textile_aio
from benchmarks.peers.caller import context
from benchmarks.process import obey
from textile_aio import AuthContext, CollectionConfig, HubClient, Index, Query, where

SCHEMA = {
    "type": "object",
    "properties": {
        "_id": {"type": "string"},
        "name": {"type": "string"},
        "number": {"type": "integer"},
        "email": {"type": "string"},
    },
}


class Client:
    """Commands over one connection. They give seconds unless they say what else."""

    def __init__(self, hub: HubClient, ctx: AuthContext) -> None:
        self._threads = hub.threads
        self._ctx = ctx
        self._numbers: dict[str, Iterator[int]] = {}

    async def collection(self, name: str, indexed: bool) -> None:
        """Make a collection, perhaps with an index of its numbers. Gives nothing."""
        indexes = (Index("number"),) if indexed else ()
        config = CollectionConfig(name, schema=SCHEMA, indexes=indexes)
        await self._threads.new_collection(self._ctx, None, config)
        self._numbers[name] = counting()

    async def create(
        self, name: str, count: int, documents: int = 1, at_once: int = 1, padding: int = 0
    ) -> float:
        """So many calls with so many documents each, which have ``padding`` characters more."""
        numbers = self._numbers[name]

        async def call(_: int) -> None:
            instances = [_document(next(numbers), padding) for _ in range(documents)]
            await self._threads.create(self._ctx, None, name, instances)

        return await _timed(call, count, at_once)

    async def find_equal(self, name: str, count: int, below: int) -> float:
        """Calls that find one document each, by a number that is drawn; no other document has it."""

        async def call(_: int) -> None:
            number = _scattered(random.randrange(below))
            found = await self._threads.find(self._ctx, None, name, where("number") == number)
            assert [document["number"] for document in found] == [number]

        return await _timed(call, count, 1)

    async def find_all(self, name: str, limit: int) -> float:
        """The first so many documents, page by page, each dropped."""
        started = perf_counter()
        read = 0
        async for _ in self._threads.find_iter(self._ctx, None, name, Query().limit(limit)):
            read += 1
        assert read == limit
        return perf_counter() - started

    async def write_steadily(self, name: str, rate: int, seconds: float, ids: int) -> int:
        """Save instances in turn, each at its time whether or not the last one is through. Gives how many."""
        amount = int(rate * seconds)
        started = perf_counter()

        async def save(number: int) -> None:
            await asyncio.sleep(started + number / rate - perf_counter())
            document = {"_id": f"instance{number % ids}", "sent": time.time()}
            await self._threads.save(self._ctx, None, name, [document])

        async with asyncio.TaskGroup() as group:
            for number in range(amount):
                group.create_task(save(number))
        return amount

    async def databases(self, count: int) -> float:
        """Make databases, each with a collection, an index and a document, which is then found."""
        config = CollectionConfig("people", schema=SCHEMA, indexes=(Index("number"),))

        async def make(_: int) -> None:
            thread = await self._threads.new_db(self._ctx, collections=[config])
            await self._threads.create(self._ctx, thread, "people", [_document(0, 0)])
            assert await self._threads.find(self._ctx, thread, "people", where("number") == 0)

        return await _timed(make, count, 1)


def _document(number: int, padding: int) -> dict[str, Any]:
    name, email = f"person {number}", f"person{number}@example.com"
    document = {"name": name, "number": _scattered(number), "email": email}
    return document | {"padding": "x" * padding} if padding else document


def _scattered(number: int) -> int:
    """Another number of 32 bits for each, in no order, so that an index does not only grow at its end."""
    return number * 0x9E3779B1 % (1 << 32)


async def _timed(call: Callable[[int], Awaitable[None]], count: int, at_once: int) -> float:
    """Seconds for so many calls, some of which are always under way."""
    numbers = iter(range(count))

    async def caller() -> None:
        for number in numbers:
            await call(number)

    started = perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(caller())
    return perf_counter() - started


async def main(target: str, *credentials: str) -> None:
    ctx = context(*credentials)
    async with textile_aio.connect(target) as hub:
        client = Client(hub, ctx)
        names = ("collection", "create", "find_equal", "find_all", "write_steadily", "databases")
        await obey({name: getattr(client, name) for name in names})


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
