"""Whatever reaches the hub's port, others are served."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

import textile_aio
from tests.faults.proxy import PREFACE
from tests.faults.tasks import GRACE, no_task_left
from tests.localhub import raw
from tests.trees import pull
from textile_aio import AuthContext, HubClient
from textile_aio._proto.api.bucketsd import pb
from textile_aio.localhub import HubSettings, LocalHub

PUSH = "/api.bucketsd.pb.APIService/PushPath"
LIMIT = 4 * 1024 * 1024
SETTINGS = b"\0\0\0\4\0\0\0\0\0"

STRANGE = {
    "nothing": b"",
    "one byte": b"\0",
    "noise": random.Random(1).randbytes(100_000),
    "half a preface": PREFACE[:11],
    "a preface alone": PREFACE,
    "a preface that goes wrong": PREFACE[:-1] + b"X",
    "HTTP/1": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "an upgrade to HTTP/2": (
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
        b"HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"
    ),
    "TLS": bytes.fromhex("160301020001fc0303") + random.Random(2).randbytes(500),
    "noise after the preface": PREFACE + SETTINGS + random.Random(3).randbytes(100_000),
    "no settings": PREFACE + b"\0\0\x08\6\0\0\0\0\0" + bytes(8),
    "data for no stream": PREFACE + SETTINGS + b"\0\0\5\0\1\0\0\0\1hello",
    "data for the connection": PREFACE + SETTINGS + b"\0\0\5\0\1\0\0\0\0hello",
    "a frame of 16 MiB": PREFACE + SETTINGS + b"\xff\xff\xff\0\0\0\0\0\1" + bytes(200_000),
    "half a frame": PREFACE + SETTINGS + b"\0\x40\0\0\0\0\0\0\1" + bytes(100),
    "headers that are none": PREFACE + SETTINGS + b"\0\0\4\1\5\0\0\0\1\xff\xff\xff\xff",
    "an endless header": PREFACE + SETTINGS + b"\0\x40\0\1\0\0\0\0\1\0\x01a\x7f\xff\xff\7" + bytes(20_000),
    "a window of nothing": PREFACE + SETTINGS + b"\0\0\4\x08\0\0\0\0\0\0\0\0\0",
    "a window too large": PREFACE + SETTINGS + b"\0\0\4\x08\0\0\0\0\0\x7f\xff\xff\xff" * 2,
    "a priority loop": PREFACE + SETTINGS + b"\0\0\5\2\0\0\0\0\1\0\0\0\1\0",
    "goaway": PREFACE + SETTINGS + b"\0\0\x08\7\0\0\0\0\0\0\0\0\0\0\0\0\0",
    "a reset of no stream": PREFACE + SETTINGS + b"\0\0\4\3\0\0\0\0\1\0\0\0\x08",
    "a frame of an unknown type": PREFACE + SETTINGS + b"\0\0\3\xee\0\0\0\0\0abc",
}


@asynccontextmanager
async def served() -> AsyncIterator[tuple[LocalHub, HubClient, AuthContext, str]]:
    async with (
        LocalHub.in_memory(HubSettings(mode="buckd")) as hub,
        textile_aio.connect(hub.target) as client,
    ):
        ctx = AuthContext()
        ctx = ctx.with_thread(await client.threads.new_db(ctx))
        yield hub, client, ctx, (await client.buckets.create(ctx, "b")).key


async def open_to(hub: LocalHub) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = hub.target.rpartition(":")
    return await asyncio.open_connection(host, int(port))


def errors_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize("name", STRANGE)
async def test_others_are_served_while_and_after_it_talks(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with no_task_left(), served() as (hub, client, ctx, key):
        reader, writer = await open_to(hub)
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def content() -> AsyncIterator[bytes]:
            yield b"before, "
            begun.set()
            await go_on.wait()
            yield b"after"

        async with asyncio.TaskGroup() as group:
            group.create_task(client.buckets.push_path(ctx, key, "under way", content()))
            await begun.wait()
            writer.write(STRANGE[name])
            with suppress(ConnectionError):
                await writer.drain()
            # The hub has had its turn with those bytes once a later connection is answered.
            async with textile_aio.connect(hub.target) as later:
                assert [root.key for root in await later.buckets.list(ctx)] == [key]
            go_on.set()
        assert await pull(client, ctx, key, "under way") == b"before, after"
        with suppress(ConnectionError):
            writer.write_eof()
        # The hub ends what it cannot use, and what its peer has ended.
        async with asyncio.timeout(GRACE):
            with suppress(ConnectionError):
                await reader.read()
        writer.close()
        assert (await client.buckets.push_path(ctx, key, "later", b"x")).path == "later"
    assert errors_of(caplog) == []


async def test_a_hundred_silent_connections_keep_nobody_out() -> None:
    async with no_task_left(), served() as (hub, client, ctx, key):
        writers = [(await open_to(hub))[1] for _ in range(100)]
        async with textile_aio.connect(hub.target) as later:
            await later.buckets.push_path(ctx, key, "f", b"x")
        assert await pull(client, ctx, key, "f") == b"x"
        for writer in writers:
            writer.close()


async def test_a_message_over_the_limit_ends_its_call_alone() -> None:
    async with served() as (hub, client, ctx, key):
        metadata = {"x-textile-thread": str(ctx.thread)}
        header = pb.PushPathRequest(header=pb.PushPathRequestHeader(key=key, path="large"))
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def content() -> AsyncIterator[bytes]:
            yield b"before, "
            begun.set()
            await go_on.wait()
            yield b"after"

        async with asyncio.TaskGroup() as group:
            other = (await client.buckets.create(ctx, "other")).key
            group.create_task(client.buckets.push_path(ctx, other, "f", content()))
            await begun.wait()
            # A chunk of that many bytes takes 5 more: a tag and a length of four bytes.
            for size, outcome in ((LIMIT - 5, raw.OK), (LIMIT - 4, too_large(LIMIT + 1)), (2 * LIMIT, None)):
                chunk = pb.PushPathRequest(chunk=bytes(size))
                assert await raw.outcome(hub.target, PUSH, metadata, header, chunk) == (
                    outcome or too_large(2 * LIMIT + 5)
                )
                assert len(await pull(client, ctx, key, "large")) == LIMIT - 5
            go_on.set()
        assert await pull(client, ctx, other, "f") == b"before, after"


def too_large(size: int) -> raw.Outcome:
    return "RESOURCE_EXHAUSTED", f"grpc: received message larger than max ({size} vs. {LIMIT})"


async def test_a_unary_message_over_the_limit_is_refused() -> None:
    async with served() as (hub, client, ctx, key):
        request = pb.ListPathRequest(key=key, path="x" * LIMIT)
        path = "/api.bucketsd.pb.APIService/ListPath"
        code, text = await raw.outcome(hub.target, path, {"x-textile-thread": str(ctx.thread)}, request)
        assert code == "RESOURCE_EXHAUSTED"
        assert text.startswith("grpc: received message larger than max (")
        assert [root.key for root in await client.buckets.list(ctx)] == [key]


async def test_the_sdk_sends_large_sources_in_messages_that_hubs_take() -> None:
    async with served() as (_, client, ctx, key):
        content = random.Random(4).randbytes(3 * LIMIT)
        await client.buckets.push_path(ctx, key, "f", content)
        await client.buckets.push_files(ctx, key, {"g": content})
        assert await pull(client, ctx, key, "f") == await pull(client, ctx, key, "g") == content
