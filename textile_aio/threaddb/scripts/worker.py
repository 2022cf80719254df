"""The process in which scripts run: it answers requests on its standard input until that ends.

Run as a file by :mod:`~textile_aio.threaddb.scripts.workers`: it has only the standard library and the
engine's extension module, so that it starts in milliseconds and holds nothing worth stealing.

QuickJS looks at the clock at calls and jumps of a script, once in ten thousand of them. Between two looks a
script can sort, join or convert large values for minutes, and nothing inside a process can stop it. So the
kernel does: a CPU timer without a handler ends this process, and with it only the script that overran.

A request is a 16-byte name and a verb, then for ``SOURCE`` the kind and the text of a function, for
``COMPILE`` texts that should be programs, for ``CALL`` three values for each call. The reply to ``CALL`` is
an outcome for each call, as ``realm.js`` words it, up to the first that is not a success; to ``COMPILE`` an
error or nothing. What these words mean to a writer or reader is not known here.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import json
import os
import signal
import struct
import sys
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

NAME_SIZE = 16
CALL, COMPILE, SOURCE = b"?", b"c", b"="
FILTER, VALIDATOR = b"f", b"v"
UNKNOWN_SCRIPT = b"!"
SUCCESSES = ("passed ", "shown ", "hidden ")

SECONDS_PER_BYTE = 4e-7
"""How much longer a call may take for each byte of its documents: they have to be read and written."""

BYTES_PER_BYTE = 64
"""How much memory a JSON text may take as values, for each of its bytes: an empty list is two."""

_KEPT = 24
_LARGE = 1 << 16
_KERNEL_GRACE = 0.03
_LENGTH = struct.Struct("<i")
_READ_SIZE = 1 << 16


def pack(values: Iterable[bytes | None]) -> bytes:
    """Values one after another, each behind its length; None is the length -1."""
    parts = []
    for value in values:
        if value is None:
            parts.append(_LENGTH.pack(-1))
        else:
            parts += (_LENGTH.pack(len(value)), value)
    return b"".join(parts)


def unpack(data: bytes, at: int = 0) -> list[bytes | None]:
    """What :func:`pack` packed."""
    values: list[bytes | None] = []
    end = len(data)
    while at < end:
        (length,) = _LENGTH.unpack_from(data, at)
        at += _LENGTH.size
        if length < 0:
            values.append(None)
        else:
            values.append(data[at : at + length])
            at += length
    return values


def send(file: int, message: bytes) -> None:
    """Write one message to a pipe."""
    data = _LENGTH.pack(len(message)) + message
    done = os.write(file, data)
    rest = memoryview(data)
    while done < len(data):
        done += os.write(file, rest[done:])


def receive(file: int) -> bytes | None:
    """Read one message from a pipe that has no other behind it; None at the end."""
    data = os.read(file, _READ_SIZE)
    if len(data) >= _LENGTH.size and len(data) == _LENGTH.unpack_from(data)[0] + _LENGTH.size:
        return data[_LENGTH.size :]
    whole = bytearray(data)
    while len(whole) < _LENGTH.size or len(whole) < _LENGTH.unpack_from(whole)[0] + _LENGTH.size:
        data = os.read(file, _READ_SIZE)
        if not data:
            return None
        whole += data
    return bytes(whole[_LENGTH.size :])


class Worker:
    """Functions by name, each in an engine of its own; the least recently called are dropped."""

    def __init__(self, engine: Any, realm: str, *, seconds: float, memory: int, stack: int) -> None:
        self._engine = engine
        self._realm = realm
        self._seconds = seconds
        self._memory = memory
        self._stack = stack
        self._sources: OrderedDict[bytes, bytes] = OrderedDict()
        self._running: dict[bytes, tuple[Any, Any, int]] = {}

    def answer(self, request: bytes) -> bytes:
        """The reply to a request."""
        name, verb = request[:NAME_SIZE], request[NAME_SIZE : NAME_SIZE + 1]
        start = NAME_SIZE + 1
        if verb == COMPILE:
            return self._compile(unpack(request, start))
        if verb == SOURCE:
            self._sources[name] = request[start:]
            if len(self._sources) > _KEPT:
                oldest, _ = self._sources.popitem(last=False)
                self._running.pop(oldest, None)
            return b""
        if name not in self._sources:
            return UNKNOWN_SCRIPT
        self._sources.move_to_end(name)
        outcomes = []
        values = iter(unpack(request, start))
        for values_of_call in zip(values, values, values, strict=True):
            outcome = self._call(name, *values_of_call)
            outcomes.append(outcome.encode())
            if not outcome.startswith(SUCCESSES):
                break
        _limit_cpu(0)
        return pack(outcomes)

    def _compile(self, programs: list[bytes | None]) -> bytes:
        """The complaint about the first of some programs that is none. Each begins with a ``throw``."""
        for program in programs:
            context = self._engine.Context()
            context.set_memory_limit(self._memory)
            context.set_max_stack_size(self._stack)
            try:
                context.eval((program or b"").decode())
            except self._engine.JSException as error:
                text = str(error).partition("\n")[0]
                if text:
                    return text.encode()
        return b""

    def _call(self, name: bytes, who: bytes | None, first: bytes | None, second: bytes | None) -> str:
        """The outcome of a call. The engine is kept only if the next call will find it as this one did."""
        size = len(first or b"") + len(second or b"")
        seconds = self._seconds + size * SECONDS_PER_BYTE
        _limit_cpu(2 * seconds + _KERNEL_GRACE)
        try:
            context, runner, base = self._running.get(name) or self._start(name)
            context.set_memory_limit(base + self._memory + BYTES_PER_BYTE * size)
            one = None if first is None else context.parse_json(first.decode())
            two = None if second is None else context.parse_json(second.decode())
            if size > _LARGE:
                context.set_memory_limit(context.memory()["malloc_size"] + self._memory)
            context.set_time_limit(seconds)
            marked: str = runner(None if who is None else who.decode(), one, two)
            unfinished = context.execute_pending_job()
        except self._engine.JSException as error:
            self._running.pop(name, None)
            text = str(error).partition("\n")[0]
            return "overran " if text == "InternalError: interrupted" else "broken " + json.dumps(text)
        outcome = marked[1:]
        if marked[0] != "+" or unfinished or outcome.startswith("broken "):
            del self._running[name]
        return outcome

    def _start(self, name: bytes) -> tuple[Any, Any, int]:
        kind, source = self._sources[name][:1], self._sources[name][1:].decode()
        context = self._engine.Context()
        context.set_max_stack_size(self._stack)
        make = context.eval(self._realm)
        base: int = context.memory()["malloc_size"]
        context.set_memory_limit(base + self._memory)
        runner = make(context.eval(source), kind == FILTER)
        self._running[name] = context, runner, base
        return context, runner, base


def _limit_cpu(seconds: float) -> None:
    signal.setitimer(signal.ITIMER_PROF, seconds)


def _load(path: str) -> Any:
    """The extension module at a path, without making its neighbours importable."""
    loader = importlib.machinery.ExtensionFileLoader("_quickjs", path)
    module = importlib.util.module_from_spec(importlib.machinery.ModuleSpec("_quickjs", loader, origin=path))
    loader.exec_module(module)
    return module


def main(extension: str, realm: str, seconds: str, memory: str, stack: str) -> None:
    """Serve until the standard input ends, which is when whoever started this is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    worker = Worker(
        _load(extension),
        Path(realm).read_text("utf-8"),
        seconds=float(seconds),
        memory=int(memory),
        stack=int(stack),
    )
    while (request := receive(0)) is not None:
        send(1, worker.answer(request))


if __name__ == "__main__":
    main(*sys.argv[1:])
