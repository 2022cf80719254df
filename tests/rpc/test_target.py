"""What users may write for a hub's address."""

from __future__ import annotations

import pytest

from textile_aio._rpc.target import Target
from textile_aio.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "host", "port", "tls"),
    [
        ("127.0.0.1:3006", "127.0.0.1", 3006, False),
        ("localhost", "localhost", 3006, False),
        ("api.hub.textile.io:443", "api.hub.textile.io", 443, True),
        ("api.hub.textile.io:4430", "api.hub.textile.io", 4430, False),
        ("hub443.example:3006", "hub443.example", 3006, False),
        ("https://hub.example", "hub.example", 443, True),
        ("https://hub.example:3006/", "hub.example", 3006, True),
        ("HTTP://hub.example:443", "hub.example", 443, False),
        ("http://hub.example", "hub.example", 80, False),
        ("[::1]:3006", "::1", 3006, False),
        ("https://[2001:db8::1]", "2001:db8::1", 443, True),
        (" my_hub:1 ", "my_hub", 1, False),
    ],
)
def test_targets_are_read(text: str, host: str, port: int, tls: bool) -> None:
    target = Target.parse(text)
    assert (target.host, target.port, target.tls) == (host, port, tls)
    assert Target.parse(str(target)) == target


@pytest.mark.parametrize(
    "text",
    [
        *("", ":3006", "host:", "host:0", "host:65536", "host:x", "host:+1", "host:\u0663", "host:1/"),
        *("::1", "::1:3006", "[::1", "[::1]3006", "[host]:1", "a b:1", "-a:1"),
        *("ftp://host", "unix:/tmp/x", "https://", "https://host/path", "https://user@host"),
    ],
)
def test_other_texts_are_refused_with_advice(text: str) -> None:
    with pytest.raises(InvalidInput, match="HOST:PORT"):
        Target.parse(text)


def test_tls_can_be_chosen_but_not_against_the_scheme() -> None:
    assert Target.parse("host:3006", tls=True).tls
    assert not Target.parse("host:443", tls=False).tls
    with pytest.raises(InvalidInput, match="contradicts"):
        Target.parse("https://host", tls=False)


def test_an_ipv6_authority_has_brackets() -> None:
    assert Target("::1", 3006).authority == "[::1]:3006"
