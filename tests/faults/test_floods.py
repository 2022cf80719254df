"""A hub under floods at all of its doors at once: it goes on serving others, within its memory."""

from __future__ import annotations

import asyncio
import logging
import struct
from collections.abc import Callable
from pathlib import Path

import psutil
from hpack import Encoder

import textile_aio
from tests.localhub.process import hub_process
from tests.rpc import wire
from tests.rpc.wire import CONTINUATION, DATA, END_HEADERS, HEADERS, PING, PREFACE, RST_STREAM, frame
from textile_aio import AuthContext, Identity

log = logging.getLogger(__name__)

MIB = 1024 * 1024
BOUND = 128 * MIB
CROWD = 5
CALLS = 20
WATCH = "/grpc.health.v1.Health/Watch"
CHAT = "/threads.pb.API/WriteTransaction"

Writes = Callable[[int], bytes]
"""From how often a peer has written to what it writes next."""


def begun(path: str, settings: dict[int, int] | None = None) -> bytes:
    """A connection with one call."""
    return PREFACE + wire.settings(settings) + frame(HEADERS, END_HEADERS, 1, wire.request(Encoder(), path))


def resets(turn: int) -> bytes:
    encoder = Encoder()
    data = b"" if turn else PREFACE + wire.settings()
    for number in range(turn * 50, turn * 50 + 50):
        data += frame(HEADERS, END_HEADERS, 2 * number + 1, wire.request(encoder, CHAT))
        data += frame(RST_STREAM, 0, 2 * number + 1, struct.pack(">L", 8))
    return data


def after(begin: bytes, flood: bytes) -> Writes:
    return lambda turn: flood if turn else begin


BOMB = frame(HEADERS, END_HEADERS, 3, b"\x40\x01a\x7f\xa1\x1e" + b"b" * 4000 + b"\xbe" * 5000)
UNREAD = {4: 0}  # no window for any answer

GRPC: dict[str, Writes] = {
    "resets": resets,
    "pings": after(begun(CHAT), frame(PING, 0, 0, bytes(8)) * 200),
    "settings": after(begun(CHAT), wire.settings({4: 65_535}) * 200),
    "empty data": after(begun(CHAT), frame(DATA, 0, 1) * 200),
    "window updates": after(begun(CHAT), wire.window_update(1, 1) * 200),
    "a header bomb": after(begun(CHAT), BOMB),
    "a header block without end": after(
        begun(CHAT) + frame(HEADERS, 0, 3, bytes(1000)), frame(CONTINUATION, 0, 3, bytes(1000))
    ),
    "answers that nobody reads": after(begun(WATCH, UNREAD), frame(DATA, 0, 1, bytes(5))),
    "nothing": after(b"", b""),
}
HTTP: dict[str, Writes] = {
    "a slow head": after(b"GET /health HTTP/1.1\r\nHost: x\r\n", b"A: b\r\n"),
    "a large head": after(b"GET /health HTTP/1.1\r\n", b"A: " + b"b" * 10_000 + b"\r\n"),
    "pipelined requests": after(b"", b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n" * 200),
    "nothing": after(b"", b""),
}


async def attack(target: str, writes: Writes, over: asyncio.Event) -> None:
    """Write without reading, and come back when cut off, until it is over."""
    host, _, port = target.rpartition(":")
    while not over.is_set():
        try:
            _, writer = await asyncio.open_connection(host, int(port), limit=1)
        except OSError:
            await asyncio.sleep(0)
            continue
        writer.transport.set_write_buffer_limits(high=0)
        ending = asyncio.ensure_future(over.wait())
        try:
            turn = 0
            while not over.is_set():
                if data := writes(turn):
                    writer.write(data)
                    drained = asyncio.ensure_future(writer.drain())
                    await asyncio.wait((drained, ending), return_when=asyncio.FIRST_COMPLETED)
                    if not drained.done():
                        drained.cancel()
                        break
                    drained.result()
                elif turn:
                    await ending
                turn += 1
                await asyncio.sleep(0)
        except ConnectionError:
            pass
        finally:
            ending.cancel()
            writer.transport.abort()


async def test_floods_at_every_door_cost_others_nothing_but_time(tmp_path: Path) -> None:
    async with hub_process(tmp_path / "hub", "--mode", "buckd", "--head-seconds", "1") as hub:
        seen = psutil.Process(hub.process.pid)
        assert hub.web_target is not None
        over = asyncio.Event()
        most = 0
        # Attackers share this process: an answer to a ping may take its time to be read here.
        async with (
            textile_aio.connect(hub.target, keepalive=None) as client,
            asyncio.TaskGroup() as group,
        ):
            ctx = await client.threads.authorize(AuthContext(), Identity.generate())
            idle = seen.memory_info().rss
            for writes in GRPC.values():
                for _ in range(CROWD):
                    group.create_task(attack(hub.target, writes, over))
            for writes in HTTP.values():
                for _ in range(CROWD):
                    group.create_task(attack(hub.web_target, writes, over))
            try:
                for number in range(CALLS):
                    await client.threads.new_db(ctx, name=f"db{number}")
                    most = max(most, seen.memory_info().rss)
            finally:
                over.set()
        log.info("the hub grew by %.1f MiB under floods", (most - idle) / MIB)
        assert most - idle <= BOUND
        async with textile_aio.connect(hub.target) as client:
            assert await client.threads.authorize(AuthContext(), Identity.generate())
        assert await hub.end() == 0
