"""Files as answers: types, lengths, ranges, conditions."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.localhub.gateway.client import Reply, parse
from tests.localhub.gateway.conftest import FILES, LARGE, World
from textile_aio.localhub.gateway import media
from textile_aio.localhub.gateway.ranges import Span, Unsatisfiable, matches, span


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("index.html", "text/html"),
        ("app.js", "application/javascript"),
        ("photos/\u00e4 100%.png", "image/png"),
        ("empty", "text/plain; charset=utf-8"),
        ("plain", "text/plain; charset=utf-8"),
        ("large.bin", "application/octet-stream"),
    ],
)
async def test_heads_are_those_of_gets(world: World, path: str, kind: str) -> None:
    for url in (
        world.bucket(world.public, f"/{quote(path)}"),
        f"/ipfs/{await world.root(world.public)}/{quote(path)}",
    ):
        got, head = await world.get(url), await world.get(url, method="HEAD")
        assert got.status == head.status == 200
        assert head.body == b""
        assert got.body == FILES[path]
        assert got.headers["content-length"] == str(len(FILES[path]))
        assert got.headers["content-type"] == kind
        assert got.headers | {"date": ""} == head.headers | {"date": ""}


async def test_heads_are_those_of_gets_for_pages_too(world: World) -> None:
    for url in (
        world.bucket(world.public),
        f"/thread/{world.thread}/buckets",
        f"/thread/{world.thread}/buckets?json=true",
        f"/ipfs/{await world.root(world.public)}",
        world.bucket(world.private, "/large.bin", "a reader"),
        "/nothing",
        "/health",
    ):
        got, head = await world.get(url), await world.get(url, method="HEAD")
        assert got.headers | {"date": ""} == head.headers | {"date": ""}
        assert got.headers["content-length"] == str(len(got.body))
        assert head.body == b""


RANGES = [
    (0, 0), (0, 10), (5, None), (None, 1), (None, 10**7), (262_143, 262_144), (262_144, 524_287),
    (1_000_000, 2_500_000), (len(LARGE) - 1, None), (0, 10**30),
]  # fmt: skip


@pytest.mark.parametrize(("first", "last"), RANGES)
async def test_a_range_is_that_slice(world: World, first: int | None, last: int | None) -> None:
    header = f"bytes={'' if first is None else first}-{'' if last is None else last}"
    start = max(len(LARGE) - (last or 0), 0) if first is None else first
    stop = len(LARGE) if first is None or last is None else last + 1
    expected = LARGE[start:stop]
    for url in (
        world.bucket(world.public, "/large.bin"),
        world.bucket(world.private, "/large.bin", "a reader"),
    ):
        reply = await world.get(url, headers={"Range": header})
        assert (reply.status, reply.body) == (206, expected)
        assert reply.headers["content-length"] == str(len(expected))
        end = start + len(expected) - 1
        assert reply.headers["content-range"] == f"bytes {start}-{end}/{len(LARGE)}"


async def test_a_range_of_a_small_file(world: World) -> None:
    reply = await world.get(world.bucket(world.public, "/plain"), headers={"Range": "bytes=-5"})
    assert (reply.status, reply.body) == (206, b"text\n")


@pytest.mark.parametrize("header", [f"bytes={len(LARGE)}-", "bytes=-0", "bytes=99999999999999999999999999-"])
async def test_a_range_behind_the_end(world: World, header: str) -> None:
    reply = await world.get(world.bucket(world.public, "/large.bin"), headers={"Range": header})
    assert (reply.status, reply.headers["content-range"]) == (416, f"bytes */{len(LARGE)}")


@pytest.mark.parametrize("header", ["bytes=0-1,5-6", "bytes=5-4", "bytes=x-", "bytes", "lines=0-1", "="])
async def test_other_ranges_are_passed_over(world: World, header: str) -> None:
    reply = await world.get(world.bucket(world.public, "/plain"), headers={"Range": header})
    assert (reply.status, reply.body) == (200, FILES["plain"])


@given(size=st.integers(0, 40), first=st.none() | st.integers(0, 50), last=st.none() | st.integers(0, 50))
def test_a_span_is_what_a_slice_is(size: int, first: int | None, last: int | None) -> None:
    header = f"Bytes= {'' if first is None else first}-{'' if last is None else last} "
    content = list(range(size))
    if first is None:
        expected = content[max(size - last, 0) :] if last else []
    else:
        expected = content[first:] if last is None else content[first : last + 1]
    try:
        found = span(header, size)
    except Unsatisfiable:
        assert expected == []
        return
    if found is None:
        assert last is None if first is None else last is not None and last < first
    else:
        assert content[found.start : found.stop] == expected
        assert 0 <= found.start < found.stop <= size


@given(st.text(max_size=40))
def test_whatever_a_range_header_says_it_gives_a_range_or_none(header: str) -> None:
    try:
        found = span(header, 10)
    except Unsatisfiable:
        return
    assert found is None or isinstance(found, Span)


async def test_conditions(world: World) -> None:
    for url, other in (
        (world.bucket(world.public, "/large.bin"), world.bucket(world.public, "/plain")),
        (world.bucket(world.private, "/large.bin", "a reader"), world.bucket(world.public, "/plain")),
        (world.bucket(world.public), f"/thread/{world.thread}/buckets"),
    ):
        tag = (await world.get(url)).headers["etag"]
        stale = (await world.get(other)).headers["etag"]
        assert tag != stale

        async def get(url: str = url, **headers: str) -> Reply:
            return await world.get(url, headers={a.replace("_", "-"): b for a, b in headers.items()})

        unchanged = await get(If_None_Match=f'"other", W/{tag}')
        assert (unchanged.status, unchanged.body) == (304, b"")
        assert unchanged.headers["etag"] == tag
        assert "content-length" not in unchanged.headers
        assert (await get(If_None_Match="*")).status == 304
        assert (await get(If_None_Match=stale)).status == 200
        assert (await get(If_Match=tag)).status == 200
        assert (await get(If_Match=f"W/{tag}")).status == 412
        assert (await get(If_Match=stale)).status == 412
    url = world.bucket(world.public, "/large.bin")
    tag = (await world.get(url)).headers["etag"]
    part = {"Range": "bytes=0-3"}
    assert (await world.get(url, headers={**part, "If-Range": tag})).status == 206
    for other in ('"other"', f"W/{tag}", "Wed, 21 Oct 2015 07:28:00 GMT"):
        assert (await world.get(url, headers={**part, "If-Range": other})).status == 200


async def test_a_changed_file_has_another_tag(world: World) -> None:
    url = world.bucket(world.public, "/plain")
    tag = (await world.get(url)).headers["etag"]
    await world.push(world.public, "plain", b"changed\n")
    reply = await world.get(url, headers={"If-None-Match": tag})
    assert (reply.status, reply.body) == (200, b"changed\n")


def test_a_list_of_tags_ends_where_it_is_malformed() -> None:
    assert matches('"a", "b"', '"b"', weak=False)
    assert not matches('"a" "b"', '"b"', weak=False)
    assert not matches("b", '"b"', weak=True)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"  \n<!DOCTYPE HTML>", "text/html; charset=utf-8"),
        (b"<script>alert(1)</script>", "text/html; charset=utf-8"),
        (b"<b>", "text/html; charset=utf-8"),
        (b"<bold>", "text/plain; charset=utf-8"),
        (b"<?xml version='1.0'?><svg/>", "text/xml; charset=utf-8"),
        (b"%PDF-1.7", "application/pdf"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF\x01\x02\x03\x04WEBPVP8 ", "image/webp"),
        (b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp42", "video/mp4"),
        (b"PK\x03\x04", "application/zip"),
        (b"a\x00b", "application/octet-stream"),
        ("gr\u00fc\u00df".encode(), "text/plain; charset=utf-8"),
        (b"", "text/plain; charset=utf-8"),
    ],
)
def test_content_looks_like(head: bytes, kind: str) -> None:
    assert media.by_content(head) == kind


@given(st.binary(max_size=600))
def test_only_the_first_bytes_matter(content: bytes) -> None:
    assert media.by_content(content) == media.by_content(content[: media.SNIFFED])


@pytest.mark.parametrize("name", ["page.HTML", "html", "page.html.bak", ""])
def test_extensions_are_exact(name: str) -> None:
    assert media.by_name(name) is None


async def test_a_download_is_named_whatever_the_name_is(world: World) -> None:
    for name, expected in (
        ('a"b\r\nX-Evil: 1.txt', "a%22b%0D%0AX-Evil%3A%201.txt"),
        ("\u00fc.txt", "%C3%BC.txt"),
    ):
        await world.push(world.public, name, b"x")
        reply = await world.get(world.bucket(world.public, f"/{expected}") + "?download=true")
        assert reply.status == 200
        assert reply.headers["content-disposition"] == f"attachment; filename*=UTF-8''{expected}"
        assert "x-evil" not in reply.headers


async def test_many_requests_may_share_a_connection(world: World) -> None:
    host, _, port = world.target.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    path = world.bucket(world.public, "/plain")
    for _ in range(3):
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert parse(head).headers["content-length"] == str(len(FILES["plain"]))
        assert await reader.readexactly(len(FILES["plain"])) == FILES["plain"]
    writer.close()
    await writer.wait_closed()
