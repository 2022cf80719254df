"""A tree of directories being edited: paths in, changed blocks out.

This module owns lazily loaded directories and which of them have to be written again. It refuses to know
where blocks are kept and whether they are encrypted there: it asks a function for readable ones and hands
back what it made, sealed by another function where there is one. Files are opaque.

The rules are those of a bucket's content (spec: buckets-api §6): parents come into being as needed, in
public buckets as CIDv0; a directory that exists keeps its version; a file pushed over a directory
replaces it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import NamedTuple

from textile_aio._codec.cid import DAG_PB, Cid
from textile_aio.errors import InvalidPath, NotADirectory, PathNotFound
from textile_aio.unixfs.block import Block, BytesLike
from textile_aio.unixfs.directory import NO_SUCH_LINK, NOT_A_DIRECTORY, Directory, Entry, encode_name
from textile_aio.unixfs.fsnode import NodeType
from textile_aio.unixfs.resolve import no_link_named, resolve
from textile_aio.unixfs.stat import Stat


class Tree:
    """A directory tree under one root, for any number of edits and commits.

    Loads only the directories on the paths that are edited, keeps them, and encodes again only those that
    changed. Every operation first reads and then changes: whatever ``get`` raises leaves the tree as it
    was, so the call can be repeated once the missing block is at hand.

    A path is a sequence of names; the empty one is the root.

    Args:
        root: The root, a directory in one block.
        get: Gives a block's readable bytes by its CID; trusted to give the right ones. It may be asked
            for the blocks of earlier commits.
        new_folder_version: CID version of directories that come into being on the way to a path: 0 in
            public buckets, 1 in private ones.
        seal: Turns a directory's block into the one that is stored in its place and linked to, as private
            buckets do (spec: buckets-api §7). Its links are for the collector, so they should stay. What
            it makes counts in parents as one block, without anything below.

    Raises:
        NotADirectory: The root is something else.
        Unimplemented: It is a sharded directory. Edits below one raise this, too.
        IntegrityError: A block is malformed. Edits that meet one raise this, too.
    """

    __slots__ = ("_get", "_new_folder_version", "_readable", "_root", "_seal", "_unsaved")

    def __init__(
        self,
        root: Cid,
        get: Callable[[Cid], BytesLike],
        *,
        new_folder_version: int = 0,
        seal: Callable[[Block], Block] | None = None,
    ) -> None:
        self._get = get
        self._new_folder_version = new_folder_version
        self._seal = seal
        # Blocks made since the last commit, by address, and what ``get`` would say of them.
        self._unsaved: dict[Cid, Block] = {}
        self._readable: dict[Cid, BytesLike] = {}
        self._root = self._load(root, 0)

    @property
    def root(self) -> Cid:
        """The root as edited so far. No blocks are made for it, except where they are sealed."""
        self._update()
        return self._root.cid

    @property
    def cumulative_size(self) -> int:
        """Bytes of the whole tree as edited so far, the root counted unsealed."""
        self._update()
        return self._root.directory.cumulative_size

    def lookup(self, path: Sequence[str]) -> Stat:
        """What is at ``path`` in the tree as edited so far.

        Directories that have changed are encoded for it; their blocks come with the next :meth:`commit`,
        also if later edits make them superfluous.

        Raises:
            PathNotFound: ``no link named "<name>" under <cid>``, for the first name that is not there.
        """
        self._make_all()
        folder, depth = self._root, 0
        while depth < len(path) and path[depth] in folder.children:
            folder = folder.children[path[depth]]
            depth += 1
        if depth == len(path):
            return folder.stat()
        entry = folder.directory.get(path[depth])
        if entry is None:
            raise no_link_named(path[depth], folder.cid)
        return resolve(entry.cid, path[depth + 1 :], self._block, tsize=entry.tsize)

    def link(self, path: Sequence[str]) -> Entry:
        """The link to what is at ``path``, as its directory holds it.

        Args:
            path: At least one name.

        Raises:
            PathNotFound: As :meth:`lookup`.
        """
        self.lookup(path)
        spine, _ = self._descend(path[:-1])
        entry = spine[-1].directory.get(path[-1])
        if entry is None:
            raise no_link_named(path[-1], spine[-1].cid)
        return entry

    def check_parents(self, path: Sequence[str]) -> None:
        """Refuse a path that nothing can be put at.

        Raises:
            NotADirectory: A parent is a file: ``expected protobuf dag node``.
        """
        self._descend(path[:-1])

    def set_path(self, path: Sequence[str], cid: Cid, tsize: int) -> None:
        """Put a node at ``path``, in place of whatever is there; make missing parents.

        Args:
            path: At least one name.
            cid: The node: a file or a directory.
            tsize: Its cumulative size.

        Raises:
            NotADirectory: A parent is a file: ``expected protobuf dag node``.
            InvalidPath: The path is empty, or a name in it is not allowed.
            InvalidInput: ``tsize`` is not a size.
        """
        if not path:
            raise InvalidPath("the root itself cannot be set, only what is in it")
        for name in path:
            encode_name(name)
        spine, missing = self._descend(path[:-1])
        branch = [_Folder.new(self._new_folder_version) for _ in missing]
        # Whatever is refused is refused here, before the new branch is attached.
        last = branch[-1] if branch else spine[-1]
        last.directory.set(path[-1], cid, tsize)
        last.forget(path[-1])
        for name, folder in zip(missing, branch, strict=True):
            spine[-1].attach(name, folder)
            spine.append(folder)
        self._mark(path, spine)

    def remove_path(self, path: Sequence[str]) -> None:
        """Remove what is at ``path``. Parents stay, even if nothing is left in them.

        Raises:
            PathNotFound: Nothing is there, or the path is empty: ``no link by that name``.
            NotADirectory: A parent is a file: ``expected protobuf dag node``.
        """
        if not path:
            raise PathNotFound(NO_SUCH_LINK)
        spine, missing = self._descend(path[:-1])
        if missing:
            raise PathNotFound(NO_SUCH_LINK, about="/".join(path))
        spine[-1].directory.remove(path[-1])
        spine[-1].forget(path[-1])
        self._mark(path, spine)

    def commit(self) -> tuple[Cid, list[Block]]:
        """Encode what changed; return the root and the blocks made since the last commit, children first.

        Store the blocks before the root is published. The tree stays usable.

        Raises:
            InvalidInput: Sizes add up beyond 2^63-1.
        """
        self._make_all()
        blocks = list(self._unsaved.values())
        self._unsaved.clear()
        self._readable.clear()
        return self._root.cid, blocks

    def _block(self, cid: Cid) -> BytesLike:
        unsaved = self._readable.get(cid)
        return self._get(cid) if unsaved is None else unsaved

    def _load(self, cid: Cid, tsize: int) -> _Folder:
        if cid.codec != DAG_PB:
            raise NotADirectory(NOT_A_DIRECTORY, about=str(cid))
        directory = Directory.decode(self._block(cid))
        return _Folder(directory, cid, tsize, made=_Made(directory.address(cid.version), cid, tsize))

    def _descend(self, path: Sequence[str]) -> tuple[list[_Folder], Sequence[str]]:
        """The folders from the root along ``path``, and those of its names that do not exist yet."""
        spine = [self._root]
        for depth, name in enumerate(path):
            folder = spine[-1]
            child = folder.children.get(name)
            if child is None:
                entry = folder.directory.get(name)
                if entry is None:
                    return spine, path[depth:]
                child = folder.children[name] = self._load(entry.cid, entry.tsize)
            spine.append(child)
        return spine, ()

    @staticmethod
    def _mark(path: Sequence[str], spine: Sequence[_Folder]) -> None:
        """Note that the last folder of ``spine`` changed, and therefore all above it."""
        for marks in (_STALE, _UNMADE):
            marks(spine[-1]).own = True
            for folder, name in zip(spine[:-1], path, strict=False):
                marks(folder).own = True
                marks(folder).children.add(name)

    def _update(self) -> None:
        """Bring links and addresses up to date."""
        for folder in _bottom_up(self._root, _STALE):
            folder.relink()
            if self._seal is None:
                folder.readdress()
            else:
                self._make(folder)

    def _make_all(self) -> None:
        """Make the blocks that are missing."""
        self._update()
        for folder in _bottom_up(self._root, _UNMADE):
            self._make(folder)

    def _make(self, folder: _Folder) -> None:
        folder.unmade.clear()
        block = folder.directory.encode(folder.version)
        if folder.made is not None and block.cid == folder.made.readable:
            return
        if self._seal is not None and folder.made is not None:
            # Sealed blocks are never made twice, so nobody else links to the one that is superseded.
            self._unsaved.pop(folder.made.cid, None)
            self._readable.pop(folder.made.cid, None)
        stored = block if self._seal is None else self._seal(block)
        folder.cid = stored.cid
        folder.tsize = folder.directory.cumulative_size if stored is block else len(stored.data)
        folder.made = _Made(block.cid, folder.cid, folder.tsize)
        self._unsaved[stored.cid] = stored
        self._readable[stored.cid] = block.data


class _Made(NamedTuple):
    """A folder's last block: its address before sealing, and what a link to it says."""

    readable: Cid
    cid: Cid
    tsize: int


class _Marks:
    """Whether something is to be done about a folder, and below which of its children."""

    __slots__ = ("children", "own")

    def __init__(self) -> None:
        self.own = False
        self.children: set[str] = set()

    def clear(self) -> None:
        self.own = False
        self.children.clear()


class _Folder:
    """A directory in memory: its entries, which children are loaded, what is to be done about it.

    Attributes:
        cid: What a link to it says, as ``tsize``; out of date while it is stale.
        made: The last block of it; None if there never was one.
        stale: It was edited, or links to children are out of date.
        unmade: There may be no block yet of what it is now.
    """

    __slots__ = ("children", "cid", "directory", "made", "stale", "tsize", "unmade", "version")

    def __init__(self, directory: Directory, cid: Cid, tsize: int, *, made: _Made | None) -> None:
        self.directory = directory
        self.cid = cid
        self.tsize = tsize
        self.version = cid.version
        self.made = made
        self.children: dict[str, _Folder] = {}
        self.stale = _Marks()
        self.unmade = _Marks()

    @classmethod
    def new(cls, version: int) -> _Folder:
        directory = Directory()
        return cls(directory, directory.address(version), 0, made=None)

    def stat(self) -> Stat:
        directory = self.directory
        return Stat(self.cid, NodeType.DIRECTORY, directory.cumulative_size, None, len(directory))

    def attach(self, name: str, child: _Folder) -> None:
        self.directory.set(name, child.cid, child.tsize)
        self.children[name] = child

    def forget(self, name: str) -> None:
        """Drop what was loaded or changed below ``name``."""
        self.children.pop(name, None)
        self.stale.children.discard(name)
        self.unmade.children.discard(name)

    def relink(self) -> None:
        """Bring the links to children up to date."""
        for name in self.stale.children:
            child = self.children[name]
            self.directory.set(name, child.cid, child.tsize)
        self.stale.clear()

    def readdress(self) -> None:
        """Say what a link has to say of it, where blocks are not sealed."""
        address = self.directory.address(self.version)
        if self.made is not None and address == self.made.readable:
            _, self.cid, self.tsize = self.made  # a foreign size of it is kept
        else:
            self.cid, self.tsize = address, self.directory.cumulative_size


_STALE: Callable[[_Folder], _Marks] = attrgetter("stale")
_UNMADE: Callable[[_Folder], _Marks] = attrgetter("unmade")


def _bottom_up(root: _Folder, marks: Callable[[_Folder], _Marks]) -> list[_Folder]:
    """The marked folders of a tree, children before parents."""
    found: list[_Folder] = []
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        if marks(folder).own:
            found.append(folder)
            waiting += [folder.children[name] for name in marks(folder).children]
    return found[::-1]
