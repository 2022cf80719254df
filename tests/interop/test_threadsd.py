"""Our suite against a server of go-threads. What is ours alone is skipped by name (``OURS``)."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(900)

ROOT = Path(__file__).parents[2]
SUITE = ["test_threads*.py", "test_net*.py", "test_typed*.py"]


async def test_our_suite_passes_against_go(threadsd: str) -> None:
    files = sorted(str(path) for pattern in SUITE for path in (ROOT / "tests/suite").glob(pattern))
    environment = {**os.environ, "TEXTILE_TEST_TARGET": threadsd, "TEXTILE_TEST_KIND": "threadsd"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files,
        cwd=ROOT, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        printed = (await process.communicate())[0].decode()
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
    assert process.returncode == 0, printed
    passed = re.search(r"(\d+) passed", printed)
    assert passed is not None
    assert int(passed[1]) > 100
