"""The hub in its thread, without pytest around it."""

from __future__ import annotations

import asyncio
import signal
import threading

import pytest

import textile_aio
from textile_aio import AlreadyExists, ClosedError, Identity, ThreadRequired
from textile_aio.localhub import HubSettings, LocalHub
from textile_aio.pytest_plugin import HubThread


def test_work_on_the_hub_gives_its_result_or_its_error() -> None:
    with HubThread.running() as hub:
        account = hub.call(lambda inner: inner.create_account("alice"))
        assert account.username == "alice"
        with pytest.raises(AlreadyExists):
            hub.call(lambda inner: inner.create_account("Alice"))


async def test_it_is_usable_from_a_running_loop() -> None:
    identity = Identity.generate()
    with HubThread.running() as hub:
        auth = hub.new_auth(identity)
        bucket = hub.new_bucket(auth.with_thread(hub.new_thread(auth)), "images")
        async with textile_aio.connect(hub.target) as client:
            ctx = auth.with_thread(bucket.root.thread)
            assert (await client.buckets.root(ctx, bucket.key)).owner == identity.public


def test_a_bucket_needs_a_thread() -> None:
    with HubThread.running() as hub, pytest.raises(ThreadRequired):
        hub.new_bucket(hub.new_auth())


def test_without_accounts_a_caller_is_a_token_alone() -> None:
    with HubThread.running(HubSettings(mode="buckd")) as hub:
        auth = hub.new_auth()
        assert auth.token
        assert auth.api_key is None
        assert hub.new_bucket(auth.with_thread(hub.new_thread(auth))).key


def test_after_its_end_it_refuses_work() -> None:
    with HubThread.running() as hub:
        pass
    with pytest.raises(ClosedError):
        hub.new_auth()
    with pytest.raises(ClosedError):
        _ = hub.target


def test_its_own_thread_cannot_wait_for_it() -> None:
    async def within(_: LocalHub) -> None:
        hub.new_auth()

    with HubThread.running() as hub, pytest.raises(RuntimeError, match="event loop thread"):
        hub.call(within)


def test_a_hub_that_cannot_start_says_so_and_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    with HubThread.running() as hub:
        port = int(hub.target.rpartition(":")[2])
        with (
            pytest.raises(textile_aio.HubError, match="cannot listen"),
            HubThread.running(HubSettings(port=port)),
        ):
            pytest.fail("two hubs on one port")
    assert set(threading.enumerate()) == before


def test_an_interrupted_call_is_cancelled() -> None:
    cancelled = threading.Event()
    main = threading.get_ident()

    async def hang(_: LocalHub) -> None:
        signal.pthread_kill(main, signal.SIGINT)
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    with HubThread.running() as hub:
        with pytest.raises(KeyboardInterrupt):
            hub.call(hang)
        assert cancelled.wait(10)
