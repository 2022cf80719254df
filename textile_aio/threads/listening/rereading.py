"""What changed while nobody listened, as far as reading can tell.

A Go hub has no history of changes; each instance carries the time of its last write, though, so those that
were written since are found by a query. Deletions leave no trace.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from textile_aio.auth import AuthContext
from textile_aio.errors import CollectionNotFound
from textile_aio.ids import ThreadID
from textile_aio.threads.definitions import CollectionCalls
from textile_aio.threads.instances import InstanceCalls
from textile_aio.threads.listening.values import Change, ChangeAction, ListenFilter
from textile_aio.threads.query.builder import where

_ROUNDING = 1024
"""Nanoseconds that a time may be off by after it has passed through a float64 twice."""


@dataclass(frozen=True, slots=True)
class Rereader:
    """Reads what was written since some time, for one listener."""

    instances: InstanceCalls
    collections: CollectionCalls
    thread: ThreadID
    filters: Sequence[ListenFilter]

    async def changes(self, ctx: AuthContext, since: int) -> AsyncIterator[Change]:
        """Instances written at ``since`` (by the hub's clock) or later that a filter wants."""
        query = where("_mod") >= float(max(since - _ROUNDING, 0))
        for name in await self._names(ctx):
            try:
                async for document in self.instances.find_iter(ctx, self.thread, name, query):
                    if self._wanted(name, document):
                        yield Change(
                            name,
                            str(document.get("_id", "")),
                            ChangeAction.SAVE,
                            instance=document,
                            is_repeat=True,
                        )
            except CollectionNotFound:
                continue  # Deleted, or not made yet.

    async def _names(self, ctx: AuthContext) -> list[str]:
        wanted = [each for each in self.filters if each.action is not ChangeAction.DELETE]
        if self.filters and not wanted:
            return []
        if wanted and all(each.collection for each in wanted):
            return sorted({each.collection for each in wanted})
        return sorted(info.name for info in await self.collections.list_collections(ctx, self.thread))

    def _wanted(self, name: str, document: dict[str, Any]) -> bool:
        return not self.filters or any(
            each.action is not ChangeAction.DELETE
            and each.collection in ("", name)
            and each.id in ("", document.get("_id"))
            for each in self.filters
        )
