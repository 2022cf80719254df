"""Compiled collections, kept for as long as their configurations are in use."""

from __future__ import annotations

from functools import lru_cache

from textile_aio.storage.store import View
from textile_aio.storage.values import Collection as Row
from textile_aio.threaddb.collections import Collection, decode, missing

_KEPT = 256


@lru_cache(_KEPT)
def compiled(config: bytes) -> Collection:
    """The collection of a stored configuration; equal ones share it, whichever database has them."""
    return Collection(decode(config))


def find_collection(view: View, database: bytes, name: str) -> Collection:
    """A collection of a database.

    Raises:
        CollectionNotFound: There is none of that name.
    """
    row = find_row(view, database, name)
    if row is None:
        raise missing(name)
    return compiled(row.config)


def find_row(view: View, database: bytes, name: str) -> Row | None:
    """A collection as it is stored. Names are ASCII, so that any other text, Unicode or not, is none's."""
    return view.collection(database, name) if name.isascii() else None
