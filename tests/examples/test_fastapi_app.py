"""The example application as its README starts it, used by people with browsers."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.browser import Browser, Page, needs_chromium
from tests.docs.markdown import ROOT
from textile_aio import Identity

pytestmark = needs_chromium

MAIN = ROOT / "examples/fastapi_app/main.py"
IS_OPEN = "!document.getElementById('shelf').hidden && document.querySelector('#live.on') !== null"
NOTES = "[...document.querySelectorAll('#notes span')].map((each) => each.textContent).join('|')"
FITS = """document.documentElement.scrollWidth <= innerWidth
    && [...document.querySelectorAll('.card')].every((card) => card.offsetLeft >= card.parentNode.offsetLeft)
"""
FILES = "[...document.querySelectorAll('#files span')].map((each) => each.textContent).join('|')"


@contextmanager
def application(data: Path) -> Iterator[str]:
    """The application in a process of its own; its address."""
    said = b""
    with subprocess.Popen(
        [sys.executable, str(MAIN), "--port", "0", "--data", str(data)],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        try:
            for line in process.stdout:
                said += line
                if address := re.search(rb"running on (http://\S+)", line):
                    yield address[1].decode()
                    break
        finally:
            process.send_signal(signal.SIGINT)
            said += process.stdout.read()
    assert b"startup complete" in said, said.decode()
    assert b"Traceback" not in said, said.decode()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One for all: whoever makes a key has a shelf that nobody else knows."""
    with application(tmp_path_factory.mktemp("data")) as served:
        yield served


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with Browser.running() as running:
        yield running


async def make_a_key(page: Page) -> str:
    """As somebody new; the key's text."""
    await page.until("!document.getElementById('welcome').hidden")
    await page.run("document.getElementById('create').click()")
    text = await page.until("document.getElementById('key').textContent")
    await page.run("document.getElementById('kept').click()")
    await page.until(
        "!document.getElementById('shelf').hidden && document.querySelector('#live.on') !== null"
    )
    return str(text)


async def write(page: Page, text: str) -> None:
    await page.run(f"document.getElementById('note').value = {text!r}")
    await page.run("document.getElementById('add').requestSubmit()")
    await page.until(f"({NOTES}).includes({text!r})")


async def drop(page: Page, name: str, content: str, *, kind: str = "text/plain") -> None:
    """Drop a file, whose content is an expression."""
    await page.run(f"""(async () => {{
        const transfer = new DataTransfer()
        transfer.items.add(new File([{content}], {name!r}, {{ type: {kind!r} }}))
        document.getElementById('drop').dispatchEvent(new DragEvent('drop', {{ dataTransfer: transfer }}))
    }})()""")
    await page.until(f"({FILES}).includes({name!r})")


PICTURE = """await new Promise((resolve) => {
    const canvas = new OffscreenCanvas(64, 64), pen = canvas.getContext('2d')
    const sky = pen.createLinearGradient(0, 0, 0, 64)
    sky.addColorStop(0, '#f3b562'); sky.addColorStop(1, '#c2503c')
    pen.fillStyle = sky; pen.fillRect(0, 0, 64, 64)
    pen.fillStyle = '#fff3d6'; pen.beginPath(); pen.arc(40, 24, 10, 0, 7); pen.fill()
    canvas.convertToBlob().then(resolve)
})"""


async def test_a_person_has_a_shelf_and_sees_it_change(address: str, browser: Browser) -> None:
    mine = await browser.new_profile()
    async with browser.page(address, mine) as page, browser.page("about:blank", mine) as other:
        await make_a_key(page)
        await write(page, "Water the ferns")
        # Another tab is signed in already, and hears of what happens here, and the other way round.
        await other.go(address)
        await other.until(f"({NOTES}) === 'Water the ferns' && document.querySelector('#live.on') !== null")
        await write(page, "Return the ladder")
        await other.until(f"({NOTES}) === 'Return the ladder|Water the ferns'")
        await other.run("document.querySelector('#notes li:last-child input').click()")
        await page.until("document.querySelector('#notes li:last-child input').checked")
        assert await page.run("document.getElementById('open').textContent") == "1 open"
        await drop(page, "letter.txt", "'Dear Ada'")
        await other.until(f"({FILES}) === 'letter.txt'")
        got = await other.run("fetch('/api/files/letter.txt').then((response) => response.text())")
        assert got == "Dear Ada"
        await other.run("document.querySelector('#files .remove').click()")
        await page.until(f"({FILES}) === ''")
        await page.run("document.querySelector('#notes .remove').click()")
        await other.until(f"({NOTES}) === 'Water the ferns'")


async def test_a_key_opens_its_shelf_elsewhere_and_no_other(address: str, browser: Browser) -> None:
    async with browser.page(address) as page:
        text = await make_a_key(page)
        await write(page, "Mine")
    async with browser.page(address) as stranger:
        await make_a_key(stranger)
        assert await stranger.run(NOTES) == ""
        await stranger.run("document.getElementById('sign-out').click()")
        await stranger.until("!document.getElementById('welcome').hidden")
        stranger.tolerated.append("401")
        assert await stranger.run("fetch('/api/notes').then((response) => response.status)") == 401
        await stranger.run(f"document.getElementById('text').value = {text!r}")
        await stranger.run("document.getElementById('restore').requestSubmit()")
        await stranger.until(f"({NOTES}) === 'Mine'")
    async with browser.page(address) as page:
        await page.until("!document.getElementById('welcome').hidden")
        await page.run("document.getElementById('text').value = 'bbaareq'")
        await page.run("document.getElementById('restore').requestSubmit()")
        assert "bbaareq" in await page.until("document.getElementById('message').textContent")


async def test_the_text_of_a_key_is_one_that_python_reads(address: str, browser: Browser) -> None:
    async with browser.page(address) as page:
        identity = Identity.from_string(await make_a_key(page))
        assert await page.run("document.getElementById('name').title") == str(identity.public)


async def test_everything_is_there_after_a_restart(tmp_path: Path, browser: Browser) -> None:
    with application(tmp_path) as address:
        async with browser.page(address) as page:
            text = await make_a_key(page)
            await write(page, "Still here")
    assert (tmp_path / "key.json").stat().st_mode & 0o077 == 0
    with application(tmp_path) as address:
        async with browser.page(address) as page:
            await page.until("!document.getElementById('welcome').hidden")
            await page.run(f"document.getElementById('text').value = {text!r}")
            await page.run("document.getElementById('restore').requestSubmit()")
            await page.until(f"({NOTES}) === 'Still here'")


async def test_credentials_that_have_run_out_are_renewed(address: str, browser: Browser) -> None:
    async with browser.page(address) as page:
        await make_a_key(page)
        page.tolerated.append("401")
        await page.run("fetch('/auth/userauth', { method: 'DELETE' }).then(() => 0)")
        await write(page, "Signed in again")


async def test_another_sites_page_gets_nothing(address: str, browser: Browser) -> None:
    """A page at another port is the same site to cookies, and another origin."""
    mine = await browser.new_profile()

    async def page_of_evil(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n<p>evil")
        writer.close()
        await writer.wait_closed()

    async with (
        await asyncio.start_server(page_of_evil, "127.0.0.1", 0) as evil,
        browser.page(address, mine) as page,
    ):
        await make_a_key(page)
        port = evil.sockets[0].getsockname()[1]
        async with browser.page(f"http://127.0.0.1:{port}", mine) as other:
            other.tolerated.extend(["403", "CORS"])
            note = (
                """{ method: 'POST', mode: 'no-cors', credentials: 'include', body: '{"text": "planted"}' }"""
            )
            await other.run(f"fetch('{address}/api/notes', {note}).then(() => 0)")
        assert await page.run("fetch('/api/notes').then((response) => response.json())") == []


async def test_what_is_not_allowed_has_an_answer(address: str) -> None:
    async with httpx.AsyncClient(base_url=address) as http:
        for method, path in (("GET", "/api/notes"), ("PUT", "/api/files/a"), ("GET", "/api/live")):
            answer = await http.request(method, path)
            assert (answer.status_code, answer.json()["error"]) == (401, "Unauthenticated")
        assert (await http.get("/auth/userauth")).status_code == 403  # nothing is proven
        assert "default-src 'self'" in (await http.get("/")).headers["content-security-policy"]


async def test_a_listener_that_comes_back_has_missed_nothing(address: str) -> None:
    async with httpx.AsyncClient(base_url=address, timeout=30, headers={"origin": address}) as http:
        identity = Identity.generate()
        asked = await http.post("/auth/userauth", json={"type": "token", "pubkey": str(identity.public)})
        signature = list(identity.sign(bytes(asked.json()["value"]["data"])))
        answer = {"type": "challenge", "id": asked.json()["id"], "sig": signature}
        assert (await http.post("/auth/userauth", json=answer)).status_code == 200
        async with http.stream("GET", "/api/live") as live:
            name, position, _ = await event(live.aiter_lines())
            assert name == "ready"
        note = (await http.post("/api/notes", json={"text": "meanwhile"})).json()
        await http.put("/api/files/meanwhile.txt", content=b"a file")
        async with http.stream("GET", "/api/live", headers={"last-event-id": position}) as live:
            lines = live.aiter_lines()
            assert (await event(lines))[0] == "ready"
            name, position, data = await event(lines)
            assert (name, data["note"]["text"], data["id"]) == ("note", "meanwhile", note["id"])
            while name != "files":
                name, position, _ = await event(lines)
        bad = await http.get("/api/live", headers={"last-event-id": "nowhere"})
        assert bad.status_code == 400
        assert (await http.put("/api/notes/nobody", json={"text": "x"})).status_code == 404
        assert (await http.get("/api/files/nothing")).status_code == 404
        got = await http.get("/api/files/meanwhile.txt")
        assert got.headers["content-disposition"].startswith("attachment")
        assert got.headers["content-security-policy"] == "sandbox"


async def event(lines: AsyncIterator[str]) -> tuple[str, str, Any]:
    """The next server-sent event: its name, its id and what it says."""
    fields = {}
    async for line in lines:
        if not line:
            break
        name, _, value = line.partition(": ")
        fields[name] = value
    return fields["event"], fields["id"], json.loads(fields["data"])


@pytest.mark.parametrize(
    ("look", "width", "height", "dark"),
    [("light", 1100, 760, False), ("dark", 1100, 760, True), ("narrow", 420, 900, False)],
)
async def test_it_can_be_looked_at(
    address: str, browser: Browser, look: str, width: int, height: int, dark: bool
) -> None:
    async with browser.page(address, width=width, height=height, dark=dark) as page:
        await page.until("!document.getElementById('welcome').hidden")
        await page.screenshot(f"shelf-welcome-{look}")
        assert await page.run(FITS)
        await page.run("document.getElementById('create').click()")
        await page.until("!document.getElementById('made').hidden")
        await page.screenshot(f"shelf-key-{look}")
        assert await page.run(FITS)
        await page.run("document.getElementById('kept').click()")
        await page.until(
            "!document.getElementById('shelf').hidden && document.querySelector('#live.on') !== null"
        )
        for text in ("Return the ladder", "Water the ferns", "Ask Ada about the poem on the back of the map"):
            await write(page, text)
        await page.run("document.querySelector('#notes li:last-child input').click()")
        await page.until("document.getElementById('open').textContent === '2 open'")
        await drop(page, "sunset.png", PICTURE, kind="image/png")
        await drop(page, "letter to Ada.txt", "'Dear Ada'.repeat(400)")
        await drop(page, "recording.flac", "new Uint8Array(3_400_000)")
        await page.until("document.querySelector('#files img')?.complete")
        await page.run("Promise.all(document.getAnimations().map((each) => each.finished)).then(() => 0)")
        assert (await page.screenshot(f"shelf-{look}")).stat().st_size > 5_000
        assert await page.run(FITS)
