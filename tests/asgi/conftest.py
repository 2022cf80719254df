"""A hub in memory with a user-group key, and backends that stand before it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

import textile_aio
from tests.asgi.backend import Backend, Made, everybody, serving
from textile_aio import HubClient
from textile_aio.asgi import UserAuthApp
from textile_aio.localhub import ApiKeyCredentials, LocalHub


@pytest.fixture
async def local() -> AsyncIterator[LocalHub]:
    async with LocalHub.in_memory() as hub:
        yield hub


@pytest.fixture
async def key(local: LocalHub) -> ApiKeyCredentials:
    return await local.create_key(await local.create_account("owner"), secure=True, user_group=True)


@pytest.fixture
async def hub(local: LocalHub) -> AsyncIterator[HubClient]:
    async with textile_aio.connect(local.target) as client:
        yield client


@pytest.fixture
async def make(hub: HubClient, key: ApiKeyCredentials) -> Made:
    """An application with that key, with further options."""

    def made(**options: Any) -> UserAuthApp:
        assert key.secret
        return UserAuthApp(hub, key.key, key.secret, **{"authorize": everybody, **options})

    return made


@pytest.fixture
async def serve(hub: HubClient) -> AsyncIterator[Any]:
    """Serve an application until the test ends."""
    async with AsyncExitStack() as exits:

        async def served(app: UserAuthApp) -> Backend:
            return await exits.enter_async_context(serving(app, hub))

        yield served


@pytest.fixture
async def backend(make: Made, serve: Any) -> Backend:
    """One that lets everybody in."""
    served: Backend = await serve(make())
    return served
