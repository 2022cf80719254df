"""Changes to a bucket other than pushes: paths set, moved, copied and removed, and roles.

Spec: buckets-api §8, §9. Each takes the bucket's lock, asks the rules before it does any work, writes blocks,
and ends in one save.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from textile_aio import dcrypto
from textile_aio._codec.cid import RAW, Cid
from textile_aio.errors import (
    InvalidInput,
    InvalidPath,
    NotADirectory,
    PathNotFound,
    StatusCode,
)
from textile_aio.identity import PublicKey
from textile_aio.ids import ThreadID
from textile_aio.localhub.buckets import rules
from textile_aio.localhub.buckets.contents import Contents
from textile_aio.localhub.buckets.document import BucketDocument
from textile_aio.localhub.buckets.engine import (
    BucketEngine,
    OpenTree,
    Saved,
    check_fast_forward,
    metadata_of,
)
from textile_aio.localhub.buckets.founding import Founding
from textile_aio.localhub.buckets.keys import Keyring
from textile_aio.localhub.buckets.metadata import MetadataEdit
from textile_aio.localhub.buckets.paths import clean, parse
from textile_aio.localhub.buckets.transplanting import Planted, Transplant
from textile_aio.localhub.refusals import wrapping
from textile_aio.storage.blocks import BlockBatch
from textile_aio.unixfs.directory import NOT_A_DIRECTORY
from textile_aio.unixfs.stat import Stat


@dataclass(frozen=True, slots=True)
class _Put:
    """A node that goes to a path. ``weight`` is what it adds to the bucket, in bytes."""

    cid: Cid
    tsize: int
    weight: int


class BucketChanges:
    """All of them, for the buckets of an engine. Writers are given by their public key text."""

    def __init__(self, engine: BucketEngine) -> None:
        self._engine = engine

    async def set_path(self, thread: ThreadID, key: str, path: str, remote: str, writer: str) -> Saved:
        """Put what has a CID at a path, in place of whatever is there; at the root, with a new seed.

        Raises:
            InvalidInput: It is no CID.
            NotFound: Blocks of it are not at this hub.
            NotADirectory: A parent is a file; or the bucket is private and the CID that of a raw leaf; or the
                path is the root and the CID that of no directory.
        """
        engine = self._engine
        segments = clean(path)
        with wrapping("invalid remote cid"):
            cid = Cid.parse(remote)
        async with engine.locked(key):
            with wrapping("get bucket"):
                bucket = await engine.stored(thread, key)
            edit = engine.edit(bucket, writer)
            where = "/".join(segments)
            if segments:
                edit.put_file(where)
            else:
                edit.touch("")
            _check(bucket, writer, edit)
            keys = _keys_after(bucket, edit)
            async with engine.blocks.batch() as batch:
                founding = Founding(engine.blocks, keys, batch, engine.workers)
                if not segments:
                    with wrapping("resolving remote path"):
                        founded = await founding.prepared(cid)
                    before = await engine.contents(bucket).weight(())
                    saved = await engine.save(thread, bucket, founded.root, edit, writer, batch)
                    return Saved(saved, founded.size - before)
                with wrapping("resolving remote path"):
                    source = await founding.elsewhere(cid)
                    put = await self._brought(source, segments, keys, batch)
                opened = await engine.open_tree(bucket)
                return await self._put(thread, bucket, opened, edit, writer, batch, segments, put)

    async def move_path(
        self, thread: ThreadID, key: str, source: str, target: str, writer: str
    ) -> Saved | None:
        """Move a file or directory; None where there is nothing to do.

        Into a directory that exists it goes under its own name. A file is replaced by a file. Roles stay.

        Raises:
            InvalidPath: The source is the root.
            PathNotFound: The source is not there.
            NotADirectory: A file is where a directory would go, or a parent.
        """
        return await self._relocate(thread, key, source, target, writer, expected="", keeps_source=False)

    async def copy_path(
        self, thread: ThreadID, key: str, source: str, target: str, expected: str, writer: str
    ) -> Saved | None:
        """As :meth:`move_path`, but the source stays. ``expected`` is the root it is based on, or empty."""
        return await self._relocate(thread, key, source, target, writer, expected=expected, keeps_source=True)

    async def remove_path(self, thread: ThreadID, key: str, path: str, expected: str, writer: str) -> Saved:
        """Remove a file or directory."""
        engine = self._engine
        segments = parse(path)
        async with engine.locked(key):
            bucket = await engine.stored(thread, key)
            check_fast_forward(bucket, expected)
            if not segments:
                raise InvalidPath(
                    "the root itself cannot be removed; remove the bucket instead",
                    code=StatusCode.INVALID_ARGUMENT,
                )
            edit = engine.edit(bucket, writer)
            edit.remove("/".join(segments))
            rules.check_save(bucket, writer, rules.Patch(moves_root=True, metadata=edit.changes))
            opened = await engine.open_tree(bucket)
            if bucket.is_private:
                with wrapping("remove node failed"):
                    removed = await opened.contents.weight(segments)
            tree = opened.tree
            before = tree.cumulative_size
            await opened.working.run(lambda: tree.remove_path(segments))
            async with engine.blocks.batch() as batch:
                root, blocks = tree.commit()
                await batch.put(blocks)
                saved = await engine.save(thread, bucket, root, edit, writer, batch)
            return Saved(saved, -removed if bucket.is_private else tree.cumulative_size - before)

    async def set_roles(
        self, thread: ThreadID, key: str, path: str, roles: Mapping[str, int], writer: str
    ) -> Saved | None:
        """Merge roles into those of a path; None where nothing changes (spec: buckets-api §9 Push).

        In a private bucket everything at and below the path is encrypted anew: whoever lost a role has old
        keys only.

        Raises:
            PathNotFound: Nothing is at the path, or it is hidden from the writer.
            InvalidInput: An identity or a role is none.
            WriteDenied: The writer may not.
        """
        engine = self._engine
        segments = parse(path)
        where = "/".join(segments)
        async with engine.locked(key):
            bucket = await engine.stored(thread, key)
            visible = rules.visible(bucket, writer)
            metadata_of(visible, where)
            found = await engine.contents(visible).stat(segments)
            merged, changed = _merge(visible, where, roles)
            if not changed:
                return None
            edit = engine.edit(bucket, writer)
            _rotate(bucket, edit, where, merged)
            _check(bucket, writer, edit, moves_root=bucket.is_private)
            async with engine.blocks.batch() as batch:
                root = bucket.root
                if bucket.is_private:
                    root = await self._rekeyed(bucket, edit, segments, found, batch)
                return Saved(await engine.save(thread, bucket, root, edit, writer, batch), 0)

    async def _rekeyed(
        self,
        bucket: BucketDocument,
        edit: MetadataEdit,
        segments: Sequence[str],
        found: Stat,
        batch: BlockBatch,
    ) -> Cid:
        """The root with what is at a path under the keys that the edit has given it."""
        engine = self._engine
        opened = await engine.open_tree(bucket)
        transplant = Transplant(opened.contents, _keys_after(bucket, edit), batch, engine.workers)
        planted = await transplant.plant(found, segments, segments)
        if not segments:
            return planted.cid
        tree = opened.tree
        await opened.working.run(lambda: tree.set_path(segments, planted.cid, planted.tsize))
        root, blocks = tree.commit()
        await batch.put(blocks)
        return root

    async def _relocate(
        self,
        thread: ThreadID,
        key: str,
        source_path: str,
        target_path: str,
        writer: str,
        *,
        expected: str,
        keeps_source: bool,
    ) -> Saved | None:
        engine = self._engine
        source, target = parse(source_path), parse(target_path)
        if not source:
            raise InvalidPath("source is root directory", code=StatusCode.UNKNOWN)
        if source == target:
            return None
        async with engine.locked(key):
            with wrapping("getting path"):
                bucket = await engine.stored(thread, key)
            check_fast_forward(bucket, expected)
            edit = engine.edit(bucket, writer)
            edit.touch("/".join(target))
            if not keeps_source:
                edit.remove_below("/".join(source))
            _check(bucket, writer, edit)
            opened = await engine.open_tree(bucket)
            found = await opened.contents.stat(source)
            target = await _effective(opened.contents, found, source, target)
            if target == source:
                return None
            async with engine.blocks.batch() as batch:
                put = await self._kept(bucket, opened, edit, found, source, target, batch)
                if not keeps_source:
                    tree = opened.tree
                    await opened.working.run(lambda: tree.remove_path(source))
                    put = _Put(put.cid, put.tsize, 0)
                return await self._put(thread, bucket, opened, edit, writer, batch, target, put)

    async def _kept(
        self,
        bucket: BucketDocument,
        opened: OpenTree,
        edit: MetadataEdit,
        found: Stat,
        source: Sequence[str],
        target: Sequence[str],
        batch: BlockBatch,
    ) -> _Put:
        """What is at ``source``, as it has to be at ``target`` of the same bucket."""
        if not bucket.is_private:
            tree = opened.tree
            link = await opened.working.run(lambda: tree.link(source))
            return _Put(link.cid, link.tsize, link.tsize)
        keys = _keys_after(bucket, edit)
        transplant = Transplant(opened.contents, keys, batch, self._engine.workers)
        return _planted(await transplant.plant(found, source, target))

    async def _brought(
        self, source: Contents, target: Sequence[str], keys: Keyring, batch: BlockBatch
    ) -> _Put:
        """A tree from elsewhere, as it has to be in the bucket."""
        found = await source.stat(())
        if keys.link is None:
            return _Put(source.root, found.size, found.size)
        if source.root.codec == RAW:
            raise NotADirectory(NOT_A_DIRECTORY, code=StatusCode.UNKNOWN, about=str(source.root))
        transplant = Transplant(source, keys, batch, self._engine.workers)
        return _planted(await transplant.plant(found, (), target))

    async def _put(
        self,
        thread: ThreadID,
        bucket: BucketDocument,
        opened: OpenTree,
        edit: MetadataEdit,
        writer: str,
        batch: BlockBatch,
        path: Sequence[str],
        put: _Put,
    ) -> Saved:
        """Put a node at a path of the tree and save the bucket."""
        replaced = await _weight_or_none(opened.contents, path) if bucket.is_private else 0
        tree = opened.tree
        before = opened.size
        await opened.working.run(lambda: tree.set_path(path, put.cid, put.tsize))
        root, blocks = tree.commit()
        await batch.put(blocks)
        saved = await self._engine.save(thread, bucket, root, edit, writer, batch)
        return Saved(saved, put.weight - replaced if bucket.is_private else tree.cumulative_size - before)


def _planted(planted: Planted) -> _Put:
    return _Put(planted.cid, planted.tsize, planted.written)


def _check(bucket: BucketDocument, writer: str, edit: MetadataEdit, *, moves_root: bool = True) -> None:
    with wrapping("verifying bucket update"):
        rules.check_save(bucket, writer, rules.Patch(moves_root=moves_root, metadata=edit.changes))


def _keys_after(bucket: BucketDocument, edit: MetadataEdit) -> Keyring:
    """The bucket's keys once the edit is saved."""
    before = Keyring.of(bucket)
    return before if before.entries is None else Keyring(before.link, edit.onto(bucket.metadata))


async def _effective(
    contents: Contents, found: Stat, source: tuple[str, ...], target: tuple[str, ...]
) -> tuple[str, ...]:
    """Where something that is moved to ``target`` really goes."""
    if not found.is_dir and target[: len(source)] == source:
        raise NotADirectory(NOT_A_DIRECTORY, code=StatusCode.UNKNOWN, about="/".join(target))
    try:
        there = await contents.stat(target)
    except PathNotFound:
        return target
    if there.is_dir:
        return (*target, source[-1])
    if found.is_dir:
        raise NotADirectory("not a directory", code=StatusCode.UNKNOWN, about="/".join(target))
    return target


async def _weight_or_none(contents: Contents, path: Sequence[str]) -> int:
    try:
        return await contents.weight(path)
    except PathNotFound:
        return 0


def _merge(bucket: BucketDocument, path: str, given: Mapping[str, int]) -> tuple[dict[str, int], bool]:
    """The roles of a path's own entry with others merged in, and whether that is a change."""
    for identity, role in given.items():
        if identity != rules.EVERYONE:
            with wrapping("unmarshaling role public key"):
                PublicKey.from_string(identity)
        if role not in range(rules.NONE, rules.ADMIN + 1):
            raise InvalidInput(f"unknown path access role {role}", code=StatusCode.UNKNOWN)
    entry = bucket.metadata.get(path)
    merged = dict(entry.roles) if entry is not None else {}
    changed = False
    for identity, role in given.items():
        if role == rules.NONE:
            merged.pop(identity, None)
            changed = True  # taking away what nobody has counts, as upstream
        elif merged.get(identity) != role:
            merged[identity] = role
            changed = True
    return merged, changed


def _rotate(bucket: BucketDocument, edit: MetadataEdit, path: str, roles: Mapping[str, int]) -> None:
    """Note roles, and in a private bucket new keys for the path and every path below that has its own."""
    if not bucket.is_private or not bucket.version:
        edit.set_roles(path, roles, "")
        return
    edit.set_roles(path, roles, dcrypto.key_text(dcrypto.generate_key()))
    prefix = f"{path}/" if path else ""
    for below, entry in bucket.metadata.items():
        if below != path and below.startswith(prefix) and entry.key:
            edit.set_key(below, dcrypto.key_text(dcrypto.generate_key()))
