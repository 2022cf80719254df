"""The pages in a real browser. Screenshots are kept in ``test-artifacts/``, to be looked at."""

from __future__ import annotations

import asyncio
import tempfile

import pytest

from tests.browser import ARTIFACTS, CHROMIUM, needs_chromium
from tests.localhub.gateway.conftest import World

pytestmark = needs_chromium


async def chromium(*arguments: str) -> bytes:
    """Run it without a window; what it prints."""
    assert CHROMIUM is not None
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--no-first-run", "--hide-scrollbars", f"--user-data-dir={profile}", *arguments,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        said, _ = await process.communicate()
        assert process.returncode == 0
        return said


@pytest.mark.parametrize(
    ("look", "options"),
    [
        ("light", ("--window-size=1000,720",)),
        ("dark", ("--window-size=1000,720", "--blink-settings=preferredColorScheme=0")),
        ("narrow", ("--window-size=500,900",)),
    ],
)
async def test_pages_can_be_looked_at(world: World, look: str, options: tuple[str, ...]) -> None:
    ARTIFACTS.mkdir(exist_ok=True)
    pages = {
        "bucket": world.bucket(world.public, "", "a reader"),
        "error": "/ipfs/nothing",
    }
    for name, path in pages.items():
        file = ARTIFACTS / f"gateway-{name}-{look}.png"
        file.unlink(missing_ok=True)
        await chromium(*options, f"--screenshot={file}", f"http://{world.target}{path}")
        assert file.stat().st_size > 5_000


async def test_a_browser_applies_the_style_and_runs_nothing(world: World) -> None:
    await world.push(world.public, "odd/<img src=x onerror=document.title='run'>", b"x")
    dom = await chromium("--dump-dom", f"http://{world.target}{world.bucket(world.public, '/odd')}")
    assert b"<title>Index of /open &lt;b&gt;/odd</title>" in dom


async def test_a_sandboxed_page_has_no_origin_to_act_with(world: World) -> None:
    script = b"<!doctype html><p id=p></p><script>p.textContent = 'origin ' + self.origin</script>"
    await world.push(world.public, "page.html", script)
    shared = await chromium("--dump-dom", f"http://{world.target}{world.bucket(world.public, '/page.html')}")
    assert b"origin null" in shared
