"""Keeps a bucket's entries in step with its tree, and remembers what was touched for the rules.

Spec: buckets-api §4 "Metadata bookkeeping per write", with whole segments where upstream compares
string prefixes.
"""

from __future__ import annotations

import bisect
from collections.abc import Mapping
from dataclasses import replace

from textile_aio.errors import PathNotFound, StatusCode
from textile_aio.localhub.buckets.document import Entry
from textile_aio.localhub.buckets.rules import MetadataChange


class MetadataEdit:
    """A working copy of a bucket's entries as its writer sees them.

    One upsert costs the same however many entries there are, since a push may make thousands.
    """

    def __init__(self, entries: Mapping[str, Entry], now: int) -> None:
        self._before = entries
        self._now = now
        self.entries: dict[str, Entry] = dict(entries)
        self.changes: dict[str, MetadataChange] = {}
        self._order = sorted(entries)
        self._whole: set[str] = set()

    def put_file(self, path: str) -> Mapping[str, MetadataChange]:
        """A file now stands at ``path``, and nothing below it. Returns what that changes."""
        change = self.touch(path)
        gone = self._remove_below(path)
        return {path: change} | {below: self.changes[below] for below in gone if below in self.changes}

    def touch(self, path: str) -> MetadataChange:
        """Something was put at ``path``; what is noted below it stays."""
        previous = self.entries.get(path)
        if previous is None:
            bisect.insort(self._order, path)
            self.entries[path] = Entry(self._now)
        else:
            self.entries[path] = replace(previous, updated_at=self._now)
        # An entry that is new to the writer brings its (empty) roles along, which counts as setting them.
        change = self.changes[path] = MetadataChange(touches_roles=path not in self._before)
        return change

    def set_roles(self, path: str, roles: Mapping[str, int], key: str) -> None:
        """Who may do what at ``path``, and the file key there (empty in a public bucket)."""
        self.touch(path)
        self.entries[path] = Entry(self._now, roles, key)
        self.changes[path] = MetadataChange(touches_roles=True)
        self._whole.add(path)

    def set_key(self, path: str, key: str) -> None:
        """Another file key at a path that has one already."""
        self.touch(path)
        self.entries[path] = replace(self.entries[path], key=key)
        self._whole.add(path)

    def remove_below(self, path: str) -> None:
        """Nothing stands below ``path`` any more."""
        self._remove_below(path)

    def remove(self, path: str) -> None:
        """Nothing stands at ``path`` any more."""
        if path in self.entries:
            self._delete(path)
        self._remove_below(path)

    def onto(self, stored: Mapping[str, Entry]) -> dict[str, Entry]:
        """The stored entries with this edit's changes; what the writer cannot see stays as it is."""
        merged = dict(stored)
        for path, change in self.changes.items():
            if change.deletes:
                merged.pop(path, None)
            elif path in merged and path not in self._whole:
                merged[path] = replace(merged[path], updated_at=self.entries[path].updated_at)
            else:
                merged[path] = self.entries[path]
        return merged

    def _remove_below(self, path: str) -> list[str]:
        prefix = f"{path}/" if path else ""
        first = bisect.bisect_left(self._order, prefix)
        last = first
        while last < len(self._order) and self._order[last].startswith(prefix):
            last += 1
        gone = [each for each in self._order[first:last] if each]
        for below in gone:
            self._delete(below)
        return gone

    def _delete(self, path: str) -> None:
        del self.entries[path]
        del self._order[bisect.bisect_left(self._order, path)]
        if path in self._before:
            self.changes[path] = MetadataChange(deletes=True)
        else:
            self.changes.pop(path, None)


def nearest(entries: Mapping[str, Entry], path: str) -> Entry:
    """The entry that applies at ``path``: its own, or the closest ancestor's.

    Raises:
        PathNotFound: There is none that the caller may see.
    """
    probe = path
    while True:
        entry = entries.get(probe)
        if entry is not None:
            return entry
        if not probe:
            raise PathNotFound(f"could not resolve path: {path}", code=StatusCode.UNKNOWN, about=path)
        probe = probe.rpartition("/")[0]
