"""Writing the block index: rows, places, and the epochs by which a collector knows what is in use."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

from textile_aio.storage.changes import DropBlocks, MoveBlocks, TouchBlocks
from textile_aio.storage.links import join
from textile_aio.storage.store import Missing
from textile_aio.storage.values import BlockRow

_PUT = (
    "INSERT INTO block VALUES (?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (cid) DO UPDATE SET epoch = excluded.epoch WHERE excluded.epoch > epoch"
)


class BlockTable:
    """The tables ``block`` and ``place``, within a transaction of somebody else's."""

    __slots__ = ("_connection", "_run")

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._run = connection.execute

    def put(self, rows: tuple[BlockRow, ...]) -> None:
        """Insert rows; see :class:`PutBlocks`."""
        first: dict[bytes, BlockRow] = {}
        for row in rows:
            known = first.setdefault(row.cid, row)
            if row.epoch > known.epoch:
                first[row.cid] = replace(known, epoch=row.epoch)
        by_place: dict[str, dict[bytes, BlockRow]] = {}
        for row in first.values():
            by_place.setdefault(row.place, {})[row.cid] = row
        for place, some in by_place.items():
            number, is_new = self._number(place) if place else (None, False)
            self._connection.executemany(
                _PUT,
                (
                    (row.cid, row.size, join(row.links), row.data, number, row.offset, row.epoch)
                    for row in some.values()
                ),
            )
            if is_new:
                # If every block was known, the place stays nameless, so that it is found and deleted.
                self.forget_place(place)

    def touch(self, change: TouchBlocks) -> None:
        """Raise epochs; see :class:`TouchBlocks`."""
        for cid in change.cids:
            touched = self._run("UPDATE block SET epoch = max(epoch, ?) WHERE cid = ?", (change.epoch, cid))
            if not touched.rowcount:
                raise Missing("block")

    def drop(self, change: DropBlocks) -> None:
        """Delete rows; see :class:`DropBlocks`."""
        self._connection.executemany(
            "DELETE FROM block WHERE cid = ? AND epoch < ?", ((cid, change.before) for cid in change.cids)
        )

    def move(self, change: MoveBlocks) -> None:
        """Let rows name another place; see :class:`MoveBlocks`."""
        found = self._run("SELECT number FROM place WHERE name = ?", (change.source,)).fetchone()
        if found is None:
            return
        numbers = {place: self._number(place)[0] for place in {row.place for row in change.rows}}
        self._connection.executemany(
            "UPDATE block SET place = ?, offset = ? WHERE cid = ? AND place = ?",
            ((numbers[row.place], row.offset, row.cid, found[0]) for row in change.rows),
        )
        for place in numbers:
            self.forget_place(place)

    def forget_place(self, name: str) -> None:
        """Delete a place's row unless blocks name it."""
        self._run(
            "DELETE FROM place WHERE name = ? AND NOT EXISTS (SELECT 1 FROM block WHERE place = number)",
            (name,),
        )

    def _number(self, place: str) -> tuple[int, bool]:
        """A place's number, and whether it got it just now."""
        is_new = self._run("INSERT OR IGNORE INTO place (name) VALUES (?)", (place,)).rowcount > 0
        (number,) = self._run("SELECT number FROM place WHERE name = ?", (place,)).fetchone()
        return int(number), is_new
