"""Bucket values as messages of ``api.bucketsd.pb``."""

from __future__ import annotations

from collections.abc import Mapping

from textile_aio._codec.cid import Cid
from textile_aio._proto.api.bucketsd import pb
from textile_aio.ids import ThreadID
from textile_aio.localhub.buckets.document import BucketDocument, Entry
from textile_aio.localhub.buckets.engine import Item


def root_message(bucket: BucketDocument, thread: ThreadID) -> pb.Root:
    """A bucket with all of its entries."""
    root = bucket.metadata.get("")
    return pb.Root(
        key=bucket.id,
        name=bucket.name,
        path=bucket.path,
        created_at=bucket.created_at,
        updated_at=bucket.updated_at,
        thread=str(thread),
        owner=bucket.owner,
        version=bucket.version,
        metadata=metadata_message(root) if root is not None else None,
        link_key=bucket.link_key,
        path_metadata={path: metadata_message(entry) for path, entry in bucket.metadata.items()},
        archives=_archives(bucket.archives),
    )


def metadata_message(entry: Entry) -> pb.Metadata:
    """What is noted of a path."""
    return pb.Metadata(
        roles=role_messages(entry.roles),
        updated_at=entry.updated_at,
        key=entry.key,
    )


def role_messages(roles: Mapping[str, int]) -> dict[str, pb.PathAccessRole]:
    """Roles by identity."""
    return {identity: pb.PathAccessRole(role) for identity, role in roles.items()}


def shown_name(name: str) -> str:
    """A name as messages can carry it: what is not UTF-8 becomes U+FFFD, as Go shows it."""
    return name if name.isascii() else name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def item_message(item: Item, root: Cid, *, with_metadata: bool = True) -> pb.PathItem:
    """Something in a bucket, with its direct children."""
    return pb.PathItem(
        cid=str(item.stat.cid),
        name=shown_name(item.name),
        path=shown_name("/".join(("/ipfs", str(root), *item.segments))),
        size=item.stat.size,
        is_dir=item.stat.is_dir,
        content_size=item.stat.content_size,
        items=[item_message(child, root, with_metadata=with_metadata) for child in item.items],
        items_count=item.stat.items_count or 0,
        metadata=metadata_message(item.metadata) if with_metadata else None,
    )


def _archives(raw: Mapping[str, object]) -> pb.Archives:
    current = raw.get("current")
    history = raw.get("history")
    return pb.Archives(
        current=_archive(current),
        history=[_archive(each) for each in history] if isinstance(history, list) else [],
    )


def _archive(raw: object) -> pb.Archive:
    if not isinstance(raw, Mapping):
        return pb.Archive()
    deals = raw.get("deals") or []
    return pb.Archive(
        cid=str(raw.get("cid") or ""),
        deal_info=[
            pb.DealInfo(proposal_cid=str(deal.get("proposal_cid", "")), miner=str(deal.get("miner", "")))
            for deal in deals
            if isinstance(deal, Mapping)
        ],
    )
