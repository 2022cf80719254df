"""The tables of a store in memory, with the keys that stand in for a database's indexes."""

from __future__ import annotations

from textile_aio.storage.memory.rows import Journal, Ordered, Rows, Table
from textile_aio.storage.values import (
    Account,
    ApiKey,
    BlockRow,
    Change,
    Collection,
    Database,
    Index,
    Invite,
    LogRecord,
    Member,
    NameKey,
    Root,
    Session,
    Thread,
    ThreadLog,
    TrackedThread,
)


class Tables:
    """One state of the store. The comments give the keys; positions count in order of creation."""

    def __init__(self) -> None:
        journal = Journal()
        self.journal: Journal = journal
        self.created: int = 0
        self.settings: Rows[str, bytes] = Rows(journal)
        self.threads: Ordered[Thread] = Ordered(journal)  # (id)
        self.logs: Ordered[ThreadLog] = Ordered(journal)  # (thread, id)
        self.log_identities: Rows[tuple[bytes, bytes], bytes] = Rows(journal)  # thread, identity -> id
        self.records: Ordered[LogRecord] = Ordered(journal)  # (thread, cid)
        self.databases: Ordered[Database] = Ordered(journal)  # (thread)
        self.collections: Ordered[Collection] = Ordered(journal)  # (database, name)
        self.documents: Ordered[bytes] = Ordered(journal)  # (database, collection, id)
        self.indexes: Ordered[Index] = Ordered(journal)  # (database, collection, path)
        self.entries: Ordered[None] = Ordered(journal)  # (database, collection, path, key, id)
        self.claims: Ordered[bytes] = Ordered(journal)  # (database, collection, path, claim) -> id
        self.changes: Ordered[Change] = Ordered(journal)  # (database, sequence, position)
        self.roots: Ordered[Root] = Ordered(journal)  # (bucket)
        self.roots_of: Ordered[bytes] = Ordered(journal)  # (thread, bucket) -> bucket
        self.blocks: Rows[bytes, BlockRow] = Rows(journal)
        self.places: Rows[str, None] = Rows(journal)
        self.accounts: Ordered[Account] = Ordered(journal)  # (position)
        self.account_keys: Rows[bytes, int] = Rows(journal)  # -> position
        self.usernames: Rows[str, int] = Rows(journal)  # folded -> position
        self.emails: Rows[str, int] = Rows(journal)  # -> position
        self.members: Ordered[Member] = Ordered(journal)  # (org, position)
        self.member_positions: Rows[tuple[bytes, bytes], int] = Rows(journal)  # org, account -> position
        self.memberships: Ordered[Member] = Ordered(journal)  # (account, position)
        self.invites: Rows[str, Invite] = Rows(journal)
        self.sessions: Rows[str, Session] = Rows(journal)
        self.sessions_of: Ordered[str] = Ordered(journal)  # (account, id) -> id
        self.api_keys: Rows[str, tuple[int, ApiKey]] = Rows(journal)  # -> position, row
        self.api_keys_of: Ordered[ApiKey] = Ordered(journal)  # (owner, position)
        self.tracked: Rows[tuple[bytes, bytes], int] = Rows(journal)  # owner, thread -> position
        self.tracked_names: Rows[tuple[bytes, str], int] = Rows(journal)  # owner, folded -> position
        self.tracked_by: Ordered[TrackedThread] = Ordered(journal)  # (owner, position)
        self.tracked_owners: Ordered[bytes] = Ordered(journal)  # (thread, owner) -> owner
        self.tracked_with: Ordered[TrackedThread] = Ordered(journal)  # (key, position), where there is a key
        self.name_keys: Rows[str, NameKey] = Rows(journal)
        self.name_keys_of: Ordered[NameKey] = Ordered(journal)  # (thread, cid)

    def fork(self) -> Tables:
        """The same rows to write to, while this state stays as it is for those who read it."""
        other = Tables()
        other.created = self.created
        for name, rows in vars(self).items():
            if isinstance(rows, Table):
                setattr(other, name, rows.fork(other.journal))
        return other

    def next_position(self) -> int:
        """A position after all others; one that is not used after all is no harm."""
        self.created += 1
        return self.created
