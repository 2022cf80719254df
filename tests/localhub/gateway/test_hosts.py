"""What host names lead to: websites, names and addresses on hosts of their own."""

from __future__ import annotations

import pytest

import textile_aio
from tests.localhub.gateway.client import get
from tests.localhub.gateway.conftest import DOMAIN, FILES, World
from textile_aio import AuthContext, Identity, InvalidInput
from textile_aio.ids import Cid
from textile_aio.localhub import HubSettings, LocalHub
from textile_aio.localhub.gateway.content import SANDBOX
from textile_aio.localhub.gateway.rate import BURST, RateLimit


async def test_a_website_serves_files_indexes_and_for_the_rest_its_first_page(world: World) -> None:
    host = f"{world.public}.{DOMAIN}:8006"
    expected = {
        "/": "index.html",
        "/index.html": "index.html",
        "/app.js": "app.js",
        "/docs": "docs/index.html",
        "/docs/": "docs/index.html",
        "/photos": "index.html",
        "/any/route?x=1": "index.html",
    }
    for path, file in expected.items():
        reply = await world.get(path, host=host.upper() if path == "/" else host)
        assert (reply.status, reply.body) == (200, FILES[file]), path
        # It has an origin of its own, so its scripts may run as usual.
        assert "content-security-policy" not in reply.headers
    assert (await world.get("/health", host=host)).body == b""


async def test_a_website_without_a_first_page(world: World) -> None:
    reply = await world.get("/", host=f"{world.private}.{DOMAIN}")
    assert reply.status == 404
    assert "404 Error: An index.html file was not found in this bucket." in reply.text


async def test_a_host_of_no_bucket_is_an_ordinary_one(world: World) -> None:
    host = f"nothing.{DOMAIN}"
    assert (await world.get("/", host=host)).status == 404
    assert (await world.get("/health", host=host)).status == 200


async def test_content_of_others_on_a_shared_host_gets_an_origin_of_its_own(world: World) -> None:
    root = await world.root(world.public)
    shared = (
        ("127.0.0.1", world.bucket(world.public, "/index.html")),
        ("127.0.0.1", f"/ipfs/{root}/index.html"),
        (f"{world.public}.{DOMAIN}", f"/ipfs/{root}/docs/index.html"),
        (f"{world.thread}.thread.localhost", f"/buckets/{world.public}/index.html"),
    )
    for host, path in shared:
        reply = await world.get(path, host=host)
        assert (reply.status, reply.headers["content-security-policy"]) == (200, SANDBOX), path
    assert "allow-same-origin" not in SANDBOX
    alone = await world.get("/index.html", host=f"{root}.ipfs.localhost:8006")
    assert (alone.status, alone.body) == (200, FILES["index.html"])
    assert "content-security-policy" not in alone.headers
    assert "content-security-policy" not in (await world.get(world.bucket(world.public, "/app.js"))).headers


@pytest.mark.parametrize("kind", ["html", "svg", "xhtml"])
async def test_markup_that_only_looks_like_it_is_sandboxed_too(world: World, kind: str) -> None:
    content = {"html": b"<script>1</script>", "svg": b"<svg/>", "xhtml": b"<?xml version='1.0'?><html/>"}[
        kind
    ]
    name = "picture.svg" if kind == "svg" else "noextension"
    await world.push(world.public, name, content)
    reply = await world.get(world.bucket(world.public, f"/{name}"))
    assert reply.headers["content-security-policy"] == SANDBOX


async def test_namespaces_have_hosts(world: World) -> None:
    root = await world.root(world.public)
    for host, path in (
        (f"{root}.ipfs.gateway.example", "/plain"),
        (f"{world.public}.ipns.gateway.example", "/plain"),
        (f"{world.thread}.thread.gateway.example", f"/buckets/{world.public}/plain"),
    ):
        assert (await world.get(path, host=host)).body == FILES["plain"]
    page = await world.get("/docs", host=f"{root}.ipfs.gateway.example")
    assert 'href="/docs/index.html"' in page.text
    page = await world.get(f"/buckets/{world.public}/docs", host=f"{world.thread}.thread.gateway.example")
    assert f'href="/buckets/{world.public}/docs/index.html"' in page.text
    assert (await world.get("/", host=f"{world.thread}.thread.gateway.example")).status == 404
    assert (await world.get("/", host=f"{root}.ipld.gateway.example")).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "", ".", "..", ":", "[::1]:80", f".{DOMAIN}", f"a.b.{DOMAIN}", f"{DOMAIN}", f"..{DOMAIN}",
        "x.ipfs", "x.ipfs.", ".ipfs.host", "x" * 2000, "\xff\xfe.ipfs.host", f"../../etc.{DOMAIN}",
        f"'; drop table name_keys; --.{DOMAIN}", "<script>.ipfs.host",
    ],
)  # fmt: skip
async def test_odd_hosts_lead_nowhere(world: World, host: str) -> None:
    reply = await world.get("/", host=host)
    assert reply.status in (400, 404)
    assert b"<script>" not in reply.body
    assert (await world.get("/health")).status == 200


async def test_an_absolute_url_names_path_and_host(world: World) -> None:
    reply = await world.get(f"http://{world.public}.{DOMAIN}/app.js", host="127.0.0.1")
    assert (reply.status, reply.body) == (200, FILES["app.js"])
    assert (await world.get("ftp://x/y")).status == 400
    assert (await world.get("*", method="OPTIONS")).status == 204


async def test_in_subdomain_mode_each_has_a_host_of_its_own() -> None:
    settings = HubSettings(
        mode="buckd", gateway_port=0, gateway_subdomains=True, gateway_url="https://gate.way:444"
    )
    async with LocalHub.in_memory(settings) as hub, textile_aio.connect(hub.target) as client:
        assert hub.gateway_target is not None
        ctx = await client.threads.authorize(AuthContext(), Identity.generate())
        ctx = ctx.with_thread(await client.threads.new_db(ctx))
        key = (await client.buckets.create(ctx, "files")).root.key
        old = "QmVJ1xg67UckH6KcJ4K6zEy8mofTdCxFeqCt2L7Jc5QWST"
        new = Cid(1, 0x70, Cid.parse(old).multihash)
        for path, location in (
            (f"/ipfs/{old}", f"https://{new}.ipfs.gate.way:444/"),
            (f"/ipns/{key}/a%0d%0ab/?x=%0a&y", f"https://{key}.ipns.gate.way:444/a%0D%0Ab/?x=%0A&y="),
            (
                f"/thread/{ctx.thread}/buckets/{key}",
                f"https://{ctx.thread}.thread.gate.way:444/buckets/{key}",
            ),
        ):
            reply = await get(hub.gateway_target, path)
            assert (reply.status, reply.headers["location"]) == (308, location)
        assert (await get(hub.gateway_target, "/ipfs/nothing")).status == 404
        page = await get(hub.gateway_target, f"/buckets/{key}", host=f"{ctx.thread}.thread.gate.way:444")
        assert page.status == 200
        assert (await client.buckets.links(ctx, key)).url.startswith("https://gate.way:444/thread/")


async def test_links_lead_to_the_gateway(world: World) -> None:
    links = await world.client.buckets.links(world.ctx, world.private, "secret.txt")
    base = f"http://{world.target}"
    assert links.url.startswith(base)
    assert (await world.get(links.url.removeprefix(base))).body == b"planted secret\n"
    host, _, path = links.www.removeprefix("http://").partition("/")
    assert (await world.get(f"/{path}", host=host)).body == b"planted secret\n"


async def test_without_a_gateway_links_are_those_of_textiles_daemons() -> None:
    async with LocalHub.in_memory(HubSettings(mode="buckd")) as hub:
        assert hub.gateway_target is None
        async with textile_aio.connect(hub.target) as client:
            ctx = await client.threads.authorize(AuthContext(), Identity.generate())
            ctx = ctx.with_thread(await client.threads.new_db(ctx))
            made = await client.buckets.create(ctx, "files")
            assert made.links.url.startswith("http://127.0.0.1:8006/thread/")


async def test_more_requests_than_the_rate_are_turned_away() -> None:
    settings = HubSettings(gateway_port=0, gateway_rate=0.001)
    async with LocalHub.in_memory(settings) as hub:
        assert hub.gateway_target is not None
        for _ in range(BURST):
            assert (await get(hub.gateway_target, "/health")).status == 200
        reply = await get(hub.gateway_target, "/health")
        assert (reply.status, reply.body, reply.headers["retry-after"]) == (429, b"", "1")


def test_a_pause_lets_a_burst_through_and_no_more() -> None:
    now = [0.0]
    limit = RateLimit(10, clock=lambda: now[0])
    assert sum(limit.admits() for _ in range(100)) == BURST
    now[0] = 0.1
    assert [limit.admits(), limit.admits()] == [True, False]
    now[0] = 1000
    assert sum(limit.admits() for _ in range(100)) == BURST


@pytest.mark.parametrize("rate", [0, -1, float("nan")])
def test_a_rate_that_cannot_be(rate: float) -> None:
    with pytest.raises(InvalidInput, match="gateway_rate"):
        HubSettings(gateway_rate=rate)
