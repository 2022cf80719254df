"""Queries over one collection on one snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from textile_aio.errors import MessageTooLarge, StatusCode
from textile_aio.storage.store import View
from textile_aio.storage.values import Document
from textile_aio.threaddb.collections import Collection
from textile_aio.threaddb.instances import Committed, Reader
from textile_aio.threaddb.query import Plan, Query, plan, run


def committed(view: View, database: bytes, collection: str) -> Committed:
    """Looks up committed documents by id."""
    return lambda id_: view.document(database, collection, id_.encode("utf-8", "surrogatepass"))


@dataclass(slots=True)
class CollectionSource:
    """A collection as the query runner reads it. ``documents_read`` counts what it was given.

    With ``counts``, only the documents for which that is true are counted.
    """

    view: View
    database: bytes
    name: str
    documents_read: int = 0
    counts: Callable[[bytes], bool] | None = None

    def scan(
        self, *, low: bytes = b"", high: bytes | None = None, reverse: bool = False
    ) -> Iterator[Document]:
        """See ``query.Source``."""
        for document in self.view.scan(self.database, self.name, low=low, high=high, reverse=reverse):
            self._count(document.body)
            yield document

    def entries(
        self, path: str, *, low: bytes = b"", high: bytes | None = None, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        """See ``query.Source``."""
        return self.view.entries(self.database, self.name, path, low=low, high=high, reverse=reverse)

    def claimant(self, path: str, claim: bytes) -> bytes | None:
        """See ``query.Source``."""
        return self.view.claimant(self.database, self.name, path, claim)

    def document(self, id: bytes) -> bytes | None:  # noqa: A002
        """See ``query.Source``."""
        body = self.view.document(self.database, self.name, id)
        self._count(body)
        return body

    def _count(self, body: bytes | None) -> None:
        if self.counts is None or (body is not None and self.counts(body)):
            self.documents_read += 1


def find(
    view: View, database: bytes, collection: Collection, query: Query, reader: Reader, *, limit_bytes: int
) -> list[bytes]:
    """The instances that match, as the reader sees them.

    Raises:
        MessageTooLarge: They take more than ``limit_bytes`` together; no more than that is held.
    """
    source = CollectionSource(view, database, collection.name)
    found: list[bytes] = []
    size = 0
    for document in _run(source, collection, query, reader):
        size += len(document) + _FRAMING
        if size > limit_bytes:
            raise MessageTooLarge(
                f"the result is larger than a message may be ({limit_bytes} bytes); ask for pages, "
                "ordered by _id, with a limit and a seek",
                code=StatusCode.RESOURCE_EXHAUSTED,
                about=collection.name,
            )
        found.append(document)
    return found


def count(view: View, database: bytes, collection: Collection, query: Query, reader: Reader) -> int:
    """How many instances :func:`find` would give. Holds none of them."""
    source = CollectionSource(view, database, collection.name)
    return sum(1 for _ in _run(source, collection, query, reader))


def explain(
    view: View, database: bytes, collection: Collection, query: Query, reader: Reader
) -> dict[str, Any]:
    """How a query is answered: by which index, and how many documents were read for how many results.

    What the reader may not see is not counted: an index of a hidden field would tell how many have a value.
    """
    source = CollectionSource(view, database, collection.name)
    if collection.config.read_filter:
        source.counts = lambda document: reader.visible(collection, document) is not None
    chosen = plan(query, collection.indexes, source)
    matched = sum(1 for _ in _run(source, collection, query, reader, chosen))
    return {**chosen.describe(), "read": source.documents_read, "matched": matched}


_FRAMING = 5
"""Bytes around an instance in a message, at most: tag and length."""


def _run(
    source: CollectionSource,
    collection: Collection,
    query: Query,
    reader: Reader,
    chosen: Plan | None = None,
) -> Iterator[bytes]:
    return run(
        query,
        chosen or plan(query, collection.indexes, source),
        source,
        lambda document: reader.visible(collection, document),
    )
