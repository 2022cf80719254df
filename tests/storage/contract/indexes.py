from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.storage.contract.applying import on, refusal
from tests.storage.rows import DB, OTHER, document, new_database
from textile_aio.storage.changes import (
    Batch,
    DeleteCollection,
    DeleteDocument,
    DeleteThread,
    DropIndex,
    Operation,
    PutCollection,
    PutDocument,
    PutEntries,
    PutIndex,
)
from textile_aio.storage.store import Duplicate, Missing, Store, StoreError, View
from textile_aio.storage.values import ChangeKind, Document, Entry, Index

AGE = PutIndex("Dogs", "age", False, True)
NAME = PutIndex("Dogs", "name", True, True)


def dog(
    id_: bytes, *add: Entry, remove: tuple[Entry, ...] = (), body: bytes = b"{}", collection: str = "Dogs"
) -> PutDocument:
    return PutDocument(collection, id_, body, ChangeKind.SAVE, remove, add)


def age(key: bytes) -> Entry:
    return Entry("age", key)


def name(text: bytes) -> Entry:
    return Entry("name", text, b"claim of " + text)


def ages(view: View) -> list[tuple[bytes, bytes]]:
    return list(view.entries(DB, "Dogs", "age"))


def named(view: View, *texts: bytes) -> list[bytes | None]:
    return [view.claimant(DB, "Dogs", "name", b"claim of " + text) for text in texts]


def refused(store: Store, expect: int, *operations: Operation) -> tuple[type[StoreError], str]:
    error = refusal(store, Batch(operations, database=DB, expect=expect))
    return type(error), str(error)


TAKEN = (Duplicate, "unique value exists already")


class IndexContract:
    """Indexes, their entries and claims. Needs a fixture ``store``: an empty store."""

    # Indexes

    def test_indexes_come_by_path_and_belong_to_a_collection(self, store: Store) -> None:
        store.apply([new_database(DB, PutCollection("Cats", b""), NAME, AGE), new_database(OTHER)])
        on(store, 1, PutIndex("Cats", "tail", False, False))
        assert store.read(lambda v: v.indexes(DB, "Dogs")) == [
            Index("Dogs", "age", False, True),
            Index("Dogs", "name", True, True),
        ]
        assert store.read(lambda v: v.indexes(DB, "Cats")) == [Index("Cats", "tail", False, False)]
        assert store.read(lambda v: (v.indexes(OTHER, "Dogs"), v.indexes(DB, "dogs"))) == ([], [])

    def test_an_index_that_is_there_only_becomes_ready(self, store: Store) -> None:
        store.apply([new_database(DB, PutIndex("Dogs", "age", True, False), dog(b"a", age(b"1")))])
        on(store, 1, PutIndex("Dogs", "age", False, True))
        assert store.read(lambda v: v.indexes(DB, "Dogs")) == [Index("Dogs", "age", True, True)]
        assert store.read(ages) == [(b"1", b"a")]
        on(store, 2, PutIndex("Dogs", "age", True, False))
        assert store.read(lambda v: v.indexes(DB, "Dogs")) == [Index("Dogs", "age", True, False)]

    def test_an_index_needs_its_collection(self, store: Store) -> None:
        store.apply([new_database(DB, PutIndex("Dogs", "age", False, True))])
        missing = (Missing, "collection does not exist")
        assert refused(store, 1, PutIndex("dogs", "age", False, True)) == missing
        assert refused(store, 1, DeleteCollection("Dogs"), AGE) == missing

    def test_a_dropped_index_takes_its_entries_and_claims_only(self, store: Store) -> None:
        store.apply([new_database(DB, AGE, NAME, dog(b"a", age(b"1"), name(b"Rex")))])
        on(store, 1, DropIndex("Dogs", "name"), DropIndex("Dogs", "name"), DropIndex("Cats", "name"))
        assert store.read(lambda v: [each.path for each in v.indexes(DB, "Dogs")]) == ["age"]
        assert store.read(lambda v: (ages(v), named(v, b"Rex"))) == ([(b"1", b"a")], [None])
        on(store, 2, NAME)
        assert store.read(lambda v: (list(v.entries(DB, "Dogs", "name")), named(v, b"Rex"))) == ([], [None])

    def test_declaring_and_dropping_an_index_is_no_change_of_documents(self, store: Store) -> None:
        store.apply([new_database()])
        on(store, 1, AGE, PutEntries("Dogs", ((b"a", age(b"1")),)))
        on(store, 2, DropIndex("Dogs", "age"))
        kinds = store.read(lambda v: [each.kind for each in v.changes_after(DB, 1, limit=9)])
        assert kinds == [ChangeKind.DATABASE, ChangeKind.DATABASE]

    def test_a_deleted_collection_takes_its_indexes(self, store: Store) -> None:
        cats = PutIndex("Cats", "age", False, True)
        store.apply([new_database(DB, PutCollection("Cats", b""), cats, AGE, NAME)])
        on(store, 1, dog(b"a", age(b"1"), name(b"Rex")), dog(b"c", age(b"2"), collection="Cats"))
        on(store, 2, DeleteCollection("Dogs"))
        on(store, 3, PutCollection("Dogs", b""))
        assert store.read(lambda v: (v.indexes(DB, "Dogs"), ages(v), named(v, b"Rex"))) == ([], [], [None])
        on(store, 4, AGE, NAME)
        assert store.read(lambda v: (ages(v), named(v, b"Rex"))) == ([], [None])
        assert store.read(lambda v: list(v.entries(DB, "Cats", "age"))) == [(b"2", b"c")]

    def test_a_replaced_collection_keeps_its_indexes(self, store: Store) -> None:
        store.apply([new_database(DB, AGE, dog(b"a", age(b"1")), PutCollection("Dogs", b"other"))])
        assert store.read(lambda v: (len(v.indexes(DB, "Dogs")), ages(v))) == (1, [(b"1", b"a")])

    def test_a_deleted_thread_takes_its_indexes_and_leaves_those_of_others(self, store: Store) -> None:
        for id_ in (DB, OTHER):
            store.apply([new_database(id_, AGE, NAME, dog(b"a", age(b"1"), name(b"Rex")))])
        on(store, 1, DeleteThread(DB), db=OTHER)
        assert store.read(lambda v: (v.indexes(DB, "Dogs"), ages(v), named(v, b"Rex"))) == ([], [], [None])
        assert store.read(lambda v: list(v.entries(OTHER, "Dogs", "age"))) == [(b"1", b"a")]
        assert store.read(lambda v: v.claimant(OTHER, "Dogs", "name", b"claim of Rex")) == b"a"
        store.apply([new_database(DB, AGE, NAME)])
        assert store.read(lambda v: (ages(v), named(v, b"Rex"))) == ([], [None])

    # Entries

    def test_entries_come_by_key_and_then_by_document(self, store: Store) -> None:
        keys = {b"d": b"\x01", b"c": b"", b"b": b"\x01", b"a": b"\x01\x00", b"e": b"\xff"}
        store.apply([new_database(DB, AGE, *(dog(id_, age(key)) for id_, key in keys.items()))])
        expected = [(b"", b"c"), (b"\x01", b"b"), (b"\x01", b"d"), (b"\x01\x00", b"a"), (b"\xff", b"e")]
        assert store.read(ages) == expected
        assert store.read(lambda v: list(v.entries(DB, "Dogs", "age", reverse=True))) == expected[::-1]

    @pytest.mark.parametrize("reverse", [False, True])
    @pytest.mark.parametrize(
        ("low", "high", "found"),
        [
            (b"", None, "abcd"),
            (b"1", None, "abcd"),
            (b"1\x00", None, "bcd"),
            (b"2", b"3", "bc"),
            (b"", b"2", "a"),
            (b"2", b"2", ""),
            (b"3", b"1", ""),
            (b"", b"", ""),
            (b"4", None, ""),
        ],
    )
    def test_bounds_hold_the_lower_and_not_the_upper(
        self, store: Store, low: bytes, high: bytes | None, found: str, reverse: bool
    ) -> None:
        keys = {b"a": b"1", b"b": b"2", b"c": b"2", b"d": b"3"}
        more = PutIndex("Dogs", "agf", False, True), dog(b"x", Entry("agf", b"2"))
        store.apply([new_database(DB, AGE, *more, *(dog(id_, age(key)) for id_, key in keys.items()))])
        ids = store.read(
            lambda v: [id_ for _, id_ in v.entries(DB, "Dogs", "age", low=low, high=high, reverse=reverse)]
        )
        assert b"".join(reversed(ids) if reverse else ids).decode() == found

    def test_an_index_that_is_not_there_has_no_entries(self, store: Store) -> None:
        store.apply([new_database(DB, AGE, dog(b"a", age(b"1")))])
        assert store.read(lambda v: list(v.entries(DB, "Dogs", "name"))) == []
        assert store.read(lambda v: (v.claimant(DB, "Dogs", "name", b"x"), v.indexes(b"no", "Dogs"))) == (
            None,
            [],
        )

    def test_entries_go_and_come_with_their_document(self, store: Store) -> None:
        store.apply([new_database(DB, AGE, dog(b"a", age(b"1")), dog(b"b", age(b"2")))])
        on(store, 1, dog(b"a", age(b"3"), remove=(age(b"1"),)))
        assert store.read(ages) == [(b"2", b"b"), (b"3", b"a")]
        on(
            store,
            2,
            DeleteDocument("Dogs", b"b", (age(b"2"),)),
            DeleteDocument("Dogs", b"never", (age(b"3"),)),
        )
        assert store.read(ages) == [(b"3", b"a")]

    def test_entries_that_do_not_change_need_not_be_given(self, store: Store) -> None:
        store.apply([new_database(DB, AGE, dog(b"a", age(b"1"))), Batch((dog(b"a"),), database=DB, expect=1)])
        assert store.read(ages) == [(b"1", b"a")]
        on(store, 2, dog(b"a", age(b"1"), remove=(age(b"1"),)), dog(b"a", age(b"1")))
        assert store.read(ages) == [(b"1", b"a")]

    def test_a_document_written_twice_in_a_batch_has_the_entries_of_the_last(self, store: Store) -> None:
        store.apply([new_database(DB, AGE, NAME)])
        on(
            store,
            1,
            dog(b"a", age(b"1"), name(b"Rex"), body=b"1"),
            dog(b"a", age(b"2"), name(b"Max"), remove=(age(b"1"), name(b"Rex")), body=b"2"),
            dog(b"b", name(b"Rex")),
            DeleteDocument("Dogs", b"b", (name(b"Rex"),)),
        )
        assert store.read(lambda v: (ages(v), named(v, b"Rex", b"Max"))) == ([(b"2", b"a")], [None, b"a"])
        assert store.read(lambda v: list(v.scan(DB, "Dogs"))) == [Document(b"a", b"2")]

    def test_entries_need_their_index(self, store: Store) -> None:
        store.apply([new_database(DB, AGE)])
        missing = (Missing, "index does not exist")
        assert refused(store, 1, dog(b"a", name(b"Rex"))) == missing
        assert refused(store, 1, PutEntries("Dogs", ((b"a", name(b"Rex")),))) == missing
        assert refused(store, 1, PutEntries("Cats", ((b"a", age(b"1")),))) == missing
        assert refused(store, 1, DropIndex("Dogs", "age"), dog(b"a", age(b"1"))) == missing
        assert store.read(lambda v: list(v.scan(DB, "Dogs"))) == []
        on(store, 1, dog(b"a", remove=(name(b"Rex"),)), DeleteDocument("Cats", b"a", (age(b"1"),)))

    def test_an_index_is_filled_from_documents_that_are_there(self, store: Store) -> None:
        ids = [b"%d" % n for n in range(9)]
        store.apply([new_database(DB, *(document(id_) for id_ in ids))])
        on(store, 1, PutIndex("Dogs", "age", False, False))
        on(store, 2, PutEntries("Dogs", tuple((id_, age(id_)) for id_ in ids[:5])))
        on(store, 3, PutEntries("Dogs", tuple((id_, age(id_)) for id_ in ids[3:])), AGE)
        assert store.read(ages) == [(id_, id_) for id_ in ids]
        assert store.read(lambda v: v.indexes(DB, "Dogs")) == [Index("Dogs", "age", False, True)]

    # Claims

    def test_a_unique_value_is_taken_once(self, store: Store) -> None:
        store.apply([new_database(DB, NAME, dog(b"a", name(b"Rex")))])
        assert refused(store, 1, dog(b"b", name(b"Rex"))) == TAKEN
        assert refused(store, 1, dog(b"b", name(b"Max")), dog(b"c", name(b"Max"))) == TAKEN
        assert refused(store, 1, PutEntries("Dogs", ((b"b", name(b"Max")), (b"c", name(b"Max"))))) == TAKEN
        assert store.read(lambda v: (named(v, b"Rex", b"Max"), v.document(DB, "Dogs", b"b"))) == (
            [b"a", None],
            None,
        )
        on(store, 1, dog(b"b", name(b"Max")))
        assert store.read(lambda v: named(v, b"Rex", b"Max")) == [b"a", b"b"]

    def test_claims_are_another_matter_than_keys(self, store: Store) -> None:
        store.apply([new_database(DB, NAME, dog(b"a", Entry("name", b"same key", b"1")))])
        on(store, 1, dog(b"b", Entry("name", b"same key", b"2")), dog(b"c", Entry("name", b"same key")))
        assert refused(store, 2, dog(b"d", Entry("name", b"another key", b"2"))) == TAKEN
        entries = store.read(lambda v: list(v.entries(DB, "Dogs", "name")))
        assert entries == [(b"same key", id_) for id_ in (b"a", b"b", b"c")]

    def test_documents_without_a_claim_do_not_clash(self, store: Store) -> None:
        store.apply([new_database(DB, NAME)])
        on(store, 1, dog(b"a", Entry("name", b"")), dog(b"b", Entry("name", b"")))
        assert store.read(lambda v: v.claimant(DB, "Dogs", "name", b"")) is None

    def test_a_document_keeps_and_claims_its_own_value(self, store: Store) -> None:
        store.apply([new_database(DB, NAME, dog(b"a", name(b"Rex")))])
        on(store, 1, dog(b"a", name(b"Rex"), remove=(name(b"Rex"),)))
        on(store, 2, dog(b"a", name(b"Rex")))
        on(store, 3, dog(b"a"))
        assert store.read(lambda v: named(v, b"Rex")) == [b"a"]
        assert refused(store, 4, dog(b"b", name(b"Rex"))) == TAKEN

    def test_a_value_that_was_given_up_is_free_from_then_on(self, store: Store) -> None:
        store.apply([new_database(DB, NAME, dog(b"a", name(b"Rex")), dog(b"b", name(b"Max")))])
        on(store, 1, dog(b"a", name(b"Ben"), remove=(name(b"Rex"),)), dog(b"c", name(b"Rex")))
        on(store, 2, DeleteDocument("Dogs", b"b", (name(b"Max"),)), dog(b"d", name(b"Max")))
        assert store.read(lambda v: named(v, b"Rex", b"Max", b"Ben")) == [b"c", b"d", b"a"]

    def test_operations_take_effect_one_after_the_other(self, store: Store) -> None:
        """Values change places only by way of a third: the first to come finds the other's still taken."""
        store.apply([new_database(DB, NAME, dog(b"a", name(b"Rex")), dog(b"b", name(b"Max")))])
        swap = [
            dog(b"a", name(b"Max"), remove=(name(b"Rex"),)),
            dog(b"b", name(b"Rex"), remove=(name(b"Max"),)),
        ]
        assert refused(store, 1, *swap) == TAKEN
        assert (
            refused(store, 1, dog(b"c", name(b"Rex")), DeleteDocument("Dogs", b"a", (name(b"Rex"),))) == TAKEN
        )
        on(store, 1, dog(b"a", remove=(name(b"Rex"),)), swap[1], swap[0])
        assert store.read(lambda v: named(v, b"Rex", b"Max")) == [b"b", b"a"]

    def test_the_first_refusal_of_a_batch_is_the_one_told(self, store: Store) -> None:
        store.apply([new_database(DB, NAME, dog(b"a", name(b"Rex")))])
        assert refused(store, 1, dog(b"b", name(b"Rex")), dog(b"c", age(b"1"))) == TAKEN
        assert refused(store, 1, dog(b"b", name(b"Rex")), dog(b"c", collection="Cats")) == TAKEN
        assert refused(store, 1, dog(b"b", age(b"1")), dog(b"c", name(b"Rex")))[0] is Missing

    def test_another_documents_claim_cannot_be_removed(self, store: Store) -> None:
        store.apply([new_database(DB, NAME, dog(b"a", name(b"Rex")))])
        on(store, 1, dog(b"b", remove=(name(b"Rex"),)), DeleteDocument("Dogs", b"c", (name(b"Rex"),)))
        assert store.read(lambda v: (named(v, b"Rex"), list(v.entries(DB, "Dogs", "name")))) == (
            [b"a"],
            [(b"Rex", b"a")],
        )

    def test_a_batch_that_fails_leaves_entries_and_claims_as_they_were(self, store: Store) -> None:
        store.apply([new_database(DB, AGE, NAME, dog(b"a", age(b"1"), name(b"Rex")))])
        before = store.read(lambda v: (ages(v), named(v, b"Rex", b"Max"), v.indexes(DB, "Dogs")))
        change = dog(b"a", age(b"2"), name(b"Max"), remove=(age(b"1"), name(b"Rex")))
        failing = PutDocument("Cats", b"x", b"", ChangeKind.SAVE)
        for operations in ([change], [DropIndex("Dogs", "age")], [DeleteCollection("Dogs")]):
            refused(store, 1, *operations, failing)
        assert store.read(lambda v: (ages(v), named(v, b"Rex", b"Max"), v.indexes(DB, "Dogs"))) == before
        two = [Batch((change, failing), database=DB, expect=1), Batch((dog(b"b"),), database=DB, expect=1)]
        assert [type(each) for each in store.apply(two)] == [Missing, type(None)]
        assert store.read(lambda v: (ages(v), named(v, b"Rex", b"Max"), v.indexes(DB, "Dogs"))) == before

    # Iterators

    def test_documents_are_scanned_between_bounds_in_both_directions(self, store: Store) -> None:
        ids = [b"", b"\x00", b"B", b"a", b"a\x00", b"b", b"\xff"]
        store.apply([new_database(DB, *(document(id_, id_) for id_ in reversed(ids)))])

        def scan(low: bytes, high: bytes | None, *, reverse: bool) -> list[Document]:
            return store.read(lambda v: list(v.scan(DB, "Dogs", low=low, high=high, reverse=reverse)))

        for low in (*ids, b"c"):
            for high in (*ids, None):
                between = [
                    Document(each, each) for each in ids if low <= each and (high is None or each < high)
                ]
                assert scan(low, high, reverse=False) == between
                assert scan(low, high, reverse=True) == between[::-1]

    def test_several_iterators_run_side_by_side(self, store: Store) -> None:
        ids = [b"%03d" % n for n in range(200)]
        store.apply([new_database(DB, AGE, *(dog(id_, age(id_), body=id_) for id_ in ids))])

        def join(view: View) -> list[tuple[bytes, bytes | None, bytes]]:
            pairs = zip(view.entries(DB, "Dogs", "age"), view.scan(DB, "Dogs", reverse=True), strict=True)
            return [(key, view.document(DB, "Dogs", id_), other.id) for (key, id_), other in pairs]

        assert store.read(join) == [(id_, id_, other) for id_, other in zip(ids, ids[::-1], strict=True)]

    def test_an_iterator_that_was_not_read_to_its_end_holds_nothing(self, store: Store) -> None:
        store.apply([new_database(DB, AGE, *(dog(b"%d" % n, age(b"1")) for n in range(9)))])
        left: list[Iterator[object]] = []

        def look(view: View) -> tuple[object, ...]:
            left.extend((view.scan(DB, "Dogs"), view.entries(DB, "Dogs", "age"), view.scan(DB, "Dogs")))
            return next(left[-3]), next(left[-2])

        for sequence in range(1, 9):
            assert store.read(look) == (Document(b"0", b"{}"), (b"1", b"0"))
            on(store, sequence, document(b"x"))
            assert store.read(lambda v: v.database(DB)) == store.read(lambda v: v.databases()[0])
        assert store.read(lambda v: v.document(DB, "Dogs", b"x")) == b"{}"
        for each in left:
            with pytest.raises(StoreError, match="the snapshot has ended"):
                next(each)
