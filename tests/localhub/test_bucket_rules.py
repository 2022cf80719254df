"""Access rules of buckets (spec: buckets-api §4 write validator and read filter, §9)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textile_aio._codec.cid import Cid
from textile_aio.errors import WriteDenied
from textile_aio.localhub.buckets import rules
from textile_aio.localhub.buckets.document import BucketDocument, Entry, decode, encode
from textile_aio.localhub.buckets.metadata import MetadataEdit, nearest
from textile_aio.localhub.buckets.rules import MetadataChange, Patch

ROOT = Cid.parse("bafybeig6bywo73qo7gdfpzcmzsthxdaxwq4kv7ry25iyqgt2gkwoc4plni")
OWNER, WRITER, READER, ADMIN, STRANGER = "owner", "writer", "reader", "admin", "stranger"

ROLES = {
    "": {OWNER: 3, "*": 1},
    "docs": {WRITER: 2, ADMIN: 3},
    "docs/a.txt": {},
    "private.txt": {READER: 1},
}


def bucket(
    owner: str = OWNER, version: int = 1, entries: dict[str, dict[str, int]] | None = None
) -> BucketDocument:
    return BucketDocument(
        id="bafzbei",
        owner=owner,
        name="b",
        version=version,
        root=ROOT,
        metadata={path: Entry(1, roles) for path, roles in (ROLES if entries is None else entries).items()},
        created_at=1,
        updated_at=1,
        link_key="key",
    )


def allowed(writer: str, patch: Patch, of: BucketDocument | None = None) -> bool:
    try:
        rules.check_save(of or bucket(), writer, patch)
    except WriteDenied:
        return False
    return True


def touching(path: str, *, deletes: bool = False, roles: bool = False) -> Patch:
    return Patch(moves_root=True, metadata={path: MetadataChange(deletes=deletes, touches_roles=roles)})


@pytest.mark.parametrize(
    ("writer", "patch", "holds"),
    [
        (OWNER, touching("docs/a.txt"), True),
        (WRITER, touching("docs/a.txt"), True),
        (ADMIN, touching("docs/a.txt"), True),
        (READER, touching("docs/a.txt"), False),
        (STRANGER, touching("docs/a.txt"), False),
        ("", touching("docs/a.txt"), False),
        # New entries: the owner only, whatever roles stand above.
        (OWNER, touching("docs/new.txt", roles=True), True),
        (ADMIN, touching("docs/new.txt", roles=True), False),
        (WRITER, touching("docs/new.txt", roles=True), False),
        # Roles and deletions need an admin.
        (ADMIN, touching("docs/a.txt", roles=True), True),
        (WRITER, touching("docs/a.txt", roles=True), False),
        (ADMIN, touching("docs/a.txt", deletes=True), True),
        (WRITER, touching("docs/a.txt", deletes=True), False),
        # Without a change of entries only the owner moves the root.
        (OWNER, Patch(moves_root=True), True),
        (WRITER, Patch(moves_root=True), False),
        (STRANGER, Patch(), True),
        # The owner's own members.
        (OWNER, Patch(fields=frozenset({"name"})), True),
        (ADMIN, Patch(fields=frozenset({"name"})), False),
    ],
)
def test_who_may_change_what(writer: str, patch: Patch, holds: bool) -> None:
    assert allowed(writer, patch) is holds


def test_everyone_may_write_where_everyone_is_writer() -> None:
    shared = bucket(entries={"": {OWNER: 3, "*": 2}, "a": {}})
    assert allowed("", touching("a"), shared)
    assert not allowed("", touching("a", roles=True), shared)


def test_an_owner_who_gives_up_the_root_role_is_locked_out_of_what_exists() -> None:
    locked = bucket(entries={"": {"*": 1}, "a": {}})
    assert not allowed(OWNER, touching("a"), locked)
    assert allowed(OWNER, touching("new", roles=True), locked)


def test_a_refusal_reads_like_the_validators() -> None:
    with pytest.raises(WriteDenied) as caught:
        rules.check_save(bucket(), "", touching("docs/a.txt"))
    assert caught.value.message == "app denied net record body: permission denied"


@pytest.mark.parametrize("of", [bucket(owner=""), bucket(version=0)], ids=["ownerless", "legacy"])
def test_buckets_without_owner_or_version_allow_everything(of: BucketDocument) -> None:
    assert allowed("", touching("docs/a.txt", deletes=True, roles=True), of)
    assert rules.visible(of, "") is of
    rules.check_delete(of, "")


def test_only_the_owner_removes_the_bucket() -> None:
    rules.check_delete(bucket(), OWNER)
    for other in (ADMIN, STRANGER, ""):
        with pytest.raises(WriteDenied):
            rules.check_delete(bucket(), other)


def test_a_reader_sees_the_entries_that_roles_open_to_them() -> None:
    closed = bucket(entries={"": {OWNER: 3}, "docs": {READER: 1}, "docs/a": {}, "other": {}})
    assert set(rules.visible(closed, READER).metadata) == {"docs", "docs/a"}
    assert rules.visible(closed, READER).link_key == "key"
    assert rules.visible(closed, STRANGER).metadata == {}
    assert rules.visible(closed, STRANGER).link_key == "", "the link key goes with the last entry"
    assert rules.visible(closed, OWNER) is closed


def test_a_push_replaces_what_was_below_its_path() -> None:
    entries = {path: Entry(1) for path in ("", "a", "a/b", "a/b/c", "ab", "a.txt")}
    edit = MetadataEdit(entries, 9)
    edit.put_file("a")
    assert set(edit.entries) == {"", "a", "ab", "a.txt"}
    assert edit.entries["a"] == Entry(9)
    assert edit.changes["a/b"].deletes
    assert not edit.changes["a"].touches_roles


def test_removing_a_path_spares_its_namesakes() -> None:
    edit = MetadataEdit({path: Entry(1) for path in ("", "a", "a/b", "ab", "abc/x")}, 9)
    edit.remove("a")
    assert set(edit.entries) == {"", "ab", "abc/x"}


def test_what_the_writer_cannot_see_stays() -> None:
    stored = {"": Entry(1, {OWNER: 3}), "hidden": Entry(1, {OWNER: 3}, "key"), "seen": Entry(1)}
    edit = MetadataEdit({"seen": stored["seen"]}, 9)
    edit.put_file("seen")
    edit.put_file("hidden")
    merged = edit.onto(stored)
    assert merged["seen"].updated_at == 9
    assert merged["hidden"] == Entry(9, {OWNER: 3}, "key")
    assert merged[""] == stored[""]


paths = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map("/".join)


@given(st.lists(st.tuples(st.booleans(), paths), max_size=20), st.sets(paths, max_size=8))
def test_edits_agree_with_a_plain_dictionary(steps: list[tuple[bool, str]], before: set[str]) -> None:
    model = {path: Entry(1) for path in before}
    edit = MetadataEdit(dict(model), 2)
    for is_push, path in steps:
        model = {other: entry for other, entry in model.items() if not other.startswith(path + "/")}
        if is_push:
            model[path] = Entry(2)
            edit.put_file(path)
        else:
            model.pop(path, None)
            edit.remove(path)
    assert edit.entries == model
    assert edit.onto({path: Entry(1) for path in before}) == model


@given(paths, st.sets(paths, max_size=6))
def test_the_nearest_entry_is_the_longest_prefix(path: str, present: set[str]) -> None:
    entries = {each: Entry(len(each)) for each in present} | {"": Entry(0)}
    candidates = [each for each in entries if not each or path == each or path.startswith(each + "/")]
    assert nearest(entries, path) == entries[max(candidates, key=len)]


@given(
    st.dictionaries(
        st.text(max_size=20),
        st.builds(
            Entry,
            st.integers(0, 2**62),
            st.dictionaries(st.text(max_size=9), st.integers(0, 3)),
            st.text(max_size=9),
        ),
        max_size=5,
    ),
    st.text(max_size=30),
)
def test_documents_survive_their_stored_form(metadata: dict[str, Entry], name: str) -> None:
    original = BucketDocument(
        id="bafzbei",
        owner=OWNER,
        name=name,
        version=1,
        root=ROOT,
        metadata=metadata,
        created_at=1,
        updated_at=2,
    )
    stored = encode(original, 7)
    assert decode(stored) == original
    assert stored.startswith(b'{"_id":"bafzbei","_mod":7,')
    assert not {b"<", b">", b"&"} & {stored[i : i + 1] for i in range(len(stored))}
