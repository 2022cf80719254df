"""Where the hub departs from upstream on purpose and no other test says so (docs/compatibility.md)."""

from __future__ import annotations

import asyncio
import hashlib

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key

from tests.localhub.raw import OK, call, outcome
from textile_aio import Cid, Identity, ThreadID, connect
from textile_aio._codec import protowire
from textile_aio._proto.api.bucketsd import pb
from textile_aio._proto.threads import pb as threads
from textile_aio.auth import AuthContext
from textile_aio.localhub import HubSettings, LocalHub
from textile_aio.localhub.buckets.name_keys import generate_name_key
from textile_aio.storage.changes import Batch, PutSession
from textile_aio.storage.runner import StoreRunner

BUCKETS = "/api.bucketsd.pb.APIService/"
USERS = "/api.usersd.pb.APIService/"
DAY = 24 * 3600 * 10**9


async def new_bucket(hub: LocalHub, headers: dict[str, str]) -> tuple[dict[str, str], str]:
    """Headers that name a new thread, and the key of a new bucket in it."""
    thread = ThreadID.random()
    await call(hub.target, "/threads.pb.API/NewDB", headers, threads.NewDbRequest(db_id=bytes(thread)))
    headers = {**headers, "x-textile-thread": str(thread)}
    (created,) = await call(hub.target, BUCKETS + "Create", headers, pb.CreateRequest())
    return headers, created.root.key


async def test_progress_is_told_50_times_a_second_at_most() -> None:
    async with LocalHub.in_memory(HubSettings(mode="buckd")) as hub:
        headers, key = await new_bucket(hub, {})
        piece = bytes(262_144)
        messages = [pb.PushPathRequest(header=pb.PushPathRequestHeader(key=key, path="a"))]
        messages += [pb.PushPathRequest(chunk=piece)] * 128
        clock = asyncio.get_running_loop().time
        started = clock()
        *progress, _ = await call(hub.target, BUCKETS + "PushPath", headers, *messages)
        assert 1 <= len(progress) <= (clock() - started) * 50 + 2
        assert progress[-1].event.bytes == 128 * len(piece)


async def test_an_answer_within_a_push_has_the_entries_of_the_root_and_its_own_file() -> None:
    async with LocalHub.in_memory(HubSettings(mode="buckd")) as hub:
        headers, key = await new_bucket(hub, {})
        messages = [pb.PushPathsRequest(header=pb.PushPathsRequestHeader(key=key))]
        for path in ("a", "b", "c"):
            messages.append(pb.PushPathsRequest(chunk=pb.PushPathsRequestChunk(path=path, data=b"x")))
            messages.append(pb.PushPathsRequest(chunk=pb.PushPathsRequestChunk(path=path)))
        replies = await call(hub.target, BUCKETS + "PushPaths", headers, *messages)
        assert [set(reply.root.path_metadata) for reply in replies] == [{"", "a"}, {"", "b"}, {"", "c"}]


async def test_a_sessions_expiry_is_written_once_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    time = [1_900_000_000 * 10**9]
    written: list[Batch] = []
    apply = StoreRunner.apply_to_end

    async def counted(self: StoreRunner, batch: Batch) -> None:
        written.append(batch)
        await apply(self, batch)

    async with LocalHub.in_memory(HubSettings(clock=lambda: time[0])) as hub:
        account = await hub.create_account("owner")
        monkeypatch.setattr(StoreRunner, "apply_to_end", counted)
        for hours in (0, 1, 23, 25, 26, 51):
            time[0] = 1_900_000_000 * 10**9 + hours * DAY // 24
            headers = {"x-textile-session": account.session}
            assert await outcome(hub.target, USERS + "ListThreads", headers) == OK
    assert [type(each) for batch in written for each in batch.operations] == [PutSession, PutSession]


def test_a_bucket_is_named_by_an_ecdsa_key_as_ipns_knows_them() -> None:
    key = generate_name_key(b"thread", "/ipfs/x", 0)
    assert key.cid.startswith("bafzbei")
    assert len(key.cid) == 59
    kind, secret = (value for _, value in protowire.fields(key.private_key))
    assert kind == 3
    assert isinstance(secret, bytes)
    private = load_der_private_key(secret, None)
    public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    message = protowire.varint_field(1, 3) + protowire.bytes_field(2, public)
    assert Cid.parse(key.cid).digest == hashlib.sha256(message).digest()


async def test_in_somebody_elses_bucket_roles_decide_about_a_push_of_many_files() -> None:
    async with LocalHub.in_memory() as hub, connect(hub.target) as client:
        api_key = await hub.create_key(await hub.create_account("owner"), secure=False)
        ctx = AuthContext().with_api_key(api_key.key)
        owner = {**await (await client.threads.authorize(ctx, Identity.generate())).metadata()}
        headers, key = await new_bucket(hub, owner)
        other = await (await client.threads.authorize(ctx, Identity.generate())).metadata()
        headers = {**other, "x-textile-thread": headers["x-textile-thread"]}
        header = pb.PushPathsRequest(header=pb.PushPathsRequestHeader(key=key, paths=["a"]))
        code, text = await outcome(hub.target, BUCKETS + "PushPaths", headers, header)
        assert code == "PERMISSION_DENIED"
        assert text.startswith("verifying bucket update: ")
