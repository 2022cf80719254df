"""The bucket document: its JSON form and its value (spec: buckets-api §4).

The form is shared with every other client of the thread, so nothing is added to it and nothing that
is not understood is lost.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any

from textile_aio._codec.cid import Cid
from textile_aio.errors import IntegrityError, StatusCode
from textile_aio.threaddb.patches import diff

VERSION = 1

_WORTH_KEEPING = 16 * 1024
"""Bytes of a document from which on it is remembered."""

_MOST_KEPT = 16


@dataclass(frozen=True, slots=True)
class Entry:
    """What is noted of one path: who may do what there, and the file key of a private bucket.

    ``roles`` maps public key texts, or ``*`` for everyone, to 0 none, 1 reader, 2 writer, 3 admin.
    """

    updated_at: int
    roles: Mapping[str, int] = field(default_factory=dict)
    key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class BucketDocument:
    """A bucket. ``metadata`` maps paths (the root is ``""``) to entries; times are UTC nanoseconds."""

    id: str
    owner: str
    name: str
    version: int
    root: Cid
    metadata: Mapping[str, Entry]
    created_at: int
    updated_at: int
    link_key: str = field(default="", repr=False)
    archives: Mapping[str, Any] = field(
        default_factory=lambda: {"current": {"cid": "", "deals": []}, "history": []}
    )

    @property
    def path(self) -> str:
        """The root as a path, ``/ipfs/<cid>``."""
        return f"/ipfs/{self.root}"

    @property
    def is_private(self) -> bool:
        """Whether its directories and files are encrypted."""
        return bool(self.link_key)

    def with_root(self, root: Cid, metadata: Mapping[str, Entry], now: int) -> BucketDocument:
        """The same bucket with another content."""
        return replace(self, root=root, metadata=metadata, updated_at=now)


def decode(body: bytes) -> BucketDocument:
    """Read a stored document.

    Raises:
        IntegrityError: It is not a bucket's document; somebody wrote it past the schema.
    """
    try:
        raw = json.loads(body)
        return BucketDocument(
            id=raw["_id"],
            owner=raw.get("owner", ""),
            name=raw.get("name", ""),
            version=int(raw.get("version") or 0),
            root=Cid.parse(raw["path"].removeprefix("/ipfs/")),
            metadata={path: _entry(entry) for path, entry in (raw.get("metadata") or {}).items()},
            created_at=int(raw.get("created_at") or 0),
            updated_at=int(raw.get("updated_at") or 0),
            link_key=raw.get("key") or "",
            archives=raw.get("archives") or {"current": {"cid": "", "deals": []}, "history": []},
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise IntegrityError("the bucket's document is damaged", code=StatusCode.DATA_LOSS) from error


class Decoder:
    """Reads stored documents, and remembers the largest of those read last, whose reading takes a while.

    A document says the same as long as its bytes are the same. Usable from several threads.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: OrderedDict[str, tuple[bytes, BucketDocument]] = OrderedDict()

    def decode(self, key: str, body: bytes) -> BucketDocument:
        """As :func:`decode`; ``key`` is the bucket's."""
        if len(body) < _WORTH_KEEPING:
            return decode(body)
        with self._lock:
            known = self._known.get(key)
            if known is not None and known[0] == body:
                self._known.move_to_end(key)
                return known[1]
        bucket = decode(body)
        self.note(bucket, body)
        return bucket

    def note(self, bucket: BucketDocument, body: bytes) -> None:
        """Take it as known what a document says, whether or not it comes to be stored."""
        if len(body) < _WORTH_KEEPING:
            return
        with self._lock:
            self._known[bucket.id] = (body, bucket)
            self._known.move_to_end(bucket.id)
            while len(self._known) > _MOST_KEPT:
                self._known.popitem(last=False)


def patch_between(old: BucketDocument, new: BucketDocument, paths: Iterable[str], modified: int) -> bytes:
    """The merge patch from one state of a bucket to another, whose entries differ at ``paths`` at most.

    Costs nothing for all other entries.
    """
    touched = list(paths)

    def trimmed(bucket: BucketDocument) -> BucketDocument:
        metadata = bucket.metadata
        return replace(bucket, metadata={path: metadata[path] for path in touched if path in metadata})

    return diff(encode(trimmed(old), 0), encode(trimmed(new), modified))


def encode(bucket: BucketDocument, modified: int) -> bytes:
    """The stored form: members sorted, no white space, with the thread's own ``_mod``."""
    raw: dict[str, Any] = {
        "_id": bucket.id,
        "_mod": modified,
        "archives": bucket.archives,
        "created_at": bucket.created_at,
        "metadata": {path: _raw_entry(entry) for path, entry in sorted(bucket.metadata.items())},
        "name": bucket.name,
        "owner": bucket.owner,
        "path": bucket.path,
        "updated_at": bucket.updated_at,
        "version": bucket.version,
    }
    if bucket.link_key:
        raw["key"] = bucket.link_key
    text = json.dumps(dict(sorted(raw.items())), separators=(",", ":"), ensure_ascii=False)
    for character, escape in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")):
        text = text.replace(character, escape)
    return text.encode("utf-8")


def _entry(raw: Any) -> Entry:
    return Entry(
        updated_at=int(raw.get("updated_at") or 0),
        roles={identity: int(role) for identity, role in (raw.get("roles") or {}).items()},
        key=raw.get("key") or "",
    )


def _raw_entry(entry: Entry) -> dict[str, Any]:
    raw: dict[str, Any] = {"key": entry.key} if entry.key else {}
    return raw | {"roles": dict(sorted(entry.roles.items())), "updated_at": entry.updated_at}
