"""Bucket values as messages of ``api.bucketsd.pb``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textile_aio._codec.cid import Cid
from textile_aio._proto.api.bucketsd import pb
from textile_aio.ids import ThreadID
from textile_aio.localhub.buckets.document import BucketDocument, Entry
from textile_aio.localhub.buckets.engine import Item
from textile_aio.localhub.call import Call

BRIEF_HEADER = "textile-aio-brief"
"""Clients that send it can fill in by themselves what is left out of an answer. To all others, answers are
what they are upstream."""


def is_brief(call: Call) -> bool:
    """Whether a caller asks for a brief answer."""
    return BRIEF_HEADER in call.headers


def root_message(bucket: BucketDocument, thread: ThreadID, only: str | None = None) -> pb.Root:
    """A bucket with all of its access entries, or with that of its root and of one path alone."""
    root = bucket.metadata.get("")
    paths = bucket.metadata if only is None else {"", only} & bucket.metadata.keys()
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
        path_metadata={path: metadata_message(bucket.metadata[path]) for path in paths},
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


def item_path(root: Cid, segments: Sequence[str]) -> str:
    """Where something is, as items say it."""
    return shown_name("/".join(("/ipfs", str(root), *segments)))


def item_message(item: Item, path: str, *, with_metadata: bool = True) -> pb.PathItem:
    """Something in a bucket, with its direct children."""
    items = []
    for child in item.items:
        below = f"{path}/{shown_name(child.name)}"
        items.append(item_message(child, below, with_metadata=with_metadata))
    return pb.PathItem(
        cid=str(item.stat.cid),
        name=shown_name(item.name),
        path=path,
        size=item.stat.size,
        is_dir=item.stat.is_dir,
        content_size=item.stat.content_size,
        items=items,
        items_count=item.stat.items_count or 0,
        metadata=metadata_message(item.metadata) if with_metadata else None,
    )


def entries_message(items: Sequence[Item]) -> pb.Entries | None:
    """The children of a directory as columns; None if they do not go into these."""
    names = [shown_name(item.name) for item in items]
    stats = [item.stat for item in items]
    cids = [stat.cid.bytes for stat in stats]
    if any("/" in name for name in names) or not all(
        len(cid) == (34 if cid[0] == 0x12 else 36) for cid in cids
    ):
        return None  # what nobody but a stranger's tool makes
    different: dict[tuple[object, ...], int] = {}
    metadata: list[int] = []
    shown: list[pb.Metadata] = []
    for _, _, entry, _ in items:
        kind = (entry.updated_at, entry.key, *entry.roles.items())
        place = different.setdefault(kind, len(shown))
        if place == len(shown):
            shown.append(metadata_message(entry))
        metadata.append(place)
    return pb.Entries(
        names="/".join(names),
        cids=b"".join(cids),
        is_dir=bytes([stat.is_dir for stat in stats]),
        sizes=[stat.size for stat in stats],
        content_sizes=[-1 if stat.content_size is None else stat.content_size for stat in stats],
        items_counts=[stat.items_count or 0 for stat in stats],
        metadata=metadata,
        different_metadata=shown,
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
