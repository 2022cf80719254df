from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.storage.contract import StoreContract
from textile_aio.storage.changes import Batch, PutDocument, PutSetting
from textile_aio.storage.memory import MemoryStore
from textile_aio.storage.sqlite import SqliteStore
from textile_aio.storage.store import View
from textile_aio.storage.values import BlockRow, ChangeKind


class TestSqliteStore(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[SqliteStore]:
        store = SqliteStore.open(tmp_path / "hub.db", fsync=False)
        yield store
        store.close()


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def store(self) -> Iterator[MemoryStore]:
        store = MemoryStore()
        yield store
        store.close()

    def test_reset_forgets_everything(self, store: MemoryStore) -> None:
        store.apply([Batch((PutSetting("a", b"1"),))])
        store.reset()
        assert store.read(lambda v: v.setting("a")) is None
        assert store.apply([Batch((PutSetting("a", b"2"),))]) == [None]

    def test_a_reader_keeps_its_state_through_a_reset(self, store: MemoryStore) -> None:
        store.apply([Batch((PutSetting("a", b"1"),))])

        def look(view: View) -> bytes | None:
            store.reset()
            return view.setting("a")

        assert store.read(look) == b"1"
        assert store.read(lambda v: v.setting("a")) is None


def test_a_batch_names_a_database_and_a_sequence_or_neither() -> None:
    for kwargs in ({"database": b"x"}, {"expect": 0}):
        with pytest.raises(ValueError, match="or neither"):
            Batch((), **kwargs)


def test_document_operations_need_a_database() -> None:
    with pytest.raises(ValueError, match="need a database"):
        Batch((PutDocument("Dogs", b"a", b"", ChangeKind.SAVE),))


def test_a_block_row_is_inline_or_in_a_place() -> None:
    with pytest.raises(ValueError, match="either"):
        BlockRow(b"cid", 0)
    with pytest.raises(ValueError, match="either"):
        BlockRow(b"cid", 0, data=b"", place="p")
