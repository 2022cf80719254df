"""Chromium with unmodified JavaScript clients, a backend of ours, and a hub: each talks to the others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse
from starlette.routing import Mount, Route

import textile_aio
from tests.browser import Browser, Page, PageError, needs_chromium
from tests.interop import jsclients
from tests.interop.jspeer import SOURCE
from tests.webserver import served
from textile_aio import PublicKey, TextileError
from textile_aio.asgi import Grant, UserAuthApp, error_response
from textile_aio.localhub import LocalHub

pytestmark = [needs_chromium, pytest.mark.timeout(180)]

PAGE = """<!doctype html><link rel=icon href=data:,><script type=module>
window.page = await import('/page.mjs')
</script>"""


AN_HOUR_LATER = """Date = class extends Date {
    constructor (...given) { super(...(given.length ? given : [Date.now()])) }
    static now () { return super.now() + 3600e3 }
}"""


def for_as_long_as_asked(connection: HTTPConnection, public: PublicKey | None) -> Grant:
    return Grant(lifetime=timedelta(minutes=int(connection.query_params.get("minutes", "30"))))


@dataclass(frozen=True)
class Tab:
    """A page that has loaded.

    Attributes:
        page: The page.
        hub: The gRPC-web address, as JavaScript takes it.
    """

    page: Page
    hub: str

    async def run(self, script: str) -> Any:
        """An expression in which ``page`` is the page's module and ``hub`` the address."""
        return await self.page.run(f"(async () => {{ const hub = {self.hub!r}; return {script} }})()")


@pytest.fixture
async def tab(hub_js: Path, tmp_path: Path) -> AsyncIterator[Tab]:
    async with (
        LocalHub.open(tmp_path / "hub", jsclients.settings("hub")) as local,
        textile_aio.connect(local.target) as hub,
    ):
        key = await local.create_key(await local.create_account("owner"))
        assert key.secret
        user_auth = UserAuthApp(hub, key.key, key.secret, authorize=for_as_long_as_asked)

        async def threads(request: Request) -> JSONResponse:
            return JSONResponse(len(await hub.users.list_threads(user_auth.context_of(request))))

        async def page(request: Request) -> HTMLResponse:
            return HTMLResponse(PAGE)

        async def script(request: Request) -> FileResponse:
            file = hub_js if request.url.path == "/hub.js" else SOURCE / "browser/page.mjs"
            return FileResponse(file, media_type="text/javascript")

        app = Starlette(
            routes=[
                Route("/", page),
                Route("/hub.js", script),
                Route("/page.mjs", script),
                Route("/threads", threads),
                Mount("/api", user_auth),
                Mount("/ws", user_auth),
            ],
            exception_handlers={TextileError: error_response},
        )
        async with (
            user_auth,
            served(app) as address,
            Browser.running() as browser,
            browser.page(f"http://{address}/") as opened,
        ):
            await opened.until("window.page")
            yield Tab(opened, f"http://{local.web_target}")


async def has_a_database(tab: Tab, auth: str) -> None:
    await tab.run(f"(globalThis.client = await page.connected(await {auth}, hub), 0)")
    assert await tab.run("await page.database(client)") == "from a page"


@pytest.mark.parametrize("way", ["overWebsocket", "overHttp"])
async def test_a_page_signs_in_and_calls_the_hub_by_itself(tab: Tab, way: str) -> None:
    assert (
        await tab.run(f"await page.database(await page.connected(await page.{way}(), hub))") == "from a page"
    )
    assert await tab.run(f"await page.bucket(await page.{way}(), hub)") == "hello"
    assert await tab.run(f"await page.threads(await page.{way}(), hub)") == 2


async def test_a_page_that_gets_its_token_at_the_hub(tab: Tab) -> None:
    assert (
        await tab.run("await page.database(await page.connected(await page.withoutChallenge(), hub))")
        == "from a page"
    )


async def test_a_page_that_signs_in_again_when_its_time_is_over(tab: Tab) -> None:
    await tab.run("(globalThis.client = await page.connected(page.overWebsocket, hub), 0)")
    assert await tab.run("await page.database(client)") == "from a page"
    assert await tab.run("page.asked.times") == 1
    await tab.run(f"({AN_HOUR_LATER}, page.asked.minutes = 120)")
    assert await tab.run("await page.database(client)") == "from a page"
    assert await tab.run("page.asked.times") == 2


async def test_the_backend_acts_for_whoever_sent_a_javascript_context(tab: Tab) -> None:
    assert await tab.run("await page.threads(globalThis.auth = await page.overHttp(), hub)") == 0
    assert await tab.run("await page.askBackend(auth)") == [200, 0]
    tab.page.tolerated.append("401")
    status, refused = await tab.run("await page.askBackend({ ...auth, sig: 'b' + 'a'.repeat(52) })")
    assert (status, refused["error"]) == (401, "BadSignature")


async def test_a_page_without_the_private_key_is_refused(tab: Tab) -> None:
    await tab.run("(page.identity.sign = async () => new Uint8Array(64), 0)")
    tab.page.tolerated.append("401")
    for way in ("overWebsocket", "overHttp"):
        with pytest.raises(PageError, match="the signature does not verify"):
            await tab.run(f"await page.{way}()")
