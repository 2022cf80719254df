"""Who may read and change what in a bucket: pure functions over the document (spec: buckets-api §4, §9).

These say the same as the collection's write validator and read filter; that text is what other peers
of the thread run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from textile_aio.errors import StatusCode, WriteDenied
from textile_aio.localhub.buckets.document import BucketDocument, Entry

EVERYONE = "*"
NONE, READER, WRITER, ADMIN = range(4)


@dataclass(frozen=True, slots=True)
class MetadataChange:
    """How a write touches one entry."""

    deletes: bool = False
    touches_roles: bool = False


@dataclass(frozen=True, slots=True)
class Patch:
    """What a write changes, seen from the bucket as its writer sees it.

    ``fields`` names the owner's own members among owner, name, version, key, archives and created_at
    that get a new value.
    """

    moves_root: bool = False
    metadata: Mapping[str, MetadataChange] = field(default_factory=dict)
    fields: frozenset[str] = frozenset()


def role(bucket: BucketDocument, identity: str, path: str) -> int:
    """The role of one identity at a path: the highest of the path's and all its ancestors' entries."""
    highest = NONE
    for entry in _entries(bucket.metadata, path):
        highest = max(highest, entry.roles.get(identity, NONE))
    return highest


def visible(bucket: BucketDocument, reader: str) -> BucketDocument:
    """The bucket as ``reader`` (a key's text, empty for nobody) may see it."""
    if not bucket.version or not bucket.owner:
        return bucket
    if bucket.metadata and _allows(bucket, reader, "", READER):
        return bucket  # whoever may read the root may read everything below it
    shown = {path: entry for path, entry in bucket.metadata.items() if _allows(bucket, reader, path, READER)}
    if shown and len(shown) == len(bucket.metadata):
        return bucket
    return replace(bucket, metadata=shown, link_key=bucket.link_key if shown else "")


def check_save(bucket: BucketDocument, writer: str, patch: Patch) -> None:
    """Let ``writer`` make a change, or raise. ``bucket`` is the stored one, with nothing hidden.

    Raises:
        WriteDenied: They may not.
    """
    if not bucket.version or not bucket.owner:
        return
    owns = writer == bucket.owner
    if not owns and patch.fields:
        raise denied()
    if not patch.metadata:
        if patch.moves_root and not owns:
            raise denied()
        return
    for path, change in patch.metadata.items():
        if path not in bucket.metadata:
            if not owns:
                raise denied()
            continue
        if (change.deletes or change.touches_roles) and role(bucket, writer, path) < ADMIN:
            raise denied()
        if not _allows(bucket, writer, path, WRITER):
            raise denied()


def check_delete(bucket: BucketDocument, writer: str) -> None:
    """Let ``writer`` delete the bucket, or raise :class:`WriteDenied`."""
    if bucket.version and bucket.owner and bucket.owner != writer:
        raise denied()


def denied() -> WriteDenied:
    """The refusal, in the words of a write validator that returned ``permission denied``."""
    return WriteDenied("app denied net record body: permission denied", code=StatusCode.UNKNOWN)


def _allows(bucket: BucketDocument, identity: str, path: str, needed: int) -> bool:
    return role(bucket, EVERYONE, path) >= needed or (
        bool(identity) and role(bucket, identity, path) >= needed
    )


def _entries(metadata: Mapping[str, Entry], path: str) -> Iterator[Entry]:
    while True:
        entry = metadata.get(path)
        if entry is not None:
            yield entry
        if not path:
            return
        path = path.rpartition("/")[0]
