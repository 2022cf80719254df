"""Prepare on a snapshot, apply behind the fence, and again when somebody else was faster.

Writers of one database that got into each other's way go on one after the other, so that each gets through
however many there are; a writer that meets nobody takes no lock.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from textile_aio.errors import Aborted, StatusCode
from textile_aio.storage.changes import Batch
from textile_aio.storage.runner import StoreRunner
from textile_aio.storage.store import Moved, View

T = TypeVar("T")

_ATTEMPTS = 16


async def transact(
    runner: StoreRunner,
    prepare: Callable[[View], tuple[Batch, T]],
    *,
    apply: Callable[[Batch], Awaitable[None]] | None = None,
) -> T:
    """Write what ``prepare`` decides, and return its second value.

    Args:
        runner: Holds the store.
        prepare: May run several times, each on a newer snapshot; it must only read.
        apply: Applies in the runner's stead, for callers who have to know how each attempt ended.

    Raises:
        Aborted: Writers that do not wait for their turn were faster every time.
    """
    apply = apply or runner.apply
    batch, result = await runner.read(prepare)
    if not runner.turns.held(batch.database):
        try:
            await apply(batch)
        except Moved:
            pass
        else:
            return result
    async with runner.turns.hold(batch.database):
        for _ in range(_ATTEMPTS):
            batch, result = await runner.read(prepare)
            try:
                await apply(batch)
            except Moved:
                continue
            return result
    raise Aborted("too many writers at once; nothing was written, try again", code=StatusCode.ABORTED)
