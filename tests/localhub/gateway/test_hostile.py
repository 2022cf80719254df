"""Requests that are meant to break in, and callers that do not play along."""

from __future__ import annotations

import asyncio
import contextlib
import html
import re
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.localhub.gateway.client import exchange, message, parse
from tests.localhub.gateway.conftest import LARGE, World
from textile_aio.localhub.gateway import target


@pytest.mark.parametrize(
    "tail",
    [
        "/../secret.txt", "/..%2fsecret.txt", "/%2e%2e/secret.txt", "/%2E%2E%2Fsecret.txt", "/x%2f..%2fy",
        "/a%00b", "/%2fetc%2fpasswd", "/docs%2findex.html", "/" + "a/" * 300, "/" + "a" * 20_000,
    ],
)  # fmt: skip
async def test_a_path_leads_nowhere_else(world: World, tail: str) -> None:
    reply = await world.get(world.bucket(world.public, tail))
    assert reply.status == 400
    assert b"root:" not in reply.body


@pytest.mark.parametrize(
    "tail",
    [
        "/%252e%252e/app.js",
        "/..\\app.js",
        "/....//app.js",
        "/%c0%ae%c0%ae/app.js",
        "/app.js%20",
        "/~",
        "/\x7f",
    ],
)
async def test_what_is_only_a_name_is_looked_for_as_a_name(world: World, tail: str) -> None:
    assert (await world.get(world.bucket(world.public, tail))).status in (400, 404)


async def test_empty_and_dot_segments_vanish(world: World) -> None:
    assert (await world.get(world.bucket(world.public, "//./app.js"))).status == 200


async def test_paths_are_decoded_once(world: World) -> None:
    await world.push(world.public, "a%62c", b"twice")
    assert (await world.get(world.bucket(world.public, "/a%2562c"))).body == b"twice"
    assert (await world.get(world.bucket(world.public, "/abc"))).status == 404


NAMES = [
    "<img src=x onerror=alert(1)>", '"><script>alert(1)', "a b", "100%", "q?x=1", "h#1", "&amp;", "'quoted'",
    "back\\slash", "new\nline", "\u202eexe.txt", "\u00fc\u0308", "javascript:alert(1)", "${title}", "$title",
]  # fmt: skip


async def test_names_in_pages_are_text_and_their_links_lead_to_them(world: World) -> None:
    for name in NAMES:
        await world.push(world.public, f"odd/{name}", name.encode())
    for base in (
        world.bucket(world.public, "/odd", "a reader"),
        f"/ipfs/{await world.root(world.public)}/odd",
    ):
        page = await world.get(base)
        assert page.status == 200
        assert "<img" not in page.text
        assert "<script" not in page.text
        rows = re.findall(
            r'<th scope="row" class="file"><a href="([^"]*)"><bdi>(.*?)</bdi>', page.text, re.DOTALL
        )
        assert {html.unescape(name) for _, name in rows} == set(NAMES)
        for href, name in rows:
            reply = await world.get(html.unescape(href))
            assert (reply.status, reply.body.decode()) == (200, html.unescape(name))
            assert ("?token=" in href) == ("?token=" in base)


async def test_errors_show_what_was_asked_for_as_text(world: World) -> None:
    reply = await world.get("/ipfs/" + quote('<script>alert(1)</script>"'))
    assert reply.status == 400
    assert b"<script>" not in reply.body
    root = await world.root(world.public)
    reply = await world.get(f"/ipfs/{root}/" + quote("<script>"))
    assert "400 Error: No link named &quot;&lt;script&gt;&quot; under" in reply.text


async def test_pages_allow_nothing_but_their_own_style(world: World) -> None:
    reply = await world.get(world.bucket(world.public))
    policy = reply.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "frame-ancestors 'none'" in policy
    assert not re.search(r"(src|href)=\"https?:", reply.text)
    assert "<script" not in reply.text
    assert 'style="' not in reply.text


async def test_a_token_never_comes_back_but_in_links(world: World) -> None:
    token = "not.a.token"
    for path in (world.bucket(world.public), "/nothing", "/ipfs/nothing", f"/thread/{world.thread}/buckets"):
        reply = await world.get(f"{path}?token={token}")
        assert token.encode() not in reply.body
        assert not any(token in value for value in reply.headers.values())


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET  HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: b\x00c\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
    ],
)
async def test_what_is_no_request_is_refused(world: World, data: bytes) -> None:
    got = await exchange(world.target, data + b"\r\n\r\n")
    assert got.startswith(b"HTTP/1.1 400 ")
    assert (await world.get("/health")).status == 200


async def test_a_query_with_too_many_parts(world: World) -> None:
    assert (await world.get("/health?" + "a&" * 100)).status == 400


async def test_the_first_of_several_tokens_counts(world: World) -> None:
    tokens = world.tokens
    path = f"/thread/{world.thread}/buckets/{world.private}/secret.txt"
    assert (await world.get(f"{path}?token={tokens['a stranger']}&token={tokens['a reader']}")).status == 404


async def test_any_origin_may_read_what_it_knows_the_address_of(world: World) -> None:
    reply = await world.get(world.bucket(world.public, "/app.js"), headers={"Origin": "https://a.example"})
    assert reply.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in reply.headers
    assert "Origin" in reply.headers["vary"]
    preflight = await world.get(
        "/ipfs/x",
        method="OPTIONS",
        headers={
            "Origin": "https://a.example",
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "range, authorization",
        },
    )
    assert preflight.status == 200
    assert preflight.headers["access-control-allow-origin"] == "*"


async def test_a_caller_that_leaves_is_read_for_no_more(world: World) -> None:
    """The rest of a large file is neither read nor kept for them, and nothing is pinned any more."""
    host, _, port = world.target.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1024)
    writer.write(message(world.bucket(world.public, "/large.bin")))
    assert await reader.readexactly(12) == b"HTTP/1.1 200"
    writer.transport.abort()
    async with asyncio.timeout(10):
        while pinned(world):
            await world.get("/health")
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


def pinned(world: World) -> int:
    """How many are reading."""
    blocks = world.hub._blocks
    assert blocks is not None
    return len(blocks.uses._readings)


async def test_a_slow_caller_holds_up_nobody_and_gets_everything(world: World) -> None:
    host, _, port = world.target.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1024)
    writer.write(message(world.bucket(world.public, "/large.bin")))
    got = await reader.readexactly(100)
    for _ in range(5):
        assert (await world.get(world.bucket(world.public, "/plain"))).status == 200
    got += await reader.read()
    assert parse(got).body == LARGE
    writer.close()
    await writer.wait_closed()


async def test_closing_cuts_a_caller_that_never_reads(world: World) -> None:
    host, _, port = world.target.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1024)
    writer.write(message(world.bucket(world.public, "/large.bin")))
    await reader.readexactly(100)
    async with asyncio.timeout(10):
        await world.hub.__aexit__(None, None, None)
    writer.transport.abort()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


@given(st.binary(max_size=60), st.binary(max_size=60), st.text(max_size=40))
def test_whatever_a_target_is_its_segments_stay_where_they_are(path: bytes, query: bytes, host: str) -> None:
    try:
        read = target.parse(b"/" + path, query, host)
    except target.BadTarget:
        return
    for segment in read.segments:
        assert segment not in ("", ".", "..")
        assert "/" not in segment
        assert "\x00" not in segment
    again = target.link(*read.segments).encode("ascii") or b"/"
    assert target.parse(again, b"", "").segments == read.segments


SEGMENTS = st.text(min_size=1, max_size=10).filter(
    lambda text: text not in (".", "..") and "/" not in text and "\0" not in text
)


@given(st.lists(SEGMENTS))
def test_links_read_as_what_they_were_made_of(segments: list[str]) -> None:
    made = target.link(*segments)
    assert unquote(made) == "".join(f"/{each}" for each in segments)
    assert target.parse(made.encode("ascii") or b"/", b"", "").segments == tuple(segments)
