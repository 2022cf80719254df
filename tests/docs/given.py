"""What code blocks of the how-to and reference pages may take for granted, each made when a block names it.

``hub`` is a client of a fresh hub in memory, ``ctx`` a context with a key, a token and a thread, ``thread``
that thread with the collection ``people``, ``people`` a typed collection in it, ``bucket`` a bucket in it
with the file ``a.txt``; ``url`` is that of a bucket at a hub in a thread of its own, and ``options`` lead
there; the working directory is a fresh folder with a few files.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import pytest

import textile_aio
from textile_aio import (
    AuthContext,
    Bucket,
    Collection,
    CollectionConfig,
    HubClient,
    Identity,
    Index,
    ThreadID,
)
from textile_aio.localhub import AccountCredentials, ApiKeyCredentials, HubSettings, LocalHub
from textile_aio.pytest_plugin import HubThread

ADDRESS = "127.0.0.1:3006"
"""Stands in the pages for the address of a hub without accounts, and is replaced by that of a real one."""


@dataclass(frozen=True)
class Address:
    """Where a person lives."""

    city: str


@dataclass(frozen=True)
class Person:
    """What the collection ``people`` of the pages on typed collections holds."""

    name: Annotated[str, Index(unique=True)]
    age: Annotated[int, Index()]
    address: Address | None = None
    id: str = ""


class Given:
    """Things by name; :meth:`get` makes each once, and what they need before them."""

    def __init__(self, exits: AsyncExitStack, folder: Path) -> None:
        self._exits = exits
        self._folder = folder
        self._made: dict[str, Any] = {}
        self._makers: dict[str, Callable[[], Awaitable[Any]]] = {
            "local": self._local,
            "account": self._account,
            "api_key": self._api_key,
            "hub": self._hub,
            "identity": self._identity,
            "key_ctx": self._key_ctx,
            "ctx": self._ctx,
            "thread": self._thread,
            "people": self._people,
            "bucket": self._bucket,
            "key": self._key,
            "path": self._path,
            "open_hub": self._open_hub,
            "textile_hub": self._textile_hub,
            "options": self._options,
            "url": self._url,
        }

    @property
    def names(self) -> set[str]:
        """All that can be had."""
        return set(self._makers)

    async def get(self, name: str) -> Any:
        """The thing of that name."""
        if name not in self._made:
            self._made[name] = await self._makers[name]()
        return self._made[name]

    async def _local(self) -> LocalHub:
        return await self._exits.enter_async_context(LocalHub.in_memory())

    async def _account(self) -> AccountCredentials:
        local: LocalHub = await self.get("local")
        return await local.create_account("docs")

    async def _api_key(self) -> ApiKeyCredentials:
        local: LocalHub = await self.get("local")
        return await local.create_key(await self.get("account"), secure=True, user_group=True)

    async def _hub(self) -> HubClient:
        local: LocalHub = await self.get("local")
        return await self._exits.enter_async_context(textile_aio.connect(local.target))

    async def _identity(self) -> Identity:
        return Identity.generate()

    async def _key_ctx(self) -> AuthContext:
        key: ApiKeyCredentials = await self.get("api_key")
        return AuthContext().with_api_key(key.key, key.secret)

    async def _ctx(self) -> AuthContext:
        hub: HubClient = await self.get("hub")
        ctx = await hub.threads.authorize(await self.get("key_ctx"), await self.get("identity"))
        return ctx.with_thread(await hub.threads.new_db(ctx))

    async def _thread(self) -> ThreadID:
        hub: HubClient = await self.get("hub")
        ctx: AuthContext = await self.get("ctx")
        schema = {"properties": {"_id": {"type": "string"}, "age": {"type": "number"}}}
        await hub.threads.new_collection(ctx, None, CollectionConfig("people", schema=schema))
        assert ctx.thread is not None
        return ctx.thread

    async def _people(self) -> Collection[Person]:
        hub: HubClient = await self.get("hub")
        people = await hub.threads.collection(await self.get("ctx"), None, Person)
        await people.create(Person("Bo", 19, Address("Bern")))
        return people

    async def _bucket(self) -> Bucket:
        hub: HubClient = await self.get("hub")
        ctx: AuthContext = await self.get("ctx")
        bucket = await hub.buckets.create(ctx, "docs")
        await hub.buckets.push_path(ctx, bucket.key, "a.txt", b"as it was")
        return bucket

    async def _key(self) -> str:
        bucket: Bucket = await self.get("bucket")
        return bucket.key

    async def _path(self) -> Path:
        return self._folder / "hub"

    async def _open_hub(self) -> LocalHub:
        return await self._exits.enter_async_context(LocalHub.in_memory(HubSettings(mode="buckd")))

    async def _textile_hub(self) -> HubThread:
        return self._exits.enter_context(HubThread.running())

    async def _options(self) -> dict[str, Any]:
        import fsspec

        from textile_aio.fs import BucketFileSystem

        # As the entry point does, also where the package was installed before it had one.
        fsspec.register_implementation("bucket", BucketFileSystem, clobber=True)
        hub: HubThread = await self.get("textile_hub")
        auth = hub.new_auth()
        options: dict[str, Any] = {"target": hub.target, "ctx": auth.with_thread(hub.new_thread(auth))}
        self._exits.callback(BucketFileSystem(**options).close)
        return options

    async def _url(self) -> str:
        hub: HubThread = await self.get("textile_hub")
        options: dict[str, Any] = await self.get("options")
        return f"bucket://{hub.new_bucket(options['ctx']).key}"


def fill(folder: Path) -> None:
    """The files that pages push."""
    for name, content in {
        "a.txt": b"a",
        "b.bin": b"b" * 600_000,
        "photos/one.jpg": b"1\n",
        "photos/more/two.jpg": b"2\n",
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def public_names() -> dict[str, Any]:
    """What the examples of the reference have imported."""
    from fastapi import Depends, FastAPI
    from starlette.applications import Starlette
    from starlette.requests import HTTPConnection
    from starlette.routing import Mount

    from textile_aio import asgi, localhub

    names: dict[str, Any] = {
        "textile_aio": textile_aio,
        "Annotated": Annotated,
        "AsyncIterator": AsyncIterator,
        "Depends": Depends,
        "HTTPConnection": HTTPConnection,
        "HubThread": HubThread,
        "Mount": Mount,
        "Person": Person,
        "Starlette": Starlette,
        "app": FastAPI(),
        "asynccontextmanager": asynccontextmanager,
        "dataclass": dataclass,
        "replace": replace,
        "Path": Path,
        "pytest": pytest,
    }
    for module in (textile_aio, localhub, asgi):
        names |= {name: getattr(module, name) for name in module.__all__ if not name.startswith("_")}
    return names
