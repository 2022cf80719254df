"""Buckets as a whole: made, found, listed, changed and removed (spec: buckets-api §4 to §8).

Owns the order of things: blocks become durable first, then one transaction changes the document, the
root and the block index together. What may be changed by whom is decided in ``rules``, on the very
snapshot that the transaction is fenced by.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace

from textile_aio._codec.cid import DAG_PB, RAW, Cid
from textile_aio.errors import InstanceNotFound, InvalidPath, NonFastForward, StatusCode
from textile_aio.ids import ThreadID
from textile_aio.localhub.buckets import rules
from textile_aio.localhub.buckets.collection import COLLECTION, CONFIG
from textile_aio.localhub.buckets.document import VERSION, BucketDocument, Entry, decode, encode
from textile_aio.localhub.buckets.metadata import MetadataEdit, nearest
from textile_aio.localhub.buckets.name_keys import generate_name_key
from textile_aio.localhub.buckets.paths import SEED_NAME, parse, split
from textile_aio.localhub.buckets.working_set import WorkingSet
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
from textile_aio.threaddb.patches import diff
from textile_aio.unixfs.block import Block
from textile_aio.unixfs.directory import Directory
from textile_aio.unixfs.directory import Entry as Link
from textile_aio.unixfs.resolve import entries, resolve
from textile_aio.unixfs.stat import Stat, raw_stat
from textile_aio.unixfs.tree import Tree

SEED_SIZE = 32


@dataclass(frozen=True, slots=True)
class Created:
    """A new bucket. ``pinned`` is what its blocks take, in bytes."""

    bucket: BucketDocument
    seed: bytes
    seed_cid: Cid
    pinned: int


@dataclass(frozen=True, slots=True)
class Item:
    """Something in a bucket; ``items`` are the direct children of a directory, themselves without theirs."""

    name: str
    segments: tuple[str, ...]
    stat: Stat
    metadata: Entry
    items: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class Saved:
    """A bucket after a change. ``pinned`` is by how many bytes its tree grew."""

    bucket: BucketDocument
    pinned: int


class BucketEngine:
    """All buckets of a hub. Callers are given by the public key text of their identity, empty for nobody."""

    def __init__(
        self, store: StoreRunner, databases: ThreadDatabases, blocks: Blocks, clock: Callable[[], int]
    ) -> None:
        self.store = store
        self.databases = databases
        self.blocks = blocks
        self.clock = clock
        self._locks = Locks()

    def locked(self, key: str) -> AbstractAsyncContextManager[None]:
        """Keep other writers away from a bucket. Readers take no lock."""
        return self._locks.hold(key)

    async def create(self, thread: ThreadID, name: str, owner: str) -> Created:
        """Make a public bucket that holds nothing but its seed."""
        now = self.clock()
        seed = secrets.token_bytes(SEED_SIZE)
        seed_block = Block.of(RAW, seed)
        directory = Directory()
        directory.set(SEED_NAME, seed_block.cid, SEED_SIZE)
        root = directory.encode(1)
        name_key = generate_name_key(bytes(thread), f"/ipfs/{root.cid}", now)
        roles = {owner: rules.ADMIN, rules.EVERYONE: rules.READER} if owner else {}
        bucket = BucketDocument(
            id=name_key.cid,
            owner=owner,
            name=name,
            version=VERSION,
            root=root.cid,
            metadata={"": Entry(now, roles), SEED_NAME: Entry(now)},
            created_at=now,
            updated_at=now,
        )
        async with self.blocks.batch() as batch:
            await batch.put([seed_block, root])

            def prepare(view: View, stored: Sequence[Operation]) -> tuple[Batch, None]:
                draft = Draft(view, thread)
                if view.collection(draft.id, COLLECTION) is None:
                    draft.add_collection(CONFIG)
                action = Action(EventKind.CREATE, bucket.id, encode(bucket, now))
                self.databases.commit(draft, COLLECTION, [action], who=owner)
                operations = (
                    *stored,
                    *draft.operations,
                    SetRoot(bucket.id.encode(), draft.id, bytes(root.cid), None),
                    PutNameKey(name_key),
                )
                return Batch(operations, draft.id, draft.database.sequence), None

            await batch.transact(prepare)
        return Created(bucket, seed, seed_block.cid, directory.cumulative_size)

    async def list(self, thread: ThreadID, reader: str) -> list[BucketDocument]:
        """All buckets of a thread as ``reader`` sees them, by key."""

        def listed(view: View) -> list[bytes]:
            _, database = databases.find(view, thread)
            return [document.body for document in view.scan(database.thread, COLLECTION)]

        return [rules.visible(decode(body), reader) for body in await self.store.read(listed)]

    async def stored(self, thread: ThreadID, key: str) -> BucketDocument:
        """The bucket with nothing hidden. Raises :class:`InstanceNotFound` (``instance not found``)."""
        return await self.store.read(lambda view: decode(_body(Draft(view, thread), key)))

    async def get(self, thread: ThreadID, key: str, reader: str) -> BucketDocument:
        """The bucket as ``reader`` sees it. Raises as :meth:`stored`."""
        return rules.visible(await self.stored(thread, key), reader)

    async def check_path(self, bucket: BucketDocument, path: str) -> tuple[str, ...]:
        """The segments of a path that exists in the bucket, below its root, and whose entry is visible.

        Raises:
            PathNotFound: It does not exist, or its entries are hidden from the caller.
        """
        segments = split(path)
        metadata_of(bucket, "/".join(segments))
        if segments:
            await self.stat(bucket.root, segments)
        return segments

    async def stat(self, root: Cid, segments: Sequence[str]) -> Stat:
        """What is at a path below a root."""
        return await WorkingSet(self.blocks).resolve(root, segments)

    async def item(self, bucket: BucketDocument, path: str) -> Item:
        """What is at a path, with its direct children (spec: buckets-api §8 ListPath)."""
        segments = split(path)
        where = "/".join(segments)
        metadata = metadata_of(bucket, where)
        item = await self.bare_item(bucket.root, segments)
        prefix = f"{where}/" if where else ""
        return replace(
            item,
            name=item.name or bucket.name,
            metadata=metadata,
            items=tuple(
                replace(child, metadata=metadata_of(bucket, prefix + child.name)) for child in item.items
            ),
        )

    async def bare_item(self, root: Cid, segments: tuple[str, ...]) -> Item:
        """What is at a path below any root, with its direct children; no access entries."""
        working = WorkingSet(self.blocks)
        stat = await working.resolve(root, segments)
        item = Item(segments[-1] if segments else "", segments, stat, Entry(0))
        if not stat.is_dir:
            return item
        links: list[Link] = await working.run(lambda: entries(stat.cid, working.get))
        # Only a block that is not raw may be a directory; raw leaves are described by their links.
        await working.load(link.cid for link in links if link.cid.codec == DAG_PB)
        children = [
            Item(link.name, (*segments, link.name), _child_stat(link, working), Entry(0)) for link in links
        ]
        return replace(item, items=tuple(children))

    async def remove_path(self, thread: ThreadID, key: str, path: str, expected: str, writer: str) -> Saved:
        """Remove a file or directory (spec: buckets-api §8 RemovePath)."""
        segments = parse(path)
        async with self.locked(key):
            bucket = await self.stored(thread, key)
            check_fast_forward(bucket, expected)
            if not segments:
                raise InvalidPath(
                    "the root itself cannot be removed; remove the bucket instead",
                    code=StatusCode.INVALID_ARGUMENT,
                )
            edit = self.edit(bucket, writer)
            edit.remove("/".join(segments))
            rules.check_save(bucket, writer, rules.Patch(moves_root=True, metadata=edit.changes))
            working = WorkingSet(self.blocks)
            tree = await working.run(lambda: Tree(bucket.root, working.get))
            before = tree.cumulative_size
            await working.run(lambda: tree.remove_path(segments))
            async with self.blocks.batch() as batch:
                root, blocks = tree.commit()
                await batch.put(blocks)
                saved = await self.save(thread, bucket, root, edit, writer, batch)
            return Saved(saved, tree.cumulative_size - before)

    async def remove(self, thread: ThreadID, key: str, writer: str) -> int:
        """Remove a bucket for good; returns what that unpins, in bytes, as a negative number."""
        async with self.locked(key):

            def prepare(view: View) -> tuple[Batch, BucketDocument]:
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
                return Batch(operations, draft.id, draft.database.sequence), bucket

            bucket = await transact(self.store, prepare)
            return -(await self.stat(bucket.root, ())).size

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
            current = decode(body)
            if current.root != base.root:
                raise _moved(base.path, current.path)
            patch = rules.Patch(moves_root=root != current.root, metadata=edit.changes)
            rules.check_save(current, writer, patch)
            bucket = current.with_root(root, edit.onto(current.metadata), now)
            action = Action(EventKind.SAVE, bucket.id, diff(body, encode(bucket, now)))
            self.databases.commit(draft, COLLECTION, [action], who=writer)
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


def metadata_of(bucket: BucketDocument, path: str) -> Entry:
    """The entry that applies at a path. Legacy buckets have none and need none (spec: buckets-api §11)."""
    return nearest(bucket.metadata, path) if bucket.version else Entry(0)


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


def _child_stat(link: Link, working: WorkingSet) -> Stat:
    if link.cid.codec != DAG_PB:
        return raw_stat(link.cid, link.tsize)
    return resolve(link.cid, (), working.get)
