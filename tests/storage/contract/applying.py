"""Applying operations that must succeed, or that must not."""

from __future__ import annotations

from tests.storage.rows import DB
from textile_aio.storage.changes import Batch, Operation
from textile_aio.storage.store import Store, StoreError


def do(store: Store, *operations: Operation) -> None:
    """Apply operations that must succeed."""
    assert store.apply([Batch(operations)]) == [None]


def on(store: Store, expect: int, *operations: Operation, db: bytes = DB) -> None:
    """Apply operations on a database that must succeed."""
    assert store.apply([Batch(operations, database=db, expect=expect)]) == [None]


def refusal(store: Store, batch: Batch) -> StoreError:
    """The error of a batch that must fail."""
    [error] = store.apply([batch])
    assert error is not None
    return error
