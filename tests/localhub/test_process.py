"""The hub as a process: its one line, its signals, and who has the directory."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import textile_aio
from tests.localhub.process import hub_process, prepare_account
from textile_aio import AuthContext, Identity, errors
from textile_aio.localhub import HubSettings, LocalHub, TlsFiles, directory
from textile_aio.localhub.directory import DataDirectory, read_address


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_cleanly_within_two_seconds(tmp_path: Path, number: int) -> None:
    async with hub_process(tmp_path / "hub") as hub, textile_aio.connect(hub.target) as client:
        with pytest.raises(errors.Unauthenticated):
            await client.users.list_threads(AuthContext())
        async with asyncio.timeout(2):
            assert await hub.end(number) == 0
    assert not (tmp_path / "hub" / "address.json").exists()


async def test_calls_in_flight_are_finished(tmp_path: Path) -> None:
    data = tmp_path / "hub"
    async with hub_process(data, "--mode", "buckd") as hub, textile_aio.connect(hub.target) as client:
        ctx = AuthContext()
        ctx = ctx.with_thread(await client.threads.new_db(ctx))
        bucket = await client.buckets.create(ctx, "b")
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def content() -> AsyncIterator[bytes]:
            yield bytes(300_000)
            begun.set()
            await go_on.wait()
            yield bytes(300_000)

        async with asyncio.TaskGroup() as group:
            push = group.create_task(client.buckets.push_path(ctx, bucket.key, "f", content()))
            await begun.wait()
            hub.process.terminate()
            # New connections are refused from here on; that is how we know the signal has arrived.
            await refused(hub.target)
            go_on.set()
        assert await hub.process.wait() == 0
        cid = push.result().cid
    async with hub_process(data, "--mode", "buckd") as hub, textile_aio.connect(hub.target) as client:
        listing = await client.buckets.list_path(ctx, bucket.key, "f")
        assert listing.item.cid == cid


async def test_a_call_that_does_not_end_does_not_keep_it(tmp_path: Path) -> None:
    async with (
        hub_process(tmp_path / "hub", "--mode", "buckd") as hub,
        textile_aio.connect(hub.target) as client,
    ):
        ctx = AuthContext()
        ctx = ctx.with_thread(await client.threads.new_db(ctx))
        bucket = await client.buckets.create(ctx, "b")
        begun, never = asyncio.Event(), asyncio.Event()

        async def content() -> AsyncIterator[bytes]:
            yield b"x"
            begun.set()
            await never.wait()

        async def push() -> None:
            with pytest.raises(errors.TextileError):
                await client.buckets.push_path(ctx, bucket.key, "f", content())

        async with asyncio.TaskGroup() as group:
            group.create_task(push())
            await begun.wait()
            async with asyncio.timeout(3):
                assert await hub.end() == 0


async def refused(target: str) -> None:
    host, _, port = target.rpartition(":")
    while True:
        try:
            _, writer = await asyncio.open_connection(host, int(port))
        except ConnectionError:
            return
        writer.close()


async def test_a_second_process_says_who_has_the_directory(tmp_path: Path) -> None:
    data = tmp_path / "hub"
    async with hub_process(data) as hub:
        second = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "textile_aio.localhub", "--data", str(data), "--port", "0",
            stderr=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await second.communicate()
        assert second.returncode == 1
        assert out == b""
        assert f"process {hub.process.pid} has {data} and serves at {hub.target}" in err.decode()


async def test_connecting_to_a_directory_finds_the_process_that_has_it(tmp_path: Path) -> None:
    data = tmp_path / "hub"
    async with hub_process(data) as hub, textile_aio.connect(f"local:{data}") as client:
        assert client.target == hub.target
        assert client.local is None


async def test_the_address_of_a_killed_hub_sends_nobody_astray(tmp_path: Path) -> None:
    data = tmp_path / "hub"
    async with hub_process(data) as hub:
        await hub.end(signal.SIGKILL)
    assert (data / "address.json").exists()
    directory = DataDirectory.acquire(data)  # a hub that has begun and does not serve yet
    try:
        assert read_address(data) is None
        with pytest.raises(errors.DirectoryInUse, match="does not serve yet"):
            DataDirectory.acquire(data)
    finally:
        directory.release()


async def test_connecting_to_a_free_directory_serves_it(tmp_path: Path) -> None:
    data = tmp_path / "hub"
    async with textile_aio.connect(f"local:{data}") as first:
        assert first.local is not None
        await first.local.create_account("someone")
        async with textile_aio.connect(f"local:{data}") as second:
            assert second.target == first.target
            assert second.local is None
    async with LocalHub.open(data) as hub:
        with pytest.raises(errors.AlreadyExists, match="Account exists"):
            await hub.create_account("SOMEONE")


async def test_a_taken_port_is_said(tmp_path: Path) -> None:
    async with LocalHub.in_memory() as hub:
        port = int(hub.target.rpartition(":")[2])
        with pytest.raises(errors.HubError, match=f"cannot listen on 127.0.0.1:{port}"):
            async with LocalHub.open(tmp_path / "hub", HubSettings(port=port)):
                pass
    async with LocalHub.open(tmp_path / "hub", HubSettings(port=port)):
        pass  # the failed start gave the directory back


async def test_the_directory_is_its_owners_alone(tmp_path: Path) -> None:
    data = tmp_path / "hub"
    data.mkdir(mode=0o777)
    data.chmod(0o777)
    async with LocalHub.open(data) as hub, textile_aio.connect(hub.target) as client:
        account = await hub.create_account("owner")
        key = await hub.create_key(account, secure=False)
        ctx = await client.threads.authorize(AuthContext().with_api_key(key.key), Identity.generate())
        ctx = ctx.with_thread(await client.threads.new_db(ctx))
        bucket = await client.buckets.create(ctx, "b")
        await client.buckets.push_path(ctx, bucket.key, "f", os.urandom(100_000))
        assert stat.S_IMODE(data.stat().st_mode) == 0o700
        open_to_others = [path for path in data.rglob("*") if path.stat().st_mode & 0o077]
        assert [path for path in open_to_others if path.parent == data] == []


async def test_a_newer_format_is_refused_and_left_alone(tmp_path: Path) -> None:
    data = tmp_path / "hub"
    async with LocalHub.open(data):
        pass
    (data / "format").write_text("99\n")
    before = {path: path.read_bytes() for path in data.iterdir() if path.is_file()}
    with pytest.raises(errors.UnsupportedFormat, match="format 99.*newer textile-aio"):
        async with LocalHub.open(data):
            pass
    assert {path: path.read_bytes() for path in data.iterdir() if path.is_file()} == before


async def test_somebody_elses_folder_is_not_taken(tmp_path: Path) -> None:
    before = {"thesis.txt": "precious", "lock": "theirs"}
    for name, text in before.items():
        (tmp_path / name).write_text(text)
    tmp_path.chmod(0o755)
    with pytest.raises(errors.DirectoryInvalid, match=r"thesis\.txt"):
        async with LocalHub.open(tmp_path):
            pass
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == before
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


async def test_a_hub_that_was_stopped_before_its_format_mark_starts_again(tmp_path: Path) -> None:
    for name in ("lock", "format.new"):
        (tmp_path / name).touch()
    async with LocalHub.open(tmp_path) as hub:
        assert hub.target


async def test_the_names_of_new_folders_are_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(directory, "sync_folder", synced.append)
    async with LocalHub.open(tmp_path / "a" / "b" / "hub"):
        pass
    assert synced[:3] == [tmp_path, tmp_path / "a", tmp_path / "a" / "b"]


async def test_a_file_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "file", tmp_path / "file" / "hub", tmp_path / "\0"):
        with pytest.raises(errors.DirectoryInvalid):
            async with LocalHub.open(path):
                pass


async def test_a_damaged_host_key_is_not_replaced(tmp_path: Path) -> None:
    data = tmp_path / "hub"
    async with LocalHub.open(data):
        pass
    (data / "host.key").write_text("nonsense")
    with pytest.raises(errors.DirectoryInvalid, match="restore it from a backup"):
        async with LocalHub.open(data):
            pass
    assert (data / "host.key").read_text() == "nonsense"


async def test_keys_tokens_and_data_survive_restarts(tmp_path: Path) -> None:
    data = tmp_path / "hub"
    ctx = await prepare_account(data)
    async with hub_process(data) as hub, textile_aio.connect(hub.target) as client:
        ctx = await client.threads.authorize(ctx, Identity.generate())
        thread = await client.threads.new_db(ctx, name="kept")
        ctx = ctx.with_thread(thread)
        bucket = await client.buckets.create(ctx, "b")
        await client.buckets.push_path(ctx, bucket.key, "f", b"kept")
    async with LocalHub.open(data) as again, textile_aio.connect(again.target) as client:
        assert (await client.users.get_thread(ctx, "kept")).id == thread
        pulled = [bytes(chunk) async for chunk in client.buckets.pull_path(ctx, bucket.key, "f")]
        assert b"".join(pulled) == b"kept"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "2001:db8::1", "example.org"])
def test_only_loopback_is_listened_on_in_plain_text(host: str) -> None:
    with pytest.raises(errors.InvalidInput, match=r"--tls-cert and --tls-key.*--insecure-remote"):
        HubSettings(host=host)
    HubSettings(host=host, insecure_remote=True)
    HubSettings(host=host, tls=TlsFiles("cert.pem", "key.pem"))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "::1"])
def test_loopback_needs_no_leave(host: str) -> None:
    HubSettings(host=host)


@pytest.mark.parametrize(
    "host", ["", "a b", "127.0.0.1:80", "[::1]", "https://example.org", "-a", "a..b", "x" * 64]
)
def test_a_host_is_an_address_or_a_name(host: str) -> None:
    with pytest.raises(errors.InvalidInput, match="neither an IP address nor a host's name"):
        HubSettings(host=host, insecure_remote=True)
    if host:
        with pytest.raises(errors.InvalidInput, match="public_host"):
            HubSettings(public_host=host)


async def test_a_hub_that_is_not_running_has_no_target() -> None:
    hub = LocalHub.in_memory()
    with pytest.raises(errors.ClosedError):
        _ = hub.target
    async with hub:
        assert hub.target
        with pytest.raises(errors.HubError):
            await hub.__aenter__()
    with pytest.raises(errors.ClosedError):
        await hub.create_account("x")


async def test_a_bucket_daemon_has_no_accounts() -> None:
    async with LocalHub.in_memory(HubSettings(mode="buckd")) as hub:
        with pytest.raises(errors.FailedPrecondition, match="no accounts"):
            await hub.create_account("x")


async def test_ipv6_loopback_is_served() -> None:
    try:
        async with (
            LocalHub.in_memory(HubSettings(host="::1", mode="buckd")) as hub,
            textile_aio.connect(hub.target) as client,
        ):
            thread = await client.threads.new_db(AuthContext())
            info = await client.threads.get_db_info(AuthContext(), thread)
            assert str(info.addrs[0]).startswith("/ip6/::1/tcp/")
    except errors.HubError:
        pytest.skip("this machine has no IPv6")
