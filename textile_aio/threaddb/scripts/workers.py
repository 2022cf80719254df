"""A few processes for scripts, started when needed, replaced when they die.

What is asked of them and what their answers mean is for :mod:`~textile_aio.threaddb.scripts`.
"""

from __future__ import annotations

import importlib.util
import select
import subprocess
import sys
import threading
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from textile_aio.errors import ClosedError, HubError
from textile_aio.threaddb.scripts import worker

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class ScriptLimits:
    """What one call of a script may use.

    Attributes:
        seconds: CPU time, in seconds; documents add 0.1 microseconds for each of their bytes. A script is
            stopped at the limit, at the latest at twice the limit and 30 ms.
        memory: What it may allocate beside its arguments, in bytes.
        stack: How deep calls may go, in bytes of stack.
    """

    seconds: float = 0.010
    memory: int = 16 << 20
    stack: int = 512 << 10


class Died(Exception):
    """The process ended, or had to be ended, before it replied: the script used up its time."""


class Workers:
    """Processes that answer requests, each one at a time.

    Thread-safe: a request waits while all processes are busy.
    """

    def __init__(self, limits: ScriptLimits, *, count: int) -> None:
        self._limits = limits
        self._free = threading.BoundedSemaphore(count)
        self._idle: list[_Process] = []
        self._closed = False
        self._finalizer = weakref.finalize(self, _end_all, self._idle)

    def ask(self, name: bytes, message: bytes, *, source: bytes, patience: float) -> bytes:
        """The reply to a message about the script of a name, whose source is sent where it is not known.

        Args:
            name: Sixteen bytes.
            message: What follows the name in the request.
            source: Kind and text of the function.
            patience: Seconds on the clock after which a silent process is ended.

        Raises:
            Died: There will be no reply.
            ClosedError: After :meth:`close`.
        """
        with self._free:
            process = self._take(name)
            try:
                reply = process.exchange(name + message, patience)
                if reply == worker.UNKNOWN_SCRIPT:
                    process.exchange(name + worker.SOURCE + source, patience)
                    reply = process.exchange(name + message, patience)
                process.names.add(name)
            except BaseException:
                process.end()
                raise
            self._idle.append(process)
            if self._closed:
                _end_all(self._idle)
            return reply

    def close(self) -> None:
        """End the processes, at once those that are idle and the others after their call."""
        self._closed = True
        self._finalizer()

    def _take(self, name: bytes) -> _Process:
        if self._closed:
            raise ClosedError("scripts are no longer run: the database is closed")
        idle = self._idle
        for process in reversed(idle):
            if name in process.names:
                try:
                    idle.remove(process)
                except ValueError:  # another thread was faster
                    continue
                return process
        try:
            return idle.pop()
        except IndexError:
            return _Process(self._limits)


class _Process:
    """One running :mod:`~textile_aio.threaddb.scripts.worker`."""

    def __init__(self, limits: ScriptLimits) -> None:
        self.names: set[bytes] = set()
        command = [
            sys.executable,
            "-I",
            "-S",
            str(_HERE / "worker.py"),
            _extension(),
            str(_HERE / "realm.js"),
        ]
        command += map(str, (limits.seconds, limits.memory, limits.stack))
        self._process = subprocess.Popen(  # noqa: S603 - our own file
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
        )
        self._requests: IO[bytes] = self._process.stdin  # type: ignore[assignment]
        self._replies: IO[bytes] = self._process.stdout  # type: ignore[assignment]
        self._ready = select.poll()
        self._ready.register(self._replies.fileno(), select.POLLIN)

    def exchange(self, request: bytes, patience: float) -> bytes:
        """Send a request and wait for its reply.

        Raises:
            Died: The process is gone or silent for too long.
        """
        try:
            worker.send(self._requests.fileno(), request)
        except BrokenPipeError:
            raise Died from None
        if not self._ready.poll(patience * 1000):
            raise Died
        reply = worker.receive(self._replies.fileno())
        if reply is None:
            raise Died
        return reply

    def end(self) -> None:
        """End the process and wait until it is gone."""
        self._process.kill()
        self._process.wait()
        self._requests.close()
        self._replies.close()


def _end_all(processes: list[_Process]) -> None:
    while processes:
        processes.pop().end()


def _extension() -> str:
    """Where the engine's extension module is. The package around it starts a thread when imported."""
    spec = importlib.util.find_spec("_quickjs")
    if spec is None or spec.origin is None or not sys.executable:
        raise HubError(
            "validators and filters need the package quickjs-ng and a Python interpreter to run it"
        )
    return spec.origin
