"""The tables, their format version, and the way from older formats to this one.

Owns what is in the file. Every key of a database's rows begins with the database, or with the number of
one of its indexes; names and ids are compared byte by byte, and lists in order of creation have a position
of their own. Nothing here relies on what a distributed SQL engine may lack: no triggers, foreign keys or
sequences.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from textile_aio.errors import DirectoryInvalid, UnsupportedFormat

FORMAT = 4
"""The format this code writes, kept in ``PRAGMA user_version``."""

_SEALED = 4
"""The first format without secrets in clear."""

APPLICATION = 0x74786C61
"""``PRAGMA application_id`` of our files ("txla"): another program's database is not touched."""

PAGE_BYTES = 16384

_ADDED_IN_2 = (
    # Whose records go to a log is found through the second index, and at most one log answers.
    "CREATE UNIQUE INDEX log_identity ON log (thread, identity) WHERE identity <> x''",
    # With row ids: records come in at the end, and only the short entry of the index has a random place.
    """CREATE TABLE record (
        thread BLOB NOT NULL, cid BLOB NOT NULL, log BLOB NOT NULL, counter INTEGER NOT NULL,
        record BLOB NOT NULL, event BLOB NOT NULL, header BLOB NOT NULL, body BLOB NOT NULL,
        UNIQUE (thread, cid)
    )""",
    """CREATE TABLE idx (
        number INTEGER PRIMARY KEY, database BLOB NOT NULL, collection TEXT NOT NULL, path TEXT NOT NULL,
        is_unique INTEGER NOT NULL, ready INTEGER NOT NULL,
        UNIQUE (database, collection, path)
    )""",
    """CREATE TABLE entry (
        idx INTEGER NOT NULL, key BLOB NOT NULL, id BLOB NOT NULL,
        PRIMARY KEY (idx, key, id)
    ) WITHOUT ROWID""",
    """CREATE TABLE claim (
        idx INTEGER NOT NULL, claim BLOB NOT NULL, id BLOB NOT NULL,
        PRIMARY KEY (idx, claim)
    ) WITHOUT ROWID""",
)

_ADDED_IN_3 = (
    # The collector asks which rows name a place.
    "CREATE INDEX block_place ON block (place) WHERE place IS NOT NULL",
)

_ADDED_IN_4 = (
    """CREATE TABLE member (
        position INTEGER PRIMARY KEY, org BLOB NOT NULL, account BLOB NOT NULL, role INTEGER NOT NULL,
        UNIQUE (org, account)
    )""",
    "CREATE INDEX member_account ON member (account, position)",
    """CREATE TABLE invite (
        id TEXT PRIMARY KEY, org BLOB NOT NULL, sender BLOB NOT NULL, email TEXT NOT NULL,
        accepted INTEGER NOT NULL, expires_at INTEGER NOT NULL
    ) WITHOUT ROWID""",
    "CREATE INDEX invite_org ON invite (org)",
    "CREATE INDEX invite_sender ON invite (sender)",
    "CREATE INDEX invite_email ON invite (email)",
    "CREATE INDEX session_account ON session (account)",
    # Whose threads go with an account, and whether somebody else still has one.
    "CREATE INDEX tracked_key ON tracked (key) WHERE key <> ''",
    "CREATE INDEX tracked_thread ON tracked (thread)",
)

TABLES = (
    "CREATE TABLE setting (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    """CREATE TABLE thread (
        id BLOB PRIMARY KEY, service_key BLOB NOT NULL, read_key BLOB, created_at INTEGER NOT NULL
    ) WITHOUT ROWID""",
    """CREATE TABLE log (
        thread BLOB NOT NULL, id BLOB NOT NULL, public_key BLOB NOT NULL, private_key BLOB,
        identity BLOB NOT NULL, managed INTEGER NOT NULL DEFAULT 1, head BLOB NOT NULL DEFAULT x'',
        counter INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (thread, id)
    ) WITHOUT ROWID""",
    """CREATE TABLE db (
        thread BLOB PRIMARY KEY, name TEXT NOT NULL, sequence INTEGER NOT NULL,
        oldest INTEGER NOT NULL DEFAULT 0, incarnation BLOB NOT NULL DEFAULT x''
    ) WITHOUT ROWID""",
    """CREATE TABLE collection (
        database BLOB NOT NULL, name TEXT NOT NULL, config BLOB NOT NULL,
        PRIMARY KEY (database, name)
    ) WITHOUT ROWID""",
    """CREATE TABLE document (
        database BLOB NOT NULL, collection TEXT NOT NULL, id BLOB NOT NULL, body BLOB NOT NULL,
        PRIMARY KEY (database, collection, id)
    ) WITHOUT ROWID""",
    """CREATE TABLE change (
        database BLOB NOT NULL, sequence INTEGER NOT NULL, position INTEGER NOT NULL,
        kind INTEGER NOT NULL, collection TEXT NOT NULL, document BLOB NOT NULL,
        PRIMARY KEY (database, sequence, position)
    ) WITHOUT ROWID""",
    "CREATE TABLE root (bucket BLOB PRIMARY KEY, thread BLOB NOT NULL, cid BLOB NOT NULL) WITHOUT ROWID",
    "CREATE INDEX root_thread ON root (thread)",
    "CREATE TABLE place (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    # With row ids, because inline data would make a tree ordered by CID wide and its inserts random.
    """CREATE TABLE block (
        cid BLOB NOT NULL UNIQUE, size INTEGER NOT NULL, links BLOB NOT NULL,
        data BLOB, place INTEGER, offset INTEGER NOT NULL, epoch INTEGER NOT NULL DEFAULT 0
    )""",
    """CREATE TABLE account (
        position INTEGER PRIMARY KEY, public_key BLOB NOT NULL UNIQUE, private_key BLOB NOT NULL,
        kind INTEGER NOT NULL, username TEXT NOT NULL, folded_username TEXT NOT NULL, email TEXT NOT NULL,
        created_at INTEGER NOT NULL, name TEXT NOT NULL DEFAULT ''
    )""",
    "CREATE UNIQUE INDEX account_username ON account (folded_username) WHERE folded_username <> ''",
    "CREATE UNIQUE INDEX account_email ON account (email) WHERE email <> ''",
    """CREATE TABLE session (
        id TEXT PRIMARY KEY, account BLOB NOT NULL, expires_at INTEGER NOT NULL
    ) WITHOUT ROWID""",
    """CREATE TABLE api_key (
        position INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, owner BLOB NOT NULL, kind INTEGER NOT NULL,
        secure INTEGER NOT NULL, valid INTEGER NOT NULL, created_at INTEGER NOT NULL,
        sealed BLOB NOT NULL DEFAULT x''
    )""",
    "CREATE INDEX api_key_owner ON api_key (owner, position)",
    """CREATE TABLE tracked (
        position INTEGER PRIMARY KEY, owner BLOB NOT NULL, thread BLOB NOT NULL, name TEXT NOT NULL,
        folded_name TEXT NOT NULL, key TEXT NOT NULL, is_database INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        UNIQUE (owner, thread)
    )""",
    "CREATE UNIQUE INDEX tracked_name ON tracked (owner, folded_name) WHERE folded_name <> ''",
    "CREATE INDEX tracked_owner ON tracked (owner, position)",
    """CREATE TABLE name_key (
        cid TEXT PRIMARY KEY, private_key BLOB NOT NULL, thread BLOB NOT NULL, path TEXT NOT NULL,
        created_at INTEGER NOT NULL
    ) WITHOUT ROWID""",
    "CREATE INDEX name_key_thread ON name_key (thread, cid)",
    *_ADDED_IN_2,
    *_ADDED_IN_3,
    *_ADDED_IN_4,
)


class Sealing(Protocol):
    """Keeps secrets that formats before 4 had in clear."""

    def name(self, text: str) -> str:
        """What a session or an API key is known by, without being it."""
        ...

    def seal(self, secret: bytes, about: bytes) -> bytes:
        """A secret of the row that ``about`` names."""
        ...


Step = Callable[[sqlite3.Connection, Sealing | None], object]


def _from_1(connection: sqlite3.Connection, _: Sealing | None) -> None:
    """Indexes, records, and what logs and databases have to know for them."""
    for column in (
        "log ADD COLUMN managed INTEGER NOT NULL DEFAULT 1",
        "log ADD COLUMN head BLOB NOT NULL DEFAULT x''",
        "log ADD COLUMN counter INTEGER NOT NULL DEFAULT 0",
        "db ADD COLUMN oldest INTEGER NOT NULL DEFAULT 0",
        "db ADD COLUMN incarnation BLOB NOT NULL DEFAULT x''",
    ):
        connection.execute(f"ALTER TABLE {column}")
    connection.execute("UPDATE db SET incarnation = randomblob(16)")
    # Of several logs with one identity, all of them without a record yet, one goes on to be the writer's.
    connection.execute(
        "UPDATE log SET identity = x'' WHERE EXISTS (SELECT 1 FROM log AS first WHERE"
        " first.thread = log.thread AND first.identity = log.identity AND first.id < log.id)"
    )
    for statement in _ADDED_IN_2:
        connection.execute(statement)


def _from_2(connection: sqlite3.Connection, _: Sealing | None) -> None:
    """What a collector of blocks has to know."""
    connection.execute("ALTER TABLE block ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0")
    for statement in _ADDED_IN_3:
        connection.execute(statement)


def _from_3(connection: sqlite3.Connection, sealing: Sealing | None) -> None:
    """Organisations, and no secrets in clear any more."""
    if sealing is None:
        raise UnsupportedFormat("formats before 4 have secrets in clear, and there is no key to seal them")
    run = connection.execute
    run("PRAGMA secure_delete = ON")
    run("ALTER TABLE account DROP COLUMN token")  # a token can be issued again
    run("ALTER TABLE account ADD COLUMN name TEXT NOT NULL DEFAULT ''")
    run("ALTER TABLE api_key ADD COLUMN sealed BLOB NOT NULL DEFAULT x''")
    for key, secret in run("SELECT public_key, private_key FROM account").fetchall():
        sealed = sealing.seal(secret, key)
        run("UPDATE account SET private_key = ? WHERE public_key = ?", (sealed, key))
    for (id_,) in run("SELECT id FROM session").fetchall():
        run("UPDATE session SET id = ? WHERE id = ?", (sealing.name(id_), id_))
    for key, secret in run("SELECT key, secret FROM api_key").fetchall():
        name = sealing.name(key)
        sealed = sealing.seal(f"{key} {secret}".encode(), name.encode())
        run("UPDATE api_key SET key = ?, sealed = ? WHERE key = ?", (name, sealed, key))
        run("UPDATE tracked SET key = ? WHERE key = ?", (name, key))
    run("ALTER TABLE api_key DROP COLUMN secret")
    for statement in _ADDED_IN_4:
        run(statement)


STEPS: Mapping[int, Step] = {1: _from_1, 2: _from_2, 3: _from_3}
"""From each older format to the next one."""


def prepare(
    connection: sqlite3.Connection,
    path: Path,
    *,
    tables: tuple[str, ...] = TABLES,
    steps: Mapping[int, Step] = STEPS,
    newest: int = FORMAT,
    sealing: Sealing | None = None,
) -> None:
    """Create the tables in a new file, or bring an older format forward, in one transaction.

    Until the format is known to be ours, nothing is written.

    Raises:
        UnsupportedFormat: A newer version wrote the file, or no step leads from its format to this one.
        DirectoryInvalid: The file is another program's database.
    """
    found = _format(connection, path)
    if found == newest:
        return
    if found > newest:
        raise UnsupportedFormat(
            f"written in format {found}, and this version reads up to {newest}; upgrade textile-aio",
            about=str(path),
        )
    if found == 0:
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
    missing = [number for number in range(found, newest) if found and number not in steps]
    if missing:
        raise UnsupportedFormat(f"format {missing[0]} is too old to be brought forward", about=str(path))
    connection.execute("BEGIN IMMEDIATE")
    try:
        if found == 0:
            for statement in tables:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
        else:
            for number in range(found, newest):
                steps[number](connection, sealing)
        connection.execute(f"PRAGMA user_version = {newest}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    if 0 < found < _SEALED:
        connection.execute("VACUUM")  # what was in clear is in no unused page either


def _format(connection: sqlite3.Connection, path: Path) -> int:
    """The file's format, 0 if there is nothing in it yet."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (number,) = connection.execute("PRAGMA user_version").fetchone()
    if application == APPLICATION:
        return int(number)
    empty = connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is None
    if application or number or not empty:
        raise DirectoryInvalid("this SQLite database belongs to another program", about=str(path))
    return 0
