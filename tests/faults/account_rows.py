"""What the rows about accounts have to say of each other, whatever happened to the hub that wrote them.

Reads a directory nobody serves.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from textile_aio.identity import Identity
from textile_aio.localhub.accounts.vault import Vault

_NO_ACCOUNT = "NOT IN (SELECT public_key FROM account)"
_STRAYS = {
    "sessions of nobody": f"SELECT id FROM session WHERE account {_NO_ACCOUNT}",
    "keys of nobody": f"SELECT key FROM api_key WHERE owner {_NO_ACCOUNT}",
    "members who are nobody": f"SELECT position FROM member WHERE account {_NO_ACCOUNT} OR org {_NO_ACCOUNT}",
    "invitations to nothing": f"SELECT id FROM invite WHERE org {_NO_ACCOUNT} OR sender {_NO_ACCOUNT}",
    "threads of nobody": f"SELECT thread FROM tracked WHERE key = '' AND owner {_NO_ACCOUNT}",
    "threads of lost keys": "SELECT thread FROM tracked WHERE key <> ''"
    " AND key NOT IN (SELECT key FROM api_key)",
    "threads nobody has": "SELECT id FROM thread WHERE id NOT IN (SELECT thread FROM tracked)",
    "tracked threads that are not there": "SELECT thread FROM tracked"
    " WHERE thread NOT IN (SELECT id FROM thread)",
    "names of buckets that are not there": "SELECT cid FROM name_key"
    " WHERE thread NOT IN (SELECT id FROM thread)",
    "developers nobody can act for": "SELECT username FROM account WHERE kind = 0"
    " AND public_key NOT IN (SELECT account FROM session)",
    "organisations without one owner": "SELECT username FROM account WHERE kind = 1"
    " AND (SELECT count(*) FROM member WHERE org = public_key AND role = 0) <> 1",
}


def strays(data: Path) -> dict[str, list[object]]:
    """Rows without those that they belong to, by what is wrong with them."""
    with closing(sqlite3.connect(f"file:{data / 'hub.sqlite'}?mode=ro", uri=True)) as database:
        found = {what: [row[0] for row in database.execute(query)] for what, query in _STRAYS.items()}
    return {what: rows for what, rows in found.items() if rows}


def unopenable(data: Path) -> list[bytes]:
    """Accounts whose private key is none, or another account's."""
    vault = Vault.from_string((data / "secrets.key").read_text().strip())
    with closing(sqlite3.connect(f"file:{data / 'hub.sqlite'}?mode=ro", uri=True)) as database:
        rows = database.execute("SELECT public_key, private_key FROM account").fetchall()
    return [
        public
        for public, sealed in rows
        if bytes(Identity.from_bytes(vault.open(sealed, public)).public) != public
    ]
