"""Rows in memory: dictionaries that can take back what was done to them, and that share until written to.

Owns undo and copy-on-write; knows nothing of what the rows mean.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import Any, Final, Generic, Self, TypeVar

K = TypeVar("K")
V = TypeVar("V")

Key = tuple[Any, ...]
"""Parts of one kind at each position, so that keys compare."""

_ABSENT: Final = object()

_CHUNK = 512
"""The most rows of a chunk."""

_Place = tuple[int, int]
"""Number of a chunk, number of a row in it, which may be one behind its last."""


class Journal:
    """What has to be undone, newest last."""

    __slots__ = ("_entries",)

    def __init__(self) -> None:
        self._entries: list[tuple[Table[Any, Any], Any, Any]] = []

    def note(self, rows: Table[Any, Any], key: object, old: object) -> None:
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
                rows._swap(key, old)


class Table(ABC, Generic[K, V]):
    """Rows by key. Subclasses say how they are kept; this says what is remembered of a write."""

    __slots__ = ("_journal",)

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    @abstractmethod
    def fork(self, journal: Journal) -> Self:
        """The same rows under another journal, copied when first written to; this one then stays as it is."""

    def get(self, key: K) -> V | None:
        """The row at ``key``."""
        found: V = self._look(key)
        return None if found is _ABSENT else found

    def put(self, key: K, row: V) -> None:
        """Insert or replace."""
        self._own()
        self._journal.note(self, key, self._swap(key, row))

    def remove(self, key: K) -> V | None:
        """Remove and return the row at ``key``, if there is one."""
        old: V = self._look(key)
        if old is _ABSENT:
            return None
        self._own()
        self._journal.note(self, key, old)
        self._drop(key)
        return old

    def __contains__(self, key: K) -> bool:
        return self._look(key) is not _ABSENT

    @abstractmethod
    def _look(self, key: K) -> Any:
        """The row at ``key``, or ``_ABSENT``."""

    @abstractmethod
    def _own(self) -> None:
        """Share nothing any more that is about to be written to."""

    @abstractmethod
    def _swap(self, key: K, row: V) -> Any:
        """Insert or replace; returns the former row, or ``_ABSENT``."""

    @abstractmethod
    def _drop(self, key: K) -> None:
        """Remove the row at ``key``, which is there."""


class Rows(Table[K, V]):
    """Rows in no order, found at once and copied as a whole."""

    __slots__ = ("_rows", "_shared")

    def __init__(self, journal: Journal) -> None:
        super().__init__(journal)
        self._rows: dict[K, V] = {}
        self._shared = False

    def fork(self, journal: Journal) -> Self:
        """See :meth:`Table.fork`."""
        other = type(self)(journal)
        other._rows = self._rows
        other._shared = True
        return other

    def __iter__(self) -> Iterator[K]:
        return iter(self._rows)

    def _look(self, key: K) -> Any:
        return self._rows.get(key, _ABSENT)

    def _own(self) -> None:
        if self._shared:
            self._rows = self._rows.copy()
            self._shared = False

    def _swap(self, key: K, row: V) -> Any:
        old = self._look(key)
        self._rows[key] = row
        return old

    def _drop(self, key: K) -> None:
        del self._rows[key]


class _Chunk(Generic[V]):
    """Some neighbouring rows. Only the table whose mark it bears writes to it."""

    __slots__ = ("keys", "mark", "rows")

    def __init__(self, mark: object, keys: list[Key], rows: list[V]) -> None:
        self.mark = mark
        self.keys = keys
        self.rows = rows


class Ordered(Table[Key, V]):
    """Rows by tuple keys that can be walked in order, from any prefix.

    They are kept in chunks: an insertion moves, and a write to shared rows copies, a chunk and not a table.
    """

    __slots__ = ("_chunks", "_firsts", "_mark", "_shared")

    def __init__(self, journal: Journal) -> None:
        super().__init__(journal)
        self._chunks: list[_Chunk[V]] = []  # none is empty
        self._firsts: list[Key] = []  # the first key of each chunk
        self._mark = object()
        self._shared = False

    def fork(self, journal: Journal) -> Self:
        """See :meth:`Table.fork`."""
        other = type(self)(journal)
        other._chunks, other._firsts = self._chunks, self._firsts
        other._shared = True
        return other

    def under(self, *prefix: Any, since: Any = None) -> Iterator[V]:
        """The rows whose key begins with ``prefix``, and then with no less than ``since``, in order."""
        start = self._before(prefix if since is None else (*prefix, since))
        return (row for _, row in self._walk(start, self._after(prefix)))

    def between(
        self, *prefix: Any, low: Any, high: Any = None, reverse: bool = False
    ) -> Iterator[tuple[Key, V]]:
        """Keys that begin with ``prefix`` and then ``low <= part < high``, with their rows."""
        start = self._before((*prefix, low))
        end = self._after(prefix) if high is None else self._before((*prefix, high))
        return self._walk(start, end, reverse=reverse)

    def remove_under(self, *prefix: Any) -> None:
        """Remove every row whose key begins with ``prefix``."""
        start, end = self._before(prefix), self._after(prefix)
        if start == end:
            return
        self._own()
        for key, row in self._walk(start, end):
            self._journal.note(self, key, row)
        left = []
        for at in range(start[0], min(end[0] + 1, len(self._chunks))):
            chunk = self._mine(at)
            gone = slice(start[1] if at == start[0] else 0, end[1] if at == end[0] else None)
            del chunk.keys[gone], chunk.rows[gone]
            if chunk.keys:
                left.append(chunk)
        self._chunks[start[0] : end[0] + 1] = left
        self._firsts[start[0] : end[0] + 1] = [chunk.keys[0] for chunk in left]

    def _look(self, key: Key) -> Any:
        at, index = self._before(key)
        if at < len(self._chunks):
            chunk = self._chunks[at]
            if index < len(chunk.keys) and chunk.keys[index] == key:
                return chunk.rows[index]
        return _ABSENT

    def _own(self) -> None:
        if self._shared:
            self._chunks, self._firsts = self._chunks.copy(), self._firsts.copy()
            self._shared = False

    def _swap(self, key: Key, row: V) -> Any:
        at, index = self._before(key)
        if not self._chunks:
            self._chunks.append(_Chunk(self._mark, [], []))
            self._firsts.append(key)
        chunk = self._mine(at)
        keys, rows = chunk.keys, chunk.rows
        if index < len(keys) and keys[index] == key:
            old, rows[index] = rows[index], row
            return old
        keys.insert(index, key)
        rows.insert(index, row)
        self._firsts[at] = keys[0]
        if len(keys) > _CHUNK:
            half = _CHUNK // 2
            self._chunks.insert(at + 1, _Chunk(self._mark, keys[half:], rows[half:]))
            self._firsts.insert(at + 1, keys[half])
            del keys[half:], rows[half:]
        return _ABSENT

    def _drop(self, key: Key) -> None:
        at, index = self._before(key)
        chunk = self._mine(at)
        del chunk.keys[index], chunk.rows[index]
        if chunk.keys:
            self._firsts[at] = chunk.keys[0]
        else:
            del self._chunks[at], self._firsts[at]

    def _mine(self, at: int) -> _Chunk[V]:
        chunk = self._chunks[at]
        if chunk.mark is not self._mark:
            chunk = self._chunks[at] = _Chunk(self._mark, chunk.keys.copy(), chunk.rows.copy())
        return chunk

    def _before(self, key: Key) -> _Place:
        """Where ``key`` is or would be, which is before all keys that begin with it."""
        at = max(bisect_right(self._firsts, key) - 1, 0)
        return (at, bisect_left(self._chunks[at].keys, key) if self._chunks else 0)

    def _after(self, prefix: Key) -> _Place:
        """Where the keys that begin with ``prefix`` end."""
        width = len(prefix)

        def cut(key: Key) -> Key:
            return key[:width]

        at = max(bisect_right(self._firsts, prefix, key=cut) - 1, 0)
        return (at, bisect_right(self._chunks[at].keys, prefix, key=cut) if self._chunks else 0)

    def _walk(self, start: _Place, end: _Place, *, reverse: bool = False) -> Iterator[tuple[Key, V]]:
        chunks = range(start[0], min(end[0] + 1, len(self._chunks)))
        for at in reversed(chunks) if reverse else chunks:
            chunk = self._chunks[at]
            first = start[1] if at == start[0] else 0
            last = end[1] if at == end[0] else len(chunk.keys)
            inside = range(first, last)
            for index in reversed(inside) if reverse else inside:
                yield chunk.keys[index], chunk.rows[index]
