"""Textile's JavaScript clients as one file that a page can load."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.interop.jspeer import SOURCE


def bundle(target: Path) -> None:
    """Write ``js/browser/hub.mjs`` and the packages that it names, unmodified, to a file."""
    command = [
        str(SOURCE / "node_modules/.bin/esbuild"), "browser/hub.mjs", "--bundle", "--format=esm",
        "--platform=browser", "--define:global=globalThis", "--log-level=error", f"--outfile={target}",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=SOURCE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
