"""The row that tracks a new thread for its owner, written in one step with the thread."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from textile_aio.localhub.access.ownership import Ownership, duplicate
from textile_aio.storage.changes import Operation, TrackThread
from textile_aio.storage.store import Duplicate
from textile_aio.storage.values import TrackedThread


@asynccontextmanager
async def claimed(
    ownership: Ownership | None, claim: TrackedThread | None
) -> AsyncIterator[tuple[Operation, ...]]:
    """What has to be written with the thread, while no other claim of the owner is; nothing without accounts.

    Raises:
        QuotaExceeded, AlreadyExists: The owner has too many threads, or the thread or its name already.
    """
    if ownership is None or claim is None:
        yield ()
        return
    async with ownership.claiming(claim):
        try:
            yield (TrackThread(claim),)
        except Duplicate as error:
            if not error.what.startswith("tracked"):
                raise
            raise duplicate() from None  # by a claim whose caller went away meanwhile
