"""Writing: what each operation of a batch does to the rows in memory.

A refusal is a ``StoreError`` raised before or after some operations have run; taking those back through the
journal is the caller's part.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import assert_never

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
from textile_aio.storage.memory.documents import Documents
from textile_aio.storage.memory.tables import Tables
from textile_aio.storage.store import Duplicate, Missing, Moved
from textile_aio.storage.values import (
    Account,
    ApiKey,
    BlockRow,
    Collection,
    Database,
    Invite,
    LogRecord,
    Member,
    NameKey,
    Root,
    Thread,
    ThreadLog,
    TrackedThread,
    fold,
)


class Writer:
    """Runs the operations of one batch."""

    __slots__ = ("_database", "_documents", "_tables")

    def __init__(self, tables: Tables, database: bytes | None) -> None:
        self._tables = tables
        self._database = database
        self._documents = Documents(tables, database)

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
        for position, change in enumerate(batch.changes()):
            self._tables.changes.put((batch.database, change.sequence, position), change)

    def _do(self, operation: Operation) -> None:
        tables, documents = self._tables, self._documents
        match operation:
            case PutDocument():
                documents.put(operation)
            case DeleteDocument():
                documents.delete(operation)
            case PutBlocks(rows):
                self._put_blocks(rows)
            case TouchBlocks():
                self._touch_blocks(operation)
            case DropBlocks():
                self._drop_blocks(operation)
            case MoveBlocks():
                self._move_blocks(operation)
            case ForgetPlace(name):
                self._forget_place(name)
            case SetRoot():
                self._set_root(operation)
            case CreateThread(thread):
                self._create_thread(thread)
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
            case CreateDatabase():
                self._create_database(operation)
            case PutCollection(name, config):
                if (database := self._database) is not None:
                    tables.collections.put((database, name), Collection(database, name, config))
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
                self._add_member(member)
            case DeleteMember(org, account_key):
                self._delete_member(org, account_key)
                self._delete_invites(lambda each: (each.org, each.sender) == (org, account_key))
            case PutInvite(invite):
                self._need_account(invite.org)
                tables.invites.put(invite.id, invite)
            case DeleteInvite(invite_id):
                tables.invites.remove(invite_id)
            case PutSession(session):
                self._delete_session(session.id)
                tables.sessions.put(session.id, session)
                tables.sessions_of.put((session.account, session.id), session.id)
            case DeleteSession(session_id):
                self._delete_session(session_id)
            case PutApiKey(key):
                self._put_api_key(key)
            case TrackThread(row):
                self._track(row)
            case UntrackThread(owner, thread_id):
                self._untrack(owner, thread_id)
            case PutNameKey(key):
                self._delete_name_key(key.cid)
                tables.name_keys.put(key.cid, key)
                tables.name_keys_of.put((key.thread, key.cid), key)
            case DeleteNameKey(cid):
                self._delete_name_key(cid)
            case PutSetting(name, value):
                tables.settings.put(name, value)
            case _:
                assert_never(operation)

    def _pass_fence(self, database: bytes, expect: int | None) -> None:
        found = self._tables.databases.get((database,))
        if found is None:
            raise Missing("database")
        if found.sequence != expect:
            raise Moved(f"the database's sequence is not {expect} any more")
        self._tables.databases.put((database,), replace(found, sequence=found.sequence + 1))

    def _set_root(self, change: SetRoot) -> None:
        tables, bucket = self._tables, change.bucket
        found = tables.roots.get((bucket,))
        if (found and found.cid) != change.expect:
            raise Moved("the bucket's root is another")
        if change.cid is not None:
            self._need_thread(change.thread)
        if found is not None:
            tables.roots.remove((bucket,))
            tables.roots_of.remove((found.thread, bucket))
        if change.cid is not None:
            tables.roots.put((bucket,), Root(bucket, change.thread, change.cid))
            tables.roots_of.put((change.thread, bucket), bucket)

    def _create_thread(self, new: Thread) -> None:
        if (new.id,) in self._tables.threads:
            raise Duplicate("thread")
        self._tables.threads.put((new.id,), new)

    def _put_read_key(self, change: PutReadKey) -> None:
        found = self._tables.threads.get((change.thread,))
        if found is None:
            raise Missing("thread")
        self._tables.threads.put((change.thread,), replace(found, read_key=change.read_key))

    def _put_log(self, new: ThreadLog) -> None:
        self._need_thread(new.thread)
        tables, key, claim = self._tables, (new.thread, new.id), (new.thread, new.identity)
        if new.identity and tables.log_identities.get(claim) not in (None, new.id):
            raise Duplicate("log identity")
        old = tables.logs.get(key)
        if old is not None:
            new = replace(new, head=old.head, counter=old.counter)
            tables.log_identities.remove((old.thread, old.identity))
        tables.logs.put(key, new)
        if new.identity:
            tables.log_identities.put(claim, new.id)

    def _set_head(self, change: SetHead) -> None:
        found = self._tables.logs.get((change.thread, change.log))
        if found is None:
            raise Missing("log")
        if found.head != change.expect:
            raise Moved("the log's head is another")
        moved = replace(found, head=change.head, counter=change.counter)
        self._tables.logs.put((change.thread, change.log), moved)

    def _put_record(self, new: LogRecord) -> None:
        self._need_thread(new.thread)
        key = (new.thread, new.cid)
        if key not in self._tables.records:
            self._tables.records.put(key, new)

    def _create_database(self, new: CreateDatabase) -> None:
        thread = new.thread
        self._need_thread(thread)
        if (thread,) in self._tables.databases:
            raise Duplicate("database")
        database = Database(thread, new.name, 0, incarnation=new.incarnation)
        self._tables.databases.put((thread,), database)

    def _trim(self, through: int) -> None:
        database, tables = self._database, self._tables
        for key, _ in list(tables.changes.between(database, low=0, high=through + 1)):
            tables.changes.remove(key)
        found = tables.databases.get((database,))
        if found is not None:
            # The batch's own change is not written yet, and stays.
            oldest = max(found.oldest, min(through, found.sequence - 1))
            tables.databases.put((database,), replace(found, oldest=oldest))

    def _delete_thread(self, thread: bytes) -> None:
        tables = self._tables
        tables.threads.remove((thread,))
        tables.databases.remove((thread,))
        for bucket in list(tables.roots_of.under(thread)):
            tables.roots.remove((bucket,))
        for log in list(tables.logs.under(thread)):
            tables.log_identities.remove((thread, log.identity))
        self._documents.delete_database(thread)
        for rows in (tables.roots_of, tables.logs, tables.records, tables.changes):
            rows.remove_under(thread)

    def _put_blocks(self, rows: tuple[BlockRow, ...]) -> None:
        blocks, places = self._tables.blocks, self._tables.places
        for row in rows:
            known = blocks.get(row.cid)
            if known is not None:
                if row.epoch > known.epoch:
                    blocks.put(row.cid, replace(known, epoch=row.epoch))
                continue
            blocks.put(row.cid, row)
            if row.place and row.place not in places:
                places.put(row.place, None)

    def _touch_blocks(self, change: TouchBlocks) -> None:
        blocks = self._tables.blocks
        for cid in change.cids:
            known = blocks.get(cid)
            if known is None:
                raise Missing("block")
            blocks.put(cid, replace(known, epoch=max(known.epoch, change.epoch)))

    def _drop_blocks(self, change: DropBlocks) -> None:
        blocks = self._tables.blocks
        for cid in change.cids:
            known = blocks.get(cid)
            if known is not None and known.epoch < change.before:
                blocks.remove(cid)

    def _move_blocks(self, change: MoveBlocks) -> None:
        blocks, places = self._tables.blocks, self._tables.places
        for row in change.rows:
            known = blocks.get(row.cid)
            if known is not None and known.place == change.source:
                blocks.put(row.cid, replace(known, place=row.place, offset=row.offset))
                places.put(row.place, None)
        if change.source in places:
            for place in {row.place for row in change.rows}:
                self._forget_place(place)

    def _forget_place(self, name: str) -> None:
        blocks = self._tables.blocks
        rows = (blocks.get(cid) for cid in blocks)
        if not any(row is not None and row.place == name for row in rows):
            self._tables.places.remove(name)

    def _create_account(self, new: Account) -> None:
        tables, name = self._tables, fold(new.username)
        if new.public_key in tables.account_keys:
            raise Duplicate("account")
        if name in tables.usernames:
            raise Duplicate("username")
        if new.email in tables.emails:
            raise Duplicate("email")
        position = tables.next_position()
        tables.accounts.put((position,), new)
        tables.account_keys.put(new.public_key, position)
        if name:
            tables.usernames.put(name, position)
        if new.email:
            tables.emails.put(new.email, position)

    def _delete_account(self, account: bytes) -> None:
        tables = self._tables
        keys = [each.key for each in tables.api_keys_of.under(account)]
        rows = [
            *tables.tracked_by.under(account),
            *(row for key in keys for row in tables.tracked_with.under(key)),
        ]
        for row in rows:
            self._untrack(row.owner, row.thread)
        for thread in {row.thread for row in rows}:
            if next(iter(tables.tracked_owners.under(thread)), None) is None:
                self._delete_thread(thread)
                for name_key in list(tables.name_keys_of.under(thread)):
                    self._delete_name_key(name_key.cid)
        for key in keys:
            tables.api_keys.remove(key)
        tables.api_keys_of.remove_under(account)
        for session in list(tables.sessions_of.under(account)):
            self._delete_session(session)
        for member in [*tables.members.under(account), *tables.memberships.under(account)]:
            self._delete_member(member.org, member.account)
        self._delete_invites(lambda each: account in (each.org, each.sender))
        position = tables.account_keys.remove(account)
        old = tables.accounts.remove((position,)) if position is not None else None
        if old is not None:
            tables.usernames.remove(fold(old.username))
            tables.emails.remove(old.email)

    def _delete_session(self, id: str) -> None:  # noqa: A002
        old = self._tables.sessions.remove(id)
        if old is not None:
            self._tables.sessions_of.remove((old.account, id))

    def _add_member(self, new: Member) -> None:
        self._need_account(new.org, new.account)
        tables, pair = self._tables, (new.org, new.account)
        if pair in tables.member_positions:
            return
        position = tables.next_position()
        tables.member_positions.put(pair, position)
        tables.members.put((new.org, position), new)
        tables.memberships.put((new.account, position), new)

    def _delete_member(self, org: bytes, account: bytes) -> None:
        tables = self._tables
        position = tables.member_positions.remove((org, account))
        if position is not None:
            tables.members.remove((org, position))
            tables.memberships.remove((account, position))

    def _delete_invites(self, which: Callable[[Invite], bool]) -> None:
        invites = self._tables.invites
        found = [invites.get(each) for each in invites]
        for each in found:
            if each is not None and which(each):
                invites.remove(each.id)

    def _need_account(self, *keys: bytes) -> None:
        if not all(key in self._tables.account_keys for key in keys):
            raise Missing("account")

    def _put_api_key(self, new: ApiKey) -> None:
        tables = self._tables
        found = tables.api_keys.get(new.key)
        if found is None:
            position = tables.next_position()
        else:
            position, old = found
            tables.api_keys_of.remove((old.owner, position))
        tables.api_keys.put(new.key, (position, new))
        tables.api_keys_of.put((new.owner, position), new)

    def _track(self, new: TrackedThread) -> None:
        tables, name = self._tables, fold(new.name)
        if (new.owner, new.thread) in tables.tracked:
            raise Duplicate("tracked thread")
        if (new.owner, name) in tables.tracked_names:
            raise Duplicate("tracked name")
        position = tables.next_position()
        tables.tracked_by.put((new.owner, position), new)
        tables.tracked_owners.put((new.thread, new.owner), new.owner)
        if new.key:
            tables.tracked_with.put((new.key, position), new)
        tables.tracked.put((new.owner, new.thread), position)
        if name:
            tables.tracked_names.put((new.owner, name), position)

    def _untrack(self, owner: bytes, thread: bytes) -> None:
        tables = self._tables
        position = tables.tracked.remove((owner, thread))
        old = tables.tracked_by.remove((owner, position)) if position is not None else None
        if old is not None:
            tables.tracked_names.remove((owner, fold(old.name)))
            tables.tracked_owners.remove((thread, owner))
            tables.tracked_with.remove((old.key, position))

    def _delete_name_key(self, cid: str) -> None:
        old: NameKey | None = self._tables.name_keys.remove(cid)
        if old is not None:
            self._tables.name_keys_of.remove((old.thread, cid))

    def _need_thread(self, thread: bytes) -> None:
        if (thread,) not in self._tables.threads:
            raise Missing("thread")
