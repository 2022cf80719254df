"""TLS at every door: who is trusted, what is spoken, and certificates that change meanwhile."""

from __future__ import annotations

import asyncio
import json
import signal
import ssl
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

import textile_aio
from tests.localhub.doors.certificates import Authority, presented
from tests.localhub.gateway.client import message
from tests.localhub.web.client import answer, opened
from tests.localhub.web.frames import END, flagged, framed, header_text
from textile_aio import AuthContext, Identity, errors
from textile_aio.localhub import HubSettings, LocalHub, TlsFiles
from textile_aio.localhub.directory import read_address

CHECK = "/grpc.health.v1.Health/Check"
ALL_DOORS: dict[str, Any] = {"mode": "buckd", "web_port": 0, "gateway_port": 0}


@asynccontextmanager
async def hub_with(authority: Authority, *names: str, **more: Any) -> AsyncIterator[LocalHub]:
    files = authority.issue(*(names or ("127.0.0.1",)))
    async with LocalHub.in_memory(HubSettings(tls=files, **{**ALL_DOORS, **more})) as hub:
        yield hub


def doors(hub: LocalHub) -> list[str]:
    found = [hub.target.removeprefix("https://"), hub.web_target, hub.gateway_target]
    return [each for each in found if each is not None]


async def test_our_client_calls_through_tls_and_moves_files(authority: Authority) -> None:
    async with (
        hub_with(authority) as hub,
        textile_aio.connect(hub.target, tls=authority.trust("h2")) as client,
    ):
        assert hub.target.startswith("https://127.0.0.1:")
        ctx = await client.threads.authorize(AuthContext(), Identity.generate())
        ctx = ctx.with_thread(await client.threads.new_db(ctx))
        bucket = await client.buckets.create(ctx, "b")
        content = bytes(range(256)) * 10_000
        await client.buckets.push_path(ctx, bucket.key, "f", content)
        pulled = [bytes(chunk) async for chunk in client.buckets.pull_path(ctx, bucket.key, "f")]
        assert b"".join(pulled) == content


async def test_a_hub_of_an_unknown_authority_is_not_believed(authority: Authority) -> None:
    async with hub_with(authority) as hub, textile_aio.connect(hub.target) as client:
        with pytest.raises(errors.ProtocolError, match="unable to get local issuer certificate"):
            await client.threads.authorize(AuthContext(), Identity.generate())


async def test_a_certificate_for_another_name_is_not_believed(authority: Authority) -> None:
    async with (
        hub_with(authority, "hub.example") as hub,
        textile_aio.connect(hub.target, tls=authority.trust("h2")) as client,
    ):
        with pytest.raises(errors.ProtocolError, match="127.0.0.1"):
            await client.threads.authorize(AuthContext(), Identity.generate())


async def test_gateway_and_grpc_web_speak_tls(authority: Authority) -> None:
    trust = authority.trust("h2", "http/1.1")
    async with hub_with(authority) as hub:
        assert hub.web_target is not None
        assert hub.gateway_target is not None
        async with opened(hub.web_target, CHECK, secure=trust) as websocket:
            for data in (header_text(), flagged(b""), END):
                await websocket.send(data)
            got = await answer(websocket)
        assert got.status == (0, "")
        body = framed(b"")
        head = {"Content-Type": "application/grpc-web+proto", "Content-Length": str(len(body))}
        said = await over_tls(hub.web_target, message(CHECK, method="POST", headers=head) + body, trust)
        assert b"grpc-status: 0" in said
        said = await over_tls(hub.gateway_target, message("/health"), trust)
        assert said.startswith(b"HTTP/1.1 200")


async def over_tls(target: str, data: bytes, context: ssl.SSLContext) -> bytes:
    host, _, port = target.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port), ssl=context)
    writer.write(data)
    said = await reader.read()
    writer.close()
    return said


async def test_each_door_agrees_to_its_own_protocol(authority: Authority) -> None:
    async with hub_with(authority) as hub:
        for target, expected in zip(doors(hub), ("h2", "http/1.1", "http/1.1"), strict=True):
            host, _, port = target.rpartition(":")
            context = authority.trust("h2", "http/1.1")
            _, writer = await asyncio.open_connection(host, int(port), ssl=context)
            assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == expected
            writer.close()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_tls_1_2_and_later_are_spoken(authority: Authority, version: ssl.TLSVersion) -> None:
    context = authority.trust("h2")
    context.minimum_version = context.maximum_version = version
    async with hub_with(authority) as hub, textile_aio.connect(hub.target, tls=context) as client:
        assert await client.threads.authorize(AuthContext(), Identity.generate())


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
async def test_older_tls_is_not(authority: Authority) -> None:
    context = authority.trust()
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    async with hub_with(authority) as hub:
        for target in doors(hub):
            with pytest.raises((ssl.SSLError, ConnectionError)):
                await presented(target, context)


async def test_plain_text_gets_nowhere_at_any_door(authority: Authority) -> None:
    async with hub_with(authority) as hub:
        for target in doors(hub):
            host, _, port = target.rpartition(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(message("/health"))
            assert b"HTTP" not in await reader.read()
            writer.close()


async def test_a_new_certificate_is_for_new_connections_and_old_ones_go_on(authority: Authority) -> None:
    trust = authority.trust("h2")
    async with (
        hub_with(authority, "first.example", "127.0.0.1") as hub,
        textile_aio.connect(hub.target, tls=trust) as client,
    ):
        ctx = await client.threads.authorize(AuthContext(), Identity.generate())
        ctx = ctx.with_thread(await client.threads.new_db(ctx))
        bucket = await client.buckets.create(ctx, "b")
        half, go_on = asyncio.Event(), asyncio.Event()

        async def content() -> AsyncIterator[bytes]:
            yield bytes(300_000)
            half.set()
            await go_on.wait()
            yield bytes(300_000)

        async with asyncio.TaskGroup() as group:
            push = group.create_task(client.buckets.push_path(ctx, bucket.key, "f", content()))
            await half.wait()
            assert [await presented(each, authority.trust()) for each in doors(hub)] == ["first.example"] * 3
            authority.issue("second.example", "127.0.0.1")
            assert await presented(hub.target, authority.trust()) == "first.example"
            await hub.reload_tls()
            assert [await presented(each, authority.trust()) for each in doors(hub)] == ["second.example"] * 3
            go_on.set()
        assert push.result().cid


def a_folder(files: TlsFiles) -> None:
    Path(files.certificate).unlink()
    Path(files.certificate).mkdir()


def half_a_key(files: TlsFiles) -> None:
    Path(files.key).write_bytes(Path(files.key).read_bytes()[:60])


BROKEN: dict[str, Callable[[TlsFiles], object]] = {
    "no certificate": lambda files: Path(files.certificate).unlink(),
    "no key": lambda files: Path(files.key).unlink(),
    "an empty certificate": lambda files: Path(files.certificate).write_bytes(b""),
    "an empty key": lambda files: Path(files.key).write_bytes(b""),
    "half a key": half_a_key,
    "a folder": a_folder,
}


@pytest.mark.parametrize("name", BROKEN)
async def test_what_cannot_be_used_leaves_the_old_certificate(authority: Authority, name: str) -> None:
    async with hub_with(authority, "first.example", "127.0.0.1") as hub:
        files = authority.issue("second.example", "127.0.0.1")
        BROKEN[name](files)
        with pytest.raises(
            errors.CertificateInvalid, match=r"cannot use the certificate .*hub\.pem"
        ) as caught:
            await hub.reload_tls()
        assert isinstance(caught.value, errors.HubError)
        assert "PRIVATE KEY" not in str(caught.value)
        assert [await presented(each, authority.trust()) for each in doors(hub)] == ["first.example"] * 3
        if name != "a folder":
            authority.issue("third.example", "127.0.0.1")
            await hub.reload_tls()
            assert await presented(hub.target, authority.trust()) == "third.example"


async def test_a_key_that_does_not_belong_to_its_certificate_is_refused(
    authority: Authority, tmp_path: Path
) -> None:
    files = authority.issue("127.0.0.1")
    (tmp_path / "old.pem").write_bytes(Path(files.certificate).read_bytes())
    files = authority.issue("127.0.0.1")
    settings = HubSettings(tls=TlsFiles(tmp_path / "old.pem", files.key))
    with pytest.raises(errors.CertificateInvalid, match="KEY_VALUES_MISMATCH"):
        async with LocalHub.in_memory(settings):
            pass


async def test_a_key_with_a_password_is_refused_and_nobody_is_asked(authority: Authority) -> None:
    settings = HubSettings(tls=authority.issue("127.0.0.1", password=b"secret"))
    with pytest.raises(errors.CertificateInvalid):
        async with LocalHub.in_memory(settings):
            pass


async def test_a_hub_without_a_certificate_has_none_to_read_anew() -> None:
    hub = LocalHub.in_memory(HubSettings(mode="buckd"))
    with pytest.raises(errors.ClosedError):
        await hub.reload_tls()
    async with hub:
        with pytest.raises(errors.FailedPrecondition, match="no certificate"):
            await hub.reload_tls()


async def test_a_start_that_fails_gives_the_directory_back(authority: Authority, tmp_path: Path) -> None:
    with pytest.raises(errors.CertificateInvalid):
        async with LocalHub.open(tmp_path / "hub", HubSettings(tls=authority.files)):
            pass
    async with LocalHub.open(tmp_path / "hub", HubSettings(tls=authority.issue("127.0.0.1"))):
        pass


async def test_who_has_the_directory_gets_in_by_loopback_in_plain_text(
    authority: Authority, tmp_path: Path
) -> None:
    settings = HubSettings(mode="buckd", tls=authority.issue("hub.example"), host="0.0.0.0")
    data = tmp_path / "hub"
    async with LocalHub.open(data, settings) as hub:
        address = read_address(data)
        assert address is not None
        assert address.target.startswith("127.0.0.1:")
        assert not hub.target.endswith(address.target)
        async with textile_aio.connect(f"local:{data}") as client:
            assert client.local is None
            assert client.target == address.target
            assert await client.threads.authorize(AuthContext(), Identity.generate())
            authority.issue("renewed.example")
            await hub.reload_tls()
            assert await client.threads.authorize(AuthContext(), Identity.generate())


async def test_a_hub_in_memory_has_no_door_in_plain_text(authority: Authority) -> None:
    async with hub_with(authority) as hub:
        assert hub._doors is not None
        assert [len(getattr(door, "_listeners", [1])) for door in hub._doors._open] == [1, 1, 1]


@pytest.mark.parametrize("tls", [True, False])
@pytest.mark.parametrize(
    ("host", "public", "called", "multiaddress"),
    [
        ("0.0.0.0", "", "127.0.0.1", "/ip4/127.0.0.1/tcp/"),
        ("0.0.0.0", "hub.example", "hub.example", "/dns4/hub.example/tcp/"),
        ("0.0.0.0", "2001:db8::1", "[2001:db8::1]", "/ip6/2001:db8::1/tcp/"),
        ("::", "", "[::1]", "/ip6/::1/tcp/"),
        ("127.0.0.2", "", "127.0.0.2", "/ip4/127.0.0.2/tcp/"),
        ("localhost", "", "localhost", "/dns4/localhost/tcp/"),
    ],
)
async def test_what_others_are_told(
    authority: Authority, tls: bool, host: str, public: str, called: str, multiaddress: str
) -> None:
    settings = HubSettings(
        **ALL_DOORS,
        host=host,
        public_host=public,
        tls=authority.issue("hub.example", "127.0.0.1", "::1", "127.0.0.2", "localhost") if tls else None,
        insecure_remote=not tls,
    )
    try:
        hub = await LocalHub.in_memory(settings).__aenter__()
    except errors.HubError:
        pytest.skip("this machine has no such address")
    try:
        scheme = "https://" if tls else ""
        assert hub.target.startswith(f"{scheme}{called}:")
        assert hub.web_target is not None
        assert hub.web_target.startswith(f"{called}:")
        assert hub.gateway_target is not None
        assert hub.gateway_target.startswith(f"{called}:")
        reached = hub.target
        if public:
            reached = f"{scheme}127.0.0.1:{hub.target.rpartition(':')[2]}"
        async with textile_aio.connect(reached, tls=authority.trust("h2") if tls else None) as client:
            ctx = await client.threads.authorize(AuthContext(), Identity.generate())
            thread = await client.threads.new_db(ctx)
            info = await client.threads.get_db_info(ctx, thread)
            assert str(info.addrs[0]).startswith(multiaddress)
            ctx = ctx.with_thread(thread)
            bucket = await client.buckets.create(ctx, "b")
            links = await client.buckets.links(ctx, bucket.key)
            gateway = f"{'https' if tls else 'http'}://{hub.gateway_target}/"
            assert links.url.startswith(gateway)
    finally:
        await hub.__aexit__(None, None, None)


@asynccontextmanager
async def process(
    data: Path, *options: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, dict[str, Any]]]:
    started = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "textile_aio.localhub", "--data", str(data), "--port", "0"),
        *("--mode", "buckd", *options),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert started.stdout is not None
    try:
        yield started, json.loads(await started.stdout.readline())
    finally:
        if started.returncode is None:
            started.terminate()
        await started.communicate()
        started._transport.close()  # type: ignore[attr-defined]


async def test_a_process_reads_its_certificate_anew_on_sighup(authority: Authority, tmp_path: Path) -> None:
    files = authority.issue("first.example", "127.0.0.1")
    options = ("--tls-cert", str(files.certificate), "--tls-key", str(files.key), "--no-web", "--no-gateway")
    async with process(tmp_path / "hub", *options) as (hub, line):
        assert line["target"].startswith("https://")
        assert await presented(line["target"], authority.trust()) == "first.example"
        Path(files.certificate).write_bytes(b"broken")
        hub.send_signal(signal.SIGHUP)
        assert hub.stderr is not None
        said = (await hub.stderr.readline()).decode()
        assert said.startswith("localhub: cannot use the certificate")
        assert said.rstrip().endswith("the one before stays in use")
        assert await presented(line["target"], authority.trust()) == "first.example"
        authority.issue("second.example", "127.0.0.1")
        hub.send_signal(signal.SIGHUP)
        while await presented(line["target"], authority.trust()) != "second.example":
            pass
        async with textile_aio.connect(f"local:{tmp_path / 'hub'}") as client:
            assert await client.threads.authorize(AuthContext(), Identity.generate())
        hub.terminate()
        assert await hub.wait() == 0


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("--host", "0.0.0.0"), "--insecure-remote"),
        (("--tls-cert", "cert.pem"), "--tls-cert and --tls-key go together"),
        (("--tls-cert", "no.pem", "--tls-key", "no.key"), "cannot use the certificate no.pem"),
        (("--max-message", "0"), "message is 0; it must be above 0"),
    ],
)
async def test_a_process_says_what_is_wrong_with_its_options(
    tmp_path: Path, options: tuple[str, ...], text: str
) -> None:
    failed = await asyncio.create_subprocess_exec(
        *(
            sys.executable,
            "-m",
            "textile_aio.localhub",
            "--data",
            str(tmp_path / "hub"),
            "--port",
            "0",
            *options,
        ),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await failed.communicate()
    assert (failed.returncode, out) == (1, b"")
    assert text in err.decode()
    assert len(err.decode().splitlines()) == 1


async def test_a_process_listens_everywhere_where_it_is_told_to(tmp_path: Path) -> None:
    async with process(tmp_path / "hub", "--host", "0.0.0.0", "--insecure-remote") as (_, line):
        assert line["target"].startswith("127.0.0.1:")
        async with textile_aio.connect(line["target"]) as client:
            assert await client.threads.authorize(AuthContext(), Identity.generate())
