"""Unmodified local databases of JavaScript: pushed to our hub, pulled from it, as the same caller as ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.interop.jsclients import LOCAL, JsPair
from tests.interop.peer import PeerError, PeerObject
from textile_aio import AuthContext, ThreadID

pytestmark = [pytest.mark.timeout(180), pytest.mark.usefixtures("js_native_packages")]

DOGS = {
    "name": "dogs",
    "schema": {
        "type": "object",
        "properties": {"_id": {"type": "string"}, "name": {"type": "string"}, "age": {"type": "integer"}},
        "required": ["_id", "name"],
    },
    "indexes": [{"path": "name"}],
}


@dataclass(frozen=True)
class Local:
    """A local database of theirs, its remote, and our client in the same thread."""

    pair: JsPair
    database: PeerObject
    remote: PeerObject
    dogs: PeerObject
    thread: ThreadID
    ctx: AuthContext

    async def here(self) -> dict[str, dict[str, Any]]:
        """What the local database has, without ``_mod``."""
        found = await (await self.dogs.call("find", {})).call("toArray")
        return {dog["_id"]: {name: dog[name] for name in dog if name != "_mod"} for dog in found}

    async def there(self) -> dict[str, dict[str, Any]]:
        """What the hub has, without ``_mod``."""
        found = await self.pair.ours.threads.find(self.ctx, None, "dogs")
        return {dog["_id"]: {name: dog[name] for name in dog if name != "_mod"} for dog in found}


async def opened(pair: JsPair, name: str) -> tuple[PeerObject, PeerObject]:
    """A local database that may call the hub, and its remote."""
    database = await pair.js.make(LOCAL, "Database", name, DOGS)
    await database.call("open", 1)
    remote = await database.get("remote")
    await remote.call("set", {"serviceHost": pair.host})
    if pair.key is not None:
        await remote.call("setKeyInfo", pair.key)
    await remote.call("authorize", pair.identity)
    return database, remote


@pytest.fixture
async def local(js_pair: JsPair) -> Local:
    database, remote = await opened(js_pair, "kennel")
    thread = ThreadID.random()
    assert await remote.call("initialize", thread) == str(thread)
    dogs = await database.call("collection", "dogs")
    return Local(js_pair, database, remote, dogs, thread, js_pair.at(thread))


async def test_a_local_database_makes_its_remote(local: Local) -> None:
    (config,) = await local.pair.ours.threads.list_collections(local.ctx)
    assert config.name == "dogs"
    assert (await local.pair.ours.threads.get_db_info(local.ctx)).name == "kennel"
    info = await local.remote.call("info")
    assert str(local.thread) in info["addrs"][0]


async def test_a_remote_is_made_once(local: Local) -> None:
    assert await local.remote.call("initialize", local.thread) == str(local.thread)
    assert await local.remote.call("initialize") == str(local.thread)


async def test_local_changes_are_pushed(local: Local) -> None:
    (lucky,) = await local.dogs.call("insert", {"name": "Lucky", "age": 3})
    await local.dogs.call("insert", {"name": "Max"}, {"_id": "rex", "name": "Rex"})
    await local.dogs.call("save", {"_id": lucky, "name": "Lucky", "age": 4})
    await local.dogs.call("delete", "rex")
    await local.remote.call("push", "dogs")
    assert await local.there() == await local.here()
    assert (await local.there())[lucky] == {"_id": lucky, "name": "Lucky", "age": 4}


async def test_changes_of_others_are_pulled(local: Local) -> None:
    await local.dogs.call("insert", {"_id": "a", "name": "A"}, {"_id": "b", "name": "B"})
    await local.remote.call("push", "dogs")
    threads = local.pair.ours.threads
    await threads.save(local.ctx, None, "dogs", [{"_id": "a", "name": "AA"}])
    await threads.delete(local.ctx, None, "dogs", ["b"])
    await threads.create(local.ctx, None, "dogs", [{"_id": "c", "name": "C"}])
    changed = await local.remote.call("pull", "dogs")
    assert await local.here() == {"a": {"_id": "a", "name": "AA"}, "c": {"_id": "c", "name": "C"}}
    assert {"a", "c"} <= set(changed)
    assert await local.there() == await local.here()


async def test_unpushed_changes_stop_a_pull(local: Local) -> None:
    await local.dogs.call("insert", {"_id": "a", "name": "A"})
    with pytest.raises(PeerError, match="Unpushed local changes"):
        await local.remote.call("pull", "dogs")
    await local.remote.call("createStash")
    await local.pair.ours.threads.create(local.ctx, None, "dogs", [{"_id": "c", "name": "C"}])
    await local.remote.call("pull", "dogs")
    await local.remote.call("applyStash", "dogs")
    await local.remote.call("push", "dogs")
    assert set(await local.there()) == {"a", "c"}


async def test_a_refused_push_leaves_the_database_usable(local: Local) -> None:
    """Their push discards its transaction and leaves the stream open."""
    strict = {**DOGS["schema"], "required": ["_id", "name", "age"]}  # type: ignore[dict-item]
    await local.pair.threads.call("updateCollection", local.thread, {"name": "dogs", "schema": strict})
    await local.dogs.call("insert", {"_id": "a", "name": "A"})
    with pytest.raises(PeerError, match=r"instance doesn't correspond to schema: \(root\): age is required"):
        await local.remote.call("push", "dogs")
    await local.pair.ours.threads.create(local.ctx, None, "dogs", [{"_id": "b", "name": "B", "age": 1}])
    assert set(await local.there()) == {"b"}
    assert set(await local.here()) == {"a"}


async def test_two_local_databases_meet_at_the_hub(local: Local) -> None:
    database, remote = await opened(local.pair, "second")
    await remote.call("set", {"id": str(local.thread)})
    dogs = await database.call("collection", "dogs")
    await local.dogs.call("insert", {"_id": "a", "name": "A"})
    await local.remote.call("push", "dogs")
    await remote.call("pull", "dogs")
    assert (await dogs.call("findById", "a"))["name"] == "A"
    await dogs.call("save", {"_id": "a", "name": "AA"})
    await remote.call("push", "dogs")
    await local.remote.call("pull", "dogs")
    assert (await local.here())["a"]["name"] == "AA"
