"""Which hub the application uses, and with which key.

With ``TEXTILE_TARGET``, ``TEXTILE_API_KEY`` and ``TEXTILE_API_SECRET`` it is one elsewhere. Otherwise the
application runs one of its own, makes an account and a key there the first time, and keeps the key beside it.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from textile_aio.localhub import LocalHub


@dataclass(frozen=True)
class Place:
    """Where the hub is, and the key of the user group that the application's users belong to."""

    target: str
    key: str
    secret: str


@asynccontextmanager
async def opened(data: Path) -> AsyncIterator[Place]:
    """The hub, for as long as the block lasts."""
    if target := os.environ.get("TEXTILE_TARGET"):
        yield Place(target, os.environ["TEXTILE_API_KEY"], os.environ["TEXTILE_API_SECRET"])
        return
    async with LocalHub.open(data / "hub") as hub:
        kept = data / "key.json"
        if not kept.exists():
            account = await hub.create_account("shelf")
            made = await hub.create_key(account, secure=True, user_group=True)
            await asyncio.to_thread(keep, kept, Place("", made.key, made.secret or ""))
        place = json.loads(await asyncio.to_thread(kept.read_text))
        yield Place(hub.target, place["key"], place["secret"])


def keep(file: Path, place: Place) -> None:
    """Write the key, for nobody else to read."""
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as target:  # noqa: PTH123
        json.dump(asdict(place), target)
