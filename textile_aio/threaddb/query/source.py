"""What a query reads from: one collection on one snapshot, through the eyes of one reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from textile_aio.storage.values import Document

Visible = Callable[[bytes], bytes | None]
"""From a stored document to what its reader may see; None if that is nothing."""


class Source(Protocol):
    """A collection and its indexes. Iterators read as they are iterated, and end with the snapshot.

    A document's id is the UTF-8 of its ``_id``. An index has one entry for every document whose value at the
    index's path has an order key, under that key; a unique one also has its claim (``keys.py``).
    """

    def scan(
        self, *, low: bytes = b"", high: bytes | None = None, reverse: bool = False
    ) -> Iterator[Document]:
        """The documents with ``low <= id < high``, by id."""
        ...

    def entries(
        self, path: str, *, low: bytes = b"", high: bytes | None = None, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        """Order key and id of an index's entries with ``low <= key < high``, by both."""
        ...

    def claimant(self, path: str, claim: bytes) -> bytes | None:
        """The id of the document that holds a claim in a unique index."""
        ...

    def document(self, id: bytes) -> bytes | None:  # noqa: A002
        """A document's body."""
        ...
