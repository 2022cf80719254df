"""A collection in memory as the query room reads it, and a reader that some documents are hidden from."""

from __future__ import annotations

import json
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from typing import Any

from textile_aio.storage.values import Document
from textile_aio.threaddb.query import IndexInfo, Query, plan, run
from textile_aio.threaddb.query.keys import claim, field, order_key


class Collection:
    """Documents and their index entries. Counts what was read, and of which kind."""

    def __init__(
        self, documents: Iterable[dict[str, Any]], *indexes: str, unique: Iterable[str] = ()
    ) -> None:
        self.bodies = {
            document["_id"].encode(): json.dumps(document).encode()
            for document in sorted(documents, key=lambda each: each["_id"].encode())
        }
        self.ids = list(self.bodies)
        unique = set(unique)
        self.indexes = [IndexInfo(path, path in unique) for path in (*indexes, *(unique - set(indexes)))]
        self.by_path: dict[str, list[tuple[bytes, bytes]]] = {index.path: [] for index in self.indexes}
        self.claims: dict[tuple[str, bytes], bytes] = {}
        for id_, body in self.bodies.items():
            for index in self.indexes:
                self._enter(index, id_, field(json.loads(body), index.path))
        self.documents_read = 0
        self.entries_read = 0

    def _enter(self, index: IndexInfo, id_: bytes, value: Any) -> None:
        key = order_key(value)
        if key is not None:
            insort(self.by_path[index.path], (key, id_))
        claimed = claim(value) if index.unique else None
        if claimed is not None:
            assert self.claims.setdefault((index.path, claimed), id_) == id_, "not unique"

    def scan(
        self, *, low: bytes = b"", high: bytes | None = None, reverse: bool = False
    ) -> Iterator[Document]:
        for id_ in _between(self.ids, low, high, reverse=reverse):
            self.documents_read += 1
            yield Document(id_, self.bodies[id_])

    def entries(
        self, path: str, *, low: bytes = b"", high: bytes | None = None, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        bounds = (low, b""), None if high is None else (high, b"")
        for entry in _between(self.by_path[path], *bounds, reverse=reverse):
            self.entries_read += 1
            yield entry

    def claimant(self, path: str, claim: bytes) -> bytes | None:
        return self.claims.get((path, claim))

    def document(self, id: bytes) -> bytes | None:  # noqa: A002
        self.documents_read += 1
        return self.bodies.get(id)

    def find(self, query: Query, *, hidden: Iterable[str] = ()) -> list[str]:
        """The ids of a query's results, in their order."""
        kept_back = {id_.encode() for id_ in hidden}

        def visible(body: bytes) -> bytes | None:
            id_: str = json.loads(body)["_id"]
            return None if id_.encode() in kept_back else id_.encode()

        found = run(query, plan(query, self.indexes, self), self, visible)
        return [id_.decode() for id_ in found]


def _between(ordered: list[Any], low: Any, high: Any, *, reverse: bool) -> Iterator[Any]:
    start = bisect_left(ordered, low)
    end = len(ordered) if high is None else max(bisect_left(ordered, high), start)
    positions = range(start, end)
    return (ordered[position] for position in (reversed(positions) if reverse else positions))
