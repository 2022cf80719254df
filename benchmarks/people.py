"""Accounts, mail, and callers who do not belong."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path
from statistics import quantiles
from time import perf_counter

import textile_aio
from benchmarks import crowd, sides
from benchmarks.figures import Figure
from benchmarks.process import started
from benchmarks.rounds import Rounds, Scale
from textile_aio import AuthContext, HubClient, Identity

AT_ONCE = 64
PEOPLE = 64
PAGE = 100
BODY = b"x" * 512


async def people(work: Path, scale: Scale) -> list[Figure]:
    """All of it; each part has hubs of its own."""
    return [
        *await _authorised(work / "authorised", scale),
        *await _writes(work / "writes", scale),
        *await _crowded(work / "crowded", scale),
        *await _abused(work / "abused", scale),
    ]


async def _authorised(work: Path, scale: Scale) -> list[Figure]:
    """Root in sequence at a hub that recognises its callers, and at one that serves whoever comes."""
    rounds = Rounds(amount=scale.calls)
    async with AsyncExitStack() as stack:
        clients = {}
        for mode in ("hub", "buckd"):
            hub = await stack.enter_async_context(sides.hub(work / mode, mode=mode))
            clients[mode] = await stack.enter_async_context(hub.client()), await hub.bucket()
        for _ in rounds.of(scale.rounds * 3):
            for mode, (client, key) in clients.items():
                rounds.add(mode, await client.ask("roots", key=key, count=scale.calls))
    name = "Root in sequence, authorised"
    return [Figure(name, "calls/s", rounds["hub"], "without accounts", rounds["buckd"], 0.9)]


async def _writes(work: Path, scale: Scale) -> list[Figure]:
    rounds = Rounds(amount=scale.calls)
    names = count()
    async with sides.hub(work / "hub") as hub, textile_aio.connect(hub.target) as client:
        crowd_ = [await _user(client, hub.ctx) for _ in range(PEOPLE)]
        turn = count()

        async def sign_up() -> None:
            number = next(names)
            await client.accounts.sign_up(AuthContext(), f"user{number}", f"user{number}@example.com")

        async def send() -> None:
            number = next(turn)
            ctx, identity = crowd_[number % PEOPLE]
            await client.users.send_message(ctx, identity, crowd_[(number + 1) % PEOPLE][1].public, BODY)

        for _ in rounds.of(scale.rounds):
            rounds.add("sign-ups", await _at_once(sign_up, scale.calls))
            rounds.add("mails", await _at_once(send, scale.calls))
    return [
        Figure(f"sign-ups, durable, {AT_ONCE} at once", "/s", rounds["sign-ups"], reach=300),
        Figure(f"mails sent, durable, {AT_ONCE} at once", "/s", rounds["mails"], reach=400),
    ]


async def _crowded(work: Path, scale: Scale) -> list[Figure]:
    """Pages of inboxes at a hub where many others live, and at one where nobody else does."""
    rounds = Rounds(amount=scale.calls)
    size = crowd.Crowd(scale.accounts, scale.users, scale.messages)
    async with AsyncExitStack() as stack:
        readers = {}
        for name in ("empty", "crowded"):
            hub = await stack.enter_async_context(
                sides.hub(work / name, before=size.fill if name == "crowded" else None)
            )
            client = await stack.enter_async_context(textile_aio.connect(hub.target))
            ctx, identity = await _user(client, hub.ctx)
            for _ in range(PAGE + 1):
                await client.users.send_message(ctx, identity, identity.public, BODY)
            readers[name] = client, ctx
            if name == "crowded":
                busiest = AuthContext.from_json(hub.ctx.to_json()).without("token", "thread")
                readers["large"] = client, await client.threads.authorize(busiest, size.busiest)
        for _ in rounds.of(scale.rounds):
            for name, (client, ctx) in readers.items():
                begun = perf_counter()
                for _ in range(scale.calls // 5):
                    await client.users.list_inbox(ctx, limit=PAGE)
                rounds.add(name, perf_counter() - begun, amount=scale.calls // 5)
    where = f"{scale.accounts:,} accounts, {scale.users:,} users, {scale.messages:,} messages"
    page = f"page of {PAGE} messages"
    limit = rounds["empty"]
    return [
        Figure(f"{page}, {where}", "pages/s", rounds["crowded"], "empty hub", limit, 1 / 1.5),
        Figure(f"{page}, inbox of {size.largest:,}", "pages/s", rounds["large"], "empty hub", limit, 1 / 1.5),
    ]


async def _abused(work: Path, scale: Scale) -> list[Figure]:
    """How long others wait for Root while somebody sends a thousand calls with wrong keys at once."""
    alone: list[float] = []
    abused: list[float] = []
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(sides.hub(work / "hub"))
        client = await stack.enter_async_context(textile_aio.connect(hub.target))
        abuser = await stack.enter_async_context(started("benchmarks.peers.abuser", hub.target))
        key = await hub.bucket()
        for _ in range(scale.rounds):
            alone.append(await _late(client, hub.ctx, key, scale.calls))
            await abuser.ask("start", at_once=1_000)
            abused.append(await _late(client, hub.ctx, key, scale.calls))
            await abuser.ask("stop")
    name = "p99 of Root beside 1,000 refused calls at once"
    return [Figure(name, "ms", abused, "alone", alone, 2.0, lower=True)]


async def _late(client: HubClient, ctx: AuthContext, key: str, calls: int) -> float:
    """The 99th percentile of calls one after the other, in milliseconds."""
    taken = []
    for _ in range(calls):
        begun = perf_counter()
        await client.buckets.root(ctx, key)
        taken.append((perf_counter() - begun) * 1000)
    return quantiles(taken, n=100)[-1]


async def _user(client: HubClient, ctx: AuthContext) -> tuple[AuthContext, Identity]:
    identity = Identity.generate()
    ctx = await client.threads.authorize(ctx.without("token", "thread"), identity)
    await client.users.setup_mailbox(ctx)
    return ctx, identity


async def _at_once(work: Callable[[], Awaitable[None]], times: int) -> float:
    """Do something so many times, some at once; the seconds it took."""
    left = iter(range(times))

    async def repeat() -> None:
        for _ in left:
            await work()

    begun = perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(repeat())
    return perf_counter() - begun
