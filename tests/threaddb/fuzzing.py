"""What hostile input has to be met with: a typed error or an answer, within seconds, and nothing is lost."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.faults.audit import Audit
from tests.threaddb.engine_fixtures import Bench, running
from textile_aio.errors import TextileError
from textile_aio.threaddb.collections import CollectionConfig

SECONDS = 20.0
"""No call takes so long, on a machine that has a lot to do."""

ANYTHING = (
    b'{"properties":{"_id":{"type":"string"},"email":{"type":"string"},"age":{"type":"number"},"name":{}}}'
)

LONGEST_TEXT = 10_000
"""An error says what is wrong with the input, and does not repeat it."""

TOKENS = [
    b"null", b"{}", b"[]", b"1e9", b'"\\ud800"', b"-1", b"true", b",", b'{"a":1}', b"9" * 400, b"1e999",
    b"\xff", b"\0", b"[" * 300, b'"' + b"x" * 2000 + b'"',
]  # fmt: skip


@asynccontextmanager
async def standing(path: Path | None, config: CollectionConfig) -> AsyncIterator[Bench]:
    """An engine under attack: whatever happened in the block, it works afterwards and nothing is lost."""
    async with running(path) as bench:
        await bench.engine.new_collection(bench.db, config)
        await bench.engine.new_collection(bench.db, CollectionConfig("Witness", ANYTHING))
        await bench.engine.create(bench.db, "Witness", [b'{"_id":"before"}'], who="")
        yield bench
        await bench.engine.create(bench.db, "Witness", [b'{"_id":"after"}'], who="")
        assert len(await bench.engine.find(bench.db, "Witness", b"null", who="")) == 2
        await bench.store.read(Audit(bench.db).check)


async def met(call: Coroutine[Any, Any, Any]) -> tuple[Any, TextileError | None]:
    """What a call returned, or the typed error it raised; anything else fails."""
    async with asyncio.timeout(SECONDS):
        try:
            return await call, None
        except TextileError as caught:
            error = caught
    assert len(error.message) < LONGEST_TEXT
    assert str(error).encode()
    return None, error


def mutated(text: bytes, rng: random.Random) -> bytes:
    """A text with a few bytes changed, taken out, or put in."""
    changed = bytearray(text)
    for _ in range(rng.choice([1, 2, 5])):
        at = rng.randrange(len(changed) + 1)
        match rng.randrange(3):
            case 0:
                changed[at : at + 1] = bytes([rng.randrange(256)])
            case 1:
                del changed[at : at + rng.randrange(1, 9)]
            case _:
                changed[at:at] = rng.choice(TOKENS)
    return bytes(changed)
