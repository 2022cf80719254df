from __future__ import annotations

from dataclasses import replace

from tests.storage.contract.applying import do, on, refusal
from tests.storage.rows import DB, OTHER, document, log, new_database, record, thread
from textile_aio.storage.changes import (
    Batch,
    CreateDatabase,
    CreateThread,
    DeleteThread,
    PutLog,
    PutReadKey,
    PutRecord,
    SetHead,
    TrimChanges,
)
from textile_aio.storage.store import Duplicate, Missing, Moved, Store
from textile_aio.storage.values import Change, ChangeKind, Database


class LogContract:
    """Logs, records, and the history of databases. Needs a fixture ``store``: an empty store."""

    def test_logs_belong_to_a_thread_and_come_by_id(self, store: Store) -> None:
        assert isinstance(refusal(store, Batch((PutLog(log(b"a")),))), Missing)
        do(store, CreateThread(thread()), CreateThread(thread(OTHER)))
        do(store, PutLog(log(b"b")), PutLog(log(b"a")), PutLog(log(b"c", OTHER)), PutLog(log(b"b")))
        assert store.read(lambda v: v.logs(DB)) == [log(b"a"), log(b"b")]
        assert store.read(lambda v: (v.log(DB, b"a"), v.log(OTHER, b"a"))) == (log(b"a"), None)

    def test_a_thread_gets_its_read_key_later(self, store: Store) -> None:
        error = refusal(store, Batch((PutReadKey(DB, b"read"),)))
        assert (type(error), str(error)) == (Missing, "thread does not exist")
        do(store, CreateThread(replace(thread(), read_key=None)), CreateThread(thread(OTHER)))
        do(store, PutReadKey(DB, b"read"))
        assert store.read(lambda v: v.thread(DB)) == replace(thread(), read_key=b"read")
        assert store.read(lambda v: v.thread(OTHER)) == thread(OTHER)

    def test_a_replaced_log_keeps_its_head(self, store: Store) -> None:
        first = replace(log(b"a"), head=b"head", counter=7, managed=False)
        do(store, CreateThread(thread()), PutLog(first))
        assert store.read(lambda v: v.log(DB, b"a")) == first
        other = replace(
            log(b"a"), public_key=b"new", private_key=b"key", identity=b"who", head=b"no", counter=9
        )
        do(store, PutLog(other))
        assert store.read(lambda v: v.log(DB, b"a")) == replace(other, head=b"head", counter=7)

    def test_a_log_is_found_by_the_writer_it_belongs_to(self, store: Store) -> None:
        do(store, CreateThread(thread()), CreateThread(thread(OTHER)))
        ours, theirs = replace(log(b"a"), identity=b"us"), replace(log(b"b"), identity=b"them")
        elsewhere = replace(log(b"c", OTHER), identity=b"us")
        do(store, PutLog(ours), PutLog(theirs), PutLog(elsewhere), PutLog(log(b"d")), PutLog(log(b"e")))
        assert store.read(lambda v: [v.log_of(DB, who) for who in (b"us", b"them", b"x")]) == [
            ours,
            theirs,
            None,
        ]
        assert store.read(lambda v: v.log_of(OTHER, b"us")) == elsewhere

    def test_two_logs_of_a_thread_never_belong_to_one_writer(self, store: Store) -> None:
        do(store, CreateThread(thread()), PutLog(replace(log(b"a"), identity=b"us")), PutLog(log(b"b")))
        for id_ in (b"b", b"c"):
            error = refusal(store, Batch((PutLog(replace(log(id_), identity=b"us")),)))
            assert (type(error), str(error)) == (Duplicate, "log identity exists already")
        do(store, PutLog(replace(log(b"a"), identity=b"us")))
        do(store, PutLog(log(b"a")), PutLog(replace(log(b"b"), identity=b"us")))
        found = store.read(lambda v: v.log_of(DB, b"us"))
        assert found is not None
        assert found.id == b"b"

    def test_a_head_is_set_only_from_the_one_expected(self, store: Store) -> None:
        do(store, CreateThread(thread()), PutLog(log(b"a")), PutLog(log(b"b")))
        do(store, SetHead(DB, b"a", b"one", 1, b""), SetHead(DB, b"a", b"two", 2, b"one"))
        for expect in (b"", b"one"):
            assert isinstance(refusal(store, Batch((SetHead(DB, b"a", b"x", 3, expect),))), Moved)
        assert store.read(lambda v: v.logs(DB)) == [replace(log(b"a"), head=b"two", counter=2), log(b"b")]

    def test_a_head_needs_its_log(self, store: Store) -> None:
        do(store, CreateThread(thread()), CreateThread(thread(OTHER)), PutLog(log(b"a")))
        for id_ in (DB, OTHER):
            error = refusal(store, Batch((SetHead(id_, b"b", b"x", 1, b""),)))
            assert (type(error), str(error)) == (Missing, "log does not exist")

    def test_records_are_found_by_cid_and_the_first_stays(self, store: Store) -> None:
        do(store, CreateThread(thread()), CreateThread(thread(OTHER)))
        do(store, PutRecord(record(b"1")), PutRecord(record(b"2", body=b"x" * 100_000)))
        do(store, PutRecord(record(b"1", body=b"other")), PutRecord(record(b"1", OTHER, body=b"theirs")))
        assert store.read(lambda v: [v.record(DB, cid) for cid in (b"1", b"2", b"3")]) == [
            record(b"1"),
            record(b"2", body=b"x" * 100_000),
            None,
        ]
        assert store.read(lambda v: v.record(OTHER, b"1")) == record(b"1", OTHER, body=b"theirs")

    def test_a_record_needs_its_thread(self, store: Store) -> None:
        do(store, CreateThread(thread()))
        for batch in (
            Batch((PutRecord(record(b"1", OTHER)),)),
            Batch((PutRecord(record(b"1")), DeleteThread(DB), PutRecord(record(b"2")))),
        ):
            error = refusal(store, batch)
            assert (type(error), str(error)) == (Missing, "thread does not exist")

    def test_documents_head_and_record_stand_or_fall_together(self, store: Store) -> None:
        store.apply([new_database(DB, PutLog(log(b"a")))])
        write = (document(b"d"), PutRecord(record(b"1")), SetHead(DB, b"a", b"1", 1, b""))
        on(store, 1, *write)
        late = (document(b"e"), PutRecord(record(b"2")), SetHead(DB, b"a", b"2", 1, b""))
        assert isinstance(refusal(store, Batch(late, database=DB, expect=2)), Moved)
        assert store.read(lambda v: (v.record(DB, b"2"), v.document(DB, "Dogs", b"e"))) == (None, None)
        assert store.read(lambda v: v.log(DB, b"a")) == replace(log(b"a"), head=b"1", counter=1)

    def test_a_deleted_thread_takes_its_logs_and_records(self, store: Store) -> None:
        for id_ in (DB, OTHER):
            do(store, CreateThread(thread(id_)), PutLog(replace(log(b"a", id_), identity=b"us")))
            do(store, PutRecord(record(b"1", id_)))
        do(store, DeleteThread(DB))
        do(store, CreateThread(thread()), PutLog(replace(log(b"b"), identity=b"us")))
        assert store.read(lambda v: (v.record(DB, b"1"), len(v.logs(DB)), v.log(DB, b"a"))) == (None, 1, None)
        assert store.read(lambda v: (v.record(OTHER, b"1"), len(v.logs(OTHER)))) == (record(b"1", OTHER), 1)

    def test_a_database_keeps_its_incarnation(self, store: Store) -> None:
        do(store, CreateThread(thread()), CreateThread(thread(OTHER)))
        do(store, CreateDatabase(DB, "x", b"drawn"), CreateDatabase(OTHER, "y"))
        on(store, 0)
        assert store.read(lambda v: v.databases()) == [
            Database(DB, "x", 1, 0, b"drawn"),
            Database(OTHER, "y", 0, 0, b""),
        ]

    def test_trimmed_changes_are_forgotten_and_the_rest_stays(self, store: Store) -> None:
        store.apply([new_database(DB), new_database(OTHER)])
        for n in range(1, 5):
            on(store, n, document(b"%d" % n))
        on(store, 5, TrimChanges(3))
        assert store.read(lambda v: [each.sequence for each in v.changes_after(DB, 0, limit=9)]) == [4, 5, 6]
        database = store.read(lambda v: v.database(DB))
        assert database is not None
        assert (database.oldest, database.sequence) == (3, 6)
        assert store.read(lambda v: len(v.changes_after(OTHER, 0, limit=9))) == 1

    def test_what_was_forgotten_stays_so_and_a_batch_never_forgets_itself(self, store: Store) -> None:
        store.apply([new_database(DB)])
        on(store, 1, TrimChanges(1))
        on(store, 2, TrimChanges(0))
        database = store.read(lambda v: v.database(DB))
        assert database is not None
        assert database.oldest == 1
        on(store, 3, document(b"a"), TrimChanges(99))
        assert store.read(lambda v: v.changes_after(DB, 0, limit=9)) == [
            Change(4, ChangeKind.SAVE, "Dogs", b"a")
        ]
        database = store.read(lambda v: v.database(DB))
        assert database is not None
        assert database.oldest == 3
