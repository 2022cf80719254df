"""Reading a directory tree by paths and by listings.

This module owns the walk from a root along names. It refuses to fetch: blocks come from a function. What
that function raises passes through, and the call can be repeated once the missing block is at hand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textile_aio._codec.cid import DAG_PB, RAW, Cid
from textile_aio.errors import NotADirectory, PathNotFound
from textile_aio.unixfs import dagpb, directory, fsnode, hamt
from textile_aio.unixfs.block import BytesLike
from textile_aio.unixfs.directory import NOT_A_DIRECTORY, Entry, lookup_key
from textile_aio.unixfs.fsnode import NodeType
from textile_aio.unixfs.stat import Stat, node_stat, raw_stat, stat


def no_link_named(name: str, cid: Cid) -> PathNotFound:
    """The error for a name that is not in a node, with the daemon's text (spec: buckets-api §2)."""
    return PathNotFound(f'no link named "{name}" under {cid}', about=name)


def resolve(
    root: Cid, path: Sequence[str], get: Callable[[Cid], BytesLike], *, tsize: int | None = None
) -> Stat:
    """What is at ``path`` below ``root``, through directories in one block and sharded ones alike.

    Args:
        root: Where the path starts; any node.
        path: Names; none of them for the root itself.
        get: Gives a block's bytes by its CID; trusted to give the right ones.
        tsize: Cumulative size of ``root`` if a link has told: spares reading a raw leaf.

    Raises:
        PathNotFound: ``no link named "<name>" under <cid>``, for the first name that is not there.
            Files have nothing below them.
        IntegrityError: A block on the way is malformed.
    """
    cid = root
    for name in path:
        _, cid, tsize = step(cid, name, get)
    if cid.codec == RAW and tsize is not None:
        return raw_stat(cid, tsize)
    return stat(cid, get(cid))


def step(cid: Cid, name: str, get: Callable[[Cid], BytesLike]) -> Entry:
    """The entry called ``name`` of the node ``cid``. Raises as :func:`resolve`."""
    entry = find(cid, name, get)
    if entry is None:
        raise no_link_named(name, cid)
    return entry


def find(cid: Cid, name: str, get: Callable[[Cid], BytesLike]) -> Entry | None:
    """The entry called ``name`` of the node ``cid``; None if it has none or is no directory."""
    if cid.codec != DAG_PB:
        return None
    block = get(cid)
    node = dagpb.columns(block)
    kind = fsnode.of(node).type
    if kind is NodeType.HAMT_SHARD:
        return hamt.find(dagpb.decode(block), name, get)
    if kind is not NodeType.DIRECTORY:
        return None
    try:
        at = node.names.index(lookup_key(name))
    except ValueError:
        return None
    return Entry(name, Cid.from_bytes(node.cids[at]), node.tsizes[at])


def entries(cid: Cid, get: Callable[[Cid], BytesLike]) -> list[Entry]:
    """The entries of the directory ``cid``, sorted bytewise by name.

    Raises:
        NotADirectory: It is something else.
        IntegrityError: A block is malformed.
    """
    found, below = listing(cid, get)
    if not found.is_dir:
        raise NotADirectory(NOT_A_DIRECTORY, about=str(cid))
    return below


def listing(
    cid: Cid, get: Callable[[Cid], BytesLike], *, tsize: int | None = None
) -> tuple[Stat, list[Entry]]:
    """What a node is, and the entries of a directory, out of one look at its block.

    Args:
        cid: The node.
        get: As for :func:`resolve`, as is ``tsize``.
        tsize: What a link has told.

    Raises:
        IntegrityError: A block is malformed.
    """
    if cid.codec != DAG_PB:
        return resolve(cid, (), get, tsize=tsize), []
    block = get(cid)
    node = dagpb.columns(block)
    found = node_stat(cid, node, len(block))
    if found.type is NodeType.HAMT_SHARD:
        return found, hamt.entries(dagpb.decode(block), get)
    return found, directory.entries(node) if found.is_dir else []
