"""Files of older formats are brought forward, with everything in them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.storage.rows import OTHER, log, thread
from textile_aio.errors import UnsupportedFormat
from textile_aio.storage.changes import (
    Batch,
    CreateThread,
    DropBlocks,
    PutDocument,
    PutIndex,
    PutLog,
    PutRecord,
    SetHead,
    TouchBlocks,
)
from textile_aio.storage.sqlite import SqliteStore
from textile_aio.storage.values import (
    Account,
    AccountKind,
    ApiKey,
    ChangeKind,
    Collection,
    Document,
    Entry,
    Index,
    KeyKind,
    LogRecord,
    Session,
    ThreadLog,
)

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


@pytest.fixture(params=[2, 3])
def later(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A file as format 2 or 3 left it, with a row in every table."""
    path = tmp_path / "hub.db"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(Path(__file__).with_name(f"format_{request.param}.sql").read_text("utf-8"))
    connection.close()
    return path


class Reversed:
    """Seals by turning round: enough to see what was sealed, and not to find it in the file."""

    def name(self, text: str) -> str:
        return text[::-1]

    def seal(self, secret: bytes, about: bytes) -> bytes:
        return secret[::-1] + about


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
    SqliteStore.open(old, sealing=Reversed()).close()
    SqliteStore.open(tmp_path / "new.db").close()
    assert layout(old) == layout(tmp_path / "new.db")


def test_a_file_of_format_1_keeps_its_rows(old: Path) -> None:
    store = SqliteStore.open(old, sealing=Reversed())
    assert store.read(lambda v: v.collections(b"\x01")) == [Collection(b"\x01", "Dogs", b"{}")]
    assert store.read(lambda v: list(v.scan(b"\x01", "Dogs"))) == [Document(b"a", b"{}")]
    assert store.read(lambda v: [each.sequence for each in v.changes_after(b"\x01", 0, limit=9)]) == [41]
    assert store.read(lambda v: v.blocks([b"\xc1"])[b"\xc1"].data) == b"abc"
    kennel, other = store.read(lambda v: v.databases())
    assert (kennel.name, kennel.sequence, kennel.oldest, other.sequence) == ("kennel", 41, 0, 0)
    assert len({kennel.incarnation, other.incarnation, b""}) == 3
    store.close()


def test_of_the_logs_of_one_writer_the_first_goes_on(old: Path) -> None:
    store = SqliteStore.open(old, sealing=Reversed())
    assert store.read(lambda v: v.logs(b"\x01")) == [
        ThreadLog(b"\x01", b"\x10", b"\xcc", b"\xdd", b"\xee", True, b"", 0),
        ThreadLog(b"\x01", b"\x11", b"\xcc", None, b"", True, b"", 0),
        ThreadLog(b"\x01", b"\x12", b"\xcc", b"\xdd", b"", True, b"", 0),
        ThreadLog(b"\x01", b"\x14", b"\xcc", None, b"", True, b"", 0),
    ]
    assert store.read(lambda v: [each.identity for each in v.logs(b"\x02")]) == [b"\xee"]
    store.close()


def test_a_file_of_format_1_goes_on_as_any_other(old: Path) -> None:
    store = SqliteStore.open(old, sealing=Reversed())
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
    store = SqliteStore.open(old, sealing=Reversed())
    assert store.read(lambda v: v.indexes(b"\x01", "Dogs")) == [Index("Dogs", "name", True, True)]
    assert store.read(lambda v: v.claimant(b"\x01", "Dogs", "name", b"rex")) == b"b"
    assert store.read(lambda v: v.record(b"\x01", b"cid")) == record
    found = store.read(lambda v: v.log_of(b"\x01", b"\xee"))
    assert found is not None
    assert (found.head, found.counter) == (b"cid", 1)
    store.close()


def test_secrets_that_were_in_clear_are_sealed_and_nowhere_in_the_file(old: Path) -> None:
    connection = sqlite3.connect(old, isolation_level=None)
    connection.execute(
        "INSERT INTO account VALUES (1, x'a1', CAST('PRIVATEKEY' AS BLOB), 0, 'B', 'b', 'b', 'TOKENTEXT', 5)"
    )
    connection.execute("INSERT INTO session VALUES ('SESSIONID', x'a1', 9)")
    connection.execute("INSERT INTO api_key VALUES (1, 'APIKEY', 'APISECRET', x'a1', 1, 1, 1, 7)")
    connection.execute("INSERT INTO tracked VALUES (1, x'a1', x'01', 'Dogs', 'dogs', 'APIKEY', 1, 8)")
    connection.close()
    store = SqliteStore.open(old, sealing=Reversed())
    bo = Account(b"\xa1", b"YEKETAVIRP\xa1", AccountKind.DEVELOPER, "B", "b", "", 5)
    key = ApiKey("YEKIPA", b"TERCESIPA YEKIPAYEKIPA", b"\xa1", KeyKind.USER_GROUP, True, True, 7)
    assert store.read(lambda v: v.account_named("b")) == bo
    assert store.read(lambda v: v.sessions_of(b"\xa1")) == [Session("DINOISSES", b"\xa1", 9)]
    assert store.read(lambda v: v.api_keys(b"\xa1")) == [key]
    assert store.read(lambda v: [each.key for each in v.tracked_by(b"\xa1")]) == ["YEKIPA"]
    store.close()
    left = b"".join(each.read_bytes() for each in old.parent.glob("hub.db*"))
    assert b"YEKETAVIRP" in left
    for secret in (b"PRIVATEKEY", b"TOKENTEXT", b"SESSIONID", b"APIKEY", b"APISECRET"):
        assert secret not in left


def test_without_a_key_to_seal_them_secrets_in_clear_stay_as_they_are(old: Path) -> None:
    before = old.read_bytes()
    with pytest.raises(UnsupportedFormat):
        SqliteStore.open(old)
    assert old.read_bytes() == before


def test_files_of_formats_2_and_3_have_the_tables_of_a_new_one_afterwards(
    later: Path, tmp_path: Path
) -> None:
    SqliteStore.open(later, sealing=Reversed()).close()
    SqliteStore.open(tmp_path / "new.db").close()
    assert layout(later) == layout(tmp_path / "new.db")


def test_files_of_formats_2_and_3_keep_their_rows(later: Path) -> None:
    store = SqliteStore.open(later, sealing=Reversed())
    assert store.read(lambda v: list(v.scan(b"\x01", "Dogs"))) == [Document(b"a", b"{}")]
    assert store.read(lambda v: v.indexes(b"\x01", "Dogs")) == [Index("Dogs", "name", True, True)]
    assert store.read(lambda v: v.claimant(b"\x01", "Dogs", "name", b"rex")) == b"a"
    record = LogRecord(b"\x01", b"\xc4", b"\x10", 1, b"r", b"e", b"h", b"b")
    assert store.read(lambda v: v.record(b"\x01", b"\xc4")) == record
    assert store.read(lambda v: v.logs(b"\x01")) == [
        ThreadLog(b"\x01", b"\x10", b"\xcc", b"\xdd", b"\xee", True, b"\xc4", 1),
        ThreadLog(b"\x01", b"\x11", b"\xcc", None, b"", False, b"", 0),
    ]
    kennel, _ = store.read(lambda v: v.databases())
    assert (kennel.name, kennel.sequence, kennel.oldest, kennel.incarnation) == ("kennel", 41, 3, b"\xf1")
    blocks = store.read(lambda v: v.blocks([b"\xc1", b"\xc2"]))
    assert (blocks[b"\xc1"].data, blocks[b"\xc1"].links) == (b"abc", (b"\xc2",))
    assert (blocks[b"\xc2"].place, blocks[b"\xc2"].offset) == ("place", 40)
    assert store.read(lambda v: v.place_sizes()) == {"place": 9}
    assert [root.cid for root in store.read(lambda v: list(v.roots()))] == [b"\xc1"]
    assert store.read(lambda v: v.sessions_of(b"\xa1")) == [Session("DINOISSES", b"\xa1", 9)]
    assert store.read(lambda v: [each.key for each in v.tracked_by(b"\xa1")]) == ["YEKIPA"]
    found = store.read(lambda v: v.name_key("bafz"))
    assert found is not None
    assert found.path == "/ipfs/x"
    store.close()


def test_a_collector_tells_old_blocks_of_a_format_2_file_from_new_ones(later: Path) -> None:
    store = SqliteStore.open(later, sealing=Reversed())
    epochs = store.read(lambda v: v.block_epochs([b"\xc1", b"\xc2"]))
    assert set(epochs.values()) in ({0}, {2})
    assert store.apply([Batch((TouchBlocks((b"\xc1",), 5), DropBlocks((b"\xc1", b"\xc2"), 4)))]) == [None]
    assert store.read(lambda v: v.block_epochs([b"\xc1", b"\xc2"])) == {b"\xc1": 5}
    store.close()
