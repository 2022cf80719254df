"""Streams that nobody sends in earnest: odd names, repeats, large numbers (spec: buckets-api §3, §10)."""

from __future__ import annotations

import unicodedata
from itertools import pairwise

import pytest

from tests.localhub.buckets.callers import Bucket, many, part
from tests.localhub.raw import OK
from textile_aio._proto.api.bucketsd import pb

CLOSED = ("UNKNOWN", "writing chunk: io: read/write on closed pipe")


def header(bucket: Bucket, path: str) -> pb.PushPathRequest:
    return pb.PushPathRequest(header=pb.PushPathRequestHeader(key=bucket.key, path=path))


@pytest.mark.parametrize(
    "name",
    ["x" * 255, "\u00fc" * 127, "\U0001f600" * 63, " ", " a ", "a\nb", "a%2fb", "-", "\u202egpj.exe",
     "\ufeff", "a:b", "CON", "~", "a\\b", "#", "?", "\x7f"],
    ids=ascii,
)  # fmt: skip
async def test_names_come_back_as_they_were(bucket: Bucket, name: str) -> None:
    await bucket.push(f"d/{name}", b"content")
    assert [child.name for child in (await bucket.item("d")).items] == [name]
    assert await bucket.pull(f"d/{name}") == b"content"
    assert await bucket.move(f"d/{name}", f"{name}/{name}") == OK
    assert await bucket.pull(f"{name}/{name}") == b"content"
    assert await bucket.remove(f"{name}/{name}") == OK
    assert await bucket.tree() == {"d": None, name: None}


async def test_two_forms_of_a_name_are_two_names(bucket: Bucket) -> None:
    composed, decomposed = (unicodedata.normalize(form, "caf\u00e9") for form in ("NFC", "NFD"))
    assert composed != decomposed
    await bucket.push(composed, b"1")
    await bucket.push(decomposed, b"2")
    await bucket.push("Caf\u00e9", b"3")
    assert await bucket.tree() == {composed: b"1", decomposed: b"2", "Caf\u00e9": b"3"}
    assert await bucket.remove(decomposed) == OK
    assert await bucket.tree() == {composed: b"1", "Caf\u00e9": b"3"}


async def test_a_hundred_thousand_paths_are_announced(bucket: Bucket) -> None:
    paths = [f"d{number % 100}/f{number}" for number in range(100_000)]
    messages = [many(bucket.key, *paths), part(paths[0], b"x"), part(paths[0])]
    assert await bucket.caller.outcome("PushPaths", *messages) == OK
    assert await bucket.tree() == {"d0": None, "d0/f0": b"x"}


async def test_a_header_too_large_for_a_message_is_refused(bucket: Bucket) -> None:
    before = await bucket.root()
    paths = [f"{number:04}{'x' * 1000}" for number in range(5_000)]
    code, _ = await bucket.caller.outcome("PushPaths", many(bucket.key, *paths))
    assert code == "RESOURCE_EXHAUSTED"
    assert await bucket.root() == before


async def test_messages_of_four_mebibytes_and_more(bucket: Bucket) -> None:
    most = b"z" * (4 * 1024 * 1024 - 16)
    assert await bucket.caller.outcome(
        "PushPath", header(bucket, "f"), pb.PushPathRequest(chunk=most)
    ) == OK  # fmt: skip
    assert await bucket.pull("f") == most
    before = await bucket.root()
    more = pb.PushPathRequest(chunk=most + b"z" * 32)
    assert (await bucket.caller.outcome("PushPath", header(bucket, "f"), more))[0] == "RESOURCE_EXHAUSTED"
    assert await bucket.root() == before


async def test_what_comes_after_the_end_of_a_file(bucket: Bucket) -> None:
    before = await bucket.root()
    for messages in (
        [part("a", b"1"), part("a"), part("a", b"2")],
        [part("a", b"1"), part("a"), part("a")],
        [part("a"), part("/a", b"1"), part("a")],
        [part("b", b"1"), part("b"), part("a"), part("a")],
    ):
        assert await bucket.caller.outcome("PushPaths", many(bucket.key), *messages) == CLOSED
    assert await bucket.root() == before


async def test_headers_come_once_and_first(bucket: Bucket) -> None:
    before = await bucket.root()
    again = ("UNKNOWN", "invalid request")
    first = ("UNKNOWN", "push bucket path header is required")
    caller = bucket.caller
    chunk = pb.PushPathRequest(chunk=b"x")
    assert await caller.outcome("PushPath", header(bucket, "a"), header(bucket, "a")) == again
    assert await caller.outcome("PushPath", header(bucket, "a"), chunk, header(bucket, "b"), chunk) == again
    assert await caller.outcome("PushPath", chunk, header(bucket, "a")) == first
    assert await caller.outcome("PushPaths", many(bucket.key), many(bucket.key)) == again
    pushed = [many(bucket.key), part("a", b"x"), part("a"), many(bucket.key)]
    assert await caller.outcome("PushPaths", *pushed) == again
    assert await caller.outcome("PushPaths", part("a", b"x"), many(bucket.key)) == first
    assert await bucket.root() == before


async def test_a_path_and_another_below_it_in_one_push(bucket: Bucket) -> None:
    before = await bucket.root()
    messages = [many(bucket.key), part("a", b"1"), part("a"), part("a/b", b"2"), part("a/b")]
    assert await bucket.caller.outcome("PushPaths", *messages) == (
        "UNKNOWN",
        "adding bucket link: expected protobuf dag node",
    )
    assert await bucket.root() == before


async def test_the_longest_paths_there_are(bucket: Bucket) -> None:
    deep = "/".join("d" * 15 for _ in range(255)) + "/f"
    assert len(deep) < 4096
    await bucket.push(deep, b"x")
    assert await bucket.pull(deep) == b"x"
    assert await bucket.remove(deep.split("/")[0]) == OK
    assert await bucket.tree() == {}


async def test_a_private_push_tells_of_ciphertext(bucket: Bucket) -> None:
    content = b"y" * 1_000_000
    replies = await bucket.caller.call(
        "PushPath",
        header(bucket, "f"),
        *(pb.PushPathRequest(chunk=content[at : at + 1000]) for at in range(0, len(content), 1000)),
    )
    counts = [reply.event.bytes for reply in replies[:-1]]
    size = len(content) + (84 if bucket.private else 0)
    assert counts == sorted(counts)
    assert counts[-1] == size
    assert all(later - earlier >= 262_144 for earlier, later in pairwise(counts[:-1]))
    last = replies[-1].event
    assert int(last.size) > size
    assert last.pinned > 0
    assert last.path == f"/ipfs/{(await bucket.item('f')).cid}"
    assert last.root == await bucket.root()
