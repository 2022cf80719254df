"""The formats that are enforced, as Go's standard library reads them."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from ipaddress import ip_address

from textile_aio.threaddb.schema.patterns import Pattern, matcher

_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
_TIME = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})(?:[.,]\d+)?", re.ASCII)
_ZONE = re.compile(r"Z|[+-](\d{2}):(\d{2})", re.ASCII)
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9\-]{0,61}[a-zA-Z0-9])?"
_is_hostname = matcher(rf"{_LABEL}(?:\.{_LABEL})*")
_POINTER = r"(?:/(?:[^~/]|~0|~1)*)*"
SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+\-.]*:")
BAD_ESCAPE = re.compile(r"%(?![0-9a-fA-F]{2})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_is_host = matcher(r"(?:[a-zA-Z0-9\-._~!$&'()*+,;=:\[\]<>\"]|[^\x00-\x7f]|%[89a-fA-F][0-9a-fA-F]|%25)*")
_is_user = matcher(r"(?:[a-zA-Z0-9\-._:~!$&'()*+,;=%@])*")
_PORT = re.compile(r"(?::\d*)?", re.ASCII)
_ATOM = r"(?:[a-zA-Z0-9!#$%&'*+\-/=?^_`{|}~]|[^\x00-\x7f])+"
_DOT_ATOM = rf"{_ATOM}(?:\.{_ATOM})*"
_QUOTED = r'"(?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\[\t\x20-\x7e])*"'
_is_mailbox = matcher(rf"(?:{_DOT_ATOM}|{_QUOTED})@(?:{_DOT_ATOM}|\[[^\x00-\x20\[\]\\\x7f]+\])")
_is_name = matcher(rf"(?:(?:{_QUOTED}|{_DOT_ATOM}\.?)[ \t]*)*")
_COMMENT = re.compile(r"\([^()\\]*\)$")


def is_date(text: str) -> bool:
    """``2006-01-02``, a day that there is."""
    found = _DATE.fullmatch(text)
    if found is None:
        return False
    year, month, day = map(int, found.groups())
    return 1 <= month <= 12 and 1 <= day <= monthrange(year or 4, month)[1]


def is_time(text: str) -> bool:
    """``15:04:05``, with or without a fraction and a zone."""
    found = _TIME.match(text)
    if found is None:
        return False
    hour, minute, second = map(int, found.groups())
    return (
        hour < 24
        and minute < 60
        and second < 60
        and (found.end() == len(text) or _is_zone(text[found.end() :]))
    )


def is_date_time(text: str) -> bool:
    """A date, a time, or both with a ``T`` between them and a zone."""
    date, separator, time = text.partition("T")
    if not separator:
        return is_date(text) or is_time(text)
    return is_date(date) and is_time(time) and _ZONE.search(time) is not None


def is_hostname(text: str) -> bool:
    """Labels of letters, digits and hyphens."""
    return len(text) < 256 and _is_hostname(text)


def is_email(text: str) -> bool:
    """An address, or a name and an address in angle brackets (RFC 5322)."""
    text = text.strip(" \t")
    text = _COMMENT.sub("", text).rstrip(" \t")
    if not text.endswith(">"):
        return _is_mailbox(text)
    name, opened, address = text[:-1].rpartition("<")
    return bool(opened) and _is_name(name) and _is_mailbox(address)


def is_ipv4(text: str) -> bool:
    """Any address that is written with dots."""
    return "." in text and _is_address(text)


def is_ipv6(text: str) -> bool:
    """Any address that is written with colons."""
    return ":" in text and _is_address(text)


def is_uri(text: str) -> bool:
    """A URI with a scheme."""
    return SCHEME.match(text) is not None and is_uri_reference(text)


def is_uri_reference(text: str) -> bool:
    """A URI or what may stand for one in a document."""
    return "\\" not in text and path_of(text) is not None


def is_uri_template(text: str) -> bool:
    """A URI reference whose path has no brace that is left open."""
    path = path_of(text)
    return "\\" not in text and path is not None and path.rfind("{") <= path.rfind("}")


def path_of(text: str) -> str | None:
    """The path of a URI reference; None if it is none, as Go sees it."""
    if _CONTROL.search(text):
        return None
    text, _, fragment = text.partition("#")
    if BAD_ESCAPE.search(fragment):
        return None
    scheme = SCHEME.match(text)
    rest = text[scheme.end() :] if scheme else text
    rest = rest.partition("?")[0]
    if scheme is None and text.startswith(":"):
        return None
    if not rest.startswith("/"):
        if scheme is not None:
            return ""  # opaque, as in mailto:
        return None if ":" in rest.partition("/")[0] or BAD_ESCAPE.search(rest) else rest
    if rest.startswith("//"):
        authority, slash, path = rest[2:].partition("/")
        if not _is_authority(authority):
            return None
        rest = slash + path
    return None if BAD_ESCAPE.search(rest) else rest


def is_regex(text: str) -> bool:
    """A regular expression of Go."""
    try:
        Pattern(text)
    except ValueError:
        return False
    return True


FORMATS: dict[str, Callable[[str], bool]] = {
    "date": is_date,
    "time": is_time,
    "date-time": is_date_time,
    "hostname": is_hostname,
    "email": is_email,
    "idn-email": is_email,
    "ipv4": is_ipv4,
    "ipv6": is_ipv6,
    "uri": is_uri,
    "iri": is_uri,
    "uri-reference": is_uri_reference,
    "iri-reference": is_uri_reference,
    "uri-template": is_uri_template,
    "uuid": matcher(r"[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}"),
    "regex": is_regex,
    "json-pointer": matcher(_POINTER),
    "relative-json-pointer": matcher(rf"(?:0|[1-9][0-9]*)(?:#|{_POINTER})"),
}
"""By name. Other formats say nothing about a value."""


def _is_zone(text: str) -> bool:
    found = _ZONE.fullmatch(text)
    return found is not None and int(found[1] or 0) <= 24 and int(found[2] or 0) <= 60


def _is_address(text: str) -> bool:
    if "%" in text:
        return False
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_authority(text: str) -> bool:
    user, at, host = text.rpartition("@")
    if at and (not _is_user(user) or BAD_ESCAPE.search(user)):
        return False
    if host.startswith("["):
        address, closed, port = host[1:].partition("]")
        return bool(closed) and _PORT.fullmatch(port) is not None and _is_host(address)
    _, colon, port = host.rpartition(":")
    return _is_host(host) and (not colon or _PORT.fullmatch(colon + port) is not None)
