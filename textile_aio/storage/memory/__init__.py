"""The store and the bulk bytes in memory: what a hub uses that leaves nothing behind."""

from __future__ import annotations

from textile_aio.storage.memory.bulk import MemoryBulk
from textile_aio.storage.memory.store import MemoryStore

__all__ = ["MemoryBulk", "MemoryStore"]
