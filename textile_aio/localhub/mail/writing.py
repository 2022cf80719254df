"""Writes to mailboxes: one message in two databases, or in neither.

Writers of mail take turns for each mailbox, but do not wait for others who write to its database: somebody
who keeps a transaction open there must not keep mail from arriving. The fence sees to it that nothing goes
wrong then; the transaction finds that it was overtaken.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TypeVar

from textile_aio.errors import Aborted, CollectionNotFound, StatusCode
from textile_aio.identity import PublicKey
from textile_aio.ids import ThreadID
from textile_aio.localhub.mail.boxes import BOXES
from textile_aio.storage.changes import Batch
from textile_aio.storage.locks import Locks
from textile_aio.storage.runner import StoreRunner
from textile_aio.storage.store import Missing, Moved, View
from textile_aio.threaddb.collections import Collection as Box
from textile_aio.threaddb.collections import prepare
from textile_aio.threaddb.commit import commit
from textile_aio.threaddb.draft import Draft
from textile_aio.threaddb.instances import Action, Committed
from textile_aio.threaddb.scripts import Scripts

T = TypeVar("T")

_ATTEMPTS = 32

Decide = Callable[[Box, Committed], list[Action]]
"""From a box, and its documents by id, to what is to be done in it."""


class Drafts:
    """What is prepared for several mailboxes on one snapshot."""

    def __init__(self, view: View, scripts: Scripts, author: PublicKey, now: int) -> None:
        self.view: View = view
        self._scripts = scripts
        self._author = author
        self._now = now
        self._drafts: dict[bytes, Draft] = {}

    def change(self, mailbox: bytes, box: str, decide: Decide) -> None:
        """Prepare actions in a box, which is made anew if its owner has deleted it.

        Raises:
            ThreadNotFound, DatabaseNotFound: There is no such database.
            TextileError: What ``decide`` raises, or the box's write validator refuses.
        """
        draft = self._drafts.get(mailbox)
        if draft is None:
            draft = self._drafts[mailbox] = Draft(self.view, ThreadID.from_bytes(mailbox))
        try:
            collection = draft.collection(box)
        except CollectionNotFound:
            draft.add_collection(prepare(BOXES[box], self._scripts))
            collection = draft.collection(box)
        actions = decide(collection, lambda id_: draft.document(box, id_))
        commit(draft, box, actions, self._author, self._scripts, self._now)

    def batch(self, *, keep: int) -> Batch | None:
        """All of it, to be applied together; None if that is nothing."""
        batches = [batch for draft in self._drafts.values() if (batch := draft.batch(keep=keep)) is not None]
        return replace(batches[0], also=tuple(batches[1:])) if batches else None


class MailWriter:
    """Applies drafts."""

    def __init__(self, store: StoreRunner, scripts: Scripts, *, clock: Callable[[], int], keep: int) -> None:
        self._store = store
        self._scripts = scripts
        self._clock = clock
        self._keep = keep
        self._locks = Locks()

    async def write(
        self, mailboxes: Collection[bytes], author: PublicKey, fill: Callable[[Drafts, int], T]
    ) -> T:
        """Write what ``fill`` prepares, all of it or nothing, durable on return; what it returns is returned.

        Args:
            mailboxes: The threads that are written to.
            author: Whose logs the records go to.
            fill: Runs in a thread, perhaps several times; gets the time of the writes in UTC nanoseconds.

        Raises:
            Aborted: Others were faster every time.
            TextileError: What ``fill`` raises.
        """

        def plan(view: View) -> tuple[Batch | None, T]:
            now = self._clock()
            drafts = Drafts(view, self._scripts, author, now)
            result = fill(drafts, now)
            return drafts.batch(keep=self._keep), result

        async with AsyncExitStack() as turns:
            for mailbox in sorted(set(mailboxes)):  # always in this order, so that nobody waits in a circle
                await turns.enter_async_context(self._locks.hold(mailbox))
            for _ in range(_ATTEMPTS):
                batch, result = await self._store.read(plan)
                if batch is None:
                    return result
                try:
                    await self._store.apply_to_end(batch)
                except (Moved, Missing):  # Missing: a database was deleted since the snapshot
                    continue
                return result
        raise Aborted("too many writers at once; nothing was written, try again", code=StatusCode.ABORTED)
