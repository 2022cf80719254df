"""What a collection needs when its class has changed: finding instances that do not fit, and rewriting all.

Owns the two walks over a collection. They are given a transaction, or what reads and verifies, and send
nothing by themselves.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterable, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from textile_aio.errors import InvalidInput, SchemaViolation, WriteDenied
from textile_aio.threads.decoding import decode
from textile_aio.threads.transactions import WriteTransaction
from textile_aio.threads.typed.codec import ID, MODIFIED, Codec, codec_of

T = TypeVar("T")
Document = dict[str, Any]

_MOST = 200  # documents in a message
_BYTES = 1024 * 1024  # and their size, a quarter of what a message may have


@dataclass(frozen=True, slots=True)
class Unfit:
    """An instance that does not fit the class of its collection.

    Attributes:
        id: Its id.
        reason: What is wrong with it.
    """

    id: str
    reason: str


async def migrate(
    txn: WriteTransaction,
    codec: Codec[T],
    change: Callable[[Any], T | Mapping[str, Any]],
    source: type[Any] | None,
) -> int:
    """Rewrite all instances; see :meth:`textile_aio.Collection.migrate`."""
    read = codec_of(source).load_document if source is not None else None
    changed = 0
    async with txn:
        batch = _Batch()
        async for row in txn.find_iter(as_=bytes):
            document = _without_modified(decode(row))
            before = _canonical(document)
            id_ = str(document.get(ID, ""))
            after = _result(codec, change(read(document) if read else document), id_)
            if _canonical(after) == before:
                continue
            changed += 1
            if batch.add(after, len(row)):
                await _save(txn, batch.take())
        await _save(txn, batch.take())
    return changed


async def check(
    rows: AsyncIterable[bytes],
    codec: Codec[Any],
    verify: Callable[[list[Document]], Awaitable[None]],
    limit: int,
) -> list[Unfit]:
    """Find instances that do not fit; see :meth:`textile_aio.Collection.check_schema`."""
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
        raise InvalidInput(f"the limit is how many to name at most, at least 1, not {limit!r:.40}")
    found: list[Unfit] = []
    batch = _Batch()
    async for row in rows:
        if batch.add(_without_modified(decode(row)), len(row)):
            found += await _unfit(batch.take(), codec, verify, limit - len(found))
            if len(found) >= limit:
                return found
    return found + await _unfit(batch.take(), codec, verify, limit - len(found))


async def _unfit(
    documents: list[Document],
    codec: Codec[Any],
    verify: Callable[[list[Document]], Awaitable[None]],
    limit: int,
) -> list[Unfit]:
    """Those of some documents that do not fit. The hub does not say which, so halves are asked for."""
    found: list[Unfit] = []
    waiting = [documents] if documents else []
    while waiting and len(found) < limit:
        part = waiting.pop()
        try:
            await verify(part)
        except (SchemaViolation, WriteDenied) as refusal:
            if len(part) > 1:
                middle = len(part) // 2
                waiting += [part[middle:], part[:middle]]  # the first half is next
                continue
            if isinstance(refusal, SchemaViolation):
                found.append(Unfit(str(part[0].get(ID, "")), refusal.message))
                continue
        for document in part:
            try:
                codec.load_document(document)
            except SchemaViolation as misfit:
                found.append(Unfit(str(document.get(ID, "")), misfit.message))
    return found[:limit]


async def _save(txn: WriteTransaction, documents: list[Document]) -> None:
    if not documents:
        return
    try:
        await txn.save(documents)
    except SchemaViolation as refusal:
        for document in documents:  # which of them it was, the hub does not say
            try:
                await txn.verify([document])
            except SchemaViolation as named:
                raise SchemaViolation(
                    named.message, code=named.code, method=named.method, about=str(document[ID])
                ) from refusal
            except WriteDenied:
                continue
        raise


def _result(codec: Codec[T], result: T | Mapping[str, Any], id_: str) -> Document:
    """What a change returned, as a document that is an object of the class."""
    if isinstance(result, codec.kind):
        document: Document = decode(codec.dump(result))
    elif isinstance(result, Mapping):
        document = _without_modified(dict(result))
        codec.load_document(document)
    else:
        raise InvalidInput(
            f"the change has to return a {codec.kind.__name__} or a dictionary for each instance, "
            f"not {type(result).__name__}",
            about=id_,
        )
    if document.get(ID) != id_:
        raise InvalidInput(
            f"the change gives the instance another id, {document.get(ID)!r:.80}; ids stay, so create "
            "another instance and delete this one",
            about=id_,
        )
    return document


def _without_modified(document: Document) -> Document:
    return {name: value for name, value in document.items() if name != MODIFIED}


def _canonical(document: Document) -> str:
    """A text that is the same for the same document; 1, 1.0 and True, equal in Python, differ."""
    return json.dumps(document, sort_keys=True)


class _Batch:
    """Documents for one message."""

    def __init__(self) -> None:
        self._documents: list[Document] = []
        self._size = 0

    def add(self, document: Document, size: int) -> bool:
        """Take a document of about so many bytes; returns whether it is time to send."""
        self._documents.append(document)
        self._size += size
        return len(self._documents) >= _MOST or self._size >= _BYTES

    def take(self) -> list[Document]:
        """What there is, and begin anew."""
        documents, self._documents, self._size = self._documents, [], 0
        return documents
