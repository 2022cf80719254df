"""MovePath (spec: buckets-api §8 MovePath with its arrows, §4 metadata bookkeeping, §16)."""

from __future__ import annotations

import os

import pytest

from tests.localhub.buckets.callers import ADMIN, READER, Bucket, Caller
from tests.localhub.raw import OK

BIG = os.urandom(300_000)

Tree = dict[str, bytes | None]


@pytest.mark.parametrize(
    ("before", "start", "to", "after"),
    [
        ({"f": b"1"}, "f", "g", {"g": b"1"}),
        ({"f": b"1"}, "/f", "/g", {"g": b"1"}),
        ({"f": b"1"}, "f", "a/b/g", {"a": None, "a/b": None, "a/b/g": b"1"}),
        ({"f": b"1", "g": b"2"}, "f", "g", {"g": b"1"}),
        ({"f": b"1", "d/x": b"2"}, "f", "d", {"d": None, "d/x": b"2", "d/f": b"1"}),
        ({"a/b/c": b"1"}, "a/b/c", "", {"a": None, "a/b": None, "c": b"1"}),
        ({"a/b/c": b"1"}, "a/b", "", {"a": None, "b": None, "b/c": b"1"}),
        ({"a/x": b"1", "b/y": b"2"}, "a", "b", {"b": None, "b/y": b"2", "b/a": None, "b/a/x": b"1"}),
        ({"a/x": b"1"}, "a", "c", {"c": None, "c/x": b"1"}),
        # Where upstream compares letters and not names.
        ({"abc": b"1"}, "abc", "ab", {"ab": b"1"}),
        ({"a.txt": b"1"}, "a.txt", "a.txt.bak", {"a.txt.bak": b"1"}),
        ({"photos/x": b"1"}, "photos", "photos2", {"photos2": None, "photos2/x": b"1"}),
        ({"photos2/x": b"1"}, "photos2", "photos", {"photos": None, "photos/x": b"1"}),
        # Into itself, where upstream loses everything below.
        (
            {"a/x": b"1", "a/y": b"2"},
            "a",
            "a/b",
            {"a": None, "a/b": None, "a/b/x": b"1", "a/b/y": b"2"},
        ),
        (
            {"a/x": b"1"},
            "a",
            "a/b/c",
            {"a": None, "a/b": None, "a/b/c": None, "a/b/c/x": b"1"},
        ),
        ({"big": BIG, "d/x": b"1"}, "big", "d/big", {"d": None, "d/x": b"1", "d/big": BIG}),
    ],
)
async def test_what_moves_where(bucket: Bucket, before: Tree, start: str, to: str, after: Tree) -> None:
    for path, content in before.items():
        await bucket.push(path, content or b"")
    assert await bucket.move(start, to) == OK
    assert await bucket.tree() == after


async def test_a_folder_into_a_folder_of_its_own(bucket: Bucket) -> None:
    await bucket.push("a/x", b"1")
    await bucket.push("a/b/y", b"2")
    assert await bucket.move("a", "a/b") == OK
    # The source is taken out first, "a/b" with it; what it held is below the target then, nothing is lost.
    kept = [content for content in (await bucket.tree()).values() if content is not None]
    assert sorted(kept) == [b"1", b"2"]


async def test_a_move_that_cannot_be(bucket: Bucket) -> None:
    await bucket.push("d/x", b"1")
    await bucket.push("f", b"2")
    before = await bucket.root()
    assert await bucket.move("", "x") == ("UNKNOWN", "source is root directory")
    assert await bucket.move("/", "x") == ("UNKNOWN", "source is root directory")
    assert await bucket.move("d", "f") == ("UNKNOWN", "not a directory")
    assert await bucket.move("gone", "x") == await bucket.missing("gone")
    seed = ("UNKNOWN", "paths containing .textileseed are not allowed")
    assert await bucket.move(".textileseed", "x") == seed
    assert await bucket.move("f", "d/.textileseed") == seed
    assert await bucket.move("f", "f/below") == ("UNKNOWN", "expected protobuf dag node")
    assert await bucket.root() == before


async def test_a_move_to_where_it_is_checks_nothing(bucket: Bucket) -> None:
    before = await bucket.root()
    assert await bucket.move("gone", "gone") == OK
    assert await bucket.root() == before


async def test_a_move_leaves_entries_for_both_ends(bucket: Bucket) -> None:
    for path in ("a/x", "ab/x"):
        await bucket.push(path, b"1")
    assert await bucket.move("a", "c") == OK
    entries = set((await bucket.root()).path_metadata)
    assert "c" in entries
    assert "a/x" not in entries
    assert "ab/x" in entries


async def test_roles_do_not_move(bucket: Bucket, friend: Caller) -> None:
    await bucket.push("f", b"1")
    assert await bucket.grant("f", {friend.identity: ADMIN}) == OK
    assert await bucket.move("f", "g") == OK
    theirs = bucket.seen_by(friend)
    if bucket.private:
        assert (await theirs.pulled("g"))[0] == "UNKNOWN"
    else:
        assert await theirs.pull("g") == b"1"
    code, text = await theirs.pushed("g")
    assert code == "UNKNOWN"
    assert text.endswith("permission denied")
    assert await bucket.roles("g") == {}


async def test_an_admin_above_overwrites_what_was_moved(bucket: Bucket, friend: Caller) -> None:
    await bucket.push("moving/file1", b"1")
    await bucket.push("file3", b"3")
    assert await bucket.grant("moving", {friend.identity: ADMIN}) == OK
    assert await bucket.move("file3", "moving/file3") == OK
    assert await bucket.seen_by(friend).pushed("moving/file3", b"4") == OK
    assert await bucket.pull("moving/file3") == b"4"


async def test_a_stranger_moves_nothing(bucket: Bucket, stranger: Caller) -> None:
    await bucket.push("f", b"1")
    before = await bucket.root()
    code, text = await bucket.seen_by(stranger).move("f", "g")
    assert code == "UNKNOWN"
    assert text.startswith("verifying bucket update: ")
    assert text.endswith("permission denied")
    assert await bucket.root() == before


async def test_files_with_keys_of_their_own_are_read_after_a_move(owner: Caller, friend: Caller) -> None:
    bucket = await owner.create(private=True)
    await bucket.push("d/f", b"secret")
    await bucket.push("d/e/g", BIG)
    assert await bucket.grant("d/f", {friend.identity: READER}) == OK
    assert await bucket.grant("d/e", {friend.identity: READER}) == OK
    assert await bucket.move("d", "there") == OK
    assert await bucket.tree() == {
        "there": None, "there/e": None, "there/e/g": BIG, "there/f": b"secret",
    }  # fmt: skip
    assert (await bucket.seen_by(friend).pulled("there/f"))[0] == "UNKNOWN"
