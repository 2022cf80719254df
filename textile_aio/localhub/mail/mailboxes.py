"""What owners do with their mailboxes (spec: users-and-mail §4).

Owns the order of checks, whose first failure clients see, and the time and id of a message. Callers are given
by their public key: whoever may act for an owner has been decided before. Knows no wire messages.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from textile_aio.errors import (
    AlreadyExists,
    BadSignature,
    CollectionNotFound,
    FailedPrecondition,
    InstanceNotFound,
    InvalidKey,
    QuotaExceeded,
    SchemaViolation,
    StatusCode,
)
from textile_aio.identity import PublicKey
from textile_aio.ids import ThreadID
from textile_aio.localhub.access.claims import claimed
from textile_aio.localhub.access.ownership import Ownership
from textile_aio.localhub.mail.boxes import BOXES, INBOX, NAME, SENTBOX
from textile_aio.localhub.mail.message import StoredMessage, encode
from textile_aio.localhub.mail.page import Listing, read_page
from textile_aio.localhub.mail.writing import Drafts, MailWriter
from textile_aio.records.events import EventKind
from textile_aio.storage.changes import Batch
from textile_aio.storage.runner import StoreRunner
from textile_aio.storage.store import View
from textile_aio.storage.transact import in_turn
from textile_aio.storage.values import TrackedThread
from textile_aio.threaddb import databases, instances
from textile_aio.threaddb.compiled import compiled, find_row
from textile_aio.threaddb.documents import new_id
from textile_aio.threaddb.engine import ThreadDatabases
from textile_aio.threaddb.founding import plan_database
from textile_aio.threaddb.instances import Action, Reader

T = TypeVar("T")

_LARGE = 128 * 1024
"""Bytes of bodies."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as its sender hands it in: sealed once for each side, both signed by the sender.

    Attributes:
        to: Public key text of the recipient, in any form.
        to_body: Sealed for the recipient.
        to_signature: Over ``to_body``.
        from_body: Sealed for the sender.
        from_signature: Over ``from_body``.
    """

    to: str
    to_body: bytes
    to_signature: bytes
    from_body: bytes
    from_signature: bytes


@dataclass(frozen=True, slots=True)
class Sent:
    """What the hub gave a message: its id, and the time in UTC nanoseconds."""

    id: str
    created_at: int


class Mailboxes:
    """The mailboxes of one hub. An owner is given by the public key, as protobuf bytes.

    Every call but :meth:`set_up` raises :class:`FailedPrecondition` (``mail not found``) for an owner who has
    no mailbox.
    """

    def __init__(
        self,
        store: StoreRunner,
        engine: ThreadDatabases,
        ownership: Ownership,
        clock: Callable[[], int],
    ) -> None:
        self._store = store
        self._engine = engine
        self._ownership = ownership
        self._clock = clock
        self._writer = MailWriter(store, engine.scripts, clock=clock, keep=engine.settings.history)

    async def set_up(self, owner: bytes, *, key: str) -> bytes:
        """The owner's mailbox, made if there is none; concurrent calls get the same one.

        Looked for first, so that an owner at the quota still finds it.

        Args:
            owner: Whose.
            key: The API key that the row about the thread names; empty for a session.

        Raises:
            QuotaExceeded: There is none, and the owner has as many threads as they may have.
            AlreadyExists: Another thread of the owner has the name in other letters.
        """
        if (found := await self._find(owner)) is not None:
            return found
        claim = TrackedThread(
            owner=owner,
            thread=bytes(ThreadID.random()),
            name=NAME,
            key=key,
            is_database=True,
            created_at=self._clock(),
        )
        try:
            await self._make(claim)
        except (AlreadyExists, QuotaExceeded):
            # Somebody else's call may have made it since.
            if (found := await self._find(owner)) is not None:
                return found
            raise
        return claim.thread

    async def send(self, owner: bytes, letter: Letter) -> Sent:
        """Put a message into the recipient's inbox and the owner's sentbox, in one step: both or neither.

        Durable on return.

        Raises:
            BadSignature: A signature is not the owner's over the body it comes with.
            InvalidKey: The recipient's key is malformed (FAILED_PRECONDITION).
            FailedPrecondition: Also if the recipient has no mailbox.
            SchemaViolation: The recipient has changed the inbox so that no message fits.
            WriteDenied: The recipient has given the inbox a validator, which refuses.
        """
        author = PublicKey.from_bytes(owner)
        # Signatures of large bodies take a while, and others who only read must not wait behind them.
        is_large = len(letter.to_body) + len(letter.from_body) > _LARGE
        look = self._store.scan if is_large else self._store.read
        recipient, mailboxes = await look(lambda view: _accept(view, author, letter))

        def fill(drafts: Drafts, now: int) -> Sent:
            theirs = _mailbox(drafts.view, bytes(recipient))
            own = _mailbox(drafts.view, owner)
            received = StoredMessage(
                id=new_id(now),
                sender=str(author),
                to=str(recipient),
                body=letter.to_body,
                signature=letter.to_signature,
                created_at=now,
            )
            kept = replace(received, body=letter.from_body, signature=letter.from_signature)
            for mailbox, box, message in ((theirs, INBOX, received), (own, SENTBOX, kept)):
                raw = encode(message, with_read_at=box == INBOX)
                drafts.change(mailbox, box, lambda coll, at: instances.create(coll, at, [raw], now))  # noqa: B023
            return Sent(received.id, now)

        try:
            return await self._writer.write(mailboxes, author, fill)
        except SchemaViolation:
            if not await self._mend_sentbox(owner):
                raise
        return await self._writer.write(mailboxes, author, fill)

    async def list(self, owner: bytes, box: str, listing: Listing) -> list[StoredMessage]:
        """The messages of a page of a box.

        Raises:
            MessageTooLarge: They are more than one answer can hold.
        """
        reader = Reader(self._engine.scripts, str(PublicKey.from_bytes(owner)))

        def page(view: View) -> list[StoredMessage]:
            mailbox = _mailbox(view, owner)
            _, database = databases.find(view, ThreadID.from_bytes(mailbox))
            row = find_row(view, database.thread, box)
            if row is None:
                return []
            collection = compiled(row.config)
            return read_page(
                view,
                database.thread,
                box,
                listing,
                lambda document: reader.visible(collection, document),
                limit_bytes=self._engine.settings.result_bytes,
            )

        return await self._store.scan(page)

    async def read(self, owner: bytes, id: str) -> int:  # noqa: A002
        """Note that a message of the inbox has been read, also if it was before; when, in UTC nanoseconds.

        What is stored is exactly that time; upstream rounds it.

        Raises:
            InstanceNotFound: There is no such message.
        """

        def fill(drafts: Drafts, now: int) -> int:
            def decide(_: object, at: instances.Committed) -> list[Action]:
                if at(id) is None:
                    raise InstanceNotFound("instance not found", code=StatusCode.UNKNOWN, about=id)
                return [Action(EventKind.SAVE, id, b'{"_mod":%d,"read_at":%d}' % (now, now))]

            drafts.change(_mailbox(drafts.view, owner), INBOX, decide)
            return now

        return await self._write_own(owner, fill)

    async def delete(self, owner: bytes, box: str, id: str) -> None:  # noqa: A002
        """Delete a message from one of the owner's boxes. One that is not there is no error."""

        def fill(drafts: Drafts, _: int) -> None:
            drafts.change(_mailbox(drafts.view, owner), box, lambda _, at: instances.delete(at, [id]))

        await self._write_own(owner, fill)

    async def _write_own(self, owner: bytes, fill: Callable[[Drafts, int], T]) -> T:
        mailbox = await self._store.read(lambda view: _mailbox(view, owner))
        return await self._writer.write([mailbox], PublicKey.from_bytes(owner), fill)

    async def _find(self, owner: bytes) -> bytes | None:
        row = await self._store.read(lambda view: view.tracked_named(owner, NAME))
        return None if row is None else row.thread

    async def _make(self, claim: TrackedThread) -> None:
        new = databases.NewDatabase(ThreadID.from_bytes(claim.thread), NAME)
        writer = PublicKey.from_bytes(claim.owner)
        async with claimed(self._ownership, claim) as tracking:

            def prepare(view: View) -> tuple[Batch, None]:
                batch = plan_database(
                    view, new, list(BOXES.values()), writer, claim.created_at, self._engine.scripts
                )
                return replace(batch, operations=(*tracking, *batch.operations)), None

            await in_turn(self._store, claim.thread, prepare)

    async def _mend_sentbox(self, owner: bytes) -> bool:
        """Give the owner's sentbox its schema back, if it has another; whether it had."""
        mailbox = ThreadID.from_bytes(await self._store.read(lambda view: _mailbox(view, owner)))
        try:
            config = await self._engine.collection(mailbox, SENTBOX)
        except CollectionNotFound:
            return False
        if config.schema == BOXES[SENTBOX].schema:
            return False
        await self._engine.update_collection(mailbox, BOXES[SENTBOX])
        return True


def _accept(view: View, author: PublicKey, letter: Letter) -> tuple[PublicKey, list[bytes]]:
    """The recipient of a letter that may be sent, and both mailboxes."""
    for body, signature in (
        (letter.to_body, letter.to_signature),
        (letter.from_body, letter.from_signature),
    ):
        if not author.verify(body, signature):
            raise BadSignature("Bad message signature", code=StatusCode.UNAUTHENTICATED)
    try:
        recipient = PublicKey.from_string(letter.to)
    except InvalidKey:
        raise InvalidKey("Invalid public key", code=StatusCode.FAILED_PRECONDITION) from None
    return recipient, [_mailbox(view, bytes(recipient)), _mailbox(view, bytes(author))]


def _mailbox(view: View, owner: bytes) -> bytes:
    row = view.tracked_named(owner, NAME)
    if row is None:
        raise FailedPrecondition("mail not found", code=StatusCode.FAILED_PRECONDITION)
    return row.thread
