"""Many accounts, users and messages, written straight into a hub's store: by calls it would take hours."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from textile_aio import Identity, PublicKey, ThreadID
from textile_aio.localhub.directory import DataDirectory
from textile_aio.localhub.mail.boxes import BOXES, INBOX, NAME
from textile_aio.localhub.mail.message import StoredMessage, encode
from textile_aio.localhub.mail.writing import Drafts
from textile_aio.storage.changes import Batch, CreateAccount, TrackThread
from textile_aio.storage.sqlite import SqliteStore
from textile_aio.storage.values import Account, AccountKind, TrackedThread
from textile_aio.threaddb import databases, instances
from textile_aio.threaddb.documents import new_id
from textile_aio.threaddb.founding import plan_database
from textile_aio.threaddb.scripts import ScriptLimits, Scripts

_TOGETHER = 200
_BODY = b"x" * 584


class Crowd:
    """So many accounts, users with mailboxes, and messages; a tenth of the messages are in one inbox."""

    def __init__(self, accounts: int, users: int, messages: int) -> None:
        self.busiest: Identity = Identity.generate()
        self.largest: int = messages // 10
        self._accounts = accounts
        self._users = users
        self._messages = messages

    def fill(self, data: Path) -> None:
        """Write them into the store of a hub's directory, which no hub has open."""
        directory = DataDirectory.acquire(data)
        store = SqliteStore.open(directory.database, fsync=False)
        scripts = Scripts(ScriptLimits())
        try:
            _apply(store, self._account_batches())
            mailboxes = [bytes(ThreadID.random()) for _ in range(self._users)]
            owners = [self.busiest, *(Identity.generate() for _ in mailboxes[1:])]
            pairs = list(zip(owners, mailboxes, strict=True))
            _apply(store, (_mailbox(store, owner.public, mailbox, scripts) for owner, mailbox in pairs))
            each = (self._messages - self.largest) // max(self._users - 1, 1)
            for start in range(0, self.largest, 1_000):
                some = min(1_000, self.largest - start)
                _apply(store, [_messages(store, self.busiest, mailboxes[0], some, scripts)])
            _apply(store, (_messages(store, *pair, each, scripts) for pair in pairs[1:] if each))
        finally:
            scripts.close()
            store.close()
            directory.release()

    def _account_batches(self) -> Iterator[Batch]:
        for number in range(self._accounts):
            key = bytes(Identity.generate().public)
            name = f"crowd{number}"
            yield Batch((CreateAccount(Account(key, b"", AccountKind.DEVELOPER, name, f"{name}@x", "", 1)),))


def _mailbox(store: SqliteStore, owner: PublicKey, mailbox: bytes, scripts: Scripts) -> Batch:
    new = databases.NewDatabase(ThreadID.from_bytes(mailbox), NAME)
    now = time.time_ns()
    row = TrackedThread(bytes(owner), mailbox, NAME, "", True, now)
    batch = store.read(lambda view: plan_database(view, new, list(BOXES.values()), owner, now, scripts))
    return Batch((TrackThread(row), *batch.operations), batch.database, batch.expect)


def _messages(store: SqliteStore, owner: Identity, mailbox: bytes, number: int, scripts: Scripts) -> Batch:
    now = time.time_ns()
    raws = []
    name, signature = str(owner.public), owner.sign(_BODY)
    for at in range(number):
        message = StoredMessage(new_id(now), name, name, _BODY, signature, now + at)
        raws.append(encode(message, with_read_at=True))

    def plan(view: object) -> Batch | None:
        drafts = Drafts(view, scripts, owner.public, now)  # type: ignore[arg-type]
        drafts.change(mailbox, INBOX, lambda collection, at: instances.create(collection, at, raws, now))
        return drafts.batch(keep=100_000)

    batch = store.read(plan)
    assert batch is not None
    return batch


def _apply(store: SqliteStore, batches: Iterator[Batch] | list[Batch]) -> None:
    waiting: list[Batch] = []
    for batch in batches:
        waiting.append(batch)
        if len(waiting) == _TOGETHER:
            assert not any(store.apply(waiting))
            waiting = []
    assert not any(store.apply(waiting))
