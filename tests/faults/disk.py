"""What a hub has on its disk, seen from beside it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path


def unfinished(data: Path) -> set[str]:
    """Files of places that are being written, or were left half-way."""
    return {path.name for path in (data / "packs").iterdir() if path.suffix != ".pack"}


def unnamed(data: Path) -> set[str]:
    """Places that no row of the index names: bytes that take room and that nobody can reach."""
    with closing(sqlite3.connect(f"file:{data / 'hub.sqlite'}?mode=ro", uri=True)) as database:
        named = {name for (name,) in database.execute("SELECT name FROM place")}
    return {path.stem for path in (data / "packs").glob("*.pack")} - named
