"""The buckets collection's functions say what the rules in Python say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textile_aio.errors import WriteDenied
from textile_aio.ids import Cid
from textile_aio.localhub.buckets import rules
from textile_aio.localhub.buckets.collection import CONFIG
from textile_aio.localhub.buckets.document import BucketDocument, Entry, decode, encode
from textile_aio.threaddb.patches import diff
from textile_aio.threaddb.scripts import ScriptLimits, Scripts

PATHS = ["", "a", "a/b", "a/b/c", "ab", ".textileseed", "a/constructor"]
PEOPLE = ["owner", "ann", "bob"]
ROOTS = [Cid.sha256(0x55, bytes([number]) * 32) for number in range(2)]

entries = st.builds(
    Entry,
    updated_at=st.integers(0, 5),
    roles=st.dictionaries(st.sampled_from([*PEOPLE, "*"]), st.integers(0, 3), max_size=3),
    key=st.sampled_from(["", "k"]),
)
buckets = st.builds(
    BucketDocument,
    id=st.just("bucket"),
    owner=st.sampled_from(["", "owner", "owner"]),
    name=st.sampled_from(["n", "m"]),
    version=st.sampled_from([0, 1, 1, 1]),
    root=st.sampled_from(ROOTS),
    metadata=st.dictionaries(st.sampled_from(PATHS), entries, max_size=5),
    created_at=st.just(1),
    updated_at=st.integers(1, 3),
    link_key=st.sampled_from(["", "key"]),
)


@pytest.fixture(scope="module")
def scripts() -> Iterator[Scripts]:
    made = Scripts(ScriptLimits(seconds=1.0))
    yield made
    made.close()


def asked(scripts: Scripts, kind: str, patch: Any, stored: bytes | None, writer: str) -> bool:
    event = {"patch": {"type": kind, "instance_id": "bucket"}, "collection_name": "buckets"}
    if patch is not None:
        event["patch"]["json_patch"] = patch  # type: ignore[index]
    try:
        scripts.validate(
            CONFIG.write_validator, writer=writer or None, event=json.dumps(event).encode(), instance=stored
        )
    except WriteDenied as error:
        return "permission denied" not in error.message  # any other reason is a fault of the script
    return True


def allowed(call: Any, *arguments: Any) -> bool:
    try:
        call(*arguments)
    except WriteDenied:
        return False
    return True


@settings(max_examples=300, deadline=None)
@given(bucket=buckets, reader=st.sampled_from(["", *PEOPLE]))
def test_a_reader_sees_the_same(scripts: Scripts, bucket: BucketDocument, reader: str) -> None:
    seen = scripts.filter(CONFIG.read_filter, reader=reader or None, instance=encode(bucket, 1))
    assert seen is not None
    assert decode(seen) == rules.visible(bucket, reader)


@settings(max_examples=300, deadline=None)
@given(bucket=buckets, writer=st.sampled_from(["", *PEOPLE]))
def test_a_deletion_is_judged_the_same(scripts: Scripts, bucket: BucketDocument, writer: str) -> None:
    assert asked(scripts, "delete", None, encode(bucket, 1), writer) == allowed(
        rules.check_delete, bucket, writer
    )


@settings(max_examples=600, deadline=None)
@given(bucket=buckets, changed=buckets, writer=st.sampled_from(["", *PEOPLE]))
def test_a_save_is_judged_the_same(
    scripts: Scripts, bucket: BucketDocument, changed: BucketDocument, writer: str
) -> None:
    seen = rules.visible(bucket, writer)
    new = replace(changed, owner=bucket.owner, version=bucket.version)
    patch = json.loads(diff(encode(seen, 1), encode(new, 2)))
    touched = patch.get("metadata") or {}
    expected = rules.Patch(
        moves_root="path" in patch,
        metadata={
            path: rules.MetadataChange(deletes=change is None, touches_roles="roles" in (change or {}))
            for path, change in touched.items()
        },
        fields=frozenset({"owner", "name", "version", "key", "archives", "created_at"} & patch.keys()),
    )
    assert asked(scripts, "save", patch, encode(bucket, 1), writer) == allowed(
        rules.check_save, bucket, writer, expected
    )


@pytest.mark.parametrize(
    ("owner", "writer", "may"),
    [("", "", True), ("ann", "ann", True), ("ann", "bob", False), ("ann", "", False)],
)
def test_a_bucket_is_made_for_oneself_or_nobody(scripts: Scripts, owner: str, writer: str, may: bool) -> None:
    for kind in ("create", "save"):
        assert asked(scripts, kind, {"owner": owner}, None, writer) is may
