"""Directories of private buckets: encrypted, and wrapped as files that hold their content themselves.

Spec: buckets-api §7. The names inside are in clear; what their links point at is encrypted. The index keeps a
directory's links beside its block, so that a collector can walk without keys.
"""

from __future__ import annotations

from textile_aio import dcrypto
from textile_aio._codec.cid import DAG_PB, Cid
from textile_aio.unixfs import dagpb, fsnode
from textile_aio.unixfs.block import Block, BytesLike
from textile_aio.unixfs.fsnode import FSNode, NodeType


class DirectorySeal:
    """Seals and opens the directories of one bucket."""

    def __init__(self, link_key: bytes) -> None:
        self._key = link_key

    def seal(self, block: Block) -> Block:
        """The block that is stored in a directory's place. Another one each time."""
        sealed = dcrypto.encrypt(self._key, block.data)
        message = fsnode.encode(FSNode(NodeType.FILE, data=sealed, filesize=len(sealed)))
        return Block.of(DAG_PB, dagpb.encode((), message), links=block.links)

    def open(self, cid: Cid, data: BytesLike) -> bytes:
        """A stored block as it can be read: a directory in clear, anything else as it is.

        Raises:
            DecryptionFailed: It is a directory that was sealed with another key, or altered.
            IntegrityError: It is malformed.
        """
        if cid.codec != DAG_PB:
            return bytes(data)
        node = dagpb.decode(data)
        sealed = fsnode.of(node).data if not node.links else None
        return bytes(data) if sealed is None else dcrypto.decrypt(self._key, sealed)
