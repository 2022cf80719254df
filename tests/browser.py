"""A real browser: Chromium without a window, driven by its DevTools protocol.

Knows no page. What a page threw, and what the browser refused to load for it, fails the block that opened it.
"""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARTIFACTS = Path(__file__).resolve().parents[1] / "test-artifacts"

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")

_OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--hide-scrollbars", "--remote-debugging-port=0", "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding", "--disable-backgrounding-occluded-windows",
)  # fmt: skip
_LISTENING = b"DevTools listening on "
_PATIENCE = 20.0
_UNTIL = """new Promise(resolve => {
    const look = () => { let value; try { value = (%s) } catch {} ; if (value) resolve(value); return value }
    const again = () => look() || setTimeout(again, 10)
    again()
})"""


class PageError(Exception):
    """What a script threw."""


class Browser:
    """A running browser. Pages of one profile share cookies and storage, those of several do not."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._pages: dict[str, Page] = {}

    @classmethod
    @asynccontextmanager
    async def running(cls) -> AsyncIterator[Browser]:
        """A browser that lives as long as the block."""
        assert CHROMIUM is not None
        with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as profile:
            process = await asyncio.create_subprocess_exec(
                CHROMIUM, *_OPTIONS, f"--user-data-dir={profile}", "about:blank",
                stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
            assert process.stderr is not None
            try:
                async for line in process.stderr:
                    if line.startswith(_LISTENING):
                        break
                address = line.removeprefix(_LISTENING).decode().strip()
                async with asyncio.TaskGroup() as group:
                    draining = group.create_task(_drain(process.stderr))
                    async with connect(address, max_size=None, compression=None) as socket:
                        browser = cls(socket)
                        reading = group.create_task(browser._read())
                        try:
                            yield browser
                        finally:
                            reading.cancel()
                            process.kill()
                    draining.cancel()
            finally:
                if process.returncode is None:
                    process.kill()
                await process.wait()
                # Its own children may have the other end of the pipe for a while yet.
                process._transport.close()  # type: ignore[attr-defined]

    async def new_profile(self) -> str:
        """An empty profile, by its id."""
        made = await self.send("Target.createBrowserContext", disposeOnDetach=True)
        return str(made["browserContextId"])

    @asynccontextmanager
    async def page(
        self, url: str, profile: str = "", *, width: int = 1100, height: int = 800, dark: bool = False
    ) -> AsyncIterator[Page]:
        """A page that has loaded; what went wrong in it fails the block.

        Args:
            url: What it shows.
            profile: Whose it is; by default a new one's.
            width: Of the window, in pixels of CSS.
            height: Likewise.
            dark: Whether its user likes it dark.
        """
        context = profile or await self.new_profile()
        target = await self.send(
            "Target.createTarget", url="about:blank", browserContextId=context, newWindow=True
        )
        attached = await self.send("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        page = self._pages[attached["sessionId"]] = Page(self, attached["sessionId"])
        for domain in ("Page", "Runtime", "Log"):
            await page.send(f"{domain}.enable")
        await page.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        await page.look(dark=dark)
        await page.go(url)
        try:
            yield page
        finally:
            del self._pages[attached["sessionId"]]
            await self.send("Target.closeTarget", targetId=target["targetId"])
        errors = [each for each in page.errors if not any(known in each for known in page.tolerated)]
        assert not errors, "\n".join(errors)

    async def send(self, method: str, session: str = "", **given: Any) -> Any:
        """Call a method of the protocol."""
        number = next(self._numbers)
        self._waiting[number] = asyncio.get_running_loop().create_future()
        message = {"id": number, "method": method, "params": given}
        try:
            await self._socket.send(json.dumps(message | ({"sessionId": session} if session else {})))
            return await self._waiting[number]
        finally:
            del self._waiting[number]

    async def _read(self) -> None:
        async for message in self._socket:
            said = json.loads(message)
            waiting = self._waiting.get(said.get("id", 0))
            if waiting is not None and not waiting.done():
                if "error" in said:
                    waiting.set_exception(PageError(said["error"]["message"]))
                else:
                    waiting.set_result(said["result"])
            elif (page := self._pages.get(said.get("sessionId", ""))) is not None:
                page.told(said["method"], said["params"])


class Page:
    """A page.

    Attributes:
        errors: What was thrown in it with nobody to catch it, and errors on its console.
        tolerated: Parts of the texts of those that are meant to be.
    """

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser = browser
        self._session = session
        self._loaded = asyncio.Event()
        self.errors: list[str] = []
        self.tolerated: list[str] = []

    async def send(self, method: str, **given: Any) -> Any:
        """Call a method of the protocol on this page."""
        return await self._browser.send(method, self._session, **given)

    async def go(self, url: str) -> None:
        """Show another address, and wait for it to load."""
        self._loaded.clear()
        await self.send("Page.navigate", url=url)
        await self._loaded.wait()

    async def look(self, *, dark: bool) -> None:
        """Choose how it is to look."""
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        await self.send("Emulation.setEmulatedMedia", features=features)

    async def run(self, script: str) -> Any:
        """The value of an expression, awaited; ``await`` may stand in the body of an async function only.

        Raises:
            PageError: It throws, or does not end.
        """
        given = {"awaitPromise": True, "returnByValue": True, "userGesture": True}
        try:
            async with asyncio.timeout(_PATIENCE):
                done = await self.send("Runtime.evaluate", expression=script, **given)
        except TimeoutError:
            raise PageError("\n".join([f"this does not end: {script}", *self.errors])) from None
        if "exceptionDetails" in done:
            raise PageError(_text(done["exceptionDetails"]))
        return done["result"].get("value")

    async def until(self, condition: str) -> Any:
        """Wait until an expression is true; its value."""
        return await self.run(_UNTIL % condition)

    async def screenshot(self, name: str) -> Path:
        """Take a picture, kept as ``test-artifacts/NAME.png`` to be looked at."""
        ARTIFACTS.mkdir(exist_ok=True)
        file = ARTIFACTS / f"{name}.png"
        file.write_bytes(base64.b64decode((await self.send("Page.captureScreenshot"))["data"]))
        return file

    def told(self, method: str, said: dict[str, Any]) -> None:
        """Take an event of the protocol."""
        match method:
            case "Page.loadEventFired":
                self._loaded.set()
            case "Runtime.exceptionThrown":
                self.errors.append(_text(said["exceptionDetails"]))
            case "Runtime.consoleAPICalled" if said["type"] == "error":
                self.errors.append(" ".join(str(each.get("value", each)) for each in said["args"]))
            case "Log.entryAdded" if said["entry"]["level"] == "error":
                self.errors.append(f"{said['entry']['text']} {said['entry'].get('url', '')}")


def _text(details: dict[str, Any]) -> str:
    thrown = details.get("exception", {})
    return str(thrown.get("description") or thrown.get("value") or details.get("text"))


async def _drain(stream: asyncio.StreamReader) -> None:
    while await stream.read(65_536):
        pass
