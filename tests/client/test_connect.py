"""connect(): which hub is meant, and the life of a client."""

from __future__ import annotations

import asyncio
import pickle
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from grpclib.server import Stream

import textile_aio
from tests.buckets.fakebucket import KEY, root_message
from tests.fakehub import CTX, FakeHub, connected
from tests.rpc.leaks import nothing_left
from textile_aio import ClosedError, DeadlineExceeded, InvalidInput, RetryPolicy, Unavailable
from textile_aio._proto.api.bucketsd import pb
from textile_aio.buckets import _methods


async def test_opening_needs_no_server_and_the_first_call_does() -> None:
    async with nothing_left(), textile_aio.connect("127.0.0.1:1", retry=RetryPolicy.none()) as hub:
        assert hub.target == "127.0.0.1:1"
        assert hub.local is None
        with pytest.raises(Unavailable, match="cannot connect to 127.0.0.1:1"):
            await hub.buckets.list(CTX)


async def test_a_client_that_is_not_open_sends_nothing() -> None:
    fake = FakeHub()
    fake.answer(_methods.LIST, pb.ListResponse())
    hub = textile_aio.connect("127.0.0.1:1")
    with pytest.raises(ClosedError, match="async with"):
        _ = hub.buckets
    async with connected(fake) as hub:
        buckets = hub.buckets
        await hub.aclose()
        await hub.aclose()
        with pytest.raises(ClosedError):
            _ = hub.threads
        with pytest.raises(ClosedError):
            await buckets.list(CTX)
        with pytest.raises(ClosedError):
            await hub.__aenter__()
    assert fake.called == []


async def test_closing_ends_the_calls_under_way() -> None:
    fake, begun = FakeHub(), asyncio.Event()

    async def hang(stream: Stream[Any, Any]) -> None:
        begun.set()
        await asyncio.Event().wait()

    fake.on(_methods.ROOT, hang)
    async with connected(fake) as hub:
        task = asyncio.create_task(hub.buckets.root(CTX, KEY))
        await begun.wait()
        await hub.aclose()
        with pytest.raises(ClosedError):
            await task


async def test_the_default_deadline_holds_for_calls_and_not_for_transfers() -> None:
    fake = FakeHub()
    deadlines: dict[str, bool] = {}

    def watch(name: str, reply: Any) -> Any:
        async def handle(stream: Stream[Any, Any]) -> None:
            deadlines[name] = stream.deadline is not None
            await stream.recv_message()
            await stream.send_message(reply)

        return handle

    fake.on(_methods.ROOT, watch("root", pb.RootResponse(root=root_message())))
    fake.on(_methods.PULL_PATH, watch("pull", pb.PullPathResponse(chunk=b"x")))
    async with connected(fake) as plain, textile_aio.connect(plain.target, timeout=60) as hub:
        await hub.buckets.root(CTX, KEY)
        [_ async for _ in hub.buckets.pull_path(CTX, KEY, "a")]
    assert deadlines == {"root": True, "pull": False}


async def test_a_call_has_its_own_deadline() -> None:
    fake = FakeHub()

    async def hang(stream: Stream[Any, Any]) -> None:
        await asyncio.Event().wait()

    fake.on(_methods.ROOT, hang)
    async with connected(fake) as hub:
        with pytest.raises(DeadlineExceeded):
            await hub.buckets.root(CTX, KEY, timeout=0.05)


def test_the_environment_names_the_target(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTILE_TARGET", "hub.example:1234")
    assert textile_aio.connect().target == "hub.example:1234"
    assert textile_aio.connect("other:1").target == "other:1"
    monkeypatch.delenv("TEXTILE_TARGET")
    assert textile_aio.connect().target == "local"


def test_tls_is_chosen_by_scheme_port_or_option() -> None:
    assert textile_aio.connect("hub.example:443").target == "https://hub.example:443"
    assert textile_aio.connect("hub.example:4430").target == "hub.example:4430"
    context = ssl.create_default_context()
    assert textile_aio.connect("hub.example:1", tls=context).target == "https://hub.example:1"
    with pytest.raises(InvalidInput, match="contradicts"):
        textile_aio.connect("http://hub.example:1", tls=True)
    with pytest.raises(InvalidInput, match="leave tls out"):
        textile_aio.connect("memory:", tls=True)


@pytest.mark.parametrize("target", ["host:port", "ftp://x", "[::1", ":80"])
def test_a_malformed_target_is_refused_at_once(target: str) -> None:
    with pytest.raises(InvalidInput):
        textile_aio.connect(target)


def test_every_public_name_is_there_and_says_where_it_is_imported_from() -> None:
    for name in textile_aio.__all__:
        value = getattr(textile_aio, name)
        if isinstance(value, type):
            assert value.__module__ == "textile_aio", name
            assert pickle.loads(pickle.dumps(value)) is value
    assert set(textile_aio.__all__) <= set(dir(textile_aio))
    with pytest.raises(AttributeError, match="no_such_name"):
        textile_aio.no_such_name  # noqa: B018 - looking at it is what fails


def test_importing_the_package_brings_no_service_and_no_hub_along() -> None:
    code = "import sys, textile_aio; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    modules = loaded.stdout.split()
    assert "grpclib.client" in modules
    assert not [name for name in modules if name.startswith(("textile_aio._proto", "textile_aio.localhub"))]


async def test_a_hub_in_memory_lives_as_long_as_its_client() -> None:
    async with textile_aio.connect("memory:") as hub:
        assert hub.local is not None
        target = hub.target
        async with textile_aio.connect(target, retry=RetryPolicy.none()) as other:
            assert other.local is None
    async with textile_aio.connect(target, retry=RetryPolicy.none()) as late:
        with pytest.raises(Unavailable):
            await late.threads.list_dbs(CTX)


async def test_a_second_client_of_a_directory_shares_the_hub_of_the_first(tmp_path: Path) -> None:
    target = f"local:{tmp_path / 'hub'}"
    async with textile_aio.connect(target) as first, textile_aio.connect(target) as second:
        assert first.local is not None
        assert second.local is None
        assert second.target == first.target
