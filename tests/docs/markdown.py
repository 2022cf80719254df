"""The Markdown of this project, as far as tests need it: code blocks, headings and links.

A comment right above a code block tells the tests something that readers need not see::

    <!-- doctest: part of examples/quickstart.py -->

Knows nothing of what blocks mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.entries import anchor

ROOT = Path(__file__).resolve().parent.parent.parent

_FENCE = re.compile(r"( *)```([\w-]*)")
_MARK = re.compile(r"<!-- doctest: (.+?) -->")
_HEADING = re.compile(r"#{1,6} (.+)")
_LINK = re.compile(r"(?<!!)\[(?:[^\]\[]|`[^`]*`)*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A code block.

    Attributes:
        language: What stands behind the opening fence.
        text: Its lines, each with its end.
        line: The number of the first of them in the file.
        mark: What the comment above says, empty without one.
    """

    language: str
    text: str
    line: int
    mark: str


class Page:
    """A Markdown file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.relative_to(ROOT).as_posix()
        self.text = path.read_text("utf-8")

    def blocks(self, language: str = "") -> list[Block]:
        """The code blocks, of one language if one is given."""
        return [block for block in self._blocks() if not language or block.language == language]

    def anchors(self) -> set[str]:
        """The fragments that a link to this page may have: those that code hosts give to headings."""
        found: set[str] = set()
        for heading in self._headings():
            base = anchor(heading)
            name, count = base, 0
            while name in found:
                count += 1
                name = f"{base}-{count}"
            found.add(name)
        return found

    def links(self) -> list[str]:
        """Where its links lead."""
        return [match[1] for match in _LINK.finditer(self.prose())]

    def prose(self) -> str:
        """Everything outside code blocks and comments."""
        return "\n".join(self._prose())

    def _headings(self) -> Iterator[str]:
        for line in self._prose():
            if match := _HEADING.fullmatch(line):
                yield match[1]

    def _prose(self) -> Iterator[str]:
        inside = False
        for line in self.text.splitlines():
            if _FENCE.match(line):
                inside = not inside
            elif not inside and not line.startswith("<!--"):
                yield line

    def _blocks(self) -> Iterator[Block]:
        lines = self.text.splitlines(keepends=True)
        mark, start, language, indent = "", -1, "", ""
        for number, line in enumerate(lines):
            fence = _FENCE.match(line)
            if start >= 0:
                if fence:
                    text = "".join(each.removeprefix(indent) for each in lines[start:number])
                    yield Block(language, text, start + 1, mark)
                    start, mark = -1, ""
            elif fence:
                start, indent, language = number + 1, fence[1], fence[2]
            elif line.strip():
                found = _MARK.fullmatch(line.strip())
                mark = found[1] if found else ""


def pages() -> list[Page]:
    """All pages that users read."""
    files = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [Page(path) for path in files]
