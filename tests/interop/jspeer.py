"""Runs ``tests/interop/js``: Textile's JavaScript clients in one Node process."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import filelock

from tests.interop.peer import Peer

SOURCE = Path(__file__).parent / "js"


def install(*, native: bool = False) -> None:
    """Install the packages as they are locked, unless they are there. The first time takes a minute.

    Args:
        native: Also compile SQLite, which only the local databases of ``@textile/threaddb`` need.
    """
    with filelock.FileLock(SOURCE / ".install.lock"):
        installed = SOURCE / "node_modules" / ".package-lock.json"
        lock = SOURCE / "package-lock.json"
        if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
            _npm("ci", "--ignore-scripts")
        if native and not (SOURCE / "node_modules/sqlite3/build/Release/node_sqlite3.node").exists():
            _npm("rebuild", "sqlite3")


def _npm(*arguments: str) -> None:
    command = ["npm", *arguments, "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=SOURCE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"


@asynccontextmanager
async def node(folder: Path) -> AsyncIterator[Peer]:
    """The clients, in a folder that they may fill."""
    async with Peer.running("node", SOURCE / "main.mjs", folder=folder) as peer:
        yield peer
