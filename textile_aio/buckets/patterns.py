"""Patterns of paths: which paths they fit, and below which directories anything can fit.

A pattern is ``/``-separated like a path. In a part ``*`` stands for any characters, ``?`` for one, ``[ab]``
and ``[!ab]`` for one of some or none of them; a part ``**`` stands for any number of parts, also none. Letter
case counts, and names that begin with a dot are names like others.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable

from textile_aio.buckets.paths import for_file

_ANY = "**"
_MAGIC = re.compile(r"[*?[]")


class Pattern:
    """A pattern, ready to be compared with paths.

    The parts are the states of a small automaton: after some parts of a path, a set of positions in the
    pattern is possible.

    Attributes:
        bounded: Whether all paths it fits have the same number of parts.

    Raises:
        InvalidPath: It is empty, or has empty parts, ``.`` or ``..``.
    """

    def __init__(self, pattern: str) -> None:
        self._parts = [
            None if part == _ANY else re.compile(fnmatch.translate(part))
            for part in for_file(pattern).split("/")
        ]
        self.bounded: bool = None not in self._parts

    def fits(self, parts: Iterable[str]) -> bool:
        """Whether the pattern fits a path."""
        return len(self._parts) in self._after(parts)

    def reaches_below(self, parts: Iterable[str]) -> bool:
        """Whether the pattern may fit anything below a path."""
        return any(position < len(self._parts) for position in self._after(parts))

    def _after(self, parts: Iterable[str]) -> set[int]:
        positions = self._closed({0})
        for part in parts:
            following = set()
            for position in positions:
                if position == len(self._parts):
                    continue
                expression = self._parts[position]
                if expression is None:
                    following.add(position)
                elif expression.fullmatch(part):
                    following.add(position + 1)
            positions = self._closed(following)
        return positions

    def _closed(self, positions: set[int]) -> set[int]:
        """With the positions that are reached without another part: those behind a ``**``."""
        closed = set(positions)
        for position in positions:
            behind = position
            while behind < len(self._parts) and self._parts[behind] is None:
                behind += 1
                closed.add(behind)
        return closed


def split(pattern: str) -> tuple[str, str]:
    """The directory that a pattern names without doubt, and what is left of the pattern below it.

    Raises:
        InvalidPath: As :class:`Pattern`.
    """
    parts = for_file(pattern).split("/")
    plain = 0
    while plain < len(parts) - 1 and not _MAGIC.search(parts[plain]):
        plain += 1
    return "/".join(parts[:plain]), "/".join(parts[plain:])
