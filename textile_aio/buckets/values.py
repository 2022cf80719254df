"""What bucket calls give back, as values of ours.

Plain data: nothing here talks to a hub or knows the wire. Encryption keys are attributes like others, but no
    ``repr`` shows them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import TypeAlias

from textile_aio.buckets.archives import Archives
from textile_aio.errors import InvalidInput
from textile_aio.identity import PublicKey
from textile_aio.ids import Cid, ThreadID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Role(IntEnum):
    """What an identity may do at a path and below it (spec: buckets-api §9)."""

    NONE = 0
    READER = 1
    WRITER = 2
    ADMIN = 3

    @classmethod
    def parse(cls, text: str) -> Role:
        """The role of that name, in letters of either case.

        Raises:
            InvalidInput: There is none.
        """
        try:
            return cls[text.upper()]
        except (AttributeError, KeyError):
            names = ", ".join(role.name.lower() for role in cls)
            raise InvalidInput(f"there is no such role; the roles are {names}", about=str(text)) from None


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a bucket remembers about one path.

    Attributes:
        roles: Roles by identity: the text of a public key, or ``*`` for everybody.
        updated_at_ns: When the path was last written, in nanoseconds since 1970, UTC.
        key: In a private bucket the key of the files at and below the path, base64; empty where none is set
            or it is hidden.
    """

    _: KW_ONLY
    roles: Mapping[str, Role] = field(hash=False)
    updated_at_ns: int
    key: str = field(default="", repr=False)

    @property
    def updated_at(self) -> datetime:
        """:attr:`updated_at_ns` as a time in UTC, cut to microseconds."""
        return _time(self.updated_at_ns)


@dataclass(frozen=True, slots=True)
class Root:
    """A bucket as it stands: its identity, and the root of its content.

    Attributes:
        key: Names the bucket in all calls: an IPNS key id, base32 text.
        name: Free text, not unique, may be empty.
        path: The root as ``/ipfs/<cid>``, which is the form that fast-forward checks compare.
        cid: The root directory.
        created_at_ns: Nanoseconds since 1970, UTC.
        updated_at_ns: Nanoseconds since 1970, UTC.
        thread: The thread the bucket lives in.
        owner: Who made it, None for a bucket without an owner.
        version: 1, or 0 for buckets of very old hubs.
        metadata: That of the root directory, None if it is hidden from the caller.
        path_metadata: That of every path which has its own and which the caller may see; the key ``""`` is
            the root.
        link_key: In a private bucket the key of its directories, base64; empty in a public one, or if it is
            hidden.
        archives: What of the bucket was archived: CIDs, and of each deal the proposal and the miner;
            :meth:`BucketsClient.archives` tells the rest.
    """

    key: str
    _: KW_ONLY
    name: str
    path: str
    cid: Cid
    created_at_ns: int
    updated_at_ns: int
    thread: ThreadID
    owner: PublicKey | None = None
    version: int = 1
    metadata: Metadata | None = None
    path_metadata: Mapping[str, Metadata] = field(default_factory=dict, hash=False)
    link_key: str = field(default="", repr=False)
    archives: Archives = Archives()  # noqa: RUF009 - a frozen value

    @property
    def created_at(self) -> datetime:
        """:attr:`created_at_ns` as a time in UTC, cut to microseconds."""
        return _time(self.created_at_ns)

    @property
    def updated_at(self) -> datetime:
        """:attr:`updated_at_ns` as a time in UTC, cut to microseconds."""
        return _time(self.updated_at_ns)


@dataclass(frozen=True, slots=True)
class Links:
    """Where browsers find a path of a bucket.

    Those of a private bucket end in the caller's token: treat them as credentials. ``repr`` does not show
    them.

    Attributes:
        url: At the hub's gateway, by thread and bucket.
        www: At the bucket's own host name; empty when the hub has no domain for that.
        ipns: At the hub's gateway, by the bucket's IPNS name.
    """

    _: KW_ONLY
    url: str = field(repr=False)
    www: str = field(repr=False)
    ipns: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket that was just created.

    Attributes:
        root: Its root, holding the seed file only, or what it was created from and the seed.
        links: Where browsers find it.
        seed: The 32 random bytes in its seed file, in clear.
        seed_cid: The seed file's block, encrypted in a private bucket.
        pinned: Bytes that the bucket takes at the hub.
    """

    root: Root
    _: KW_ONLY
    links: Links
    seed: bytes = field(repr=False)
    seed_cid: Cid
    pinned: int

    @property
    def key(self) -> str:
        """The bucket's key, which all other calls take."""
        return self.root.key


@dataclass(frozen=True, slots=True)
class PathItem:
    """A file or directory in a bucket.

    Attributes:
        cid: Its content: in a private bucket the encrypted file, or the directory in clear.
        name: The last part of its path; for the root directory the name of the bucket.
        path: ``/ipfs/<root>/<path>``.
        size: Bytes of everything below it, blocks included, so a little more than the content of a file.
        is_dir: Whether it is a directory.
        items: What is directly in it, by name; filled for the listed item itself, empty in its items.
        items_count: How many there are.
        metadata: That of the path or of the nearest directory above that has some; None where it was not
            asked for: in listings of trees and of IPFS paths.
        content_size: Bytes of a file's content, in clear. None for directories, and for files of several
            blocks, or encrypted ones, at hubs that do not say so.
    """

    cid: Cid
    _: KW_ONLY
    name: str
    path: str
    size: int
    is_dir: bool
    items: tuple[PathItem, ...] = ()
    items_count: int = 0
    metadata: Metadata | None = None
    content_size: int | None = None

    @property
    def root(self) -> str:
        """The root that the path begins at, as ``/ipfs/<cid>``."""
        return "/".join(self.path.split("/", 3)[:3])

    @property
    def relative_path(self) -> str:
        """The path below the root, ``/``-separated, no leading slash; empty for the root itself."""
        return self.path[len(self.root) + 1 :]


@dataclass(frozen=True, slots=True)
class PathListing:
    """What is at a path, and in which state of the bucket.

    Attributes:
        item: The file or directory, with what is directly in it.
        root: The root it was found under. Of its ``path_metadata`` only that of the root itself and of the
            listed path is sure to be there: large directories are listed several times faster without.
    """

    item: PathItem
    root: Root


@dataclass(frozen=True, slots=True)
class PushedPath:
    """A file that the hub has taken.

    Attributes:
        path: Where it is in the bucket, relative to the root, ``/``-separated, no leading slash.
        cid: The file: in a private bucket, encrypted.
        size: Bytes of the file's blocks together, so a little more than its content when it has several.
        root: The bucket's root with the file in it. Of its ``path_metadata`` only that of the root itself and
            of the file is sure to be there.
        pinned: Change in the bytes that the bucket takes at the hub; a running total over one push of several
            files.
    """

    path: str
    _: KW_ONLY
    cid: Cid
    size: int
    root: Root
    pinned: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a transfer is.

    Attributes:
        path: Path in the bucket.
        done: Bytes so far; each call that reports progress says which.
        total: Bytes that the source has, None where that cannot be told beforehand.
    """

    path: str
    _: KW_ONLY
    done: int
    total: int | None


ProgressCallback: TypeAlias = Callable[[Progress], object]
"""Called on the event loop, so it must not block.

What it raises ends the transfer and reaches the transfer's caller.
"""


def _time(nanoseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000)
