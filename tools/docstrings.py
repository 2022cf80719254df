"""From Google-style docstrings to Markdown.

Owns the form of docstrings: sections, items, literal blocks, and references in the manner of Sphinx. Where a
reference leads is decided by a function that the caller gives. Knows nothing of pages, modules and syntax
trees.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

WIDTH = 110

_SECTION = re.compile(r"(Args|Attributes|Raises|Returns|Yields|Note|Entering it raises):")
_ITEM = re.compile(r"([A-Za-z_][\w.]*(?:, [A-Za-z_][\w.]*)*): (.*)")
_INLINE = re.compile(r":[a-z]+:`(?:(?P<text>[^`<]+) <)?(?P<to>~?[\w.]+)>?`|``(?P<code>[^`]+)``")
_SOURCE = re.compile(r"\s*\((?:spec|design): [^)]*\)")

Resolve = Callable[[str], str | None]
"""Gives the address of a documented name, None if there is none."""


@dataclass
class Section:
    """What stands under one heading of a docstring: items with a name each, or text."""

    items: list[tuple[str, str]] = field(default_factory=list)
    text: str = ""


@dataclass
class Docstring:
    """A docstring in its parts.

    Attributes:
        body: Everything before the first section, indentation removed.
        sections: The sections by name, in order.
    """

    body: str
    sections: dict[str, Section]

    @classmethod
    def parse(cls, text: str) -> Docstring:
        """Take a docstring apart, whose indentation was removed already."""
        body: list[str] = []
        blocks: dict[str, list[str]] = {}
        into = body
        for line in text.splitlines():
            if match := _SECTION.fullmatch(line):
                into = blocks.setdefault(match[1], [])
            else:
                into.append(line)
        return cls("\n".join(body).strip(), {name: _section(lines) for name, lines in blocks.items()})


def _section(lines: list[str]) -> Section:
    text = textwrap.dedent("\n".join(lines)).strip()
    section = Section(text=text)
    for line in text.splitlines():
        if match := _ITEM.fullmatch(line):
            section.items.append((match[1], match[2]))
        elif section.items:
            name, so_far = section.items[-1]
            section.items[-1] = (name, f"{so_far} {line.strip()}".strip())
    return section


def paragraphs(text: str, resolve: Resolve) -> str:
    """Text of a docstring as Markdown: paragraphs, lists and literal blocks, the latter as Python."""
    return "\n\n".join(_blocks(text, resolve))


def _blocks(text: str, resolve: Resolve) -> Iterator[str]:
    literal = False
    code: list[str] = []
    for block in re.split(r"\n\s*\n", text):
        if literal and block.startswith(" "):
            code.append(block)
            continue
        if code:
            yield _fence(code)
            code = []
        literal = block.endswith("::")
        block = block.removesuffix("::") + ":" if literal and block != "::" else block
        if block == "::":
            continue
        if block.startswith("* "):
            yield "\n".join(bullet(item, resolve) for item in re.split(r"(?:\n|^)\* ", block)[1:])
        else:
            yield wrap(inline(block, resolve))
    if code:
        yield _fence(code)


def _fence(code: list[str]) -> str:
    return "```python\n" + textwrap.dedent("\n\n".join(code)).rstrip() + "\n```"


def bullet(text: str, resolve: Resolve) -> str:
    """One item of a list."""
    return wrap(inline(text, resolve), first="- ", rest="  ")


def wrap(text: str, *, first: str = "", rest: str = "") -> str:
    """One paragraph in lines that are read with ease as plain text too."""
    return textwrap.fill(
        " ".join(text.split()),
        WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def inline(text: str, resolve: Resolve) -> str:
    """References become links, double backticks single ones; sources that only developers have go out."""

    def replaced(match: re.Match[str]) -> str:
        if code := match["code"]:
            return f"`{code}`"
        to = match["to"]
        shown = match["text"] or (to.rpartition(".")[2] if to.startswith("~") else to)
        return link(shown, resolve(to.removeprefix("~")))

    return _INLINE.sub(replaced, _SOURCE.sub("", text))


def link(shown: str, address: str | None) -> str:
    """A name in code type, as a link if there is somewhere to go."""
    return f"[`{shown}`]({address})" if address else f"`{shown}`"
