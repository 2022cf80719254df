"""A hub with a gateway, and what is in it for everybody, for a reader, and for its owner alone."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import pytest

import textile_aio
from tests.localhub.gateway.client import Reply, get
from textile_aio import AuthContext, HubClient, Identity
from textile_aio.localhub import HubSettings, LocalHub
from textile_aio.localhub.tokens import Tokens

NOW = 1_700_000_000 * 10**9
LARGE = os.urandom(3 * 1024 * 1024 + 17)
DOMAIN = "site.example"


@dataclass
class World:
    hub: LocalHub
    client: HubClient
    ctx: AuthContext
    thread: str
    public: str
    private: str
    tokens: Mapping[str, str]

    @property
    def target(self) -> str:
        assert self.hub.gateway_target is not None
        return self.hub.gateway_target

    async def get(
        self,
        path: str | bytes,
        *,
        method: str = "GET",
        host: str = "127.0.0.1",
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        return await get(self.target, path, method=method, host=host, headers=headers)

    def bucket(self, key: str, path: str = "", caller: str = "nobody") -> str:
        """The URL of something in a bucket, with the token of a caller."""
        return f"/thread/{self.thread}/buckets/{key}{path}" + self.query(caller)

    def query(self, caller: str) -> str:
        return f"?token={self.tokens[caller]}" if self.tokens[caller] else ""

    async def push(self, key: str, path: str, content: bytes) -> None:
        await self.client.buckets.push_path(self.ctx, key, path, content)

    async def root(self, key: str) -> str:
        """The CID of a bucket's root."""
        return (await self.client.buckets.root(self.ctx, key)).path.removeprefix("/ipfs/")


FILES = {
    "index.html": b"<!doctype html><title>home</title>",
    "docs/index.html": b"<!doctype html><title>docs</title>",
    "docs/a b&c <i>.txt": b"odd name\n",
    "photos/\u00e4 100%.png": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "empty": b"",
    "plain": b"short text\n",
    "large.bin": LARGE,
    "app.js": b"export {}\n",
}


@pytest.fixture
async def world() -> AsyncIterator[World]:
    settings = HubSettings(gateway_port=0, domain=DOMAIN, clock=lambda: NOW)
    async with LocalHub.in_memory(settings) as hub, textile_aio.connect(hub.target) as client:
        key = await hub.create_key(await hub.create_account("owner"))
        start = AuthContext().with_api_key(key.key, key.secret)
        ctx = await client.threads.authorize(start, Identity.generate())
        reader = Identity.generate()
        reading = await client.threads.authorize(start, reader)
        stranger = await client.threads.authorize(start, Identity.generate())
        thread = await client.threads.new_db(ctx)
        ctx = ctx.with_thread(thread)
        public = (await client.buckets.create(ctx, "open <b>")).root.key
        private = (await client.buckets.create(ctx, "closed", private=True)).root.key
        async with client.buckets.push_paths(ctx, public, dict(FILES)) as pushed:
            async for _ in pushed:
                pass
        await client.buckets.push_path(ctx, private, "secret.txt", b"planted secret\n")
        await client.buckets.push_path(ctx, private, "large.bin", LARGE)
        await client.buckets.push_path_access_roles(
            ctx, private, "", {reader.public: textile_aio.Role.READER}
        )
        forged = Tokens(Identity.generate(), lambda: NOW).issue(reader.public)
        tokens = {
            "nobody": "",
            "the owner": ctx.token or "",
            "a reader": reading.token or "",
            "a stranger": stranger.token or "",
            "a forger": forged,
        }
        yield World(hub, client, ctx, str(thread), public, private, tokens)
