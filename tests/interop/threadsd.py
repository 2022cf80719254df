"""Runs ``tests/interop/go/threadsd``: the services of go-threads in a process of their own, on loopback."""

from __future__ import annotations

import select
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PATIENCE = 60.0


@contextmanager
def serving(program: Path, folder: Path) -> Iterator[str]:
    """Serve an empty repository in a folder; gives the address, ``127.0.0.1:PORT``."""
    log = folder / "log"
    with log.open("wb") as complaints:
        process = subprocess.Popen(
            [program, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints
        )
    with process:
        assert process.stdout is not None
        try:
            ready, _, _ = select.select([process.stdout], [], [], _PATIENCE)
            address = process.stdout.readline().decode().strip() if ready else ""
            assert address, log.read_text()
            yield address
        finally:
            process.kill()
