"""Batches that go together, to several databases at once."""

from __future__ import annotations

import pytest

from tests.storage.contract.applying import on, refusal
from tests.storage.rows import DB, OTHER, document, new_database
from textile_aio.storage.changes import Batch, PutSetting
from textile_aio.storage.store import Moved, Store


def both(expect: int, other: int) -> Batch:
    """A document for each of two databases."""
    return Batch(
        (document(b"a", b"one"),), DB, expect, also=(Batch((document(b"a", b"two"),), OTHER, other),)
    )


class TogetherContract:
    """Needs a fixture ``store``: an empty store."""

    def test_what_goes_together_is_written_to_each_database(self, store: Store) -> None:
        store.apply([new_database(DB), new_database(OTHER)])
        assert store.apply([both(1, 1)]) == [None]
        for name, body in ((DB, b"one"), (OTHER, b"two")):
            assert store.read(lambda view: view.document(name, "Dogs", b"a")) == body  # noqa: B023
            database = store.read(lambda view: view.database(name))  # noqa: B023
            assert database is not None
            assert database.sequence == 2
            assert len(store.read(lambda view: view.changes_after(name, 1, limit=9))) == 1  # noqa: B023

    @pytest.mark.parametrize(("expect", "other"), [(1, 7), (7, 1)])
    def test_if_one_part_fails_nothing_of_any_is_written(self, store: Store, expect: int, other: int) -> None:
        store.apply([new_database(DB), new_database(OTHER)])
        errors = store.apply([Batch((PutSetting("a", b"1"),)), both(expect, other)])
        assert [type(error) for error in errors] == [type(None), Moved]
        assert isinstance(refusal(store, both(expect, other)), Moved)
        for name in (DB, OTHER):
            assert store.read(lambda view: view.document(name, "Dogs", b"a")) is None  # noqa: B023
            on(store, 1, document(b"b"), db=name)

    def test_a_part_sees_what_the_parts_before_it_did(self, store: Store) -> None:
        batch = new_database(DB)
        later = Batch((document(b"a"),), DB, 1)
        assert store.apply([Batch(batch.operations, batch.database, batch.expect, also=(later,))]) == [None]

    def test_parts_have_no_parts(self) -> None:
        inner = Batch((), also=(Batch(()),))
        with pytest.raises(ValueError, match="goes with another"):
            Batch((), also=(inner,))
