"""Content by the vectors' formula, and a store of blocks in memory."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

from textile_aio._codec.cid import Cid
from textile_aio.unixfs import Block, FileExporter, FileImporter, FileNode

PIECE = 262_144


@functools.cache
def _first_piece() -> bytes:
    return bytes((i * 31 + (i >> 8)) & 0xFF for i in range(65536)) * 4


def content(size: int) -> bytes:
    """Byte i = (i*31 + (i>>8) + (i>>18)*7) & 0xff: each piece is the first one with a constant added."""
    pieces = []
    for number in range(-(-size // PIECE)):
        shift = bytes((byte + 7 * number) & 0xFF for byte in range(256))
        pieces.append(_first_piece().translate(shift))
    return b"".join(pieces)[:size]


class Store:
    """Blocks by CID. As a function it is what trees and listings ask; it counts what it is asked."""

    def __init__(self, blocks: Iterable[Block] = ()) -> None:
        self.blocks: dict[Cid, bytes] = {}
        self.asked: list[Cid] = []
        self.add(blocks)

    def add(self, blocks: Iterable[Block]) -> None:
        for block in blocks:
            self.blocks[block.cid] = bytes(block.data)

    def __call__(self, cid: Cid) -> bytes:
        self.asked.append(cid)
        return self.blocks[cid]


def import_file(data: bytes, store: Store, **options: Any) -> FileNode:
    importer = FileImporter(**options)
    store.add(importer.feed(data))
    node, blocks = importer.finish()
    store.add(blocks)
    return node


def export(exporter: FileExporter, store: Store, *, batch: int = 16) -> bytes:
    out = bytearray()
    while not exporter.done:
        for piece in exporter.supply([store(cid) for cid in exporter.wants(batch)]):
            out += piece
    return bytes(out)
