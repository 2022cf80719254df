"""A hub whose accounts are made by signing up, as people do.

``TEXTILE_TEST_GATEWAY`` and ``TEXTILE_TEST_SESSION_SECRET`` name the gateway of a hub elsewhere, and what the
links in its mails end with.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest

import textile_aio
from tests.suite.developers import Clock, Developer, Place, own_place


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    target = os.environ.get("TEXTILE_TEST_TARGET")
    if not target:
        async with own_place() as place:
            yield place
        return
    gateway = os.environ.get("TEXTILE_TEST_GATEWAY")
    secret = os.environ.get("TEXTILE_TEST_SESSION_SECRET")
    if not gateway or not secret:
        pytest.skip("nobody confirms sign-ups there: gateway or secret are not known")
    async with textile_aio.connect(target) as client:
        yield Place(client, gateway, secret)


@pytest.fixture
def clock(place: Place) -> Clock:
    """The hub's clock."""
    if place.clock is None:
        pytest.skip("needs a hub whose clock can be moved")
    return place.clock


@pytest.fixture
async def ann(place: Place) -> Developer:
    return await place.sign_up()


@pytest.fixture
async def bo(place: Place) -> Developer:
    return await place.sign_up()
