"""From ``connect("local")``, ``connect("local:PATH")`` and ``connect("memory:")`` to a hub that serves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio

from textile_aio.errors import DirectoryInUse
from textile_aio.localhub.directory import default_directory, read_address
from textile_aio.localhub.hub import LocalHub

_PATIENCE = 5.0
_PAUSE = 0.02


@dataclass(frozen=True, slots=True)
class Attached:
    """A hub to talk to. ``hub`` is None where another process runs it."""

    target: str
    hub: LocalHub | None


@asynccontextmanager
async def attach_local(path: Path | None) -> AsyncIterator[Attached]:
    """The hub of a data directory (None: the platform's usual one), here or in the process that has it.

    Raises:
        DirectoryInUse: Another process has it and does not say where it serves.
        HubError: As :meth:`LocalHub.open`.
    """
    where = path or default_directory()
    async with AsyncExitStack() as stack:
        try:
            hub = await stack.enter_async_context(LocalHub.open(where))
        except DirectoryInUse as error:
            attached = Attached(await _wait_for_address(where, error), None)
        else:
            attached = Attached(hub.target, hub)
        yield attached


@asynccontextmanager
async def attach_memory() -> AsyncIterator[Attached]:
    """A new hub that keeps nothing."""
    async with LocalHub.in_memory() as hub:
        yield Attached(hub.target, hub)


async def _wait_for_address(path: Path, error: DirectoryInUse) -> str:
    """Whoever has just locked the directory says within moments where it serves."""
    with anyio.move_on_after(_PATIENCE):
        while True:
            address = await anyio.to_thread.run_sync(read_address, path)
            if address is not None:
                return address.target
            await anyio.sleep(_PAUSE)
    raise error
