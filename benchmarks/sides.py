"""The two ends of what is measured: hubs, servers and clients, each a process of its own.

A hub is a real one, in ``hub`` mode unless told otherwise, with everything that its doors check: a secure
key, whose signature each call carries, and a user's token.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import textile_aio
from benchmarks.process import Process, started
from textile_aio import AuthContext, Identity
from textile_aio.localhub import LocalHub
from textile_aio.localhub.settings import Mode


@dataclass(frozen=True, slots=True)
class Hub:
    """A hub process, and a user of it with a thread."""

    process: Process
    target: str
    ctx: AuthContext
    credentials: tuple[str, ...]

    async def bucket(self) -> str:
        """The key of a new bucket."""
        async with textile_aio.connect(self.target) as client:
            return (await client.buckets.create(self.ctx, "bench")).root.key

    def client(self, module: str = "client", *, target: str = "") -> AbstractAsyncContextManager[Process]:
        """Our client to this hub, or with these credentials to another target; a module of ``peers``."""
        return started(f"benchmarks.peers.{module}", target or self.target, *self.credentials)


@asynccontextmanager
async def hub(
    data: Path, *, mode: Mode = "hub", before: Callable[[Path], None] | None = None
) -> AsyncIterator[Hub]:
    """A hub on a new data directory, which ``before`` may write into."""
    key, secret = await _new_key(data) if mode == "hub" else ("", "")
    if before is not None:
        await asyncio.to_thread(before, data)
    options = ("--data", str(data), "--port", "0", "--mode", mode)
    async with started("textile_aio.localhub", *options) as process:
        target = process.ready["target"]
        async with textile_aio.connect(target) as client:
            ctx = AuthContext().with_api_key(key, secret) if key else AuthContext()
            ctx = await client.threads.authorize(ctx, Identity.generate())
            thread = await client.threads.new_db(ctx)
        ctx = ctx.with_thread(thread)
        yield Hub(process, target, ctx, (key, secret, ctx.token or "", str(thread)))


async def _new_key(data: Path) -> tuple[str, str]:
    async with LocalHub.open(data) as hub:
        made = await hub.create_key(await hub.create_account("bench"))
        return made.key, made.secret


def stock_server() -> AbstractAsyncContextManager[Process]:
    """grpclib's server; ``ready["target"]`` says where."""
    return started("benchmarks.peers.stock_server")


def stock_client(target: str) -> AbstractAsyncContextManager[Process]:
    """grpclib's client."""
    return started("benchmarks.peers.stock_client", target)
