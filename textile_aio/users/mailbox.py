"""The part of the users client that concerns mail."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, dataclass

from textile_aio._arguments import context, one_of, text
from textile_aio._proto.api.usersd import pb
from textile_aio.auth import AuthContext
from textile_aio.errors import InvalidInput
from textile_aio.identity import Identity, PublicKey, Signer
from textile_aio.ids import ThreadID
from textile_aio.users import _convert, _methods
from textile_aio.users.messages import Message, MessageStatus, seal_message
from textile_aio.users.owning import ThreadCalls
from textile_aio.users.paging import Messages

MAILBOX = "hubmail"
"""The name of the thread that a mailbox is (spec: users-and-mail §3)."""


_MANY = 100
_LARGE = 256 * 1024
"""Messages, and bytes of bodies, whose signatures are not checked within one turn of the loop."""


class MailboxCalls(ThreadCalls):
    """The group of calls that concern mail.

    A mailbox has an inbox and a sentbox, which are read alike.
    """

    async def setup_mailbox(self, ctx: AuthContext, *, timeout: float | None = None) -> ThreadID:
        """Make the caller's mailbox, if there is none, and return its thread.

        Nobody without one can send or get messages. However often it is called, there is one for each caller
        at the hub, whichever API key is used. Safe to repeat.

        Raises:
            QuotaExceeded: The caller has as many threads as they may have.
        """
        reply = await self._call(_methods.SETUP_MAILBOX, pb.SetupMailboxRequest(), ctx, timeout=timeout)
        return _convert.thread_id(bytes(reply.mailbox_id), MAILBOX)

    async def mailbox(self, ctx: AuthContext, *, timeout: float | None = None) -> ThreadID:
        """The thread of the caller's mailbox. Safe to repeat.

        Raises:
            ThreadNotFound: The caller has none.
        """
        return (await self.get_thread(ctx, MAILBOX, timeout=timeout)).id

    async def send_message(
        self,
        ctx: AuthContext,
        sender: Identity | Signer,
        to: PublicKey | str,
        body: bytes,
        *,
        timeout: float | None = None,
    ) -> Message:
        """Send a message, which only its recipient and its sender can open; returns the sender's copy.

        At the hub of this package it is in both mailboxes when the call returns, or in neither. It is not
        repeated by itself, since that might send it twice; if the connection breaks, the sentbox tells.

        Args:
            ctx: Who calls; whoever that is at the hub has to be ``sender``.
            sender: Signs. No private key is sent.
            to: The recipient's public key, or its text.
            body: The plaintext, which may be empty. It is sent twice, sealed for each side, in one message of
                4 MiB at most, so that there is room for about 2 MB.
            timeout: See the class.

        Raises:
            FailedPrecondition: The caller or the recipient has no mailbox.
            BadSignature: ``sender`` is somebody else than the caller.
            InvalidKey: ``to`` is no public key, or one that nothing can be sealed for.
            MessageTooLarge: The body is too large.
        """
        context(ctx)
        recipient = to if isinstance(to, PublicKey) else PublicKey.from_string(text(to, "the recipient"))
        plaintext = bytes(one_of((bytes, bytearray, memoryview), body, "the body"))
        sealed = await seal_message(sender, recipient, plaintext)
        request = pb.SendMessageRequest(
            to=str(recipient),
            to_body=sealed.to_body,
            to_signature=sealed.to_signature,
            from_body=sealed.from_body,
            from_signature=sealed.from_signature,
        )
        about = str(recipient)
        reply = await self._call(_methods.SEND_MESSAGE, request, ctx, timeout=timeout, about=about)
        return Message(
            reply.id,
            from_=sealed.sender,
            to=recipient,
            body=sealed.from_body,
            signature=sealed.from_signature,
            created_at_ns=reply.created_at,
        )

    async def list_inbox(
        self,
        ctx: AuthContext,
        *,
        seek: str = "",
        limit: int = 0,
        ascending: bool = False,
        status: MessageStatus = MessageStatus.ALL,
        verify: bool = True,
        timeout: float | None = None,
    ) -> list[Message]:
        """Messages that were received, a page of them; :meth:`inbox` gives all. Safe to repeat.

        Args:
            ctx: Whose.
            seek: Id of the first message; if it is not there, what comes after it is first. By default the
                newest, or the oldest if ``ascending``.
            limit: How many there are at most: 0 for the hub's default, which is 100; above 10,000 is 10,000.
            ascending: Oldest first instead of newest first.
            status: Whether those that were read, or not, are wanted.
            verify: Check all signatures.
            timeout: See the class.

        Raises:
            FailedPrecondition: The caller has no mailbox.
            IntegrityError: A message was not written by who it says; its id is in ``about``. Delete it, or
                ask with ``verify=False``.
            MessageTooLarge: They do not fit in one answer; ask for fewer.
        """
        wanted = Wanted(status, ascending=ascending, verify=verify)
        return await self._list(ctx, wanted, text(seek, "seek"), _limit(limit), timeout)

    async def list_sentbox(
        self,
        ctx: AuthContext,
        *,
        seek: str = "",
        limit: int = 0,
        ascending: bool = False,
        verify: bool = True,
        timeout: float | None = None,
    ) -> list[Message]:
        """Messages that were sent, a page of them, as :meth:`list_inbox`; :meth:`sentbox` gives all."""
        wanted = Wanted(None, ascending=ascending, verify=verify)
        return await self._list(ctx, wanted, text(seek, "seek"), _limit(limit), timeout)

    def inbox(
        self,
        ctx: AuthContext,
        *,
        seek: str = "",
        ascending: bool = False,
        status: MessageStatus = MessageStatus.ALL,
        verify: bool = True,
        timeout: float | None = None,
    ) -> Messages:
        """All messages that were received, as an async iterator, which asks for pages by itself.

        Args:
            ctx: Whose.
            seek: As for :meth:`list_inbox`.
            ascending: As for :meth:`list_inbox`.
            status: As for :meth:`list_inbox`.
            verify: As for :meth:`list_inbox`.
            timeout: See the class; covers each page.

        Raises:
            FailedPrecondition: As :meth:`list_inbox`, raised while iterating.
            IntegrityError: As :meth:`list_inbox`, raised while iterating.
        """
        return self._all(ctx, Wanted(status, ascending=ascending, verify=verify), seek, timeout)

    def sentbox(
        self,
        ctx: AuthContext,
        *,
        seek: str = "",
        ascending: bool = False,
        verify: bool = True,
        timeout: float | None = None,
    ) -> Messages:
        """All messages that were sent, as :meth:`inbox`."""
        return self._all(ctx, Wanted(None, ascending=ascending, verify=verify), seek, timeout)

    async def read_message(self, ctx: AuthContext, id: str, *, timeout: float | None = None) -> int:  # noqa: A002
        """Note that a message of the inbox has been read; when, in nanoseconds since 1970.

        Reading it again moves the time forward. The sender does not hear of it. Safe to repeat.

        Raises:
            InstanceNotFound: There is no such message.
            FailedPrecondition: The caller has no mailbox.
        """
        request = pb.ReadInboxMessageRequest(id=_id(id))
        reply = await self._call(_methods.READ_INBOX, request, ctx, timeout=timeout, about=id)
        return reply.read_at

    async def delete_inbox_message(
        self,
        ctx: AuthContext,
        id: str,  # noqa: A002
        *,
        timeout: float | None = None,
    ) -> None:
        """Delete a message that was received; the sender keeps theirs. One that is not there is no error.

        Safe to repeat.

        Raises:
            FailedPrecondition: The caller has no mailbox.
        """
        request = pb.DeleteInboxMessageRequest(id=_id(id))
        await self._call(_methods.DELETE_INBOX, request, ctx, timeout=timeout, about=id)

    async def delete_sentbox_message(
        self,
        ctx: AuthContext,
        id: str,  # noqa: A002
        *,
        timeout: float | None = None,
    ) -> None:
        """Delete a message that was sent; the recipient keeps theirs. One that is not there is no error.

        Safe to repeat.

        Raises:
            FailedPrecondition: The caller has no mailbox.
        """
        request = pb.DeleteSentboxMessageRequest(id=_id(id))
        await self._call(_methods.DELETE_SENTBOX, request, ctx, timeout=timeout, about=id)

    async def _list(
        self, ctx: AuthContext, wanted: Wanted, seek: str, limit: int, timeout: float | None
    ) -> list[Message]:
        found: Sequence[pb.Message]
        if wanted.status is None:
            of_sentbox = pb.ListSentboxMessagesRequest(seek=seek, limit=limit, ascending=wanted.ascending)
            found = (await self._call(_methods.LIST_SENTBOX, of_sentbox, ctx, timeout=timeout)).messages
        else:
            of_inbox = pb.ListInboxMessagesRequest(
                seek=seek, limit=limit, ascending=wanted.ascending, status=_STATUS[wanted.status]
            )
            found = (await self._call(_methods.LIST_INBOX, of_inbox, ctx, timeout=timeout)).messages
        messages = [_convert.message(each) for each in found]
        if wanted.verify:
            if len(messages) > _MANY or sum(len(each.body) for each in messages) > _LARGE:
                await asyncio.to_thread(_verify, messages)
            else:
                _verify(messages)
        return messages

    def _all(self, ctx: AuthContext, wanted: Wanted, seek: str, timeout: float | None) -> Messages:
        context(ctx)

        async def ask(seek: str, limit: int) -> list[Message]:
            return await self._list(ctx, wanted, seek, limit, timeout)

        return Messages(ask, seek=text(seek, "seek"), ascending=wanted.ascending)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for of a box: of the inbox with a status, of the sentbox without one."""

    status: MessageStatus | None
    _: KW_ONLY
    ascending: bool
    verify: bool

    def __post_init__(self) -> None:
        if self.status is not None:
            one_of(MessageStatus, self.status, "the status")
        one_of(bool, self.ascending, "ascending")
        one_of(bool, self.verify, "verify")


def _verify(messages: Iterable[Message]) -> None:
    for message in messages:
        message.verify()


_STATUS = {
    MessageStatus.ALL: pb.ListInboxMessagesRequestStatus.UNSPECIFIED,
    MessageStatus.READ: pb.ListInboxMessagesRequestStatus.READ,
    MessageStatus.UNREAD: pb.ListInboxMessagesRequestStatus.UNREAD,
}


def _limit(value: int) -> int:
    if isinstance(value, bool) or one_of(int, value, "the limit") < 0:
        raise InvalidInput(f"a limit is a number of messages, 0 for the hub's default, not {value!r}")
    return value


def _id(value: str) -> str:
    if not text(value, "a message's id"):
        raise InvalidInput("the message's id is empty")
    return value
