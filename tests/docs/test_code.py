"""All code that the documentation shows does what it says."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from tests.docs import given, running
from tests.docs.markdown import ROOT, Block, Page, pages
from textile_aio.localhub.__main__ import _parser

PAGES = pages()
WITH_CODE = [page for page in PAGES if page.blocks("python")]
LANGUAGES = {"python", "pyi", "text", "sh", "console", "toml", "json"}


@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: page.name)
def test_the_code_of_a_page_runs(page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given.fill(tmp_path)
    monkeypatch.chdir(tmp_path)
    for variable in ("HOME", "XDG_DATA_HOME"):  # where connect("local") keeps its data
        monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.delenv("TEXTILE_TARGET", raising=False)
    ran = running.run(page, tmp_path)
    assert ran or all(block.mark for block in page.blocks("python"))


@pytest.mark.parametrize(
    ("page", "block"),
    [
        pytest.param(page, block, id=f"{page.name}:{block.line}")
        for page in PAGES
        for block in page.blocks()
        if block.mark.startswith("part of ")
    ],
)
def test_code_that_is_part_of_a_file_is_in_it(page: Page, block: Block) -> None:
    assert running.is_part_of(block)


def test_the_tests_that_are_shown_pass(tmp_path: Path) -> None:
    blocks = [(page, block) for page in PAGES for block in page.blocks("python") if block.mark == "pytest"]
    for number, (_, block) in enumerate(blocks):
        (tmp_path / f"test_block_{number}.py").write_text(block.text, "utf-8")
    plugin = [] if entry_points(group="pytest11", name="textile_aio") else ["-p", "textile_aio.pytest_plugin"]
    options = [*plugin, "-q", "-p", "no:cacheprovider", "-o", "asyncio_mode=auto"]
    options += ["-W", "error", "-o", "asyncio_default_fixture_loop_scope=function"]
    finished = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout
    assert f"{len(blocks)} passed" in finished.stdout


def test_the_walk_prints_what_its_page_shows(tmp_path: Path) -> None:
    pytest.importorskip("rich", reason="the quickstart's progress bar is in the quickstart dependency group")
    given.fill(tmp_path)
    finished = subprocess.run(
        [sys.executable, "examples/quickstart.py", str(tmp_path / "photos")],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    (shown,) = Page(ROOT / "docs/index.md").blocks("text")
    assert _first_words(finished.stdout) == _first_words(shown.text)


def _first_words(text: str) -> list[str]:
    return [line.split()[0] for line in text.splitlines() if line.strip()]


def test_every_block_says_what_it_is() -> None:
    unknown = [
        f"{page.name}:{block.line} {block.language!r}"
        for page in PAGES
        for block in page.blocks()
        if block.language not in LANGUAGES
    ]
    assert not unknown


def test_every_mark_is_one_that_tests_know() -> None:
    known = ("part of ", "output", "pytest")
    marks = [(page.name, block.mark) for page in PAGES for block in page.blocks() if block.mark]
    assert [mark for _, mark in marks if not mark.startswith(known)] == []


def test_shown_commands_have_options_that_exist() -> None:
    for page in PAGES:
        for block in [*page.blocks("console"), *page.blocks("sh")]:
            for line in block.text.splitlines():
                _, _, arguments = line.partition("python -m textile_aio.localhub")
                if arguments:
                    _parser().parse_args(arguments.partition("&")[0].split())


def test_the_hub_prints_what_the_reference_says(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "textile_aio.localhub", "--port", "0", "--data", str(tmp_path / "hub")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            printed = json.loads(process.stdout.readline())
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    reference = Page(ROOT / "docs/reference/command.md").prose()
    _, _, part = reference.partition("## What it prints")
    listed = [line.split("`")[1] for line in part.splitlines() if line.startswith("- `")]
    assert list(printed) == listed
    shown = Page(ROOT / "docs/how-to/run-a-hub.md").blocks("json")
    assert [list(json.loads(block.text)) for block in shown] == [listed]
