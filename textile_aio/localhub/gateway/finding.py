"""What is at a path, for whoever asks: rights first, then content.

Owns the order of the two, and a memory of what content addresses have led to. Refuses to know HTTP.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textile_aio._codec.cid import Cid
from textile_aio._codec.peer import PeerID
from textile_aio.errors import InstanceNotFound, InvalidInput
from textile_aio.identity import PublicKey
from textile_aio.ids import ThreadID
from textile_aio.localhub.access.ownership import Ownership
from textile_aio.localhub.buckets import rules
from textile_aio.localhub.buckets.contents import Contents
from textile_aio.localhub.buckets.document import BucketDocument
from textile_aio.localhub.buckets.engine import BucketEngine, metadata_of
from textile_aio.localhub.gateway.remembering import Memory
from textile_aio.storage.blocks import Reading
from textile_aio.storage.values import NameKey
from textile_aio.unixfs.stat import Stat

_STATS = 8 * 1024 * 1024
_STAT_WEIGHT = 512


@dataclass(frozen=True, slots=True)
class OpenBucket:
    """A bucket as one caller sees it, and what is in it.

    Attributes:
        thread: Where it lives.
        shown: The document, without what is hidden from the caller.
        contents: Everything that is in it: look at :meth:`check` first.
    """

    thread: ThreadID
    shown: BucketDocument
    contents: Contents

    def check(self, segments: Sequence[str]) -> None:
        """Refuse a path that the caller may not read.

        Raises:
            PathNotFound: They may not.
        """
        metadata_of(self.shown, "/".join(segments))


class Finder:
    """Opens buckets and content addresses, and resolves paths in them.

    ``ownership`` is None on a hub without accounts.
    """

    def __init__(self, engine: BucketEngine, ownership: Ownership | None) -> None:
        self._engine = engine
        self._ownership = ownership
        self._stats: Memory[tuple[Cid, bool, tuple[str, ...]], Stat] = Memory(_STATS)

    async def bucket(self, thread: ThreadID, key: str, who: str, reading: Reading) -> OpenBucket:
        """A bucket for the caller with the public key text ``who``; its blocks are pinned.

        Raises:
            InstanceNotFound: There is none.
        """
        stored = await self._engine.stored(thread, key)
        reading.pin(stored.root.bytes)
        return OpenBucket(thread, rules.visible(stored, who), self._engine.contents(stored))

    async def buckets(self, thread: ThreadID, who: str) -> list[BucketDocument]:
        """All buckets of a thread, as the caller sees them."""
        return await self._engine.list(thread, who)

    async def name(self, text: str) -> NameKey | None:
        """What a bucket's IPNS name, in any form of a peer id, stands for."""
        try:
            key = str(PeerID.parse(text).cid)
        except InvalidInput:
            return None
        return await self._engine.store.read(lambda view: view.name_key(key))

    async def site(self, key: str, who: str, reading: Reading) -> OpenBucket | None:
        """The bucket with this key, wherever it lives."""
        found = await self.name(key)
        if found is None or found.cid != key:
            return None
        try:
            return await self.bucket(ThreadID.from_bytes(found.thread), key, who, reading)
        except InstanceNotFound:
            return None

    def public(self, root: Cid, reading: Reading) -> Contents:
        """What is under a content address, as it is stored; its blocks are pinned."""
        reading.pin(root.bytes)
        return self._engine.public(root)

    async def stat(self, contents: Contents, segments: tuple[str, ...]) -> Stat:
        """What is at a path. Raises as :meth:`Contents.stat`."""
        key = (contents.root, contents.is_private, segments)
        found = self._stats.get(key)
        if found is None:
            found = await contents.stat(segments)
            self._stats.put(key, found, _STAT_WEIGHT + sum(map(len, segments)))
        return found

    async def block(self, cid: Cid) -> bytes:
        """The bytes of one block."""
        return await self._engine.blocks.get(cid.bytes)

    async def instances(self, thread: ThreadID, collection: str, who: str) -> list[bytes]:
        """All instances of a collection that the caller may see.

        Raises:
            NotThreadOwner: They are in somebody else's mailbox.
        """
        await self._check(thread, who)
        return await self._engine.databases.find(thread, collection, b"{}", who=who)

    async def instance(self, thread: ThreadID, collection: str, id: str, who: str) -> bytes:  # noqa: A002
        """One instance. Raises as :meth:`instances`."""
        await self._check(thread, who)
        return await self._engine.databases.find_by_id(thread, collection, id, who=who)

    async def _check(self, thread: ThreadID, who: str) -> None:
        if self._ownership is not None:
            owner = bytes(PublicKey.from_string(who)) if who else None
            await self._ownership.check_stranger(owner, thread)
