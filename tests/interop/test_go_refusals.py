"""What is refused to the Go clients, with the codes and texts that programs match on."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.interop.conftest import Pair
from tests.interop.gopeer import OK, Outcome, outcome
from tests.trees import pull
from textile_aio import TextileError
from textile_aio.threaddb.databases import NAME_RULE

pytestmark = pytest.mark.timeout(900)

NO_LINK = ("UNKNOWN", 'no link named "nothing" under {root}')
STALE = ("FAILED_PRECONDITION", "update is non-fast-forward")
NO_BUCKET = ("UNKNOWN", "instance not found")
DENIED = ("UNKNOWN", "app denied net record body: permission denied")
DENIED_EARLY = (
    "PERMISSION_DENIED",
    "verifying bucket update: rpc error: code = Unknown desc = app denied net record body: permission denied",
)
NOT_OWNER = ("PERMISSION_DENIED", "User does not own thread")
NO_THREAD = ("NOT_FOUND", "thread not found")
TAKEN = (
    "UNKNOWN",
    "multiple write errors: [{{write errors: [{{E11000 duplicate key error collection: textile.threads}}]}}]",
)

EVERYWHERE: dict[str, Outcome] = {
    "list a missing path": NO_LINK,
    "list a missing path in a folder": ("UNKNOWN", 'no link named "nothing" under {folder}'),
    "link to a missing path": NO_LINK,
    "pull a missing path": NO_LINK,
    "pull a folder": ("UNKNOWN", "node is a directory"),
    "remove a missing path": ("UNKNOWN", "no link by that name"),
    "push below a file": ("UNKNOWN", "expected protobuf dag node"),
    "push to the seed": ("UNKNOWN", "paths containing .textileseed are not allowed"),
    "push on a stale root": STALE,
    "push many on a stale root": STALE,
    "remove on a stale root": STALE,
    "root of an unknown bucket": NO_BUCKET,
    "push to an unknown bucket": NO_BUCKET,
    "remove an unknown bucket": NO_BUCKET,
    "token for another user": OK,
    "push to another's bucket": DENIED,
    "push a new file to another's bucket": DENIED,
    "push many to another's bucket": DENIED_EARLY,
    "remove a path of another's bucket": DENIED,
    "pull from another's public bucket": OK,
    "root in an absent thread": NO_THREAD,
    "root without a thread": ("UNKNOWN", "db required"),
}

DAEMON: dict[str, Outcome] = EVERYWHERE | {
    "list the buckets of another's thread": OK,
    "create a bucket in another's thread": OK,
    "info of another's database": OK,
    "remove another's bucket": DENIED,
    "create a bucket in an absent thread": NO_THREAD,
    "a database again": ("UNKNOWN", "db already exists"),
}


def with_bad_credentials() -> dict[str, Outcome]:
    refused = {
        "no credentials": ("UNAUTHENTICATED", "Session or API key required"),
        "an unknown key": ("NOT_FOUND", "API key not found or is invalid"),
        "no signature": ("UNAUTHENTICATED", "API key signature required"),
        "another's signature": ("UNAUTHENTICATED", "Bad API key signature"),
        "an expired signature": ("UNAUTHENTICATED", "Bad API key signature"),
    }
    return {
        f"{call} with {credentials}".removeprefix("root with "): expected
        for credentials, expected in refused.items()
        for call in ("root", "push", "token", "threads")
    }


HUB: dict[str, Outcome] = (
    EVERYWHERE
    | with_bad_credentials()
    | {
        "list the buckets of another's thread": NOT_OWNER,
        "create a bucket in another's thread": NOT_OWNER,
        "info of another's database": NOT_OWNER,
        "remove another's bucket": NOT_OWNER,
        "create a bucket in an absent thread": NOT_OWNER,
        "a database again": TAKEN,
        "threads without a token": ("UNAUTHENTICATED", "Token required"),
        "buckets without a token": ("UNAUTHENTICATED", "Token required"),
        "list all databases": ("PERMISSION_DENIED", "Method is not accessible"),
        "list all databases without credentials": ("PERMISSION_DENIED", "Method is not accessible"),
        "a thread by an unknown name": ("NOT_FOUND", "Thread not found"),
        "a thread with a bad name": ("UNKNOWN", NAME_RULE),
        "a thread with a name that is taken": TAKEN,
        "delete a database with buckets": ("FAILED_PRECONDITION", "DB not empty (delete buckets first)"),
    }
)


@pytest.mark.parametrize(
    ("pair", "expected"), [("user", HUB), ("buckd", DAEMON)], indirect=["pair"], ids=["hub", "buckd"]
)
async def test_refusals_have_their_codes_and_texts(
    bucket_pair: Pair, expected: dict[str, Outcome], tmp_path: Path
) -> None:
    pair = bucket_pair
    await push_two(pair, tmp_path)
    told = await pair.go.run("refusals")
    assert told["before"] == told["after"], "what was refused changed nothing"
    folder = (await pair.ours.buckets.list_path(pair.ctx, pair.bucket, "folder")).item.cid
    names = {"root": told["after"].removeprefix("/ipfs/"), "folder": folder}
    assert {name: outcome(each) for name, each in told["outcomes"].items()} == {
        name: (code, text.format(**names)) for name, (code, text) in expected.items()
    }
    assert await pull(pair.ours, pair.ctx, pair.bucket, "file") == b"content"


async def test_both_clients_hear_the_same_refusals(bucket_pair: Pair, tmp_path: Path) -> None:
    pair = bucket_pair
    stale = await pair.ours.buckets.root(pair.ctx, pair.bucket)
    await push_two(pair, tmp_path)
    heard = {name: outcome(each) for name, each in (await pair.go.run("refusals"))["outcomes"].items()}

    ours, ctx, key = pair.ours.buckets, pair.ctx, pair.bucket
    calls: dict[str, Callable[[], Awaitable[Any]]] = {
        "list a missing path": lambda: ours.list_path(ctx, key, "nothing"),
        "link to a missing path": lambda: ours.links(ctx, key, "nothing"),
        "pull a missing path": lambda: pull(pair.ours, ctx, key, "nothing"),
        "pull a folder": lambda: pull(pair.ours, ctx, key, "folder"),
        "remove a missing path": lambda: ours.remove_path(ctx, key, "nothing"),
        "push below a file": lambda: ours.push_path(ctx, key, "file/below", b"x"),
        "push on a stale root": lambda: ours.push_path(ctx, key, "x", b"x", root=stale),
        "remove on a stale root": lambda: ours.remove_path(ctx, key, "file", root=stale),
        "root of an unknown bucket": lambda: ours.root(ctx, "bafzbeinobucket"),
        "delete a database with buckets": lambda: pair.ours.threads.delete_db(ctx),
        "list all databases": lambda: pair.ours.threads.list_dbs(ctx),
        "a thread by an unknown name": lambda: pair.ours.users.get_thread(ctx, "nothing"),
    }
    for name, call in calls.items():
        with pytest.raises(TextileError) as caught:
            await call()
        assert caught.value.code is not None
        assert (caught.value.code.name, caught.value.message) == heard[name], name


async def push_two(pair: Pair, tmp_path: Path) -> None:
    local = tmp_path / "content"
    local.write_bytes(b"content")
    files = [{"path": path, "local": os.fspath(local)} for path in ("file", "folder/file")]
    await pair.go.run("push", files=files)
