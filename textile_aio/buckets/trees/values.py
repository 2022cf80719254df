"""What became of a folder."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

from textile_aio.buckets.values import Root
from textile_aio.ids import Cid


@dataclass(frozen=True, slots=True)
class TreePush:
    """What a push of a folder did. Paths are relative to the pushed directory, ``/``-separated.

    Attributes:
        root: The bucket's root afterwards. Of its ``path_metadata`` only that of the root itself is sure to
            be there.
        pushed: Files that were sent.
        removed: Files and directories that were removed from the bucket.
        unchanged: How many files were there already, with the same content.
        skipped: What is in the folder and cannot be in a bucket: symbolic links, which are not followed,
            sockets and the like.
    """

    root: Root
    _: KW_ONLY
    pushed: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: int
    skipped: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TreePull:
    """What a pull into a folder did. Paths are relative to the pulled directory, ``/``-separated.

    Attributes:
        root: The root of the bucket that was pulled from.
        pulled: Files that were written.
        removed: Files that were removed from the folder.
        unchanged: How many files were there already, with the same content.
    """

    root: Cid
    _: KW_ONLY
    pulled: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: int
