"""An engine over a store in memory or on disk, for tests of the engine alone."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from textile_aio.identity import Identity
from textile_aio.ids import ThreadID
from textile_aio.storage.memory import MemoryStore
from textile_aio.storage.runner import StoreRunner
from textile_aio.storage.sqlite import SqliteStore
from textile_aio.storage.transact import transact
from textile_aio.threaddb.collections import CollectionConfig, Index
from textile_aio.threaddb.databases import NewDatabase
from textile_aio.threaddb.engine import EngineSettings, ThreadDatabases
from textile_aio.threaddb.founding import plan_database

PERSON = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "_id": {"type": "string"},
        "name": {"type": "string"},
        "age": {"type": "number"},
        "email": {"type": "string"},
    },
}


@dataclass
class Clock:
    """Time that goes on by one second with every look."""

    now: int = 1_700_000_000_000_000_000

    def __call__(self) -> int:
        """The present time in nanoseconds."""
        self.now += 1_000_000_000
        return self.now


@dataclass
class Bench:
    """An engine with one database in it, and shorthands."""

    engine: ThreadDatabases
    store: StoreRunner
    host: Identity
    db: ThreadID
    clock: Clock = field(default_factory=Clock)

    async def person(self, **config: Any) -> None:
        """Make the collection ``Person``."""
        await self.engine.new_collection(self.db, person(**config))

    async def create(self, *documents: dict[str, Any], who: str = "") -> list[str]:
        """Create instances of ``Person``."""
        return await self.engine.create(self.db, "Person", [dump(each) for each in documents], who=who)

    async def save(self, *documents: dict[str, Any], who: str = "") -> list[str]:
        """Save instances of ``Person``."""
        return await self.engine.save(self.db, "Person", [dump(each) for each in documents], who=who)

    async def find(self, query: Any = None, who: str = "") -> list[dict[str, Any]]:
        """Find instances of ``Person``."""
        found = await self.engine.find(self.db, "Person", json.dumps(query).encode(), who=who)
        return [json.loads(each) for each in found]

    async def get(self, id: str, who: str = "") -> dict[str, Any]:  # noqa: A002
        """One instance of ``Person``."""
        return dict(json.loads(await self.engine.find_by_id(self.db, "Person", id, who=who)))


def dump(document: Any) -> bytes:
    """A document as a client sends it."""
    return json.dumps(document).encode()


def person(
    *indexes: Index,
    schema: dict[str, Any] | None = None,
    validator: str = "",
    filter: str = "",  # noqa: A002
) -> CollectionConfig:
    """A configuration of the collection ``Person``."""
    return CollectionConfig("Person", dump(schema or PERSON), indexes, validator, filter)


@asynccontextmanager
async def running(
    path: Path | None = None,
    *,
    settings: EngineSettings | None = None,
    db: ThreadID | None = None,
    host: Identity | None = None,
    clock: Callable[[], int] | None = None,
) -> AsyncIterator[Bench]:
    """An engine and a database: in memory, or in a file, made there unless ``db`` is given."""
    clock = clock or Clock()
    host = host or Identity.generate()
    store = MemoryStore() if path is None else SqliteStore.open(path, fsync=False)
    async with (
        StoreRunner(store) as runner,
        ThreadDatabases(runner, host=host, clock=clock, settings=settings) as engine,
    ):
        if db is None:
            db = ThreadID.random()
            new = NewDatabase(db)
            await transact(
                runner,
                lambda view: (
                    plan_database(view, new, [], host.public, clock(), engine.scripts),
                    None,
                ),
            )
        yield Bench(engine, runner, host, db)
