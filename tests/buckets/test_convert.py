"""Messages to values: nothing is lost on the way, and what is malformed is the hub's fault."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.buckets.fakebucket import FILE_CID, root_message
from textile_aio import Bucket, Cid, Identity, Metadata, PathItem, ProtocolError, Role, Root, ThreadID
from textile_aio._proto.api.bucketsd import pb
from textile_aio.buckets import _convert

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NANOSECONDS = st.integers(0, 2**63 - 1)
CIDS = st.binary(min_size=32, max_size=32).map(lambda digest: str(Cid.sha256(0x70, digest)))
OWNERS = st.binary(min_size=32, max_size=32).map(lambda seed: str(Identity(seed).public))
THREADS = st.binary(min_size=16, max_size=32).map(lambda tail: str(ThreadID(b"\x01\x55" + tail)))
METADATA = st.builds(
    pb.Metadata,
    roles=st.dictionaries(TEXT, st.sampled_from(list(pb.PathAccessRole)), max_size=3),
    updated_at=NANOSECONDS,
    key=TEXT,
)
ROOTS = st.builds(
    pb.Root,
    key=TEXT,
    name=TEXT,
    path=CIDS.map("/ipfs/{}".format),
    created_at=NANOSECONDS,
    updated_at=NANOSECONDS,
    thread=THREADS,
    owner=st.just("") | OWNERS,
    version=st.integers(0, 1),
    metadata=st.none() | METADATA,
    path_metadata=st.dictionaries(TEXT, METADATA, max_size=3),
    link_key=TEXT,
)


def items(children: st.SearchStrategy[list[pb.PathItem]]) -> st.SearchStrategy[pb.PathItem]:
    return st.builds(
        pb.PathItem,
        cid=CIDS,
        name=TEXT,
        path=TEXT,
        size=NANOSECONDS,
        is_dir=st.booleans(),
        items=children,
        items_count=st.integers(0, 2**31 - 1),
        metadata=st.none() | METADATA,
    )


ITEMS = items(st.lists(items(st.just([])), max_size=3))


def metadata_back(value: Metadata) -> pb.Metadata:
    roles = {name: pb.PathAccessRole(role) for name, role in value.roles.items()}
    return pb.Metadata(roles=roles, updated_at=value.updated_at_ns, key=value.key)


def root_back(value: Root) -> pb.Root:
    return pb.Root(
        key=value.key,
        name=value.name,
        path=value.path,
        created_at=value.created_at_ns,
        updated_at=value.updated_at_ns,
        thread=str(value.thread),
        owner=str(value.owner or ""),
        version=value.version,
        metadata=metadata_back(value.metadata) if value.metadata else None,
        path_metadata={path: metadata_back(entry) for path, entry in value.path_metadata.items()},
        link_key=value.link_key,
    )


def item_back(value: PathItem) -> pb.PathItem:
    return pb.PathItem(
        cid=str(value.cid),
        name=value.name,
        path=value.path,
        size=value.size,
        is_dir=value.is_dir,
        items=[item_back(child) for child in value.items],
        items_count=value.items_count,
        metadata=metadata_back(value.metadata) if value.metadata else None,
    )


@given(ROOTS)
def test_a_root_loses_nothing(message: pb.Root) -> None:
    value = _convert.root(message)
    assert root_back(value) == message
    assert value.path == f"/ipfs/{value.cid}"


@given(ITEMS, ROOTS)
def test_a_listing_loses_nothing(item: pb.PathItem, root: pb.Root) -> None:
    listing = _convert.listing(pb.ListPathResponse(item=item, root=root))
    assert item_back(listing.item) == item
    assert root_back(listing.root) == root


@given(ROOTS, st.binary(max_size=32), CIDS, st.integers(-(2**63), 2**63 - 1))
def test_a_new_bucket_loses_nothing(root: pb.Root, seed: bytes, cid: str, pinned: int) -> None:
    links = pb.LinksResponse(url="u", www="w", ipns="i")
    bucket = _convert.bucket(
        pb.CreateResponse(root=root, links=links, seed=seed, seed_cid=cid, pinned=pinned)
    )
    assert (bucket.key, bucket.seed, str(bucket.seed_cid), bucket.pinned) == (root.key, seed, cid, pinned)
    assert (bucket.links.url, bucket.links.www, bucket.links.ipns) == ("u", "w", "i")


@given(ROOTS)
def test_values_pickle_copy_and_hash(message: pb.Root) -> None:
    value = _convert.root(message)
    assert {value: 1}[_convert.root(message)] == 1
    assert pickle.loads(pickle.dumps(value)) == value
    assert copy.deepcopy(value) == value


def test_times_are_utc_and_their_nanoseconds_are_kept() -> None:
    root = _convert.root(root_message())
    assert root.created_at == datetime(2021, 3, 1, 12, 0, 0, 123_456, tzinfo=UTC)
    assert root.created_at_ns == 1_614_600_000_123_456_789
    assert root.updated_at == datetime(2021, 3, 1, 12, 0, 5, tzinfo=UTC)


def test_no_repr_shows_a_key_or_a_link() -> None:
    message = root_message()
    message.link_key, message.metadata = "SECRET", pb.Metadata(key="SECRET", updated_at=1)
    message.path_metadata = {"a": message.metadata}
    links = pb.LinksResponse(url="https://x?token=SECRET", www="SECRET", ipns="SECRET")
    bucket = _convert.bucket(pb.CreateResponse(root=message, links=links, seed=b"SECRET", seed_cid=FILE_CID))
    assert isinstance(bucket, Bucket)
    assert "SECRET" not in repr(bucket)


def test_roles_have_the_numbers_of_the_wire() -> None:
    assert [int(role) for role in Role] == [int(role) for role in pb.PathAccessRole]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda root: setattr(root, "path", "bafy"),
        lambda root: setattr(root, "path", ""),
        lambda root: setattr(root, "path", "/ipfs/nonsense"),
        lambda root: setattr(root, "thread", ""),
        lambda root: setattr(root, "owner", "nobody"),
        lambda root: setattr(root, "metadata", pb.Metadata(roles={"*": pb.PathAccessRole(9)})),
    ],
)
def test_a_malformed_root_is_the_hubs_fault(spoil: Callable[[pb.Root], Any]) -> None:
    message = root_message()
    spoil(message)
    with pytest.raises(ProtocolError, match="the hub sent something malformed"):
        _convert.root(message)


@pytest.mark.parametrize(
    "answer",
    [
        lambda: _convert.root(None),
        lambda: _convert.listing(pb.ListPathResponse(root=root_message())),
        lambda: _convert.listing(pb.ListPathResponse(item=pb.PathItem(cid="x"), root=root_message())),
        lambda: _convert.bucket(pb.CreateResponse(root=root_message())),
        lambda: _convert.bucket(pb.CreateResponse(root=root_message(), links=pb.LinksResponse())),
        lambda: _convert.pushed_file("a", pb.PushPathResponseEvent(path=f"/ipfs/{FILE_CID}", size="many")),
        lambda: _convert.pushed_file("a", pb.PushPathResponseEvent(path=f"/ipfs/{FILE_CID}", size="1")),
        lambda: _convert.pushed_one_of_many(pb.PushPathsResponse(path="a", root=root_message())),
    ],
)
def test_an_answer_without_its_parts_is_the_hubs_fault(answer: Callable[[], Any]) -> None:
    with pytest.raises(ProtocolError):
        answer()
