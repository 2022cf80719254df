"""A suite of somebody else's, run in a process of its own with warnings as errors."""

from __future__ import annotations

import json
from dataclasses import dataclass
from textwrap import dedent
from typing import Any

import pytest

WATCH = """
import gc
import json
import os
import pathlib
import threading
import time

import psutil
import pytest

before = set(threading.enumerate())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item, nextitem):
    began = time.monotonic()
    try:
        return (yield)
    finally:
        item.config.took = time.monotonic() - began


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    gc.collect()
    left = {
        "threads": [thread.name for thread in threading.enumerate() if thread not in before],
        "sockets": [str(each.laddr) for each in psutil.Process().net_connections()],
        "last_teardown": getattr(config, "took", 0.0),
    }
    pathlib.Path(f"left-{os.getpid()}.json").write_text(json.dumps(left))
"""


@dataclass
class Suite:
    """Test files for one run of pytest, which is given the plugin by its entry point."""

    pytester: pytest.Pytester

    def file(self, name: str, source: str) -> None:
        self.pytester.makepyfile(**{name: dedent(source)})

    def conftest(self, source: str) -> None:
        self.pytester.makeconftest(WATCH + dedent(source))

    def run(self, *arguments: str) -> pytest.RunResult:
        return self.pytester.runpytest_subprocess(
            "-p", "no:cacheprovider", "-W", "error", *arguments, timeout=60
        )

    def passes(self, *arguments: str, passed: int) -> pytest.RunResult:
        """Run it: all pass, and nothing stays behind."""
        result = self.run(*arguments)
        result.assert_outcomes(passed=passed)
        assert result.ret == pytest.ExitCode.OK
        self.left_nothing(result)
        return result

    def left_nothing(self, result: pytest.RunResult) -> None:
        for left in self.left():
            assert left["threads"] == []
            assert left["sockets"] == []
        assert "ResourceWarning" not in result.stderr.str()
        assert "Traceback" not in result.stderr.str()

    def left(self) -> list[dict[str, Any]]:
        """What each process found as pytest ended."""
        found = [json.loads(path.read_text()) for path in self.pytester.path.glob("left-*.json")]
        assert found, "no process reached its end"
        return found


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Suite:
    monkeypatch.setenv("PYTHONWARNINGS", "default::ResourceWarning")
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    made = Suite(pytester)
    made.conftest("")
    return made
