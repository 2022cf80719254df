"""UnixFS: files and directories as content-addressed blocks, in both directions.

Everything here is a function on bytes: blocks are asked for and handed out, never fetched or stored, so the
same code serves the hub, local folders and tests. Layout and texts follow go-ipfs 0.8 (spec: buckets-api §6).
"""

from __future__ import annotations

from textile_aio.unixfs.block import Block, BytesLike
from textile_aio.unixfs.directory import Directory, Entry
from textile_aio.unixfs.exporter import FileExporter
from textile_aio.unixfs.fsnode import NodeType
from textile_aio.unixfs.importer import CHUNK_SIZE, FileImporter, FileNode
from textile_aio.unixfs.resolve import entries, resolve
from textile_aio.unixfs.stat import Stat, stat
from textile_aio.unixfs.tree import Tree

__all__ = [
    "CHUNK_SIZE",
    "Block",
    "BytesLike",
    "Directory",
    "Entry",
    "FileExporter",
    "FileImporter",
    "FileNode",
    "NodeType",
    "Stat",
    "Tree",
    "entries",
    "resolve",
    "stat",
]
