"""When a hub collects by itself, told by a clock that the test has in its hands."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest

from tests.faults.tasks import no_task_left
from textile_aio import AuthContext, HubClient, connect
from textile_aio.localhub import HubSettings, LocalHub, hub
from textile_aio.localhub.collecting import PeriodicCollection
from textile_aio.storage.collector import Collector
from textile_aio.storage.store import StoreError


class Hand:
    """A pause that ends when the test says so."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[float] = asyncio.Queue()
        self._go_on = asyncio.Semaphore(0)

    async def pause(self, seconds: float) -> None:
        self.asked.put_nowait(seconds)
        await self._go_on.acquire()

    async def turn(self) -> float:
        """Wait for the hub to pause, then let it go on; how long it meant to pause."""
        async with asyncio.timeout(10):
            seconds = await self.asked.get()
        self._go_on.release()
        return seconds

    async def pausing(self) -> float:
        """Wait for the hub to pause, and leave it there."""
        async with asyncio.timeout(10):
            return await self.asked.get()


@asynccontextmanager
async def garbage(monkeypatch: pytest.MonkeyPatch, hand: Hand) -> AsyncIterator[tuple[LocalHub, HubClient]]:
    """A hub that collects at each turn of a hand, with something to collect."""
    monkeypatch.setattr(hub, "PeriodicCollection", partial(PeriodicCollection, pause=hand.pause))
    settings = HubSettings(mode="buckd", collect_every=7.5)
    async with LocalHub.in_memory(settings) as running, connect(running.target) as client:
        ctx = AuthContext()
        ctx = ctx.with_thread(await client.threads.new_db(ctx))
        key = (await client.buckets.create(ctx, "b")).key
        for content in (b"old" * 100_000, b"new" * 100_000):
            await client.buckets.push_path(ctx, key, "f", content)
        assert (await running.usage()).reclaimable > 300_000
        yield running, client


async def test_a_hub_collects_whenever_the_time_has_come_and_not_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hand = Hand()
    async with no_task_left(), garbage(monkeypatch, hand) as (running, _):
        assert (await running.usage()).reclaimable > 300_000
        assert await hand.turn() == 7.5
        assert await hand.pausing() == 7.5
        assert (await running.usage()).reclaimable == 0


@pytest.mark.parametrize("failure", [StoreError("no disk"), ZeroDivisionError()])
async def test_a_collection_that_fails_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, failure: Exception
) -> None:
    hand = Hand()
    collect = Collector.collect
    failures = [failure]

    async def failing(collector: Collector) -> object:
        if failures:
            raise failures.pop()
        return await collect(collector)

    async with garbage(monkeypatch, hand) as (running, _):
        monkeypatch.setattr(Collector, "collect", failing)
        with caplog.at_level(logging.WARNING, "textile_aio.localhub"):
            await hand.turn()
            await hand.turn()
        assert "collecting garbage failed" in caplog.text
        assert await hand.pausing() == 7.5
        assert (await running.usage()).reclaimable == 0


async def test_a_hub_without_a_time_never_collects_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    hand = Hand()
    monkeypatch.setattr(hub, "PeriodicCollection", partial(PeriodicCollection, pause=hand.pause))
    async with LocalHub.in_memory(HubSettings(mode="buckd", collect_every=None)):
        pass
    assert hand.asked.empty()
