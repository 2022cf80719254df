"""Trees as nobody pushes them: blocks made by hand and put straight into a hub's store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textile_aio import Cid
from textile_aio.localhub import LocalHub
from textile_aio.unixfs import dagpb, fsnode
from textile_aio.unixfs.block import Block
from textile_aio.unixfs.fsnode import FSNode, NodeType
from textile_aio.unixfs.importer import FileImporter

RAW, DAG_PB = 0x55, 0x70

Named = tuple[bytes, Block | Cid, int | None]
"""Name, child and claimed size; None for the child's block size."""


async def store(hub: LocalHub, blocks: Iterable[Block]) -> None:
    """Put blocks into the store of a hub in this process, as if a push had brought them."""
    assert hub._blocks is not None
    async with hub._blocks.batch(keep=True) as batch:
        await batch.put(blocks)


def raw(content: bytes) -> Block:
    """A file of one raw leaf."""
    return Block.of(RAW, content)


def node(data: bytes | None, links: Sequence[Named] = (), *, version: int = 1, sort: bool = True) -> Block:
    """A dag-pb block of any data."""
    made = []
    for name, child, size in links:
        cid = child if isinstance(child, Cid) else child.cid
        known = len(child.data) if isinstance(child, Block) else 0
        made.append(dagpb.Link(name, cid, known if size is None else size))
    if sort:
        encoded = dagpb.encode(made, data)
    else:
        encoded = b"".join(map(dagpb.encode_link, made)) + (b"" if data is None else dagpb.encode_data(data))
    return Block.of(DAG_PB, encoded, cid_version=version, links=tuple(link.cid for link in made))


def folder(*links: Named, version: int = 1) -> Block:
    """A directory."""
    return node(fsnode.DIRECTORY_DATA, links, version=version)


def unixfs(type_: NodeType, links: Sequence[Named] = (), **fields: object) -> Block:
    """A UnixFS node whose fields need not agree with its links."""
    return node(fsnode.encode(FSNode(type_, **fields)), links)  # type: ignore[arg-type]


def chunked(content: bytes) -> list[Block]:
    """A file in several blocks; its root is the last."""
    importer = FileImporter()
    blocks = importer.feed(content)
    _, rest = importer.finish()
    return blocks + rest
