"""The store on one SQLite file. All SQL of this backend is in this package, and nothing of it leaves it."""

from __future__ import annotations

from textile_aio.storage.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
