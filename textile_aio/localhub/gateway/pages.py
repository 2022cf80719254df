"""What a person sees: pages filled from the templates beside this file, every value escaped.

The pages load nothing, run nothing and may be put into no frame: their policy allows their one style only.
"""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from string import Template

from textile_aio.localhub.gateway.answers import Body

HTML = "text/html; charset=utf-8"

_UNITS = ("kB", "MB", "GB", "TB", "PB", "EB")
_FOLDER = Path(__file__).with_name("pages")


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Row:
    """An entry of a directory. ``href`` is percent-encoded; ``changed`` is UTC nanoseconds, 0 for unknown."""

    name: str
    href: str
    is_directory: bool
    size: int | None
    changed: int = 0


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory as a page.

    Attributes:
        title: Heading and title.
        crumbs: Names and links of what it is in, from the top; the last is the directory itself.
        facts: Terms and what they are.
        rows: Its entries.
        what: One and several of what they are.
    """

    title: str
    crumbs: Sequence[tuple[str, str]]
    facts: Sequence[tuple[str, str]]
    rows: Sequence[Row]
    what: tuple[str, str] = ("entry", "entries")


def directory(page: Directory, *, caching: str) -> Body:
    """The page of a directory."""
    crumbs = [
        _fill('<li><a href="$href"><bdi>$name</bdi></a></li>', name=name, href=href)
        for name, href in page.crumbs[:-1]
    ]
    crumbs += [
        _fill('<li aria-current="page"><bdi>$name</bdi></li>', name=name) for name, _ in page.crumbs[-1:]
    ]
    count = len(page.rows)
    content = _template(
        "directory.html",
        title=page.title,
        crumbs=Markup("".join(crumbs)),
        facts=Markup("".join(_fill("<dt>$term</dt><dd>$is_</dd>", term=a, is_=b) for a, b in page.facts)),
        caption=f"{count} {page.what[count != 1]}",
        rows=Markup("".join(map(_row, page.rows))),
    )
    return _page(page.title, content, status=200, caching=caching)


def not_found() -> Body:
    """The page of whatever there is not, or not for this caller (spec: gateway-and-web §A8)."""
    return _message("404 Not Found", "Nothing to see here!", status=404)


def error(status: int, text: str) -> Body:
    """The page of a failure (spec: gateway-and-web §A8)."""
    sentence = text[:1].upper() + text[1:]
    return _message("Oops!", f"{status} Error: {sentence.removesuffix('.')}.", status=status)


def message(title: str, text: str, *, status: int = 200) -> Body:
    """A page that says one thing."""
    return _message(title, text, status=status)


def size_text(size: int | None) -> str:
    """A size as upstream writes it: powers of 1000, one decimal from 1 kB on."""
    if size is None:
        return ""
    if size < 1000:
        return f"{size} B"
    value = float(size)
    for unit in _UNITS:
        value /= 1000
        if value < 999.95 or unit == _UNITS[-1]:
            return f"{value:.1f} {unit}"
    raise AssertionError


def time_text(nanoseconds: int) -> str:
    """A moment, to the minute, in UTC; empty for none."""
    moment = _moment(nanoseconds)
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment is not None else ""


def readable(name: str) -> str:
    """A name as text that can be shown; bytes that are not UTF-8 become replacement characters."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _row(row: Row) -> str:
    moment = _moment(row.changed)
    changed = Markup(
        _fill(
            '<time datetime="$exact">$shown</time>',
            exact=f"{moment:%Y-%m-%dT%H:%M:%SZ}",
            shown=time_text(row.changed),
        )
        if moment is not None
        else ""
    )
    return _template(
        "row.html",
        kind="directory" if row.is_directory else "file",
        href=row.href,
        name=row.name,
        changed=changed,
        size=size_text(row.size),
    )


def _moment(nanoseconds: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(nanoseconds // 1_000_000_000, UTC) if nanoseconds > 0 else None
    except (ValueError, OverflowError, OSError):  # a document may hold any number
        return None


def _message(title: str, text: str, *, status: int) -> Body:
    return _page(title, _template("message.html", title=title, text=text), status=status, caching="no-store")


def _page(title: str, body: str, *, status: int, caching: str) -> Body:
    style, digest = _style()
    page = _template("page.html", title=title, style=Markup(style), body=Markup(body))
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
    return Body(page.encode("utf-8"), HTML, status=status, caching=caching, policy=policy)


def _fill(template: str | Template, /, **values: str) -> str:
    text = template if isinstance(template, Template) else Template(template)
    return text.substitute(
        {
            name: value if isinstance(value, Markup) else html.escape(readable(value))
            for name, value in values.items()
        }
    )


def _template(file: str, /, **values: str) -> str:
    return _fill(_loaded(file), **values)


@lru_cache
def _loaded(file: str) -> Template:
    return Template((_FOLDER / file).read_text("utf-8"))


@lru_cache
def _style() -> tuple[str, str]:
    """The style, and its hash as policies want it."""
    style = (_FOLDER / "style.css").read_text("utf-8")
    return style, base64.b64encode(hashlib.sha256(style.encode("utf-8")).digest()).decode("ascii")
