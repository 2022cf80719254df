"""A few processes for scripts, started when needed, replaced when they die.

What is asked of them and what their answers mean is for :mod:`~textile_aio.threaddb.scripts`.
"""

from __future__ import annotations

import importlib.util
import select
import signal
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
        seconds: CPU time, in seconds; documents add 0.4 microseconds for each of their bytes. A script is
            stopped at the limit, at the latest at twice the limit and 30 ms.
        memory: What it may allocate beside its arguments, in bytes.
        stack: How deep calls may go, in bytes of stack.
    """

    seconds: float = 0.010
    memory: int = 16 << 20
    stack: int = 512 << 10


class Died(Exception):
    """The process ended, or had to be ended, before it replied.

    Attributes:
        overran: The script used up its time; otherwise something else ended the process.
    """

    def __init__(self, *, overran: bool) -> None:
        super().__init__(overran)
        self.overran = overran


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
            process, is_new = self._take(name)
            try:
                reply = process.call(name, message, source, patience)
            except Died as death:
                if death.overran or is_new:
                    raise
                process = _Process(self._limits)  # the other one died before it was asked
                reply = process.call(name, message, source, patience)
            self._idle.append(process)
            if self._closed:
                _end_all(self._idle)
            return reply

    def close(self) -> None:
        """End the processes, at once those that are idle and the others after their call."""
        self._closed = True
        self._finalizer()

    def _take(self, name: bytes) -> tuple[_Process, bool]:
        """A process, one that knows the script if there is one; and whether it was started for this."""
        if self._closed:
            raise ClosedError("scripts are no longer run: the database is closed")
        idle = self._idle
        for process in reversed(idle):
            if name in process.names:
                try:
                    idle.remove(process)
                except ValueError:  # another thread was faster
                    continue
                return process, False
        try:
            return idle.pop(), False
        except IndexError:
            return _Process(self._limits), True


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

    def call(self, name: bytes, message: bytes, source: bytes, patience: float) -> bytes:
        """The reply to a message about a script. The process is ended if anything goes wrong.

        Raises:
            Died: There is none.
        """
        try:
            reply = self._exchange(name + message, patience)
            if reply == worker.UNKNOWN_SCRIPT:
                self._exchange(name + worker.SOURCE + source, patience)
                reply = self._exchange(name + message, patience)
        except EOFError:
            raise Died(overran=self.end() == -signal.SIGPROF) from None
        except TimeoutError:
            self.end()
            raise Died(overran=True) from None
        except BaseException:
            self.end()
            raise
        self.names.add(name)
        return reply

    def _exchange(self, request: bytes, patience: float) -> bytes:
        try:
            worker.send(self._requests.fileno(), request)
        except BrokenPipeError:
            raise EOFError from None
        if not self._ready.poll(patience * 1000):
            raise TimeoutError
        reply = worker.receive(self._replies.fileno())
        if reply is None:
            raise EOFError
        return reply

    def end(self) -> int:
        """End the process and wait until it is gone. How it ended: a signal's number is negative."""
        self._process.kill()
        self._requests.close()
        self._replies.close()
        return self._process.wait()


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
