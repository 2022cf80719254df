"""Access roles (spec: buckets-api §9, §4, §16)."""

from __future__ import annotations

import os

import pytest

from tests.localhub.buckets.callers import ADMIN, NONE, READER, WRITER, Bucket, Caller, many, part
from tests.localhub.raw import OK
from textile_aio._proto.api.bucketsd import pb


def refused(outcome: tuple[str, str]) -> bool:
    return outcome[0] == "UNKNOWN" and outcome[1].endswith("permission denied")


async def test_a_fresh_bucket_and_a_fresh_file(bucket: Bucket, owner: Caller) -> None:
    everyone = {} if bucket.private else {"*": READER}
    assert await bucket.roles() == {owner.identity: ADMIN, **everyone}
    await bucket.push("f", b"1")
    assert await bucket.roles("f") == {}
    await bucket.push("d/f", b"1")
    assert await bucket.roles("d") == {owner.identity: ADMIN, **everyone}, "of the nearest entry"
    request = pb.PullPathAccessRolesRequest(key=bucket.key, path="not/there")
    assert await bucket.caller.outcome("PullPathAccessRoles", request) == (
        "UNKNOWN",
        "could not resolve path: not/there",
    )


async def test_roles_are_merged(bucket: Bucket, friend: Caller, stranger: Caller) -> None:
    await bucket.push("f", b"1")
    assert await bucket.grant("f", {friend.identity: READER, stranger.identity: WRITER}) == OK
    assert await bucket.grant("/f", {friend.identity: ADMIN}) == OK
    assert await bucket.roles("f") == {friend.identity: ADMIN, stranger.identity: WRITER}
    assert await bucket.grant("f", {friend.identity: NONE}) == OK
    assert await bucket.roles("f") == {stranger.identity: WRITER}


async def test_what_changes_nothing_is_not_written(bucket: Bucket, friend: Caller) -> None:
    await bucket.push("f", b"1")
    assert await bucket.grant("f", {friend.identity: READER}) == OK
    before = await bucket.root()
    assert await bucket.grant("f", {friend.identity: READER}) == OK
    assert await bucket.grant("f", {}) == OK
    assert await bucket.root() == before


async def test_roles_that_cannot_be(bucket: Bucket, friend: Caller) -> None:
    await bucket.push("f", b"1")
    before = await bucket.root()
    code, text = await bucket.grant("f", {"nobody": READER})
    assert code == "UNKNOWN"
    assert text.startswith("unmarshaling role public key: ")
    assert await bucket.grant("f", {friend.identity: pb.PathAccessRole(7)}) == (
        "UNKNOWN",
        "unknown path access role 7",
    )
    assert await bucket.grant("gone", {friend.identity: READER}) == await bucket.missing("gone")
    seed = ("UNKNOWN", "paths containing .textileseed are not allowed")
    assert await bucket.grant(".textileseed", {friend.identity: READER}) == seed
    request = pb.PullPathAccessRolesRequest(key=bucket.key, path=".textileseed")
    assert await bucket.caller.outcome("PullPathAccessRoles", request) == seed
    assert await bucket.root() == before


async def test_a_reader_reads(bucket: Bucket, friend: Caller, stranger: Caller) -> None:
    await bucket.push("d/f", b"secret")
    await bucket.push("d/g", b"other")
    assert await bucket.grant("d/f", {friend.identity: READER}) == OK
    theirs = bucket.seen_by(friend)
    assert await theirs.pull("d/f") == b"secret"
    assert (await theirs.item("d/f")).name == "f"
    assert refused(await theirs.pushed("d/f"))
    assert refused(await theirs.remove("d/f"))
    assert refused(await theirs.grant("d/f", {friend.identity: ADMIN}))
    if bucket.private:
        for path in ("", "d", "d/g"):
            code, text = await theirs.listed(path)
            assert code == "UNKNOWN"
            assert text.startswith("could not resolve path: ")
            assert (await theirs.pulled("d/g"))[0] == "UNKNOWN"
            assert (await bucket.seen_by(stranger).pulled("d/f"))[0] == "UNKNOWN"


async def test_a_writer_overwrites_and_does_no_more(bucket: Bucket, friend: Caller) -> None:
    await bucket.push("path/to/file2.jpg", b"1")
    assert await bucket.grant("path/to", {friend.identity: WRITER}) == OK
    theirs = bucket.seen_by(friend)
    assert await theirs.pushed("path/to/file2.jpg", b"2") == OK
    assert await bucket.pull("path/to/file2.jpg") == b"2"
    assert await theirs.pull("path/to/file2.jpg") == b"2"
    before = await bucket.root()
    assert refused(await theirs.pushed("path/to/bobby.jpg"))
    assert refused(await theirs.remove("path/to/file2.jpg"))
    assert refused(await theirs.move("path/to/file2.jpg", "path/to/file3.jpg"))
    assert refused(await theirs.grant("path/to/file2.jpg", {"*": WRITER}))
    assert (await theirs.caller.outcome("Remove", pb.RemoveRequest(key=bucket.key)))[0] == "UNKNOWN"
    assert await bucket.root() == before


async def test_an_admin_gives_roles_and_removes_where_entries_are(
    bucket: Bucket, friend: Caller, stranger: Caller
) -> None:
    for path in ("d/f", "d/g"):
        await bucket.push(path, b"1")
    assert await bucket.grant("d", {friend.identity: ADMIN}) == OK
    theirs = bucket.seen_by(friend)
    assert await theirs.grant("d/f", {stranger.identity: WRITER}) == OK
    assert await bucket.seen_by(stranger).pushed("d/f", b"2") == OK
    assert await theirs.remove("d/g") == OK
    assert await bucket.tree() == {"d": None, "d/f": b"2"}
    assert refused(await theirs.pushed("d/new"))


async def test_everyone_includes_those_without_a_token(bucket: Bucket, friend: Caller) -> None:
    await bucket.push("f", b"1")
    nobody = Caller(friend.target, friend.thread)
    assert refused(await bucket.seen_by(nobody).pushed("f"))
    assert await bucket.grant("f", {"*": WRITER}) == OK
    for caller in (friend, nobody):
        assert await bucket.seen_by(caller).pushed("f", b"2") == OK
        assert await bucket.seen_by(caller).pull("f") == b"2"
    assert await bucket.grant("f", {"*": NONE}) == OK
    assert refused(await bucket.seen_by(nobody).pushed("f"))


async def test_an_inherited_role_cannot_be_lowered(bucket: Bucket, friend: Caller) -> None:
    await bucket.push("d/f", b"1")
    assert await bucket.grant("d", {friend.identity: WRITER}) == OK
    assert await bucket.grant("d/f", {friend.identity: READER}) == OK
    assert await bucket.seen_by(friend).pushed("d/f", b"2") == OK


async def test_an_owner_who_leaves_the_root_is_locked_out_of_what_is_there(
    bucket: Bucket, owner: Caller
) -> None:
    await bucket.push("f", b"1")
    assert await bucket.grant("", {owner.identity: NONE}) == OK
    assert (await bucket.pushed("f"))[0] == "UNKNOWN"


@pytest.mark.parametrize("at", ["", "d", "d/f"])
async def test_every_change_of_roles_brings_a_new_key(owner: Caller, friend: Caller, at: str) -> None:
    bucket = await owner.create(private=True)
    files = {"d/f": os.urandom(300_000), "d/g": b"g", "e": b"", "d/i/h": b"h"}
    for path, content in files.items():
        await bucket.push(path, content)
    await bucket.grant("d/g", {friend.identity: READER})
    keys = [(await bucket.root()).path_metadata[""].key]
    roots = [(await bucket.root()).path]
    for role in (READER, WRITER, NONE):
        assert await bucket.grant(at, {friend.identity: role}) == OK
        root = await bucket.root()
        keys.append(root.path_metadata[at].key)
        roots.append(root.path)
        assert {path: data for path, data in (await bucket.tree()).items() if data is not None} == files
    assert len(set(keys[1:])) == 3
    assert all(keys)
    assert len(set(roots)) == 4


async def test_keys_below_a_changed_path_are_changed_too(owner: Caller, friend: Caller) -> None:
    bucket = await owner.create(private=True)
    await bucket.push("d/f", b"1")
    assert await bucket.grant("d/f", {friend.identity: READER}) == OK
    before = (await bucket.root()).path_metadata["d/f"].key
    cid = (await bucket.item("d/f")).cid
    assert await bucket.grant("d", {friend.identity: WRITER}) == OK
    assert (await bucket.root()).path_metadata["d/f"].key not in ("", before)
    assert (await bucket.item("d/f")).cid != cid
    assert await bucket.pull("d/f") == b"1"


async def test_a_root_whose_roles_changed_lists_everything(owner: Caller, friend: Caller) -> None:
    bucket = await owner.create(private=True)
    await bucket.push("a/b", b"1")
    assert await bucket.grant("", {friend.identity: READER}) == OK
    assert [child.name for child in (await bucket.item()).items] == [".textileseed", "a"]
    assert await bucket.seen_by(friend).tree() == {"a": None, "a/b": b"1"}


async def test_a_stranger_sees_a_private_bucket_without_what_is_in_it(
    owner: Caller, stranger: Caller
) -> None:
    bucket = await owner.create(private=True)
    await bucket.push("f", b"1")
    theirs = bucket.seen_by(stranger)
    root = await theirs.root()
    assert (root.name, root.path, root.link_key) == ("n", (await bucket.root()).path, "")
    assert root.path_metadata == {}
    assert root.metadata is None or not root.metadata.key
    assert (await theirs.listed())[1].startswith("could not resolve path: ")
    assert (await theirs.listed("f"))[1].startswith("could not resolve path: ")
    assert refused(await theirs.pushed("f"))
    assert refused(await theirs.pushed("new"))
    for messages in ([many(bucket.key, "f")], [many(bucket.key), part("f", b"x"), part("f")]):
        assert await refused_many(theirs, messages)


async def refused_many(bucket: Bucket, messages: list[pb.PushPathsRequest]) -> bool:
    code, text = await bucket.caller.outcome("PushPaths", *messages)
    announced = len(messages) == 1
    expected = "PERMISSION_DENIED" if announced else "UNKNOWN"
    begins = "verifying bucket update: " if announced else "enqueueing file: verifying bucket update: "
    return code == expected and text.startswith(begins) and text.endswith("permission denied")
