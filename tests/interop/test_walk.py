"""The walk from an API key to a file in a bucket, by unmodified clients: in Go, in Node and in Chromium."""

from __future__ import annotations

import base64
import os
import shutil
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import textile_aio
from tests.browser import Browser, Page, needs_chromium
from tests.interop.jsclients import HUB
from tests.interop.jspeer import SOURCE
from tests.interop.peer import Module, Peer
from tests.interop.people import ACCOUNT, USER, GoPeers, Rig
from tests.trees import pull
from textile_aio import AuthContext

pytestmark = pytest.mark.timeout(180)

NAME, PATH = "my-buckets", "a folder/file1.jpg"
CONTENT = os.urandom(300_000)

PAGE = """<!doctype html><link rel=icon href=data:,><script type=module>
import * as hub from './hub.js'
import { walk } from './walk.mjs'
window.walk = (...given) => walk(hub, ...given)
</script>"""


class Quiet(SimpleHTTPRequestHandler):
    """Serves files, and says nothing of it."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """A web server of the files of a folder; its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
async def page(hub_js: Path, tmp_path: Path) -> AsyncIterator[Page]:
    """A page with the package."""
    folder = tmp_path / "page"
    folder.mkdir()
    (folder / "index.html").write_text(PAGE)
    shutil.copy(hub_js, folder / "hub.js")
    shutil.copy(SOURCE / "browser/walk.mjs", folder / "walk.mjs")
    with served(folder) as address:
        async with Browser.running() as browser, browser.page(address) as page:
            await page.until("window.walk")
            yield page


async def check(rig: Rig, key: Any, walked: dict[str, Any]) -> None:
    """What was walked to is there, and belongs to whoever went."""
    async with textile_aio.connect(rig.hub.target) as hub:
        ctx = AuthContext().with_api_key(key.key, key.secret).with_token(walked["token"])
        named = await hub.users.get_thread(ctx, NAME)
        assert str(named.id) == walked["thread"]
        ctx = ctx.with_thread(named.id)
        root = await hub.buckets.root(ctx, walked["bucket"])
        assert root.path == f"/ipfs/{walked['root']}"
        assert str(root.owner) == walked["identity"]
        item = (await hub.buckets.list_path(ctx, walked["bucket"], PATH)).item
        assert str(item.cid) == walked["path"]
        assert await pull(hub, ctx, walked["bucket"], PATH) == CONTENT


async def test_in_go(go_peers: GoPeers) -> None:
    hub = go_peers.rig.hub
    key = await hub.create_key(await hub.create_account("owner"))
    walk = await go_peers.go.make("", "Walk")
    walked = await walk.call("walk", key.key, key.secret, NAME, PATH, CONTENT)
    await check(go_peers.rig, key, walked)


async def test_in_node(rig: Rig, js: Peer) -> None:
    key = await rig.hub.create_key(await rig.hub.create_account("owner"))
    given = (Module(HUB), rig.host, key.key, key.secret, NAME, PATH, CONTENT)
    walked = await js.call("./browser/walk.mjs", "walk", *given)
    await check(rig, key, walked)


@needs_chromium
async def test_in_chromium(rig: Rig, page: Page) -> None:
    key = await rig.hub.create_key(await rig.hub.create_account("owner"))
    content = f"Uint8Array.from(atob('{base64.b64encode(CONTENT).decode()}'), each => each.charCodeAt(0))"
    given = ", ".join([*map(repr, (rig.host, key.key, key.secret, NAME, PATH)), content])
    walked = await page.run(f"window.walk({given})")
    await check(rig, key, walked)


async def test_with_an_account_key_nobody_needs_a_token(go_peers: GoPeers) -> None:
    """As upstream's test of an account's buckets; a token that is sent all the same changes nothing."""
    hub = go_peers.rig.hub
    account = await hub.create_account("owner")
    key = await hub.create_key(account, user_group=False)
    walk = await go_peers.go.make("", "Walk")
    walked = await walk.call("walk", key.key, key.secret, NAME, PATH, CONTENT)
    admin = await go_peers.admin(account.session)
    users = await go_peers.users(session=account.session)
    (thread,) = await users.call("listThreads")
    assert (thread["id"], thread["name"]) == (walked["thread"], NAME)
    (told,) = await admin.call("listKeys")
    assert (told["type"], told["threads"]) == (ACCOUNT, 1)


async def test_the_developer_sees_that_a_key_was_used(go_peers: GoPeers) -> None:
    hub = go_peers.rig.hub
    account = await hub.create_account("owner")
    key = await hub.create_key(account)
    walk = await go_peers.go.make("", "Walk")
    for _ in range(2):
        await walk.call("walk", key.key, key.secret, NAME, PATH, b"x")
    (told,) = await (await go_peers.admin(account.session)).call("listKeys")
    assert (told["type"], told["threads"]) == (USER, 2)
