"""What a bucket should do, as a dictionary and the rules that go with it.

Knows paths and contents, nothing of hubs, blocks or messages.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


class NoDirectory(Exception):
    """A part of the path is a file."""


class Nothing(Exception):
    """There is nothing at the path."""


class Directory(Exception):
    """It is a directory."""


@dataclass
class BucketModel:
    """Files with their content, and directories, which outlive what is in them."""

    files: dict[str, bytes] = field(default_factory=dict)
    directories: set[str] = field(default_factory=set)

    def push(self, files: Mapping[str, bytes]) -> None:
        """Put files one after the other; all of them, or on an error none."""
        changed = BucketModel(dict(self.files), set(self.directories))
        for path, content in files.items():
            changed._put(path, content)
        self.files, self.directories = changed.files, changed.directories

    def remove(self, path: str) -> None:
        if any(above in self.files for above in parents(path)) or not self.holds(path):
            raise Nothing(path)
        self._clear(path)

    def read(self, path: str) -> bytes:
        if path in self.directories:
            raise Directory(path)
        if path not in self.files:
            raise Nothing(path)
        return self.files[path]

    def children(self, path: str) -> set[str]:
        """Names directly in a directory, empty for the root."""
        if path in self.files:
            return set()
        if path and path not in self.directories:
            raise Nothing(path)
        prefix = f"{path}/" if path else ""
        below = {name for name in self.files.keys() | self.directories if name.startswith(prefix)}
        return {name.removeprefix(prefix) for name in below if "/" not in name.removeprefix(prefix)}

    def holds(self, path: str) -> bool:
        return path in self.files or path in self.directories

    def _put(self, path: str, content: bytes) -> None:
        above = list(parents(path))
        if any(each in self.files for each in above):
            raise NoDirectory(path)
        self._clear(path)
        self.directories.update(above)
        self.files[path] = content

    def _clear(self, path: str) -> None:
        self.files = {name: data for name, data in self.files.items() if not within(name, path)}
        self.directories = {name for name in self.directories if not within(name, path)}


def parents(path: str) -> Iterable[str]:
    parts = path.split("/")
    return ("/".join(parts[:depth]) for depth in range(1, len(parts)))


def within(name: str, path: str) -> bool:
    return name == path or name.startswith(f"{path}/")
