"""When the hub collects garbage, and what it must not: everything below the roots of its buckets."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Self

from textile_aio._codec.cid import Cid
from textile_aio.errors import InvalidInput
from textile_aio.localhub.buckets.collection import COLLECTION
from textile_aio.storage.collector import Collector
from textile_aio.storage.store import StoreError, View

log: logging.Logger = logging.getLogger("textile_aio.localhub")


def bucket_roots(view: View) -> Iterator[bytes]:
    """The roots of all buckets, in binary form.

    Those that pushes have set, and those that documents name: whoever may save a bucket's document through
    the threads service can point it elsewhere.
    """
    for root in view.roots():
        yield root.cid
    for database in view.databases():
        if view.collection(database.thread, COLLECTION) is None:
            continue
        for document in view.scan(database.thread, COLLECTION):
            with suppress(InvalidInput, ValueError, TypeError, AttributeError, KeyError):
                yield Cid.parse(json.loads(document.body)["path"].removeprefix("/ipfs/")).bytes


class PeriodicCollection:
    """Collects again and again while the context is open. What fails is logged, and tried again."""

    def __init__(
        self,
        collector: Collector,
        every: float,
        *,
        pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._collector = collector
        self._every = every
        self._pause = pause
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="textile-hub-collector")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while True:
            await self._pause(self._every)
            try:
                collected = await self._collector.collect()
            except StoreError as error:
                log.warning("collecting garbage failed: %s", error)
                continue
            except Exception:
                log.exception("collecting garbage failed")
                continue
            if collected.blocks:
                log.info("gave back %d blocks of %d bytes", collected.blocks, collected.bytes)
