"""A hub, the Go and JavaScript clients, and our client with the same credentials."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import textile_aio
from tests.interop import jsclients, jspeer, people
from tests.interop.both import Both, connected
from tests.interop.gopeer import GoPeer, build
from tests.interop.jsbundle import bundle
from tests.interop.jsclients import JsDatabase, JsPair
from tests.interop.peer import Peer
from tests.interop.people import GoPeers, JsPeers, Peers, Rig
from tests.interop.threadsd import serving
from textile_aio import AuthContext, HubClient
from textile_aio.localhub import HubSettings, LocalHub

KINDS = ["user", "account", "session", "unsigned", "buckd"]


@dataclass(frozen=True)
class Pair:
    """Both clients in one thread, as one caller; and a bucket there once it is made."""

    kind: str
    go: GoPeer
    ours: HubClient
    ctx: AuthContext
    prepared: dict[str, Any]
    bucket: str = ""

    async def with_bucket(self) -> Pair:
        bucket = (await self.go.run("create", name="things"))["root"]["key"]
        return Pair(self.kind, self.go.given(bucket=bucket), self.ours, self.ctx, self.prepared, bucket)


@pytest.fixture(scope="session")
def go_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("go") is None:
        pytest.skip("needs go on the path")
    return build(tmp_path_factory.mktemp("go"))


@pytest.fixture(scope="session")
def threadsd_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("go") is None:
        pytest.skip("needs go on the path")
    return build(tmp_path_factory.mktemp("threadsd"), "./threadsd")


@pytest.fixture(scope="session")
def people_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("go") is None:
        pytest.skip("needs go on the path")
    return build(tmp_path_factory.mktemp("people"), "./people")


@pytest.fixture(scope="session")
def threadsd(threadsd_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server of go-threads, for all tests that leave it alive."""
    with serving(threadsd_program, tmp_path_factory.mktemp("repository")) as address:
        yield address


@pytest.fixture
async def both(threadsd: str) -> AsyncIterator[Both]:
    """A server of go-threads and a hub of ours without accounts, with one fresh database of the same id."""
    async with both_at(threadsd) as both:
        yield both


@pytest.fixture
async def both_mortal(threadsd_program: Path, tmp_path: Path) -> AsyncIterator[Both]:
    """The same with a server that may come to its end."""
    with serving(threadsd_program, tmp_path) as address:
        async with both_at(address) as both:
            yield both


@asynccontextmanager
async def both_at(address: str) -> AsyncIterator[Both]:
    async with (
        LocalHub.in_memory(HubSettings(mode="buckd")) as hub,
        connected(address, hub.target, AuthContext()) as both,
    ):
        yield both


@pytest.fixture
async def pair(request: pytest.FixtureRequest, go_program: Path, tmp_path: Path) -> AsyncIterator[Pair]:
    """Parametrised indirectly with one of ``KINDS``; a signing user of a hub unless told otherwise."""
    kind = getattr(request, "param", "user")
    mode = "buckd" if kind == "buckd" else "hub"
    async with LocalHub.open(tmp_path / "hub", HubSettings(mode=mode)) as hub:  # type: ignore[arg-type]
        given, ctx = await credentials(hub, kind)
        async with textile_aio.connect(hub.target) as ours:
            go = GoPeer(go_program, {"target": hub.target, "name": "photos", **given})
            prepared = await go.run("prepare")
            go = go.given(token=prepared["token"], thread=prepared["thread"])
            ctx = ctx.with_thread(prepared["thread"])
            if prepared["token"]:
                ctx = ctx.with_token(prepared["token"])
            yield Pair(kind, go, ours, ctx, prepared)


@pytest.fixture
async def bucket_pair(pair: Pair) -> Pair:
    return await pair.with_bucket()


@pytest.fixture(scope="session")
def js_packages() -> None:
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("needs node and npm on the path")
    jspeer.install()


@pytest.fixture(scope="session")
def js_native_packages(js_packages: None) -> None:
    """With the SQLite that local databases in Node stand on."""
    jspeer.install(native=True)


@pytest.fixture(scope="session")
def hub_js(js_packages: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The hub client as one file for browsers."""
    target = tmp_path_factory.mktemp("bundle") / "hub.js"
    bundle(target)
    return target


@pytest.fixture
async def js(js_packages: None, tmp_path: Path) -> AsyncIterator[Peer]:
    folder = tmp_path / "node"
    folder.mkdir()
    async with jspeer.node(folder) as peer:
        yield peer


@pytest.fixture(params=["hub", "buckd"])
async def js_hub(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[LocalHub]:
    """A hub with both doors, with accounts and without."""
    async with LocalHub.open(tmp_path / "hub", jsclients.settings(request.param)) as hub:
        yield hub


@pytest.fixture
async def js_pair(js: Peer, js_hub: LocalHub) -> AsyncIterator[JsPair]:
    async with textile_aio.connect(js_hub.target) as ours:
        yield await jsclients.pair(js, js_hub, ours)


@pytest.fixture
async def js_db(js_pair: JsPair) -> JsDatabase:
    """An empty database of theirs."""
    thread = await js_pair.new_db()
    return JsDatabase(js_pair, thread, js_pair.at(thread))


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with LocalHub.open(tmp_path / "hub", people.settings()) as hub:
        yield Rig(hub)


@pytest.fixture
def js_peers(rig: Rig, js: Peer) -> JsPeers:
    return JsPeers(rig, js)


@pytest.fixture
async def go_peers(rig: Rig, people_program: Path, tmp_path: Path) -> AsyncIterator[GoPeers]:
    async with Peer.running(people_program, rig.hub.target, folder=tmp_path) as go:
        yield GoPeers(rig, go)


@pytest.fixture(params=["js", "go"])
def peers(request: pytest.FixtureRequest) -> Peers:
    """The clients of one language, and then of the other."""
    found: Peers = request.getfixturevalue(f"{request.param}_peers")
    return found


async def credentials(hub: LocalHub, kind: str) -> tuple[dict[str, Any], AuthContext]:
    """The same credentials for both: what the Go program is told, and a context."""
    if kind == "buckd":
        return {}, AuthContext()
    account = await hub.create_account("owner")
    if kind == "session":
        return {"session": account.session, "account": True}, AuthContext().with_session(account.session)
    key = await hub.create_key(account, secure=kind != "unsigned", user_group=kind != "account")
    given = {"key": key.key, "secret": key.secret, "account": kind == "account"}
    if kind == "unsigned":
        return {**given, "secret": ""}, AuthContext().with_api_key(key.key)
    return given, AuthContext().with_api_key(key.key, key.secret)
