"""Every route, by every kind of caller."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.localhub.gateway.conftest import DOMAIN, FILES, LARGE, World

CALLERS = ("nobody", "the owner", "a reader", "a stranger", "a forger")
MAY_READ = {"the owner", "a reader"}


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("bearer", [False, True])
async def test_private_content_is_for_those_whose_token_may_read(
    world: World, caller: str, bearer: bool
) -> None:
    token = world.tokens[caller]
    headers = {"Authorization": f"Bearer {token}"} if bearer and token else {}
    asked_as = "nobody" if bearer else caller
    for path, content in (("/secret.txt", b"planted secret\n"), ("/large.bin", LARGE), ("", None)):
        reply = await world.get(world.bucket(world.private, path, asked_as), headers=headers)
        if caller in MAY_READ:
            assert reply.status == 200
            assert content is None or reply.body == content
            assert reply.headers["cache-control"] == "private, no-cache"
            assert world.private not in reply.headers["etag"]
        else:
            assert reply.status == 404
            assert b"Nothing to see here!" in reply.body
            assert b"secret" not in reply.body
        site = await world.get(
            f"{path or '/secret.txt'}{world.query(asked_as)}",
            host=f"{world.private}.{DOMAIN}",
            headers=headers,
        )
        assert site.status == (200 if caller in MAY_READ else 404)


@pytest.mark.parametrize("caller", CALLERS)
async def test_public_content_is_for_everybody_but_a_forged_token_is_refused(
    world: World, caller: str
) -> None:
    for path, content in FILES.items():
        reply = await world.get(world.bucket(world.public, f"/{quote(path)}", caller))
        if caller == "a forger":
            assert reply.status == 404
        else:
            assert (reply.status, reply.body) == (200, content)
            expected = "no-cache" if caller == "nobody" else "private, no-cache"
            assert reply.headers["cache-control"] == expected


@pytest.mark.parametrize("caller", CALLERS)
async def test_collections_and_instances_are_those_that_the_caller_sees(world: World, caller: str) -> None:
    query = world.query(caller)
    more = f"{query}&json=true" if query else "?json=true"
    listed = await world.get(f"/thread/{world.thread}/buckets{more}")
    one = await world.get(f"/thread/{world.thread}/buckets/{world.private}{more}")
    page = await world.get(f"/thread/{world.thread}/buckets{query}")
    if caller == "a forger":
        assert (listed.status, one.status, page.status) == (404, 404, 400)
        assert "400 Error: Invalid thread token." in page.text
        return
    assert (listed.status, one.status, page.status) == (200, 200, 200)
    assert listed.headers["content-type"] == "application/json; charset=utf-8"
    for reply in (listed, one):
        assert ('"key":"' in reply.text) == (caller in MAY_READ)
        assert '"_mod":' in reply.text
    assert "open &lt;b&gt;" in page.text
    assert world.private in page.text


@pytest.mark.parametrize("caller", CALLERS)
async def test_content_addresses_give_what_is_stored_to_everybody(world: World, caller: str) -> None:
    query = world.query(caller)
    root = await world.root(world.public)
    reply = await world.get(f"/ipfs/{root}/index.html{query}")
    assert (reply.status, reply.body) == (200, FILES["index.html"])
    assert reply.headers["cache-control"] == "public, max-age=29030400, immutable"
    named = await world.get(f"/ipns/{world.public}/index.html{query}")
    assert (named.status, named.body) == (200, FILES["index.html"])
    assert named.headers["cache-control"] == "no-cache"
    # Of a private bucket that is nothing that could be read.
    for path in (f"/ipfs/{await world.root(world.private)}", f"/ipns/{world.private}"):
        sealed = await world.get(path + query)
        assert sealed.status == 200
        assert b"secret" not in sealed.body
        assert b".textileseed" not in sealed.body


@pytest.mark.parametrize("caller", CALLERS)
async def test_the_other_routes_care_for_no_caller(world: World, caller: str) -> None:
    query = world.query(caller)
    statuses = {
        "/health": 200,
        "/": 404,
        f"/thread/{world.thread}": 404,
        "/thread/nothing/things": 400,
        "/ipfs": 404,
        "/ipfs/nothing": 400,
        "/ipfs/bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvykz": 400,
        "/ipfs/bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4": 404,
        "/ipns/nothing": 404,
        "/ipns/example.com": 404,
        "/p2p/nothing": 400,
        f"/p2p/{world.public}": 404,
        "/dashboard/owner": 404,
        "/confirm/secret": 200,  # a hub that mails no links has nothing to say against one
        "/consent/invite": 404,
        f"/thread/{world.thread}/things": 404,
        f"/thread/{world.thread}/things/id/path": 404,
        f"/thread/{world.thread}/buckets/{world.public}/nothing": 404,
        f"/thread/{world.thread}/buckets/nothing": 404,
    }
    for path, status in statuses.items():
        reply = await world.get(path + query)
        assert reply.status == status, path
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["referrer-policy"] == "no-referrer"


async def test_a_node_is_shown_as_json(world: World) -> None:
    reply = await world.get(f"/ipld/{await world.root(world.public)}")
    assert reply.status == 200
    assert '"data": "CAE="' in reply.text
    assert '{"Name": "app.js", "Size": 10, "Cid": {"/": "baf' in reply.text
    assert (await world.get(f"/ipld/{await world.root(world.public)}/app.js")).status == 400


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE"])
async def test_nothing_can_be_changed(world: World, method: str) -> None:
    reply = await world.get(world.bucket(world.public, "/app.js"), method=method)
    assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
