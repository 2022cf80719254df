"""A program at the other end of a pipe, in another language, whose objects are called from here.

It gets a line of JSON for each thing to do, and prints a line for each outcome and each call of a callback.
What is called, and with what, is said by the tests; the program only passes it on.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

from textile_aio import Identity, PublicKey, StatusCode, ThreadID

Step = Sequence[Any]


class PeerError(Exception):
    """What a client threw, rejected with or returned.

    Attributes:
        code: The status, where a hub refused.
    """

    def __init__(self, text: str, code: StatusCode | None = None) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True)
class Query:
    """A query, by the calls that build it: ``[["where", "age"], ["ge", 21], ["orderBy", "name"]]``."""

    steps: Sequence[Step]


@dataclass(frozen=True)
class Function:
    """A function, by its source."""

    source: str


@dataclass(frozen=True)
class Module:
    """A module, by its name."""

    name: str


UNDEFINED = object()

_PATIENCE = 20.0


class Peer:
    """The process. :meth:`make` makes objects, :meth:`call` calls functions and static methods.

    Attributes:
        crashes: What was thrown in it where nobody could catch it.
        tolerated: Parts of the texts of those that are the clients' own fault.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._numbers = count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._callbacks: dict[int, asyncio.Queue[list[Any]]] = {}
        self.crashes: list[str] = []
        self.tolerated: list[str] = []

    @classmethod
    @asynccontextmanager
    async def running(cls, *command: str | Path, folder: Path) -> AsyncIterator[Peer]:
        """A process that lives as long as the block, in a folder that it may fill.

        A failure in it that nobody waited for fails the block.
        """
        process = await asyncio.create_subprocess_exec(
            *command, cwd=folder, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            limit=64 * 1024 * 1024,
        )  # fmt: skip
        peer = cls(process)
        reading = asyncio.create_task(peer._read())
        try:
            yield peer
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
            await reading
            process._transport.close()  # type: ignore[attr-defined]
        crashes = [each for each in peer.crashes if not any(known in each for known in peer.tolerated)]
        assert not crashes, "\n".join(crashes)

    async def make(self, module: str, name: str, *given: Any) -> PeerObject:
        """``new (require(module)[name])(...given)``."""
        made = await self._act("make", module=module, name=name, given=given)
        assert isinstance(made, PeerObject)
        return made

    async def call(self, module: str, function: str, *given: Any) -> Any:
        """``require(module).Name.method(...given)``; ``function`` is ``"Name.method"`` or ``"method"``."""
        name, _, method = function.rpartition(".")
        return await self._act("call", module=module, name=name, method=method, given=given)

    def callback(self, answer: Any = None) -> PeerCallback:
        """A function to hand over, whose calls arrive here; it returns the same answer to each."""
        number = next(self._numbers)
        self._callbacks[number] = asyncio.Queue()
        return PeerCallback(number, answer, self._callbacks[number])

    async def _act(self, action: str, **request: Any) -> Any:
        number = next(self._numbers)
        line = json.dumps({"number": number, "action": action, **encode(request)})
        assert self._process.stdin is not None
        self._waiting[number] = asyncio.get_running_loop().create_future()
        self._process.stdin.write(line.encode() + b"\n")
        try:
            await self._process.stdin.drain()
            return await self._waiting[number]
        finally:
            del self._waiting[number]

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            said = json.loads(line)
            if "crash" in said:
                self.crashes.append(said["crash"])
            elif "callback" in said:
                self._callbacks[said["callback"]].put_nowait(decode(said["given"], self))
            elif (waiting := self._waiting.get(said["number"])) is not None and not waiting.done():
                if "error" in said:
                    waiting.set_exception(_error(said))
                else:
                    waiting.set_result(decode(said["result"], self))
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(PeerError("\n".join(["the process ended", *self.crashes])))


@dataclass(frozen=True)
class PeerObject:
    """Something that lives over there."""

    peer: Peer
    number: int
    kind: str

    async def call(self, method: str, *given: Any) -> Any:
        """Call a method and await what it gives."""
        return await self.peer._act("call", target=self, method=method, given=given)

    async def get(self, name: str) -> Any:
        """A property."""
        return await self.peer._act("get", target=self, name=name)

    async def set(self, name: str, value: Any) -> None:
        """Set a property."""
        await self.peer._act("set", target=self, name=name, value=value)

    async def gather(self) -> list[Any]:
        """Everything an async iterator gives."""
        everything: list[Any] = await self.peer._act("gather", target=self)
        return everything


@dataclass(frozen=True)
class PeerCallback:
    """A function that was handed over; what it was called with."""

    number: int
    answer: Any
    calls: asyncio.Queue[list[Any]]

    async def next(self) -> list[Any]:
        """What it is called with next."""
        async with asyncio.timeout(_PATIENCE):
            return await self.calls.get()


@dataclass(frozen=True)
class Bound:
    """A method of something over there, to hand over as a function."""

    target: PeerObject
    method: str


def encode(value: Any) -> Any:
    """As ``js/values.mjs`` and ``go/people/values.go`` read it."""
    match value:
        case PeerObject():
            return {"$object": value.number}
        case Bound():
            return {"$bound": value.target.number, "method": value.method}
        case PeerCallback():
            return {"$callback": value.number, "answer": encode(value.answer)}
        case Query():
            return {"$query": value.steps}
        case Function():
            return {"$function": value.source}
        case Identity():
            return {"$identity": value.to_string()}
        case PublicKey():
            return {"$public": str(value)}
        case ThreadID():
            return {"$thread": str(value)}
        case Module():
            return {"$module": value.name}
        case bytes():
            return {"$bytes": base64.b64encode(value).decode()}
        case Mapping():
            return {name: encode(each) for name, each in value.items()}
        case list() | tuple():
            return [encode(each) for each in value]
        case datetime():
            return {"$date": value.isoformat()}
    return {"$undefined": True} if value is UNDEFINED else value


def decode(value: Any, peer: Peer) -> Any:
    """As they write it."""
    match value:
        case {"$bytes": text}:
            return base64.b64decode(text)
        case {"$thread": text}:
            return ThreadID.parse(text)
        case {"$error": text}:
            return PeerError(text)
        case {"$object": number, "kind": kind}:
            return PeerObject(peer, number, kind)
        case dict():
            return {name: decode(each, peer) for name, each in value.items()}
        case list():
            return [decode(each, peer) for each in value]
    return value


def _error(said: Mapping[str, Any]) -> PeerError:
    code = said.get("code")
    return PeerError(said["error"], StatusCode(code) if isinstance(code, int) else None)
