"""Rows in memory: dictionaries that can take back what was done to them, and that share until written to.

Owns undo and copy-on-write; knows nothing of what the rows mean.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from typing import Any, Generic, Self, TypeVar

K = TypeVar("K")
V = TypeVar("V")

Key = tuple[Any, ...]
"""Parts of one kind at each position, so that keys compare."""

_ABSENT: Any = object()


class Journal:
    """What has to be undone, newest last."""

    __slots__ = ("_entries",)

    def __init__(self) -> None:
        self._entries: list[tuple[Rows[Any, Any], Any, Any]] = []

    def note(self, rows: Rows[Any, Any], key: object, old: object) -> None:
        """Remember what a key held before."""
        self._entries.append((rows, key, old))

    def forget(self) -> None:
        """Keep everything done so far."""
        self._entries.clear()

    def undo(self) -> None:
        """Take back everything done since the last :meth:`forget`."""
        while self._entries:
            rows, key, old = self._entries.pop()
            if old is _ABSENT:
                rows._drop(key)
            else:
                rows._set(key, old)


class Rows(Generic[K, V]):
    """Rows by key, in no order."""

    __slots__ = ("_journal", "_rows", "_shared")

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._rows: dict[K, V] = {}
        self._shared = False

    def fork(self, journal: Journal) -> Self:
        """The same rows under another journal, copied when first written to; this one then stays as it is."""
        other = type(self)(journal)
        other._rows = self._rows
        other._shared = True
        return other

    def get(self, key: K) -> V | None:
        """The row at ``key``."""
        return self._rows.get(key)

    def at(self, key: K) -> V:
        """The row at ``key``, which is there."""
        return self._rows[key]

    def put(self, key: K, row: V) -> None:
        """Insert or replace."""
        self._own()
        self._journal.note(self, key, self._rows.get(key, _ABSENT))
        self._set(key, row)

    def remove(self, key: K) -> V | None:
        """Remove and return the row at ``key``, if there is one."""
        if key not in self._rows:
            return None
        self._own()
        old = self._rows[key]
        self._journal.note(self, key, old)
        self._drop(key)
        return old

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    def __iter__(self) -> Iterator[K]:
        return iter(self._rows)

    def _own(self) -> None:
        if self._shared:
            self._rows = self._rows.copy()
            self._shared = False

    def _set(self, key: K, row: V) -> None:
        self._rows[key] = row

    def _drop(self, key: K) -> None:
        del self._rows[key]


class Ordered(Rows[Key, V]):
    """Rows by tuple keys that can be walked in order, from any prefix."""

    __slots__ = ("_keys",)

    def __init__(self, journal: Journal) -> None:
        super().__init__(journal)
        self._keys: list[Key] = []

    def fork(self, journal: Journal) -> Self:
        """See :meth:`Rows.fork`."""
        other = super().fork(journal)
        other._keys = self._keys
        return other

    def keys_under(self, *prefix: Any, since: Any = None) -> Iterator[Key]:
        """Keys that begin with ``prefix``, in order; with ``since``, those whose next part is not less."""
        keys, width = self._keys, len(prefix)
        start = bisect_left(keys, prefix if since is None else (*prefix, since))
        for index in range(start, len(keys)):
            key = keys[index]
            if key[:width] != prefix:
                return
            yield key

    def under(self, *prefix: Any, since: Any = None) -> Iterator[V]:
        """The rows at :meth:`keys_under`."""
        return (self._rows[key] for key in self.keys_under(*prefix, since=since))

    def keys_between(self, *prefix: Any, low: Any, high: Any = None, reverse: bool = False) -> Iterator[Key]:
        """Keys that begin with ``prefix`` and whose next part is at least ``low`` and less than ``high``."""
        keys = self._keys
        start = bisect_left(keys, (*prefix, low))
        end = self._end(prefix) if high is None else bisect_left(keys, (*prefix, high))
        order = range(start, end)
        return (keys[index] for index in (reversed(order) if reverse else order))

    def remove_under(self, *prefix: Any) -> None:
        """Remove every row whose key begins with ``prefix``."""
        start, end = bisect_left(self._keys, prefix), self._end(prefix)
        if start == end:
            return
        self._own()
        for key in self._keys[start:end]:
            self._journal.note(self, key, self._rows.pop(key))
        del self._keys[start:end]

    def _end(self, prefix: Key) -> int:
        width = len(prefix)
        return bisect_right(self._keys, prefix, key=lambda key: key[:width])

    def _own(self) -> None:
        if self._shared:
            self._keys = self._keys.copy()
        super()._own()

    def _set(self, key: Key, row: V) -> None:
        if key not in self._rows:
            insort(self._keys, key)
        super()._set(key, row)

    def _drop(self, key: Key) -> None:
        super()._drop(key)
        del self._keys[bisect_left(self._keys, key)]
