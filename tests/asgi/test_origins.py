"""Which pages may call."""

from __future__ import annotations

import pytest
from starlette.requests import HTTPConnection

from textile_aio import InvalidInput, PermissionDenied
from textile_aio.asgi.origins import check_origin, is_own_origin, normal_origin


def request(**headers: str) -> HTTPConnection:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    return HTTPConnection({"type": "http", "headers": raw})


@pytest.mark.parametrize(
    ("origin", "normal"),
    [
        ("https://Example.org", "https://example.org"),
        ("https://example.org:443", "https://example.org"),
        ("http://example.org:443", "http://example.org:443"),
        ("http://[::1]:80", "http://[::1]"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
    ],
)
def test_an_origin_has_one_form(origin: str, normal: str) -> None:
    assert normal_origin(origin) == normal


@pytest.mark.parametrize(
    "origin",
    ["", "null", "example.org", "ftp://example.org", "https://", "https://example.org/", "https://a/b",
     "https://example.org?x", "https://me@example.org", "https://[::1", "https://a:99999", "file://"],
)  # fmt: skip
def test_what_is_no_origin_is_refused(origin: str) -> None:
    with pytest.raises(InvalidInput):
        normal_origin(origin)


@pytest.mark.parametrize(
    ("origin", "host", "own"),
    [
        ("https://example.org", "example.org", True),
        ("https://example.org", "example.org:443", True),
        ("https://example.org", "Example.org", True),
        ("http://127.0.0.1:8000", "127.0.0.1:8000", True),
        ("http://127.0.0.1:8001", "127.0.0.1:8000", False),
        ("https://example.org.evil.net", "example.org", False),
        ("https://evil.net", "example.org", False),
        ("https://example.org", "", False),
        ("null", "example.org", False),
        ("null", "null", False),
    ],
)
def test_a_page_calls_its_own_server(origin: str, host: str, own: bool) -> None:
    assert is_own_origin(request(origin=origin, host=host)) is own


def test_programs_name_no_origin_and_known_pages_are_let_in() -> None:
    check_origin(request(host="example.org"))
    check_origin(request(host="example.org", origin="https://app.example.org"), {"https://app.example.org"})
    for origin in ("http://app.example.org", "null", "https://evil.net", ""):
        with pytest.raises(PermissionDenied):
            check_origin(request(host="example.org", origin=origin), {"https://app.example.org"})
