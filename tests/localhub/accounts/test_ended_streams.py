"""Whoever loses a key, a session or a place in an organisation loses their open streams; others go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Self

import pytest

from tests.localhub.raw import outcome
from tests.localhub.web import client as web
from textile_aio import AuthContext, HubClient, Identity, StatusCode, ThreadID, connect, errors
from textile_aio._proto.api.bucketsd import pb as buckets
from textile_aio._proto.threads import pb
from textile_aio.localhub import HubSettings, LocalHub
from textile_aio.localhub.accounts import AccountCredentials

LISTEN = "/threads.pb.API/Listen"
BUCKETS = "/api.bucketsd.pb.APIService/"

INVALID_SESSION = ("UNAUTHENTICATED", "Invalid session")
NO_MEMBER = ("PERMISSION_DENIED", "User is not an org member")
NO_KEY = ("NOT_FOUND", "API key not found or is invalid")
Outcome = tuple[str, str]


@dataclass
class Scene:
    """A developer's account, which owns things by session, by key and in an organisation; and another one."""

    hub: LocalHub
    client: HubClient
    ann: AccountCredentials
    bob: AccountCredentials
    session: AuthContext
    key: AuthContext
    member: AuthContext
    other: AuthContext

    async def thread(self, ctx: AuthContext) -> tuple[dict[str, str], ThreadID, str]:
        """Metadata of calls with ``ctx`` to a database of its own, with a bucket in it."""
        db = await self.client.threads.new_db(ctx)
        ctx = ctx.with_thread(db)
        bucket = await self.client.buckets.create(ctx, "b")
        await self.client.buckets.push_path(ctx, bucket.key, "large", bytes(8_000_000))
        return await ctx.metadata(), db, bucket.key


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    settings = HubSettings(web_port=0, fsync=False, signs_each=None)
    async with LocalHub.in_memory(settings) as hub, connect(hub.target) as client:
        ann, bob = await hub.create_account("ann"), await hub.create_account("bob", "bob@x.y")
        key = await hub.create_key(ann)
        session = AuthContext().with_session(ann.session)
        org = await client.accounts.create_org(session, "Org")
        token = await client.accounts.invite_to_org(session.with_org(org.slug), "bob@x.y")
        assert hub._accounts is not None
        await hub._accounts.organisations.consent(token)
        by_key = await client.threads.authorize(
            AuthContext().with_api_key(key.key, key.secret), Identity.generate()
        )
        bobs = AuthContext().with_session(bob.session)
        yield Scene(hub, client, ann, bob, session, by_key, bobs.with_org(org.slug), bobs)


class Streams:
    """Streams that were let in, and how they end. They are cancelled with the block."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._open: dict[str, list[asyncio.Task[Outcome]]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks = [task for each in self._open.values() for task in each]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def open(self, name: str, ctx: AuthContext) -> None:
        """One of each kind, all of them in the middle."""
        headers, db, bucket = await self._scene.thread(ctx)
        target = self._scene.hub.target
        start = pb.StartTransactionRequest(db_id=bytes(db), collection_name="buckets")
        has = pb.HasRequest(instance_i_ds=["none"])
        listen = pb.ListenRequest(db_id=bytes(db))
        calls = [
            outcome(target, LISTEN, headers, listen),
            outcome(
                target,
                "/threads.pb.API/WriteTransaction",
                headers,
                pb.WriteTransactionRequest(start_transaction_request=start),
                pb.WriteTransactionRequest(has_request=has),
                half_close=False,
            ),
            outcome(
                target,
                "/threads.pb.API/ReadTransaction",
                headers,
                pb.ReadTransactionRequest(start_transaction_request=start),
                pb.ReadTransactionRequest(has_request=has),
                half_close=False,
            ),
            outcome(
                target,
                BUCKETS + "PushPath",
                headers,
                buckets.PushPathRequest(header=buckets.PushPathRequestHeader(key=bucket, path="new")),
                buckets.PushPathRequest(chunk=bytes(100_000)),
                half_close=False,
            ),
            by_websocket(self._scene, headers, listen),
        ]
        self._open[name] = [asyncio.ensure_future(call) for call in calls]

    async def let_in(self) -> None:
        """Until the hub serves them all."""
        await in_progress(self._scene, sum(map(len, self._open.values())))

    async def statuses(self, name: str) -> list[Outcome]:
        async with asyncio.timeout(1):
            return await asyncio.gather(*self._open[name])

    def go_on(self, name: str) -> bool:
        return not any(task.done() for task in self._open[name])


async def by_websocket(scene: Scene, headers: dict[str, str], request: Any) -> Outcome:
    assert scene.hub.web_target is not None
    answer = await web.call(scene.hub.web_target, LISTEN, bytes(request), metadata=headers)
    code, text = answer.status
    return StatusCode(code).name, text


async def in_progress(scene: Scene, count: int) -> None:
    """Until so many calls are in progress."""
    assert scene.hub._accounts is not None
    live = scene.hub._accounts.keys._live
    async with asyncio.timeout(10):
        while len({call for calls in live._calls.values() for call in calls}) != count:  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def invalidate(scene: Scene) -> None:
    await scene.hub.invalidate_key(str((await scene.key.metadata())["x-textile-api-key"]))


async def sign_out(scene: Scene) -> None:
    await scene.client.accounts.sign_out(scene.session)


async def leave(scene: Scene) -> None:
    await scene.client.accounts.leave_org(scene.member)


async def remove(scene: Scene) -> None:
    await scene.client.accounts.remove_org(scene.session.with_org("Org"))


async def destroy(scene: Scene) -> None:
    await remove(scene)
    await scene.client.accounts.destroy_account(scene.session)


CASES: list[tuple[Callable[[Scene], Awaitable[None]], dict[str, Outcome]]] = [
    (invalidate, {"key": NO_KEY}),
    (sign_out, {"session": INVALID_SESSION}),
    (leave, {"member": NO_MEMBER}),
    (remove, {"member": NO_MEMBER}),
    (destroy, {"session": INVALID_SESSION, "key": NO_KEY, "member": NO_MEMBER}),
]


@pytest.mark.parametrize(("end", "ended"), CASES, ids=[end.__name__ for end, _ in CASES])
async def test_streams_end_within_a_second_and_those_of_others_go_on(
    scene: Scene, end: Callable[[Scene], Awaitable[None]], ended: dict[str, Outcome]
) -> None:
    async with Streams(scene) as streams:
        everybody = {"session": scene.session, "key": scene.key, "member": scene.member, "other": scene.other}
        for name, ctx in everybody.items():
            await streams.open(name, ctx)
        await streams.let_in()
        await end(scene)
        for name, expected in ended.items():
            assert await streams.statuses(name) == [expected] * 5, name
        for name in everybody.keys() - ended.keys():
            assert streams.go_on(name), name


async def test_a_slow_reader_of_a_file_is_ended_as_well(scene: Scene) -> None:
    _, db, bucket = await scene.thread(scene.key)
    with pytest.raises(errors.ApiKeyNotFound):
        async with scene.client.buckets.pull_path(scene.key.with_thread(db), bucket, "large") as chunks:
            async for _ in chunks:
                await invalidate(scene)


async def test_no_call_is_left_over(scene: Scene) -> None:
    session = await scene.session.metadata()
    for _ in range(100):
        assert (await outcome(scene.hub.target, "/api.hubd.pb.APIService/GetSessionInfo", session))[0] == "OK"
    async with Streams(scene) as streams:
        await streams.open("session", scene.session)
        await streams.let_in()
    await in_progress(scene, 0)
    assert scene.hub._accounts is not None
    assert not scene.hub._accounts.keys._live._calls
