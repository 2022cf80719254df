from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from tests.storage.contract.applying import do, on
from tests.storage.rows import DB, document, new_database
from textile_aio.storage.changes import PutIndex, PutSetting
from textile_aio.storage.store import Store, StoreClosed, StoreError, View
from textile_aio.storage.values import Document


class SnapshotContract:
    """States that are kept. Needs a fixture ``store``: an empty store."""

    def test_a_snapshot_keeps_its_state_from_the_moment_it_is_taken(self, store: Store) -> None:
        do(store, PutSetting("a", b"1"))
        first = store.snapshot()
        do(store, PutSetting("a", b"2"), PutSetting("b", b"2"))
        second = store.snapshot()
        do(store, PutSetting("a", b"3"))
        for _ in range(2):
            assert first.read(lambda v: (v.setting("a"), v.setting("b"))) == (b"1", None)
            assert second.read(lambda v: (v.setting("a"), v.setting("b"))) == (b"2", b"2")
            do(store, PutSetting("a", b"4"))
        first.close()
        assert second.read(lambda v: v.setting("a")) == b"2"
        second.close()
        assert store.read(lambda v: v.setting("a")) == b"4"

    def test_a_snapshot_does_not_see_tables_change_that_it_has_not_read(self, store: Store) -> None:
        store.apply([new_database(DB, document(b"a"))])
        snapshot = store.snapshot()
        on(store, 1, document(b"b"), PutIndex("Dogs", "age", False, True))
        found = snapshot.read(lambda v: (list(v.scan(DB, "Dogs")), v.indexes(DB, "Dogs")))
        assert found == ([Document(b"a", b"{}")], [])
        snapshot.close()

    def test_an_iterator_of_a_snapshot_lasts_as_long_as_it_does(self, store: Store) -> None:
        store.apply([new_database(DB, *(document(b"%d" % n) for n in range(4)))])
        snapshot = store.snapshot()
        rows = snapshot.read(lambda v: v.scan(DB, "Dogs"))
        ids = [snapshot.read(lambda v: next(rows)).id]
        on(store, 1, document(b"00"), document(b"9"))
        ids += [snapshot.read(lambda v: next(rows)).id for _ in range(2)]
        assert ids == [b"0", b"1", b"2"]
        snapshot.close()
        with pytest.raises(StoreError, match="the snapshot has ended"):
            next(rows)

    def test_a_closed_snapshot_says_so(self, store: Store) -> None:
        snapshot = store.snapshot()
        snapshot.close()
        snapshot.close()
        with pytest.raises(StoreClosed):
            snapshot.read(lambda v: v.threads())

    def test_a_store_closes_its_snapshots(self, store: Store) -> None:
        do(store, PutSetting("a", b"1"))
        snapshot = store.snapshot()
        assert snapshot.read(lambda v: v.setting("a")) == b"1"
        store.close()
        with pytest.raises(StoreClosed):
            snapshot.read(lambda v: v.setting("a"))
        snapshot.close()
        with pytest.raises(StoreClosed):
            store.snapshot()

    def test_what_a_reader_of_a_snapshot_raises_passes_through(self, store: Store) -> None:
        snapshot = store.snapshot()
        with pytest.raises(ZeroDivisionError):
            snapshot.read(lambda v: 1 // len(v.threads()))
        assert snapshot.read(lambda v: v.threads()) == []
        snapshot.close()

    def test_reads_of_one_snapshot_wait_for_each_other(self, store: Store) -> None:
        do(store, PutSetting("a", b"1"))
        snapshot = store.snapshot()
        inside, go_on = Event(), Event()

        def first(view: View) -> None:
            inside.set()
            assert go_on.wait(10)
            order.append("first")

        order: list[str] = []
        with ThreadPoolExecutor(2) as pool:
            one = pool.submit(snapshot.read, first)
            assert inside.wait(10)
            two = pool.submit(snapshot.read, lambda v: order.append("second"))
            go_on.set()
            one.result(10)
            two.result(10)
        assert order == ["first", "second"]
        snapshot.close()

    def test_many_snapshots_are_open_at_once_and_again(self, store: Store) -> None:
        for _ in range(2):
            snapshots = []
            for n in range(20):
                do(store, PutSetting("a", b"%d" % n))
                snapshots.append(store.snapshot())
            seen = [snapshot.read(lambda v: v.setting("a")) for snapshot in snapshots]
            assert seen == [b"%d" % n for n in range(20)]
            for snapshot in snapshots:
                snapshot.close()
