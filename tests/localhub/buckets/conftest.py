"""A bucket daemon with three callers, and a bucket of the first, public and private."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.localhub.buckets.callers import Bucket, Caller, callers
from textile_aio.localhub import HubSettings, LocalHub


@pytest.fixture
async def daemon() -> AsyncIterator[LocalHub]:
    settings = HubSettings(mode="buckd", gateway_url="https://gate.way", domain="example.org")
    async with LocalHub.in_memory(settings) as hub:
        yield hub


@pytest.fixture
async def people(daemon: LocalHub) -> list[Caller]:
    """Three callers in one thread, the first of whom makes the buckets."""
    return list(await callers(daemon.target, 3))


@pytest.fixture
def owner(people: list[Caller]) -> Caller:
    return people[0]


@pytest.fixture
def friend(people: list[Caller]) -> Caller:
    return people[1]


@pytest.fixture
def stranger(people: list[Caller]) -> Caller:
    return people[2]


@pytest.fixture(params=[False, True], ids=["public", "private"])
async def bucket(request: pytest.FixtureRequest, owner: Caller) -> Bucket:
    return await owner.create(private=request.param)
