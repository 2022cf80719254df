"""Streams through the gRPC-web door that are cut at any of their messages: closing is never the end."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest
from websockets.asyncio.client import ClientConnection

import textile_aio
from tests.faults.tasks import no_task_left
from tests.localhub.web.client import answer, opened
from tests.localhub.web.frames import END, flagged, header_text
from textile_aio import AuthContext, CollectionConfig, HubClient, Identity
from textile_aio._proto.api.bucketsd import pb as buckets
from textile_aio._proto.threads import pb as threads
from textile_aio.localhub import HubSettings, LocalHub

WRITE, PUSH = "/threads.pb.API/WriteTransaction", "/api.bucketsd.pb.APIService/PushPath"


@dataclass(frozen=True)
class Scene:
    target: str
    client: HubClient
    ctx: AuthContext

    async def headers(self) -> bytes:
        return header_text(await self.ctx.metadata())


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    async with (
        LocalHub.in_memory(HubSettings(mode="buckd", web_port=0, grace=0)) as hub,
        textile_aio.connect(hub.target) as client,
    ):
        ctx = await client.threads.authorize(AuthContext(), Identity.generate())
        ctx = ctx.with_thread(await client.threads.new_db(ctx))
        assert hub.web_target is not None
        yield Scene(hub.web_target, client, ctx)


async def close(websocket: ClientConnection) -> None:
    await websocket.close()


async def abort(websocket: ClientConnection) -> None:
    websocket.transport.abort()


def transaction(scene: Scene) -> list[bytes]:
    def instance(id_: str) -> bytes:
        return json.dumps({"_id": id_}).encode()

    start = threads.StartTransactionRequest(db_id=bytes(scene.ctx.thread or b""), collection_name="things")
    requests = [
        threads.WriteTransactionRequest(start_transaction_request=start),
        threads.WriteTransactionRequest(create_request=threads.CreateRequest(instances=[instance("a")])),
        threads.WriteTransactionRequest(save_request=threads.SaveRequest(instances=[instance("b")])),
        threads.WriteTransactionRequest(create_request=threads.CreateRequest(instances=[instance("c")])),
    ]
    return [flagged(bytes(each)) for each in requests]


@pytest.mark.parametrize("leave", [close, abort])
async def test_a_transaction_that_is_cut_changes_nothing(
    scene: Scene, leave: Callable[[ClientConnection], Awaitable[None]]
) -> None:
    await scene.client.threads.new_collection(scene.ctx, None, CollectionConfig("things"))
    messages = transaction(scene)
    for cut in range(len(messages) + 1):
        async with no_task_left(), opened(scene.target, WRITE) as websocket:
            await websocket.send(await scene.headers())
            for message in messages[:cut]:
                await websocket.send(message)
            replies = max(0, cut - 1)  # the start has none
            while replies:
                replies -= (await websocket.recv(decode=False))[0] == 0
            await leave(websocket)
        # It waits for the lock that the transaction had, and so for its end.
        assert await scene.client.threads.find(scene.ctx, None, "things") == []
    async with opened(scene.target, WRITE) as websocket:
        for message in (await scene.headers(), *messages, END):
            await websocket.send(message)
        assert (await answer(websocket)).status == (0, "")
    found = await scene.client.threads.find(scene.ctx, None, "things")
    assert [each["_id"] for each in found] == ["a", "b", "c"]


@pytest.mark.parametrize("leave", [close, abort])
async def test_a_push_that_is_cut_changes_nothing(
    scene: Scene, leave: Callable[[ClientConnection], Awaitable[None]]
) -> None:
    bucket = await scene.client.buckets.create(scene.ctx, "things")
    header = buckets.PushPathRequestHeader(key=bucket.key, path="a.bin", root=bucket.root.path)
    chunks = [bytes([number]) * 100_000 for number in range(5)]
    requests = [
        buckets.PushPathRequest(header=header),
        *(buckets.PushPathRequest(chunk=each) for each in chunks),
    ]
    messages = [flagged(bytes(each)) for each in requests]
    for cut in range(len(messages) + 1):
        async with no_task_left(), opened(scene.target, PUSH) as websocket:
            await websocket.send(await scene.headers())
            for message in messages[:cut]:
                await websocket.send(message)
            await leave(websocket)
        assert (await scene.client.buckets.root(scene.ctx, bucket.key)).path == bucket.root.path
    async with opened(scene.target, PUSH) as websocket:
        for message in (await scene.headers(), *messages, END):
            await websocket.send(message)
        assert (await answer(websocket)).status == (0, "")
    pulled = [chunk async for chunk in scene.client.buckets.pull_path(scene.ctx, bucket.key, "a.bin")]
    assert b"".join(pulled) == b"".join(chunks)
