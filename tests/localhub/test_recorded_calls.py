"""The calls that JavaScript clients were recorded making, played to our hub.

For each recorded call whose method is built, a hub is brought into the state that the caller assumed
(its API key, identity, thread, bucket and paths); then the recorded headers and messages go over the wire.
Only what could not be known when it was recorded is replaced: the token, and the bucket's root.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from typing import Any
from unittest.mock import patch

import pytest

import textile_aio
from tests.localhub.raw import METHODS, call, outcome
from tests.recorded import load
from textile_aio import AuthContext, HubClient, Identity, ThreadID
from textile_aio._proto.api.bucketsd import pb as buckets
from textile_aio.localhub import HubSettings, LocalHub
from textile_aio.localhub.access import methods
from textile_aio.localhub.buckets.collection import COLLECTION
from textile_aio.localhub.buckets.document import decode, encode
from textile_aio.storage.changes import Batch, PutDocument, PutNameKey, SetRoot
from textile_aio.storage.store import View
from textile_aio.storage.values import ChangeKind

THREADS, USERS, BUCKETS = "/threads.pb.API/", "/api.usersd.pb.APIService/", "/api.bucketsd.pb.APIService/"
BUILT = {
    *(THREADS + name for name in ("GetToken", "NewDB", "ListDBs", "GetDBInfo", "DeleteDB")),
    *(USERS + name for name in ("GetThread", "ListThreads")),
    *(
        BUCKETS + name
        for name in (
            "Create", "Root", "List", "ListPath", "Links",
            "PushPath", "PushPaths", "PullPath", "RemovePath", "Remove",
        )
    ),
}  # fmt: skip

SETUP: dict[str, Any] = load("wire-transcripts")["setup"]
CALLS = [
    pytest.param(case, recorded, id=f"{case['method']}-{index}-{recorded['method'].rpartition('/')[2]}")
    for index, case in enumerate(load("wire-transcripts")["cases"])
    for recorded in case["calls"]
    if recorded["method"] in BUILT
]


class Scene:
    """A hub made ready for one call."""

    def __init__(self, hub: LocalHub, client: HubClient) -> None:
        self.hub = hub
        self.client = client
        assert hub._accounts is not None
        self.store = hub._accounts.registry.store
        self.identity = Identity.from_string(SETUP["identity_string"])
        self.ctx = AuthContext()

    async def admit(self) -> None:
        """The recorded API key, and a token for the recorded identity."""
        account = await self.hub.create_account("recorded")
        drawn = [SETUP["api_key"]["key"], SETUP["api_key"]["secret"]]
        with patch("textile_aio.localhub.accounts.keys.make_token", side_effect=drawn):
            key = await self.hub.create_key(account, secure=True, user_group=True)
        now = self.hub.settings.clock() / 1e9
        ctx = AuthContext(clock=lambda: now).with_api_key(key.key, key.secret)
        self.ctx = await self.client.threads.authorize(ctx, self.identity)

    async def thread(self, id_: ThreadID, name: str = "") -> None:
        ctx = self.ctx.with_thread_name(name) if name else self.ctx
        await self.client.threads.new_db(ctx, id_)

    async def bucket(self, thread: ThreadID, key: str, paths: list[str]) -> None:
        """A bucket under a recorded key, with something at each path."""
        ctx = self.ctx.with_thread(thread)
        made = await self.client.buckets.create(ctx, "recorded")
        for path in paths:
            await self.client.buckets.push_path(ctx, made.key, path, b"something")

        def renamed(view: View) -> Batch:
            body = view.document(bytes(thread), COLLECTION, made.key.encode())
            name_key, database = view.name_key(made.key), view.database(bytes(thread))
            assert body is not None
            assert name_key is not None
            assert database is not None
            document = replace(decode(body), id=key)
            return Batch(
                (
                    PutDocument(COLLECTION, key.encode(), encode(document, 1), ChangeKind.CREATE),
                    SetRoot(key.encode(), bytes(thread), document.root.bytes, None),
                    PutNameKey(replace(name_key, cid=key)),
                ),
                bytes(thread),
                database.sequence,
            )

        await self.store.apply(await self.store.read(renamed))


@pytest.fixture
async def scene(request: pytest.FixtureRequest) -> AsyncIterator[Scene]:
    case = request.node.callspec.params["case"]
    clock = int(datetime.fromisoformat(case["clock"]).timestamp() * 1e9)
    async with (
        LocalHub.in_memory(HubSettings(clock=lambda: clock)) as hub,
        textile_aio.connect(hub.target) as client,
    ):
        scene = Scene(hub, client)
        await scene.admit()
        yield scene


@pytest.mark.parametrize(("case", "recorded"), CALLS)
async def test_our_hub_understands(scene: Scene, case: dict[str, Any], recorded: dict[str, Any]) -> None:
    path = recorded["method"]
    handler = METHODS[path]
    requests = [handler.request_type.parse(bytes.fromhex(message)) for message in recorded["messages_hex"]]
    headers = {
        name: value for name, value in recorded["metadata"] if name not in ("content-type", "x-grpc-web")
    }
    if "authorization" in headers:
        headers["authorization"] = f"bearer {scene.ctx.token}"
    await prepare(scene, path, requests, headers, recorded)
    if path == THREADS + "GetToken":
        await check_challenge(scene, requests, recorded)
        return
    got = await outcome(scene.hub.target, path, headers, *requests)
    if path in methods.BLOCKED:
        assert got == ("PERMISSION_DENIED", "Method is not accessible")
    elif "x-textile-api-key" not in headers:
        assert got == ("UNAUTHENTICATED", "Session or API key required")
    elif "authorization" not in headers:
        assert got == ("UNAUTHENTICATED", "Token required")
    elif path == BUCKETS + "Create" and requests[0].bootstrap_cid:
        assert got[0] == "UNKNOWN"
        assert got[1].startswith("creating prepared bucket: block ")
    elif path == USERS + "GetThread" and recorded["status"] != 0:
        assert got == ("NOT_FOUND", "Thread not found")
    else:
        assert got[0] == "OK", got
        await check_content(scene, path, requests, headers)


async def prepare(
    scene: Scene, path: str, requests: list[Any], headers: dict[str, str], recorded: dict[str, Any]
) -> None:
    """Make what the call assumes to be there."""
    threads = set()
    if "x-textile-thread" in headers:
        threads.add(ThreadID.parse(headers["x-textile-thread"]))
    if path in (THREADS + "GetDBInfo", THREADS + "DeleteDB"):
        threads.add(ThreadID.from_bytes(requests[0].db_id))
    if path == THREADS + "NewDB":
        threads.discard(ThreadID.from_bytes(requests[0].db_id))
    for thread in threads:
        await scene.thread(thread)
    if path == USERS + "GetThread" and recorded["status"] == 0:
        await scene.thread(ThreadID.random(), requests[0].name)
    if path.startswith(BUCKETS) and requests and "x-textile-thread" in headers:
        first = getattr(requests[0], "header", None) or requests[0]
        if key := getattr(first, "key", ""):
            reads = path.rpartition("/")[2] in ("ListPath", "Links", "PullPath", "RemovePath")
            there = [first.path] if reads and first.path.strip("/") else []
            thread = ThreadID.parse(headers["x-textile-thread"])
            await scene.bucket(thread, key, there)
            if getattr(first, "root", ""):
                first.root = (await scene.client.buckets.root(scene.ctx.with_thread(thread), key)).path


async def check_content(scene: Scene, path: str, requests: list[Any], headers: dict[str, str]) -> None:
    """What was pushed is there, byte for byte."""
    sent: dict[str, bytes] = {}
    if path == BUCKETS + "PushPath":
        sent[requests[0].header.path] = b"".join(request.chunk for request in requests[1:])
    elif path == BUCKETS + "PushPaths":
        for request in requests[1:]:
            sent[request.chunk.path] = sent.get(request.chunk.path, b"") + request.chunk.data
    for name, content in sent.items():
        replies = await call(
            scene.hub.target,
            BUCKETS + "PullPath",
            headers,
            buckets.PullPathRequest(key=requests[0].header.key, path=name),
        )
        assert b"".join(bytes(reply.chunk) for reply in replies) == content


async def check_challenge(scene: Scene, requests: list[Any], recorded: dict[str, Any]) -> None:
    """The recorded signature is right for the recorded challenge, and ours is taken for ours."""
    public = textile_aio.PublicKey.from_string(requests[0].key)
    if len(requests) > 1:
        challenge = (
            METHODS[recorded["method"]].reply_type.parse(bytes.fromhex(recorded["replies_hex"][0])).challenge
        )
        assert public.verify(challenge, requests[1].signature)
        got = await outcome(scene.hub.target, recorded["method"], await scene.ctx.metadata(), *requests)
        assert got == ("UNKNOWN", "bad signature"), "a signature is good for its own challenge only"
