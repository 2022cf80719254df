"""Other processes that do as they are told: one command a line in JSON, one answer a line.

Each side of a measured connection is a process, as in real life, so that neither takes the other's processor
time or memory. Owns both ends of the conversation and nothing of what is said.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

Command = Callable[..., Awaitable[Any]]


def environment() -> dict[str, str]:
    """This process's, but bytecode is cached, as it is for every user."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


class Process:
    """The parent's end. Made by :func:`started`."""

    def __init__(self, process: asyncio.subprocess.Process, ready: dict[str, Any]) -> None:
        self._process = process
        self.ready = ready

    @property
    def pid(self) -> int:
        return self._process.pid

    async def ask(self, command: str, **arguments: Any) -> Any:
        """Have a command done, and return its result."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([command, arguments]).encode() + b"\n")
        line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the process ended during {command!r}")
        return json.loads(line)


def started(module: str, *arguments: str) -> AbstractAsyncContextManager[Process]:
    """Run one of our modules, as :func:`running` does."""
    return running(sys.executable, "-m", module, *arguments)


@asynccontextmanager
async def running(*command: str) -> AsyncIterator[Process]:
    """Run a program until the block ends. Its first line says that it is ready, and more."""
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=ROOT, env=environment()
    )
    assert process.stdout is not None
    try:
        line = await process.stdout.readline()
        if not line:
            raise RuntimeError(f"{command} ended with {await process.wait()} before it was ready")
        yield Process(process, json.loads(line))
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()


async def obey(commands: Mapping[str, Command], **ready: Any) -> None:
    """The child's end: say that it is ready, then do what it is told until the parent is gone."""
    print(json.dumps(ready), flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        command, arguments = json.loads(line)
        print(json.dumps(await commands[command](**arguments)), flush=True)
