"""What access is explained is what the hub's rules decide."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textile_aio import Cid, Identity, InvalidInput, Metadata, Role, Root, ThreadID, errors, explain_access
from textile_aio.localhub.buckets import rules
from textile_aio.localhub.buckets.document import BucketDocument, Entry
from textile_aio.localhub.buckets.metadata import MetadataEdit, nearest

OWNER, FRIEND = (str(Identity(bytes([number]) * 32).public) for number in (1, 2))
THREAD = ThreadID.random()
CID = Cid.sha256(0x70, bytes(32))
PATHS = ("", "a", "a/b", "a/b/c", "ab", "ab/c")
ROLES = st.dictionaries(st.sampled_from([OWNER, FRIEND, "*"]), st.sampled_from(list(Role)), max_size=3)
ENTRIES = st.dictionaries(st.sampled_from(PATHS), ROLES)
WHO = st.sampled_from([OWNER, FRIEND, "*"])


def root(entries: dict[str, dict[str, Role]], *, owner: str | None = OWNER, version: int = 1) -> Root:
    from textile_aio import PublicKey

    return Root(
        "key",
        name="things",
        path=f"/ipfs/{CID}",
        cid=CID,
        created_at_ns=1,
        updated_at_ns=1,
        thread=THREAD,
        owner=PublicKey.from_string(owner) if owner else None,
        version=version,
        path_metadata={path: Metadata(roles=roles, updated_at_ns=1) for path, roles in entries.items()},
    )


def document(entries: dict[str, dict[str, Role]], owner: str, version: int) -> BucketDocument:
    metadata = {
        path: Entry(1, {who: int(role) for who, role in each.items()}) for path, each in entries.items()
    }
    return BucketDocument("key", owner, "things", version, CID, metadata, 1, 1)


def permits(bucket: BucketDocument, who: str, edit: MetadataEdit) -> bool:
    try:
        rules.check_save(bucket, who, rules.Patch(moves_root=True, metadata=edit.changes))
    except errors.WriteDenied:
        return False
    return True


@given(ENTRIES, st.sampled_from(PATHS), WHO, st.sampled_from(["", OWNER]), st.integers(0, 1))
def test_the_hub_decides_so(
    entries: dict[str, dict[str, Role]], path: str, who: str, owner: str, version: int
) -> None:
    bucket = document(entries, owner, version)
    caller = "" if who == "*" else who
    explained = explain_access(root(entries, owner=owner or None, version=version), path, who)

    def edit() -> MetadataEdit:
        return MetadataEdit(bucket.metadata, 2)

    if not explained.unrestricted:
        try:
            nearest(rules.visible(bucket, caller).metadata, path)
            readable = True
        except errors.PathNotFound:
            readable = False
        assert explained.read == readable
    pushed = edit()
    pushed.put_file(path)
    assert explained.overwrite == permits(bucket, caller, pushed)
    granted = edit()
    granted.set_roles(path, {}, "")
    assert explained.set_roles == permits(bucket, caller, granted)
    new = edit()
    new.put_file(f"{path}/new" if path else "new")
    assert explained.create == permits(bucket, caller, new)
    if path:
        removed = edit()
        removed.remove(path)
        assert explained.remove == permits(bucket, caller, removed)


@given(ENTRIES, st.sampled_from(PATHS), WHO)
def test_the_entry_that_is_named_gives_the_role(
    entries: dict[str, dict[str, Role]], path: str, who: str
) -> None:
    explained = explain_access(root(entries), path, who)
    above = [place for place in entries if not place or path == place or path.startswith(f"{place}/")]
    given_there = [entries[place].get(whom, Role.NONE) for place in above for whom in {who, "*"}]
    assert explained.role == max(given_there, default=Role.NONE)
    if explained.role:
        assert explained.decided_at in above
        assert entries[explained.decided_at or ""][explained.decided_by] == explained.role
    else:
        assert (explained.decided_at, explained.decided_by) == (None, "")


def test_the_nearest_of_equal_entries_is_named() -> None:
    entries = {"": {FRIEND: Role.WRITER}, "a": {FRIEND: Role.WRITER, "*": Role.READER}}
    explained = explain_access(root(entries), "a/b", FRIEND)
    assert (explained.decided_at, explained.decided_by) == ("a", FRIEND)


def test_a_writer_overwrites_what_has_an_entry_and_makes_nothing_new() -> None:
    entries = {"": {OWNER: Role.ADMIN}, "docs": {FRIEND: Role.WRITER}, "docs/old": {}}
    old = explain_access(root(entries), "docs/old", FRIEND)
    new = explain_access(root(entries), "docs/new", FRIEND)
    assert (old.read, old.overwrite, old.create, old.remove, old.set_roles) == (
        True,
        True,
        False,
        False,
        False,
    )
    assert (new.read, new.overwrite) == (True, False)
    assert str(old) == f"{FRIEND} at 'docs/old': read, overwrite (writer, which 'docs' gives to the identity)"


def test_an_owner_without_the_role_cannot_touch_what_exists() -> None:
    explained = explain_access(root({"": {OWNER: Role.NONE}, "a": {}}), "a", OWNER)
    assert explained.is_owner
    assert (explained.read, explained.overwrite, explained.remove, explained.set_roles) == (False,) * 4
    assert explained.create


@pytest.mark.parametrize("identity", [Identity(bytes([2]) * 32), Identity(bytes([2]) * 32).public, FRIEND])
def test_an_identity_is_named_in_any_of_three_ways(identity: object) -> None:
    explained = explain_access(root({"": {FRIEND: Role.READER}}), "a", identity)  # type: ignore[arg-type]
    assert (explained.identity, explained.role) == (FRIEND, Role.READER)


@pytest.mark.parametrize("identity", ["", "somebody", 7])
def test_nobody_else_is_an_identity(identity: object) -> None:
    with pytest.raises(InvalidInput):
        explain_access(root({}), "", identity)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "role"), [("none", Role.NONE), ("Reader", Role.READER), ("ADMIN", Role.ADMIN)]
)
def test_roles_have_names(text: str, role: Role) -> None:
    assert Role.parse(text) is role


@pytest.mark.parametrize("text", ["", "owner", "1"])
def test_other_words_are_no_roles(text: str) -> None:
    with pytest.raises(InvalidInput, match="none, reader, writer, admin"):
        Role.parse(text)
