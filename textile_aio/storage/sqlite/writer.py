"""Writing: what each operation of a batch does to the tables.

Runs inside a transaction that somebody else began and will end. A refusal is a ``StoreError`` raised before
or after some statements of the batch have run; undoing those is the caller's part.
"""

from __future__ import annotations

import sqlite3
from dataclasses import astuple
from typing import Any, assert_never

from textile_aio.storage.changes import (
    AddMember,
    Batch,
    CreateAccount,
    CreateDatabase,
    CreateThread,
    DeleteAccount,
    DeleteCollection,
    DeleteDocument,
    DeleteInvite,
    DeleteMember,
    DeleteNameKey,
    DeleteSession,
    DeleteThread,
    DropBlocks,
    DropIndex,
    ForgetPlace,
    MoveBlocks,
    Operation,
    PutApiKey,
    PutBlocks,
    PutCollection,
    PutDocument,
    PutEntries,
    PutIndex,
    PutInvite,
    PutLog,
    PutNameKey,
    PutReadKey,
    PutRecord,
    PutSession,
    PutSetting,
    SetHead,
    SetRoot,
    TouchBlocks,
    TrackThread,
    TrimChanges,
    UntrackThread,
)
from textile_aio.storage.sqlite.blocks import BlockTable
from textile_aio.storage.sqlite.documents import Documents
from textile_aio.storage.store import Duplicate, Missing, Moved
from textile_aio.storage.values import Account, ApiKey, LogRecord, ThreadLog, TrackedThread, fold


class Writer:
    """Runs the operations of one batch."""

    __slots__ = ("_blocks", "_connection", "_database", "_documents", "_run", "_threads")

    def __init__(self, connection: sqlite3.Connection, database: bytes | None) -> None:
        self._connection = connection
        self._run = connection.execute
        self._database = database
        self._documents = Documents(connection, database)
        self._blocks = BlockTable(connection)
        self._threads: set[bytes] = set()  # known to be there

    def apply(self, batch: Batch) -> None:
        """Run a batch's operations, its fence and its change rows.

        Raises:
            Moved: The database or a root is not as the batch expects.
            Duplicate: A unique claim is taken.
            Missing: Something the batch builds on is not there.
        """
        before, after = batch.in_order()
        for operation in before:
            self._do(operation)
        if batch.database is not None:
            self._pass_fence(batch.database, batch.expect)
        for operation in after:
            self._do(operation)
        self._documents.flush()
        self._connection.executemany(
            "INSERT INTO change VALUES (?, ?, ?, ?, ?, ?)",
            (
                (batch.database, each.sequence, position, int(each.kind), each.collection, each.document)
                for position, each in enumerate(batch.changes())
            ),
        )

    def _do(self, operation: Operation) -> None:
        run, documents = self._run, self._documents
        match operation:
            case PutDocument():
                documents.put(operation)
                return
            case DeleteDocument():
                documents.delete(operation)
                return
        documents.flush()
        match operation:
            case PutBlocks(rows):
                self._blocks.put(rows)
            case TouchBlocks():
                self._blocks.touch(operation)
            case DropBlocks():
                self._blocks.drop(operation)
            case MoveBlocks():
                self._blocks.move(operation)
            case ForgetPlace(name):
                self._blocks.forget_place(name)
            case SetRoot():
                self._set_root(operation)
            case CreateThread(thread):
                self._insert(
                    "thread",
                    "INSERT OR IGNORE INTO thread VALUES (?, ?, ?, ?)",
                    (thread.id, thread.service_key, thread.read_key, thread.created_at),
                )
            case DeleteThread(id_):
                self._delete_thread(id_)
            case PutReadKey():
                self._put_read_key(operation)
            case PutLog(log):
                self._put_log(log)
            case SetHead():
                self._set_head(operation)
            case PutRecord(record):
                self._put_record(record)
            case CreateDatabase(thread_id, name, incarnation):
                self._need_thread(thread_id)
                self._insert(
                    "database",
                    "INSERT OR IGNORE INTO db VALUES (?, ?, 0, 0, ?)",
                    (thread_id, name, incarnation),
                )
            case PutCollection(name, config):
                run("REPLACE INTO collection VALUES (?, ?, ?)", (self._database, name, config))
                documents.forget()
            case DeleteCollection(name):
                documents.delete_collection(name)
            case PutIndex():
                documents.put_index(operation)
            case DropIndex():
                documents.drop_index(operation)
            case PutEntries():
                documents.put_entries(operation)
            case TrimChanges(through):
                self._trim(through)
            case CreateAccount(account):
                self._create_account(account)
            case DeleteAccount(public_key):
                self._delete_account(public_key)
            case AddMember(member):
                self._need_account(member.org, member.account)
                run(
                    "INSERT OR IGNORE INTO member (org, account, role) VALUES (?, ?, ?)",
                    (member.org, member.account, int(member.role)),
                )
            case DeleteMember(org, account_key):
                run("DELETE FROM member WHERE org = ? AND account = ?", (org, account_key))
                run("DELETE FROM invite WHERE org = ? AND sender = ?", (org, account_key))
            case PutInvite(invite):
                self._need_account(invite.org)
                run("REPLACE INTO invite VALUES (?, ?, ?, ?, ?, ?)", astuple(invite))
            case DeleteInvite(invite_id):
                run("DELETE FROM invite WHERE id = ?", (invite_id,))
            case PutSession(session):
                run(
                    "REPLACE INTO session VALUES (?, ?, ?)", (session.id, session.account, session.expires_at)
                )
            case DeleteSession(session_id):
                run("DELETE FROM session WHERE id = ?", (session_id,))
            case PutApiKey(key):
                self._put_api_key(key)
            case TrackThread(row):
                self._track(row)
            case UntrackThread(owner, thread_id):
                run("DELETE FROM tracked WHERE owner = ? AND thread = ?", (owner, thread_id))
            case PutNameKey(key):
                run(
                    "REPLACE INTO name_key VALUES (?, ?, ?, ?, ?)",
                    (key.cid, key.private_key, key.thread, key.path, key.created_at),
                )
            case DeleteNameKey(cid):
                run("DELETE FROM name_key WHERE cid = ?", (cid,))
            case PutSetting(name, value):
                run("REPLACE INTO setting VALUES (?, ?)", (name, value))
            case _:
                assert_never(operation)

    def _pass_fence(self, database: bytes, expect: int | None) -> None:
        moved = self._run(
            "UPDATE db SET sequence = sequence + 1 WHERE thread = ? AND sequence = ?", (database, expect)
        )
        if not moved.rowcount:
            if self._there("SELECT 1 FROM db WHERE thread = ?", database):
                raise Moved(f"the database's sequence is not {expect} any more")
            raise Missing("database")
        self._threads.add(database)

    def _set_root(self, change: SetRoot) -> None:
        found = self._run("SELECT cid FROM root WHERE bucket = ?", (change.bucket,)).fetchone()
        if (found and found[0]) != change.expect:
            raise Moved("the bucket's root is another")
        if change.cid is None:
            self._run("DELETE FROM root WHERE bucket = ?", (change.bucket,))
            return
        self._need_thread(change.thread)
        self._run("REPLACE INTO root VALUES (?, ?, ?)", (change.bucket, change.thread, change.cid))

    def _put_log(self, new: ThreadLog) -> None:
        self._need_thread(new.thread)
        if new.identity and self._there(
            "SELECT 1 FROM log WHERE thread = ? AND identity = ? AND identity <> x'' AND id <> ?",
            new.thread,
            new.identity,
            new.id,
        ):
            raise Duplicate("log identity")
        self._run(
            "INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (thread, id) DO UPDATE SET"
            " public_key = excluded.public_key, private_key = excluded.private_key,"
            " identity = excluded.identity, managed = excluded.managed",
            (
                new.thread,
                new.id,
                new.public_key,
                new.private_key,
                new.identity,
                new.managed,
                new.head,
                new.counter,
            ),
        )

    def _put_read_key(self, change: PutReadKey) -> None:
        self._need_thread(change.thread)
        self._run("UPDATE thread SET read_key = ? WHERE id = ?", (change.read_key, change.thread))

    def _set_head(self, change: SetHead) -> None:
        moved = self._run(
            "UPDATE log SET head = ?, counter = ? WHERE thread = ? AND id = ? AND head = ?",
            (change.head, change.counter, change.thread, change.log, change.expect),
        )
        if not moved.rowcount:
            if self._there("SELECT 1 FROM log WHERE thread = ? AND id = ?", change.thread, change.log):
                raise Moved("the log's head is another")
            raise Missing("log")

    def _put_record(self, new: LogRecord) -> None:
        self._need_thread(new.thread)
        self._run(
            "INSERT OR IGNORE INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (new.thread, new.cid, new.log, new.counter, new.record, new.event, new.header, new.body),
        )

    def _trim(self, through: int) -> None:
        # The batch's own change is not written yet, and stays.
        self._run("DELETE FROM change WHERE database = ? AND sequence <= ?", (self._database, through))
        self._run(
            "UPDATE db SET oldest = max(oldest, min(?, sequence - 1)) WHERE thread = ?",
            (through, self._database),
        )

    def _delete_thread(self, thread: bytes) -> None:
        self._threads.discard(thread)
        self._documents.delete_database(thread)
        self._run("DELETE FROM thread WHERE id = ?", (thread,))
        for table in ("log", "record", "root", "db"):
            self._run(f"DELETE FROM {table} WHERE thread = ?", (thread,))  # noqa: S608
        self._run("DELETE FROM change WHERE database = ?", (thread,))

    def _create_account(self, new: Account) -> None:
        name = fold(new.username)
        if self._there("SELECT 1 FROM account WHERE public_key = ?", new.public_key):
            raise Duplicate("account")
        named = "SELECT 1 FROM account WHERE folded_username = ? AND folded_username <> ''"
        if name and self._there(named, name):
            raise Duplicate("username")
        if new.email and self._there("SELECT 1 FROM account WHERE email = ? AND email <> ''", new.email):
            raise Duplicate("email")
        self._run(
            "INSERT INTO account"
            " (public_key, private_key, kind, username, folded_username, email, name, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                new.public_key,
                new.private_key,
                int(new.kind),
                new.username,
                name,
                new.email,
                new.name,
                new.created_at,
            ),
        )

    def _delete_account(self, account: bytes) -> None:
        own = "owner = ? OR key IN (SELECT key FROM api_key WHERE owner = ?)"
        threads = self._run(f"SELECT DISTINCT thread FROM tracked WHERE {own}", (account, account)).fetchall()  # noqa: S608
        self._run(f"DELETE FROM tracked WHERE {own}", (account, account))  # noqa: S608
        for (thread,) in threads:
            if not self._there("SELECT 1 FROM tracked WHERE thread = ?", thread):
                self._delete_thread(thread)
                self._run("DELETE FROM name_key WHERE thread = ?", (thread,))
        for statement in (
            "DELETE FROM api_key WHERE owner = ?",
            "DELETE FROM session WHERE account = ?",
            "DELETE FROM member WHERE org = ?",
            "DELETE FROM member WHERE account = ?",
            "DELETE FROM invite WHERE org = ?",
            "DELETE FROM invite WHERE sender = ?",
            "DELETE FROM account WHERE public_key = ?",
        ):
            self._run(statement, (account,))

    def _need_account(self, *keys: bytes) -> None:
        for key in keys:
            if not self._there("SELECT 1 FROM account WHERE public_key = ?", key):
                raise Missing("account")

    def _put_api_key(self, new: ApiKey) -> None:
        self._run(
            "INSERT INTO api_key (key, sealed, owner, kind, secure, valid, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET"
            " sealed = excluded.sealed, owner = excluded.owner, kind = excluded.kind,"
            " secure = excluded.secure, valid = excluded.valid, created_at = excluded.created_at",
            (new.key, new.sealed, new.owner, int(new.kind), new.secure, new.valid, new.created_at),
        )

    def _track(self, new: TrackedThread) -> None:
        name = fold(new.name)
        if self._there("SELECT 1 FROM tracked WHERE owner = ? AND thread = ?", new.owner, new.thread):
            raise Duplicate("tracked thread")
        if name and self._there(
            "SELECT 1 FROM tracked WHERE owner = ? AND folded_name = ? AND folded_name <> ''", new.owner, name
        ):
            raise Duplicate("tracked name")
        self._run(
            "INSERT INTO tracked (owner, thread, name, folded_name, key, is_database, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (new.owner, new.thread, new.name, name, new.key, new.is_database, new.created_at),
        )

    def _need_thread(self, thread: bytes) -> None:
        if thread in self._threads:
            return
        if not self._there("SELECT 1 FROM thread WHERE id = ?", thread):
            raise Missing("thread")
        self._threads.add(thread)

    def _there(self, query: str, *values: Any) -> bool:
        return self._run(query, values).fetchone() is not None

    def _insert(self, what: str, statement: str, values: tuple[Any, ...]) -> None:
        if not self._run(statement, values).rowcount:
            raise Duplicate(what)
