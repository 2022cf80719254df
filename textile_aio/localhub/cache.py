"""A bounded read-through cache whose entries never outlive an invalidation."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class ReadThrough(Generic[K, V]):
    """Keeps what ``load`` returned for the keys asked for last; ``None`` (absent) is not kept.

    The one process that may write is this one, so an entry is true until :meth:`forget`.
    """

    def __init__(self, load: Callable[[K], Awaitable[V | None]], *, size: int = 4096) -> None:
        self._load = load
        self._size = size
        self._entries: OrderedDict[K, V] = OrderedDict()
        self._generation = 0

    async def get(self, key: K) -> V | None:
        """The value, from memory or from the store."""
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
            return entry
        generation = self._generation
        value = await self._load(key)
        # What was read before an invalidation may be stale after it: return it, but do not keep it.
        if value is not None and generation == self._generation:
            self._entries[key] = value
            if len(self._entries) > self._size:
                self._entries.popitem(last=False)
        return value

    def forget(self, key: K) -> None:
        """Read ``key`` anew next time. Call it after the write is durable."""
        self._generation += 1
        self._entries.pop(key, None)

    def clear(self) -> None:
        """Read everything anew."""
        self._generation += 1
        self._entries.clear()
