"""A box that is watched: each message told once, complete and verified, across cuts of the connection.

Owns what a change of the mailbox's database means to its owner. How changes are heard of, and the connection
made again, is the business of ``threads.listening``. At the hub of this package nothing is missed and nothing
told twice. At others, what was written during a cut is read again, and told here unless it was already.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import KW_ONLY, dataclass, replace
from enum import Enum
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from textile_aio.errors import ClosedError, IntegrityError, ProtocolError
from textile_aio.users.messages import Message

if TYPE_CHECKING:
    from textile_aio.threads.listening.listening import Listening
    from textile_aio.threads.listening.values import Change

log: logging.Logger = logging.getLogger("textile_aio.users")

_REMEMBERED = 10_000
"""Messages that were told last, and are not told again when they are read again after a cut."""


class MailEventKind(Enum):
    """What happened to a message.

    NEW: it came, or was sent. READ: it was marked as read. DELETED: it was deleted from this box. GAP: after
    a cut, events may have been missed, deletions among them; messages that came are told all the same.
    """

    NEW = "new"
    READ = "read"
    DELETED = "deleted"
    GAP = "gap"


@dataclass(frozen=True, slots=True)
class MailEvent:
    """Something that happened in a box.

    Attributes:
        kind: What.
        id: The message's; empty for a gap.
        message: The message, verified; None if it is deleted, also if that was soon after it came.
        position: Where to go on watching after this; None at a hub that does not say.
    """

    kind: MailEventKind
    _: KW_ONLY
    id: str
    message: Message | None
    position: str | None


Start = Callable[[], Awaitable[tuple["Listening", int]]]
"""Finds the mailbox; gives what listens to it, and when the hub took the newest message that is there."""


class Watch:
    """What comes into a box, as an async iterator of messages; :meth:`events` tells more.

    ::

        async with hub.users.watch_inbox(ctx) as arrivals:
            await hub.users.send_message(ctx, identity, identity.public, b"to myself")
            async for message in arrivals:
                print(message.open(identity))
                break

    Enter it with ``async with`` and every message that comes after the block has begun is told. Iterating
    without that begins at the first step. It is used up once. Leaving it ends the call: at once with ``async
    with`` or :meth:`aclose`, otherwise when the object is collected.

    What is in the box and is no message, or was not written by who it says, is left out, with a warning in
    the log. Otherwise it is as :class:`~textile_aio.Listening`: it waits while the hub is away, and ends by
    itself when the mailbox is deleted.
    """

    def __init__(self, start: Start) -> None:
        self._start = start
        self._listening: Listening | None = None
        self._told: OrderedDict[str, Message] = OrderedDict()  # by id, those told last
        self._floor = 0  # what the hub took then or before is old where it is read again
        self._steps = self._run()

    @property
    def position(self) -> str | None:
        """Where to go on later with ``since=``: after what was taken last. None if not known."""
        return None if self._listening is None else self._listening.position

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Message:
        """The next message that comes.

        Raises:
            TextileError: The hub refuses, or stayed away for longer than the policy allows.
        """
        while True:
            event = await anext(self._steps)
            if event is not None and event.kind is MailEventKind.NEW and event.message is not None:
                return event.message

    async def events(self) -> AsyncGenerator[MailEvent, None]:
        """All that happens, in the order in which it did. Close the watch, not this."""
        async for event in self._steps:
            if event is not None:
                yield event

    async def __aenter__(self) -> Self:
        if self._listening is not None:
            raise ClosedError("a watch is entered once; watch again")
        try:
            await anext(self._steps)
        except StopAsyncIteration:
            raise ClosedError("the watch was closed; watch again") from None
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Stop watching. Doing it again does nothing."""
        await self._steps.aclose()

    async def _run(self) -> AsyncGenerator[MailEvent | None, None]:
        """Events; None once they are heard of."""
        from textile_aio.threads.listening.values import Gap

        listening, self._floor = await self._start()
        async with listening:
            self._listening = listening
            yield None
            async for change in listening:
                if isinstance(change, Gap):
                    yield MailEvent(MailEventKind.GAP, id="", message=None, position=change.position)
                elif (event := self._event(change)) is not None:
                    yield event

    def _event(self, change: Change) -> MailEvent | None:
        from textile_aio.threads.listening.values import ChangeAction

        if change.action is ChangeAction.DELETE:
            return MailEvent(MailEventKind.DELETED, id=change.id, message=None, position=change.position)
        message = None
        if change.instance is not None and (message := _message(change.id, change.instance)) is None:
            return None
        if change.is_repeat:
            kind = None if message is None else self._repeated(message)
            if kind is None:
                return None
        else:
            kind = MailEventKind.NEW if change.action is ChangeAction.CREATE else MailEventKind.READ
        if message is not None:
            self._note(message)
        return MailEvent(kind, id=change.id, message=message, position=change.position)

    def _repeated(self, message: Message) -> MailEventKind | None:
        """What is new about a message that was read again."""
        told = self._told.get(message.id)
        if told is None and message.created_at_ns > self._floor:
            return MailEventKind.NEW
        if message.read_at_ns > (told.read_at_ns if told is not None else 0):
            return MailEventKind.READ
        return None

    def _note(self, message: Message) -> None:
        self._told[message.id] = replace(message, body=b"")
        self._told.move_to_end(message.id)
        if len(self._told) > _REMEMBERED:
            _, oldest = self._told.popitem(last=False)
            self._floor = max(self._floor, oldest.created_at_ns)


def _message(id: str, document: dict[str, Any]) -> Message | None:  # noqa: A002
    try:
        message = Message.from_json(document)
        message.verify()
    except (IntegrityError, ProtocolError) as error:
        log.warning("left out what is in the mailbox under %r: %s", id, error.message)
        return None
    return message
