"""The Go clients under load: large messages and files, many calls, cancelled calls, idle connections."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.interop.conftest import Pair
from tests.interop.gopeer import OK, outcome
from tests.trees import pull, whole

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
    assert outcome(told["push afterwards"]) == OK
    tree = await whole(pair.ours, pair.ctx, pair.bucket)
    assert set(tree.files) == {"large", "afterwards"}
    assert before.root.path != tree.root.path


async def test_pings_without_calls_are_welcome(bucket_pair: Pair) -> None:
    """Go's enforcing servers close a connection at the third ping that comes too soon."""
    told = await bucket_pair.go.run("idle", count=4)
    assert (told["pings"], told["connections"]) == (4, 1)
    assert outcome(told["root"]) == OK
