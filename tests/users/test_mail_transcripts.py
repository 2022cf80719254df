"""Our users client against what the JavaScript ones sent about mail, and were answered."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.fakehub import CTX, FakeHub, connected
from tests.transcripts import Case, Replay, label, recorded
from textile_aio import (
    AccountType,
    Identity,
    IntegrityError,
    Message,
    MessageStatus,
    MessageTooLarge,
    ProtocolError,
)
from textile_aio._proto.api.usersd import pb
from textile_aio._proto.threads import pb as threads
from textile_aio.users import _methods

USERS = {"users"}
STATUS = {0: MessageStatus.ALL, 1: MessageStatus.READ, 2: MessageStatus.UNREAD}


def options(case: Case) -> dict[str, Any]:
    """What the JavaScript client was given, for ours."""
    given = dict(case["args"][0]) if case["args"] else {}
    if "status" in given:
        given["status"] = STATUS[given["status"]]
    return given


def told(message: Message) -> dict[str, Any]:
    """A message as JavaScript clients show it."""
    return {
        "id": message.id,
        "from": str(message.from_),
        "to": str(message.to),
        "body": {"bytes_hex": message.body.hex()},
        "signature": {"bytes_hex": message.signature.hex()},
        "createdAt": message.created_at_ns,
        "readAt": message.read_at_ns,
    }


@pytest.mark.parametrize("case", recorded("setupMailbox", "getMailboxID", clients=USERS), ids=label)
async def test_mailboxes_are_set_up_and_found(case: Case) -> None:
    replay = Replay(case)
    async with replay.client() as hub:
        call = hub.users.setup_mailbox if case["method"] == "setupMailbox" else hub.users.mailbox
        assert str(await call(replay.context())) == case["result"]
    request = pb.SetupMailboxRequest if case["method"] == "setupMailbox" else pb.GetThreadRequest
    ours, theirs = replay.messages(case["calls"][0]["method"], request)
    assert ours == theirs
    replay.check_headers()


@pytest.mark.parametrize("case", recorded("listInboxMessages", clients=USERS), ids=label)
async def test_inboxes_are_listed(case: Case) -> None:
    replay = Replay(case)
    async with replay.client() as hub:
        messages = await hub.users.list_inbox(replay.context(), verify=False, **options(case))
    assert [told(each) for each in messages] == case["result"]
    ours, theirs = replay.messages(_methods.LIST_INBOX.path, pb.ListInboxMessagesRequest)
    if options(case).get("status") is MessageStatus.READ:
        # JavaScript sends the number of UNREAD here (spec: users-and-mail §6.3).
        assert theirs[0].status == pb.ListInboxMessagesRequestStatus.UNREAD
        theirs[0].status = pb.ListInboxMessagesRequestStatus.READ
    assert ours == theirs
    replay.check_headers()


@pytest.mark.parametrize("case", recorded("listSentboxMessages", clients=USERS), ids=label)
async def test_sentboxes_are_listed(case: Case) -> None:
    replay = Replay(case)
    async with replay.client() as hub:
        messages = await hub.users.list_sentbox(replay.context(), verify=False, **options(case))
    assert [told(each) for each in messages] == case["result"]
    ours, theirs = replay.messages(_methods.LIST_SENTBOX.path, pb.ListSentboxMessagesRequest)
    assert ours == theirs
    replay.check_headers()


@pytest.mark.parametrize(
    "case", recorded("listInboxMessages", "listSentboxMessages", clients=USERS), ids=label
)
async def test_messages_that_nobody_signed_are_refused_unless_asked_for(case: Case) -> None:
    replay = Replay(case)
    async with replay.client() as hub:
        call = hub.users.list_inbox if case["method"] == "listInboxMessages" else hub.users.list_sentbox
        with pytest.raises(IntegrityError, match="bad message signature"):
            await call(replay.context())


@pytest.mark.parametrize("case", recorded("readInboxMessage", clients=USERS), ids=label)
async def test_messages_are_read(case: Case) -> None:
    replay = Replay(case)
    async with replay.client() as hub:
        assert await hub.users.read_message(replay.context(), case["args"][0]) == case["result"]["readAt"]
    ours, theirs = replay.messages(_methods.READ_INBOX.path, pb.ReadInboxMessageRequest)
    assert ours == theirs
    replay.check_headers()


@pytest.mark.parametrize(
    "case", recorded("deleteInboxMessage", "deleteSentboxMessage", clients=USERS), ids=label
)
async def test_messages_are_deleted(case: Case) -> None:
    replay = Replay(case)
    inbox = case["method"] == "deleteInboxMessage"
    async with replay.client() as hub:
        delete = hub.users.delete_inbox_message if inbox else hub.users.delete_sentbox_message
        await delete(replay.context(), case["args"][0])
    request = pb.DeleteInboxMessageRequest if inbox else pb.DeleteSentboxMessageRequest
    ours, theirs = replay.messages(case["calls"][0]["method"], request)
    assert ours == theirs
    replay.check_headers()


@pytest.mark.parametrize("case", recorded("getUsage", clients=USERS), ids=label)
async def test_usage_is_told(case: Case) -> None:
    replay = Replay(case)
    key = case["args"][0]["dependentUserKey"] if case["args"] else None
    async with replay.client() as hub:
        usage = await hub.users.usage(replay.context(), key)
    customer, result = usage.customer, case["result"]
    assert customer is not None
    assert (str(customer.public_key), customer.balance) == (
        result["customer"]["key"],
        result["customer"]["balance"],
    )
    assert customer.account_type is AccountType(result["customer"]["accountType"])
    assert {name: product.total for name, product in usage.products.items()} == {
        name: product["total"] for name, product in result["usage"]["usageMap"]
    }
    stored = dict(result["usage"]["usageMap"]).get("stored_data", {"total": 0})
    assert usage.stored_bytes == stored["total"]
    ours, theirs = replay.messages(_methods.GET_USAGE.path, pb.GetUsageRequest)
    assert ours == theirs
    replay.check_headers()


@pytest.mark.parametrize("case", recorded("watchInbox", "watchSentbox", clients=USERS), ids=label)
def test_documents_of_events_are_read(case: Case) -> None:
    replies = [threads.ListenReply.parse(bytes.fromhex(each)) for each in case["calls"][0]["replies_hex"]]
    messages = [told(Message.from_json(bytes(each.instance))) for each in replies if each.instance]
    expected = [each["event"]["message"] for each in case["events"] if "message" in each.get("event", {})]
    assert json.dumps(messages, sort_keys=True) == json.dumps(expected, sort_keys=True)


async def test_a_message_of_a_hub_with_a_malformed_key_is_not_taken() -> None:
    alice = Identity.generate()
    fake = FakeHub()
    for field in ("from", "to"):
        keys: dict[str, Any] = {"from_": str(alice.public), "to": str(alice.public)}
        keys["from_" if field == "from" else "to"] = "x"
        fake.answer(_methods.LIST_INBOX, pb.ListInboxMessagesResponse(messages=[pb.Message(id="1", **keys)]))
        async with connected(fake) as hub:
            with pytest.raises(IntegrityError, match=f"{field} public key is invalid"):
                await hub.users.list_inbox(CTX, verify=False)


async def test_a_malformed_mailbox_id_is_the_hubs_fault() -> None:
    fake = FakeHub()
    fake.answer(_methods.SETUP_MAILBOX, pb.SetupMailboxResponse(mailbox_id=b"\x02"))
    async with connected(fake) as hub:
        with pytest.raises(ProtocolError, match="malformed thread id"):
            await hub.users.setup_mailbox(CTX)


async def test_an_answer_beyond_what_this_side_takes_makes_pages_smaller() -> None:
    alice = Identity.generate()
    body = bytes(1_500_000)
    big = [
        pb.Message(
            id=f"{number}",
            from_=str(alice.public),
            to=str(alice.public),
            body=body,
            signature=alice.sign(body),
        )
        for number in range(5)
    ]
    fake = FakeHub()

    async def handle(stream: Any) -> None:
        request = await stream.recv_message()
        found = [each for each in big if each.id >= request.seek][: request.limit]
        await stream.send_message(pb.ListInboxMessagesResponse(messages=found))

    fake.on(_methods.LIST_INBOX, handle)
    async with connected(fake) as hub:
        with pytest.raises(MessageTooLarge):
            await hub.users.list_inbox(CTX, limit=5, ascending=True)
        assert [each.id async for each in hub.users.inbox(CTX, ascending=True)] == ["0", "1", "2", "3", "4"]
