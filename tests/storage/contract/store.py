from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from tests.storage.contract.accounts import AccountContract
from tests.storage.contract.applying import do, on, refusal
from tests.storage.contract.indexes import IndexContract
from tests.storage.contract.logs import LogContract
from tests.storage.contract.snapshots import SnapshotContract
from tests.storage.contract.together import TogetherContract
from tests.storage.rows import (
    DB,
    OTHER,
    account,
    api_key,
    document,
    log,
    name_key,
    new_database,
    thread,
    tracked,
)
from textile_aio.storage.changes import (
    Batch,
    CreateAccount,
    CreateDatabase,
    CreateThread,
    DeleteCollection,
    DeleteDocument,
    DeleteNameKey,
    DeleteSession,
    DeleteThread,
    Operation,
    PutApiKey,
    PutBlocks,
    PutCollection,
    PutDocument,
    PutLog,
    PutNameKey,
    PutSession,
    PutSetting,
    SetRoot,
    TrackThread,
    UntrackThread,
)
from textile_aio.storage.store import Duplicate, Missing, Moved, Store, StoreClosed, StoreError, View
from textile_aio.storage.values import (
    BlockRow,
    Change,
    ChangeKind,
    Collection,
    Database,
    Document,
    Root,
    Session,
)


class StoreContract(AccountContract, IndexContract, LogContract, SnapshotContract, TogetherContract):
    """Needs a fixture ``store``: an empty store."""

    def test_nothing_is_there_at_first(self, store: Store) -> None:
        assert store.read(lambda v: (v.threads(), v.databases(), v.roots(), v.accounts(), v.places())) == (
            [], [], [], [], set(),
        )  # fmt: skip
        assert (
            store.read(lambda v: (v.setting("x"), v.thread(DB), v.database(DB), v.account(b"a")))
            == (None,) * 4
        )
        assert (
            store.read(lambda v: (v.account_named(""), v.tracked_named(b"", ""), v.session("")))
            == (None,) * 3
        )

    def test_no_batches_are_no_work(self, store: Store) -> None:
        assert store.apply([]) == []

    # Fence and changes

    def test_each_batch_on_a_database_raises_its_sequence(self, store: Store) -> None:
        on(store, 0, *new_database().operations)
        on(store, 1, document(b"a"))
        assert store.read(lambda v: v.database(DB)) == Database(DB, "kennel", 2)

    @pytest.mark.parametrize("expect", [0, 2, 99])
    def test_another_sequence_is_moved_and_nothing_is_written(self, store: Store, expect: int) -> None:
        do(store, PutSetting("before", b""))
        assert store.apply([new_database()]) == [None]
        batch = Batch((PutSetting("x", b"1"), document(b"a")), database=DB, expect=expect)
        assert isinstance(refusal(store, batch), Moved)
        assert store.read(lambda v: (v.setting("x"), v.document(DB, "Dogs", b"a"))) == (None, None)
        assert store.read(lambda v: v.database(DB)) == Database(DB, "kennel", 1)

    def test_a_database_that_is_not_there_is_missing(self, store: Store) -> None:
        error = refusal(store, Batch((), database=DB, expect=0))
        assert isinstance(error, Missing)
        assert error.what == "database"

    def test_of_two_batches_prepared_on_one_state_the_second_is_moved(self, store: Store) -> None:
        store.apply([new_database()])
        first, second = (Batch((document(b"a", body),), database=DB, expect=1) for body in (b"1", b"2"))
        errors = store.apply([first, second])
        assert errors[0] is None
        assert isinstance(errors[1], Moved)
        assert store.read(lambda v: v.document(DB, "Dogs", b"a")) == b"1"

    def test_creations_run_before_the_fence_wherever_they_stand(self, store: Store) -> None:
        operations: tuple[Operation, ...] = (
            document(b"a"),
            PutCollection("Dogs", b""),
            CreateDatabase(DB, "x"),
            CreateThread(thread()),
        )
        assert isinstance(refusal(store, Batch(operations, database=DB, expect=0)), Missing)
        operations = (
            PutCollection("Dogs", b""),
            document(b"a"),
            CreateThread(thread()),
            CreateDatabase(DB, "x"),
        )
        assert store.apply([Batch(operations, database=DB, expect=0)]) == [None]

    def test_document_and_collection_operations_leave_changes_in_order(self, store: Store) -> None:
        store.apply([new_database()])
        on(
            store, 1, PutDocument("Dogs", b"a", b"", ChangeKind.CREATE), PutCollection("Cats", b""),
            DeleteDocument("Dogs", b"a"), DeleteCollection("Cats"),
        )  # fmt: skip
        assert store.read(lambda v: v.changes_after(DB, 1, limit=10)) == [
            Change(2, ChangeKind.CREATE, "Dogs", b"a"),
            Change(2, ChangeKind.COLLECTION, "Cats", b""),
            Change(2, ChangeKind.DELETE, "Dogs", b"a"),
            Change(2, ChangeKind.COLLECTION, "Cats", b""),
        ]

    def test_no_sequence_is_without_a_change(self, store: Store) -> None:
        do(store, CreateThread(thread()), CreateDatabase(DB, "x"))
        on(store, 0)
        on(store, 1, PutSetting("x", b""))
        assert store.read(lambda v: v.changes_after(DB, 0, limit=10)) == [
            Change(1, ChangeKind.DATABASE, "", b""),
            Change(2, ChangeKind.DATABASE, "", b""),
        ]

    def test_a_limit_never_cuts_a_sequence(self, store: Store) -> None:
        store.apply([new_database()])
        on(store, 1, *(document(bytes([n])) for n in range(5)))
        on(store, 2, document(b"z"))
        sizes = store.read(lambda v: [len(v.changes_after(DB, 0, limit=n)) for n in range(8)])
        assert sizes == [0, 1, 6, 6, 6, 6, 6, 7]
        assert store.read(lambda v: v.changes_after(DB, 2, limit=10))[0].document == b"z"
        assert store.read(lambda v: v.changes_after(DB, 3, limit=10)) == []

    def test_databases_have_sequences_and_changes_of_their_own(self, store: Store) -> None:
        assert store.apply([new_database(DB), new_database(OTHER)]) == [None, None]
        on(store, 1, document(b"a"))
        assert store.read(lambda v: [each.sequence for each in v.databases()]) == [2, 1]
        assert len(store.read(lambda v: v.changes_after(OTHER, 0, limit=10))) == 1
        assert store.read(lambda v: v.document(OTHER, "Dogs", b"a")) is None

    # Batches

    def test_a_batch_that_fails_drops_out_alone(self, store: Store) -> None:
        errors = store.apply(
            [
                Batch((PutSetting("a", b"1"),)),
                Batch((PutSetting("a", b"2"), CreateThread(thread()), CreateThread(thread()))),
                Batch((PutSetting("b", b"3"),)),
            ]
        )
        assert [type(error) for error in errors] == [type(None), Duplicate, type(None)]
        assert store.read(lambda v: (v.setting("a"), v.thread(DB), v.setting("b"))) == (b"1", None, b"3")

    def test_a_single_batch_that_fails_leaves_nothing(self, store: Store) -> None:
        store.apply([new_database(DB, document(b"a", b"old"))])
        bad = (document(b"a", b"new"), DeleteCollection("Dogs"), DeleteThread(OTHER), document(b"b"))
        error = refusal(store, Batch(bad, database=DB, expect=1))
        assert isinstance(error, Missing)
        assert error.what == "collection"
        assert store.read(lambda v: list(v.scan(DB, "Dogs"))) == [Document(b"a", b"old")]
        assert store.read(lambda v: len(v.changes_after(DB, 0, limit=9))) == 2
        on(store, 1, document(b"c"))

    def test_a_later_batch_of_a_group_sees_the_earlier_ones(self, store: Store) -> None:
        group = [new_database(), Batch((document(b"a"),), database=DB, expect=1)]
        assert store.apply(group) == [None, None]

    def test_a_value_that_cannot_be_stored_is_refused_alone(self, store: Store) -> None:
        bad = Batch((CreateAccount(account(["no bytes"])),))  # type: ignore[arg-type]
        errors = store.apply([Batch((PutSetting("a", b"1"),)), bad, Batch((PutSetting("b", b"1"),))])
        assert isinstance(errors[1], StoreError)
        assert store.read(lambda v: (v.setting("a"), v.setting("b"))) == (b"1", b"1")

    # Threads, collections, documents

    def test_a_thread_exists_once(self, store: Store) -> None:
        do(store, CreateThread(thread()))
        error = refusal(store, Batch((CreateThread(thread()),)))
        assert isinstance(error, Duplicate)
        assert error.what == "thread"

    def test_a_database_exists_once_and_only_on_a_thread(self, store: Store) -> None:
        error = refusal(store, Batch((CreateDatabase(DB, "x"),)))
        assert (type(error), str(error)) == (Missing, "thread does not exist")
        do(store, CreateThread(thread()), CreateDatabase(DB, "x"))
        error = refusal(store, Batch((CreateDatabase(DB, "y"),)))
        assert (type(error), str(error)) == (Duplicate, "database exists already")

    def test_a_deleted_thread_leaves_nothing_of_its_own_and_all_of_others(self, store: Store) -> None:
        for id_ in (DB, OTHER):
            store.apply([new_database(id_, document(b"a"))])
            do(
                store,
                PutLog(log(b"l", id_)),
                SetRoot(id_ + b"/bucket", id_, b"root", None),
                PutNameKey(name_key("x", DB)),
            )
        do(store, TrackThread(tracked(b"owner", DB)), DeleteThread(DB), DeleteThread(DB))
        assert store.read(lambda v: (v.thread(DB), v.database(DB), v.logs(DB), v.collections(DB))) == (
            None,
            None,
            [],
            [],
        )
        assert store.read(lambda v: (v.document(DB, "Dogs", b"a"), v.changes_after(DB, 0, limit=9))) == (
            None,
            [],
        )
        assert store.read(lambda v: v.roots()) == [Root(OTHER + b"/bucket", OTHER, b"root")]
        assert store.read(lambda v: (len(v.tracked_by(b"owner")), len(v.name_keys(DB)))) == (1, 1)
        assert store.read(lambda v: (list(v.scan(OTHER, "Dogs")), len(v.logs(OTHER)))) == (
            [Document(b"a", b"{}")],
            1,
        )
        store.apply([new_database()])
        assert store.read(lambda v: list(v.scan(DB, "Dogs"))) == []

    def test_a_batch_may_delete_its_own_database(self, store: Store) -> None:
        store.apply([new_database()])
        on(store, 1, document(b"a"), DeleteThread(DB))
        assert store.read(lambda v: (v.database(DB), v.changes_after(DB, 0, limit=9))) == (None, [])

    def test_collections_come_by_name_and_keep_their_documents_when_replaced(self, store: Store) -> None:
        store.apply(
            [new_database(DB, document(b"a"), PutCollection("Ants", b"1"), PutCollection("Émus", b"2"))]
        )
        on(store, 1, PutCollection("Dogs", b"other"))
        assert store.read(lambda v: [each.name for each in v.collections(DB)]) == ["Ants", "Dogs", "Émus"]
        assert store.read(lambda v: v.collection(DB, "Dogs")) == Collection(DB, "Dogs", b"other")
        assert store.read(lambda v: v.collection(DB, "dogs")) is None
        assert store.read(lambda v: v.document(DB, "Dogs", b"a")) == b"{}"

    def test_a_deleted_collection_takes_its_documents_only(self, store: Store) -> None:
        store.apply(
            [new_database(DB, PutCollection("Dog", b""), document(b"a"), document(b"a", collection="Dog"))]
        )
        on(store, 1, DeleteCollection("Dog"), DeleteCollection("never"))
        on(store, 2, PutCollection("Dog", b""))
        assert store.read(lambda v: (v.document(DB, "Dog", b"a"), v.document(DB, "Dogs", b"a"))) == (
            None,
            b"{}",
        )

    def test_a_document_is_replaced_and_deleted(self, store: Store) -> None:
        store.apply([new_database(DB, document(b"a", b"1"), document(b"a", b"2"))])
        assert store.read(lambda v: v.document(DB, "Dogs", b"a")) == b"2"
        on(store, 1, DeleteDocument("Dogs", b"a"), DeleteDocument("Dogs", b"never"))
        assert store.read(lambda v: v.document(DB, "Dogs", b"a")) is None

    def test_a_large_document_comes_back_whole(self, store: Store) -> None:
        body = bytes(range(256)) * 8192
        store.apply([new_database(DB, document(b"a", body))])
        assert store.read(lambda v: v.document(DB, "Dogs", b"a")) == body

    # Roots and blocks

    def test_a_root_is_set_only_from_the_one_expected(self, store: Store) -> None:
        do(store, CreateThread(thread()), SetRoot(b"bucket", DB, b"one", None))
        for expect in (None, b"two"):
            assert isinstance(refusal(store, Batch((SetRoot(b"bucket", DB, b"x", expect),))), Moved)
        do(store, SetRoot(b"bucket", DB, b"two", b"one"))
        assert store.read(lambda v: v.root(b"bucket")) == Root(b"bucket", DB, b"two")
        assert isinstance(refusal(store, Batch((SetRoot(b"bucket", DB, None, b"one"),))), Moved)
        do(store, SetRoot(b"bucket", DB, None, b"two"), SetRoot(b"bucket", DB, None, None))
        assert store.read(lambda v: v.root(b"bucket")) is None

    def test_a_root_needs_its_thread(self, store: Store) -> None:
        error = refusal(store, Batch((SetRoot(b"bucket", DB, b"x", None),)))
        assert isinstance(error, Missing)

    def test_a_known_block_keeps_its_first_row(self, store: Store) -> None:
        first = BlockRow(b"cid", 3, (b"child", b"", b"c" * 300), b"abc")
        do(store, PutBlocks((first, BlockRow(b"cid", 3, (), place="p" * 32, offset=7))))
        do(store, PutBlocks((BlockRow(b"cid", 3, (), place="p" * 32),)))
        assert store.read(lambda v: v.blocks([b"cid", b"other", b"cid"])) == {b"cid": first}
        assert store.read(lambda v: v.places()) == set()

    def test_of_two_rows_in_one_operation_the_first_is_kept(self, store: Store) -> None:
        rows = [BlockRow(cid, 0, (), b"") for cid in (b"a", b"b")]
        moved = [BlockRow(cid, 9, (), place="p" * 32) for cid in (b"a", b"b")]
        do(store, PutBlocks((moved[0], rows[1], rows[0], moved[1])))
        assert store.read(lambda v: v.blocks([b"a", b"b"])) == {b"a": moved[0], b"b": rows[1]}

    def test_places_are_those_that_rows_name(self, store: Store) -> None:
        rows = [BlockRow(bytes([n]), 9, (), place="pq"[n % 2] * 32, offset=n) for n in range(4)]
        do(store, PutBlocks(tuple(rows[:3])), PutBlocks(tuple(rows[1:])))
        assert store.read(lambda v: v.places()) == {"p" * 32, "q" * 32}
        assert store.read(lambda v: v.blocks([b"\x03", b"\x02"])) == {b"\x03": rows[3], b"\x02": rows[2]}

    def test_any_number_of_blocks_is_looked_up_at_once(self, store: Store) -> None:
        rows = tuple(BlockRow(n.to_bytes(4, "big"), 1, (), b"x") for n in range(3000))
        do(store, PutBlocks(rows[::2]))
        cids = [row.cid for row in rows]
        assert set(store.read(lambda v: v.block_epochs(cids))) == {row.cid for row in rows[::2]}
        assert store.read(lambda v: v.blocks(cids)) == {row.cid: row for row in rows[::2]}

    # Accounts and what belongs to them

    def test_accounts_come_in_order_of_creation(self, store: Store) -> None:
        made = [account(key, key.decode()) for key in (b"c", b"a", b"b")]
        do(store, *(CreateAccount(each) for each in made))
        assert store.read(lambda v: v.accounts()) == made
        assert store.read(lambda v: (v.account(b"a"), v.account(b"x"))) == (made[1], None)

    def test_a_username_is_taken_in_any_case_and_an_email_in_its_own(self, store: Store) -> None:
        do(store, CreateAccount(account(b"a", "Straße", "a@b.c")))
        clashes = {
            "account": account(b"a", "STRASSE", "a@b.c"),
            "username": account(b"b", "STRASSE", "a@b.c"),
            "email": account(b"b", "other", "a@b.c"),
        }
        for what, clash in clashes.items():
            error = refusal(store, Batch((CreateAccount(clash),)))
            assert isinstance(error, Duplicate)
            assert error.what == what
        do(store, CreateAccount(account(b"b", "other", "A@b.c")))
        found = store.read(lambda v: v.account_named("strasse"))
        assert found is not None
        assert found.username == "Straße"

    def test_accounts_without_names_do_not_clash(self, store: Store) -> None:
        do(store, CreateAccount(account(b"a")), CreateAccount(account(b"b")))
        assert store.read(lambda v: v.account_named("")) is None

    def test_sessions_are_replaced_and_deleted(self, store: Store) -> None:
        do(store, PutSession(Session("s", b"a", 1)), PutSession(Session("s", b"a", 2)))
        assert store.read(lambda v: v.session("s")) == Session("s", b"a", 2)
        do(store, DeleteSession("s"), DeleteSession("s"))
        assert store.read(lambda v: v.session("s")) is None

    def test_a_replaced_api_key_keeps_its_place(self, store: Store) -> None:
        do(store, *(PutApiKey(api_key(key)) for key in ("c", "a", "b")), PutApiKey(api_key("x", b"else")))
        do(store, PutApiKey(api_key("c", sealed=b"new")))
        assert store.read(lambda v: v.api_keys(b"owner")) == [
            api_key("c", sealed=b"new"),
            api_key("a"),
            api_key("b"),
        ]
        do(store, PutApiKey(api_key("c", b"else")))
        assert store.read(lambda v: [each.key for each in v.api_keys(b"else")]) == ["c", "x"]
        assert store.read(lambda v: (v.api_key("a"), v.api_key("A"))) == (api_key("a"), None)

    def test_a_tracked_name_is_taken_in_any_case_by_one_owner(self, store: Store) -> None:
        do(store, TrackThread(tracked(b"o", DB, "Mail")), TrackThread(tracked(b"other", DB, "mail")))
        error = refusal(store, Batch((TrackThread(tracked(b"o", DB, "mail")),)))
        assert isinstance(error, Duplicate)
        assert error.what == "tracked thread"
        error = refusal(store, Batch((TrackThread(tracked(b"o", OTHER, "mail")),)))
        assert isinstance(error, Duplicate)
        assert error.what == "tracked name"
        assert store.read(lambda v: v.tracked_named(b"o", "mail")) is None
        assert store.read(lambda v: v.tracked_named(b"o", "Mail")) == tracked(b"o", DB, "Mail")

    def test_an_untracked_thread_frees_its_name_and_its_turn(self, store: Store) -> None:
        names = {b"1": "one", b"2": "", b"3": ""}
        do(store, *(TrackThread(tracked(b"o", id_, name)) for id_, name in names.items()))
        do(
            store,
            UntrackThread(b"o", b"1"),
            UntrackThread(b"o", b"1"),
            TrackThread(tracked(b"o", b"0", "ONE")),
        )
        do(store, UntrackThread(b"o", b"3"), TrackThread(tracked(b"o", b"3")))
        assert store.read(lambda v: [each.thread for each in v.tracked_by(b"o")]) == [b"2", b"0", b"3"]
        assert store.read(lambda v: v.tracked(b"o", b"1")) is None

    def test_name_keys_come_by_cid_and_move_between_threads(self, store: Store) -> None:
        do(store, PutNameKey(name_key("b")), PutNameKey(name_key("a")), PutNameKey(name_key("c", OTHER)))
        do(store, PutNameKey(name_key("b", OTHER)))
        assert store.read(lambda v: v.name_keys(DB)) == [name_key("a")]
        assert store.read(lambda v: v.name_keys(OTHER)) == [name_key("b", OTHER), name_key("c", OTHER)]
        do(store, DeleteNameKey("b"), DeleteNameKey("b"))
        assert store.read(lambda v: (v.name_key("b"), v.name_key("a"))) == (None, name_key("a"))

    # Snapshots and threads

    def test_a_read_keeps_its_snapshot_while_writes_go_on(self, store: Store) -> None:
        do(store, PutSetting("a", b"1"))
        reading, written = Event(), Event()

        def look(view: View) -> tuple[bytes | None, bytes | None]:
            first = view.setting("a")
            reading.set()
            assert written.wait(10)
            return first, view.setting("a")

        with ThreadPoolExecutor(1) as pool:
            seen = pool.submit(store.read, look)
            assert reading.wait(10)
            do(store, PutSetting("a", b"2"), PutSetting("b", b"3"))
            do(store, PutSetting("a", b"4"))
            written.set()
            assert seen.result(10) == (b"1", b"1")
        assert store.read(lambda v: v.setting("a")) == b"4"

    def test_readers_never_see_half_a_batch(self, store: Store) -> None:
        names = ("a", "b", "c", "d")
        do(store, *(PutSetting(name, b"0") for name in names))
        done = Event()

        def watch() -> set[int]:
            widths = set()
            while not done.is_set():
                widths.add(len(set(store.read(lambda v: [v.setting(name) for name in names]))))
            return widths

        with ThreadPoolExecutor(2) as pool:
            watchers = [pool.submit(watch) for _ in range(2)]
            for n in range(60):
                value = b"%d" % n
                bad = Batch((PutSetting("a", b"bad"), PutLog(log(b"l"))))
                store.apply([Batch(tuple(PutSetting(name, value) for name in names)), bad])
            done.set()
            assert [watcher.result(10) for watcher in watchers] == [{1}, {1}]

    def test_what_a_reader_raises_passes_through(self, store: Store) -> None:
        with pytest.raises(ZeroDivisionError):
            store.read(lambda v: 1 // len(v.threads()))
        assert store.read(lambda v: v.threads()) == []

    def test_a_closed_store_says_so(self, store: Store) -> None:
        store.close()
        store.close()
        with pytest.raises(StoreClosed):
            store.read(lambda v: v.threads())
        with pytest.raises(StoreClosed):
            store.apply([Batch(())])
