"""Pages of a box against a model, and what they cost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textile_aio.errors import MessageTooLarge
from textile_aio.ids import ThreadID
from textile_aio.localhub.mail.boxes import BOXES, INBOX
from textile_aio.localhub.mail.message import StoredMessage, encode
from textile_aio.localhub.mail.page import MOST, Listing, Status, read_page
from textile_aio.storage.changes import Batch, CreateDatabase, CreateThread, PutDocument
from textile_aio.storage.memory import MemoryStore
from textile_aio.storage.values import ChangeKind, Document, Thread
from textile_aio.threaddb import management
from textile_aio.threaddb.collections import Collection

DB = bytes(ThreadID.random())
ROOM = 4 * 1024 * 1024
COLLECTION = Collection(BOXES[INBOX])

# Ids of few letters, so that many are neighbours; and some that are no ULIDs.
IDS = st.text(alphabet="0az", min_size=1, max_size=3)
BOXFUL = st.dictionaries(IDS, st.sampled_from([0, 0, 1, 5, 2**60 + 1, None]), max_size=25)


def message(id: str, read_at: int, body: bytes = b"x") -> StoredMessage:  # noqa: A002
    return StoredMessage(id, "from", "to", body, b"signature", 7, read_at)


def box(read_at: dict[str, int | None], *, indexed: bool = True, body: bytes = b"x") -> MemoryStore:
    """A box whose messages were read at some time; None for what is no message."""
    config = BOXES[INBOX] if indexed else replace(BOXES[INBOX], indexes=())
    operations: list[Any] = [CreateThread(Thread(DB, b"", b"", 1)), CreateDatabase(DB, "hubmail")]
    operations += management.additions(config)
    for id_, moment in read_at.items():
        raw = encode(message(id_, moment or 0, body), with_read_at=True)
        if moment is None:
            raw = raw.replace(b'"from"', b'"form"')
        entries = COLLECTION.entries(json.loads(raw)) if indexed else ()
        operations.append(PutDocument(INBOX, id_.encode(), raw, ChangeKind.CREATE, add=entries))
    store = MemoryStore()
    assert store.apply([Batch(tuple(operations), DB, 0)]) == [None]
    return store


def page(store: MemoryStore, listing: Listing, *, room: int = ROOM) -> list[str]:
    found = store.read(lambda view: read_page(view, DB, INBOX, listing, lambda body: body, limit_bytes=room))
    return [each.id for each in found]


def wanted(read_at: dict[str, int | None], listing: Listing) -> list[str]:
    """What a page holds, said simply."""
    ids = sorted(read_at, reverse=not listing.ascending)
    if listing.seek:
        ids = [each for each in ids if (each >= listing.seek if listing.ascending else each <= listing.seek)]
    matches: dict[Status, Callable[[int | None], bool]] = {
        Status.ALL: lambda moment: moment is not None,
        Status.READ: lambda moment: moment is not None and moment > 0,
        Status.UNREAD: lambda moment: moment == 0,
    }
    return [each for each in ids if matches[listing.status](read_at[each])][: listing.most]


@given(
    read_at=BOXFUL,
    seek=st.one_of(st.just(""), IDS),
    limit=st.integers(0, 6),
    ascending=st.booleans(),
    status=st.sampled_from(Status),
    indexed=st.booleans(),
)
def test_a_page_is_what_the_model_says(
    read_at: dict[str, int | None], seek: str, limit: int, ascending: bool, status: Status, indexed: bool
) -> None:
    listing = Listing(seek, limit, ascending=ascending, status=status)
    assert page(box(read_at, indexed=indexed), listing) == wanted(read_at, listing)


@given(read_at=BOXFUL, size=st.integers(1, 7), ascending=st.booleans(), status=st.sampled_from(Status))
def test_the_loop_of_upstreams_clients_sees_every_message_once(
    read_at: dict[str, int | None], size: int, ascending: bool, status: Status
) -> None:
    store, seek, seen = box(read_at), "", []
    while True:
        found = page(store, Listing(seek, size + 1, ascending=ascending, status=status))
        seen += found[:size]
        if len(found) <= size:
            break
        seek = found[size]
    everything = Listing(limit=MOST, ascending=ascending, status=status)
    assert seen == wanted(read_at, everything)


def test_a_page_that_does_not_fit_is_refused_and_never_cut() -> None:
    store = box({f"{number}": 0 for number in range(9)}, body=b"x" * 1000)
    with pytest.raises(MessageTooLarge, match="ask for fewer messages"):
        page(store, Listing(), room=5000)
    assert len(page(store, Listing(limit=4), room=5000)) == 4


class Counting:
    """A view that counts what is read of it."""

    def __init__(self, view: Any) -> None:
        self._view = view
        self.read = 0

    def scan(self, *arguments: Any, **options: Any) -> Iterator[Document]:
        return self._counted(self._view.scan(*arguments, **options))

    def entries(self, *arguments: Any, **options: Any) -> Iterator[tuple[bytes, bytes]]:
        return self._counted(self._view.entries(*arguments, **options))

    def _counted(self, rows: Iterator[Any]) -> Iterator[Any]:
        for row in rows:
            self.read += 1
            yield row

    def __getattr__(self, name: str) -> Any:
        return getattr(self._view, name)


def cost(store: MemoryStore, listing: Listing) -> int:
    def read(view: Any) -> int:
        counting: Any = Counting(view)
        read_page(counting, DB, INBOX, listing, lambda body: body, limit_bytes=ROOM)
        return int(counting.read)

    return store.read(read)


LARGE = {f"{number:05}": 0 if number % 2 else 1 for number in range(20_000)}
SPARSE_UNREAD = {f"{number:05}": 0 if number < 5 else 1 for number in range(20_000)}
SPARSE_READ = {f"{number:05}": 1 if number < 5 else 0 for number in range(20_000)}


@pytest.fixture(scope="module")
def large() -> MemoryStore:
    return box(dict(LARGE))


@pytest.mark.parametrize("seek", ["", "10000", "19999", "00010"])
@pytest.mark.parametrize("ascending", [True, False])
@pytest.mark.parametrize("status", Status)
def test_a_page_of_a_large_box_costs_what_is_on_it(
    large: MemoryStore, seek: str, ascending: bool, status: Status
) -> None:
    listing = Listing(seek, 5, ascending=ascending, status=status)
    assert cost(large, listing) <= 4 * 5 + 4


@pytest.mark.parametrize(("messages", "status"), [(SPARSE_UNREAD, Status.UNREAD), (SPARSE_READ, Status.READ)])
@pytest.mark.parametrize("ascending", [True, False])
def test_the_few_that_are_wanted_of_a_large_box_are_found_by_the_index(
    messages: dict[str, int | None], status: Status, ascending: bool
) -> None:
    store = box(dict(messages))
    listing = Listing(limit=5, ascending=ascending, status=status)
    assert page(store, listing) == wanted(dict(messages), listing)
    assert cost(store, listing) <= 30
