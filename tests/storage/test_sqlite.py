from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.storage.rows import DB, document, new_database
from textile_aio.errors import DirectoryInvalid, UnsupportedFormat
from textile_aio.storage.changes import Batch, PutSetting
from textile_aio.storage.sqlite import SqliteStore, schema
from textile_aio.storage.store import StoreError, StoreFull


def setting(name: str, value: bytes) -> Batch:
    return Batch((PutSetting(name, value),))


def pragma(path: Path, name: str) -> Any:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]
    finally:
        connection.close()


def change(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()


def test_what_was_written_is_there_when_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    store = SqliteStore.open(path)
    store.apply([new_database(DB, document(b"a", b"body"))])
    store.close()
    store = SqliteStore.open(path)
    assert store.read(lambda v: v.document(DB, "Dogs", b"a")) == b"body"
    store.close()


def test_the_file_is_marked_as_ours_with_its_format(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    SqliteStore.open(path).close()
    assert pragma(path, "user_version") == schema.FORMAT
    assert pragma(path, "application_id") == schema.APPLICATION
    assert (pragma(path, "page_size"), pragma(path, "journal_mode")) == (16384, "wal")


def test_a_newer_format_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    SqliteStore.open(path).close()
    change(path, f"PRAGMA user_version = {schema.FORMAT + 1}")
    before = path.read_bytes()
    with pytest.raises(UnsupportedFormat, match="upgrade"):
        SqliteStore.open(path)
    assert path.read_bytes() == before


def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    change(path, "CREATE TABLE theirs (x)")
    before = path.read_bytes()
    with pytest.raises(DirectoryInvalid, match="another program"):
        SqliteStore.open(path)
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    path.write_bytes(b"not a database at all, and longer than a header is" * 100)
    with pytest.raises(DirectoryInvalid, match="cannot be opened"):
        SqliteStore.open(path)
    with pytest.raises(DirectoryInvalid, match="cannot be opened"):
        SqliteStore.open(tmp_path / "no" / "such" / "folder")


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    yield connection
    connection.close()


def old_format(connection: sqlite3.Connection, tmp_path: Path) -> None:
    schema.prepare(
        connection, tmp_path, tables=("CREATE TABLE a (x)", "INSERT INTO a VALUES (1)"), steps={}, newest=1
    )


def test_an_older_format_is_brought_forward_step_by_step(
    connection: sqlite3.Connection, tmp_path: Path
) -> None:
    old_format(connection, tmp_path)
    steps: dict[int, schema.Step] = {
        1: lambda c, _: c.execute("ALTER TABLE a ADD COLUMN y"),
        2: lambda c, _: c.execute("UPDATE a SET y = x + 1"),
    }
    schema.prepare(connection, tmp_path, tables=(), steps=steps, newest=3)
    assert connection.execute("SELECT x, y FROM a").fetchall() == [(1, 2)]
    assert connection.execute("PRAGMA user_version").fetchone() == (3,)


def test_a_migration_that_fails_leaves_the_older_format(
    connection: sqlite3.Connection, tmp_path: Path
) -> None:
    old_format(connection, tmp_path)
    steps: dict[int, schema.Step] = {
        1: lambda c, _: c.execute("UPDATE a SET x = 2"),
        2: lambda c, _: c.execute("UPDATE nothing SET x = 1"),
    }
    with pytest.raises(sqlite3.OperationalError):
        schema.prepare(connection, tmp_path, tables=(), steps=steps, newest=3)
    assert not connection.in_transaction
    assert connection.execute("SELECT x FROM a").fetchall() == [(1,)]
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)


def test_a_format_too_old_to_bring_forward_is_refused(connection: sqlite3.Connection, tmp_path: Path) -> None:
    old_format(connection, tmp_path)
    with pytest.raises(UnsupportedFormat, match="format 1 is too old"):
        schema.prepare(connection, tmp_path, tables=(), steps={2: lambda _, __: None}, newest=3)


def test_a_store_above_its_limit_is_full_and_goes_on_below_it(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path / "hub.db", fsync=False, max_bytes=2 * 1024 * 1024)
    store.apply([setting("before", b"1")])
    with pytest.raises(StoreFull):
        store.apply([setting("small", b"1"), setting("large", bytes(4 * 1024 * 1024))])
    assert store.read(lambda v: (v.setting("before"), v.setting("small"), v.setting("large"))) == (
        b"1",
        None,
        None,
    )
    with pytest.raises(StoreFull):
        store.apply([setting("large", bytes(4 * 1024 * 1024))])
    assert store.apply([setting("small", b"2")]) == [None]
    store.close()


def test_a_full_disk_applies_nothing_and_a_freed_one_goes_on(small_disk: Path) -> None:
    store = SqliteStore.open(small_disk / "hub.db")
    store.apply([setting("before", b"1")])
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
        while True:
            file.write(bytes(65536))
    with pytest.raises(StoreFull):
        for n in range(200):
            store.apply([setting(f"s{n}", bytes(60_000)), setting("last", b"%d" % n)])
    written = store.read(lambda v: v.setting("last"))
    count = 0 if written is None else int(written) + 1
    assert store.read(lambda v: [n for n in range(200) if v.setting(f"s{n}")]) == list(range(count))
    filler.unlink()
    assert store.apply([setting("after", b"2")]) == [None]
    store.close()
    store = SqliteStore.open(small_disk / "hub.db")
    assert store.read(lambda v: (v.setting("before"), v.setting("after"))) == (b"1", b"2")
    store.close()


def test_a_disk_without_room_for_the_tables_is_full(small_disk: Path) -> None:
    with (small_disk / "filler").open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
        while True:
            file.write(bytes(65536))
    with pytest.raises(StoreFull):
        SqliteStore.open(small_disk / "hub.db")


def test_no_exception_of_the_driver_passes(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    store = SqliteStore.open(path)
    change(path, "DROP TABLE setting")
    with pytest.raises(StoreError, match="database failed") as caught:
        store.read(lambda v: v.setting("x"))
    assert isinstance(caught.value.__cause__, sqlite3.Error)
    with pytest.raises(StoreError, match="database failed"):
        store.apply([setting("x", b"1")])
    store.close()


def test_a_process_killed_while_writing_leaves_whole_batches(tmp_path: Path) -> None:
    """The child prints each batch it was told is durable; all of those, and no halves, must be there."""
    program = textwrap.dedent("""
        import sys
        from textile_aio.storage.changes import Batch, PutSetting
        from textile_aio.storage.sqlite import SqliteStore
        store = SqliteStore.open(sys.argv[1])
        n = 0
        while True:
            n += 1
            value = b"%d" % n
            store.apply([Batch((PutSetting("a", value), PutSetting("b", value))) for _ in range(3)])
            print(n, flush=True)
    """)
    path = tmp_path / "hub.db"
    child = subprocess.Popen(
        [sys.executable, "-c", program, path], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    )
    assert child.stdout is not None
    for _ in range(25):
        line = child.stdout.readline()
    child.send_signal(signal.SIGKILL)
    told = int((line + child.stdout.read()).split()[-1])
    child.wait()
    child.stdout.close()
    store = SqliteStore.open(path)
    a, b = store.read(lambda v: (v.setting("a"), v.setting("b")))
    store.close()
    assert a == b
    assert a is not None
    assert int(a) in (told, told + 1)


def test_a_process_killed_while_writing_leaves_documents_entries_records_and_heads_of_one_batch(
    tmp_path: Path,
) -> None:
    """Each batch puts a document with entry, claim and record, moves the head and takes the last away."""
    program = textwrap.dedent("""
        import sys
        from tests.storage.rows import DB, log, new_database, record
        from textile_aio.storage.changes import (
            Batch, DeleteDocument, PutDocument, PutIndex, PutLog, PutRecord, SetHead,
        )
        from textile_aio.storage.sqlite import SqliteStore
        from textile_aio.storage.values import ChangeKind, Entry

        def entries(n):
            return (Entry("name", b"%d" % n, b"%d" % n),)

        store = SqliteStore.open(sys.argv[1])
        store.apply([new_database(DB, PutIndex("Dogs", "name", True, True), PutLog(log(b"l")))])
        head = b""
        for n in range(1, 1_000_000):
            cid = b"%d" % n
            write = (
                DeleteDocument("Dogs", b"%d" % (n - 1), entries(n - 1)),
                PutDocument("Dogs", cid, b"", ChangeKind.CREATE, (), entries(n)),
                PutRecord(record(cid)),
                SetHead(DB, b"l", cid, n, head),
            )
            assert store.apply([Batch(write, database=DB, expect=n)]) == [None]
            head = cid
            print(n, flush=True)
    """)
    path = tmp_path / "hub.db"
    child = subprocess.Popen(
        [sys.executable, "-c", program, path], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    )
    assert child.stdout is not None
    for _ in range(40):
        line = child.stdout.readline()
    child.send_signal(signal.SIGKILL)
    told = int((line + child.stdout.read()).split()[-1])
    child.wait()
    child.stdout.close()
    store = SqliteStore.open(path)
    head = store.read(lambda v: v.logs(DB))[0]
    assert head.counter in (told, told + 1)
    assert head.head == b"%d" % head.counter
    assert store.read(lambda v: [each.id for each in v.scan(DB, "Dogs")]) == [head.head]
    assert store.read(lambda v: list(v.entries(DB, "Dogs", "name"))) == [(head.head, head.head)]
    claims = store.read(
        lambda v: [v.claimant(DB, "Dogs", "name", b"%d" % (head.counter + n)) for n in (-1, 0, 1)]
    )
    assert claims == [None, head.head, None]
    there = store.read(lambda v: [v.record(DB, b"%d" % (head.counter + n)) is not None for n in (-1, 0, 1)])
    assert there == [True, True, False]
    store.close()


def test_more_readers_than_connections_wait_their_turn(tmp_path: Path) -> None:

    store = SqliteStore.open(tmp_path / "hub.db", fsync=False, readers=2)
    store.apply([setting("a", b"1")])
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: store.read(lambda v: v.setting("a")), range(200))) == {b"1"}
    store.close()
