"""How many bytes the hub stores in some threads: documents of their databases, and blocks of their buckets.

Counted from the store itself, in steps between which others get their turn, so that what changes meanwhile
may be counted or not. A block that several of the buckets share is counted once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from textile_aio._codec.cid import Cid
from textile_aio.errors import InvalidInput
from textile_aio.localhub.buckets.collection import COLLECTION
from textile_aio.storage.runner import StoreRunner
from textile_aio.storage.store import View
from textile_aio.storage.values import Document

_DOCUMENTS = 1000
_BLOCKS = 500
"""Looked at in one step."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What is stored, in bytes."""

    documents: int
    blocks: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.documents + self.blocks


async def stored_in(store: StoreRunner, threads: Iterable[bytes]) -> Stored:
    """What is stored in threads. Takes as long as there are documents and blocks in them."""
    documents = 0
    roots: set[bytes] = set()
    for thread in threads:
        for name in await store.read(lambda view: [row.name for row in view.collections(thread)]):  # noqa: B023
            cursor: bytes | None = b""
            while cursor is not None:
                page = await store.scan(lambda view: _page(view, thread, name, cursor or b""))  # noqa: B023
                documents += sum(len(each.body) for each in page)
                if name == COLLECTION:
                    roots.update(root for each in page if (root := _root(each.body)) is not None)
                cursor = page[-1].id + b"\0" if len(page) == _DOCUMENTS else None
    return Stored(documents, await _below(store, roots))


async def _below(store: StoreRunner, roots: set[bytes]) -> int:
    """Bytes of all blocks that are reached from roots."""
    seen, waiting, size = set(roots), list(roots), 0
    while waiting:
        some = [waiting.pop() for _ in range(min(_BLOCKS, len(waiting)))]
        for length, links in (await store.scan(lambda view: view.block_links(some))).values():  # noqa: B023
            size += length
            for link in links:
                if link not in seen:
                    seen.add(link)
                    waiting.append(link)
    return size


def _page(view: View, database: bytes, collection: str, cursor: bytes) -> Sequence[Document]:
    return list(islice(view.scan(database, collection, low=cursor), _DOCUMENTS))


def _root(body: bytes) -> bytes | None:
    """The root that a bucket's document names; None for what is no such document."""
    try:
        return Cid.parse(json.loads(body)["path"].removeprefix("/ipfs/")).bytes
    except (InvalidInput, ValueError, TypeError, AttributeError, KeyError):
        return None
