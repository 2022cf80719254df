"""Prepare on a snapshot, apply behind the fence, and again when somebody else was faster."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from textile_aio.errors import Aborted, StatusCode
from textile_aio.storage.changes import Batch
from textile_aio.storage.runner import StoreRunner
from textile_aio.storage.store import Moved, View

T = TypeVar("T")

_ATTEMPTS = 16


async def transact(runner: StoreRunner, prepare: Callable[[View], tuple[Batch, T]]) -> T:
    """Write what ``prepare`` decides, and return its second value.

    ``prepare`` may run several times, each on a newer snapshot; it must only read.

    Raises:
        Aborted: Other writers were faster every time.
    """
    for _ in range(_ATTEMPTS):
        batch, result = await runner.read(prepare)
        try:
            await runner.apply(batch)
        except Moved:
            continue
        return result
    raise Aborted("too many writers at once; nothing was written, try again", code=StatusCode.ABORTED)
