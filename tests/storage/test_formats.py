"""Files of older formats are brought forward, with everything in them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.storage.rows import OTHER, log, thread
from textile_aio.storage.changes import (
    Batch,
    CreateThread,
    PutDocument,
    PutIndex,
    PutLog,
    PutRecord,
    SetHead,
)
from textile_aio.storage.sqlite import SqliteStore
from textile_aio.storage.values import ChangeKind, Collection, Document, Entry, Index, LogRecord, ThreadLog

FORMAT_1 = Path(__file__).with_name("format_1.sql")
ADDED = ("record", "idx", "entry", "claim")


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A file as format 1 left it."""
    path = tmp_path / "hub.db"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(FORMAT_1.read_text("utf-8"))
    connection.close()
    return path


def layout(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every table's and index's columns."""
    connection = sqlite3.connect(path)
    names = connection.execute("SELECT type, name FROM sqlite_master ORDER BY name").fetchall()
    found = {name: connection.execute(f"PRAGMA {kind}_xinfo('{name}')").fetchall() for kind, name in names}
    connection.close()
    return found


def test_a_file_of_format_1_has_the_tables_of_a_new_one_afterwards(old: Path, tmp_path: Path) -> None:
    before = layout(old)
    assert not set(ADDED) & set(before)
    SqliteStore.open(old).close()
    SqliteStore.open(tmp_path / "new.db").close()
    assert layout(old) == layout(tmp_path / "new.db")


def test_a_file_of_format_1_keeps_its_rows(old: Path) -> None:
    store = SqliteStore.open(old)
    assert store.read(lambda v: v.collections(b"\x01")) == [Collection(b"\x01", "Dogs", b"{}")]
    assert store.read(lambda v: list(v.scan(b"\x01", "Dogs"))) == [Document(b"a", b"{}")]
    assert store.read(lambda v: [each.sequence for each in v.changes_after(b"\x01", 0, limit=9)]) == [41]
    assert store.read(lambda v: v.blocks([b"\xc1"])[b"\xc1"].data) == b"abc"
    kennel, other = store.read(lambda v: v.databases())
    assert (kennel.name, kennel.sequence, kennel.oldest, other.sequence) == ("kennel", 41, 0, 0)
    assert len({kennel.incarnation, other.incarnation, b""}) == 3
    store.close()


def test_of_the_logs_of_one_writer_the_first_goes_on(old: Path) -> None:
    store = SqliteStore.open(old)
    assert store.read(lambda v: v.logs(b"\x01")) == [
        ThreadLog(b"\x01", b"\x10", b"\xcc", b"\xdd", b"\xee", True, b"", 0),
        ThreadLog(b"\x01", b"\x11", b"\xcc", None, b"", True, b"", 0),
        ThreadLog(b"\x01", b"\x12", b"\xcc", b"\xdd", b"", True, b"", 0),
        ThreadLog(b"\x01", b"\x14", b"\xcc", None, b"", True, b"", 0),
    ]
    assert store.read(lambda v: [each.identity for each in v.logs(b"\x02")]) == [b"\xee"]
    store.close()


def test_a_file_of_format_1_goes_on_as_any_other(old: Path) -> None:
    store = SqliteStore.open(old)
    record = LogRecord(b"\x01", b"cid", b"\x10", 1, b"r", b"e", b"h", b"b")
    write = (
        PutIndex("Dogs", "name", True, True),
        PutDocument("Dogs", b"b", b"{}", ChangeKind.CREATE, add=(Entry("name", b"Rex", b"rex"),)),
        PutRecord(record),
        SetHead(b"\x01", b"\x10", b"cid", 1, b""),
        CreateThread(thread(OTHER)),
        PutLog(log(b"l", OTHER)),
    )
    assert store.apply([Batch(write, database=b"\x01", expect=41)]) == [None]
    store.close()
    store = SqliteStore.open(old)
    assert store.read(lambda v: v.indexes(b"\x01", "Dogs")) == [Index("Dogs", "name", True, True)]
    assert store.read(lambda v: v.claimant(b"\x01", "Dogs", "name", b"rex")) == b"b"
    assert store.read(lambda v: v.record(b"\x01", b"cid")) == record
    found = store.read(lambda v: v.log_of(b"\x01", b"\xee"))
    assert found is not None
    assert (found.head, found.counter) == (b"cid", 1)
    store.close()
