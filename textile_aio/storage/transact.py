"""Prepare on a snapshot, apply behind the fence, and again when somebody else was faster.

Writers of one database apply one after the other, each in its turn, so that each gets through however many
there are. Whoever holds the turn knows that nobody else writes.
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
    apply = apply or runner.apply_to_end
    batch, result = await runner.read(prepare)
    if batch.database is None:
        await apply(batch)
        return result
    async with runner.turns.hold(batch.database):
        for _ in range(_ATTEMPTS):
            try:
                await apply(batch)
            except Moved:
                batch, result = await runner.read(prepare)
            else:
                return result
    raise Aborted("too many writers at once; nothing was written, try again", code=StatusCode.ABORTED)


async def in_turn(runner: StoreRunner, name: bytes, prepare: Callable[[View], tuple[Batch | None, T]]) -> T:
    """As :func:`transact`, for what no fence protects: ``name``'s turn is held from the snapshot on.

    Args:
        runner: Holds the store.
        name: Of whose turn it is: a thread's id, which is that of its database as well.
        prepare: As for :func:`transact`; without a batch nothing is written.

    Raises:
        Aborted: Writers that do not wait for their turn were faster every time.
    """
    async with runner.turns.hold(name):
        for _ in range(_ATTEMPTS):
            batch, result = await runner.read(prepare)
            if batch is None:
                return result
            try:
                await runner.apply_to_end(batch)
            except Moved:
                continue
            return result
    raise Aborted("too many writers at once; nothing was written, try again", code=StatusCode.ABORTED)
