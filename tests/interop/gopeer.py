"""Runs ``tests/interop/go``: Textile's Go clients, each command a process of its own."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from textile_aio import StatusCode

SOURCE = Path(__file__).parent / "go"

Outcome = tuple[str, str]
OK: Outcome = ("OK", "")


def build(into: Path, package: str = ".") -> Path:
    """Compile a program. Takes minutes the first time, when all modules are fetched, then seconds."""
    program = into / "program"
    subprocess.run(["go", "build", "-o", str(program), package], cwd=SOURCE, check=True)
    return program


@dataclass(frozen=True)
class GoPeer:
    """The Go clients with a hub's address and the credentials to call it with."""

    program: Path
    request: Mapping[str, Any] = field(repr=False)

    def given(self, **more: Any) -> GoPeer:
        """The same with more in every request."""
        return GoPeer(self.program, {**self.request, **more})

    async def run(self, command: str, **arguments: Any) -> Any:
        """What the command prints. What the hub refuses and the command does not expect is an error."""
        process = await asyncio.create_subprocess_exec(
            self.program, command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            said = json.dumps({**self.request, **arguments}).encode()
            printed, complained = await process.communicate(said)
        finally:
            if process.returncode is None:
                process.kill()
                await process.communicate()
        assert process.returncode == 0, complained.decode()
        return json.loads(printed)


def outcome(said: Mapping[str, Any]) -> Outcome:
    """A Go ``Outcome`` as code name and text; ``CLIENT`` where the Go client failed by itself."""
    code = said["code"]
    return ("CLIENT" if code < 0 else StatusCode(code).name, said["text"])
