"""The Go clients under load: large messages and files, many calls, cancelled calls, idle connections."""

from __future__ import annotations

import asyncio
import hashlib
import os
from pathlib import Path

import pytest

import textile_aio
from tests.interop.conftest import Pair, credentials
from tests.interop.gopeer import OK, GoPeer, outcome
from tests.trees import pull, whole
from textile_aio.localhub import HubSettings, LocalHub

pytestmark = pytest.mark.timeout(900)

MIB = 1_048_576


async def test_a_hundred_mebibytes_go_there_and_back(bucket_pair: Pair, tmp_path: Path) -> None:
    pair = bucket_pair
    source, copy = tmp_path / "source", tmp_path / "copy"
    with source.open("wb") as file:
        for number in range(100):
            file.write(hashlib.sha512(b"%d" % number).digest() * (MIB // 64))
    (pushed,) = await pair.go.run("push", files=[{"path": "large", "local": str(source)}])
    assert pushed["progress"][-1] == 100 * MIB
    # The same bytes pushed by our client make the same file.
    mine = await pair.ours.buckets.push_path(pair.ctx, pair.bucket, "mine", source)
    assert str(mine.cid) == pushed["cid"]
    await pair.go.run("pull", files=[{"path": "mine", "local": str(copy)}])
    assert digest(copy) == digest(source)
    await pair.ours.buckets.pull_to(pair.ctx, pair.bucket, "large", copy)
    assert digest(copy) == digest(source)


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def test_messages_are_taken_up_to_the_limit_of_go_servers(bucket_pair: Pair) -> None:
    pair = bucket_pair
    told = await pair.go.run("messages")
    assert outcome(told["largest"]) == OK
    code, text = outcome(told["too large"])
    assert code == "RESOURCE_EXHAUSTED"
    assert "4194305" in text
    tree = await whole(pair.ours, pair.ctx, pair.bucket)
    assert tree.files == {"largest": bytes(4 * MIB - 5)}


@pytest.mark.parametrize("count", [20])
async def test_many_pushes_at_once(bucket_pair: Pair, count: int) -> None:
    pair = bucket_pair
    size = 300_000
    told = await pair.go.run("parallel", count=count, size=size)
    for kind in ("created", "apart", "shared"):
        assert [outcome(each) for each in told[kind]] == [OK] * count
    assert len(set(told["keys"])) == count
    contents = [(b"%08d" % number * size)[:size] for number in range(count)]
    for key, content in zip(told["keys"], contents, strict=True):
        assert await pull(pair.ours, pair.ctx, key, "file") == content
    tree = await whole(pair.ours, pair.ctx, pair.bucket)
    assert tree.files == {f"shared/{number}": content for number, content in enumerate(contents)}


async def test_pushes_that_wait_do_not_starve_the_one_they_wait_for(bucket_pair: Pair) -> None:
    """All go over one connection, and a bucket takes one after the other."""
    async with asyncio.timeout(20):
        told = await bucket_pair.go.run("parallel", count=8, size=6 * MIB)
    assert [outcome(each) for each in told["shared"]] == [OK] * 8


async def test_a_push_in_flight_outlives_the_goodbye(go_program: Path, tmp_path: Path) -> None:
    """A hub that closes tells Go clients to go, and takes the rest of what they are sending."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    hub = LocalHub.open(tmp_path / "hub", HubSettings(grace=60))
    await hub.__aenter__()
    given, ctx = await credentials(hub, "user")
    go = GoPeer(go_program, {"target": hub.target, "name": "photos", **given})
    prepared = await go.run("prepare")
    go = go.given(token=prepared["token"], thread=prepared["thread"])
    go = go.given(bucket=(await go.run("create", name="things"))["root"]["key"])
    async with asyncio.TaskGroup() as tasks:
        push = tasks.create_task(go.run("push", files=[{"path": "late", "local": str(pipe)}]))
        file = await asyncio.to_thread(pipe.open, "wb")
        with file:
            await asyncio.to_thread(file.write, bytes(2 * MIB))
            closing = tasks.create_task(hub.__aexit__(None, None, None))
            await asyncio.to_thread(file.write, bytes(2 * MIB))
            assert not closing.done()
    (pushed,) = push.result()
    assert pushed["progress"][-1] == 4 * MIB
    async with LocalHub.open(tmp_path / "hub") as again, textile_aio.connect(again.target) as ours:
        ctx = ctx.with_token(prepared["token"]).with_thread(prepared["thread"])
        assert await pull(ours, ctx, go.request["bucket"], "late") == bytes(4 * MIB)


async def test_of_pushes_on_one_root_one_wins(bucket_pair: Pair) -> None:
    stale = ("FAILED_PRECONDITION", "update is non-fast-forward")
    told = await bucket_pair.go.run("race", count=5)
    assert set(told) == {"PushPath", "PushPaths"}
    for outcomes in told.values():
        assert sorted(map(outcome, outcomes)) == [stale] * 4 + [OK]


async def test_cancelled_calls_leave_nothing_behind(bucket_pair: Pair) -> None:
    pair = bucket_pair
    before = await pair.ours.buckets.push_path(pair.ctx, pair.bucket, "large", bytes(8 * MIB))
    told = await pair.go.run("cancel", name="large")
    for call in ("push", "push many", "pull"):
        assert outcome(told[call]) == ("CANCELLED", "context canceled")
    code, _ = outcome(told["push past its deadline"])
    assert code == "DEADLINE_EXCEEDED"
    assert outcome(told["push afterwards"]) == OK
    tree = await whole(pair.ours, pair.ctx, pair.bucket)
    assert set(tree.files) == {"large", "afterwards"}
    assert before.root.path != tree.root.path


async def test_pings_without_calls_are_welcome(bucket_pair: Pair) -> None:
    """Go's enforcing servers close a connection at the third ping that comes too soon."""
    told = await bucket_pair.go.run("idle", count=3)
    assert (told["pings"], told["connections"]) == (3, 1)
    assert outcome(told["root"]) == OK
