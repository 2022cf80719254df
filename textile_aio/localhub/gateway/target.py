"""What a request names: path, query and host, read once and strictly.

Pure functions over bytes. They refuse to know what is served, and what they return can be put neither into a
file system path nor, unescaped, into a header or a page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote_to_bytes

NAMESPACES = frozenset({"ipfs", "ipns", "p2p", "ipld", "thread"})
"""First segments of paths, and second labels of host names, that say what the next one is."""

LONGEST_PATH = 3 * 4096
"""Bytes, percent-encoded."""

DEEPEST = 260
"""Segments."""

_LARGEST_QUERY = 64


class BadTarget(ValueError):
    """A request line that nothing can be meant by; the text says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a request names.

    Attributes:
        segments: Of the path, decoded once. Neither empty, ``.`` nor ``..``, and without ``/`` and NUL.
            Bytes that are not UTF-8 appear as lone surrogates, as in names of directory entries.
        slash: Whether the path ends with one.
        query: The first value of each name. Never shown: it may hold a token.
        host: Without port, in lower case; empty if there is none.
    """

    segments: tuple[str, ...]
    slash: bool = False
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    host: str = ""


@dataclass(frozen=True, slots=True)
class HostForm:
    """A host name that says what is served: ``<id>.<namespace>.<anything>``."""

    namespace: str
    id: str


def parse(raw_path: bytes, query: bytes, host: str) -> Target:
    """Read a request's target.

    Args:
        raw_path: The request line's, without the query; an absolute URL is allowed (RFC 9112 §3.2.2).
        query: Without the question mark.
        host: The header.

    Raises:
        BadTarget: The path is no path, leads upwards, or is too long; the query has too many parts.
    """
    if not raw_path.startswith(b"/"):
        scheme, separator, rest = raw_path.partition(b"://")
        if not separator or scheme.lower() not in (b"http", b"https"):
            raise BadTarget("the request names no path")
        authority, _, path = rest.partition(b"/")
        host, raw_path = authority.decode("latin-1"), b"/" + path
    if len(raw_path) > LONGEST_PATH or raw_path.count(b"/") > DEEPEST:
        raise BadTarget("the path is too long")
    segments = tuple(segment for part in raw_path.split(b"/") if (segment := _segment(part)) not in ("", "."))
    try:
        pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=_LARGEST_QUERY)
    except ValueError:
        raise BadTarget("the query has too many parts") from None
    values: dict[str, str] = {}
    for name, value in pairs:
        values.setdefault(name, value)
    return Target(segments, len(raw_path) > 1 and raw_path.endswith(b"/"), values, _host_name(host))


def site_key(host: str, domain: str) -> str | None:
    """The bucket whose website a host is: what stands before the first dot, if the rest is ``domain``."""
    key, _, rest = host.partition(".")
    return key if domain and key and rest == domain.lower() else None


def host_form(host: str) -> HostForm | None:
    """What a host name of at least three labels says is served, if it does."""
    labels = host.split(".")
    if len(labels) >= 3 and labels[0] and labels[1] in NAMESPACES:
        return HostForm(labels[1], labels[0])
    return None


def link(*segments: str, slash: bool = False) -> str:
    """The path of these segments, percent-encoded."""
    path = "".join(
        "/" + quote(each, safe="", encoding="utf-8", errors="surrogateescape") for each in segments
    )
    return f"{path}/" if slash else path


def is_text(segment: str) -> bool:
    """Whether it is Unicode text, which ids and names of collections are."""
    try:
        segment.encode()
    except UnicodeEncodeError:
        return False
    return True


def _segment(part: bytes) -> str:
    decoded = unquote_to_bytes(part)
    if b"/" in decoded or b"\x00" in decoded:
        raise BadTarget("a part of the path holds a slash or a NUL byte")
    if decoded == b"..":
        raise BadTarget("paths containing .. are not allowed")
    return decoded.decode("utf-8", "surrogateescape")


def _host_name(header: str) -> str:
    if header.startswith("["):
        return header.partition("]")[0] + "]"
    return header.partition(":")[0].rstrip(".").lower()
