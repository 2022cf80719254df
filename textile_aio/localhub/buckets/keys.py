"""The keys of a private bucket: one for its directories, and one for the files at and below a path.

Spec: buckets-api §7, §11. They stand in the bucket's document, and go with it to whoever may read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from textile_aio import dcrypto
from textile_aio.errors import PathNotFound, StatusCode
from textile_aio.localhub.buckets.document import BucketDocument, Entry


@dataclass(frozen=True, slots=True, repr=False)
class Keyring:
    """What opens a bucket. ``link`` is None in a public one, which needs no keys.

    ``entries`` are the metadata of all paths, with nothing hidden; None in buckets of version 0, whose link
    key opens files as well.
    """

    link: bytes | None
    entries: Mapping[str, Entry] | None

    @classmethod
    def of(cls, bucket: BucketDocument) -> Keyring:
        """The keys in a document."""
        link = dcrypto.parse_key(bucket.link_key) if bucket.link_key else None
        return cls(link, bucket.metadata if bucket.version else None)

    def file(self, path: str) -> bytes | None:
        """The key of the file at a path: its own, or that of the nearest directory above which has one.

        Raises:
            PathNotFound: The bucket is private, and there is none.
        """
        if self.link is None or self.entries is None:
            return self.link
        probe = path
        while True:
            entry = self.entries.get(probe)
            if entry is not None and entry.key:
                return dcrypto.parse_key(entry.key)
            if not probe:
                raise PathNotFound(f"could not resolve path: {path}", code=StatusCode.UNKNOWN, about=path)
            probe = probe.rpartition("/")[0]


PUBLIC = Keyring(None, None)
"""No keys."""
