"""Fixtures: a hub to talk to, whichever it is.

Without settings each test gets an embedded hub in memory. ``TEXTILE_TEST_TARGET`` names one that runs
already, ``TEXTILE_TEST_KIND`` what it is (``localhub``, ``threadsd``, ``buckd``). A test says what it
needs with ``@pytest.mark.needs("accounts")`` and is skipped where the hub has not got it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, settings

import textile_aio
from textile_aio import AuthContext, HubClient, Identity
from textile_aio.localhub import HubSettings, LocalHub

pytest_plugins = ("tests.log_secrets",)

# How fast input is made and examples run says more about the machine than about the code.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

OURS = {
    "atomic-new-db",
    "descending-ids",
    "explain",
    "hints-that-advise",
    "paging-in-transactions",
    "positions",
    "purged-collections",
    "reads-beside-writers",
    "sort-before-limit",
    "unforked-logs",
    "whole-deletes",
}
"""Where the hub of this package is right and others are not: rows of ``docs/compatibility.md``."""

OFFERS = {
    "localhub": {"threads", "buckets", "accounts", "users", *OURS},
    "localhub-open": {"threads", "buckets", "list_dbs", *OURS},
    "buckd": {"threads", "buckets", "list_dbs"},
    "threadsd": {"threads", "list_dbs"},
}


@dataclass
class Served:
    """A hub that serves. ``hub`` is None where it is not ours to reach into."""

    target: str
    kind: str
    hub: LocalHub | None


def pytest_configure(config: pytest.Config) -> None:
    # A shell starts background jobs with SIGINT ignored; Python then leaves it so, for children as well.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    config.addinivalue_line(
        "markers", "needs(*features): skipped where the hub under test does not offer them"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    target = os.environ.get("TEXTILE_TEST_TARGET")
    kind = os.environ.get("TEXTILE_TEST_KIND", "localhub")
    for item in items:
        marks = list(item.iter_markers("needs"))
        wanted = {feature for mark in marks for feature in mark.args}
        if target and (missing := wanted - OFFERS[kind]):
            item.add_marker(
                pytest.mark.skip(reason=f"{kind} at {target} has no {', '.join(sorted(missing))}")
            )


@pytest.fixture
async def served(request: pytest.FixtureRequest) -> AsyncIterator[Served]:
    target = os.environ.get("TEXTILE_TEST_TARGET")
    if target:
        yield Served(target, os.environ.get("TEXTILE_TEST_KIND", "localhub"), None)
        return
    wanted = {feature for mark in request.node.iter_markers("needs") for feature in mark.args}
    mode = "buckd" if "list_dbs" in wanted else "hub"
    async with LocalHub.in_memory(HubSettings(mode=mode)) as hub:  # type: ignore[arg-type]
        yield Served(hub.target, "localhub-open" if mode == "buckd" else "localhub", hub)


@pytest.fixture
async def hub(served: Served) -> LocalHub:
    """The embedded hub itself, for what no client can do."""
    if served.hub is None:
        pytest.skip("needs a hub of its own")
    return served.hub


@pytest.fixture
async def client(served: Served) -> AsyncIterator[HubClient]:
    async with textile_aio.connect(served.target) as connected:
        yield connected


@pytest.fixture
async def key_ctx(served: Served) -> AuthContext:
    """A context with a fresh secure user-group key, where the hub has accounts; otherwise an empty one."""
    if served.hub is None or served.kind != "localhub":
        return AuthContext()
    account = await served.hub.create_account("tester")
    key = await served.hub.create_key(account, secure=True, user_group=True)
    return AuthContext().with_api_key(key.key, key.secret)


@pytest.fixture
async def ctx(client: HubClient, key_ctx: AuthContext) -> AuthContext:
    """A context of a fresh identity with a token."""
    return await client.threads.authorize(key_ctx, Identity.generate())


@pytest.fixture
async def thread_ctx(client: HubClient, ctx: AuthContext) -> AuthContext:
    """A context with a fresh database as its thread."""
    return ctx.with_thread(await client.threads.new_db(ctx))
