"""Buckets as a whole: made, found, listed, changed and removed (spec: buckets-api §4 to §8).

Owns the order of things: blocks become durable first, then one transaction changes the document, the
root and the block index together. What may be changed by whom is decided in ``rules``, on the very
snapshot that the transaction is fenced by.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import NamedTuple

from textile_aio import dcrypto
from textile_aio._codec.cid import Cid
from textile_aio.errors import InstanceNotFound, NonFastForward, StatusCode
from textile_aio.ids import ThreadID
from textile_aio.localhub.buckets import rules
from textile_aio.localhub.buckets.collection import COLLECTION, CONFIG
from textile_aio.localhub.buckets.contents import Contents
from textile_aio.localhub.buckets.document import (
    VERSION,
    BucketDocument,
    Decoder,
    Entry,
    decode,
    encode,
    patch_between,
)
from textile_aio.localhub.buckets.founding import Founding
from textile_aio.localhub.buckets.keys import Keyring
from textile_aio.localhub.buckets.metadata import MetadataEdit, nearest
from textile_aio.localhub.buckets.name_keys import generate_name_key
from textile_aio.localhub.buckets.paths import SEED_NAME, split
from textile_aio.localhub.buckets.verified import VerifiedFiles
from textile_aio.localhub.buckets.working_set import WorkingSet
from textile_aio.localhub.refusals import wrapping
from textile_aio.localhub.workers import Workers
from textile_aio.records.events import EventKind
from textile_aio.storage.blocks import BlockBatch, Blocks
from textile_aio.storage.changes import Batch, DeleteNameKey, Operation, PutNameKey, SetRoot
from textile_aio.storage.locks import Locks
from textile_aio.storage.runner import StoreRunner
from textile_aio.storage.store import View
from textile_aio.storage.transact import transact
from textile_aio.threaddb import databases
from textile_aio.threaddb.draft import Draft
from textile_aio.threaddb.engine import ThreadDatabases
from textile_aio.threaddb.instances import Action
from textile_aio.unixfs.stat import Stat
from textile_aio.unixfs.tree import Tree

_NO_ENTRY = Entry(0)


@dataclass(frozen=True, slots=True)
class Created:
    """A new bucket. ``pinned`` is what its blocks take, in bytes."""

    bucket: BucketDocument
    seed: bytes
    seed_cid: Cid
    pinned: int


class Item(NamedTuple):
    """Something in a bucket; ``items`` are the direct children of a directory, themselves without theirs.

    The CID in ``stat`` is the one that listings show. A tuple, because listings make thousands.
    """

    name: str
    stat: Stat
    metadata: Entry
    items: Sequence[Item] = ()


@dataclass(frozen=True, slots=True)
class Saved:
    """A bucket after a change. ``pinned`` is by how many bytes its tree grew."""

    bucket: BucketDocument
    pinned: int


@dataclass(frozen=True, slots=True)
class OpenTree:
    """A bucket's content, opened for changes. ``size`` is that of the tree before them."""

    contents: Contents
    working: WorkingSet
    tree: Tree
    size: int


class BucketEngine:
    """All buckets of a hub. Callers are given by the public key text of their identity, empty for nobody."""

    def __init__(
        self,
        store: StoreRunner,
        databases: ThreadDatabases,
        blocks: Blocks,
        workers: Workers,
        clock: Callable[[], int],
    ) -> None:
        self.store = store
        self.databases = databases
        self.blocks = blocks
        self.workers = workers
        self.verified: VerifiedFiles = VerifiedFiles()
        self.clock = clock
        self._locks = Locks()
        self._documents = Decoder()
        self._last_created = 0

    def locked(self, key: str) -> AbstractAsyncContextManager[None]:
        """Keep other writers away from a bucket. Readers take no lock."""
        return self._locks.hold(key)

    async def create(
        self, thread: ThreadID, name: str, owner: str, *, private: bool = False, tree: Cid | None = None
    ) -> Created:
        """Make a bucket that holds its seed, and what a directory at this hub holds, if one is named.

        Raises as :meth:`Founding.prepared`.
        """
        async with self.blocks.batch() as batch:
            return await self.import_root(thread, name, owner, root=tree, private=private, batch=batch)

    async def import_root(
        self,
        thread: ThreadID,
        name: str,
        owner: str,
        *,
        root: Cid | None,
        private: bool,
        batch: BlockBatch,
    ) -> Created:
        """As :meth:`create`, in a batch that the caller opened; the blocks of ``root`` are in the store."""
        now = self.clock()
        link_key = dcrypto.key_text(dcrypto.generate_key()) if private else ""
        file_key = dcrypto.key_text(dcrypto.generate_key()) if private else ""
        roles = {owner: rules.ADMIN} if owner else {}
        if owner and not private:
            roles[rules.EVERYONE] = rules.READER
        metadata = {"": Entry(now, roles, file_key), SEED_NAME: Entry(now)}
        keys = Keyring(dcrypto.parse_key(link_key) if private else None, metadata)
        founding = Founding(self.blocks, keys, batch, self.workers)
        if root is None:
            founded = await founding.pristine()
        else:
            with wrapping("creating prepared bucket"):
                founded = await founding.prepared(root)
        name_key = generate_name_key(bytes(thread), f"/ipfs/{founded.root}", now)
        bucket = BucketDocument(
            id=name_key.cid,
            owner=owner,
            name=name,
            version=VERSION,
            root=founded.root,
            metadata=metadata,
            created_at=now,
            updated_at=now,
            link_key=link_key,
        )

        def prepare(view: View, stored: Sequence[Operation]) -> tuple[Batch, BucketDocument]:
            draft = Draft(view, thread)
            if view.collection(draft.id, COLLECTION) is None:
                draft.add_collection(CONFIG)
            # Later in the log means later in time: callers who make a bucket of one name at the same moment
            # agree on the oldest.
            at = max(self.clock(), self._last_created + 1)
            entries = {path: replace(entry, updated_at=at) for path, entry in metadata.items()}
            dated = replace(bucket, metadata=entries, created_at=at, updated_at=at)
            action = Action(EventKind.CREATE, bucket.id, encode(dated, at))
            self.databases.commit(draft, COLLECTION, [action], who=owner)
            operations = (
                *stored,
                *draft.operations,
                SetRoot(bucket.id.encode(), draft.id, bytes(founded.root), None),
                PutNameKey(name_key),
            )
            return Batch(operations, draft.id, draft.database.sequence), dated

        bucket = await batch.transact(prepare)
        self._last_created = max(self._last_created, bucket.created_at)
        return Created(bucket, founded.seed, founded.seed_cid, founded.size)

    async def list(self, thread: ThreadID, reader: str) -> list[BucketDocument]:
        """All buckets of a thread as ``reader`` sees them, by key."""

        def listed(view: View) -> list[bytes]:
            _, database = databases.find(view, thread)
            return [document.body for document in view.scan(database.thread, COLLECTION)]

        return [rules.visible(decode(body), reader) for body in await self.store.read(listed)]

    async def stored(self, thread: ThreadID, key: str) -> BucketDocument:
        """The bucket with nothing hidden. Raises :class:`InstanceNotFound` (``instance not found``)."""
        return await self.store.read(
            lambda view: self._documents.decode(key, _body(Draft(view, thread), key))
        )

    async def get(self, thread: ThreadID, key: str, reader: str) -> BucketDocument:
        """The bucket as ``reader`` sees it. Raises as :meth:`stored`."""
        return rules.visible(await self.stored(thread, key), reader)

    def contents(self, bucket: BucketDocument) -> Contents:
        """The bucket's present content, as far as the document has keys for it."""
        return Contents.of(self.blocks, bucket, self.workers, self.verified)

    def public(self, root: Cid) -> Contents:
        """What is under any root, read without keys."""
        return Contents.public(self.blocks, root, self.workers)

    async def open_tree(self, bucket: BucketDocument) -> OpenTree:
        """The bucket's present content, to be changed. The document has nothing hidden."""
        contents = self.contents(bucket)
        working = contents.working_set()
        tree = await working.run(
            lambda: Tree(
                bucket.root,
                working.get,
                new_folder_version=1 if contents.is_private else 0,
                seal=contents.seal,
            )
        )
        return OpenTree(contents, working, tree, tree.cumulative_size)

    async def check_path(self, bucket: BucketDocument, path: str) -> tuple[str, ...]:
        """The segments of a path that exists in the bucket, below its root, and whose entry is visible.

        Raises:
            PathNotFound: It does not exist, or its entries are hidden from the caller.
        """
        segments = split(path)
        metadata_of(bucket, "/".join(segments))
        if segments:
            await self.contents(bucket).stat(segments)
        return segments

    async def item(self, bucket: BucketDocument, path: str) -> Item:
        """What is at a path, with its direct children (spec: buckets-api §8 ListPath)."""
        segments = split(path)
        where = "/".join(segments)
        metadata = metadata_of(bucket, where)
        prefix = f"{where}/" if where else ""
        item = await bare_item(
            self.contents(bucket), segments, lambda name: metadata_of(bucket, prefix + name)
        )
        return item._replace(name=item.name or bucket.name, metadata=metadata)

    async def remove(self, thread: ThreadID, key: str, writer: str) -> int:
        """Remove a bucket for good; returns what that unpins, in bytes, as a negative number."""
        async with self.locked(key):
            # Before it is removed: afterwards its blocks may be collected at any time.
            present = await self.stored(thread, key)
            rules.check_delete(present, writer)
            weight = await self.contents(present).weight(())

            def prepare(view: View) -> tuple[Batch, None]:
                draft = Draft(view, thread)
                bucket = decode(_body(draft, key))
                rules.check_delete(bucket, writer)
                action = Action(EventKind.DELETE, key, None)
                self.databases.commit(draft, COLLECTION, [action], who=writer)
                operations = (
                    *draft.operations,
                    SetRoot(key.encode(), bytes(thread), None, bytes(bucket.root)),
                    DeleteNameKey(key),
                )
                return Batch(operations, draft.id, draft.database.sequence), None

            await transact(self.store, prepare)
            return -weight

    def edit(self, bucket: BucketDocument, writer: str) -> MetadataEdit:
        """Begin to change the bucket's entries, as its writer sees them."""
        return MetadataEdit(rules.visible(bucket, writer).metadata, self.clock())

    async def save(
        self,
        thread: ThreadID,
        base: BucketDocument,
        root: Cid,
        edit: MetadataEdit,
        writer: str,
        batch: BlockBatch,
    ) -> BucketDocument:
        """Make a new root visible, in one step with everything that belongs to it.

        The caller holds the bucket's lock and has put all new blocks into ``batch``.

        Raises:
            NonFastForward: The document was changed past this engine, and has another root now.
            WriteDenied: The writer may not.
        """
        now = self.clock()

        def prepare(view: View, stored: Sequence[Operation]) -> tuple[Batch, BucketDocument]:
            draft = Draft(view, thread)
            body = _body(draft, base.id)
            current = self._documents.decode(base.id, body)
            if current.root != base.root:
                raise _moved(base.path, current.path)
            patch = rules.Patch(moves_root=root != current.root, metadata=edit.changes)
            rules.check_save(current, writer, patch)
            bucket = current.with_root(root, edit.onto(current.metadata), now)
            action = Action(EventKind.SAVE, bucket.id, patch_between(current, bucket, edit.changes, now))
            self.databases.commit(draft, COLLECTION, [action], who=writer)
            self._documents.note(bucket, _body(draft, base.id))
            operations: list[Operation] = [
                *stored,
                *draft.operations,
                SetRoot(bucket.id.encode(), bytes(thread), bytes(root), bytes(current.root)),
            ]
            name_key = view.name_key(bucket.id)
            if name_key is not None:
                operations.append(PutNameKey(replace(name_key, path=bucket.path)))
            return Batch(tuple(operations), draft.id, draft.database.sequence), bucket

        return await batch.transact(prepare)


async def bare_item(
    contents: Contents, segments: tuple[str, ...], metadata: Callable[[str], Entry] = lambda _: _NO_ENTRY
) -> Item:
    """What is at a path, with its direct children, whose access entries ``metadata`` tells by their names."""
    found, children = await contents.listing(segments)
    item, *below = await contents.listed([found, *[each for _, each in children]])
    names = [name for name, _ in children]
    items = list(map(Item, names, below, map(metadata, names)))
    return Item(segments[-1] if segments else "", item, _NO_ENTRY, items)


def metadata_of(bucket: BucketDocument, path: str) -> Entry:
    """The entry that applies at a path. Legacy buckets have none and need none (spec: buckets-api §11)."""
    return nearest(bucket.metadata, path) if bucket.version else _NO_ENTRY


def check_fast_forward(bucket: BucketDocument, expected: str) -> None:
    """Refuse a change that is based on another root. ``expected`` empty: no check."""
    if expected and expected != bucket.path:
        raise _moved(expected, bucket.path)


def _moved(expected: str, actual: str) -> NonFastForward:
    return NonFastForward(expected=expected, actual=actual, code=StatusCode.FAILED_PRECONDITION)


def _body(draft: Draft, key: str) -> bytes:
    body = draft.document(COLLECTION, key)
    if body is None:
        raise InstanceNotFound("instance not found", code=StatusCode.UNKNOWN, about=key)
    return body
