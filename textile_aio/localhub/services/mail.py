"""The part of ``api.usersd.pb.APIService`` that concerns mail (spec: users-and-mail §4)."""

from __future__ import annotations

from textile_aio._proto.api.usersd import pb
from textile_aio.errors import InvalidInput, StatusCode
from textile_aio.localhub.call import Call
from textile_aio.localhub.mail.boxes import INBOX, SENTBOX
from textile_aio.localhub.mail.mailboxes import Letter, Mailboxes
from textile_aio.localhub.mail.message import StoredMessage
from textile_aio.localhub.mail.page import Listing, Status
from textile_aio.localhub.routes import Method

_STATUS = {0: Status.ALL, 1: Status.ALL, 2: Status.READ, 3: Status.UNREAD}


class MailMethods:
    """From messages of the wire to mailboxes and back."""

    def __init__(self, mailboxes: Mailboxes) -> None:
        self._mailboxes = mailboxes

    def handlers(self) -> dict[str, Method]:
        """Handlers by method name."""
        return {
            "SetupMailbox": self.setup_mailbox,
            "SendMessage": self.send_message,
            "ListInboxMessages": self.list_inbox,
            "ListSentboxMessages": self.list_sentbox,
            "ReadInboxMessage": self.read_inbox,
            "DeleteInboxMessage": self.delete_inbox,
            "DeleteSentboxMessage": self.delete_sentbox,
        }

    async def setup_mailbox(self, call: Call, request: pb.SetupMailboxRequest) -> pb.SetupMailboxResponse:
        """The owner's mailbox, made if there is none."""
        mailbox = await self._mailboxes.set_up(call.owner, key=call.caller.api_key)
        return pb.SetupMailboxResponse(mailbox_id=mailbox)

    async def send_message(self, call: Call, request: pb.SendMessageRequest) -> pb.SendMessageResponse:
        """Put a message into two boxes."""
        letter = Letter(
            to=request.to,
            to_body=bytes(request.to_body),
            to_signature=bytes(request.to_signature),
            from_body=bytes(request.from_body),
            from_signature=bytes(request.from_signature),
        )
        sent = await self._mailboxes.send(call.owner, letter)
        return pb.SendMessageResponse(id=sent.id, created_at=sent.created_at)

    async def list_inbox(
        self, call: Call, request: pb.ListInboxMessagesRequest
    ) -> pb.ListInboxMessagesResponse:
        """A page of the inbox."""
        status = _STATUS.get(int(request.status))
        if status is None:
            raise InvalidInput(f"unknown message status: {int(request.status)}", code=StatusCode.UNKNOWN)
        listing = Listing(request.seek, request.limit, ascending=request.ascending, status=status)
        found = await self._mailboxes.list(call.owner, INBOX, listing)
        return pb.ListInboxMessagesResponse(messages=[_message(each) for each in found])

    async def list_sentbox(
        self, call: Call, request: pb.ListSentboxMessagesRequest
    ) -> pb.ListSentboxMessagesResponse:
        """A page of the sentbox."""
        listing = Listing(request.seek, request.limit, ascending=request.ascending)
        found = await self._mailboxes.list(call.owner, SENTBOX, listing)
        return pb.ListSentboxMessagesResponse(messages=[_message(each) for each in found])

    async def read_inbox(
        self, call: Call, request: pb.ReadInboxMessageRequest
    ) -> pb.ReadInboxMessageResponse:
        """Note that a message was read."""
        return pb.ReadInboxMessageResponse(read_at=await self._mailboxes.read(call.owner, request.id))

    async def delete_inbox(
        self, call: Call, request: pb.DeleteInboxMessageRequest
    ) -> pb.DeleteInboxMessageResponse:
        """Delete a message that was received."""
        await self._mailboxes.delete(call.owner, INBOX, request.id)
        return pb.DeleteInboxMessageResponse()

    async def delete_sentbox(
        self, call: Call, request: pb.DeleteSentboxMessageRequest
    ) -> pb.DeleteSentboxMessageResponse:
        """Delete a message that was sent; the recipient keeps theirs."""
        await self._mailboxes.delete(call.owner, SENTBOX, request.id)
        return pb.DeleteSentboxMessageResponse()


def _message(stored: StoredMessage) -> pb.Message:
    return pb.Message(
        id=stored.id,
        from_=stored.sender,
        to=stored.to,
        body=stored.body,
        signature=stored.signature,
        created_at=stored.created_at,
        read_at=stored.read_at,
    )
