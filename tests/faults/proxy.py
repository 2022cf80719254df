"""A TCP proxy on loopback that makes a network misbehave on command.

It can stall a direction, cut connections (at once, after so many bytes, or at the k-th HTTP/2 frame of a
type), refuse new ones, and heal. It knows the frame layout of HTTP/2 and nothing of what the frames mean.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from enum import Enum

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS = 0x0, 0x1, 0x4  # RFC 9113, section 6


class Direction(Enum):
    """Which way bytes go through the proxy."""

    UP = "client to server"
    DOWN = "server to client"


@dataclass
class Cut:
    """Where to cut: after `bytes` of a direction, or before the `number`-th frame of type `frame` in it."""

    direction: Direction
    bytes: int | None = None
    frame: int | None = None
    number: int = 1


class _Frames:
    """Where in a direction's bytes the frames begin."""

    def __init__(self, *, preface: bool) -> None:
        self._skip = len(PREFACE) if preface else 0
        self._head = b""

    def types(self, data: bytes) -> list[tuple[int, int]]:
        """The frames whose header ends in `data`:

        offset of the header (negative if it began earlier), type.
        """
        found, position = [], 0
        while position < len(data):
            if self._skip:
                step = min(self._skip, len(data) - position)
                self._skip -= step
                position += step
                continue
            need = 9 - len(self._head)
            self._head += data[position : position + need]
            position += need
            if len(self._head) == 9:
                found.append((position - 9, self._head[3]))
                self._skip = int.from_bytes(self._head[:3], "big")
                self._head = b""
        return found


class FaultProxy:
    """Made by :func:`proxying`. All switches apply to connections that are open and to later ones.

    Attributes:
        port: Where clients connect to.
        accepted: How many connections were made so far.
    """

    def __init__(self, upstream_port: int) -> None:
        self._upstream = upstream_port
        self._server: asyncio.Server | None = None
        self._flowing = {direction: asyncio.Event() for direction in Direction}
        self._cut: Cut | None = None
        self._passed = dict.fromkeys(Direction, 0)
        self._seen: dict[tuple[Direction, int], int] = {}  # frames begun so far, by type
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._progress = asyncio.Event()
        self.port = 0
        self.accepted = 0
        self.connected = asyncio.Event()
        self.cut_done = asyncio.Event()
        for event in self._flowing.values():
            event.set()

    def passed(self, direction: Direction) -> int:
        """Bytes let through so far, over all connections."""
        return self._passed[direction]

    async def until_passed(self, count: int, direction: Direction) -> None:
        """Wait until so many more bytes have passed in a direction."""
        goal = self._passed[direction] + count
        while self._passed[direction] < goal:
            self._progress.clear()
            await self._progress.wait()

    def stall(self, *directions: Direction) -> None:
        """Let no more bytes through (both ways by default); connections stay open."""
        for direction in directions or tuple(Direction):
            self._flowing[direction].clear()

    def cut(self) -> None:
        """Reset every open connection now, both ends."""
        for writer in tuple(self._writers):
            writer.transport.abort()

    def cut_after(self, count: int, direction: Direction) -> None:
        """Cut once `count` more bytes have passed in a direction; the last of them still arrive."""
        self._cut = Cut(direction, bytes=self._passed[direction] + count)
        self.cut_done.clear()

    def cut_before(self, frame: int, number: int, direction: Direction) -> None:
        """Cut just before the `number`-th frame (from now, from 1) of a type; what precedes it arrives."""
        self._cut = Cut(direction, frame=frame, number=self._seen.get((direction, frame), 0) + number)
        self.cut_done.clear()

    async def refuse(self) -> None:
        """Stop listening: new connections are refused, open ones stay."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def heal(self) -> None:
        """Undo every fault: listen, flow, cut nothing."""
        self._cut = None
        for event in self._flowing.values():
            event.set()
        if self._server is None:
            await self._listen()

    async def close(self) -> None:
        """Cut everything and stop."""
        await self.refuse()
        self.cut()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.accepted += 1
        self.connected.set()
        upstream: asyncio.StreamWriter | None = None
        try:
            up_reader, upstream = await asyncio.open_connection("127.0.0.1", self._upstream)
            self._writers |= {writer, upstream}
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pipe(reader, upstream, Direction.UP))
                group.create_task(self._pipe(up_reader, writer, Direction.DOWN))
        except* (OSError, asyncio.CancelledError):
            pass  # a connection that broke, or a proxy that is closed: both is what it is for
        finally:
            for end in (writer, upstream):
                if end is not None:
                    self._writers.discard(end)
                    end.transport.abort()
            self._tasks.discard(task)

    async def _pipe(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, direction: Direction
    ) -> None:
        frames = _Frames(preface=direction is Direction.UP)
        while data := await reader.read(64 * 1024):
            await self._flowing[direction].wait()
            keep = self._until_cut(data, frames, direction)
            writer.write(data if keep is None else data[:keep])
            self._passed[direction] += len(data) if keep is None else keep
            self._progress.set()
            await writer.drain()
            if keep is not None:
                self._cut = None
                # Close in order, so that what was let through arrives before the end.
                for end in tuple(self._writers):
                    end.close()
                self.cut_done.set()
                return
        with suppress(OSError):
            writer.write_eof()

    def _until_cut(self, data: bytes, frames: _Frames, direction: Direction) -> int | None:
        begun = frames.types(data)
        for offset, kind in begun:
            self._seen[direction, kind] = self._seen.get((direction, kind), 0) + 1
            cut = self._cut
            if (
                cut is not None
                and cut.direction is direction
                and cut.frame == kind
                and self._seen[direction, kind] == cut.number
            ):
                return max(offset, 0)
        cut = self._cut
        if cut is not None and cut.direction is direction and cut.bytes is not None:
            left = cut.bytes - self._passed[direction]
            if left <= len(data):
                return max(left, 0)
        return None


@asynccontextmanager
async def proxying(upstream_port: int) -> AsyncIterator[FaultProxy]:
    """A proxy before a server on loopback."""
    proxy = FaultProxy(upstream_port)
    await proxy.heal()
    try:
        yield proxy
    finally:
        await proxy.close()
